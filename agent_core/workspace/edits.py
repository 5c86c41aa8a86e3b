"""Hearing the human: what changed in the working tree that pairloop did not write itself."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from agent_core.events import FileLanding, HumanEdited
from agent_core.protocols import Workspace
from agent_core.workspace.compact_diff import compact_diff
from agent_core.workspace.tree import Snapshot, content_hash, differing

_MOST_BYTES = 256 * 1024
_MOST_TOTAL = 64 * 1024 * 1024
_MOST_EARLIER = 64
_TRIES = 3
_AT_ONCE = 0.1
_AT_A_TIME = 0.01
_BETWEEN = 0.02
"""Seconds that are spent reading texts before a session begins, then in one go, and between two of those."""


class _Found(msgspec.Struct, frozen=True):
    """What one look comes to.

    Attributes:
        expected: What of it pairloop was about to write.
        texts: The contents of all that changed, where they are kept.
        edits: What others did.
        newer: Files that have been saved again since the look.
    """

    expected: Mapping[str, tuple[FileLanding, ...]]
    texts: Mapping[str, bytes | None]
    edits: tuple[HumanEdited, ...]
    newer: Sequence[str]


class EditTracker:
    """Compares the working tree with what it was when last looked at.

    Earlier texts are kept in memory (files up to 256 KiB, 64 MiB in all) so that an edit can be shown as a diff; an
    edit of a file beyond that is reported without one.

    Args:
        workspace: The project.
        mask: Takes secrets out of what is shown.
    """

    def __init__(self, workspace: Workspace, mask: Callable[[str], str] = str) -> None:
        self._workspace = workspace
        self._mask = mask
        self._unread: list[str] = []
        self._seen: Snapshot | None = None
        self._texts: dict[str, bytes] = {}
        self._earlier: dict[str, bytes] = {}
        self._kept = 0
        # By path, oldest first: a file may be landed and taken back before anybody has looked.
        self._ours: dict[str, tuple[FileLanding, ...]] = {}
        self._lock = asyncio.Lock()

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self._workspace.root

    @property
    def seen(self) -> Snapshot:
        """The tree as it was at the last look; there is one once `start` is done."""
        assert self._seen is not None, "start was awaited"
        return self._seen

    @property
    def paths(self) -> tuple[str, ...]:
        """The files there were at the last look; none before there was one."""
        return () if self._seen is None else tuple(self._seen.files)

    @property
    def expected(self) -> tuple[FileLanding, ...]:
        """What pairloop has written, or is about to, and no look has seen yet."""
        return tuple(itertools.chain.from_iterable(self._ours.values()))

    def text(self, path: str, digest: str) -> bytes | None:
        """What a file holds, or held before one of the last looks that saw it changed.

        Args:
            path: The file.
            digest: Hash of the content.

        Returns:
            None where it is not kept.
        """
        if (earlier := self._earlier.get(digest)) is not None:
            return earlier
        data = self._texts.get(path)
        return data if data is not None and content_hash(data) == digest else None

    async def start(self) -> Snapshot:
        """Take the tree as it is now for the starting point."""
        async with self._lock:
            now = await self._workspace.snapshot()
            self._unread = sorted(now.files, reverse=True)
            await self._read_on(_AT_ONCE)
            self._seen = now
            return now

    async def read_ahead(self) -> None:
        """Read the texts there was no time for at the start, a few at a time; until then their edits have no diff."""
        while self._unread:
            # Between two of them everything else has its turn.
            await asyncio.sleep(_BETWEEN)
            async with self._lock:
                await self._read_on(_AT_A_TIME)

    async def _read_on(self, seconds: float) -> None:
        known = set(self._texts)
        room = _MOST_TOTAL - self._kept
        texts = await asyncio.to_thread(self._read, self._due(known, seconds), room)
        self._keep({path: data for path, data in texts.items() if data is not None})
        if self._kept + _MOST_BYTES > _MOST_TOTAL:
            self._unread.clear()

    def _due(self, known: Collection[str], seconds: float) -> Iterator[str]:
        """Files that have not been read yet, for so long."""
        until = time.monotonic() + seconds
        while self._unread and time.monotonic() < until:
            if (path := self._unread.pop()) not in known:
                yield path

    def expect(self, files: Iterable[FileLanding]) -> None:
        """Contents that pairloop is about to write: finding them is no human edit."""
        for file in files:
            written = self._ours.get(file.path, ())
            self._ours[file.path] = (*written, file) if written and written[-1].after == file.before else (file,)

    def forget(self, files: Iterable[FileLanding]) -> None:
        """What was expected has not been written, or has been taken back: from now on it would be a human edit."""
        for file in files:
            written = self._ours.pop(file.path, ())
            if written[:-1]:
                self._ours[file.path] = written[:-1]
            elif not written and _hash(self._seen, file.path) == file.after:
                # It was looked at while it stood there.
                self._ours[file.path] = (msgspec.structs.replace(file, before=file.after, after=file.before),)

    async def look(self, paths: Collection[str] = ()) -> tuple[Snapshot, tuple[HumanEdited, ...]]:
        """Look again.

        A look that is cancelled has not taken place: what the human did is reported by the next one.

        Args:
            paths: Look at these only, which somebody says were touched; none for everything.

        Returns:
            The tree as it is now, and what the human did since the last look, ordered by path.
        """
        async with self._lock:
            before = self._seen
            now = await (self._workspace.glance(paths) if paths else self._workspace.snapshot())
            if before is None or before.tree == now.tree:
                self._seen = now
                return now, ()
            found = await asyncio.to_thread(self._compare, before, now, dict(self._ours))
            for _ in range(_TRIES):
                if not found.newer:
                    break
                # Saved again since: what is told has to fit together.
                now = await self._workspace.glance(found.newer)
                found = await asyncio.to_thread(self._compare, before, now, dict(self._ours))
            # Nothing is awaited from here on, so all of it is remembered or nothing.
            for path, written in found.expected.items():
                self._seen_of_ours(path, written, _hash(now, path))
            self._remember(before, found.texts)
            self._keep(found.texts)
            self._seen = now
            return now, found.edits

    def _seen_of_ours(self, path: str, written: Sequence[FileLanding], digest: str | None) -> None:
        """A look has seen a file; what of ours is still to be seen is what comes after that."""
        all_of_it = self._ours.get(path, ())
        if all_of_it[: len(written)] != written:
            return
        ends = [at + 1 for at, file in enumerate(all_of_it) if file.after == digest]
        # As it was before: it is still to be written.
        begins = [at for at, file in enumerate(all_of_it) if file.before == digest]
        self._ours[path] = all_of_it[max(ends or begins or [len(all_of_it)]) :]
        if not self._ours[path]:
            del self._ours[path]

    def _compare(self, before: Snapshot, now: Snapshot, ours: Mapping[str, tuple[FileLanding, ...]]) -> _Found:
        """What differs between two trees, with the texts that are there now."""
        changed = differing(before, now)
        expected = {path: ours[path] for path in changed if path in ours}
        theirs = [path for path in changed if _hash(now, path) not in [one.after for one in expected.get(path, ())]]
        room = _MOST_TOTAL - self._kept + sum(len(self._texts.get(path, b"")) for path in changed)
        texts = self._read(changed, room)
        newer = [path for path, data in texts.items() if data is not None and content_hash(data) != _hash(now, path)]
        texts |= dict.fromkeys(newer)
        return _Found(expected, texts, self._edits(before, now, theirs, texts), newer)

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
            diff = compact_diff(path, old_text, texts[path] if new else b"", self._mask)
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

    def _remember(self, tree: Snapshot, paths: Iterable[str]) -> None:
        """Keep for a while what files held in a tree, of which they are about to hold something else."""
        for path in paths:
            digest = _hash(tree, path)
            if digest is not None and path in self._texts:
                self._earlier.pop(digest, None)
                self._earlier[digest] = self._texts[path]
        while len(self._earlier) > _MOST_EARLIER:
            del self._earlier[next(iter(self._earlier))]

    def _keep(self, texts: Mapping[str, bytes | None]) -> None:
        for path, data in texts.items():
            self._kept -= len(self._texts.pop(path, b""))
            if data is not None:
                self._texts[path] = data
                self._kept += len(data)


def edit_between(path: str, old: bytes | None, new: bytes | None, mask: Callable[[str], str] = str) -> HumanEdited:
    """A human edit by the file's content before and after; None where there is no file.

    Args:
        path: The file.
        old: Its bytes before.
        new: Its bytes now.
        mask: Takes secrets out of what is shown.
    """
    kind: Literal["added", "changed", "deleted"] = "added" if old is None else "deleted" if new is None else "changed"
    before, after = (None if data is None else content_hash(data) for data in (old, new))
    return HumanEdited(path, kind, compact_diff(path, old or b"", new or b"", mask), before, after)


def _hash(tree: Snapshot | None, path: str) -> str | None:
    state = tree.files.get(path) if tree is not None else None
    return state.hash if state else None
