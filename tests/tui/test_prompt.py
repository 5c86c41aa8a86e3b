"""The prompt: chips, shell lines, what waits, history."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest
from textual import events

from agent_core import events as ev
from agent_core.commands import Ask, Interrupt, Shell, Withdraw
from agent_core.places import project_state
from tests.tui import scenes
from tests.tui.driving import MEDIUM, NARROW, Driver, running
from tests.tui.fake_session import FakeEngine, FakeSession
from tui.prompt.chips import Chips, quoted
from tui.prompt.history import MOST, History, read, write
from tui.widgets.prompt import Prompt

LONG = "".join(f"line {n}\n" for n in range(5000))


def _busy(session: FakeSession) -> None:
    scenes.start(session)
    scenes.ask(session)


def _queued(session: FakeSession) -> None:
    _busy(session)
    session.emit(ev.Steered("first"), ev.Steered("second"))


def _prompt(driver: Driver) -> Prompt:
    return driver.app.main.prompt


async def test_keys_pressed_faster_than_the_screen_is_drawn_act_in_their_order() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        assert driver.app._driver is not None
        for key in [*"thes", "backspace", "backspace", *"is", "home", *"so ", "end", "left", *"i", "enter", *"and"]:
            name = "space" if key == " " else key
            event = events.Key(name, key if len(key) == 1 else None)
            event.set_sender(driver.app)
            driver.app._driver.send_message(event)
        await driver.settle()
        assert driver.session.commands == [Ask("so thiis")]
        assert _prompt(driver).text == "and"


# -- Pasting


async def test_a_long_paste_is_a_chip_that_is_sent_in_full() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        await driver.press(*"see ")
        _prompt(driver).post_message(events.Paste(LONG.replace("\n", "\r")))
        await driver.settle()
        assert "see [pasted 5,000 lines]" in driver.text.replace("\u00a0", " ")
        await driver.press(*"please", "enter")
        assert driver.session.commands == [Ask(f"see {LONG} please")]
        assert _prompt(driver).text == ""


async def test_a_long_paste_costs_next_to_nothing() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        prompt = _prompt(driver)
        took = []
        for _ in range(5):
            start = time.process_time()
            prompt.paste(LONG)
            took.append(time.process_time() - start)
        assert min(took) < 0.05


async def test_a_chip_is_whole_under_the_cursor_and_the_backspace() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        prompt = _prompt(driver)
        await driver.press("a")
        prompt.paste(LONG)
        await driver.press("left", "left")
        assert prompt.cursor_location == (0, 1)
        await driver.press("right")
        end = prompt.cursor_location
        assert end == (0, len(prompt.text) - 1)
        prompt.move_cursor((0, 5))
        assert prompt.cursor_location == (0, 1)
        prompt.move_cursor(end)
        await driver.press("backspace")
        assert prompt.text == "a "
        await driver.press("ctrl+underscore")
        assert prompt.expanded == f"a{LONG} "
        await driver.press("home", "right", "delete")
        assert prompt.text == "a "


async def test_two_pastes_of_the_same_size_are_two_chips_and_one_can_be_unfolded() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        prompt = _prompt(driver)
        prompt.paste("a\n" * 20)
        prompt.paste("b\n" * 20)
        assert prompt.expanded == "a\n" * 20 + " " + "b\n" * 20 + " "
        assert "#2" in prompt.text
        await driver.press("ctrl+f")
        assert prompt.text.count("b\n") == 20
        assert prompt.text.count("a\n") == 0


async def test_a_short_paste_is_text_and_obeyed_by_nobody() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        _prompt(driver).post_message(events.Paste("one\r\ntwo\x1b[31m"))
        await driver.settle()
        assert _prompt(driver).text == "one\ntwo␛[31m"


@pytest.mark.parametrize("text", ["a\x1b[2Jb", "漢字 and é and 👩‍👩‍👧", "[bold]x[/]"])
async def test_what_is_written_is_shown_and_sent_as_it_is(text: str) -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        _prompt(driver).insert(text)
        await driver.settle()
        assert "\x1b[2J" not in driver.text
        await driver.press("enter")
        assert driver.session.commands == [Ask(text)]


def test_labels_differ_where_texts_do_and_brackets_in_them_do_no_harm() -> None:
    chips = Chips()
    one, two = chips.add("pasted 3 lines", "a"), chips.add("pasted 3 lines", "b")
    assert one != two
    assert chips.add("pasted 3 lines", "a") == one
    odd = chips.add("x]\x1b[y", "c")
    assert "\x1b" not in odd
    text = f"{two}{odd} {one}"
    assert chips.expand(text) == "bc a"
    assert chips.expand("[pasted 3 lines]") == "[pasted 3 lines]"
    assert chips.fold("bc a", [two]) == f"{two}c a"
    assert quoted("t", "a\n```\nb").startswith("t\n````\n")


# -- Shell lines


async def test_the_output_of_a_command_goes_along_unless_it_is_dropped() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        await driver.press(*"!pytest -q", "enter")
        (shell,) = driver.session.commands
        assert isinstance(shell, Shell)
        assert shell.line == "pytest -q"
        await driver.press(*"why")  # typing goes on while it runs
        driver.session.emit(
            ev.ShellStarted(shell.id, shell.line), ev.ShellFinished(shell.id, 1, "\na\n\x1b[31mb\x1b[0m\n", 0.1)
        )
        await driver.drawn()
        prompt = _prompt(driver)
        assert prompt.text == "why"
        assert "[output of !pytest -q: 2 lines] goes along" in driver.text
        await driver.press("enter")
        assert driver.session.commands[-1] == Ask("why\n\nOutput of `pytest -q` (exit status 1):\n```\na\nb\n```")
        assert "goes along" not in driver.text


async def test_one_backspace_drops_the_output() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        await driver.press(*"!ls", "enter")
        (shell,) = driver.session.commands
        assert isinstance(shell, Shell)
        driver.session.emit(ev.ShellStarted(shell.id, "ls"), ev.ShellFinished(shell.id, 0, "a\n", 0.1))
        await driver.drawn()
        await driver.press("enter")
        assert "drop it with backspace" in driver.text
        assert len(driver.session.commands) == 1
        await driver.press("backspace", *"hi", "enter")
        assert driver.session.commands[-1] == Ask("hi")


async def test_a_command_of_an_earlier_run_is_not_offered() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        driver.session.emit(ev.ShellStarted("x", "ls"), ev.ShellFinished("x", 0, "a\n", 0.1))
        await driver.drawn()
        assert "goes along" not in driver.text


# -- What waits


async def test_what_waits_is_shown_and_the_last_of_it_comes_back_with_up() -> None:
    async with running() as driver:
        await driver.play(_queued)
        assert "⋯ first" in driver.text
        assert "⋯ second" in driver.text
        await driver.press("up")
        assert _prompt(driver).text == "second"
        assert driver.session.commands == [Withdraw(1, "second")]
        driver.session.emit(ev.Withdrawn(1, "second"))
        await driver.drawn()
        assert "⋯ second" not in driver.text
        assert "⋯ first" in driver.text


async def test_any_message_that_waits_can_be_edited_or_dropped() -> None:
    async with running() as driver:
        await driver.play(_queued)
        await driver.press(*"draft", "ctrl+up", "up", "enter")
        assert driver.session.commands == [Withdraw(0, "first")]
        assert _prompt(driver).text == "first\ndraft"
        await driver.press("ctrl+up", "delete")
        assert driver.session.commands == [Withdraw(0, "first"), Withdraw(1, "second")]


async def test_the_list_of_what_waits_says_what_waits_now() -> None:
    async with running() as driver:
        await driver.play(_queued)
        prompt = _prompt(driver)
        await driver.press("ctrl+up")
        driver.session.emit(ev.Withdrawn(0, "first"))
        await driver.drawn()
        assert [choice.text for choice in prompt.choices] == ["second"]
        await driver.press("delete")
        assert driver.session.commands == [Withdraw(0, "second")], "the one that was meant, where it is now"
        driver.session.emit(ev.Withdrawn(0, "second"))
        await driver.drawn()
        assert not prompt.choosing


async def test_dropping_one_leaves_the_list_open_so_that_esc_stops_nothing() -> None:
    async with running() as driver:
        await driver.play(_queued)
        await driver.press("ctrl+up", "delete")
        driver.session.emit(ev.Withdrawn(1, "second"))
        await driver.drawn()
        await driver.press("escape")
        assert driver.session.commands == [Withdraw(1, "second")]
        assert not _prompt(driver).choosing


async def test_what_waits_can_be_clicked() -> None:
    async with running(NARROW) as driver:
        await driver.play(_queued)
        strip = _prompt(driver).strip
        row = strip.plain_text.split("\n")[0]
        await driver.pilot.click(strip, offset=(1 + row.index("drop"), 0))
        await driver.settle()
        assert driver.session.commands == [Withdraw(0, "first")]
        row = strip.plain_text.split("\n")[1]
        await driver.pilot.click(strip, offset=(1 + row.index("edit"), 1))
        await driver.settle()
        assert _prompt(driver).text == "second"


async def test_stopping_keeps_the_draft_and_what_is_typed_fast_is_all_there() -> None:
    async with running() as driver:
        await driver.play(_busy)
        text = "the quick brown fox jumps over the lazy dog " * 3
        for char in text:  # all of them before anything is handled
            _prompt(driver).post_message(events.Key("space" if char == " " else char, char))
        await driver.settle()
        await driver.press("escape")
        assert driver.session.commands == [Interrupt()]
        assert _prompt(driver).text == text


async def test_a_backslash_before_enter_is_a_newline() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        await driver.press(*"a\\", "enter", "b", "enter")
        assert driver.session.commands == [Ask("a\nb")]


# -- History


async def test_what_was_sent_comes_back_with_up_and_the_draft_with_down() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        prompt = _prompt(driver)
        await driver.press(*"one", "enter", *"two\\", "enter", *"lines", "enter", *"draft", "up")
        assert prompt.text == "two\nlines"
        await driver.press("up")
        assert prompt.text == "two\nlines"  # up a row first
        await driver.press("up")
        assert prompt.text == "one"
        await driver.press("up", "down", "down", "down")
        assert prompt.text == "draft"


async def test_history_is_kept_for_the_project_and_reasons_are_not() -> None:
    path = project_state(Path("/home/someone/shop")) / "prompt-history.jsonl"
    async with running() as driver:
        await driver.play(scenes.red)
        await driver.until(lambda: _prompt(driver)._kept_in is not None)
        await driver.press(*"go on", "enter", "f3", *"secret", "enter")
        await driver.until(path.exists)
        await driver.until(lambda: read(path) == ["go on"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    async with running() as driver:
        await driver.play(scenes.start)
        await driver.until(lambda: _prompt(driver).past.entries)
        await driver.press("up")
        assert _prompt(driver).text == "go on"


async def test_everything_sent_can_be_searched_and_escape_gives_the_draft_back() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        prompt = _prompt(driver)
        prompt.past.load(["mend the tests", "add a button", "mend the docs"])
        await driver.press(*"mend", "ctrl+r")
        assert [choice.label for choice in prompt.choices] == ["mend the docs", "mend the tests"]
        await driver.press(*" tes")
        assert [choice.label for choice in prompt.choices] == ["mend the tests"]
        await driver.press("escape")
        assert prompt.text == "mend"
        await driver.press("ctrl+r", "down", "enter")
        assert prompt.text == "mend the tests"
        assert driver.session.commands == []


def test_history_is_bounded_and_survives_damage(tmp_path: Path) -> None:
    history, path = History(), tmp_path / "state" / "h.jsonl"
    assert not history.add("  ")
    assert history.add("x")
    assert not history.add("x")
    assert not history.add("y" * 100_000)
    for n in range(MOST + 50):
        assert history.add(f"entry {n} " + "z" * 80)
        write(path, history.entries[-1], history.entries)
    assert len(history.entries) == MOST
    with path.open("a") as file:
        file.write('"cut off\n{}\n')
    assert read(path) == history.entries
    assert path.stat().st_size < 2.5 * sum(map(len, history.entries))
    assert read(tmp_path / "none") == []


async def test_an_offer_is_answered_only_by_a_letter_and_drafts_stay() -> None:
    session = FakeSession()
    engine = FakeEngine(session)
    engine.gate.clear()
    async with running(MEDIUM, engine=engine, opened=False) as driver:
        await driver.press(*"!ls", "enter")
        assert "There is no session for that now" in driver.text
        assert _prompt(driver).text == "!ls"
        engine.gate.set()
        await driver.until(lambda: driver.app.main.is_open)
