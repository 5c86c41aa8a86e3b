"""Putting one file of a landing in its place without losing what stands there.

Between a look at a file and a rename over it somebody may save. So nothing is renamed over anything: the new file and
the old one change places in one step (``renameat2`` with ``RENAME_EXCHANGE``, Linux 3.15), and only then what came
out is compared with what was expected. If it is something else, they change places again, and the save stands. A file
that is removed is renamed aside and compared likewise; one that is new is renamed to a name nothing has. Where system
or file system has no such renames there is a last look right before a plain one, and a save in between, of some
microseconds, is lost.

What was displaced is kept beside its place until all of the landing is written, and compared once more before it is
removed: who has the file open and wrote into it meanwhile is heard, and everything is taken back. A program that
writes into a file it opened before even later than that writes into a file without a name; nobody can help it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from agent_core.errors import LandingConflictError
from agent_core.events import FileLanding
from agent_core.protocols import Journal
from agent_core.workspace.disk import (
    TEMP_PREFIX,
    TEMP_SUFFIX,
    FileSystem,
    Standing,
    cannot_be,
    is_folder,
    is_temp,
    look,
    permissions,
    regular,
)
from agent_core.workspace.folders import Folders, is_bare
from agent_core.workspace.names import case_twins, folders_above, has_exactly
from agent_core.workspace.tree import content_hash

State = Literal["before", "after", "other"]
_NEW = f"{TEMP_PREFIX}new-"


class Placer:
    """Puts the files of one plan in place, each by itself.

    Attributes:
        folders: The folders that are made and removed on the way.

    Args:
        root: The project's folder.
        journal: Holds contents by hash.
        disk: Carries out the effects.
        files: All of the plan, also what of it is done already.
    """

    def __init__(self, root: Path, journal: Journal, disk: FileSystem, files: Sequence[FileLanding]) -> None:
        self._root = root
        self._journal = journal
        self._disk = disk
        self._paths = {file.path for file in files}
        self._written = {file.path for file in files if file.after is not None}
        self._twins = case_twins(self._paths)
        self.folders = Folders(root, disk)

    def order(self, files: Iterable[FileLanding]) -> list[FileLanding]:
        """The order in which files are put in place.

        What stands in the place of a folder that is to be, in a folder that is to be a file, or under a name that
        differs only in case, goes first; what is merely removed goes last, so that a moved file is always somewhere.
        """
        return sorted(files, key=lambda file: (self._turn(file), file.path))

    def _turn(self, file: FileLanding) -> int:
        if file.after is not None:
            return 1
        first = (
            file.path in self._twins
            or any(folder in self._written for folder in folders_above(file.path))
            or any(path.startswith(f"{file.path}/") for path in self._written)
        )
        return 0 if first else 2

    def state(self, file: FileLanding) -> State:
        """Which of its two states a file is in."""
        return self._compare(file, self._look(file.path))

    def _compare(self, file: FileLanding, now: Standing) -> State:
        if now.obstacle:
            # What was to be removed is gone where no file can be.
            return "after" if file.after is None and cannot_be(self._root / file.path) else "other"
        digest = None if now.data is None else content_hash(now.data)
        if digest not in {file.before, file.after}:
            return "other"
        if file.before == file.after:
            return "after" if now.mode == file.after_mode else "before"
        return "before" if digest == file.before else "after"

    def _look(self, path: str) -> Standing:
        now = look(self._root, path, self._paths)
        if now.obstacle and any(one.startswith(f"{path}/") for one in self._paths) and is_bare(self._root / path):
            # Its files are gone already.
            return Standing(None, 0)
        if path in self._twins and now.data is not None and not has_exactly(self._root / path):
            return Standing(None, 0)
        return now

    def expect(self, file: FileLanding) -> Standing:
        """Make sure that a file is as it was when the landing was planned.

        Raises:
            LandingConflictError: It is not.
        """
        now = self._look(file.path)
        if self._compare(file, now) != "before":
            raise changed(file, now.obstacle.rstrip("."))
        return now

    def stage(self, file: FileLanding) -> Path:
        """Write a file's new content to a temporary file near its place.

        Raises:
            OSError: It cannot be written; nothing is left of it.
        """
        assert file.after is not None
        data = self._journal.get(file.after)
        like = self._like(file)
        temp = self._harbour(file.path) / f"{_NEW}{secrets.token_hex(6)}{TEMP_SUFFIX}"
        # Content of a file that not everybody may read must not be there to be read for a moment.
        descriptor = self._disk.create(temp, 0o600 if file.after_bits or like else 0o666)
        try:
            self._disk.write(descriptor, data)
            self._dress(descriptor, file, like)
            self._disk.sync(descriptor)
        except OSError:
            self.drop([temp])
            raise
        finally:
            os.close(descriptor)
        return temp

    def _like(self, file: FileLanding) -> Path | None:
        """The file whose owner and attributes a new one gets: the one it replaces, or the one it was moved from."""
        for path in (file.path, file.moved_from):
            with contextlib.suppress(OSError):
                if path and stat.S_ISREG((self._root / path).lstat().st_mode):
                    return self._root / path
        return None

    def _dress(self, descriptor: int, file: FileLanding, like: Path | None) -> None:
        """Give a new file owner, attributes and permissions."""
        fresh = os.fstat(descriptor)
        old = None if like is None else like.lstat()
        if like is not None and old is not None:
            if (old.st_uid, old.st_gid) != (fresh.st_uid, fresh.st_gid):
                # Only root may give files away; to anybody else's file the owner is lost, as with every editor.
                with contextlib.suppress(PermissionError):
                    self._disk.own(descriptor, old.st_uid, old.st_gid)
            self._disk.attributes(descriptor, like)
        mode = old.st_mode if old is not None else fresh.st_mode
        self._disk.chmod(descriptor, file.after_bits or permissions(mode, mode, file.after_mode))

    def _harbour(self, path: str) -> Path:
        """The folder nearest to a path that is there now and will be there afterwards."""
        here = self._root
        for folder in folders_above(path):
            if folder in self._written or not is_folder(self._root / folder):
                break
            here = self._root / folder
        return here

    def _aside(self, file: FileLanding) -> Path:
        """A name near a file's place that tells, after a sudden end, whose it is."""
        return self._harbour(file.path) / f"{TEMP_PREFIX}{_key(file)}-{secrets.token_hex(6)}{TEMP_SUFFIX}"

    def put(self, file: FileLanding, staged: Path | None) -> Path | None:
        """Make one file what it is to be, if it still is what it was.

        Args:
            file: What it is to be.
            staged: The new file; None when it is to be removed.

        Returns:
            Where the displaced file is kept; None when there was none.

        Raises:
            LandingConflictError: Somebody else was faster; what they wrote stands.
            OSError: It could not be done.
        """
        now = self.expect(file)
        target = self._root / file.path
        if staged is None:
            return self._remove(file, target, now)
        self.folders.make_way(target)
        if file.before is not None:
            return self._exchange(file, staged, target, now)
        try:
            self._disk.place(staged, target)
        except FileExistsError as error:
            raise changed(file) from error
        return None

    def _remove(self, file: FileLanding, target: Path, now: Standing) -> Path:
        aside = self._aside(file)
        self._disk.place(target, aside)
        if _is(aside, file.before, now.bits):
            return aside
        try:
            self._disk.place(aside, target)
        except FileExistsError:
            self._keep(aside)
        raise changed(file)

    def _exchange(self, file: FileLanding, staged: Path, target: Path, now: Standing) -> Path | None:
        aside = self._aside(file)
        self._disk.replace(staged, aside)
        try:
            if not self._disk.exchange(aside, target):
                self.expect(file)
                self._disk.replace(aside, target)
                return None
        except (LandingConflictError, OSError):
            self.drop([aside])
            raise
        if _is(aside, file.before, now.bits):
            return aside
        self._swap_back(file, aside, file.after)
        raise changed(file)

    def _swap_back(self, file: FileLanding, aside: Path, ours: str | None) -> None:
        """A save came between and was displaced by our content: it takes its place again."""
        target = self._root / file.path
        try:
            self._disk.exchange(aside, target)
            if not _is(aside, ours):
                # And saved again, over ours: what was saved last stands.
                self._disk.exchange(aside, target)
                self._keep(aside)
            else:
                self.drop([aside])
        except OSError as error:
            text = f"{file.path}: was changed at the last moment; what you saved is in {aside}"
            raise LandingConflictError(f"{text}: {error.strerror}.", (text,), unsettled=True) from error

    def _keep(self, aside: Path) -> None:
        """Keep in the journal what has no place any more, and remove it."""
        found = regular(aside)
        if found is not None:
            self._journal.put(found[0])
            self.drop([aside])

    def is_kept(self, file: FileLanding, aside: Path) -> bool:
        """Whether what was displaced is still as it was when it was displaced."""
        return _is(aside, file.before)

    def let_go(self, file: FileLanding, aside: Path) -> None:
        """Remove what was displaced and cannot take its place again; what the journal does not have it gets."""
        if _is(aside, file.before):
            self.drop([aside])
        else:
            self._keep(aside)

    def drop(self, temps: Iterable[Path]) -> None:
        """Remove temporary files."""
        for temp in temps:
            with contextlib.suppress(OSError):
                self._disk.unlink(temp)

    def settle(self, files: Iterable[FileLanding]) -> None:
        """Remove folders left empty by what was removed, and wait until all entries are on the disk."""
        files = list(files)
        touched = {(self._root / file.path).parent for file in files} | {self._harbour(file.path) for file in files}
        self.folders.settle(touched, (file.path for file in files if file.after is None))

    def rescue(self, files: Sequence[FileLanding]) -> None:
        """After a sudden end: remove what lies about, and put back a human's save that was displaced at that moment.

        Raises:
            LandingConflictError: It could not be put back.
            OSError: As before.
        """
        owners = {_key(file): file for file in files}
        for temp in self._leftovers(files):
            file = owners.get(temp.name.removeprefix(TEMP_PREFIX).split("-")[0])
            if temp.name.startswith(_NEW):
                self.drop([temp])
            elif file is not None:
                found = regular(temp)
                if found is not None and content_hash(found[0]) in {file.before, file.after}:
                    self.drop([temp])
                else:
                    self._give_back(file, temp)

    def _give_back(self, file: FileLanding, temp: Path) -> None:
        """What was displaced is nothing of ours: it takes its place again, unless somebody saved there since."""
        state = self.state(file)
        ours = file.after if state == "after" else file.before
        if state == "other":
            self._keep(temp)
        elif ours is None:
            self.folders.make_way(self._root / file.path)
            self._disk.place(temp, self._root / file.path)
        else:
            self._swap_back(file, temp, ours)

    def _leftovers(self, files: Sequence[FileLanding]) -> list[Path]:
        """Temporary files near the places of a plan."""
        folders = {self._harbour(file.path) for file in files}
        folders |= {
            (self._root / file.path).parent for file in files if not look(self._root, file.path, self._paths).obstacle
        }
        return sorted(
            entry for folder in folders if is_folder(folder) for entry in folder.iterdir() if is_temp(entry.name)
        )


def reverse(file: FileLanding) -> FileLanding:
    """What takes one file of a plan back."""
    return msgspec.structs.replace(
        file,
        before=file.after,
        after=file.before,
        before_mode=file.after_mode,
        after_mode=file.before_mode,
        moved_from="",
        before_bits=file.after_bits,
        after_bits=file.before_bits,
    )


def _key(file: FileLanding) -> str:
    return hashlib.sha256(file.path.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _is(path: Path, digest: str | None, bits: int | None = None) -> bool:
    """Whether there is a regular file of that content, and with these permission bits where they are given."""
    found = regular(path)
    return found is not None and content_hash(found[0]) == digest and bits in {None, found[1]}


def changed(file: FileLanding, reason: str = "") -> LandingConflictError:
    """What is told when a file is not as it was when the landing was planned."""
    reason = reason or "was changed at the last moment"
    return LandingConflictError(f"{file.path}: {reason}.", (f"{file.path}: {reason}",))
