"""The talk with the human about one session: what is typed becomes commands, and what waits becomes questions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agent_core import commands as cmd
from agent_core import events as ev
from agent_core.state import State
from tui.engine import Session
from tui.plain import orders
from tui.plain.along import Along
from tui.plain.asking import Asking
from tui.plain.console import Console, Typed
from tui.plain.dialogs import Dialogs
from tui.plain.errands import Errands
from tui.plain.questions import (
    Key,
    approval_lines,
    budget_lines,
    decision_lines,
    idle_lines,
    proposal_of,
    question_lines,
    waits_for,
)
from tui.plain.showing import SHOWN, answer_to
from tui.plain.telling import Teller
from tui.plain.wishes import chosen, spoken

_SPENDING = {1: 1.0, 2: -1.0, 3: 0.0}
"""What each choice allows where a budget is used up, see `agent_core.commands.RaiseBudget`."""
_WISHES = frozenset({"approve", "answer"})
_ANYWAY = "lands it anyway"


class Talk:
    """Follows a session, and hands in what the human wants of it.

    Args:
        session: The session.
        console: Where it is told, and typed.
        asking: Asks.
        leave: Ends everything.
        interrupt: Stops what is running.
        draft: A task to offer.
    """

    def __init__(
        self,
        session: Session,
        console: Console,
        asking: Asking,
        *,
        leave: Callable[[], None],
        interrupt: Callable[[], None],
        draft: str = "",
    ) -> None:
        self.say = console.say
        self.content = session.content
        self._session = session
        self._console = console
        self._asking = asking
        self._leave = leave
        self._interrupt = interrupt
        self._draft = draft
        self._ready = False
        self._kept: list[Typed] = []
        self._closed = False
        self._teller = Teller(console.say, session.content)
        self._key: Key | None = None  # what is asked
        self._decided: Key | None = None  # what has been answered, and shows no effect yet
        self._green: bool | None = None
        self._awaited = 0  # the proposal that the engine asks about
        self._along = Along()
        self._doubted = ""
        self._continued: list[str] = []
        self._looking = False
        self._listed: tuple[str, ...] = ()  # the words that waited when their numbers were last told
        self.dialogs = Dialogs(
            session, console, asking, decide=self._decide_late, speak=self._written, ended=self._dialog_ended
        )
        self._orders: dict[str, Callable[[orders.Order], None]] = {
            **Errands(session, console.say).orders,
            "choice": lambda order: self._choose(order.number),
            "unknown": lambda order: self.say(f"There is no command {order.text}. Type help for those there are."),
            "accept": lambda _: self._decide(cmd.Accept(self.state.waiting)),
            "reject": lambda _: self.dialogs.reject(),
            "go on": lambda _: self._go_on(""),
            "fix": lambda _: self._decide(cmd.Fix(self.state.waiting)),
            "land": lambda _: self._decide(cmd.Land(self.state.waiting)),
            "blocks": lambda _: self.dialogs.choose(),
            "unmark": lambda _: self._unmark(),
            "spend more": lambda _: self._spend(1.0),
            "spend no more": lambda _: self._spend(-1.0),
            "no limit": lambda _: self._spend(0.0),
            "allow": lambda _: self._approve(allowed=True),
            "deny": lambda _: self._approve(allowed=False),
            "withdraw": lambda order: self._withdraw(order.number),
            "share": lambda _: self._share(),
            "write": lambda _: self.dialogs.write(),
            "stop": lambda _: self._interrupt(),
            "quit": lambda _: self._leave(),
        }

    @property
    def state(self) -> State:
        """What is true now."""
        return self._session.state

    @property
    def rests(self) -> bool:
        """Whether nothing goes on by itself, and nothing that was typed is still to show its effect."""
        return self._key is not None and self._key != self._decided and not self.dialogs.open

    @property
    def works(self) -> bool:
        """Whether there is something that can be interrupted."""
        running = any(getattr(one, "code", 0) is None for one in self.state.chat)
        return self.state.task is not None or running

    # -- what happens

    def begin(self) -> None:
        """Say what a session that goes on is about; events follow."""
        self._teller.begin(self.state)

    def told(self, entry: ev.Entry, state: State) -> None:
        """Tell of an event, and ask what there is to be asked once all of its kind are there."""
        event = entry.event
        self._teller.tell(event, state)
        match event:
            case ev.DecisionAwaited(number, why):
                self._awaited = number
                if why.endswith(_ANYWAY):
                    self._key = self._decided = None
            case ev.ProposalMade() | ev.Decided() | ev.TaskFinished():
                self._awaited = 0
            case ev.VerdictReached():
                self._doubt(state)
            case ev.Noted():
                # What was decided may have been refused.
                self._decided = None
        if isinstance(event, ev.Reviewed | ev.Noted):
            self.dialogs.effect()
        if not self._looking and not isinstance(event, ev.TextStreamed | ev.ReasoningStreamed | ev.PatchStreamed):
            self._looking = True
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        """Ask what there is to be asked."""
        self._looking = False
        self._teller.tell_edits()
        if self._closed:
            return
        state, key = self.state, waits_for(self.state, self._awaited)
        about = self.dialogs.about
        if about and key is not None and about != state.waiting and self.dialogs.leave():
            self.say(f"Proposal {about} does not wait any more.")
        if key == self._key or (key is not None and key == self._decided):
            return
        before, self._key = self._key, key
        if key is None:
            if not self.dialogs.open:
                self._asking.void()
            return
        self._decided = None
        if self.dialogs.open:
            if before is not None and key[0] == "decide":
                self._asking.again(f"Proposal {state.waiting} has changed meanwhile.")
            return
        self._ask(state, key)
        if not self._ready:
            self._hear_kept()

    def _hear_kept(self) -> None:
        self._ready = True
        kept, self._kept = self._kept, []
        for typed in kept:
            self.hear(typed)

    def close(self) -> None:
        """The session is over."""
        self._closed = True
        self.dialogs.leave()

    def _ask(self, state: State, key: Key) -> None:
        if key[0] == "budget" and state.budget is not None:
            self._asking.put(*budget_lines(state.budget), sudden=True)
        elif key[0] == "approve" and state.approval is not None:
            self._asking.put(*approval_lines(state.approval), sudden=True)
        elif key[0] == "answer" and state.question is not None:
            self._asking.put(*question_lines(state.question), sudden=True)
        elif key[0] == "decide":
            verdict = proposal_of(state, state.waiting).verdict_now
            self._green = verdict.green if verdict is not None else None
            self._asking.put(*decision_lines(state), sudden=True)
        else:
            self._asking.void()
            self.say(*idle_lines(state, self._draft))

    def _doubt(self, state: State) -> None:
        """What is decided by has turned: an answer that was typed meanwhile is about what was there before."""
        if self._key is None or self._key[0] != "decide" or not state.waiting:
            return
        verdict = proposal_of(state, state.waiting).verdict_now
        green = verdict.green if verdict is not None else None
        if green is not None and self._green is not None and green != self._green and self._decided is None:
            self._asking.again(f"Proposal {state.waiting} still waits; its verdict is another now.")
        self._green = green if green is not None else self._green

    # -- what is typed

    def hear(self, typed: Typed) -> None:
        """Take a line; before there is anything to answer or to work on it is kept."""
        if not self._ready and typed.text.strip().lower() not in {"quit", "stop"}:
            self._kept.append(typed)
            return
        if typed.text.endswith("\\"):
            self._continued.append(typed.text[:-1])
            return
        text = "\n".join([*self._continued, typed.text]).strip()
        self._continued.clear()
        if self.dialogs.open:
            if self.dialogs.takes(typed):
                self._asking.give(text)
            else:
                self._refuse(text)
            return
        if not text:
            self._asking.remind() if self._asking.open else self._obey(orders.Order("status"))
            return
        order = orders.read(text)
        if order is not None and order.name == "fix" and not self.state.waiting and not text.startswith("/"):
            # What the built-in partner is told to have it look for a repair; the tools mend proposals only.
            order = None
        if (order is None or order.name == "unknown") and (task := self._task_of(text)):
            self.say(f"Your command says: {task}")
            self._speak(task, typed)
        elif order is None:
            self._speak(orders.words_of(text), typed)
        elif order.name in orders.DECIDING and self._asking.open and self._asking.too_early(typed):
            self._refuse(text)
        else:
            self._obey(order)

    def _task_of(self, text: str) -> str:
        """What a command of one's own asks for; empty where the line calls none."""
        task = self._session.custom.task(text) if text.startswith("/") else text
        return "" if task == text else task

    def _obey(self, order: orders.Order) -> None:
        if order.name in SHOWN:
            if order.name == "status":
                self._listed = self.state.queued
            self.say(*answer_to(order, self.state, self.content))
        else:
            self._orders[order.name](order)

    def _refuse(self, text: str) -> None:
        self.say(f"That was typed before question {self._asking.number}, so it is not taken as an answer: {text}")
        self._asking.remind()

    def _choose(self, number: int) -> None:
        kind = self._key[0] if self._key is not None else ""
        if kind == "decide" and number in orders.CHOICES:
            self._obey(orders.Order(orders.CHOICES[number]))
        elif kind == "budget" and number in _SPENDING:
            self._spend(_SPENDING[number])
        elif kind in _WISHES and (command := chosen(self.state, number)) is not None:
            self._answer(command)
        elif kind == "idle" and number == 1 and self._draft:
            self._speak(self._draft, Typed("", self._console.clock()))
        else:
            self.say(f"There is no choice {number} now.")

    def _speak(self, text: str, typed: Typed) -> None:
        """Say something to the partner."""
        state = self.state
        near = orders.meant(text) if text != self._doubted else ""
        self._doubted = text if near else ""
        if near:
            self.say(f"Did you mean {near}? It was not sent; type it once more to say it to the partner.")
        elif self._answers(typed) and (said := spoken(state, text)) is not None:
            self._answer(said)
        elif self._key is not None and self._key[0] == "decide":
            if self._asking.too_early(typed):
                self._along.keep(text)
                self.say(
                    f"That was typed before question {self._asking.number}. It is kept, and goes along when you"
                    " reject or go on."
                )
                self._asking.remind()
            else:
                self._go_on(text)
        else:
            self._draft = ""
            words = self._along.take(text)
            self._decided = self._key if self._key is not None and self._key[0] == "idle" else self._decided
            self._session.submit(cmd.Steer(words) if state.task is not None or state.waiting else cmd.Ask(words))

    # -- decisions

    def _decide(self, command: cmd.AnyCommand, *, spoken: bool = False) -> None:
        """Hand in a decision on what waits."""
        if self._key is None or self._key[0] != "decide":
            self.say("No proposal waits for a decision now.")
            return
        if not spoken and (unsaid := self._along.drop()):
            self.say(f"Not said to the partner: {unsaid}")
        self._decided = self._key
        self._asking.void()
        self._session.submit(command)

    def _go_on(self, words: str) -> None:
        self._decide(cmd.Steer(self._along.take(words) if self.state.waiting else words), spoken=True)

    def _decide_late(self, command: cmd.Reject | cmd.Land) -> None:
        """Hand in what came of a dialog."""
        if isinstance(command, cmd.Reject):
            command = cmd.Reject(command.proposal, self._along.take(command.reason))
        self._decided = waits_for(self.state, self._awaited)
        self._session.submit(command)

    def _written(self, text: str) -> None:
        if self.state.waiting:
            self._along.keep(text)
            self.say("It is kept, and goes along when you reject or go on.")
        else:
            self._speak(text, Typed("", self._console.clock()))

    def _dialog_ended(self) -> None:
        """What was asked meanwhile, or before, is asked now."""
        self._key = None
        self._look()

    def _approve(self, *, allowed: bool) -> None:
        approval = self.state.approval
        if approval is None:
            self.say("Nothing waits to be allowed.")
            return
        self._answer(cmd.Approve(approval.call_id, allowed))

    def _answers(self, typed: Typed) -> bool:
        """Whether words are about what the partner wants, or asks: those from before that are for its next step."""
        return self._key is not None and self._key[0] in _WISHES and not self._asking.too_early(typed)

    def _answer(self, command: cmd.AnyCommand) -> None:
        """Hand in the answer to what the partner wants, or asks."""
        self._decided = self._key
        self._asking.void()
        self._session.submit(command)

    def _spend(self, times: float) -> None:
        if self.state.budget is None:
            self.say("No budget is used up.")
            return
        self._decided = self._key
        self._asking.void()
        self._session.submit(cmd.RaiseBudget(times))

    def _share(self) -> None:
        ran = self._teller.last_run
        if ran is None or not ran.output.strip():
            self.say("There is no output to share.")
            return
        self._along.attach(ran)
        self.say("It goes along with your next words to the partner.")

    def _withdraw(self, number: int) -> None:
        """Take back the words that were told under a number, wherever they are by now."""
        listed = self._listed or self.state.queued
        if 1 <= number <= len(listed):
            self._session.submit(cmd.Withdraw(number - 1, listed[number - 1]))
        else:
            self.say(f"No words wait under the number {number}. Type status to see those that do.")

    def _unmark(self) -> None:
        if self.state.waiting:
            self._session.submit(cmd.Unmark(self.state.waiting))
            self._key = None
        else:
            self.say("No proposal waits for a decision now.")
