"""The chat: its cursor, what unfolds, what is copied, Markdown while it streams, and what long transcripts cost."""

from __future__ import annotations

import time
import tracemalloc

import msgspec
import pytest

from agent_core import events as ev
from agent_core.chat_entries import Notice
from agent_core.conversation import Usage
from tests.tui import scenes
from tests.tui.driving import MEDIUM, NARROW, WIDE, Driver, running
from tests.tui.fake_session import FakeSession
from tui.panes.chat import ChatPane
from tui.panes.markdown import Markdown, render
from tui.widgets.lines import Line

DIFF = "--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-Shop\n+The shop\n"
CODE = "Look:\n\n```python\ndef f(x):\n    return 'a'\n```\n\nand\n\n~~~ sh\nls\n~~~\n"


def _chat(driver: Driver) -> ChatPane:
    return driver.app.main.chat


def _talk(session: FakeSession, rounds: int = 20) -> None:
    scenes.start(session)
    for number in range(1, rounds + 1):
        session.emit(
            ev.Asked(number, f"question {number}"),
            ev.PromptSent(number, 1),
            ev.AnswerFinished(f"answer {number}\n\nwith more", Usage()),
            ev.TaskFinished(number, "answered", ""),
        )


# -- Unfolding


async def test_an_edit_unfolds_to_its_diff_and_folds_again() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.start)
        driver.session.emit(ev.HumanEdited("README.md", "changed", DIFF, None, None))
        await driver.drawn()
        assert "✎ you changed README.md  +1 -1 ▸" in driver.text
        await driver.press("tab", "enter")
        assert "▾" in _chat(driver).plain_text
        assert "  -Shop\n  +The shop" in _chat(driver).plain_text
        assert _chat(driver).lines[-1].base == "add-row"
        await driver.press("space")
        assert "-Shop" not in _chat(driver).plain_text


async def test_many_files_at_once_are_one_line_that_unfolds() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.start)
        paths = tuple(f"src/f{number:02}.py" for number in range(40))
        driver.session.emit(
            ev.BranchChanged("checkout: moving from main to topic", "main", "topic", "c", paths, 1000),
            ev.FilesEdited(paths[:3], 0, 50, 0, "unknown"),
            ev.BranchChanged("checkout: moving from topic to \x1b[31mred", "topic", "red", "c", (), 0),
        )
        await driver.drawn()
        text = _chat(driver).plain_text
        assert "⎇ git checkout: moving from main to topic, 1,000 files changed ▸" in text
        assert "✎ someone changed 50 files: src/f00.py, src/f01.py, src/f02.py and 47 more ▸" in text
        assert "⎇ git checkout: moving from topic to ␛[31mred (topic -> red), no file changed" in text
        await driver.press("tab", "up", "up", "up", "enter")
        assert "  src/f39.py\n  ⋯ 960 more" in _chat(driver).plain_text
        await driver.press("enter")
        assert "src/f39.py" not in _chat(driver).plain_text


async def test_a_click_unfolds_too() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.start)
        driver.session.emit(ev.HumanEdited("README.md", "changed", DIFF, None, None))
        await driver.drawn()
        await driver.pilot.click(driver.app.main.chat, offset=(8, 1))
        await driver.settle()
        assert "  -Shop" in _chat(driver).plain_text


@pytest.mark.parametrize(
    ("event", "hidden"),
    [
        (ev.PatchRejected("c", "It does not apply.\n" + "\n".join(f"because {n}" for n in range(30))), "because 29"),
        (ev.Noted("warning", "Beware.", "\n".join(f"hint {n}" for n in range(30))), "hint 29"),
        (ev.ToolFinished("c1", False, "no such file " + "x" * 300), "x" * 300),
        (ev.Asked(2, "\n".join(f"wish {n}" for n in range(40))), "wish 39"),
        (ev.Diagnosed(1, "It is off by one.", "line 3 says so\nand line 4"), "line 3 says so"),
    ],
)
async def test_what_is_long_is_folded_and_all_there(event: ev.AnyEvent, hidden: str) -> None:
    async with running(NARROW) as driver:
        await driver.play(scenes.start)
        driver.session.emit(ev.ToolStarted("c1", "read_file", "read a.py"), event)
        await driver.drawn()
        assert hidden not in _chat(driver).plain_text
        await driver.press("tab", "enter")
        assert hidden in _chat(driver).plain_text


async def test_a_command_of_ones_own_shows_how_it_ended_and_its_last_lines() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.start)
        driver.session.emit(ev.ShellStarted("s", "pytest -q"))
        await driver.drawn()
        assert "◌ pytest -q  running" in _chat(driver).plain_text
        driver.session.emit(ev.ShellFinished("s", 1, "\n".join(f"out {n}" for n in range(40)), 2.0))
        await driver.drawn()
        text = _chat(driver).plain_text
        assert "✗ pytest -q  exit status 1, 2.0 s" in text
        assert "out 39" in text
        assert "out 3\n" not in text
        assert "34 more lines" in text
        await driver.press("tab", "enter")
        assert "out 3\n" in _chat(driver).plain_text
        driver.session.emit(
            ev.ShellStarted("c", "ls"), ev.ShellFinished("c", 0, "\n\x1b[31mred\x1b[2J\x1b[0m x\n", 0.0)
        )
        await driver.drawn()
        assert "│ red␛[2J x" in _chat(driver).plain_text
        driver.session.emit(ev.ShellStarted("t", "true"), ev.ShellFinished("t", 0, "", 0.0))
        await driver.drawn()
        assert "✓ true  exit status 0  no output" in _chat(driver).plain_text


async def test_what_was_unfolded_stays_so_while_others_come_and_it_goes_on() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.start)
        driver.session.emit(ev.ShellStarted("s", "make"))
        await driver.drawn()
        driver.session.emit(ev.ShellFinished("s", 0, "\n".join(f"out {n}" for n in range(40)), 2.0))
        await driver.drawn()
        await driver.press("tab", "up", "up", "up", "enter")
        driver.session.emit(ev.Noted("info", "something else"))
        await driver.drawn()
        assert "out 3\n" in _chat(driver).plain_text


async def test_a_conflict_says_where_and_what_to_do() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.green)
        driver.session.emit(
            ev.LandingConflicted(2, 0, "It collides.", ("a.py:3: was changed here too",), "Take it back first.")
        )
        await driver.drawn()
        assert "✗ It collides.\n  a.py:3: was changed here too\n  Take it back first." in _chat(driver).plain_text


async def test_thoughts_are_one_line_that_unfolds_while_they_come_and_after() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.start)
        driver.session.emit(ev.Asked(1, "go"), ev.PromptSent(1, 1), ev.ReasoningStreamed("**First**\nthen\nnow"))
        await driver.drawn()
        assert "◌ now ▸" in _chat(driver).plain_text
        assert "then" not in _chat(driver).plain_text
        await driver.press("tab", "enter")
        assert "then" in _chat(driver).plain_text
        driver.session.emit(ev.AnswerFinished("Done.", Usage()))
        await driver.drawn()
        assert "∴ First ▸\n\nDone." in _chat(driver).plain_text
        await driver.press("enter")
        assert "thoughts ▾\n  **First**\n  then\n  now\n\nDone." in _chat(driver).plain_text


# -- The cursor


async def test_the_cursor_goes_through_entries_and_behind_the_last_one_the_end_is_followed() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(_talk)
        chat = _chat(driver)
        await driver.press("tab", "up")
        assert "▎" in driver.text
        for _ in range(60):
            await driver.press("up")
        assert _chat(driver)._cursor == 0
        assert "question 1 " in driver.text
        assert chat.scroll_offset.y == 0
        for _ in range(60):
            await driver.press("down")
        assert _chat(driver)._cursor is None
        assert chat.scroll_offset.y == chat.max_scroll_y
        assert "▎" not in driver.text


async def test_a_long_entry_is_gone_through_before_the_next_one() -> None:
    async with running(NARROW) as driver:
        await driver.play(scenes.start)
        text = "\n".join(f"line {n}" for n in range(100))
        driver.session.emit(ev.Noted("info", "before"), ev.AnswerFinished(text, Usage()), ev.Noted("info", "after"))
        await driver.drawn()
        await driver.press("tab", "up", "up", "down")
        tops = []
        while _chat(driver)._cursor == 1:
            tops.append(_chat(driver).scroll_offset.y)
            await driver.press("down")
            assert len(tops) < 20
        assert len(tops) > 4


async def test_brackets_lead_to_what_the_human_said() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(_talk)
        await driver.press("tab", *["left_square_bracket"] * 10)
        assert "question 11" in driver.rows()[2]
        await driver.press("right_square_bracket")
        assert _chat(driver)._cursor == 2 * 11
        await driver.press("right_square_bracket")
        assert _chat(driver)._cursor == 2 * 12


async def test_entries_and_their_code_are_copied() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.start)
        driver.session.emit(ev.AnswerFinished(CODE, Usage()), ev.Noted("info", "a note", "a hint"))
        await driver.drawn()
        await driver.press("tab", "c")
        assert driver.app.clipboard == CODE
        assert "Copied 12 lines" in driver.text
        await driver.press("C")
        assert driver.app.clipboard == "def f(x):\n    return 'a'"
        assert "of block 1 of 2" in driver.text
        await driver.press("C")
        assert driver.app.clipboard == "ls"
        await driver.press("up", "c")
        assert driver.app.clipboard == "a note\na hint"


# -- Markdown


async def test_code_is_plain_while_it_streams_and_coloured_when_it_is_whole() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.start)
        driver.session.emit(ev.TextStreamed("```python\ndef f(x):\n    return 'a'\n"))
        await driver.drawn()
        chat = _chat(driver)
        line = next(line for line in chat.lines if "def f" in line.text)
        assert not line.styled()
        driver.session.emit(ev.TextStreamed("```\n"))
        await driver.drawn()
        await driver.until(line.styled)
        assert {style for _, _, style in line.styled()} >= {"keyword", "function"}
        driver.session.emit(ev.AnswerFinished("```python\ndef f(x):\n    return 'a'\n```\n", Usage()))
        await driver.drawn()
        again = next(line for line in chat.lines if "def f" in line.text)
        assert again is not line
        assert again.styled()  # remembered, so that nothing flickers


def _shown(text: str) -> list[str]:
    return [line.whole for line in render(text).lines]


def test_what_is_written_is_shown_as_it_is_felt() -> None:
    assert _shown("# Title #") == ["Title"]
    assert _shown("- a\n  - b\n1. c\n- [x] d\n- [ ] e") == ["• a", "  • b", "1. c", "☑ d", "☐ e"]
    assert _shown("> said") == ["│ said"]
    assert _shown("a **b** *c* `d*e*` ~~f~~ 2*3*4") == ["a b c d*e* f 2*3*4"]
    assert _shown("[name](http://x.y) [http://x.y](http://x.y)") == ["name (http://x.y) http://x.y"]
    assert _shown("---") == ["─" * 24]
    assert _shown("1. x\n   ```py\n   a\n     b\n   ```\nend") == ["1. x", "py", " a", "   b", "end"]
    assert _shown("````\n```\n````") == [" ```"]
    assert _shown("") == []


def test_tables_are_aligned() -> None:
    table = "| name | n |\n|---|--:|\n| `a|b` | 1 |\n| 漢字 | 20 |\nend"
    assert _shown(table) == ["name │ n", "─────┼───", "a|b  │ 1", "漢字 │ 20", "end"]


@pytest.mark.parametrize("step", [1, 3, 7, 1000])
def test_streamed_in_any_pieces_it_is_the_same(step: int) -> None:
    text = f"{CODE}\n| a | b |\n|---|---|\n| long cell | c |\n\n- x\n  - y\n\n> z\n# end\n"
    stream = Markdown()
    lines: list[Line] = []
    for end in range(step, len(text) + step, step):
        fresh, keep = stream.update(text[:end])
        lines[keep:] = fresh
    assert [line.whole for line in lines] == _shown(text.rstrip())


@pytest.mark.parametrize(
    "piece",
    [
        "    x = some_function(argument, 'text')  # and so on\n",
        "| a cell | another `one` |\n",
        "- word **bold** ",
        "\n",
    ],
    ids=["fence", "table", "one long line", "blank"],
)
def test_a_stream_costs_the_same_at_its_end_as_at_its_start(piece: str) -> None:
    # 1,000 tokens a second come 50 at a time in 20 frames a second.
    chunk = (piece * 20)[:200]
    stream, text, took = Markdown(), "```python\n" if piece.startswith("    ") else "", []
    for _ in range(300):
        text += chunk
        start = time.process_time()
        stream.update(text)
        took.append(time.process_time() - start)
    assert sorted(took)[len(took) // 2] < 0.01
    assert sorted(took[-50:])[25] < 0.01


# -- Long transcripts


def _message(number: int) -> str:
    return f"## Part {number}\n\n" + "Some words about **it** and `that`, at length. " * 4 + "\n\n- one\n- two\n" * 3


async def test_a_thousand_messages_cost_little_and_a_new_one_next_to_nothing() -> None:
    async with running(WIDE) as driver:
        scenes.start(driver.session)
        for number in range(1000):
            driver.session.emit(ev.AnswerFinished(_message(number), Usage()))
        tracemalloc.start()
        try:
            start = time.process_time()
            await driver.drawn()
            opened = time.process_time() - start
            used = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        assert opened < 10  # under tracemalloc, which costs several times as much
        assert used < 40_000_000
        chat = _chat(driver)
        took = []
        for number in range(20):
            driver.session.emit(ev.TextStreamed(f"more words {number} "))
            start = time.process_time()
            chat.show(driver.session.state)
            took.append(time.process_time() - start)
        assert sorted(took)[10] < 0.01
        driver.session.emit(ev.AnswerFinished("done", Usage()))
        start = time.process_time()
        chat.show(driver.session.state)
        assert time.process_time() - start < 0.1


async def test_a_change_far_above_renders_that_entry_alone() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.start)
        driver.session.emit(ev.ToolStarted("t", "run", "a tool"))
        for number in range(50):
            driver.session.emit(ev.AnswerFinished(_message(number), Usage()))
        await driver.drawn()
        before = {id(line) for line in _chat(driver).lines}
        driver.session.emit(ev.ToolFinished("t", True, "well"))
        await driver.drawn()
        assert "✓ a tool  well" in _chat(driver).plain_text
        assert len([line for line in _chat(driver).lines if id(line) not in before]) == 1


async def test_what_the_screen_says_itself_stays_where_it_was_said_and_with_its_session() -> None:
    async with running() as driver:
        pane = driver.app.main.chat
        driver.session.emit(ev.SessionStarted("one", "", "1"), ev.Asked(1, "first"))
        await driver.drawn()
        pane.note(Notice("warning", "could not be opened"))
        driver.session.emit(ev.TextStreamed("later"), ev.AnswerFinished("later", Usage()))
        await driver.drawn()
        text = driver.text
        assert text.index("first") < text.index("could not be opened") < text.index("later")
        # A note between two sessions is the newest word in the second one; one of the first is not told there.
        driver.app.main.begin_anew()
        assert "could not be opened" not in driver.text
        pane.note(Notice("error", "no such session"))
        driver.app.main.draw(msgspec.structs.replace(driver.session.state, session="two"))
        await driver.settle()
        text = driver.text
        assert text.index("later") < text.index("no such session")
        assert "could not be opened" not in text
