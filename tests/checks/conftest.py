"""Real projects opened as pairloop opens them, and checks run in real candidates of them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from agent_core.checks.model import CheckResult, Wish
from agent_core.config_tables import Config
from agent_core.protocols import Candidate, Check
from agent_core.workspace.interpreter import Interpreter
from agent_core.workspace.project import Project, open_project
from agent_core.workspace.tree import FileChange
from tests.projects import make_project

Open = Callable[[Mapping[str, str]], Awaitable[Project]]
THIS_PYTHON = Interpreter(Path(sys.executable), "the tests' own", Path(sys.prefix))


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Makes a project of some files and opens it; its pytest does not load what else is installed here."""

    async def make(files: Mapping[str, str]) -> Project:
        root = await asyncio.to_thread(make_project, tmp_path / "project", files)
        return await open_project(root, Config(), {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})

    return make


def changes(files: Mapping[str, str | None]) -> dict[str, FileChange]:
    """Changes to texts; None deletes."""
    return {
        path: FileChange(None if text is None else dedent(text).lstrip("\n").encode()) for path, text in files.items()
    }


async def candidate_of(
    project: Project, files: Mapping[str, str | None] | None = None, *, cache: str = "candidate"
) -> Candidate:
    """A candidate of a project as it is, with changes over it."""
    return await project.candidate(await project.snapshot(), changes(files or {}), cache=cache)


async def run_one(check: Check, project: Project, files: Mapping[str, str | None] | None = None) -> CheckResult:
    """Judge a project with changes over it by one check."""
    candidate = await candidate_of(project, files)
    try:
        return await check.run(candidate, Wish())
    finally:
        await candidate.close()


def program(path: Path, text: str) -> None:
    """Write a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text).lstrip("\n"))
    path.chmod(0o755)
