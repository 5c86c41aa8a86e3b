"""Putting an engine together for one project: configuration, project, partner, journal, session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

import msgspec

from agent_core import config as configuration
from agent_core import config_tables, places
from agent_core.checks.choosing import Choosing
from agent_core.checks.chosen import default_checks
from agent_core.extras import Extras
from agent_core.journal import SessionSummary, SqliteJournal, new_session
from agent_core.keys.finding import KeyFinder
from agent_core.landings import recover
from agent_core.last_seen import LastSeen
from agent_core.masking import Masker
from agent_core.memory.lesson_book import LessonBook
from agent_core.outfit import Outfit, Unsaved
from agent_core.partners.abilities import AbilityBook
from agent_core.partners.beginning import begin
from agent_core.partners.several import Partners
from agent_core.permission_book import PermissionBook
from agent_core.session import Session
from agent_core.session_lock import hold, in_use
from agent_core.shelf import Shelf
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
        unsaved: Says what stands unsaved in the human's editor; None where that is not known.
    """

    def __init__(
        self,
        project: Path | None,
        flags: Mapping[str, Any],
        environ: Mapping[str, str],
        *,
        finished: bool = False,
        watch: bool = True,
        unsaved: Unsaved | None = None,
    ) -> None:
        self.root = project_root(project)
        self._flags = flags
        self._environ = environ
        self._finished = finished
        self._watch = watch
        self._unsaved = unsaved
        self._held: IO[bytes] | None = None

    @property
    def state(self) -> Path:
        """Where the project's journal, lock and caches live."""
        return places.project_state(self.root)

    def config(self) -> config_tables.Config:
        """The configuration in force.

        Raises:
            ConfigError: It cannot be used.
        """
        return configuration.load(self.root, self._flags, self._environ)

    def shelf(self) -> Shelf:
        """The sessions of the project.

        Raises:
            ConfigError: The configuration, which says what is secret, cannot be used.
        """
        return Shelf(self.state, Masker(self._environ, self.config().partner.key_env))

    def lessons(self) -> LessonBook:
        """What is remembered of the project over its sessions.

        Raises:
            ConfigError: The configuration cannot be used.
        """
        config = self.config()
        return LessonBook(self.root, self.state, config.memory.file, Masker(self._environ, config.partner.key_env))

    def partners(self) -> Partners:
        """The partners there are to choose from; a keyring may be asked for their keys.

        Raises:
            ConfigError: The configuration cannot be used.
        """
        return Partners(self.config(), self._environ, KeyFinder(self._environ), AbilityBook())

    def permissions(self) -> PermissionBook:
        """The rules that are kept for the project."""
        return PermissionBook(self.state)

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
        # Let go of the one before first: it may be the same.
        self._held = None
        self._held = hold(self.state, session)
        # Nothing that a session keeps may keep this: the session is held as long as this is there.
        environ, settings = self._environ, partial(configuration.load, self.root, self._flags, self._environ)
        choosing = Choosing(
            lambda read: default_checks(workspace.interpreter, settings().checks, read, environ), workspace.read
        )
        mask = Masker(self._environ, config.partner.key_env)
        partners = self.partners()
        given = self._flags.get("partner", {}).keys() & {"use", "model", "script"}
        beginning = await begin(partners, given=bool(given))
        config = msgspec.structs.replace(config, partner=beginning.model.settings)
        extras = await asyncio.to_thread(Extras, self.root, config.mcp, self._environ)
        outfit = Outfit(
            config=config,
            workspace=workspace,
            model=beginning.model,
            partners=beginning,
            checks=choosing.choose(),
            choosing=choosing,
            journal=journal,
            lander=lander,
            watcher=partial(_watcher, self.root, self.state) if self._watch else None,
            warm=beginning.model.prepare,
            recovered=recovered,
            isolated=workspace.isolated,
            permissions=self.permissions(),
            seen=LastSeen(self.state, session),
            unsaved=self._unsaved,
            mask=mask,
            sources=extras.sources,
            extras=extras,
            lessons=LessonBook(self.root, self.state, config.memory.file, mask) if config.memory.lessons else None,
            desk=partners.desk,
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
        if not sessions or (sessions[0].finished and not self._finished) or in_use(self.state, sessions[0].id):
            return None
        return sessions[0]


def _watcher(root: Path, state: Path, note: Callable[[str], None]) -> Watcher:
    return Watcher(root, state, note)
