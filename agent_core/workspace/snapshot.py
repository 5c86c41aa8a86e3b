"""Snapshots: the files of a project by content, quickly, because what has not been touched is not read again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import threading
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from agent_core.errors import SandboxError
from agent_core.text import encodable
from agent_core.workspace.ignore import Kind, Lister
from agent_core.workspace.sighting import Sighting, sight, unfinished
from agent_core.workspace.tree import FileState, Snapshot, differing, snapshot_of, with_states

_SAVE_AFTER = 200
_MOST_NAMES = 500
"""A look at more names than these is a look at everything."""
_SETTLING = 0.015
_MOST_SETTLING = 0.5
"""Seconds for which files that look unfinished are looked at again: between two looks, and in all."""

EditKind = Literal["added", "changed", "deleted"]


class Edit(msgspec.Struct, frozen=True):
    """One difference between two snapshots.

    Attributes:
        path: Relative path.
        kind: What happened to it.
        before: Content hash before, None when it was new.
        after: Content hash afterwards, None when it is gone.
    """

    path: str
    kind: EditKind
    before: str | None
    after: str | None


def edits(before: Snapshot, after: Snapshot) -> tuple[Edit, ...]:
    """What changed from one snapshot to another, by content and mode, ordered by path."""
    found: list[Edit] = []
    for path in differing(before, after):
        old, new = before.files.get(path), after.files.get(path)
        kind: EditKind = "added" if old is None else "deleted" if new is None else "changed"
        found.append(Edit(path, kind, old.hash if old else None, new.hash if new else None))
    return tuple(found)


class _StoppedError(Exception):
    """Nobody waits any more for the snapshot that is being taken."""


class _Look:
    """What one look finds, kept apart until it is complete.

    Args:
        reported: Names that somebody says were touched; None where all files are looked at.
    """

    def __init__(self, reported: Collection[str] | None) -> None:
        self.reported = reported
        self.seen: dict[str, Sighting | None] = {}  # what is otherwise than before; None for what is gone
        self.folders: dict[str, bool] = {"": True}
        self.unsettled: list[str] = []
        self.touched = 0


class _Known(msgspec.Struct, frozen=True):
    """What is known once a look is complete.

    Attributes:
        snapshot: The files as a tree.
        recent: See `Scanner.recent`.
        folders: The folders the files lie in, and whether they are some.
    """

    snapshot: Snapshot
    recent: frozenset[str] = frozenset()
    folders: Mapping[str, bool] = {}


class Scanner:
    """Takes snapshots of a project.

    Args:
        root: The project's folder.
        state: The project's state folder, where hashes are remembered between runs.
    """

    def __init__(self, root: Path, state: Path) -> None:
        self._prefix = f"{str(root).rstrip('/')}/"
        self._store = state / "hashes.msgpack"
        self._lister = Lister(root, state)
        self._known: _Known | None = None
        self._seen: dict[str, Sighting] = {}
        self._unsaved = 0
        self._touched = 0
        self._busy = asyncio.Lock()
        self._note = ""
        self._kind: Kind = "folder"

    @property
    def lister(self) -> Lister:
        """Lists the names of files."""
        return self._lister

    @property
    def note(self) -> str:
        """What the human should know of how the last scan listed the files; empty when nothing."""
        return self._note

    @property
    def kind(self) -> Kind:
        """What the last scan took the project for."""
        return self._kind

    @property
    def touched(self) -> int:
        """How many times a file was found touched, also where its content was what it had been when it was looked at.

        Who works on the files for a while compares it before and after: a file saved and put back meanwhile counts.
        """
        return self._touched

    @property
    def recent(self) -> Collection[str]:
        """Files touched so shortly before they were read that they may have changed within the same second."""
        return self._known.recent if self._known is not None else ()

    def modified_at(self, path: str, digest: str) -> int | None:
        """Modification time (whole seconds) of a file at the last look, None when it did not have that content."""
        seen = self._seen.get(path)
        return seen.mtime // 1_000_000_000 if seen is not None and seen.hash == digest else None

    async def scan(self) -> Snapshot:
        """The files that are not ignored, by content, now.

        Raises:
            SandboxError: The files cannot be listed.
        """
        async with self._busy:
            return await self._scan()

    async def glance(self, names: Collection[str]) -> Snapshot:
        """The last snapshot, with some names looked at anew.

        Args:
            names: Relative paths that were touched, of files or folders, whether they count or not.

        Raises:
            SandboxError: git cannot say which of them count.
        """
        async with self._busy:
            if self._known is None or len(names) > _MOST_NAMES:
                return await self._scan()
            wanted = {name for name in names if name in self._seen}
            others = [name for name in names if name not in wanted and not name.startswith(".git/")]
            if others:
                try:
                    wanted |= self._below(others)
                    wanted |= {*await self._lister.counting(self._kind, others)}
                except SandboxError:
                    return await self._scan()
            return await self._looked(sorted(wanted), wanted)

    # -- looking

    async def _scan(self) -> Snapshot:
        try:
            listing = await self._lister.files()
        except (OSError, SandboxError):
            # What git says of a folder that has just gone is nothing about git.
            self._must_be_there()
            raise
        self._note, self._kind = listing.note, listing.kind
        if self._known is None:
            self._seen = await asyncio.to_thread(self._load)
        return await self._looked(listing.paths, None)

    async def _looked(self, paths: Iterable[str], reported: Collection[str] | None) -> Snapshot:
        """Look at files, again at those that seem unfinished, and remember what was found.

        Args:
            paths: All files that count, or some.
            reported: Those that somebody says were touched, where it is a look at some; None for a look at all.
        """
        look, stop = _Look(reported), threading.Event()
        try:
            known = await asyncio.to_thread(self._take_stock, look, paths, stop)
            left = round(_MOST_SETTLING / _SETTLING)
            while known is None:
                await asyncio.sleep(_SETTLING)
                left -= 1
                known = await asyncio.to_thread(self._look_again, look, stop, believe=not left)
        finally:
            # A thread cannot be cancelled; left to read on, it would keep the whole program from ending.
            stop.set()
        # Nothing is awaited from here on, so all of it is remembered or nothing.
        for path, now in look.seen.items():
            if now is None:
                self._seen.pop(path, None)
            else:
                self._seen[path] = now
        if self._known is not None:
            # Of what was there before the first look nobody knows anything.
            self._touched += look.touched
        self._known = known
        self._unsaved += len(look.seen)
        if self._unsaved >= _SAVE_AFTER:
            self._unsaved = 0
            await asyncio.to_thread(self._save)
        return known.snapshot

    def _take_stock(self, look: _Look, paths: Iterable[str], stop: threading.Event) -> _Known | None:
        """Look at files; what is known then, None while some seem unfinished."""
        self._look(look, paths, stop)
        return None if look.unsettled else self._sum(look)

    def _look(self, look: _Look, paths: Iterable[str], stop: threading.Event) -> None:
        old, prefix, folders = self._seen, self._prefix, look.folders
        gone = set(old) if look.reported is None else set()
        folder, real, lstat = "", True, os.lstat
        for path in paths:
            if stop.is_set():
                raise _StoppedError
            gone.discard(path)
            # git lists tracked files also where a folder on the way has become a link to somewhere else.
            if (above := path.rpartition("/")[0]) != folder:
                folder, real = above, self._is_real(above, folders)
            last = old.get(path)
            if real and last is not None:
                # By far the most are as they were.
                try:
                    if last.still(lstat(prefix + path)):
                        continue
                except OSError:
                    pass
            self._take(look, path, sight(prefix + path, last) if real else None)
        for path in gone:
            # Of a folder that cannot be listed nobody knows what is in it.
            hidden = not os.access(f"{prefix}{path.rpartition('/')[0]}", os.R_OK) and self._is_real(
                path.rpartition("/")[0], folders
            )
            now = sight(prefix + path, old[path]) if hidden else None
            self._take(look, path, now, settled=now is None and _is_as_it_was(prefix + path, old[path]))

    def _take(self, look: _Look, path: str, now: Sighting | None, *, settled: bool = False) -> None:
        """Put what a file is now into a look; it is not looked at again where that is settled."""
        last = self._seen.get(path)
        if now is None and last is None:
            return
        told = look.reported is not None and path in look.reported and last is not None and last.doubtful
        if now is None or last is None or told or not now.same_outside(last):
            look.touched += 1
        look.seen[path] = now
        if not settled and unfinished(self._prefix + path, last, now):
            look.unsettled.append(path)

    def _look_again(self, look: _Look, stop: threading.Event, *, believe: bool) -> _Known | None:
        """Look again at what seemed unfinished; what is known then, None if it still does and is not to be believed."""
        still: list[str] = []
        for path in look.unsettled:
            if stop.is_set():
                raise _StoppedError
            last = self._seen.get(path)
            real = self._is_real(path.rpartition("/")[0], {"": True})
            now = sight(self._prefix + path, last) if real else None
            look.seen[path] = now
            if unfinished(self._prefix + path, last, now):
                still.append(path)
        look.unsettled = still
        return None if still and not believe else self._sum(look)

    def _must_be_there(self) -> None:
        if not os.path.isdir(self._prefix):  # noqa: PTH112 - as everywhere here, no Path is made
            folder = self._prefix.rstrip("/")
            raise SandboxError(
                f"The project's folder {folder} is gone.", "Move it back, or start pairloop where it is now."
            )

    def _sum(self, look: _Look) -> _Known:
        """What is known after a look.

        Raises:
            SandboxError: The project's folder is gone: that its files are says nothing about them.
        """
        self._must_be_there()
        before = self._known
        recent = set(before.recent if before is not None else ())
        states: dict[str, FileState | None] = {}
        for path, now in look.seen.items():
            last = self._seen.get(path)
            recent.discard(path)
            if now is not None and now.racy:
                recent.add(path)
            state = None if now is None else now.state
            if state != (None if last is None else last.state):
                states[path] = state
        if before is None:
            seen = {**self._seen, **look.seen}
            whole = snapshot_of({path: one.state for path, one in seen.items() if one is not None})
            return _Known(whole, frozenset(recent), look.folders)
        snapshot = with_states(before.snapshot, states) if states else before.snapshot
        folders = look.folders if look.reported is None else {**before.folders, **look.folders}
        return _Known(snapshot, frozenset(recent), folders)

    def _is_real(self, folder: str, known: dict[str, bool]) -> bool:
        """Whether a folder is one, and no link on the way to it."""
        if folder in known:
            return known[folder]
        parent = folder.rpartition("/")[0]
        try:
            known[folder] = self._is_real(parent, known) and stat.S_ISDIR(os.lstat(self._prefix + folder).st_mode)
        except PermissionError:
            # What is in a folder that cannot be entered is there for all we know.
            known[folder] = True
        except OSError:
            known[folder] = False
        return known[folder]

    def _below(self, names: Collection[str]) -> set[str]:
        """The files known so far that lie below some names."""
        folders = self._known.folders if self._known is not None else {}
        heads = tuple(f"{name}/" for name in names if name in folders)
        return {path for path in self._seen if path.startswith(heads)} if heads else set()

    # -- between runs

    def _load(self) -> dict[str, Sighting]:
        try:
            return msgspec.msgpack.decode(self._store.read_bytes(), type=dict[str, Sighting])
        except (OSError, ValueError):
            # A memory that is missing or damaged costs time only.
            return {}

    def _save(self) -> None:
        keep = {path: seen for path, seen in self._seen.items() if encodable(path)}
        temporary = self._store.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(OSError):
            temporary.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(msgspec.msgpack.encode(keep))
            temporary.replace(self._store)


def _is_as_it_was(path: str, last: Sighting) -> bool:
    """Whether a file that is not listed any more has been there all along: other rules say which files count."""
    try:
        return last.matches(os.lstat(path))
    except OSError:
        return False
