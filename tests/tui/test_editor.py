"""The human's own editor: which it is, how it is told the line, what comes back, and what goes wrong."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.app import App

from agent_core import process
from tui.editor import EditorError, command_for, edit, editor_of


@pytest.mark.parametrize(
    ("editor", "line", "told"),
    [
        ("vim", 7, ["vim", "+7", "F"]),
        ("/usr/bin/nano -w", 7, ["/usr/bin/nano", "-w", "+7", "F"]),
        ("emacsclient -t", 7, ["emacsclient", "-t", "+7", "F"]),
        ("vim", 0, ["vim", "F"]),
        ("code", 7, ["code", "--wait", "--goto", "F:7"]),
        ("code -w", 0, ["code", "-w", "F"]),
        ("hx", 7, ["hx", "F:7"]),
        ("gvim", 7, ["gvim", "-f", "+7", "F"]),
        ("some-editor", 7, ["some-editor", "F"]),
    ],
)
def test_an_editor_is_told_the_line_in_its_own_way(editor: str, line: int, told: list[str]) -> None:
    assert command_for(editor_of({"EDITOR": editor}), Path("F"), line) == told


def test_visual_goes_before_editor_and_an_empty_one_is_none(tmp_path: Path) -> None:
    assert editor_of({"VISUAL": "a b", "EDITOR": "c"}) == ["a", "b"]
    assert editor_of({"VISUAL": " ", "EDITOR": "c"}) == ["c"]
    with pytest.raises(EditorError, match="no editor"):
        editor_of({"PATH": str(tmp_path)})
    (tmp_path / "vi").touch(mode=0o755)
    assert editor_of({"PATH": str(tmp_path)}) == ["vi"]
    with pytest.raises(EditorError, match=r"\$EDITOR is no command"):
        editor_of({"EDITOR": "vim 'a"})


@pytest.fixture
def suspended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An app without a terminal, which says when it is suspended."""
    said: list[str] = []

    @contextlib.contextmanager
    def suspend(self: App[None]) -> Iterator[None]:
        said.append("suspended")
        yield
        said.append("resumed")

    monkeypatch.setattr(App, "suspend", suspend)
    return said


def python_editor(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Have a Python program be the editor; its file is `path`."""
    program = f"import sys, pathlib; path = pathlib.Path(sys.argv[-1]); {code}"
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", shlex.join([sys.executable, "-c", program]))


async def test_what_is_written_comes_back_and_the_copy_goes(
    suspended: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python_editor(
        monkeypatch, f"pathlib.Path({str(tmp_path / 'where')!r}).write_text(str(path)); path.write_text('new ä\\n')"
    )
    async with App[None]().run_test() as pilot:
        assert await edit(pilot.app, "old\n", name="shop/a.py", line=3) == "new ä\n"
    path = Path((tmp_path / "where").read_text())
    assert path.name == "a.py"
    assert not path.parent.exists()
    assert suspended == ["suspended", "resumed"]


async def test_what_is_not_changed_is_nothing(suspended: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a\r\nb\udce4"
    python_editor(monkeypatch, "path.write_bytes(path.read_bytes())")
    async with App[None]().run_test() as pilot:
        assert await edit(pilot.app, text, name="a") is None
        python_editor(monkeypatch, "path.unlink()")
        assert await edit(pilot.app, text, name="../..") is None


async def test_what_a_failing_editor_wrote_is_kept(suspended: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    async with App[None]().run_test() as pilot:
        python_editor(monkeypatch, "sys.exit(3)")
        with pytest.raises(EditorError, match=r"status 3.*Nothing was changed"):
            await edit(pilot.app, "x", name="a.py")
        python_editor(monkeypatch, "path.write_text('precious'); sys.exit(1)")
        with pytest.raises(EditorError, match="What you wrote is in") as caught:
            await edit(pilot.app, "x", name="a.py")
        kept = Path(caught.value.hint.removeprefix("What you wrote is in ").removesuffix("."))
        assert kept.read_text() == "precious"
        kept.unlink()
        kept.parent.rmdir()
        monkeypatch.setenv("EDITOR", "no-such-editor-here")
        with pytest.raises(EditorError, match="no program no-such-editor-here"):
            await edit(pilot.app, "x", name="a.py")
    assert suspended == ["suspended", "resumed"] * 3


async def test_without_a_terminal_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    python_editor(monkeypatch, "sys.exit(3)")
    async with App[None]().run_test() as pilot:
        with pytest.raises(EditorError, match="cannot be opened from here"):
            await edit(pilot.app, "x", name="a.py")


async def test_an_interrupt_meant_for_the_program_is_not_ours(tmp_path: Path) -> None:
    code = "import os, signal, sys; os.kill(os.getppid(), signal.SIGINT); sys.exit(4)"
    assert await process.in_foreground([sys.executable, "-c", code], cwd=tmp_path) == 4
