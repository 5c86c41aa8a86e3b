"""Snapshots: the files of a project by content, quickly, because what has not been touched is not read again."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import stat
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from agent_core.workspace.ignore import Kind, Lister
from agent_core.workspace.tree import EXECUTABLE, REGULAR, SYMLINK, FileState, Snapshot, snapshot_of

# A file touched so short a time before it was read may be touched again without its times telling.
_RACY_NS = 2_000_000_000
_BIG = 50_000_000
"""Bytes from which on a file is known by its size and time."""
_BLOCK = 1 << 20
_SAVE_AFTER = 200

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
    for path in before.files.keys() | after.files.keys():
        old, new = before.files.get(path), after.files.get(path)
        if old is None and new is not None:
            found.append(Edit(path, "added", None, new.hash))
        elif old is not None and new is None:
            found.append(Edit(path, "deleted", old.hash, None))
        elif old is not None and new is not None and old != new:
            found.append(Edit(path, "changed", old.hash, new.hash))
    return tuple(sorted(found, key=lambda edit: edit.path))


class _Seen(msgspec.Struct, frozen=True, array_like=True):
    """A file's content hash, and the outside of the file when it was read."""

    mtime: int
    ctime: int
    size: int
    inode: int
    mode: int
    read_at: int
    hash: str

    def still(self, now: os.stat_result) -> bool:
        """Whether the file cannot have changed since."""
        if max(self.mtime, self.ctime) + _RACY_NS >= self.read_at:
            return False
        return (self.mtime, self.ctime, self.size, self.inode, self.mode) == (
            now.st_mtime_ns,
            now.st_ctime_ns,
            now.st_size,
            now.st_ino,
            now.st_mode,
        )


def hash_file(path: str, info: os.stat_result) -> str:
    """Content hash of a file or link; of a huge file one that changes with its size and time.

    Args:
        path: The file.
        info: What it is, by `os.lstat`.

    Raises:
        OSError: It cannot be read.
    """
    if stat.S_ISLNK(info.st_mode):
        return hashlib.sha256(os.fsencode(Path(path).readlink())).hexdigest()
    if info.st_size <= _BIG:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - this is the hot loop
            digest = hashlib.sha256(block := file.read(_BLOCK))
            size = len(block)
            # A log that grows all the time, or a file of the kernel's that says it is empty, has no end.
            while size <= _BIG and (block := file.read(_BLOCK)):
                digest.update(block)
                size += len(block)
        if size <= _BIG:
            return digest.hexdigest()
    return "big-" + hashlib.sha256(f"{info.st_size} {info.st_mtime_ns}".encode()).hexdigest()


class _StoppedError(Exception):
    """Nobody waits any more for the snapshot that is being taken."""


class Scanner:
    """Takes snapshots of a project.

    Args:
        root: The project's folder.
        state: The project's state folder, where hashes are remembered between runs.
    """

    def __init__(self, root: Path, state: Path) -> None:
        self._root = root
        self._store = state / "hashes.msgpack"
        self._lister = Lister(root, state)
        self._seen: dict[str, _Seen] | None = None
        self._recent: tuple[str, ...] = ()
        self._unsaved = 0
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

    async def scan(self) -> Snapshot:
        """The files that are not ignored, by content, now.

        Raises:
            SandboxError: The files cannot be listed.
        """
        async with self._busy:
            listing = await self._lister.files()
            self._note, self._kind = listing.note, listing.kind
            stop = threading.Event()
            try:
                return await asyncio.to_thread(self._snapshot, listing.paths, stop)
            finally:
                # A thread cannot be cancelled; left to read on, it would keep the whole program from ending.
                stop.set()

    def modified_at(self, path: str, digest: str) -> int | None:
        """Modification time (whole seconds) of a file at the last scan, None when it did not have that content."""
        seen = (self._seen or {}).get(path)
        return seen.mtime // 1_000_000_000 if seen is not None and seen.hash == digest else None

    @property
    def recent(self) -> tuple[str, ...]:
        """Files touched so shortly before they were read that they may have changed within the same second."""
        return self._recent

    def _snapshot(self, paths: Iterable[str], stop: threading.Event) -> Snapshot:
        old = self._load() if self._seen is None else self._seen
        new: dict[str, _Seen] = {}
        files: dict[str, FileState] = {}
        real_folders: dict[str, bool] = {"": True}
        prefix = f"{self._root}/"
        for path in paths:
            if stop.is_set():
                raise _StoppedError
            # git lists tracked files also where a folder on the way has become a link to somewhere else.
            folder = path.rpartition("/")[0]
            if not (real_folders[folder] if folder in real_folders else self._is_real(folder, real_folders)):
                continue
            seen = self._look(prefix + path, old.get(path))
            if seen is not None:
                new[path] = seen
                files[path] = FileState(seen.hash, _mode_of(seen.mode))
        self._unsaved += sum(1 for path, seen in new.items() if old.get(path) is not seen)
        self._seen = new
        self._recent = tuple(path for path, seen in new.items() if seen.mtime + _RACY_NS >= seen.read_at)
        if self._unsaved >= _SAVE_AFTER:
            self._save()
        return snapshot_of(files)

    def _is_real(self, folder: str, known: dict[str, bool]) -> bool:
        parent = folder.rpartition("/")[0]
        if parent not in known:
            self._is_real(parent, known)
        try:
            known[folder] = known[parent] and stat.S_ISDIR(os.lstat(self._root / folder).st_mode)
        except OSError:
            known[folder] = False
        return known[folder]

    @staticmethod
    def _look(path: str, last: _Seen | None) -> _Seen | None:
        """What a file is now; None when there is none, or nothing that could be read as one."""
        for _ in range(3):
            try:
                info = os.lstat(path)
                if last is not None and last.still(info):
                    return last
                if not (stat.S_ISREG(info.st_mode) or stat.S_ISLNK(info.st_mode)):
                    return None
                now = time.time_ns()
                try:
                    digest = hash_file(path, info)
                except PermissionError:
                    # It counts, but nothing can be said of its content; it is looked at again each time.
                    digest, now = "unreadable", 0
            except OSError:
                # Gone, or being replaced this moment: look again.
                continue
            return _Seen(info.st_mtime_ns, info.st_ctime_ns, info.st_size, info.st_ino, info.st_mode, now, digest)
        return None

    def _load(self) -> dict[str, _Seen]:
        try:
            return msgspec.msgpack.decode(self._store.read_bytes(), type=dict[str, _Seen])
        except (OSError, ValueError):
            # A memory that is missing or damaged costs time only.
            return {}

    def _save(self) -> None:
        assert self._seen is not None
        keep = {path: seen for path, seen in self._seen.items() if _encodable(path)}
        temporary = self._store.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(OSError):
            temporary.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(msgspec.msgpack.encode(keep))
            temporary.replace(self._store)
            self._unsaved = 0


def _mode_of(mode: int) -> int:
    if stat.S_ISLNK(mode):
        return SYMLINK
    return EXECUTABLE if mode & stat.S_IXUSR else REGULAR


def _encodable(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
