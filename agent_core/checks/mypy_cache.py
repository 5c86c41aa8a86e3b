"""mypy's caches on disk: never two writers in one, a new one begun as a copy of the base trees' own.

mypy keeps its cache in SQLite databases, older versions in files whose modification times it compares. Of neither can
a copy be taken while mypy writes to it, so whoever writes holds a lock, across processes too. The locks lie beside the
folders that commands may write to: nothing that runs in a candidate can hold or replace one. Since commands can have
put links anywhere in those folders, none is followed.

Only base trees' caches are copied. What a candidate's run leaves behind was written with a patch in place that nobody
has accepted yet, and has to tell nothing about the trees that patches are compared with.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import itertools
import os
import shutil
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from agent_core.checks.base_tree import BASE_CACHE
from agent_core.protocols import Candidate
from agent_core.workspace.layering import remove_tree

_NAME = "mypy"
_PAUSE = 0.05
# Made anew by SQLite from the database and its log.
_SHARED_MEMORY = "-shm"


@contextlib.asynccontextmanager
async def cache_of(candidate: Candidate) -> AsyncIterator[Path]:
    """A folder for mypy's cache that nobody else writes to meanwhile.

    One that is empty is begun with a copy of what mypy wrote about the base trees. Where mypy is at work on one of
    those just now that is waited for: a verdict needs its word anyway, and with the copy the own run is short.

    Args:
        candidate: The tree that is to be judged.
    """
    with contextlib.ExitStack() as held:
        folder = await asyncio.to_thread(_own, candidate, held)
        base = candidate.cache.with_name(BASE_CACHE) / _NAME
        if folder != base and _is_empty(folder):
            async with _unwritten(base):
                await asyncio.to_thread(_begin, folder, base)
        yield folder


async def forget(folder: Path) -> None:
    """Empty a cache that `cache_of` gave, and still gives."""

    def work() -> None:
        old = _beside(folder, "old")
        remove_tree(old)
        with contextlib.suppress(FileNotFoundError):
            folder.rename(old)
        if old.is_symlink():
            old.unlink()
        remove_tree(old)

    await asyncio.to_thread(work)


def _own(candidate: Candidate, held: contextlib.ExitStack) -> Path:
    """The first of the candidate's cache folders that nobody holds; it is held then."""
    for number in itertools.count(1):
        folder = candidate.cache / (_NAME if number == 1 else f"{_NAME}-{number}")
        if held.enter_context(_locked(folder)):
            return folder
    raise AssertionError


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Hold the lock of a cache folder; whether that was possible."""
    lock = _beside(folder, "lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


@contextlib.asynccontextmanager
async def _unwritten(folder: Path) -> AsyncIterator[None]:
    """Wait until nobody writes to a cache, and keep it so."""
    while True:
        with _locked(folder) as held:
            if held:
                yield
                return
        await asyncio.sleep(_PAUSE)


def _beside(folder: Path, ending: str) -> Path:
    """A place of a cache folder's own that commands can't reach."""
    return folder.parent.with_name(f"{folder.parent.name}.{folder.name}.{ending}")


def _is_empty(folder: Path) -> bool:
    """Whether there is no cache in a folder: one that is a link is none, wherever it may lead."""
    try:
        with os.scandir(folder) as entries:
            return folder.is_symlink() or next(entries, None) is None
    except OSError:
        return True


def _begin(folder: Path, base: Path) -> None:
    """Begin a cache with a copy of another one; without, where that can't be read or written."""
    if _is_empty(base):
        return
    new = _beside(folder, "new")
    remove_tree(new)
    try:
        new.mkdir()
        source = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            _copy(source, new)
        finally:
            os.close(source)
        if folder.is_symlink():
            folder.unlink()
        # What is there is an empty folder, which this replaces.
        new.rename(folder)
    except OSError:
        remove_tree(new)


def _copy(source: int, target: Path) -> None:
    """Copy the plain files of an open folder, with their times."""
    for name in os.listdir(source):
        if name.endswith(_SHARED_MEMORY):
            continue
        try:
            found = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=source)
        except OSError:
            # A link, or nothing that can be read: no file of mypy's.
            continue
        try:
            state = os.fstat(found)
            if stat.S_ISDIR(state.st_mode):
                (target / name).mkdir()
                _copy(found, target / name)
            elif stat.S_ISREG(state.st_mode):
                with os.fdopen(os.dup(found), "rb") as old, (target / name).open("xb") as new:
                    shutil.copyfileobj(old, new, 1 << 20)
                os.utime(target / name, ns=(state.st_atime_ns, state.st_mtime_ns))
        finally:
            os.close(found)
