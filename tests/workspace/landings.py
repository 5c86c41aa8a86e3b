"""Trees on disk and patches between them, for the tests of landings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from agent_core.journal import SqliteJournal
from agent_core.patch.diff import make_patch
from agent_core.patch.model import Patch
from agent_core.workspace.landing import Lander
from agent_core.workspace.tree import FileChange

Tree = Mapping[str, bytes | FileChange]


def change(data: bytes | FileChange) -> FileChange:
    return FileChange(data) if isinstance(data, bytes) else data


def lay_out(root: Path, tree: Tree) -> Path:
    """Write a tree to disk."""
    root.mkdir(parents=True, exist_ok=True)
    for name, data in tree.items():
        file = change(data)
        assert file.data is not None
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
        path.chmod(file.mode & 0o777)
    return root


def look_at(root: Path) -> dict[str, tuple[bytes, int] | str]:
    """Everything below a folder: contents and modes of files, folders, links."""
    found: dict[str, tuple[bytes, int] | str] = {}
    for folder, folders, files in os.walk(root):
        for name in folders:
            path = Path(folder) / name
            found[path.relative_to(root).as_posix()] = "link" if path.is_symlink() else "folder"
        for name in files:
            path = Path(folder) / name
            here = path.relative_to(root).as_posix()
            found[here] = "link" if path.is_symlink() else (path.read_bytes(), path.stat().st_mode & 0o777)
    return found


def patch_between(journal: SqliteJournal, old: Tree, new: Tree, moves: Mapping[str, str] | None = None) -> Patch:
    """The patch from one tree to another, with its contents in the journal."""
    before = {path: change(data) for path, data in old.items()}
    after = {path: change(data) for path, data in new.items()}
    for file in [*before.values(), *after.values()]:
        if file.data is not None:
            journal.put(file.data)
    changes = {path: after.get(path, FileChange(None)) for path in before.keys() | after.keys()}
    changes = {path: file for path, file in changes.items() if before.get(path) != file}
    return make_patch(changes, before.get, moves or {})


def lander_for(root: Path, journal: SqliteJournal) -> Lander:
    return Lander(root, journal, root.parent / "lock")
