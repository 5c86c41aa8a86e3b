"""What a folder's own git repository is known by without asking git, which takes some milliseconds each time."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

Mark = tuple[tuple[int, ...], ...]

_PARTS = ("HEAD", "objects", "refs")
_SETTINGS = ("config", "config.worktree")


def mark_of(root: Path) -> Mark | None:
    """What changes with all that makes a folder the top of a repository to git.

    That is its ``.git``, folder or file, the parts without which git takes it for none, and the settings that may say
    that its files are elsewhere. Whose it is may also be refused by the human's own settings: then git fails.

    Args:
        root: The folder.

    Returns:
        The mark; None where the folder has no repository of its own.
    """
    top = root / ".git"
    try:
        own = top.lstat()
        if not top.is_dir():
            return ((own.st_dev, own.st_ino, own.st_mode, own.st_uid, own.st_mtime_ns),)
        if not all(os.path.lexists(top / part) for part in _PARTS):
            return None
    except OSError:
        return None
    marks: list[tuple[int, ...]] = [(own.st_dev, own.st_ino, own.st_mode, own.st_uid)]
    for name in _SETTINGS:
        with contextlib.suppress(OSError):
            found = (top / name).stat()
            marks.append((found.st_ino, found.st_mtime_ns, found.st_size))
    return tuple(marks)
