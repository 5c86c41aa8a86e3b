"""Landing a patch in the working tree and taking it back: merged, all or nothing, and safe against a sudden end.

A landing has two halves. Planning looks at the disk as it is now, merges, and writes nothing; its result goes into
the journal as the intent. Writing makes a temporary file near every target first, then puts one after the other in its
place (`agent_core.workspace.placing` says how no save is lost by it). After a sudden end the journalled intent is
enough to complete the landing or to take it back.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Literal

from agent_core.errors import LandingConflictError, PairloopError
from agent_core.events import FileLanding
from agent_core.patch.model import Patch
from agent_core.protocols import Journal
from agent_core.workspace.disk import FileSystem
from agent_core.workspace.landing_plan import Planner
from agent_core.workspace.placing import Placer, changed, reverse

_Done = tuple[FileLanding, Path | None]
_POLL = 0.02
COMMITTING = "committing"
"""What the project's lock is held for by a commit: hooks may put files aside, so nothing lands meanwhile."""
_NO_ROOM = "Make room on the disk, then try again."
_NOT_ALLOWED = "Make the file and its folder writable, then try again."
_HINTS = {
    errno.ENOSPC: _NO_ROOM,
    errno.EDQUOT: _NO_ROOM,
    errno.EACCES: _NOT_ALLOWED,
    errno.EPERM: _NOT_ALLOWED,
    errno.EROFS: _NOT_ALLOWED,
}


class Lander:
    """Writes to one project's working tree.

    Args:
        root: The project's folder.
        journal: Holds contents by hash.
        lock: A file that all pairloops of this project lock while they land.
        disk: Carries out the effects.
        patience: Seconds to wait for another pairloop's landing.
    """

    def __init__(
        self, root: Path, journal: Journal, lock: Path, *, disk: FileSystem | None = None, patience: float = 10.0
    ) -> None:
        self._root = root
        self._journal = journal
        self._lock = lock
        self._disk = disk or FileSystem()
        self._patience = patience

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self._root

    @contextlib.asynccontextmanager
    async def locked(self, what: str = "landing") -> AsyncIterator[None]:
        """Hold the project's lock; plan and write inside.

        Args:
            what: What it is held for; a commit, whose hooks take their time, is waited for as long as it takes.

        Raises:
            LandingConflictError: Another pairloop has held it for too long.
        """
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            await self._acquire(descriptor, what)
            yield
        finally:
            os.close(descriptor)

    async def _acquire(self, descriptor: int, what: str) -> None:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder, _, does = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip().partition(" ")
                if time.monotonic() < deadline or does == COMMITTING:
                    await asyncio.sleep(_POLL)
                    continue
                raise LandingConflictError(
                    f"Another pairloop (process {holder or 'unknown'}) is landing in {self._root}; "
                    f"it has held the lock {self._lock} for {self._patience:.0f} seconds.",
                    hint="Try again when it is done, or end it.",
                ) from None
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()} {what}\n".encode(), 0)
            return

    async def plan(self, patch: Patch) -> tuple[FileLanding, ...]:
        """Merge a patch with what is on disk now, and write nothing.

        Args:
            patch: What to land; its contents are in the journal.

        Returns:
            What is to be written, ordered by path; files that are as wanted already are left out. The contents
            before and after are in the journal.

        Raises:
            LandingConflictError: It collides with what is there; its conflicts name every place.
        """
        return await Planner(self._root, self._journal).landing(patch)

    async def plan_undo(
        self, files: Sequence[FileLanding], *, again: bool = False, name: str = "The landing"
    ) -> tuple[FileLanding, ...]:
        """Work out how to take a landing back without touching what a human wrote since, and write nothing.

        Args:
            files: What the landing wrote.
            again: It is an undo that is taken back: what it undid is to be landed again.
            name: What the landing is called, for the human.

        Raises:
            LandingConflictError: Newer changes stand in the way; its conflicts name every place.
        """
        return await Planner(self._root, self._journal).undo(files, again=again, name=name)

    def write(self, files: Sequence[FileLanding]) -> None:
        """Write a plan to the disk, all of it or nothing; when this returns it survives a power cut.

        Args:
            files: The plan.

        Raises:
            LandingConflictError: A file was changed since it was planned, or could not be written. Then what had been
                written is taken back.
        """
        self._write(Placer(self._root, self._journal, self._disk, files), files)

    def recover(self, files: Sequence[FileLanding]) -> Literal["completed", "abandoned"]:
        """Bring a landing that was cut short to an end.

        It is completed when every file is either as before or as after. When somebody changed one since, what was
        written of the others is taken back and that file is left alone. Calling it again changes nothing.

        Args:
            files: The journalled intent.

        Returns:
            Which of the two was done.

        Raises:
            LandingConflictError: Some of what was written could not be taken back; its conflicts name the paths.
        """
        placer = Placer(self._root, self._journal, self._disk, files)
        try:
            placer.rescue(files)
        except (LandingConflictError, OSError) as error:
            text = f"{error.strerror or error}." if isinstance(error, OSError) else error.message
            raise LandingConflictError(f"A landing that was cut short can't be mended: {text}") from error
        if all(placer.state(file) != "other" for file in files):
            try:
                self._write(placer, [file for file in files if placer.state(file) == "before"])
            except LandingConflictError:
                # Then it is taken back.
                pass
            else:
                placer.settle(files)
                return "completed"
        written = [(file, None) for file in placer.order(files) if placer.state(file) == "after"]
        stuck = self._take_back(placer, written)
        if stuck:
            raise LandingConflictError(
                f"A landing that was cut short can be neither completed nor taken back: {', '.join(stuck)}.",
                tuple(stuck),
                "Make sure these files can be written and the disk has room, then start pairloop again.",
            )
        placer.folders.remove_empty(file.path for file in files if file.before is None)
        return "abandoned"

    def _write(self, placer: Placer, files: Sequence[FileLanding]) -> None:
        staged: dict[str, Path] = {}
        done: list[_Done] = []
        at = ""
        try:
            for file in files:
                placer.expect(file)
            for file in files:
                at = file.path
                if file.after is not None:
                    staged[at] = placer.stage(file)
            for file in placer.order(files):
                at = file.path
                aside = placer.put(file, staged.get(at))
                staged.pop(at, None)
                done.append((file, aside))
            for file, aside in done:
                if aside is not None and not placer.is_kept(file, aside):
                    raise changed(file)
        except (PairloopError, OSError) as error:
            stuck = self._take_back(placer, done)
            placer.drop(staged.values())
            placer.folders.unmake()
            raise _broken_off(error, at, stuck) from error
        placer.drop(aside for _, aside in done if aside is not None)
        placer.settle(files)

    def _take_back(self, placer: Placer, done: Sequence[_Done]) -> list[str]:
        """Undo what was written, last first; gives the paths where that could not be done.

        What was displaced takes its place again, as the file it was; only where it is not there any more it is
        written anew.
        """
        stuck = []
        for file, aside in reversed(done):
            back = reverse(file)
            staged = aside
            try:
                if staged is None and back.after is not None:
                    staged = placer.stage(back)
                out = placer.put(back, staged)
                placer.drop([] if out is None else [out])
            except (PairloopError, OSError) as error:
                if staged is not None and not (isinstance(error, LandingConflictError) and error.unsettled):
                    placer.let_go(file, staged)
                stuck.append(file.path)
        placer.settle(file for file, _ in done)
        return stuck


def _broken_off(error: PairloopError | OSError, path: str, stuck: Sequence[str]) -> LandingConflictError:
    """What is told of a landing that could not be written."""
    hint = ""
    if isinstance(error, OSError):
        reason = f"{path or error.filename}: {error.strerror or error}."
        hint = _HINTS.get(error.errno or 0, "")
    else:
        reason = error.message
    conflicts = error.conflicts if isinstance(error, LandingConflictError) else (reason.rstrip("."),)
    if isinstance(error, LandingConflictError) and error.unsettled:
        stuck = [*stuck, path]
    if not stuck:
        return LandingConflictError(f"Nothing was written: {reason}", conflicts, hint)
    names = ", ".join(stuck)
    hint = f"These files had been written and could not be taken back, look at them: {names}. {hint}".strip()
    return LandingConflictError(f"The landing was broken off: {reason}", conflicts, hint, unsettled=True)
