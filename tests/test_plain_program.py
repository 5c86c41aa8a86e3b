"""The plain mode as a program: in a dumb terminal, killed and resumed, through pipes."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect
import pytest

from agent_core.build import Engine
from tests.projects import git
from tests.support.plain_talk import OBEYED, PATIENCE, patch_turn, script_of, settings
from tests.support.shop import MENDED, RIGHT, RIGHT_AT_ONCE, WRONG, make_quick_shop, make_shop, theirs, tree
from tests.test_resume import write_script
from tui.plain import life


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_quick_shop(tmp_path / "shop")


@contextmanager
def terminal(project: Path, script: Path, *, arguments: tuple[str, ...] = ("--plain",), **env: str) -> Iterator[Any]:
    """Pairloop in a terminal of its own; everything it wrote is looked at for what a terminal would obey."""
    written = io.StringIO()
    child = pexpect.spawn(
        sys.executable,
        ["-m", "tui", *arguments, "--script", str(script)],
        cwd=str(project),
        env={**os.environ, "TERM": "dumb", "LANG": "C.UTF-8", **env},
        encoding="utf-8",
        codec_errors="replace",
        timeout=60,
    )
    child.logfile_read = written
    child.delaybeforesend = None
    try:
        yield child
    finally:
        child.close(force=True)
    told = written.getvalue().replace("\r\n", "\n")
    # The terminal itself shows what is typed.
    assert not OBEYED.search(told), repr(OBEYED.search(told))


def answer(child: Any, text: str) -> None:
    """Type a line when the newest question takes answers."""
    # Whoever waits for the last line of a question has not waited for its grace.
    child.expect([pexpect.TIMEOUT, "\x00"], timeout=0.7)
    child.sendline(text)


def left(child: Any) -> int:
    child.expect("The session has ended")
    child.expect(pexpect.EOF)
    child.wait()
    return int(child.exitstatus)


def test_a_whole_session_in_a_dumb_terminal(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    (project / "pairloop.toml").write_text('[checks]\noff = ["mypy"]\n')
    script = write_script(tmp_path / "script.json", WRONG, RIGHT)
    before = tree(project)
    with terminal(project, script, arguments=()) as child:
        child.expect("Type a task")
        child.sendline("test_total fails")
        child.expect("Check pytest: failed")
        child.expect("Type a number")
        answer(child, "findings")
        child.expect("This proposal breaks:\r\n1. tests/test_prices.py::test_discount fails with")
        child.expect("such as: findings 1")
        child.sendline("findings 1")
        child.expect("assert 182 == 180")
        answer(child, "3")
        child.expect("Proposal 2 waits for your decision: Green")
        child.expect("Type a number")
        assert tree(project) == before
        answer(child, "4")
        child.expect("Do you take block 1")
        child.sendline("y")
        child.expect("Press enter to land")
        child.sendline("")
        child.expect("Landed proposal 2 as landing 1: shop/prices.py")
        assert (project / "shop/prices.py").read_text() == MENDED
        child.expect("Type undo to take landing 1 back")
        child.sendline("undo")
        child.expect("Took back landing 1")
        assert theirs(project) == before
        child.sendline("quit")
        assert left(child) == 0


def test_killed_and_resumed(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    with terminal(project, script) as child:
        child.expect("Type a task")
        child.sendline("mend total")
        child.expect("Proposal 1 waits")
        child.kill(signal.SIGKILL)
        child.expect(pexpect.EOF)
    with terminal(project, script) as child:
        child.expect("Which session do you want.\r\n1 go on with mend total, .*something is pending\r\n2 begin a new")
        answer(child, "1")
        child.expect("This session's last task: mend total")
        child.expect("Proposal 1 waits")
        child.expect("Type a number")
        answer(child, "1")
        child.expect("Landed proposal 1")
        assert (project / "shop/prices.py").read_text() == MENDED
        child.expect("Type a task")
        child.sendeof()
        assert left(child) == 0


def test_ctrl_c_stops_and_twice_leaves(project: Path, tmp_path: Path) -> None:
    slow = {"text": "Working.", "delay_ms": 60_000, "calls": []}
    script = script_of(tmp_path / "script.json", slow)
    with terminal(project, script) as child:
        child.expect("Type a task")
        child.sendline("wait a minute")
        child.expect("Task 1 begins")
        child.sendintr()
        child.expect("Stopping")
        child.expect("Interrupted")
        child.sendline("status")
        child.expect("No task is worked on")
        child.sendintr()
        child.expect("Ctrl.C again leaves|Leaving")
        if "again" in child.after:
            child.sendintr()
        assert left(child) == 0


def test_a_block_is_edited_in_the_humans_editor(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/for price in prices:/for price in list(prices):/" "$1"\n')
    editor.chmod(0o755)
    with terminal(project, script, EDITOR=str(editor), VISUAL="/nonexistent") as child:
        child.expect("Type a task")
        child.sendline("mend total")
        child.expect("Type a number")
        answer(child, "4")
        child.expect("Do you take block 1")
        child.sendline("e")
        child.expect("Taken: 1.")
        child.expect("or type q")
        # The proposal is another by now, so the question may have come again.
        answer(child, "")
        child.expect("Landed proposal 1")
        assert (project / "shop/prices.py").read_text() == MENDED.replace("in prices", "in list(prices)")
        child.sendline("quit")
        assert left(child) == 0


LONG = "".join(map(str, range(7_000)))
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e[bold]x[/]\u200b"


def test_hostile_text_is_shown_and_not_obeyed(project: Path, tmp_path: Path) -> None:
    (project / "shop" / "a\x1b[31m.py").write_text("x = 1\n")
    new = f'*** Begin Patch\n*** Add File: shop/odd.py\n+"""{HOSTILE}"""\n+x = "{LONG}"\n*** End Patch'
    script = script_of(
        tmp_path / "script.json",
        {"text": f"Hi {HOSTILE}", "calls": [{"name": "list_files", "arguments": {}}]},
        {"text": "x", "calls": [{"name": "read_file", "arguments": {"path": f"no{HOSTILE}"}}]},
        patch_turn(new, f"Take this\r{HOSTILE}"),
    )
    with terminal(project, script) as child:
        child.expect("Type a task")
        child.sendline("be bad")
        child.expect("more characters")
        child.expect("Type a number")
        answer(child, "findings")
        answer(child, "diff 1")
        child.expect("Block 1 of 1")
        child.sendline("!cat shop/a*")
        child.expect("End of the output")
        child.sendline("quit")
        assert left(child) == 0


def spawn(project: Path, script: Path, *arguments: str, **streams: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tui", "--plain", "--script", str(script), *arguments],
        cwd=project,
        text=True,
        stderr=subprocess.PIPE,
        **streams,
    )


def test_through_pipes_to_the_end_of_the_input(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    before = tree(project)
    # All of it is there before any question: the task is taken, the answer is not.
    with spawn(project, script, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        out, err = child.communicate("mend total\n1\n", timeout=PATIENCE)
    assert (child.returncode, err) == (0, "")
    assert "Proposal 1 waits for your decision" in out
    assert "The input has ended." in out
    assert tree(project) == before
    assert not OBEYED.search(out)


def test_a_file_and_nothing_at_all_are_inputs_too(project: Path, tmp_path: Path) -> None:
    script = script_of(tmp_path / "script.json", {"text": "Nothing to do."})
    (tmp_path / "typed").write_text("look around")
    with (
        (tmp_path / "typed").open() as typed,
        spawn(project, script, stdin=typed, stdout=subprocess.PIPE) as child,
    ):
        out, _ = child.communicate(timeout=PATIENCE)
    assert "Partner: Nothing to do." in out
    with spawn(project, script, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
        out, _ = child.communicate(timeout=PATIENCE)
    assert child.returncode == 0
    assert "Type a task" in out


def test_who_reads_no_further_ends_it(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    with spawn(project, script, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        child.stdout.readline()
        child.stdout.close()
        child.stdin.write("mend total\n")
        child.stdin.flush()
        assert child.wait(timeout=PATIENCE) == 0


def test_what_cannot_be_opened_is_said(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    git(project, "status")
    with spawn(project, tmp_path / "none.json", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
        out, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == 2
    assert "none.json" in err
    assert "Traceback" not in out + err


def test_lines_need_no_screen() -> None:
    code = "import sys, tui.plain.life; print(sorted({'textual', 'rich', 'openai'} & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


async def test_silence_is_broken_now_and_then(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = script_of(tmp_path / "script.json", {"text": "Done.", "delay_ms": 2_500})
    reads, writes = os.pipe()
    monkeypatch.setattr(life, "_QUIET", 1.0)
    with os.fdopen(reads) as source:
        monkeypatch.setattr(sys, "stdin", source)
        os.write(writes, b"take your time\n")
        os.close(writes)
        async with asyncio.timeout(PATIENCE):
            assert await life.Plain(Engine(project, settings(script), os.environ)).run() == 0
    told = capsys.readouterr().out
    # After one second, after two, after four: however long it takes, there are few of them.
    seconds = [int(found) for found in re.findall(r"The partner is at work. Nothing new for (\d+) second", told)]
    assert seconds
    assert all(after >= 2**index for index, after in enumerate(seconds))
    assert told.index("Nothing new") < told.index("Partner: Done.") < told.index("The input has ended.")
