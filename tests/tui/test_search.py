"""Searching in a pane: what is found, how one moves, and that its keys are text and decide nothing."""

from __future__ import annotations

from agent_core import events as ev
from agent_core.conversation import Usage
from tests.tui import scenes
from tests.tui.driving import NARROW, Driver, running
from tests.tui.fake_session import FakeSession
from tui.widgets.lines import palette_of


def _long(session: FakeSession) -> None:
    scenes.start(session)
    text = "\n".join(f"line {n}: " + ("Needle and needle" if n in {50, 150} else "hay") for n in range(200))
    session.emit(ev.AnswerFinished(text, Usage()))


async def _searching(driver: Driver, needle: str) -> None:
    await driver.press("tab", "slash", *needle)


async def test_what_is_typed_is_found_and_enter_goes_round() -> None:
    async with running(NARROW) as driver:
        await driver.play(_long)
        chat = driver.app.main.chat
        await _searching(driver, "needle")
        assert chat.searching
        assert "/needle" in driver.text
        assert "1 of 4" in driver.text  # the end was shown, so it begins anew at the top
        assert "line 50:" in driver.text
        await driver.press("enter", "down")
        assert "3 of 4" in driver.text
        assert "line 150:" in driver.text
        await driver.press("up")
        assert "2 of 4" in driver.text
        assert [name for *_, name in chat.marks(50)] == ["hit", "hit-on"]
        await driver.press("escape")
        assert not driver.app.main.chat.searching
        assert "/needle" not in driver.text
        assert "line 50:" in driver.text
        assert chat.marks(50) == ()


async def test_a_capital_is_told_apart() -> None:
    async with running(NARROW) as driver:
        await driver.play(_long)
        await _searching(driver, "Needle")
        assert "1 of 2" in driver.text
        await driver.press(*"x")
        assert "nothing found" in driver.text
        await driver.press("backspace")
        assert "1 of 2" in driver.text


async def test_letters_decide_nothing_while_one_searches_and_escape_stops_nothing() -> None:
    async with running() as driver:
        await driver.play(scenes.red)
        await _searching(driver, "gauMxy")
        await driver.press("escape")
        assert driver.session.commands == []
        assert not driver.app.main.chat.searching


async def test_what_streams_in_is_searched_too() -> None:
    async with running() as driver:
        await driver.play(_long)
        await _searching(driver, "needle")
        driver.session.emit(ev.TextStreamed("one more needle"))
        await driver.drawn()
        assert "of 5" in driver.text


async def test_leaving_the_pane_ends_the_search_and_an_empty_one_takes_the_last() -> None:
    async with running() as driver:
        await driver.play(_long)
        await _searching(driver, "needle")
        await driver.press("tab")
        assert not driver.app.main.chat.searching
        await driver.press("shift+tab", "slash", "enter")
        assert "/needle" in driver.text
        assert "enter\u00a0next" in driver.app.main.keys.plain_text


async def test_a_place_on_a_wrapped_row_and_behind_wide_characters_stands_out() -> None:
    async with running(NARROW) as driver:
        await driver.play(scenes.start)
        driver.session.emit(ev.AnswerFinished("漢字 " * 30 + "needle", Usage()))
        await driver.drawn()
        await _searching(driver, "needle")
        chat = driver.app.main.chat
        color = palette_of(chat.app)["hit-on"].bgcolor
        marked = [
            segment.text
            for strip in chat.render_lines(chat.size.region)
            for segment in strip
            if segment.style is not None and segment.style.bgcolor == color
        ]
        assert marked == ["needle"]
