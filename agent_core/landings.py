"""Landing what was accepted, taking it back and landing it again, with the journal knowing before the first byte.

`LandingService` works on the project's journal and knows no session: what landed yesterday, or by the command line,
is taken back like what landed just now. `Landings` is how a session uses it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Protocol

from agent_core.errors import LandingConflictError, LandingUnknownError
from agent_core.events import (
    AnyEvent,
    FileLanding,
    Landed,
    LandingAbandoned,
    LandingConflicted,
    LandingStarted,
    LandingTurned,
    Noted,
)
from agent_core.holding import keep_off
from agent_core.journal import SqliteJournal
from agent_core.landing_log import LandingLog, LandingRecord
from agent_core.parts import Emit
from agent_core.patch.model import Patch
from agent_core.state import ProposalState, State
from agent_core.uninterrupted import to_the_end
from agent_core.workspace.edits import EditTracker
from agent_core.workspace.landing import Lander

Append = Callable[[str, AnyEvent], object]
Look = Callable[[Collection[str]], Awaitable[object]]


class Expecting(Protocol):
    """Is told what is about to be written, so that it is not taken for a human's edit."""

    def expect(self, files: Sequence[FileLanding]) -> None:
        """These are about to be written."""

    def forget(self, files: Sequence[FileLanding]) -> None:
        """They have not been written after all."""


class LandingService:
    """Lands, takes back and lands again, one at a time, for a whole project.

    Args:
        journal: The project's journal: intents, outcomes and contents.
        lander: Writes to the working tree.
        session: Id of the session that landings are made in from here.
        emit: Adds an event to that session.
        expecting: Is told what is about to be written; None when nobody listens.
        look: Has saves of these paths told that nobody has heard of yet.
    """

    def __init__(
        self,
        journal: SqliteJournal,
        lander: Lander,
        session: str,
        emit: Emit,
        expecting: Expecting | None = None,
        *,
        look: Look | None = None,
    ) -> None:
        self._journal = journal
        self._lander = lander
        self._session = session
        self._emit = emit
        self._expecting = expecting
        self._look = look

    async def land(self, patch: Patch, *, proposal: int = 0, title: str = "") -> LandingStarted:
        """Merge a patch into the working tree.

        Args:
            patch: The patch; its contents are in the journal.
            proposal: Number of the proposal it is; 0 for none.
            title: What it is for, in a line.

        Returns:
            The landing, which is complete: its number and what was written.

        Raises:
            LandingConflictError: It collides with what is on disk, or could not be written. Nothing is written.
        """

        async def plan() -> LandingStarted:
            files = await self._lander.plan(patch)
            return LandingStarted(self._journal.next_landing(), proposal, 0, files, title=title)

        return await to_the_end(self._locked(plan))

    async def undo(self, number: int = 0, *, session: str | None = None) -> LandingStarted:
        """Take back a landing of any session: what it wrote, and nothing of what a human wrote since.

        Args:
            number: Its number; 0 for the one landed last of those that stand. The number of an undo takes that undo
                back, so its landing is landed again.
            session: With the number 0: look only at landings of that session.

        Returns:
            The undo, which is complete: `about` is the landing, `files` what was written.

        Raises:
            LandingUnknownError: There is no such landing, or it is undone already.
            LandingConflictError: Newer changes stand in the way; its conflicts name the lines. Nothing is written.
        """
        return await to_the_end(self._locked(lambda: self._turn(number, session, again=False)))

    async def redo(self, number: int = 0, *, session: str | None = None) -> LandingStarted:
        """Land again what an undo took back, whichever session it was.

        Args:
            number: Number of the landing; 0 for the one taken back last.
            session: With the number 0: look only at landings of that session.

        Returns:
            The redo, which is complete: `about` is the landing, `files` what was written.

        Raises:
            LandingUnknownError: There is no such landing, or it is not undone.
            LandingConflictError: Newer changes stand in the way; its conflicts name the lines. Nothing is written.
        """
        return await to_the_end(self._locked(lambda: self._turn(number, session, again=True)))

    def meant(self, number: int, *, again: bool, session: str | None = None) -> LandingRecord:
        """The landing that an undo (or a redo) of that number is about.

        Raises:
            LandingUnknownError: There is none, or it stands already as it should.
        """
        return LandingLog(self._journal.landings()).to_turn(number, again=again, session=session)[0]

    async def _turn(self, number: int, session: str | None, *, again: bool) -> LandingStarted:
        records = LandingLog(self._journal.landings())
        record, again = records.to_turn(number, again=again, session=session)
        last = records.last_link(record)
        name = f"Landing {record.number} ({record.title})" if record.title else f"Landing {record.number}"
        files = await self._lander.plan_undo(last.files, again=again, name=name)
        return LandingStarted(
            self._journal.next_landing(),
            0,
            last.number,
            files,
            about=record.number,
            again=again,
            title=record.title,
        )

    async def _locked(self, plan: Callable[[], Awaitable[LandingStarted]]) -> LandingStarted:
        async with self._lander.locked():
            # What somebody who died left half done is brought to an end before anything is built on it.
            for text in await mend(self._journal, self._lander, self._append):
                self._emit(Noted("warning", text))
            await asyncio.to_thread(keep_off, self._lander.root)
            landing = await plan()
            self._keep_off(landing.files)
            if self._look is not None:
                # What was saved a moment ago is told first, or it would pass for a part of what is landed over it.
                await self._look([file.path for file in landing.files])
            await self._write(landing)
            return landing

    def _keep_off(self, files: Sequence[FileLanding]) -> None:
        """Nothing is written over what a landing cut short could not be mended in."""
        paths = {file.path for file in files}
        for _, started in self._journal.unfinished_landings():
            stuck = [file.path for file in started.files if file.path in paths]
            if stuck:
                raise LandingConflictError(
                    f"Landing {started.landing} was cut short and is not mended yet, and it has to do with the same "
                    f"files; nothing was written.",
                    tuple(f"{path}: waits for landing {started.landing} to be mended" for path in stuck),
                    "Make sure these files can be written and the disk has room, then try again.",
                )

    async def _write(self, landing: LandingStarted) -> None:
        self._emit(landing, durable=True)
        if self._expecting is not None:
            self._expecting.expect(landing.files)
        try:
            await asyncio.to_thread(self._lander.write, landing.files)
        except LandingConflictError as error:
            if self._expecting is not None:
                self._expecting.forget(landing.files)
            if not error.unsettled:
                self._emit(LandingAbandoned(landing.landing, error.message), durable=True)
            raise
        self._emit(Landed(landing.landing), durable=True)

    def _append(self, session: str, event: AnyEvent) -> None:
        if session == self._session:
            self._emit(event, durable=True)
        else:
            self._journal.append(session, event, durable=True)


class Landings:
    """Lands, takes back and lands again for one session; what comes of it is in its events.

    Args:
        session: The session's id.
        journal: Where intents and contents are kept.
        lander: Writes to the working tree.
        tracker: Is told what is about to be written, so that it is not taken for a human's edit.
        emit: Adds an event to the session.
        state: Gives the session's state.
        look: Has saves of these paths told that nobody has heard of yet.
    """

    def __init__(
        self,
        session: str,
        journal: SqliteJournal,
        lander: Lander,
        tracker: EditTracker,
        emit: Emit,
        *,
        state: Callable[[], State],
        look: Look | None = None,
    ) -> None:
        self._session = session
        self._journal = journal
        self._emit = emit
        self._state = state
        self._service = LandingService(journal, lander, session, emit, tracker, look=look)
        self._changes = -1

    async def land(self, proposal: ProposalState, part: Patch | None = None) -> str:
        """Merge a proposal into the working tree.

        Args:
            proposal: The proposal.
            part: What of it lands, its contents in the journal; None for all.

        Returns:
            Why it is not there: it collides with what is on disk, or could not be written (an event says where).
            Empty when it is.
        """
        task = next((task.text for task in self._state().tasks if task.number == proposal.task), "")
        try:
            patch = proposal.patch if part is None else part
            await self._service.land(patch, proposal=proposal.number, title=first_line(task))
        except LandingConflictError as error:
            self._emit(LandingConflicted(proposal.number, 0, error.message, error.conflicts, error.hint))
            return error.message
        return ""

    async def undo(self, number: int) -> bool:
        """Take back a landing, of this session or of another.

        Args:
            number: Which; 0 for the last one of this session that stands.

        Returns:
            True when it is taken back; False when it can't be (an event says why).
        """
        return await self._turn(number, self._service.undo, again=False)

    async def redo(self, number: int) -> bool:
        """Land again what an undo took back, in this session or in another.

        Args:
            number: Which; 0 for the landing of this session that was taken back last.

        Returns:
            True when it stands again; False when it can't (an event says why).
        """
        return await self._turn(number, self._service.redo, again=True)

    def catch_up(self) -> None:
        """Tell the session which of its landings were taken back or landed again from another one meanwhile."""
        changes = self._journal.changes()
        if changes == self._changes:
            return
        self._changes = changes
        mine = {landing.number: landing for landing in self._state().landings}
        for record in self._journal.landings() if mine else ():
            known = mine.get(record.number)
            if known is None or (known.stands, known.by) == (record.stands, record.by):
                continue
            if record.stands in {"landed", "undone"}:
                self._emit(LandingTurned(record.number, record.stands, record.by))

    async def _turn(self, number: int, turn: Callable[[int], Awaitable[LandingStarted]], *, again: bool) -> bool:
        try:
            meant = self._service.meant(number, again=again, session=self._session).number
            try:
                await turn(number or meant)
            except LandingConflictError as error:
                self._emit(LandingConflicted(0, meant, error.message, error.conflicts, error.hint))
                return False
        except LandingUnknownError as error:
            self._emit(Noted("warning", error.message, error.hint))
            return False
        self.catch_up()
        return True


def first_line(text: str) -> str:
    """The first line of a text, as a title."""
    return text.strip().split("\n")[0].strip()


async def mend(journal: SqliteJournal, lander: Lander, append: Append) -> tuple[str, ...]:
    """Complete or abandon the landings that a dead process left half done; the project's lock is held.

    Args:
        journal: The project's journal.
        lander: Writes to the working tree.
        append: Adds an event, durably, to the session that began the landing.

    Returns:
        A sentence for each, for the human.
    """
    said = []
    for session, started in journal.unfinished_landings():
        what = f"{_kind(started)} ({', '.join(file.path for file in started.files)}) was cut short"
        try:
            outcome = await asyncio.to_thread(lander.recover, started.files)
        except LandingConflictError as error:
            # It stays unfinished, and is tried again at the next start.
            said.append(f"{what} and can't be mended yet: {error}")
            continue
        if outcome == "completed":
            append(session, Landed(started.landing))
            said.append(f"{what}; it has been completed.")
        else:
            append(session, LandingAbandoned(started.landing, "it was cut short, and has been taken back"))
            said.append(f"{what}; it has been taken back.")
    return tuple(said)


def _kind(started: LandingStarted) -> str:
    if not started.undoes:
        return f"Landing {started.landing}"
    return f"The {'redo' if started.again else 'undo'} of landing {started.about or started.undoes}"


async def recover(journal: SqliteJournal, lander: Lander) -> tuple[str, ...]:
    """Bring to an end what a dead process left half done, under the project's lock; see `mend`."""
    async with lander.locked():
        return await mend(journal, lander, lambda session, event: journal.append(session, event, durable=True))
