"""What the doctor says of tools that behave oddly; the whole report is tried from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_core.doctor import Entry, _tool, render
from agent_core.workspace.interpreter import Interpreter


@pytest.mark.parametrize(
    ("script", "level", "text"),
    [
        ("echo ruff 9.9; echo more", "good", "ruff 9.9 (the project's)"),
        (":", "good", "says no version (the project's)"),
        ("exit 3", "weak", "does not run with"),
    ],
)
async def test_a_tool_of_the_project(tmp_path: Path, script: str, level: str, text: str) -> None:
    tool = tmp_path / "bin" / "ruff"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    entry = await _tool("ruff", Interpreter(tmp_path / "bin/python", ".venv", tmp_path))
    assert (entry.level, entry.name) == (level, "ruff")
    assert entry.text.startswith(text)


async def test_a_tool_that_is_no_program(tmp_path: Path) -> None:
    tool = tmp_path / "bin" / "mypy"
    tool.parent.mkdir()
    tool.write_bytes(b"\x00\x01")
    tool.chmod(0o755)
    entry = await _tool("mypy", Interpreter(tmp_path / "bin/python", ".venv", tmp_path))
    assert entry.level == "weak"
    assert entry.text.startswith("cannot be started: ")


def test_the_report_shows_no_escapes_of_others() -> None:
    said = render((Entry("weak", "git", "main\x1b[2J", "one\ntwo"), Entry("good", "partner", "x")))
    assert said.split("\n")[1:] == ["! git      main␛[2J", "           → one", "           → two", "✓ partner  x", ""]
