"""Which folders of a project are watched: those in which a file would count, and where git keeps what it is doing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from agent_core.errors import SandboxError
from agent_core.workspace.ignore import DEFAULT_IGNORED, Kind, Lister

GIT = ".git/"
"""What stands before git's own names wherever its folder is."""

# What tells that git has moved, or follows other rules from now on; all else is its own business.
_TELLING = frozenset(
    {
        *("HEAD", "ORIG_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD", "BISECT_LOG"),
        *("index", "rebase-merge", "rebase-apply", "sequencer", "config", "info/exclude"),
    }
)
# Of these it depends which files count.
_RULES = frozenset({"index", "config", "info/exclude"})


class Ground(msgspec.Struct, frozen=True):
    """What is watched.

    Attributes:
        folders: Folders of the project.
        git: Folders of git's, each with what its names begin with.
    """

    folders: frozenset[Path]
    git: tuple[tuple[Path, str], ...] = ()

    @property
    def places(self) -> tuple[Path, ...]:
        """All folders that can be watched, each for itself."""
        wanted = {*self.folders, *(folder for folder, _ in self.git)}
        return tuple(sorted(folder for folder in wanted if os.access(folder, os.R_OK | os.X_OK)))


def is_rule(path: str) -> bool:
    """Whether it depends on a path which files count."""
    return path.rpartition("/")[2] == ".gitignore" or (path.startswith(GIT) and path[len(GIT) :] in _RULES)


def tells(name: str) -> bool:
    """Whether a name below git's folder is worth a word."""
    return name in _TELLING


class Watched:
    """Finds the folders to watch.

    Args:
        root: The project's folder.
        state: The project's state folder.
    """

    def __init__(self, root: Path, state: Path) -> None:
        self._root = root
        self._lister = Lister(root, state)
        self._kind: Kind = "folder"

    async def all(self) -> Ground:
        """Everything there is to watch.

        Raises:
            SandboxError: git cannot list the files.
        """
        listing = await self._lister.files()
        self._kind = listing.kind
        names, git = await asyncio.gather(asyncio.to_thread(_parents, listing.paths), self._git())
        # A folder without files that count may get one.
        empty = await self._below([name for name in await self._lister.new_folders(self._kind) if name not in names])
        folders = await asyncio.to_thread(self._real, names | empty)
        return Ground(folders, git)

    async def new(self, folders: Iterable[Path]) -> frozenset[Path]:
        """The folders to watch at and below some that have just come; none for what git ignores."""
        names = [folder.relative_to(self._root).as_posix() for folder in folders]
        return await asyncio.to_thread(self._real, await self._below(names))

    async def _below(self, names: Iterable[str]) -> set[str]:
        """Folders with all that are below them, without those that git ignores: one level after the other."""
        found: set[str] = set()
        level = [name for name in names if DEFAULT_IGNORED.isdisjoint(name.split("/"))]
        while level:
            ignored = await self._lister.ignored_folders(self._kind, level)
            kept = [name for name in level if name not in ignored]
            found.update(kept)
            level = await asyncio.to_thread(self._subfolders, kept)
        return found

    def _subfolders(self, names: Iterable[str]) -> list[str]:
        found: list[str] = []
        for name in names:
            try:
                entries = list(os.scandir(self._root / name))
            except OSError:
                continue
            # A repository of its own, and all that is in it, is none of the project's files.
            if any(entry.name == ".git" for entry in entries):
                continue
            found.extend(
                f"{name}/{entry.name}"
                for entry in entries
                if entry.name not in DEFAULT_IGNORED and entry.is_dir(follow_symlinks=False)
            )
        return found

    def _real(self, names: Iterable[str]) -> frozenset[Path]:
        places = {self._root / name for name in names}
        return frozenset(place for place in places if place.is_dir() and not place.is_symlink())

    async def _git(self) -> tuple[tuple[Path, str], ...]:
        if self._kind != "repository":
            # A repository that is made now shows in the project's own folder.
            return ()
        try:
            own, common = await self._lister.git_folders()
        except SandboxError:
            # An old git; the usual place is good enough.
            own = common = self._root / ".git"
        return (
            ((own, ""), (common, ""), (common / "info", "info/"))
            if own != common
            else ((own, ""), (own / "info", "info/"))
        )


def _parents(paths: Iterable[str]) -> set[str]:
    names = {""}
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder not in names:
            names.add(folder)
            folder = folder.rpartition("/")[0]
    return names
