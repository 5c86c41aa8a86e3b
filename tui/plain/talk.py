"""The talk with the human about one session: what is typed becomes commands, and what waits becomes questions."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Coroutine

from agent_core import commands as cmd
from agent_core import events as ev
from agent_core.events import Mode
from agent_core.state import ProposalState, State
from tui.editors import EditorError
from tui.engine import Session
from tui.plain import findings, orders
from tui.plain.asking import Asking
from tui.plain.choosing import Choosing
from tui.plain.console import Console, Typed
from tui.plain.questions import Key, approval_lines, decision_lines, idle_lines, proposal_of, waits_for
from tui.plain.showing import SHOWN, answer_to
from tui.plain.status import status_of
from tui.plain.telling import Teller
from tui.plain.words import sentence
from tui.plain.writing import write
from tui.prompt.chips import quoted

_EFFECT = 5.0  # seconds to wait for what a mark comes to
_ANYWAY = "lands it anyway"
log = logging.getLogger(__name__)


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
        self.is_editing = False
        """Whether the terminal is the editor's."""
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
        self._early: list[str] = []
        self._attached: list[str] = []
        self._doubted = ""
        self._continued: list[str] = []
        self._runs = 0
        self._effect: asyncio.Future[None] | None = None
        self._looking = False
        self._dialog: asyncio.Task[None] | None = None
        self._about = 0  # the proposal that the dialog is about
        self._orders: dict[str, Callable[[orders.Order], None]] = {
            "choice": lambda order: self._choose(order.number),
            "unknown": lambda order: self.say(f"There is no command {order.text}. Type help for those there are."),
            "shell": lambda order: self._shell(order.text),
            "accept": lambda _: self._decide(cmd.Accept(self.state.waiting)),
            "reject": lambda _: self._begin(self._reject()),
            "go on": lambda _: self._decide(cmd.Steer(self._words("")), spoken=True),
            "fix": lambda _: self._decide(cmd.Fix(self.state.waiting)),
            "land": lambda _: self._decide(cmd.Land(self.state.waiting)),
            "blocks": lambda _: self._begin(self._blocks()),
            "unmark": lambda _: self._unmark(),
            "undo": lambda order: self._session.submit(cmd.Undo(order.number)),
            "redo": lambda order: self._session.submit(cmd.Redo(order.number)),
            "allow": lambda _: self._approve(allowed=True),
            "deny": lambda _: self._approve(allowed=False),
            "mode": lambda order: self._mode(order.text),
            "withdraw": lambda order: self._session.submit(cmd.Withdraw(order.number - 1)),
            "share": lambda _: self._share(),
            "write": lambda _: self._begin(self._write()),
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
        return self._key is not None and self._key != self._decided and self._dialog is None

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
        if isinstance(event, ev.Reviewed | ev.Noted) and self._effect is not None and not self._effect.done():
            self._effect.set_result(None)
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
        if self._dialog is not None and self._about and key is not None and self._about != state.waiting:
            self._dialog.cancel()
            self.say(f"Proposal {self._about} does not wait any more.")
        if key == self._key or (key is not None and key == self._decided):
            return
        before, self._key = self._key, key
        if key is None:
            if self._dialog is None:
                self._asking.void()
            return
        self._decided = None
        if self._dialog is not None:
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
        if self._dialog is not None:
            self._dialog.cancel()

    def _ask(self, state: State, key: Key) -> None:
        if key[0] == "approve" and state.approval is not None:
            self._asking.put(*approval_lines(state.approval), sudden=True)
        elif key[0] == "decide":
            verdict = findings.verdict_of(self.proposal(state.waiting))
            self._green = verdict.green if verdict is not None else None
            self._asking.put(*decision_lines(state), sudden=True)
        else:
            self._asking.void()
            self.say(*idle_lines(state, self._draft))

    def _doubt(self, state: State) -> None:
        """What is decided by has turned: an answer that was typed meanwhile is about what was there before."""
        if self._key is None or self._key[0] != "decide" or not state.waiting:
            return
        verdict = findings.verdict_of(self.proposal(state.waiting))
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
        if self._dialog is not None:
            if self._asking.waits and not self._asking.too_early(typed):
                self._asking.give(text)
            else:
                self._refuse(text)
            return
        if not text:
            self._asking.remind() if self._asking.open else self.say(*status_of(self.state))
            return
        order = orders.read(text)
        if order is None:
            self._speak(orders.words_of(text), typed)
        elif order.name in orders.DECIDING and self._asking.open and self._asking.too_early(typed):
            self._refuse(text)
        else:
            self._obey(order)

    def _obey(self, order: orders.Order) -> None:
        if order.name in SHOWN:
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
        elif kind == "approve" and number in {1, 2}:
            self._approve(allowed=number == 1)
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
        elif self._key is not None and self._key[0] == "decide":
            if self._asking.too_early(typed):
                self._early.append(text)
                self.say(
                    f"That was typed before question {self._asking.number}. It is kept, and goes along when you"
                    " reject or go on."
                )
                self._asking.remind()
            else:
                self._decide(cmd.Steer(self._words(text)), spoken=True)
        else:
            self._draft = ""
            words = self._words(text)
            self._decided = self._key if self._key is not None and self._key[0] == "idle" else self._decided
            self._session.submit(cmd.Steer(words) if state.task is not None or state.waiting else cmd.Ask(words))

    def _words(self, text: str) -> str:
        """Words with all that goes along with them."""
        words = "\n\n".join(part for part in (*self._early, text, *self._attached) if part)
        self._early.clear()
        self._attached.clear()
        return words

    # -- decisions

    def _decide(self, command: cmd.AnyCommand, *, spoken: bool = False) -> None:
        """Hand in a decision on what waits."""
        if self._key is None or self._key[0] != "decide":
            self.say("No proposal waits for a decision now.")
            return
        if self._early and not spoken:
            self.say(f"Not said to the partner: {' '.join(self._early)}")
            self._early.clear()
        self._decided = self._key
        self._asking.void()
        self._session.submit(command)

    def _approve(self, *, allowed: bool) -> None:
        approval = self.state.approval
        if approval is None:
            self.say("No command waits to be allowed.")
            return
        self._decided = self._key
        self._asking.void()
        self._session.submit(cmd.Approve(approval.call_id, allowed))

    def _mode(self, text: str) -> None:
        mode: Mode = "auto" if text == "auto" else "until-green" if text == "until-green" else "step"
        if mode == "auto" and self.state.waiting:
            self.say("Auto would decide on what waits: do that first.")
            return
        self._session.submit(cmd.SetMode(mode))

    def _shell(self, line: str) -> None:
        self._runs += 1
        self._session.submit(cmd.Shell(f"plain-{os.getpid()}-{self._runs}", line))

    def _share(self) -> None:
        ran = self._teller.last_run
        if ran is None or not ran.output.strip():
            self.say("There is no output to share.")
            return
        ended = ran.killed or f"exit status {ran.code}"
        self._attached.append(quoted(f"Output of `{ran.line}` ({ended}):", ran.output))
        self.say("It goes along with your next words to the partner.")

    def _unmark(self) -> None:
        if self.state.waiting:
            self._session.submit(cmd.Unmark(self.state.waiting))
            self._key = None
        else:
            self.say("No proposal waits for a decision now.")

    # -- what there is to see

    def proposal(self, number: int) -> ProposalState:
        """A proposal as it is now."""
        return proposal_of(self.state, number)

    # -- dialogs

    def _begin(self, dialog: Coroutine[None, None, None]) -> None:
        self._about = self.state.waiting
        self._dialog = asyncio.get_running_loop().create_task(self._run(dialog))

    async def _run(self, dialog: Coroutine[None, None, None]) -> None:
        try:
            await dialog
        except asyncio.CancelledError:
            pass
        except Exception as error:
            log.exception("a dialog failed")
            self.say(f"That did not work: {type(error).__name__}: {error}. The log has the details.")
        self._dialog, self._about = None, 0
        # What was asked meanwhile, or before, is asked now.
        self._key = None
        self._look()

    def leave_dialog(self) -> bool:
        """Stop a dialog, if there is one: what was said in it so far stays."""
        if self._dialog is None or self.is_editing:
            return self.is_editing
        self._dialog.cancel()
        return True

    async def _reject(self) -> None:
        number = self.state.waiting
        if not number:
            self.say("No proposal waits for a decision now.")
            return
        reason = await self._asking.ask("Why? The partner is told. An empty line says nothing.")
        self._decide_late(cmd.Reject(number, self._words(reason)))

    async def _blocks(self) -> None:
        number = self.state.waiting
        if not number:
            self.say("No proposal waits for a decision now.")
            return
        if (land := await Choosing(number, self._asking, self).run()) is not None:
            self._decide_late(land)

    def _decide_late(self, command: cmd.AnyCommand) -> None:
        self._decided = waits_for(self.state, self._awaited)
        self._session.submit(command)

    async def carry_out(self, command: cmd.AnyCommand) -> None:
        """Hand in a mark, and wait until it is made or refused."""
        self._effect = asyncio.get_running_loop().create_future()
        self._session.submit(command)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_EFFECT):
                await self._effect

    async def _write(self) -> None:
        try:
            text = await self.edit("", "words.md")
        except EditorError as error:
            self.say(sentence(error.message), error.hint)
            return
        if text is None or not text.strip():
            self.say("Nothing was written.")
        elif self.state.waiting:
            self._early.append(text.strip())
            self.say("It is kept, and goes along when you reject or go on.")
        else:
            self._speak(text.strip(), Typed("", self._console.clock()))

    async def edit(self, text: str, name: str) -> str | None:
        """Have the human edit a text; see `tui.plain.writing.write`."""
        self.is_editing = True
        try:
            return await write(self._console, text, name)
        finally:
            self.is_editing = False
