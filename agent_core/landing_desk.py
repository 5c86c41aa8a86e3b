"""The landings of a project for a command that has no session: landed, taken back, listed.

What such a command lands goes into a session of its own in the project's journal. It holds no task, so it is never
offered to be resumed.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from agent_core import __version__
from agent_core.errors import JournalError, LandingConflictError
from agent_core.events import AnyEvent, SessionStarted
from agent_core.journal import SqliteJournal, new_session
from agent_core.landings import LandingService, recover
from agent_core.places import make_private, project_state
from agent_core.workspace.landing import Lander

_JOURNAL = "journal.db"


class LandingDesk:
    """The landings of one project; opened by `open_desk`.

    Attributes:
        journal: The project's journal.
        lander: Writes to the working tree.
        service: Lands and takes back, in a session that begins with the first event.
        recovered: What was found and done about landings that were cut short, for the human.
        trouble: Why that could not be done; None when it could.
    """

    def __init__(self, root: Path, journal: SqliteJournal, lander: Lander) -> None:
        self.journal = journal
        self.lander = lander
        self.recovered: tuple[str, ...] = ()
        self.trouble: LandingConflictError | None = None
        self._root = root
        self._session = new_session()
        self._begun = False
        self.service = LandingService(journal, lander, self._session, self.emit)

    def emit(self, event: AnyEvent, *, durable: bool = False) -> None:
        """Add an event to the session of this desk, which begins with the first one."""
        if not self._begun:
            self.journal.create(self._session)
            self.journal.append(self._session, SessionStarted(self._session, str(self._root), __version__))
            self._begun = True
        self.journal.append(self._session, event, durable=durable)

    async def recover(self) -> None:
        """Bring to an end what was cut short; see `recovered` and `trouble`."""
        if not self.journal.unfinished_landings():
            return
        try:
            self.recovered = await recover(self.journal, self.lander)
        except LandingConflictError as error:
            self.trouble = error


def has_journal(root: Path) -> bool:
    """Whether anything was ever written down about a project."""
    return (project_state(root) / _JOURNAL).exists()


@contextlib.asynccontextmanager
async def open_desk(root: Path) -> AsyncIterator[LandingDesk]:
    """The landings of a project, with what was cut short brought to an end first.

    Args:
        root: The project's folder.

    Raises:
        JournalError: The journal cannot be used.
    """
    state = project_state(root)
    try:
        make_private(state)
    except OSError as error:
        hint = "Set PAIRLOOP_STATE_DIR to a folder you can write to."
        raise JournalError(f"{state}: cannot be made: {error.strerror or error}.", hint) from error
    journal = SqliteJournal(state / _JOURNAL)
    try:
        desk = LandingDesk(root, journal, Lander(root, journal, state / "landing.lock"))
        await desk.recover()
        yield desk
    finally:
        journal.close()
