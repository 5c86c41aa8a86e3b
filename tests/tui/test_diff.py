"""The diff's lines: they are the patch, with their numbers, context and colours."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_core import events as ev
from agent_core.patch.model import FilePatch
from tests.tui import scenes
from tests.tui.driving import running
from tests.tui.fake_session import FakeSession
from tui.panes.diff_head import file_header
from tui.panes.diff_layout import DiffLines
from tui.panes.diff_lines import Look
from tui.panes.diff_make import texts_of
from tui.panes.diff_words import Row
from tui.panes.highlight import decode, highlight, split_lines
from tui.widgets.lines import Line, Piece, clean

TEXTS = st.lists(st.sampled_from(["a", "b", "", "\tc", "d\x1b[0m", "文"]), max_size=40).flatmap(
    lambda lines: st.sampled_from(["\n".join(lines), "\n".join(lines) + "\n"])
)


def _row(line: Line) -> str:
    """A line of code without its gutter."""
    return line.whole if line.base == "file-row" else line.whole[3:]


def _gutter(file: int, block: int, row: Row, *, first: bool) -> tuple[tuple[Piece, Piece], bool]:
    return ((" ", ""), ("  ", "")), False


def diff_of(session: FakeSession, *files: FilePatch, look: Look | None = None) -> DiffLines:
    look = look or Look()
    texts = texts_of(files, session.content, look, lambda _: None)
    none: dict[str, list[Line]] = {}
    return DiffLines(
        (),
        files,
        texts,
        lambda at: file_header(files[at]),
        look=look,
        gutter=_gutter,
        notes=(none, none, none),
    )


def _lines(old: str, new: str, path: str = "a.py") -> list[Line]:
    session = FakeSession()
    return list(diff_of(session, scenes.file_patch(session, path, old, new)))


@settings(max_examples=150)
@given(TEXTS, TEXTS)
def test_what_is_shown_and_what_is_folded_is_the_whole_file(old: str, new: str) -> None:
    lines = _lines(old, new)
    olds, news = old.splitlines(), new.splitlines()
    seen_old, seen_new = 0, 0
    for line in lines[1:]:
        if line.text.startswith("⋯"):
            count = int(line.text.split()[1])
            assert olds[seen_old : seen_old + count] == news[seen_new : seen_new + count]
            seen_old, seen_new = seen_old + count, seen_new + count
            continue
        _, _, (numbers, _), (sign, _) = line.before(0)
        text = line.text.removesuffix("  no newline at the end")
        width = len(numbers) // 2 - 1
        left, right = numbers[: width + 1].strip(), numbers[width + 1 :].strip()
        if sign[0] in " -":
            seen_old += 1
            assert (left, text) == (str(seen_old), clean(olds[seen_old - 1]))
        if sign[0] in " +":
            seen_new += 1
            assert (right, text) == (str(seen_new), clean(news[seen_new - 1]))
    if old != new:
        assert (seen_old, seen_new) == (len(olds), len(news))
        folds = [int(line.text.split()[1]) for line in lines[1:] if line.text.startswith("⋯")]
        assert all(count > 1 for count in folds)


def test_a_byte_order_mark_is_told_only_where_it_comes_or_goes() -> None:
    assert [_row(line) for line in _lines("\ufeffa\nb\n", "\ufeffa\nc\n")][1:] == ["1 1   a", "2   - b", "  2 + c"]
    assert [_row(line) for line in _lines("\ufeffa\n", "\ufeffb\n")][1:] == ["1   - a", "  1 + b"]
    rows = [_row(line) for line in _lines("a\nb\n", "\ufeffa\nb\n")]
    assert rows[1:] == ["1   - a", "  1 + a  byte order mark", "2 2   b"]


def test_three_lines_of_context_stand_around_a_block() -> None:
    old = "".join(f"line {number}\n" for number in range(1, 41))
    rows = [_row(line) for line in _lines(old, old.replace("line 20\n", "line twenty\n"))]
    assert rows == [
        " a.py  +1 -1",
        "      ⋯ 16 unchanged lines",
        "17 17   line 17",
        "18 18   line 18",
        "19 19   line 19",
        "20    - line 20",
        "   20 + line twenty",
        "21 21   line 21",
        "22 22   line 22",
        "23 23   line 23",
        "      ⋯ 17 unchanged lines",
    ]


def test_headers_say_what_happens_to_a_file() -> None:
    session = FakeSession()
    added = scenes.file_patch(session, "new.py", "", "x = 1\n", "add")
    deleted = scenes.file_patch(session, "old.py", "x = 1\n", "", "delete")
    moved = msgspec.structs.replace(scenes.file_patch(session, "b.py", "x\n", "y\n", "move"), moved_from="a.py")
    script = msgspec.structs.replace(scenes.file_patch(session, "run", "x\n", "x\n"), after_mode=0o100755)
    lines = diff_of(session, added, deleted, moved, script)
    heads = [line.text for line in lines if line.base == "file-row"]
    assert heads == [
        "new.py  +1 -0  new",
        "old.py  +0 -1  deleted",
        "b.py  +1 -1  moved from a.py",
        "run  +0 -0  now executable",
    ]


def test_endings_that_change_are_seen() -> None:
    rows = [_row(line) for line in _lines("a\r\nb\r\n", "a\nb\r\n")]
    assert "1   - a␍" in rows
    assert "  1 + a" in rows
    assert any("no newline at the end" in row for row in [_row(line) for line in _lines("a\n", "a")])


def test_contents_that_are_gone_leave_the_changes_readable() -> None:
    session = FakeSession()
    patch = scenes.file_patch(session, "a.py", "a\nb\n", "a\nc\n")
    session.contents.clear()
    rows = [_row(line) for line in diff_of(session, patch)]
    assert rows == [" a.py  +1 -1", "2   - b", "  2 + c"]


def test_contents_are_shown_in_their_encoding() -> None:
    old, new = ("\ufeffa\n\u0a4e\n".encode(codec) for codec in ("utf-16-le", "utf-8"))
    assert split_lines(decode(old))[1] == split_lines(decode(new))[1] == "\u0a4e"
    assert decode(b"\xff\n") == "\ufffd\n"
    assert "\0" not in decode(b"a\0b\xff")


def test_colours_are_of_the_whole_file() -> None:
    text = 'x = """\ndef not_code():\n"""\n\ndef code() -> int:\n\treturn 1  # why\n'
    spans = highlight("a.py", decode(text.encode()))
    assert len(spans) >= len(split_lines(text))
    inside = spans[1]
    assert {style for _, _, style in inside} <= {"string", "comment"}
    shown = [clean(line) for line in split_lines(text)]
    marked = {(shown[n][a:b], style) for n, row in enumerate(spans[: len(shown)]) for a, b, style in row}
    assert ("def", "keyword") in marked
    assert ("code", "function") in marked
    assert ("return", "keyword") in marked
    assert ("# why", "comment") in marked


def test_unknown_and_huge_files_have_no_colours() -> None:
    assert highlight("notes.unknown", "def f(): pass") == []
    assert highlight("a.py", "x = 1\n" * 200_000) == []


@given(st.text(alphabet="ab\n\t '\"#(", max_size=200))
def test_colours_stay_inside_their_lines(text: str) -> None:
    shown = [clean(line) for line in split_lines(text)]
    for line, row in zip(shown, highlight("a.py", text), strict=False):
        assert all(0 <= start <= end <= len(line) for start, end, _ in row)


async def test_the_pane_follows_a_block_that_is_being_written_and_a_diff_after_it() -> None:
    async with running((120, 30)) as driver:
        await driver.play(scenes.start)
        await driver.play(scenes.ask)
        pane = driver.app.main.diff
        driver.session.emit(ev.PatchStreamed("c", "shop/a.py\n```\n<<<<<<< SEARCH\nkept\nold\n====="))
        await driver.drawn()
        assert pane.plain_text.split("\n") == [" shop/a.py  +0 -2", " - kept", " - old"]
        driver.session.emit(ev.PatchStreamed("c", "==\nkept\nnew\n>>>>>>> REPLACE\n```\n--- a/b.py\n+++ b/b.py\n@@"))
        await driver.drawn()
        shown = [" shop/a.py  +1 -1", "   kept", " - old", " + new", "", " b.py  +0 -0"]
        assert pane.plain_text.split("\n")[: len(shown)] == shown
        driver.session.emit(
            ev.AnswerVoided("It broke."), ev.PatchStreamed("d", "*** Begin Patch\n*** Delete File: x\n")
        )
        await driver.drawn()
        assert pane.plain_text == " x  +0 -0  deleted"
        assert "writing a patch, 2 lines so far" in driver.app.main.chat.plain_text
        driver.session.emit(ev.AnswerVoided("It broke."), ev.PatchStreamed("e", "*** Begin Patch\n*** Upd"))
        await driver.drawn()
        assert "writing a patch, 1 line so far" in driver.app.main.chat.plain_text
