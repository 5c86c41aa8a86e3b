"""Hearing the human: what changed in the working tree that pairloop did not write itself."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Iterable
from typing import Literal

from agent_core.events import FileLanding, HumanEdited
from agent_core.protocols import Workspace
from agent_core.text import cap_text
from agent_core.workspace.tree import Snapshot, content_hash

_MOST_BYTES = 256 * 1024
_MOST_TOTAL = 64 * 1024 * 1024
_DIFF_TOKENS = 600


class EditTracker:
    """Compares the working tree with what it was when last looked at.

    Earlier texts are kept in memory (files up to 256 KiB, 64 MiB in all) so that an edit can be shown as a diff; an
    edit of a file beyond that is reported without one.

    Args:
        workspace: The project.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._seen: Snapshot | None = None
        self._texts: dict[str, bytes] = {}
        self._kept = 0
        self._ours: set[tuple[str, str | None]] = set()
        self._lock = asyncio.Lock()

    @property
    def seen(self) -> Snapshot:
        """The tree as it was at the last look; there is one once `start` is done."""
        assert self._seen is not None, "start was awaited"
        return self._seen

    async def start(self) -> Snapshot:
        """Take the tree as it is now for the starting point."""
        async with self._lock:
            self._seen = await self._workspace.snapshot()
            await asyncio.to_thread(self._remember, list(self._seen.files))
            return self._seen

    def expect(self, files: Iterable[FileLanding]) -> None:
        """Contents that pairloop is about to write: finding them is no human edit."""
        self._ours.update((file.path, file.after) for file in files)

    async def look(self) -> tuple[Snapshot, tuple[HumanEdited, ...]]:
        """Look again.

        Returns:
            The tree as it is now, and what the human did since the last look, ordered by path.
        """
        async with self._lock:
            before = self._seen
            now = await self._workspace.snapshot()
            self._seen = now
            if before is None or before.tree == now.tree:
                return now, ()
            changed = sorted(
                path for path in before.files.keys() | now.files.keys() if before.files.get(path) != now.files.get(path)
            )
            return now, await asyncio.to_thread(self._edits, before, now, changed)

    def _edits(self, before: Snapshot, now: Snapshot, changed: list[str]) -> tuple[HumanEdited, ...]:
        edits = []
        for path in changed:
            old, new = before.files.get(path), now.files.get(path)
            old_hash, new_hash = (old.hash if old else None), (new.hash if new else None)
            old_text = self._texts.get(path)
            self._remember([path])
            if (path, new_hash) in self._ours:
                self._ours.discard((path, new_hash))
                continue
            known = old is None or (old_text is not None and content_hash(old_text) == old_hash)
            diff = _diff(
                path, old_text if old else b"", self._texts.get(path, b"" if new is None else None), known=known
            )
            kind: Literal["added", "changed", "deleted"] = (
                "added" if old is None else "deleted" if new is None else "changed"
            )
            edits.append(HumanEdited(path, kind, diff, old_hash, new_hash))
        return tuple(edits)

    def _remember(self, paths: Iterable[str]) -> None:
        for path in paths:
            self._kept -= len(self._texts.pop(path, b""))
            data = self._workspace.read(path)
            if data is not None and len(data) <= _MOST_BYTES and self._kept + len(data) <= _MOST_TOTAL:
                self._texts[path] = data
                self._kept += len(data)


def _diff(path: str, old: bytes | None, new: bytes | None, *, known: bool) -> str:
    """A compact unified diff; empty when a side is binary or not known."""
    if old is None or new is None or not known or b"\0" in old[:8192] or b"\0" in new[:8192]:
        return ""
    lines = difflib.unified_diff(
        old.decode("utf-8", "replace").splitlines(),
        new.decode("utf-8", "replace").splitlines(),
        f"a/{path}",
        f"b/{path}",
        n=1,
        lineterm="",
    )
    return cap_text("\n".join(lines), _DIFF_TOKENS)
