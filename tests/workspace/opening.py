"""Opening projects under a given mechanism, in tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pytest

from agent_core.config_tables import Config, SandboxConfig
from agent_core.errors import SandboxError
from agent_core.workspace.project import Project, open_project
from agent_core.workspace.tree import FileChange
from tests.projects import make_project, write_files

Kind = Literal["bubblewrap", "unshare", "copy"]
OVERLAYS: tuple[Kind, ...] = ("bubblewrap", "unshare")
KINDS: tuple[Kind, ...] = (*OVERLAYS, "copy")


async def open_with(root: Path, kind: Kind, *, home: Path | None = None, network: bool = False) -> Project:
    """Open a project under one mechanism; skips the test where that does not work."""
    environ = {**os.environ, **({"HOME": str(home)} if home else {})}
    config = Config(sandbox=SandboxConfig(candidate=kind, network=network))
    try:
        return await open_project(root, config, environ)
    except SandboxError as error:
        pytest.skip(str(error))


def contents(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every file, link and folder below a folder with its mode and bytes."""
    found = {}
    for path in sorted(root.rglob("*")):
        data = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        found[str(path.relative_to(root))] = (path.lstat().st_mode, data)
    return found


def put(text: str, mode: int = 0o100644) -> FileChange:
    """A change that writes a text."""
    return FileChange(text.encode(), mode)


def make_sample(tmp_path: Path) -> Path:
    """A repository with a path that needs quoting, and files that git does not track."""
    root = make_project(
        tmp_path / "a project: one, two",
        {
            "pkg/__init__.py": "",
            "pkg/one.py": "ONE = 1\n",
            "pkg/two.py": "TWO = 2\n",
            "old/only.py": "",
            "top.txt": "t\n",
        },
    )
    write_files(root, {".gitignore": ".env\n.venv/\n", ".env": "LOCAL=1\n", ".venv/lib/dep.py": "DEP = 1\n"})
    write_files(root, {"untracked.txt": "new\n"})
    return root
