"""Landing what was accepted and taking it back, with the journal knowing before the first byte is written."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from agent_core.errors import LandingConflictError
from agent_core.events import AnyEvent, FileLanding, Landed, LandingAbandoned, LandingConflicted, LandingStarted, Noted
from agent_core.journal import SqliteJournal
from agent_core.parts import Emit
from agent_core.state import LandingState, ProposalState, State
from agent_core.workspace.edits import EditTracker
from agent_core.workspace.landing import Lander

log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


async def _to_the_end(work: Awaitable[_Result]) -> _Result:
    """Carry out work that must not be cut in two; a cancellation takes effect after it."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            # Once is not the last time: who interrupts may quit next.
            cancelled = True
    if cancelled:
        # Its error is looked at and left: who is to stop must not go on because of it.
        if not task.cancelled() and (error := task.exception()):
            log.warning("cut off: %s", error)
        raise asyncio.CancelledError
    return task.result()


class Landings:
    """Lands and takes back, one at a time, for one session.

    Args:
        journal: Where intents and contents are kept.
        lander: Writes to the working tree.
        tracker: Is told what is about to be written, so that it is not taken for a human's edit.
        emit: Adds an event to the session.
        state: Gives the session's state.
    """

    def __init__(
        self,
        journal: SqliteJournal,
        lander: Lander,
        tracker: EditTracker,
        emit: Emit,
        state: Callable[[], State],
    ) -> None:
        self._journal = journal
        self._lander = lander
        self._tracker = tracker
        self._emit = emit
        self._state = state

    async def land(self, proposal: ProposalState) -> str:
        """Merge a proposal into the working tree.

        Returns:
            Why it is not there: it collides with what is on disk, or could not be written (an event says where).
            Empty when it is.
        """
        try:
            await _to_the_end(self._land(proposal))
        except LandingConflictError as error:
            self._emit(LandingConflicted(proposal.number, 0, error.message, error.conflicts))
            return error.message
        return ""

    async def undo(self, number: int) -> bool:
        """Take back a landing.

        Args:
            number: Which; 0 for the last one that stands.

        Returns:
            True when it is taken back; False when it can't be (an event says why).
        """
        landing = self._find(number)
        if landing is None:
            text = f"Landing {number} is not there to be undone." if number else "There is no landing to undo."
            self._emit(Noted("warning", text))
            return False
        try:
            await _to_the_end(self._undo(landing))
        except LandingConflictError as error:
            self._emit(LandingConflicted(0, landing.number, error.message, error.conflicts))
            return False
        return True

    def _find(self, number: int) -> LandingState | None:
        state = self._state()
        if not number:
            return state.undoable
        for landing in state.landings:
            if landing.number == number and landing.stands == "landed" and not landing.undoes:
                return landing
        return None

    async def _land(self, proposal: ProposalState) -> None:
        async with self._lander.locked():
            await self._write(await self._lander.plan(proposal.patch), proposal=proposal.number, undoes=0)

    async def _undo(self, landing: LandingState) -> None:
        async with self._lander.locked():
            await self._write(await self._lander.plan_undo(landing.files), proposal=0, undoes=landing.number)

    async def _write(self, files: tuple[FileLanding, ...], *, proposal: int, undoes: int) -> None:
        number = self._journal.next_landing()
        self._emit(LandingStarted(number, proposal, undoes, files), durable=True)
        self._tracker.expect(files)
        try:
            await asyncio.to_thread(self._lander.write, files)
        except LandingConflictError as error:
            self._tracker.forget(files)
            self._emit(LandingAbandoned(number, error.message), durable=True)
            raise
        self._emit(Landed(number), durable=True)


async def recover(journal: SqliteJournal, lander: Lander) -> tuple[str, ...]:
    """Complete or abandon the landings that a dead process left half done.

    Args:
        journal: The project's journal; the outcome goes into the session that began the landing.
        lander: Writes to the working tree.

    Returns:
        A sentence for each, for the human.
    """
    said = []
    async with lander.locked():
        for session, started in journal.unfinished_landings():
            names = ", ".join(file.path for file in started.files)
            try:
                outcome = await asyncio.to_thread(lander.recover, started.files)
            except LandingConflictError as error:
                # It stays unfinished, and is tried again at the next start.
                said.append(f"Landing {started.landing} ({names}) was cut short and can't be mended yet: {error}")
                continue
            event: AnyEvent
            if outcome == "completed":
                event = Landed(started.landing)
                said.append(f"Landing {started.landing} ({names}) was cut short; it has been completed.")
            else:
                event = LandingAbandoned(started.landing, "it was cut short, and has been taken back")
                said.append(f"Landing {started.landing} ({names}) was cut short; it has been taken back.")
            journal.append(session, event, durable=True)
    return tuple(said)
