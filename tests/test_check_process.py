"""`pairloop check` as a process: watching, interrupted, on a terminal."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pexpect
import pytest

from agent_core.places import project_state
from tests.projects import make_project, write_files
from tests.support.calling import call
from tests.support.checking import STUBBORN, TESTED, goes, kinds, unlikely
from tests.support.command_line import Process, pairloop
from tests.support.shop import QUICK_SETTINGS


@pytest.fixture(autouse=True)
def plain_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pytest of these projects does not load what else is installed here."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


async def verdict_of(process: Process) -> Any:
    line = await process.line()
    assert line, "it has ended"
    return json.loads(line)


async def lines_to_verdict(process: Process) -> list[str]:
    """What is told up to the last line of a verdict, that included."""
    lines: list[str] = []
    while not lines or not lines[-1].startswith(("✓ green", "✗ breaks", "! ")):
        lines.append((await process.line()).rstrip("\n"))
        assert lines[-1] or lines.count("") < 20, "it has ended"
    return lines


async def test_watching_judges_again_after_each_save(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.py": "", "pairloop.toml": QUICK_SETTINGS})
    async with pairloop(["check", "--watch", "--json"], root) as process:
        assert (await verdict_of(process))["verdict"] == "unbroken"
        (root / "a.py").write_text("import os\n")
        said = await verdict_of(process)
        assert (said["verdict"], kinds(said)) == ("broken", {"broken": ["F401"]})
        # Another time and the same content is no other tree, and a file that is ignored no news.
        (root / "a.py").touch()
        (root / "a.py").write_text("import os, re\n")
        said = await verdict_of(process)
        assert kinds(said)["broken"] == ["F401", "F401"]
        process.send(signal.SIGINT)
        code, out, err = await process.end()
    assert (code, out, err) == (1, "", "")


async def test_what_was_judged_before_is_shown_again(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.py": "", "pairloop.toml": QUICK_SETTINGS})
    async with pairloop(["check", "--watch"], root) as process:
        assert {line[:6].strip() for line in await lines_to_verdict(process)} == {"· synt", "✓ ruff", "", "✓ gree"}
        (root / "a.py").write_text("import os\n")
        assert (await lines_to_verdict(process))[-1].startswith("✗ breaks 1")
        (root / "a.py").write_text("")
        back = await lines_to_verdict(process)
        assert any(line.startswith("✓ ruff") and line.endswith("(earlier)") for line in back)
        process.send(signal.SIGINT)
        assert (await process.end())[0] == 0


async def test_what_is_superseded_ends_at_once(tmp_path: Path) -> None:
    number = unlikely(tmp_path)
    root = make_project(tmp_path / "p", {"a.py": "", "pairloop.toml": TESTED})
    write_files(root, {"test_bad.py": STUBBORN.format(number=number)})
    async with pairloop(["check", "--watch"], root) as process:
        # One line says that ruff and syntax are through; the test goes on for years.
        assert "✓" in await process.line()
        assert "✓" in await process.line()
        (root / "test_bad.py").write_text("def test_good():\n    pass\n")
        lines = await lines_to_verdict(process)
        assert lines[-1].startswith("✓ green: breaks nothing")
        assert any(one.startswith("✓ pytest") for one in lines)
        assert goes(number)
        process.send(signal.SIGINT)
        assert (await process.end())[0] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_interrupted_it_takes_everything_along(tmp_path: Path, number: signal.Signals) -> None:
    sleeps = unlikely(tmp_path)
    root = make_project(
        tmp_path / "p", {"a.py": "", "pairloop.toml": f"{QUICK_SETTINGS}\n[checks.long]\nrun = 'sleep {sleeps}'\n"}
    )
    async with pairloop(["check"], root) as process:
        assert "ruff" in (await process.line()) + (await process.line())
        process.send(number)
        code, out, err = await process.end()
    assert (code, out, err) == (130, "", "")
    assert goes(sleeps)
    assert not list((project_state(root) / "candidates").iterdir())


@pytest.mark.parametrize("settings", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_on_a_terminal_each_check_has_one_line(tmp_path: Path, settings: Mapping[str, str]) -> None:
    root = make_project(tmp_path / "p", {"a.py": "", "pairloop.toml": QUICK_SETTINGS})
    write_files(root, {"a.py": "import os\n"})
    environ = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", **settings}
    child = pexpect.spawn(
        sys.executable,
        ["-m", "tui", "check"],
        cwd=str(root),
        env=environ,
        dimensions=(30, 40),
        encoding="utf-8",
        codec_errors="replace",
        timeout=60,
    )
    try:
        child.expect(pexpect.EOF)
    finally:
        child.close()
    assert child.exitstatus == 1
    shown = child.before or ""
    assert ("\x1b[2A" in shown) == (settings.get("TERM") != "dumb"), "drawn again, two lines up"
    assert ("\x1b[31m" in shown) == (not settings)
    drawn = shown.rpartition("\x1b[2A")[2].replace("\x1b[K", "")
    assert sum("ruff  " in line for line in drawn.splitlines()) == 1
    assert "a.py:1: " in drawn


def test_help_tells_the_exit_codes() -> None:
    done = call(["check", "--help"], Path.cwd())
    assert done.code == 0
    assert all(f"  {code} " in done.out for code in (0, 1, 2, 5, 130))
    assert dedent("pairloop check --watch") in done.out
