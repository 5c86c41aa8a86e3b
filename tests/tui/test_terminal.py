"""The real app in a real pseudo-terminal, with the real engine: type, decide, undo, kill, resume, quit."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import random
import re
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import pexpect
import pytest
from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread

from agent_core.events import Steered
from agent_core.fold import replay
from agent_core.journal import SqliteJournal
from agent_core.places import project_state
from agent_core.state import State
from tests.support.shop import MENDED, RIGHT_AT_ONCE, WRONG, make_quick_shop, theirs, tree
from tests.test_resume import write_script
from tui.terminal import Output

PATIENCE = 60.0
PROMPT = "hat should be changed"
F2, F3, F8 = "\x1bOQ", "\x1bOR", "\x1b[19~"
CTRL_Q, CTRL_Z = "\x11", "\x1a"
LEFT_ALTERNATE_SCREEN = re.escape("\x1b[?1049l")


@contextmanager
def terminal(project: Path, script: Path, size: tuple[int, int] = (40, 120)) -> Iterator[pexpect.spawn[str]]:
    """Pairloop in a terminal of its own; gone afterwards whatever happens."""
    # Test runners set these for their own output; Textual would take them for the terminal's size.
    environ = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    child = pexpect.spawn(
        sys.executable,
        ["-m", "tui", "--script", str(script)],
        cwd=str(project),
        env={**environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"},
        dimensions=size,
        encoding="utf-8",
        codec_errors="replace",
        timeout=PATIENCE,
    )
    try:
        yield child
    finally:
        child.close(force=True)


def state_of(project: Path) -> State:
    """What is true of the project's last session, read from the journal beside the app that writes it."""
    journal = SqliteJournal(project_state(project) / "journal.db")
    try:
        sessions = journal.sessions()
        return replay(journal.entries(sessions[0].id)) if sessions else State()
    finally:
        journal.close()


def press_until(child: pexpect.spawn[str], key: str, true: Callable[[], bool]) -> None:
    """Press a key until it takes effect: for half a second a question takes none."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        child.send(key)
        again = time.monotonic() + 1.0
        # Much that is drawn is read in many pieces, in no time at all.
        while time.monotonic() < again:
            child.expect([pexpect.TIMEOUT, ".+"], timeout=0.1)
            if true():
                return
    pytest.fail(f"{key!r} never took effect")


def drawing_until(child: pexpect.spawn[str], true: Callable[[], bool]) -> None:
    """Let it go on, taking what it draws, until something is true."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            pytest.fail("it never came true")
        child.expect([pexpect.TIMEOUT, ".+"], timeout=0.1)


def streaming_script(path: Path, piece_ms: float = 4.0) -> Path:
    """A partner that says 240 kB, at some 3,000 characters a second."""
    turns = [{"text": "Word after word, and **more** of them.\n\n" * 6000}]
    path.write_text(json.dumps({"name": "talks", "piece_ms": piece_ms, "turns": turns}))
    return path


def steered(project: Path) -> list[str]:
    """What was said to the partner while it worked."""
    journal = SqliteJournal(project_state(project) / "journal.db")
    try:
        sessions = journal.sessions()
        entries = list(journal.entries(sessions[0].id)) if sessions else []
        return [entry.event.text for entry in entries if isinstance(entry.event, Steered)]
    finally:
        journal.close()


def quit_app(child: pexpect.spawn[str]) -> None:
    child.send(CTRL_Q)
    child.expect(LEFT_ALTERNATE_SCREEN)
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_quick_shop(tmp_path / "shop")


@pytest.mark.parametrize("size", [(24, 80), (50, 200)])
def test_a_task_from_prompt_to_undo(project: Path, tmp_path: Path, size: tuple[int, int]) -> None:
    script = write_script(tmp_path / "script.json", WRONG, RIGHT_AT_ONCE)
    before = tree(project)
    prices = project / "shop/prices.py"
    with terminal(project, script, size) as child:
        child.expect(PROMPT)
        child.send("test_total fails\r")
        drawing_until(child, lambda: state_of(project).waiting == 1)
        assert tree(project) == before
        press_until(child, F3, lambda: "Enter alone" in str(child.after) or "Enter alone" in str(child.before))
        child.send("do not guess\r")
        drawing_until(child, lambda: state_of(project).waiting == 2)
        assert state_of(project).proposals[0].reason == "do not guess"
        press_until(child, F2, lambda: state_of(project).undoable is not None)
        assert prices.read_text() == MENDED
        drawing_until(child, lambda: state_of(project).task is None)
        press_until(child, F8, lambda: state_of(project).undoable is None)
        assert theirs(project) == before
        quit_app(child)
    assert "Traceback" not in (child.before or "")


def test_killed_and_resumed(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    before = tree(project)
    with terminal(project, script) as child:
        child.expect(PROMPT)
        child.send("test_total fails\r")
        drawing_until(child, lambda: state_of(project).waiting == 1)
        child.kill(signal.SIGKILL)
        child.expect(pexpect.EOF)
    assert tree(project) == before
    last = state_of(project)
    with terminal(project, script) as child:
        child.expect("test_total fails")
        press_until(child, F2, lambda: len(state_of(project).chat) > len(last.chat))
        # Where it took more than one, the last may have accepted the proposal.
        drawing_until(child, lambda: state_of(project).waiting == 1 or state_of(project).undoable is not None)
        press_until(child, F2, lambda: state_of(project).undoable is not None)
        assert (project / "shop/prices.py").read_text() == MENDED
        assert state_of(project).session == last.session
        quit_app(child)


def test_what_is_typed_before_the_engine_is_ready_is_kept(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    with terminal(project, script) as child:
        child.expect(PROMPT)
        # The first paint is long before the engine is open.
        child.send("test_total fails\r")
        drawing_until(child, lambda: state_of(project).waiting == 1)
        # Columns and rows that there were none of before.
        child.setwinsize(50, 200)
        child.expect(r"\x1b\[50;")
        quit_app(child)


SIZES = [(5, 20), (100, 300), (24, 80), (10, 40), (60, 40), (12, 250), (2, 300), (100, 8), (40, 120)]


def test_any_size(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    with terminal(project, script) as child:
        child.expect(PROMPT)
        child.send("test_total fails\r")
        drawing_until(child, lambda: state_of(project).waiting == 1)
        for rows, columns in SIZES:
            child.setwinsize(rows, columns)
            # Where it is too small that is said; else the bars are at the bottom.
            child.expect("Too" if rows < 10 or columns < 40 else rf"\x1b\[{rows - 1};")
        chance = random.Random(5)
        for _ in range(30):
            child.setwinsize(chance.randint(1, 60), chance.randint(1, 200))
        child.setwinsize(40, 120)
        press_until(child, F2, lambda: state_of(project).undoable is not None)
        assert (project / "shop/prices.py").read_text() == MENDED
        quit_app(child)
    assert "Traceback" not in (child.before or "")


def test_what_is_typed_fast_while_an_answer_streams_arrives_in_order(project: Path, tmp_path: Path) -> None:
    chance = random.Random(7)
    words = " ".join("".join(chance.choices("abcdefghijklmnopqrstuvwxyzäöü中", k=7)) for _ in range(40))
    with terminal(project, streaming_script(tmp_path / "script.json")) as child:
        child.expect(PROMPT)
        child.send("talk\r")
        child.expect("Word after word")
        for at in range(0, len(words), 3):
            child.send(words[at : at + 3])
        child.send("\r")
        drawing_until(child, lambda: steered(project) == [words])
        quit_app(child)


def test_five_thousand_lines_are_pasted_and_sent_whole(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    lines = [f"line {number} of what was pasted, with ümläuts" for number in range(5000)]
    with terminal(project, script) as child:
        child.expect(PROMPT)
        # A terminal sends the lines of a paste as Enter does.
        child.send("see \x1b[200~" + "\r".join(lines) + "\x1b[201~")
        child.expect("5,000.lines")
        child.send("please\r")
        drawing_until(child, lambda: bool(state_of(project).tasks))
        text = "\n".join(lines)
        assert state_of(project).tasks[0].text == f"see {text} please"
        quit_app(child)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_whoever_ends_it_gets_the_terminal_back(project: Path, tmp_path: Path, number: signal.Signals) -> None:
    with terminal(project, streaming_script(tmp_path / "script.json")) as child:
        child.expect(PROMPT)
        child.send("talk\r")
        child.expect("Word after word")
        child.kill(number)
        child.expect(LEFT_ALTERNATE_SCREEN)
        child.expect(pexpect.EOF)
        child.wait()
        assert child.exitstatus == 128 + number
        assert "Traceback" not in (child.before or "")
    assert [task.text for task in state_of(project).tasks] == ["talk"]


def test_whoever_writes_to_a_terminal_that_went_away_is_not_kept_waiting() -> None:
    here, there = pty.openpty()
    os.close(here)
    with contextlib.closing(Output(os.fdopen(there, "w", closefd=False))) as output:
        writer = WriterThread(cast("IO[str]", output))
        writer.start()

        def much() -> None:
            for _ in range(4 * MAX_QUEUED_WRITES):
                writer.write("x" * 10_000)
            writer.stop()

        thread = threading.Thread(target=much, daemon=True)
        thread.start()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert output.gone
    os.close(there)


def test_a_terminal_that_goes_away_takes_the_app_along(project: Path, tmp_path: Path) -> None:
    script = streaming_script(tmp_path / "script.json")
    pid, terminal_ = pty.fork()
    if pid == 0:
        os.chdir(project)
        os.environ["TERM"] = "xterm-256color"
        os.execv(sys.executable, [sys.executable, "-m", "tui", "--script", str(script)])
    seen = b""
    ended = status = 0
    deadline = time.monotonic() + PATIENCE

    def until(words: bytes) -> None:
        nonlocal seen
        while words not in seen:
            assert time.monotonic() < deadline, seen[-500:]
            seen += os.read(terminal_, 65536)

    try:
        until(PROMPT.encode())
        os.write(terminal_, b"talk\r")
        until(b"Word after word")
        os.close(terminal_)
        while not ended:
            assert time.monotonic() < deadline, "it is still there, and nobody can open its session"
            ended, status = os.waitpid(pid, os.WNOHANG)
            time.sleep(0.02)
        assert os.waitstatus_to_exitcode(status) == 128 + signal.SIGHUP
    finally:
        if not ended:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    assert [task.text for task in state_of(project).tasks] == ["talk"]


def test_stopped_and_brought_back(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    environ = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "PS1": "the-shell> ", "ENV": ""}
    shell = pexpect.spawn("/bin/sh", ["-i"], cwd=str(project), env=environ, dimensions=(40, 120), encoding="utf-8")
    shell.timeout = PATIENCE
    try:
        shell.expect("the-shell> ")
        shell.sendline(shlex.join([sys.executable, "-m", "tui", "--script", str(script)]))
        shell.expect(PROMPT)
        shell.send("half a")
        shell.expect("half a")
        shell.send(CTRL_Z)
        shell.expect(LEFT_ALTERNATE_SCREEN)
        shell.expect("the-shell> ")
        shell.sendline("echo st''opped")
        shell.expect("stopped")
        shell.sendline("fg")
        shell.expect(re.escape("\x1b[?1049h"))
        shell.expect("half a")
        shell.send(" thought\r")
        drawing_until(shell, lambda: bool(state_of(project).tasks))
        assert state_of(project).tasks[0].text == "half a thought"
        shell.send(CTRL_Q)
        shell.expect(LEFT_ALTERNATE_SCREEN)
        shell.expect("the-shell> ")
    finally:
        shell.close(force=True)
