"""Hearing the human's saves, in any editor, and telling the session of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from pathlib import Path
from typing import Protocol

from agent_core import events as ev
from agent_core.attribution import Attribution
from agent_core.errors import JournalError, PairloopError
from agent_core.parts import Emit
from agent_core.surroundings import Heard
from agent_core.workspace.edits import EditTracker
from agent_core.workspace.git import submodules
from agent_core.workspace.recounted import Recounted
from agent_core.workspace.tree import Snapshot
from agent_core.workspace.watcher import Watcher

_MOST_LOOKS = 5
log = logging.getLogger(__name__)


class Looked(Protocol):
    """Is told of each look."""

    def __call__(self, *, changed: bool) -> None:
        """It is over; `changed` says whether there was anything new."""


class Edited(Protocol):
    """Is told of the human's own edits, and of nobody else's."""

    def __call__(self, edits: Sequence[ev.HumanEdited], now: Snapshot) -> None:
        """These have just been heard, and are in the journal; `now` is the working tree with them."""


class Hearing:
    """Looks what others changed: when a watcher says so, and whenever it is asked.

    Args:
        tracker: Knows what was there before.
        attribution: Knows whose the changes are.
        emit: Adds an event to the session.
        looked: Called after each look.
        edited: Called with what the human themselves edited, before `looked`.
        stirred: Called when git has done anything, be it only to itself.
    """

    def __init__(
        self,
        tracker: EditTracker,
        attribution: Attribution,
        emit: Emit,
        *,
        looked: Looked,
        edited: Edited | None = None,
        stirred: Callable[[], None] = lambda: None,
    ) -> None:
        self._tracker = tracker
        self._attribution = attribution
        self._emit = emit
        self._looked = looked
        self._edited = edited
        self._stirred = stirred
        self._watcher: Watcher | None = None
        self._without: Heard = ""
        self._watched = True
        self._recounted = Recounted(tracker.root)
        self._found: list[ev.HumanEdited] = []  # what has been found and not been told yet
        self._lock = asyncio.Lock()

    @property
    def heard(self) -> Heard:
        """How saves are heard now."""
        if self._watcher is None:
            return self._without
        if not self._watcher.watching.is_set():
            return ""
        return "polled" if self._watcher.polling else "watched"

    async def watch(self, watcher: Callable[[Callable[[str], None]], Watcher] | None) -> None:
        """Look after every save, until cancelled.

        Args:
            watcher: Makes the watcher, given where its notes go; None to hear of saves only before each step.
        """
        self._watched = watcher is not None
        if watcher is None:
            return
        self._watcher = watcher(self._note)
        try:
            async for touched in self._watcher.batches():
                try:
                    await self.look(touched)
                except JournalError:
                    raise
                except PairloopError as error:
                    self._emit(ev.Noted("warning", error.message, error.hint))
        except JournalError:
            raise
        except Exception as error:
            log.exception("the watcher failed")
            self._watcher, self._without, self._watched = None, "lost", False
            self._note(f"Your saves are heard only before each step from now on: {type(error).__name__}: {error}.")

    async def look(self, touched: Collection[str] = ()) -> Snapshot:
        """Tell what changed since the last look, and whose it is; gives the working tree as it is now.

        While git is at work it waits, so that what git does is one event, however many steps it takes. A look that is
        cancelled has told nothing; what it found is told by the next one.

        Args:
            touched: Look at these paths only; none for everything.
        """
        moves = self._attribution.moves
        async with self._lock:
            moved = await moves.rest()
            now = await self._take_in(() if moves.has_moved else touched)
            for _ in range(_MOST_LOOKS):
                if not await moves.rest():
                    break
                # What was seen may be half of what git was doing.
                now = await self._take_in()
            stirred = moved or moves.has_moved
            events = await self._tell()
            if stirred:
                self._stirred()
            own = [event for event in events if isinstance(event, ev.HumanEdited) and event.by == "human"]
            if self._edited is not None and own:
                self._edited(own, now)
            self._looked(changed=bool(events))
            return now

    async def say_what_is_not_heard(self, root: Path) -> None:
        """Say what of a project is left out, as it is another one.

        Args:
            root: The project's folder.
        """
        if left_out := await asyncio.to_thread(submodules, root):
            text = "What changes in submodules is not heard: they are repositories of their own."
            self._emit(ev.Noted("info", text, ", ".join(left_out)))

    async def catch_up(self, found: Sequence[ev.HumanEdited]) -> None:
        """Tell what changed while nobody looked at all.

        Args:
            found: The changes, nobody's yet.
        """
        async with self._lock:
            for event in await self._attribution.events(self._recounted.sift(found), watched=False):
                self._emit(event)

    @contextlib.asynccontextmanager
    async def at_rest(self) -> AsyncIterator[None]:
        """No look is under way inside: everything that was found has been told, also by a look that was cancelled."""
        async with self._lock:
            if self._found:
                await self._attribution.moves.rest()
                await self._tell()
            yield

    async def _tell(self) -> Sequence[ev.AnyEvent]:
        """Tell what has been found, and whose it is."""
        events = self._recounted.disowned(await self._attribution.events(self._found, watched=self._watched))
        # Nothing is awaited from here on, so all of it is told or nothing.
        self._found = []
        for event in events:
            self._emit(event)
        return events

    async def _take_in(self, touched: Collection[str] = ()) -> Snapshot:
        began = time.time_ns()
        now, edits = await self._tracker.look(touched)
        self._found += self._recounted.sift(edits)
        if not touched:
            self._recounted.seen_all(began)
        return now

    def _note(self, text: str) -> None:
        self._emit(ev.Noted("warning", text))
