"""A session: commands in, events out. The only writer of the journal."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from agent_core import __version__, commands
from agent_core import events as ev
from agent_core.crew import Crew, Listener
from agent_core.custom_commands import CustomCommands
from agent_core.errors import first_cause
from agent_core.fold import fold, replay
from agent_core.obeying import Obeying
from agent_core.outfit import Outfit
from agent_core.partner_choice import PartnerChoice
from agent_core.permission_book import KnownRule
from agent_core.remembering import Remembering
from agent_core.state import State
from agent_core.surroundings import Surroundings

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
        self._crew = Crew(session, outfit, emit=self._emit, state=lambda: self._state)
        self._listeners.extend(self._crew.listeners)

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
        return self._crew.tracker.paths

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
        return self._crew.remembering

    @property
    def partners(self) -> PartnerChoice:
        """The partners there are to choose from."""
        return self._crew.choice

    @property
    def surroundings(self) -> Surroundings:
        """What it stands in: the repository, and whether saves are heard."""
        return self._crew.surroundings

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
        crew = self._crew
        try:
            async with asyncio.TaskGroup() as group:
                crew.begin(group)
                await self._open()
                helpers = crew.work(group)
                obeying = Obeying(crew, self._outfit, group)
                crew.tasks.take_up()
                while not isinstance(command := await self._commands.get(), commands.Quit):
                    await obeying.obey(command)
                    self._commands.task_done()
                await crew.finish()
                for helper in helpers:
                    helper.cancel()
                await crew.meanwhile.keep()
        except BaseExceptionGroup as errors:
            raise first_cause(errors) from errors
        finally:
            async with contextlib.AsyncExitStack() as stack:
                for source in self._outfit.sources:
                    stack.push_async_callback(source.close)
                stack.push_async_callback(self._outfit.workspace.close)
                stack.push_async_callback(self._outfit.model.close)
                stack.push_async_callback(self._crew.judge.close)

    # -- opening

    async def _open(self) -> None:
        outfit = self._outfit
        root = str(outfit.workspace.root)
        if self._resumed:
            self._emit(ev.SessionResumed(__version__))
        else:
            outfit.journal.create(self._id)
            self._emit(ev.SessionStarted(self._id, root, __version__))
        await self._crew.choice.begin()
        mode = self._state.mode if self._resumed else outfit.config.loop.mode
        interpreter = outfit.workspace.interpreter
        self._emit(
            ev.SettingsTold(
                outfit.model.info, mode, outfit.workspace.isolation, f"{interpreter.python} ({interpreter.found})"
            )
        )
        self._crew.choice.tell_found()
        for text in outfit.recovered:
            self._emit(ev.Noted("warning", text))
        if outfit.workspace.note:
            self._emit(ev.Noted("warning", outfit.workspace.note))
        self._crew.landings.catch_up()
        await self._crew.tracker.start()
        await self._crew.meanwhile.begin(resumed=self._resumed)
        await self._crew.hearing.say_what_is_not_heard(outfit.workspace.root)

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
