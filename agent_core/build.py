"""Putting an engine together for one project: configuration, project, partner, journal, session."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

from agent_core import config as configuration
from agent_core.checks.choosing import Choosing
from agent_core.checks.chosen import default_checks
from agent_core.errors import JournalError
from agent_core.journal import SessionSummary, SqliteJournal, new_session
from agent_core.landings import recover
from agent_core.partners.build import build_partner, warm
from agent_core.session import Outfit, Session
from agent_core.workspace.git import project_root
from agent_core.workspace.landing import Lander
from agent_core.workspace.project import open_project
from agent_core.workspace.watcher import Watcher


class Engine:
    """Opens sessions on one project.

    Args:
        project: The project's folder; None for the repository (or else the folder) that this process stands in.
        flags: Settings from the command line, as nested tables.
        environ: The environment.
        finished: Offer the last session also when nothing in it is left open.
        watch: Look at the working tree whenever something is saved, not only before each step.
    """

    def __init__(
        self,
        project: Path | None,
        flags: Mapping[str, Any],
        environ: Mapping[str, str],
        *,
        finished: bool = False,
        watch: bool = True,
    ) -> None:
        self.root = project_root(project)
        self._flags = flags
        self._environ = environ
        self._finished = finished
        self._watch = watch
        self._held: IO[bytes] | None = None

    @property
    def state(self) -> Path:
        """Where the project's journal, lock and caches live."""
        return configuration.project_state(self.root)

    def config(self) -> configuration.Config:
        """The configuration in force.

        Raises:
            ConfigError: It cannot be used.
        """
        return configuration.load(self.root, self._flags, self._environ)

    async def previous(self) -> SessionSummary | None:
        """The last session, if something in it was left open (or any was wanted) and no other pairloop has it."""
        return await asyncio.to_thread(self._previous)

    async def open(self, resume: str | None) -> Session:
        """Open a session.

        Args:
            resume: Id of the session to go on with; None for a new one.

        Raises:
            PairloopError: The configuration, the project, the partner or the journal cannot be used.
        """
        config = self.config()
        journal = await asyncio.to_thread(SqliteJournal, self._journal_file)
        lander = Lander(self.root, journal, self.state / "landing.lock")
        recovered = await recover(journal, lander)
        workspace = await open_project(self.root, config, self._environ)
        session = resume or new_session()
        self._hold(session)
        # Nothing that a session keeps may keep this: the session is held as long as this is there.
        environ, settings = self._environ, partial(configuration.load, self.root, self._flags, self._environ)
        choosing = Choosing(
            lambda read: default_checks(workspace.interpreter, settings().checks, read, environ), workspace.read
        )
        outfit = Outfit(
            config=config,
            workspace=workspace,
            model=build_partner(config.partner, self._environ),
            checks=choosing.choose(),
            choosing=choosing,
            journal=journal,
            lander=lander,
            watcher=partial(_watcher, self.root, self.state) if self._watch else None,
            warm=warm if not config.partner.script else None,
            recovered=recovered,
        )
        return Session(session, outfit, resume=resume is not None)

    @property
    def _journal_file(self) -> Path:
        return self.state / "journal.db"

    def _previous(self) -> SessionSummary | None:
        if not self._journal_file.exists():
            return None
        journal = SqliteJournal(self._journal_file)
        try:
            sessions = journal.sessions()
        finally:
            journal.close()
        if not sessions or (sessions[0].finished and not self._finished) or self._in_use(sessions[0].id):
            return None
        return sessions[0]

    def _lock_file(self, session: str) -> Path:
        return self.state / "sessions" / f"{session}.lock"

    def _hold(self, session: str) -> None:
        """Make this process the only one that writes to a session; ends with the process."""
        file = self._lock_file(session)
        file.parent.mkdir(parents=True, exist_ok=True)
        self._held = file.open("ab")
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise JournalError(
                f"Session {session} is open in another pairloop.", "Close that one, or start a new session."
            ) from error

    def _in_use(self, session: str) -> bool:
        file = self._lock_file(session)
        if not file.exists():
            return False
        with file.open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
        return False


def _watcher(root: Path, state: Path, note: Callable[[str], None]) -> Watcher:
    return Watcher(root, state, note)
