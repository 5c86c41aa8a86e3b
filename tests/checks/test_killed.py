"""A tool that is killed as it uses too much has not judged, and every check says why it was killed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_core.checks.command import CommandCheck
from agent_core.checks.mypy import MypyCheck
from agent_core.checks.pytest import PytestCheck
from agent_core.checks.ruff import RuffCheck
from agent_core.checks.runner import run_check
from agent_core.checks.settings import CommandConfig
from agent_core.checks.syntax import SyntaxCheck
from agent_core.config_tables import Config, SandboxConfig
from agent_core.protocols import Check
from agent_core.workspace.interpreter import Interpreter
from agent_core.workspace.project import open_project
from tests.projects import make_project
from tests.workspace.opening import put

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs a process tree that can be read")

# No process of it takes more than it may, all of them together do. What it says before must not count.
_GREEDY = f"""#!/bin/sh
exec {sys.executable} -S -c '
import os, signal
print("a.py:1: error: said before it was killed  [misc]", flush=True)
for _ in range(4):
    if not os.fork():
        kept = os.urandom(30 << 20)
        signal.pause()
signal.pause()
'
"""

_WHY = "killed: out of memory (limit 64 MB)"

Make = Callable[[Interpreter], Check]


@pytest.mark.parametrize(
    "make",
    [
        SyntaxCheck,
        RuffCheck,
        MypyCheck,
        PytestCheck,
        lambda _: CommandCheck("own", CommandConfig(run=".venv/bin/python", parse="gcc")),
        lambda _: CommandCheck("own", CommandConfig(run=(".venv/bin/python", "x"), ok_codes=(0, 1))),
    ],
)
async def test_every_check_says_why(tmp_path: Path, make: Make) -> None:
    root = make_project(tmp_path / "p", {"a.py": "A = 1\n", "test_a.py": "def test(): pass\n", ".gitignore": ".venv\n"})
    (root / ".venv/bin").mkdir(parents=True)
    (root / ".venv/pyvenv.cfg").write_text("home = /usr/bin\n")
    for name in ("python", "ruff"):
        (root / ".venv/bin" / name).write_text(_GREEDY)
        (root / ".venv/bin" / name).chmod(0o755)
    project = await open_project(root, Config(sandbox=SandboxConfig(memory="64 MB")), os.environ)
    candidate = await project.candidate(await project.snapshot(), {"a.py": put("A = 2\n")}, cache="c")
    try:
        said = await run_check(make(project.interpreter), candidate, "candidate", lambda _: None)
    finally:
        await candidate.close()
        await project.close()
    assert said.outcome == "error", said
    assert said.summary.count(_WHY) == 1, said.summary
    assert not said.findings
