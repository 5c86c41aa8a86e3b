"""A session: commands in, events out. The only writer of the journal."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Sequence

from agent_core import __version__, commands
from agent_core import events as ev
from agent_core.attribution import Attribution
from agent_core.beside import Beside
from agent_core.budget import Budget
from agent_core.comments.listening import Comments, Words
from agent_core.committing import Committing
from agent_core.conversation import UserItem
from agent_core.custom_commands import CustomCommands
from agent_core.decisions import Decision, Inbox, Word
from agent_core.errors import LOGGED, ConfigError, JournalError, LandingConflictError, PairloopError, first_cause
from agent_core.fold import fold, replay
from agent_core.hearing import Hearing
from agent_core.hooks import Hooks
from agent_core.judge import Judge
from agent_core.landings import Landings
from agent_core.loop import Loop
from agent_core.meanwhile import Meanwhile
from agent_core.memory.notes import Notes
from agent_core.outfit import Outfit
from agent_core.partner_choice import PartnerChoice
from agent_core.parts import Parts, nobody
from agent_core.permission_book import KnownRule
from agent_core.process import wait_for
from agent_core.remembering import Remembering
from agent_core.repairing import Repairing
from agent_core.shell import Shells
from agent_core.state import State
from agent_core.surroundings import Surroundings
from agent_core.tasks import Tasks
from agent_core.workspace.edits import EditTracker
from agent_core.workspace.tree import Snapshot

_PARTNER_SECONDS = 3.0
Listener = Callable[[ev.Entry, State], None]
log = logging.getLogger(__name__)


class Session:
    """One conversation about one project.

    Args:
        session: Its id.
        outfit: What it works with.
        resume: Go on with the session of that id, from its journal.
    """

    def __init__(self, session: str, outfit: Outfit, *, resume: bool) -> None:
        self._id = session
        self._outfit = outfit
        self._listeners: list[Listener] = []
        self._commands: asyncio.Queue[commands.AnyCommand] = asyncio.Queue()
        self._state = replay(outfit.journal.entries(session)) if resume else State()
        self._resumed = resume
        self._inbox = Inbox(self._emit)
        self._asked = asyncio.Event()
        self._tracker = EditTracker(outfit.workspace, outfit.mask)
        self._surroundings = Surroundings(outfit.workspace.root, lambda: self._hearing.heard)
        self._attribution = Attribution(
            session, outfit.workspace, outfit.journal, outfit.mask, isolated=outfit.isolated
        )
        self._listeners.append(self._attribution.listen)
        self._hearing = Hearing(
            self._tracker,
            self._attribution,
            self._emit,
            looked=self._looked,
            edited=self._edited,
            stirred=self._surroundings.look,
        )
        self._landings = Landings(
            session,
            outfit.journal,
            outfit.lander,
            self._tracker,
            self._emit,
            state=lambda: self._state,
            look=self._look_before_writing,
        )
        self._meanwhile = Meanwhile(
            outfit.seen, self._tracker, self._attribution, self._hearing, lambda: outfit.journal.entries(session)
        )
        self._listeners.append(self._meanwhile.listen)
        self._listeners.append(self._surroundings.listen)
        self._budget = Budget(outfit.config.budget, self._emit, lambda: self._state)
        parts = self._parts = Parts(
            session=session,
            config=outfit.config,
            workspace=outfit.workspace,
            model=outfit.model,
            journal=outfit.journal,
            emit=self._emit,
            state=lambda: self._state,
            look=self._hearing.look,
            recall=self._recall,
            followed=outfit.watcher is not None,
            mask=outfit.mask,
            sources=outfit.sources,
            other=outfit.partners.model.aside if outfit.partners is not None else nobody,
            permissions=outfit.permissions,
            gate=self._budget.gate,
            partner_known=self._partner_known,
        )
        self._choice = PartnerChoice(parts, outfit.partners)
        self._comments = Comments(parts, self._tracker.text, outfit.mask, self._inbox.news)
        self._listeners.append(self._comments.listen)
        self._shells = Shells(parts)
        self._hooks = Hooks(parts)
        self._listeners.append(self._hooks.listen)
        self._committing = Committing(parts, outfit.lander)
        self._listeners.append(self._committing.listen)
        self._notes = Notes(parts)
        self._remembering = Remembering(parts, outfit.lessons)
        self._listeners.append(self._remembering.listen)
        # Where nobody looks on, nobody has anything of an early word.
        followed = outfit.watcher is not None
        self._beside = Beside(parts, lambda: self._judge)
        self._listeners.append(self._beside.listen)
        self._judge = Judge(outfit.workspace, outfit.checks, self._emit, early=followed, alone=self._beside.alone)
        self._loop = Loop(parts, self._judge, self._landings, self._inbox, self._beside.outcome)
        self._tasks = Tasks(parts, self._loop, self._inbox)
        self._repairing = Repairing(parts, self._judge, lambda: self._loop.draft, lambda: self._tracker.seen)
        self._listeners.append(self._repairing.listen)
        if outfit.desk is not None:
            outfit.desk.open(self._repairing)

    @property
    def id(self) -> str:
        """The session's id."""
        return self._id

    @property
    def state(self) -> State:
        """What is true now."""
        return self._state

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have every event from now on handed to a listener, on the event loop.

        Returns:
            Ends the subscription.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @property
    def paths(self) -> Sequence[str]:
        """The project's files as they were last seen, without those that are ignored."""
        return self._tracker.paths

    @property
    def custom(self) -> CustomCommands:
        """Commands of the human's or the project's own."""
        extras = self._outfit.extras
        return extras.commands if extras is not None else CustomCommands(self._outfit.workspace.root)

    def rules(self) -> tuple[KnownRule, ...]:
        """The rules on what the partner may do; reads a file.

        Raises:
            PermissionsError: They cannot be read.
        """
        book = self._outfit.permissions
        return book.known(self._outfit.config.permissions) if book is not None else ()

    @property
    def lessons(self) -> Remembering:
        """What is remembered of earlier sessions of the project."""
        return self._remembering

    @property
    def partners(self) -> PartnerChoice:
        """The partners there are to choose from."""
        return self._choice

    @property
    def surroundings(self) -> Surroundings:
        """What it stands in: the repository, and whether saves are heard."""
        return self._surroundings

    def submit(self, command: commands.AnyCommand) -> None:
        """Want something. Never blocks; what comes of it is in the events."""
        self._commands.put_nowait(command)

    def content(self, digest: str) -> bytes:
        """Content by hash, as patches and landings name it.

        Raises:
            JournalError: There is none of that name.
        """
        return self._outfit.journal.get(digest)

    async def obeyed(self) -> None:
        """Wait until all that was handed in has been taken up; what takes longer may go on."""
        await self._commands.join()

    async def run(self) -> None:
        """Carry out commands until `Quit`; what then waits for the human still waits when the session is resumed.

        Raises:
            PairloopError: The session cannot be opened, or the journal cannot be written any more.
        """
        try:
            async with asyncio.TaskGroup() as group:
                self._committing.begin(group)
                self._choice.work_in(group)
                self._tasks.begin(group)
                self._beside.begin(group)
                await self._open()
                self._judge.warm(self._tracker.seen)
                helpers = [
                    group.create_task(self._hearing.watch(self._outfit.watcher)),
                    group.create_task(self._meanwhile.run()),
                    group.create_task(self._warm()),
                    group.create_task(self._comments.run(self._tasks.ask)),
                    group.create_task(self._remembering.run()),
                    group.create_task(self._hooks.run()),
                    group.create_task(self._tracker.read_ahead()),
                    group.create_task(self._read_names()),
                    *(group.create_task(source.begin(self._warn)) for source in self._outfit.sources),
                ]
                self._tasks.take_up()
                while not isinstance(command := await self._commands.get(), commands.Quit):
                    await self._obey(command, group)
                    self._commands.task_done()
                await self._beside.close()
                await self._tasks.stop()
                await self._shells.stop()
                await self._choice.stop()
                await self._committing.finish()
                await self._loop.close()
                await self._remembering.settled()
                await self._hooks.finish()
                for helper in helpers:
                    helper.cancel()
                await self._meanwhile.keep()
        except BaseExceptionGroup as errors:
            raise first_cause(errors) from errors
        finally:
            async with contextlib.AsyncExitStack() as stack:
                for source in self._outfit.sources:
                    stack.push_async_callback(source.close)
                stack.push_async_callback(self._outfit.workspace.close)
                stack.push_async_callback(self._outfit.model.close)
                stack.push_async_callback(self._judge.close)

    # -- opening

    async def _open(self) -> None:
        outfit = self._outfit
        root = str(outfit.workspace.root)
        if self._resumed:
            self._emit(ev.SessionResumed(__version__))
        else:
            outfit.journal.create(self._id)
            self._emit(ev.SessionStarted(self._id, root, __version__))
        await self._choice.begin()
        mode = self._state.mode if self._resumed else outfit.config.loop.mode
        interpreter = outfit.workspace.interpreter
        self._emit(
            ev.SettingsTold(
                outfit.model.info, mode, outfit.workspace.isolation, f"{interpreter.python} ({interpreter.found})"
            )
        )
        self._choice.tell_found()
        for text in outfit.recovered:
            self._emit(ev.Noted("warning", text))
        if outfit.workspace.note:
            self._emit(ev.Noted("warning", outfit.workspace.note))
        self._landings.catch_up()
        await self._tracker.start()
        await self._meanwhile.begin(resumed=self._resumed)
        await self._hearing.say_what_is_not_heard(outfit.workspace.root)

    # -- commands

    async def _obey(self, command: commands.AnyCommand, group: asyncio.TaskGroup) -> None:
        """Carry out a command; one that fails is told to the human, and the session goes on."""
        try:
            await self._carry_out(command, group)
        except JournalError:
            raise
        except PairloopError as error:
            self._emit(ev.Noted("error", error.message, error.hint))
        except Exception as error:
            log.exception("%s failed", type(command).__name__)
            self._emit(ev.Noted("error", f"This could not be done: {type(error).__name__}: {error}.", LOGGED))

    async def _carry_out(  # noqa: C901, PLR0912, PLR0915 - one arm a command reads best as one match
        self, command: commands.AnyCommand, group: asyncio.TaskGroup
    ) -> None:
        match command:
            case commands.Ask(text):
                self._tasks.ask(Words(text))
            case commands.Steer(text):
                self._tasks.steer(text)
                await self._repairing.heed(text)
            case commands.Accept(number):
                self._tasks.decide(Decision(number, "accept"))
            case commands.Reject(number, reason):
                self._tasks.decide(Decision(number, "reject", reason))
            case commands.Fix(number):
                self._tasks.decide(Decision(number, "fix"))
            case commands.Land(number, reason):
                self._tasks.decide(Decision(number, "land", reason))
            case commands.Take() | commands.Comment() | commands.Unmark() | commands.Rewrite() | commands.Settle():
                self._tasks.decide(command)
            case commands.Withdraw(index, text):
                self._tasks.withdraw(index, text)
            case commands.Shell(name, line):
                self._shells.start(name, line, group)
            case commands.Approve(call_id, allowed, always, reason):
                self._tasks.approve(call_id, Word(allowed, always, reason))
            case commands.Answer(call_id, text):
                self._tasks.answer(call_id, text)
            case commands.EndTool(call_id):
                self._tasks.end_tool(call_id)
            case commands.ForgetRule(rule):
                self._forget_rule(rule)
            case commands.RaiseBudget(times):
                self._budget.answer(times)
            case commands.SetMode(mode):
                self._emit(ev.ModeChanged(mode))
                self._inbox.edited()
            case commands.Interrupt():
                await self._interrupt()
            case commands.UsePartner():
                self._choice.obey(command)
            case commands.RetryNow():
                self._tasks.retry_now()
            case commands.TakeRepair(number):
                await self._tasks.take_repair(number)
            case commands.EndSearch():
                if not self._repairing.hurry():
                    self._emit(ev.Noted("info", "No repair is looked for now."))
            case commands.SwitchRepairs(on):
                self._emit(ev.RepairsSwitched(not self._beside.on if on is None else on))
            case commands.Undo(landing):
                await self._landings.undo(landing)
                self._inbox.edited()
            case commands.Redo(landing):
                await self._landings.redo(landing)
                self._inbox.edited()
            case commands.Memorize():
                self._notes.obey(command)
            case commands.Compact() | commands.Uncompact():
                self._loop.compactor.obey(command, group)
            case commands.Teach() | commands.KeepLesson() | commands.DropLesson():
                await self._remembering.obey(command)
            case commands.DraftCommit() | commands.Commit():
                self._committing.obey(command)
            case commands.Tell(of):
                if self._outfit.extras is not None:
                    self._emit(await self._outfit.extras.told(of))
            case commands.Quit():
                pass

    def _forget_rule(self, rule: str) -> None:
        book = self._outfit.permissions
        if book is not None and book.forget(rule):
            self._emit(ev.Noted("info", f"Asked again from now on: {rule}"))
        else:
            self._emit(ev.Noted("warning", f"There is no rule “{rule}” that was kept for this project."))

    async def _interrupt(self) -> None:
        await self._shells.stop()
        await self._committing.stop()
        await self._loop.compactor.stop()
        await self._tasks.interrupt()

    async def _look_before_writing(self, paths: Collection[str]) -> None:
        """Hear of the human's saves; nothing is written over what they have in an editor and did not save yet.

        Raises:
            LandingConflictError: There is something.
        """
        await self._hearing.look(paths)
        unsaved = await self._outfit.unsaved(paths) if self._outfit.unsaved is not None else ()
        if unsaved:
            raise LandingConflictError(
                f"{', '.join(unsaved)} {'has' if len(unsaved) == 1 else 'have'} changes in your editor that are not "
                "saved, so nothing was written.",
                tuple(f"{path}: not saved" for path in unsaved),
                "Save or discard them, then decide again.",
            )

    async def _recall(self) -> tuple[UserItem, ...]:
        extras = self._outfit.extras
        skills = await extras.skills.news(self._state.items) if extras is not None else ()
        return (*skills, *await self._remembering.recall())

    def _warn(self, text: str) -> None:
        self._emit(ev.Noted("warning", text))

    # -- in the background

    async def _warm(self) -> None:
        try:
            if self._outfit.warm is not None:
                await self._outfit.warm()
        except Exception:
            # The first request will meet the same, and tell it.
            log.exception("the partner's library could not be got ready")
        else:
            self._parts.tell_partner()
        finally:
            self._asked.set()

    async def _partner_known(self) -> None:
        """Wait a little for what the partner's server says of itself: what it is offered stays for the session.

        Also where a model of that name is known to read more: its server may have less room for it.
        """
        await wait_for(self._asked, _PARTNER_SECONDS)

    async def _read_names(self) -> None:
        """Get ready what a map of the project is drawn from, where that takes long."""
        if self._parts.map_tokens:
            try:
                await self._parts.symbols.fill(self._tracker.seen.files)
            except OSError:
                log.exception("the names in the project could not be read")

    def _edited(self, edits: Sequence[ev.HumanEdited], now: Snapshot) -> None:
        # Where nobody looks on, one task was given, and no other is taken up.
        if self._outfit.watcher is not None:
            self._comments.heard(edits, now)

    def _looked(self, *, changed: bool) -> None:
        # What changed may be what another session of this project has taken back.
        self._landings.catch_up()
        self._choose_checks()
        if changed:
            self._inbox.edited()

    def _choose_checks(self) -> None:
        """Have other checks judge where a file has changed, by the human or a landing, that says which there are."""
        if self._outfit.choosing is None:
            return
        try:
            anew = self._outfit.choosing.anew()
        except ConfigError as error:
            self._emit(ev.Noted("warning", f"{error.message} The checks stay as they were.", error.hint))
            return
        if anew is not None:
            self._judge.renew(anew.checks)
            self._emit(ev.Noted("info", anew.text))
            self._judge.warm(self._tracker.seen)

    # -- the one place where events are made true

    def _emit(self, event: ev.AnyEvent, *, durable: bool = False) -> None:
        entry = self._outfit.journal.append(self._id, event, durable=durable)
        self._state = fold(self._state, entry.event)
        for listener in tuple(self._listeners):
            try:
                listener(entry, self._state)
            except Exception:
                # The event has happened and is in the journal; who fails to show it must not stop the work.
                log.exception("a listener failed at %s", type(event).__name__)
