"""A tree as the operations of a patch have left it so far."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

from agent_core.patch.names import Names
from agent_core.workspace.tree import Changes, FileChange, Reader


class File(msgspec.Struct, frozen=True):
    """A file of a tree.

    Attributes:
        data: What it holds.
        mode: Its mode.
        origin: The name it had in the tree at first; empty when the patch has added it.
    """

    data: bytes
    mode: int
    origin: str


class Stage:
    """The files of a tree, some of which have become something else.

    Attributes:
        names: The names of its files.

    Args:
        root: The project's folder.
        read: Gives a file of the tree at first, None when it is not there.
        paths: Names of the tree's files at first.
    """

    def __init__(self, root: Path, read: Reader, paths: Collection[str]) -> None:
        self.names = Names(paths)
        self._root = root
        self._read = read
        self._files: dict[str, File | None] = {}

    def before(self, path: str) -> File | None:
        """A file as the tree had it at first, under exactly this name."""
        found = self._read(path)
        if found is None or found.data is None:
            return None
        if not self.names.is_old(path):
            # Where case does not count, the disk answers for a name that is another file's.
            other = self.names.alike(path)
            if other and _is_same_file(self._root / path, self._root / other):
                return None
        return File(found.data, found.mode, path)

    def get(self, path: str) -> File | None:
        """A file as it is now."""
        return self._files[path] if path in self._files else self.before(path)

    def touched(self, path: str) -> bool:
        """Whether anything has been done to a path."""
        return path in self._files

    def put(self, path: str, file: File | None) -> None:
        """Make a path a file, or nothing."""
        self._files[path] = file
        if file is None:
            self.names.remove(path)
        else:
            self.names.add(path)

    def changes(self) -> dict[str, FileChange]:
        """Every path that is not as it was at first, sorted."""
        changes: dict[str, FileChange] = {}
        for path, file in sorted(self._files.items()):
            before = self.before(path)
            if file is None and before is not None:
                changes[path] = FileChange(None, 0)
            elif file is not None and (before is None or (before.data, before.mode) != (file.data, file.mode)):
                changes[path] = FileChange(file.data, file.mode)
        return changes

    def moves(self, changes: Changes) -> dict[str, str]:
        """New name to old name, where the new one was free at first and the old one is free now."""
        moves = {}
        for path in changes:
            file = self._files[path]
            origin = file.origin if file is not None else ""
            left = origin not in {"", path} and origin in changes and changes[origin].data is None
            if left and self.before(path) is None:
                moves[path] = origin
        return moves


def _is_same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
