"""What a file was when it was looked at: its content's name, whether it can have changed since, whether it is finished.

Editors write a file in steps: they empty it and fill it again, or move it away and put another in its place. A look
between two steps would see a file that nobody wrote. So what looks unfinished, and was touched a moment ago, is looked
at again before it is believed.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from pathlib import Path

import msgspec

from agent_core.file_modes import EXECUTABLE, REGULAR, SYMLINK
from agent_core.workspace.tree import FileState

# A file touched so short a time before it was read may be touched again without its times telling.
_RACY_NS = 2_000_000_000
# By so much the system's clock for files may be behind the one we ask.
_COARSE_NS = 20_000_000
_BIG = 50_000_000
"""Bytes from which on a file is known by its size and time."""
_BLOCK = 1 << 20
# What programs write at once when they write more.
_CHUNK = 4096

SETTLED_NS = 75_000_000
"""So long after it was touched a file is believed that looks unfinished."""
_EMPTIED_NS = 300_000_000
"""Likewise one that is empty and was not: who saves may wait for a busy machine in between, and few empty files."""

# Names of files that become another one in a moment: of `sed -i`, of Qt's and of Rust's, of VS Code's.
_PASSING = re.compile(r"sed[A-Za-z0-9]{6}|.+\.[A-Za-z0-9]{6}|\.tmp[A-Za-z0-9]{6}|.+\.vsctmp|.+\.tmp")


class Sighting(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A file as it was read.

    Attributes:
        mtime: Its times, in nanoseconds.
        ctime: Likewise.
        size: Its bytes.
        inode: Which it is.
        mode: Of the system's, with its kind.
        read_at: When it was read; 0 where it could not be.
        hash: SHA-256 of its content, see `hash_file`.
        ended: Its last line has an end.
    """

    mtime: int
    ctime: int
    size: int
    inode: int
    mode: int
    read_at: int
    hash: str
    ended: bool = False

    @property
    def state(self) -> FileState:
        """What it is in a tree."""
        if stat.S_ISLNK(self.mode):
            return FileState(self.hash, SYMLINK)
        return FileState(self.hash, EXECUTABLE if self.mode & stat.S_IXUSR else REGULAR)

    @property
    def racy(self) -> bool:
        """Whether it was touched so shortly before it was read that it may change without its times telling."""
        return max(self.mtime, self.ctime) + _RACY_NS >= self.read_at

    @property
    def doubtful(self) -> bool:
        """Whether it may have been written since without its times telling, even if nothing else was at work."""
        return self.ctime + _COARSE_NS >= self.read_at

    def matches(self, now: os.stat_result) -> bool:
        """Whether it looks the same from outside."""
        return (
            self.mtime == now.st_mtime_ns
            and self.ctime == now.st_ctime_ns
            and self.size == now.st_size
            and self.inode == now.st_ino
            and self.mode == now.st_mode
        )

    def still(self, now: os.stat_result) -> bool:
        """Whether the file cannot have changed since."""
        return self.matches(now) and not self.racy

    def same_outside(self, other: Sighting) -> bool:
        """Whether another one looks the same from outside."""
        mine = (self.mtime, self.ctime, self.size, self.inode, self.mode)
        return mine == (other.mtime, other.ctime, other.size, other.inode, other.mode)


def hash_file(path: str, info: os.stat_result) -> tuple[str, bool]:
    """Content hash of a file or link; of a huge file one that changes with its size and time.

    Args:
        path: The file.
        info: What it is, by `os.lstat`.

    Returns:
        The hash, and whether the last line has an end.

    Raises:
        OSError: It cannot be read.
    """
    if stat.S_ISLNK(info.st_mode):
        return hashlib.sha256(os.fsencode(Path(path).readlink())).hexdigest(), True
    if info.st_size <= _BIG:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - this is the hot loop
            digest = hashlib.sha256(last := file.read(_BLOCK))
            size = len(last)
            # A log that grows all the time, or a file of the kernel's that says it is empty, has no end.
            while size <= _BIG and (block := file.read(_BLOCK)):
                digest.update(last := block)
                size += len(block)
        if size <= _BIG:
            return digest.hexdigest(), last.endswith(b"\n")
    return "big-" + hashlib.sha256(f"{info.st_size} {info.st_mtime_ns}".encode()).hexdigest(), True


def sight(path: str, last: Sighting | None) -> Sighting | None:
    """Look at a file.

    Args:
        path: Where it is.
        last: What it was before, which is given back where nothing can have changed.

    Returns:
        What it is now; what it was where its folder cannot be entered; None when there is none, or nothing that could
        be read as one.
    """
    found: Sighting | None = None
    for _ in range(3):
        try:
            try:
                info = os.lstat(path)
            except PermissionError:
                return last
            if last is not None and last.still(info):
                return last
            if not (stat.S_ISREG(info.st_mode) or stat.S_ISLNK(info.st_mode)):
                return None
            now = time.time_ns()
            try:
                digest, ended = hash_file(path, info)
            except PermissionError:
                # It counts, but nothing can be said of its content; it is looked at again each time.
                digest, ended, now = "unreadable", True, 0
            found = Sighting(
                info.st_mtime_ns, info.st_ctime_ns, info.st_size, info.st_ino, info.st_mode, now, digest, ended
            )
            if found.matches(os.lstat(path)):
                return found
        except OSError:
            # Gone, or being replaced this moment: look again.
            found = None
    # One that is written all the time is what it was when it was read.
    return found


def unfinished(path: str, last: Sighting | None, now: Sighting | None) -> bool:
    """Whether what was seen may be a step between two states that somebody meant, and is to be looked at again.

    Args:
        path: Where the file is.
        last: What it was before.
        now: What it is.
    """
    if now is None:
        return last is not None and _fresh(_changed_at(path.rpartition("/")[0]))
    emptied = last is not None and last.size > 0 and now.size == 0
    if now is last or not stat.S_ISREG(now.mode) or not _fresh(now.ctime, _EMPTIED_NS if emptied else SETTLED_NS):
        return False
    if last is None:
        return now.size % _CHUNK == 0 or _PASSING.fullmatch(path.rpartition("/")[2]) is not None
    if now.hash == last.hash:
        return False
    return now.size % _CHUNK == 0 or (last.ended and not now.ended)


def _fresh(touched: int, settled: int = SETTLED_NS) -> bool:
    return 0 <= time.time_ns() - touched + _COARSE_NS < settled + _COARSE_NS


def _changed_at(folder: str) -> int:
    try:
        return os.lstat(folder).st_ctime_ns
    except OSError:
        return 0
