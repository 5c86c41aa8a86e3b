"""Files that count, or no longer count, because git's rules are others now: nobody wrote or removed them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from agent_core.events import AnyEvent, HumanEdited
from agent_core.workspace.sighting import sight

_MARGIN_NS = 2_000_000_000
"""By so much the clock of a file system may be behind ours."""


class Recounted:
    """Tells files to which other rules apply now from files that were written or removed.

    Args:
        root: The project's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._all_seen = time.time_ns()
        self._left: dict[str, str] = {}
        self._old: set[tuple[str, str | None]] = set()

    def sift(self, edits: Iterable[HumanEdited]) -> list[HumanEdited]:
        """Edits without those that are none: of files that are where they were, and do not count any more, or again.

        Args:
            edits: What differs between two looks.
        """
        found = []
        for edit in edits:
            if edit.after is None and edit.before is not None and self._hash(edit.path) == edit.before:
                self._left[edit.path] = edit.before
                continue
            left = self._left.pop(edit.path, None)
            if edit.before is None and left is not None and left == edit.after:
                continue
            if edit.before is None and self._was_there(edit.path):
                self._old.add((edit.path, edit.after))
            found.append(edit)
        return found

    def seen_all(self, began: int) -> None:
        """A look at everything is over.

        Args:
            began: When it began, by `time.time_ns`.
        """
        self._all_seen = began

    def disowned(self, events: Sequence[AnyEvent]) -> list[AnyEvent]:
        """Events in which no human is said to have just written what had been there before."""
        old, self._old = self._old, set()
        return [
            msgspec.structs.replace(event, by="unknown")
            if isinstance(event, HumanEdited) and event.by == "human" and (event.path, event.after) in old
            else event
            for event in events
        ]

    def _hash(self, path: str) -> str | None:
        """Hash of what is there now, as a look would name it; None for nothing, and for what lies behind a link."""
        if any((self._root / folder).is_symlink() for folder in PurePosixPath(path).parents):
            return None
        found = sight(str(self._root / path), None)
        return found.hash if found is not None else None

    def _was_there(self, path: str) -> bool:
        """Whether a file that is new to us was what it is before the last look at everything."""
        try:
            touched = (self._root / path).lstat().st_ctime_ns
        except OSError:
            return False
        return touched + _MARGIN_NS < self._all_seen
