"""Hearing the human's saves, in any editor, and telling the session of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from agent_core import events as ev
from agent_core.errors import JournalError, PairloopError
from agent_core.parts import Emit
from agent_core.surroundings import Heard
from agent_core.workspace.edits import EditTracker
from agent_core.workspace.tree import Snapshot
from agent_core.workspace.watcher import Watcher

_MOST_EDITS = 40
_MOST_NAMED = 8
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
    """Looks what the human changed: when a watcher says so, and whenever it is asked.

    Args:
        tracker: Knows what was there before.
        emit: Adds an event to the session.
        looked: Called after each look.
        edited: Called with what the human themselves edited, before `looked`.
    """

    def __init__(self, tracker: EditTracker, emit: Emit, looked: Looked, edited: Edited | None = None) -> None:
        self._tracker = tracker
        self._emit = emit
        self._looked = looked
        self._edited = edited
        self._watcher: Watcher | None = None
        self._without: Heard = ""

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
            self._watcher, self._without = None, "lost"
            self._note(f"Your saves are heard only before each step from now on: {type(error).__name__}: {error}.")

    async def look(self, touched: Collection[str] = ()) -> Snapshot:
        """Tell what changed since the last look; gives the working tree as it is now.

        Args:
            touched: Look at these paths only; none for everything.
        """
        now, edits = await self._tracker.look(touched)
        for edit in edits[:_MOST_EDITS]:
            self._emit(edit)
        if len(edits) > _MOST_EDITS:
            rest = edits[_MOST_EDITS:]
            self._emit(ev.Noted("info", f"{len(rest)} more files changed at the same time.", _names(rest)))
        if self._edited is not None and (own := [edit for edit in edits if edit.by == "human"]):
            self._edited(own, now)
        self._looked(changed=bool(edits))
        return now

    def _note(self, text: str) -> None:
        self._emit(ev.Noted("warning", text))


def _names(edits: tuple[ev.HumanEdited, ...]) -> str:
    names = [edit.path for edit in edits[:_MOST_NAMED]]
    return ", ".join(names) + (" and more" if len(edits) > len(names) else "")
