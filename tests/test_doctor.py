"""What the doctor says of tools that behave oddly; the whole report is tried from the command line."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from agent_core import doctor
from agent_core.config_tables import Config, PartnerConfig
from agent_core.doctor import Entry, _tool, examine, render
from agent_core.keys.file import KeyEntry, KeyFile
from agent_core.keys.finding import KeyFinder
from agent_core.partners.discovery import Found
from agent_core.partners.presets import presets
from agent_core.partners.several import Partners
from agent_core.places import project_state
from agent_core.process import Completed, run
from agent_core.workspace.interpreter import Interpreter
from tests.projects import make_project
from tests.support.model_server import ModelServer


async def plainly(argv: Sequence[str]) -> Completed:
    return await run(argv, cwd=Path("/"), timeout=30)


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
    entry = await _tool("ruff", Interpreter(tmp_path / "bin/python", ".venv", tmp_path), plainly)
    assert (entry.level, entry.name) == (level, "ruff")
    assert entry.text.startswith(text)


async def test_a_tool_that_is_no_program(tmp_path: Path) -> None:
    tool = tmp_path / "bin" / "mypy"
    tool.parent.mkdir()
    tool.write_bytes(b"\x00\x01")
    tool.chmod(0o755)
    entry = await _tool("mypy", Interpreter(tmp_path / "bin/python", ".venv", tmp_path), plainly)
    assert entry.level == "weak"
    assert entry.text.startswith("cannot be started: ")


def test_the_report_shows_no_escapes_of_others() -> None:
    said = render((Entry("weak", "git", "main\x1b[2J", "one\ntwo"), Entry("good", "partner", "x")))
    assert said.split("\n")[1:] == ["! git      main␛[2J", "           → one", "           → two", "✓ partner  x", ""]


async def test_a_projects_own_tools_are_shut_in_and_see_no_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_project(tmp_path / "p", {"a.py": "", ".gitignore": ".venv/\n"})
    tool = root / ".venv" / "bin" / "ruff"
    tool.parent.mkdir(parents=True)
    (root / ".venv" / "pyvenv.cfg").write_text(f"home = {Path(sys.base_prefix) / 'bin'}\n")
    (root / ".venv" / "bin" / "python").symlink_to(sys.executable)
    tool.write_text(f'#!/bin/sh\ntouch {root}/left-behind\necho "key=$OPENAI_API_KEY"\n')
    tool.chmod(0o755)
    report = await examine(
        root, {}, {**os.environ, "OPENAI_API_KEY": "sk-secret", "OPENAI_BASE_URL": "http://[::1]:9/v1"}
    )
    (ruff,) = [entry for entry in report if entry.name == "ruff"]
    assert ruff.text == "key= (the project's)"
    assert not (root / "left-behind").exists()


async def test_the_checks_that_judge_here(tmp_path: Path) -> None:
    files = {"Makefile": "lint:\n\truff check .\ntest:\n\t./selftest\n", "pairloop.toml": '[checks]\noff = ["mypy"]\n'}
    root = await asyncio.to_thread(make_project, tmp_path / "p", files)
    report = await examine(root, {}, {**os.environ, "OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://[::1]:9/v1"})
    (checks,) = [entry for entry in report if entry.name == "checks"]
    assert (checks.level, checks.text) == ("good", "syntax, ruff, pytest, make-test")
    assert checks.hint == "`pairloop check --list` says why these are off: mypy, make-lint"


async def test_what_is_kept_is_for_its_owner_only(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.py": ""})
    project_state(root).mkdir(parents=True, mode=0o755)
    await examine(root, {}, os.environ)
    assert project_state(root).stat().st_mode & 0o777 == 0o700


async def test_where_the_key_was_found() -> None:
    environ: dict[str, str] = {}
    settings = PartnerConfig(base_url="http://[::1]:9/v1", model="m")

    async def key() -> str:
        partners = Partners(Config(partner=settings), environ, KeyFinder(environ))
        [entry] = await doctor._key(partners.settings(""), partners, "")
        return entry.text

    assert await key() == "none, and none is sent"
    file = KeyFile()
    file.put("[::1]:9", KeyEntry("sk-0123456789abcdef"))
    assert await key() == f"from {file.path}"
    environ["OPENAI_API_KEY"] = "sk-fedcba9876543210"
    assert await key() == "from $OPENAI_API_KEY"


async def test_what_listens_on_this_machine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ModelServer(models=("small",)) as server:
        preset = msgspec.structs.replace(presets()["ollama"], base_url=server.base_url)

        async def look() -> tuple[Found, ...]:
            return (Found(preset, ("small",)), Found(presets()["litellm"], closed=True))

        monkeypatch.setattr(doctor, "discover", look)
        told = await doctor._partner(Config(partner=PartnerConfig(base_url=server.base_url)), {})
    found = [entry for entry in told if entry.name == "found here"]
    assert [entry.hint for entry in found] == ["pairloop --partner ollama", "pairloop --partner litellm"]
    assert found[0].text.startswith("Ollama at 127.0.0.1:")
    assert told[0].level == "good"
