"""Opening projects under a given mechanism, in tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pytest

from agent_core.config import Config, SandboxConfig
from agent_core.errors import SandboxError
from agent_core.workspace.project import Project, open_project

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
