"""Landing a patch in the working tree and taking it back: merged, all or nothing, and safe against a sudden end.

A landing has two halves. Planning looks at the disk as it is now, merges, and writes nothing; its result goes into
the journal as the intent. Writing makes a temporary file beside every target first, then looks at each target a last
time and renames. After a sudden end the journalled intent is enough to complete the landing or to take it back.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Literal

from agent_core.errors import LandingConflictError, PairloopError
from agent_core.events import FileLanding
from agent_core.patch.model import Patch
from agent_core.protocols import Journal
from agent_core.workspace.disk import TEMP_PREFIX, TEMP_SUFFIX, FileSystem, is_temp, look, permissions
from agent_core.workspace.landing_plan import Planner
from agent_core.workspace.tree import content_hash

_POLL = 0.02


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

    @contextlib.asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Hold the project's lock; plan and write inside.

        Raises:
            LandingConflictError: Another pairloop has held it for too long.
        """
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            await self._acquire(descriptor)
            yield
        finally:
            os.close(descriptor)

    async def _acquire(self, descriptor: int) -> None:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() < deadline:
                    await asyncio.sleep(_POLL)
                    continue
                holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
                raise LandingConflictError(
                    f"Another pairloop (process {holder or 'unknown'}) is landing in {self._root}; "
                    f"it has held the lock {self._lock} for {self._patience:.0f} seconds.",
                    hint="Try again when it is done, or end it.",
                ) from None
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
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

    async def plan_undo(self, files: Sequence[FileLanding], *, again: bool = False) -> tuple[FileLanding, ...]:
        """Work out how to take a landing back without touching what a human wrote since, and write nothing.

        Args:
            files: What the landing wrote.
            again: It is an undo that is taken back: what it undid is to be landed again.

        Raises:
            LandingConflictError: Newer changes stand in the way; its conflicts name every place.
        """
        return await Planner(self._root, self._journal).undo(files, again=again)

    def write(self, files: Sequence[FileLanding]) -> None:
        """Write a plan to the disk, all of it or nothing; when this returns it survives a power cut.

        Args:
            files: The plan.

        Raises:
            LandingConflictError: A file was changed since it was planned, or could not be written. Then what had been
                written is taken back.
        """
        made: list[Path] = []
        temps: dict[str, Path] = {}
        done: list[FileLanding] = []
        try:
            for file in files:
                self._expect(file)
            for file in files:
                if file.after is not None:
                    temps[file.path] = self._stage(file, made)
            for file in files:
                self._put(file, temps)
                done.append(file)
            self._settle(files, made)
        except (PairloopError, OSError) as error:
            stuck = self._take_back(done)
            self._clean(temps.values(), made)
            raise self._failed(error, stuck) from error

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
        self._clean(self._leftovers(files), ())
        states = [self._state(file) for file in files]
        if "other" not in states:
            try:
                self.write([file for file, state in zip(files, states, strict=True) if state == "before"])
            except LandingConflictError:
                states = [self._state(file) for file in files]
            else:
                self._settle(files, ())
                return "completed"
        stuck = self._take_back([file for file, state in zip(files, states, strict=True) if state == "after"])
        if stuck:
            raise LandingConflictError(
                f"A landing that was cut short can be neither completed nor taken back: {', '.join(stuck)}.",
                tuple(stuck),
                "Make sure these files can be written and the disk has room, then start pairloop again.",
            )
        self._remove_empty(file.path for file in files if file.before is None)
        return "abandoned"

    def _state(self, file: FileLanding) -> Literal["before", "after", "other"]:
        """Which of its two states a file is in."""
        now = look(self._root, file.path)
        digest = None if now.data is None else content_hash(now.data)
        if now.obstacle or digest not in {file.before, file.after}:
            return "other"
        if file.before == file.after:
            return "after" if now.mode == file.after_mode else "before"
        return "before" if digest == file.before else "after"

    def _stage(self, file: FileLanding, made: list[Path]) -> Path:
        """Write a file's new content beside its target; folders that are missing are made and noted."""
        assert file.after is not None
        data = self._journal.get(file.after)
        target = self._root / file.path
        missing = []
        folder = target.parent
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for folder in reversed(missing):
            self._disk.make_dir(folder)
            made.append(folder)
        temp = target.parent / f"{TEMP_PREFIX}{secrets.token_hex(4)}{TEMP_SUFFIX}"
        descriptor = self._disk.create(temp)
        try:
            self._disk.write(descriptor, data)
            self._dress(descriptor, target, file.after_mode)
            self._disk.sync(descriptor)
        except OSError:
            self._clean([temp], ())
            raise
        finally:
            os.close(descriptor)
        return temp

    def _dress(self, descriptor: int, target: Path, mode: int) -> None:
        """Give a new file the owner and permissions of the one it will replace."""
        fresh = os.fstat(descriptor)
        try:
            old = target.lstat()
        except FileNotFoundError:
            old = None
        if old is not None and (old.st_uid, old.st_gid) != (fresh.st_uid, fresh.st_gid):
            # Only root may give files away; to anybody else's file the owner is lost, as with every editor.
            with contextlib.suppress(PermissionError):
                self._disk.own(descriptor, old.st_uid, old.st_gid)
        self._disk.chmod(descriptor, permissions(None if old is None else old.st_mode, fresh.st_mode, mode))

    def _expect(self, file: FileLanding) -> None:
        """Make sure that a file is as it was when the landing was planned."""
        if self._state(file) != "before":
            reason = look(self._root, file.path).obstacle.rstrip(".") or "was changed at the last moment"
            raise LandingConflictError(f"{file.path}: {reason}.", (f"{file.path}: {reason}",))

    def _put(self, file: FileLanding, temps: dict[str, Path]) -> None:
        """Make one file what it is to be, if it still is what it was."""
        self._expect(file)
        target = self._root / file.path
        if file.after is None:
            self._disk.unlink(target)
        else:
            self._disk.replace(temps[file.path], target)
            del temps[file.path]

    def _settle(self, files: Sequence[FileLanding], made: Sequence[Path]) -> None:
        """Remove folders left empty by deletes, and wait until all entries are on the disk."""
        touched = {(self._root / file.path).parent for file in files} | {folder.parent for folder in made}
        touched |= self._remove_empty(file.path for file in files if file.after is None)
        for folder in sorted(touched):
            # It may be gone again; and where a folder can't be synced a rename is as durable as that file system is.
            with contextlib.suppress(OSError):
                self._disk.sync_dir(folder)

    def _remove_empty(self, paths: Iterable[str]) -> set[Path]:
        """Remove the empty folders above some paths; gives the folders whose entries changed."""
        changed = set()
        for path in paths:
            folder = (self._root / path).parent
            while folder != self._root:
                try:
                    if folder.exists():
                        self._disk.remove_dir(folder)
                        changed.add(folder.parent)
                except OSError:
                    # Not empty, or not ours to remove.
                    break
                folder = folder.parent
        return changed

    def _take_back(self, files: Sequence[FileLanding]) -> list[str]:
        """Undo what was written, last first; gives the paths where that could not be done."""
        stuck = []
        for file in reversed(files):
            back = FileLanding(file.path, file.after, file.before, file.after_mode, file.before_mode)
            made: list[Path] = []
            temps: dict[str, Path] = {}
            try:
                if back.after is not None:
                    temps[back.path] = self._stage(back, made)
                self._put(back, temps)
                self._settle([back], made)
            except (PairloopError, OSError):
                self._clean(temps.values(), made)
                stuck.append(file.path)
        return stuck

    def _clean(self, temps: Iterable[Path], made: Sequence[Path]) -> None:
        """Remove temporary files, and folders that were made for nothing."""
        for temp in temps:
            with contextlib.suppress(OSError):
                self._disk.unlink(temp)
        for folder in reversed(made):
            with contextlib.suppress(OSError):
                self._disk.remove_dir(folder)

    def _leftovers(self, files: Sequence[FileLanding]) -> list[Path]:
        """Temporary files beside the targets."""
        folders = {(self._root / file.path).parent for file in files if not look(self._root, file.path).obstacle}
        return [entry for folder in folders if folder.is_dir() for entry in folder.iterdir() if is_temp(entry.name)]

    def _failed(self, error: PairloopError | OSError, stuck: Sequence[str]) -> LandingConflictError:
        if isinstance(error, OSError):
            where = error.filename or str(self._root)
            reason = f"{where}: {error.strerror or error}."
        else:
            reason = error.message
        conflicts = error.conflicts if isinstance(error, LandingConflictError) else (reason.rstrip("."),)
        if stuck:
            names = ", ".join(stuck)
            hint = f"These files had been written and could not be taken back, look at them: {names}."
            return LandingConflictError(f"The landing was broken off: {reason}", conflicts, hint)
        return LandingConflictError(f"Nothing was landed: {reason}", conflicts)
