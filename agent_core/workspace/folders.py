"""The folders that a landing makes for its files, and removes when it leaves them empty."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from agent_core.workspace.disk import FileSystem, is_folder


def is_bare(path: Path) -> bool:
    """Whether there is a folder with nothing in it, or nothing but such folders."""
    if not is_folder(path):
        return False
    return not any(
        files or any((Path(here) / name).is_symlink() for name in folders) for here, folders, files in os.walk(path)
    )


class Folders:
    """Makes and removes folders; one that is made again gets the permissions it had.

    Args:
        root: The project's folder.
        disk: Carries out the effects.
    """

    def __init__(self, root: Path, disk: FileSystem) -> None:
        self._root = root
        self._disk = disk
        self._bits: dict[Path, int] = {}
        self._made: list[Path] = []

    def make_way(self, target: Path) -> None:
        """Remove the empty folder in a file's place, and make the folders above it.

        Raises:
            OSError: It is not empty, or cannot be done.
        """
        if is_folder(target):
            for name, _, _ in os.walk(target, topdown=False):
                self._remove(Path(name))
        missing = []
        folder = target.parent
        while not is_folder(folder):
            missing.append(folder)
            folder = folder.parent
        for folder in reversed(missing):
            self._disk.make_dir(folder, self._bits.get(folder))
            self._made.append(folder)

    def _remove(self, folder: Path) -> None:
        bits = stat.S_IMODE(folder.lstat().st_mode)
        self._disk.remove_dir(folder)
        self._bits[folder] = bits

    def unmake(self) -> None:
        """Remove the folders that were made, where they are empty."""
        for folder in reversed(self._made):
            with contextlib.suppress(OSError):
                self._disk.remove_dir(folder)
        self._made.clear()

    def remove_empty(self, paths: Iterable[str]) -> set[Path]:
        """Remove the empty folders above some paths; gives the folders whose entries changed."""
        changed = set()
        for path in paths:
            folder = (self._root / path).parent
            while folder != self._root:
                try:
                    if is_folder(folder):
                        self._remove(folder)
                        changed.add(folder.parent)
                except OSError:
                    # Not empty, or not ours to remove.
                    break
                folder = folder.parent
        return changed

    def settle(self, touched: Iterable[Path], removed: Iterable[str]) -> None:
        """Remove the empty folders above removed files, and wait until all entries are on the disk.

        Args:
            touched: Folders whose entries changed.
            removed: Paths of files that were removed.
        """
        for folder in sorted({*touched, *(made.parent for made in self._made), *self.remove_empty(removed)}):
            # It may be gone again; and where a folder can't be synced a rename is as durable as that file system is.
            with contextlib.suppress(OSError):
                self._disk.sync_dir(folder)
