"""One session with an editor: events become updates, what waits becomes a question, a prompt becomes a turn."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from acp import Client, RequestError, update_agent_message_text
from acp.schema import AgentMessageChunk, AllowedOutcome, StopReason, ToolCallUpdate
from pydantic import ValidationError

from agent_core import commands
from agent_core import events as ev
from agent_core.acp import asking, settings, slash
from agent_core.acp.outbox import Outbox
from agent_core.acp.telling import Teller
from agent_core.acp.trouble import AUTH, failure
from agent_core.acp.words import aside
from agent_core.errors import PairloopError
from agent_core.fold import fold
from agent_core.session import Session
from agent_core.state import State

_LAST_WAIT = 15.0
_ASKS = (ev.DecisionAwaited, ev.ApprovalAsked, ev.QuestionAsked, ev.BudgetReached)
_DECIDES = (
    commands.Steer
    | commands.Answer
    | commands.Approve
    | commands.Accept
    | commands.Reject
    | commands.Fix
    | commands.Interrupt
)
log = logging.getLogger(__name__)


class Talk:
    """A session that an editor has open.

    Args:
        session: The session; it is run from here.
        keeps: What has to be kept as long as the session is open.
        client: The editor.
        root: The project's folder.
        partners: Names of the partners that can be chosen.
    """

    def __init__(self, session: Session, keeps: object, client: Client, root: Path, partners: Sequence[str]) -> None:
        self.session = session
        self.root = root
        self.partners = tuple(partners)
        self._keeps: object = keeps
        self._client = client
        self._outbox = Outbox(client, session.id)
        self._teller = Teller(root, session.content, self._outbox.put)
        self._turns: list[asyncio.Future[StopReason]] = []
        self._shells: set[str] = set()
        self._may_ask = False
        self._due = False  # something new waits for the human
        self._put_off: tuple[str, str] | None = None  # what they want to answer by their next words
        self._cancelled = False
        self._asked: asyncio.Task[None] | None = None
        self._about: tuple[str, str] | None = None  # what it is asked about
        self._sending: asyncio.Task[None] | None = None
        self._work: asyncio.Task[None] | None = None
        self._opened = asyncio.Event()
        self._trouble: RequestError | None = None
        session.subscribe(self._listen)

    @property
    def state(self) -> State:
        """What is true now."""
        return self.session.state

    # -- opened and closed

    def retell(self, entries: Iterable[ev.Entry]) -> None:
        """Tell what has happened so far, from the journal."""
        state = State()
        # Whoever loads what is open has lost what they were asked.
        self._stop_asking()
        self._due = self._work is not None
        for entry in entries:
            state = fold(state, entry.event)
            self._teller.hear(entry, state, live=False)

    async def open(self) -> None:
        """Run the session from now on, and wait until it is open.

        Raises:
            RequestError: It cannot be opened.
        """
        if self._work is None:
            self._work = asyncio.create_task(self._run())
        await self._opened.wait()
        if self._trouble is not None:
            raise self._trouble

    def begin(self) -> None:
        """Tell the editor what happens from now on, and what can be done: right before it learns that this is open."""
        self._outbox.put(slash.available(self.session.custom.all().values()))
        self._send()
        self._may_ask = True
        self._ask()

    async def told(self) -> None:
        """Wait until the editor has been told all that there is to tell."""
        self._send()
        await self._outbox.flush()

    def _send(self) -> None:
        if self._sending is None:
            self._sending = asyncio.create_task(self._outbox.run())

    def note(self, text: str) -> None:
        """Say something to the human."""
        self._outbox.put(_note(text))

    async def close(self) -> None:
        """End the session in an orderly way; what waits for the human still waits when it is gone on with."""
        if self._work is not None:
            self.session.submit(commands.Quit())
            _, late = await asyncio.wait([self._work], timeout=_LAST_WAIT)
            if late:
                log.error("session %s did not end in time", self.session.id)
                self._work.cancel()
        for task in (self._asked, self._sending):
            if task is not None:
                task.cancel()
        self._keeps = None

    async def _run(self) -> None:
        try:
            await self.session.run()
        except PairloopError as error:
            self._trouble = failure(error)
        except Exception as error:
            log.exception("session %s failed", self.session.id)
            self._trouble = failure(error)
        self._opened.set()
        for turn in self._turns:
            if not turn.done():
                turn.set_exception(self._trouble or failure(PairloopError("The session has been closed.")))

    # -- what the editor wants

    async def prompt(self, text: str, left: str = "") -> StopReason:
        """Carry out a prompt: a task, words on what waits, or a command.

        Args:
            text: What it says.
            left: What is left out of it, for the human.

        Returns:
            Why the turn is over.

        Raises:
            RequestError: It cannot be carried out, or the partner failed; says why.
        """
        try:
            command = slash.read(text, self.state) or self._meant(
                await asyncio.to_thread(self.session.custom.task, text)
            )
        except PairloopError as error:
            # Somebody mistyped; that is no failure of anything.
            self.note(str(error))
            await self._outbox.flush()
            return "end_turn"
        if left:
            self.note(left)
        if isinstance(command, commands.Shell):
            self._shells.add(command.id)
        elif isinstance(command, commands.Ask | commands.Steer):
            self._teller.expect(command.text)
        turn: asyncio.Future[StopReason] = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        self._cancelled, self._put_off = False, None
        try:
            await self._submit(command)
            if self.state.task is None and not self._shells:
                self._end("end_turn")
            # What was put off, and is not answered by this, is asked again.
            self._due = self._due or not isinstance(command, _DECIDES)
            self._ask()
            reason = await turn
        finally:
            self._turns.remove(turn)
        await self._outbox.flush()
        return reason

    def _meant(self, text: str) -> commands.AnyCommand:
        """What words are: the answer to what waits, or a task."""
        if self.state.question is not None:
            return commands.Answer(self.state.question.call_id, text)
        if self.state.approval is not None:
            return commands.Approve(self.state.approval.call_id, allowed=False, reason=text)
        return commands.Steer(text) if self.state.waiting else commands.Ask(text)

    async def cancel(self) -> None:
        """Stop what runs. What waits for the human goes on waiting: nothing runs, and their next words answer it."""
        waits = asking.waits_for(self.state)
        self._cancelled = True
        if waits is not None and waits[0] in {"proposal", "question"} and self._is_asking:
            self._stop_asking()
            self._put_off = waits
            self.note("It still waits: your next message answers it. /stop ends the task.")
            self._end("cancelled")
            return
        self._stop_asking()
        await self._submit(commands.Interrupt())
        if self.state.task is None:
            self._end("cancelled")

    async def choose(self, command: commands.AnyCommand) -> None:
        """Carry out what was chosen in the editor's menus."""
        await self._submit(command)

    async def _submit(self, command: commands.AnyCommand) -> None:
        """Hand in a command and wait until it is taken up, or the session is over."""
        if self._work is None or self._work.done():
            raise failure(PairloopError("The session is not open any more."))
        self.session.submit(command)
        obeyed = asyncio.ensure_future(self.session.obeyed())
        await asyncio.wait({obeyed, self._work}, return_when=asyncio.FIRST_COMPLETED)
        obeyed.cancel()

    # -- what happens

    def _listen(self, entry: ev.Entry, state: State) -> None:
        self._teller.hear(entry, state, live=True)
        self._drop_question(state)
        match entry.event:
            case ev.TaskFinished():
                self._stop_asking()
                self._finished(entry.event)
            case ev.ShellFinished(name) if name in self._shells:
                self._shells.discard(name)
                if state.task is None and not self._shells:
                    self._end("cancelled" if self._cancelled else "end_turn")
            case ev.ModeChanged() | ev.PartnerChosen() | ev.SettingsTold():
                self._opened.set()
                for update in settings.told(state, self.partners):
                    self._outbox.put(update)
            case _ if isinstance(entry.event, _ASKS) or (
                # What could not be done with a decision is said so, and the decision is still to be made.
                isinstance(entry.event, ev.Noted) and state.waiting
            ):
                self._due = True
                self._ask()
            case _:
                pass

    def _finished(self, event: ev.TaskFinished) -> None:
        if event.outcome == "interrupted" and self._cancelled:
            self._end("cancelled")
        elif event.kind == "refused":
            self.note(event.text)
            self._end("refusal")
        elif event.kind and event.kind != "budget":
            self._fail(RequestError(AUTH if event.kind == "auth" else -32603, event.text, {"kind": event.kind}))
        else:
            self._end("end_turn")

    def _end(self, reason: StopReason) -> None:
        for turn in self._turns:
            if not turn.done():
                turn.set_result(reason)

    def _fail(self, error: RequestError) -> None:
        if not any(not turn.done() for turn in self._turns):
            self.note(str(error))
        for turn in self._turns:
            if not turn.done():
                turn.set_exception(error)

    # -- what is asked

    @property
    def _is_asking(self) -> bool:
        return self._asked is not None and not self._asked.done()

    def _ask(self) -> None:
        if self._due and self._may_ask and not self._is_asking:
            self._asked = asyncio.create_task(self._ask_on())

    def _drop_question(self, state: State) -> None:
        """Ask no longer what was answered elsewhere: editors leave such a question without an answer."""
        waits = asking.waits_for(state)
        if self._about is not None and self._is_asking and waits != self._about:
            self._stop_asking()
            self._due = waits is not None
            self._ask()

    def _stop_asking(self) -> None:
        self._due = False
        self._about = None
        # The answer to what is not asked any more is dropped.
        if self._asked is not None and self._asked is not asyncio.current_task():
            self._asked.cancel()
            self._asked = None

    async def _ask_on(self) -> None:
        """Ask what there is to ask, until nothing new is."""
        while self._due:
            self._due = False
            asked = asking.question(self.state, self._teller)
            if asked is None or asked.about == self._put_off:
                continue
            self._about = asked.about
            chosen = await self._answer(asked)
            self._about = None
            if asking.waits_for(self.state) != asked.about:
                # It was answered elsewhere, or is no more; what waits now has said so itself.
                continue
            if chosen in {"", asking.WORDS}:
                self._put_off = asked.about
                if chosen:
                    self.note("It waits for your next message.")
                self._end("cancelled" if self._cancelled else "end_turn")
                continue
            command = asking.command(asked, chosen, self.state)
            if command is None:
                self.note("It is another proposal by now, so it is asked again.")
                self._due = True
                continue
            self._due = False
            self.session.submit(command)

    async def _answer(self, asked: asking.Question) -> str:
        """What the human chose; empty where they did not."""
        await self._outbox.flush()
        call = ToolCallUpdate(
            tool_call_id=asked.tool, title=asked.title, content=list(asked.shown), status="pending", kind=asked.kind
        )
        try:
            answer = await self._client.request_permission(
                session_id=self.session.id, tool_call=call, options=list(asked.options)
            )
        except (RequestError, ConnectionError, ValidationError) as error:
            log.warning("the editor did not ask: %s", error)
            return ""
        outcome = answer.outcome
        if not isinstance(outcome, AllowedOutcome):
            return ""
        known = any(option.option_id == outcome.option_id for option in asked.options)
        return outcome.option_id if known else ""


def _note(text: str) -> AgentMessageChunk:
    return update_agent_message_text(aside(text))
