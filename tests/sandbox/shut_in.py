"""Running commands shut in, in tests."""

from __future__ import annotations

import os
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from agent_core.config_tables import Config, SandboxConfig
from agent_core.errors import SandboxError
from agent_core.process import Completed
from agent_core.workspace.project import Project, open_project
from tests.projects import make_project
from tests.workspace.opening import OVERLAYS, Kind, put

SECRET = "hunter2-the-secret"

overlays = pytest.mark.parametrize("kind", OVERLAYS)


async def opened(root: Path, kind: Kind, home: Path, environ: dict[str, str] | None = None, **sandbox: Any) -> Project:
    """Open a project; skips the test where the mechanism does not work."""
    if not root.exists():
        make_project(root, {"a.py": "A = 1\n"})
    environ = {**os.environ, "HOME": str(home), **(environ or {})}
    try:
        return await open_project(root, Config(sandbox=SandboxConfig(candidate=kind, **sandbox)), environ)
    except SandboxError as error:
        pytest.skip(str(error))


async def run_in(project: Project, *argv: str, timeout: float = 60) -> Completed:
    candidate = await project.candidate(await project.snapshot(), {"new.txt": put("n\n")}, cache="c")
    try:
        return await candidate.run(argv, timeout=timeout)
    finally:
        await candidate.close()


async def python(project: Project, code: str, *arguments: str, timeout: float = 60) -> Completed:
    """Run a piece of Python in a candidate."""
    return await run_in(project, str(project.interpreter.python), "-c", dedent(code), *arguments, timeout=timeout)
