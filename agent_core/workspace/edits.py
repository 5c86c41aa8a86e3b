"""Hearing the human: what changed in the working tree that pairloop did not write itself."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from agent_core.events import FileLanding, HumanEdited
from agent_core.patch.encoding import readable
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
        self._earlier: dict[str, bytes] = {}
        self._kept = 0
        self._ours: dict[str, FileLanding] = {}
        self._lock = asyncio.Lock()

    @property
    def seen(self) -> Snapshot:
        """The tree as it was at the last look; there is one once `start` is done."""
        assert self._seen is not None, "start was awaited"
        return self._seen

    @property
    def paths(self) -> tuple[str, ...]:
        """The files there were at the last look; none before there was one."""
        return () if self._seen is None else tuple(self._seen.files)

    def sides(self, path: str) -> tuple[bytes | None, bytes | None]:
        """What a file held before the last look that saw it changed among others, and what it held then.

        Args:
            path: One of the files that the last such look told of.

        Returns:
            Either is None where there was no file, or its text is not kept.
        """
        return self._earlier.get(path), self._texts.get(path)

    async def start(self) -> Snapshot:
        """Take the tree as it is now for the starting point."""
        async with self._lock:
            now = await self._workspace.snapshot()
            self._keep(await asyncio.to_thread(self._read, sorted(now.files), _MOST_TOTAL))
            self._seen = now
            return now

    def expect(self, files: Iterable[FileLanding]) -> None:
        """Contents that pairloop is about to write: finding them is no human edit."""
        self._ours.update((file.path, file) for file in files)

    def forget(self, files: Iterable[FileLanding]) -> None:
        """What was expected has not been written, or has been taken back: from now on it would be a human edit."""
        for file in files:
            if self._ours.pop(file.path, None) is None and _hash(self._seen, file.path) == file.after:
                # It was looked at while it stood there.
                self._ours[file.path] = msgspec.structs.replace(file, before=file.after, after=file.before)

    async def look(self) -> tuple[Snapshot, tuple[HumanEdited, ...]]:
        """Look again.

        A look that is cancelled has not taken place: what the human did is reported by the next one.

        Returns:
            The tree as it is now, and what the human did since the last look, ordered by path.
        """
        async with self._lock:
            before = self._seen
            now = await self._workspace.snapshot()
            if before is None or before.tree == now.tree:
                self._seen = now
                return now, ()
            changed = sorted(
                path for path in before.files.keys() | now.files.keys() if before.files.get(path) != now.files.get(path)
            )
            expected = {path: self._ours[path] for path in changed if path in self._ours}
            theirs = [path for path in changed if path not in expected or expected[path].after != _hash(now, path)]
            room = _MOST_TOTAL - self._kept + sum(len(self._texts.get(path, b"")) for path in changed)
            texts = await asyncio.to_thread(self._read, changed, room)
            edits = await asyncio.to_thread(self._edits, before, now, theirs, texts)
            # Nothing is awaited from here on, so all of it is remembered or nothing.
            for path, file in expected.items():
                # As it was before: it is still to be written.
                if self._ours.get(path) is file and _hash(now, path) != file.before:
                    del self._ours[path]
            self._earlier = {path: self._texts[path] for path in changed if path in self._texts}
            self._keep(texts)
            self._seen = now
            return now, edits

    def _edits(
        self, before: Snapshot, now: Snapshot, paths: Iterable[str], texts: Mapping[str, bytes | None]
    ) -> tuple[HumanEdited, ...]:
        edits = []
        for path in paths:
            old, new = _hash(before, path), _hash(now, path)
            kind: Literal["added", "changed", "deleted"] = (
                "added" if old is None else "deleted" if new is None else "changed"
            )
            old_text = self._texts.get(path) if old else b""
            if old_text is not None and old is not None and content_hash(old_text) != old:
                old_text = None
            diff = _diff(path, old_text, texts[path] if new else b"")
            edits.append(HumanEdited(path, kind, diff, old, new))
        return tuple(edits)

    def _read(self, paths: Iterable[str], room: int) -> dict[str, bytes | None]:
        """The contents of files; None for those that are gone, or too large for the room there is."""
        texts: dict[str, bytes | None] = {}
        for path in paths:
            texts[path] = None
            with contextlib.suppress(OSError, ValueError):
                # Asked first: a huge file is not even read.
                size = (self._workspace.root / path).lstat().st_size
                if size <= min(_MOST_BYTES, room):
                    data = texts[path] = self._workspace.read(path)
                    room -= len(data or b"")
        return texts

    def _keep(self, texts: Mapping[str, bytes | None]) -> None:
        for path, data in texts.items():
            self._kept -= len(self._texts.pop(path, b""))
            if data is not None:
                self._texts[path] = data
                self._kept += len(data)


def edit_between(path: str, old: bytes | None, new: bytes | None) -> HumanEdited:
    """A human edit by the file's content before and after; None where there is no file."""
    kind: Literal["added", "changed", "deleted"] = "added" if old is None else "deleted" if new is None else "changed"
    before, after = (None if data is None else content_hash(data) for data in (old, new))
    return HumanEdited(path, kind, _diff(path, old or b"", new or b""), before, after)


def _hash(tree: Snapshot | None, path: str) -> str | None:
    state = tree.files.get(path) if tree is not None else None
    return state.hash if state else None


def _diff(path: str, old: bytes | None, new: bytes | None) -> str:
    """A compact unified diff; empty when a side is binary or not known."""
    texts = [None if side is None else readable(side) for side in (old, new)]
    if texts[0] is None or texts[1] is None:
        return ""
    lines = difflib.unified_diff(
        texts[0].splitlines(),
        texts[1].splitlines(),
        f"a/{path}",
        f"b/{path}",
        n=1,
        lineterm="",
    )
    return cap_text("\n".join(lines), _DIFF_TOKENS)
