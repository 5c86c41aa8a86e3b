"""The real app in a real pseudo-terminal, with the real engine: type, decide, undo, kill, resume, quit."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from tests.support.shop import MENDED, RIGHT_AT_ONCE, WRONG, make_shop, tree
from tests.test_resume import write_script

PROMPT = "hat should be changed"
F2, F3, F4, F8 = "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[19~"
CTRL_Q = "\x11"
LEFT_ALTERNATE_SCREEN = re.escape("\x1b[?1049l")


@contextmanager
def terminal(project: Path, script: Path, size: tuple[int, int] = (40, 120)) -> Iterator[pexpect.spawn[str]]:
    """Pairloop in a terminal of its own; gone afterwards whatever happens."""
    child = pexpect.spawn(
        sys.executable,
        ["-m", "tui", "--script", str(script)],
        cwd=str(project),
        env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"},
        dimensions=size,
        encoding="utf-8",
        timeout=60,
    )
    try:
        yield child
    finally:
        child.close(force=True)


def decide(child: pexpect.spawn[str], key: str, done: str) -> None:
    """Press a decision key until it takes effect: for half a second a question takes none."""
    for _ in range(100):
        child.send(key)
        if child.expect([done, pexpect.TIMEOUT], timeout=0.3) == 0:
            return
    pytest.fail(f"{done!r} never came")


def drawing_until(child: pexpect.spawn[str], true: Callable[[], bool]) -> None:
    """Let it go on, taking what it draws, until something is true."""
    for _ in range(600):
        if true():
            return
        child.expect([pexpect.TIMEOUT, ".+"], timeout=0.1)
    pytest.fail("it never came true")


def quit_app(child: pexpect.spawn[str]) -> None:
    child.send(CTRL_Q)
    child.expect(LEFT_ALTERNATE_SCREEN)
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = make_shop(tmp_path / "shop")
    (root / "pairloop.toml").write_text('[checks]\noff = ["mypy", "pytest"]\n')
    return root


@pytest.mark.parametrize("size", [(24, 80), (50, 200)])
def test_a_task_from_prompt_to_undo(project: Path, tmp_path: Path, size: tuple[int, int]) -> None:
    script = write_script(tmp_path / "script.json", WRONG, RIGHT_AT_ONCE)
    before = tree(project)
    with terminal(project, script, size) as child:
        child.expect(PROMPT)
        child.send("test_total fails\r")
        child.expect("waits for you")
        assert tree(project) == before
        decide(child, F3, "Enter alone")
        child.send("do not guess\r")
        child.expect("waits for you")
        decide(child, F2, "Landed|landing 1|F8")
        child.expect("ready")
        assert (project / "shop/prices.py").read_text() == MENDED
        child.send(F8)
        drawing_until(child, lambda: tree(project) == before)
        quit_app(child)
    assert "Traceback" not in (child.before or "")


def test_killed_and_resumed(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    before = tree(project)
    with terminal(project, script) as child:
        child.expect(PROMPT)
        child.send("test_total fails\r")
        child.expect("waits for you")
        child.kill(signal.SIGKILL)
        child.expect(pexpect.EOF)
    assert tree(project) == before
    with terminal(project, script) as child:
        child.expect("test_total fails")
        decide(child, F2, "waits for you")
        decide(child, F2, "F8")
        child.expect("ready")
        assert (project / "shop/prices.py").read_text() == MENDED
        quit_app(child)


def test_what_is_typed_before_the_engine_is_ready_is_kept(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    with terminal(project, script) as child:
        child.expect(PROMPT)
        # The first paint is long before the engine is open.
        child.send("test_total fails\r")
        child.expect("waits for you")
        child.setwinsize(24, 80)
        child.expect("1 chat")
        child.setwinsize(50, 200)
        child.expect("checks")
        quit_app(child)
