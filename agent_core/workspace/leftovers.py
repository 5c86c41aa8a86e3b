"""Folders that belong to one process, and are removed by a later one where that could not do it itself."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from pathlib import Path

from agent_core.workspace.layering import remove_tree

_OWNED = re.compile(r"(?:run-)?(\d+)-")


def remove_leftovers(parent: Path) -> None:
    """Remove what belongs to processes that have died.

    Args:
        parent: Holds folders whose names begin with the number of the process that made them.
    """
    with contextlib.suppress(FileNotFoundError):
        for folder in parent.iterdir():
            owner = _OWNED.match(folder.name)
            if owner and int(owner[1]) != os.getpid() and not _alive(int(owner[1])) and not folder.is_symlink():
                remove_tree(folder)


def kept_folder(cache: Path, name: str) -> Path:
    """A folder of ours in a candidate's cache, which is made where it is not there.

    Commands may write to the cache. We write here from outside of the sandbox, so never through a link of theirs.

    Args:
        cache: The cache.
        name: The folder's name.
    """
    folder = cache / name
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        folder.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def run_folder(cache: Path, name: str) -> Path:
    """A new folder for one run within a `kept_folder`; what was left there by processes that were killed is removed.

    Args:
        cache: A candidate's cache.
        name: The name of the folder in which it is made.
    """
    parent = kept_folder(cache, name)
    remove_leftovers(parent)
    return Path(tempfile.mkdtemp(prefix=f"run-{os.getpid()}-", dir=parent))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
