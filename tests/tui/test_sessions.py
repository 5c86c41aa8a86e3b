"""The picker of sessions: found by title and by what was said, opened, forked, written out, put out of sight."""

from __future__ import annotations

import time
from typing import Any

import pytest

from agent_core.commands import Quit
from agent_core.errors import JournalError
from agent_core.forking import Step
from agent_core.shelf import Said, SessionCard
from tests.tui import scenes
from tests.tui.driving import NARROW, SIZES, Driver, running
from tests.tui.fake_session import Clock, FakeEngine, FakeSession, FakeShelf, Summary
from tui.app import PairloopApp
from tui.screens.choose import Chooser
from tui.screens.session_find import SaidIndex, card_lines, preview_lines
from tui.screens.sessions import SessionsScreen

ESCAPES = "\x1b[31mred\x1b[0m [bold]no markup[/bold]"


def card(name: str, title: str, **changes: Any) -> SessionCard:
    now = time.time()
    given: dict[str, Any] = {
        "started": now - 4000, "last": now - 100, "tasks": 1, "attempts": 2, "landings": 0, "events": 9, "pending": "",
        "in_use": False, "hidden": False, "forked_from": "",
    }  # fmt: skip
    return SessionCard(id=name, title=title, **{**given, **changes})


CARDS = (
    card("s1", "make the discount right", in_use=True),
    card("s2", "rename Basket", pending="proposal"),
    card("s3", "write a test", in_use=True),
    card("s4", "an old thing", hidden=True),
)
SAID = {
    "s2": [Said(2, 0.0, "you", "rename Basket"), Said(4, 0.0, "partner", f"a\nb\nc\nThe VAT is wrong {ESCAPES}\nd")],
    "s3": [Said(2, 0.0, "decision", "rejected proposal 1: no Vat here")],
}


def engine_with(session: FakeSession | None = None) -> FakeEngine:
    engine = FakeEngine(session or FakeSession())
    engine.sessions = FakeShelf(CARDS, SAID)
    engine.sessions.stops = (Step(7, 0.0, "proposal", 1, "attempt 1: red"), Step(9, 0.0, "now", 0, "as it is now"))
    return engine


async def opened(driver: Driver) -> SessionsScreen:
    await driver.press("tab", "S")
    screen = driver.app.screen
    assert isinstance(screen, SessionsScreen)
    await driver.until(lambda: screen.ready)
    await driver.settle()
    return screen


def chosen(screen: SessionsScreen) -> str:
    found = screen.list.chosen
    return found.card.id if found is not None else ""


@pytest.mark.parametrize("key", ["enter", "n", "f"])
async def test_a_partner_at_work_is_cut_off_only_by_who_means_it(key: str) -> None:
    async with running(engine=engine_with()) as driver:
        await driver.play(scenes.start)
        await driver.play(scenes.ask)
        screen = await opened(driver)
        assert chosen(screen) == "s1"
        await driver.press("down", key)
        assert driver.app.screen is screen
        assert f"would be cut off. {key} again" in driver.text
        # What is asked for elsewhere is asked for the first time.
        await driver.press("up", "down", key)
        assert driver.app.screen is screen
        assert driver.session.commands == []
        await driver.press(key)
        await driver.until(lambda: driver.app.screen is not screen)
        assert (driver.session.commands == [Quit()]) is (key != "f")


@pytest.mark.parametrize("size", SIZES)
async def test_sessions_are_shown_and_searched(size: tuple[int, int]) -> None:
    async with running(size, engine=engine_with()) as driver:
        screen = await opened(driver)
        assert "make the discount right" in driver.text
        assert "a proposal waits" in driver.text
        assert "an old thing" not in driver.text
        await driver.press("slash", *"vat wr")
        # By what was said, whatever the case; shown where it was said, and no escape is obeyed.
        assert chosen(screen) == "s2"
        assert len(screen.list.lines) == 2
        assert "The VAT is wrong" in driver.text
        assert "[bold]no markup" in screen.preview.plain_text
        assert "\x1b" not in screen.preview.plain_text
        await driver.press(*("backspace",) * 3)
        await driver.press("down")
        assert chosen(screen) == "s3"
        await driver.press(*"zzz")
        assert "nothing fits" in driver.text
        await driver.press("escape")
        assert len(screen.list.lines) == 6
        await driver.press("escape")
        assert driver.app.screen is driver.app.main


async def test_enter_opens_the_session_under_the_cursor() -> None:
    engine = engine_with()
    engine.later = [FakeSession()]
    async with running(engine=engine) as driver:
        await opened(driver)
        await driver.press("down", "enter")
        await driver.until(lambda: engine.opened == [None, "s2"])
        assert engine.session.commands == [Quit()]
        await driver.until(lambda: driver.app.main.is_open)


async def test_what_another_process_has_open_is_not_opened_twice() -> None:
    engine = engine_with()
    async with running(engine=engine) as driver:
        await opened(driver)
        await driver.press("end", "enter")
        assert "open in another pairloop" in driver.text
        assert isinstance(driver.app.screen, SessionsScreen)
        await driver.press("escape")
        assert engine.opened == [None]


async def test_the_session_one_is_in_stays_open() -> None:
    session = FakeSession()
    scenes.start(session)
    engine = engine_with(session)
    engine.sessions.listed[1] = card(session.state.session, "this one", in_use=True)
    async with running(engine=engine) as driver:
        screen = await opened(driver)
        assert chosen(screen) == session.state.session
        assert "you are here" in driver.text
        await driver.press("enter")
        assert driver.app.screen is driver.app.main
        assert engine.opened == [None]


async def test_a_new_session_from_the_picker() -> None:
    engine = engine_with()
    engine.later = [FakeSession()]
    async with running(engine=engine) as driver:
        await opened(driver)
        await driver.press("n")
        await driver.until(lambda: engine.opened == [None, None])


async def test_a_fork_is_begun_at_the_step_that_is_chosen() -> None:
    engine = engine_with()
    engine.later = [FakeSession()]
    async with running(engine=engine) as driver:
        await opened(driver)
        await driver.press("down", "f")
        await driver.until(lambda: isinstance(driver.app.screen, Chooser))
        await driver.settle()
        assert "proposal 1 waits" in driver.text
        # The newest first.
        await driver.press("down", "enter")
        await driver.until(lambda: engine.opened == [None, "fork of s2"])
        assert engine.sessions.wanted == [("steps", "s2"), ("fork", "s2", 7)]


async def test_a_session_is_written_out_and_put_out_of_sight() -> None:
    engine = engine_with()
    async with running(engine=engine) as driver:
        screen = await opened(driver)
        await driver.press("down", "e")
        await driver.until(lambda: "Written to" in driver.text)
        await driver.press("E")
        await driver.until(lambda: ("export", "s2", "json") in engine.sessions.wanted)
        await driver.press("d")
        await driver.until(lambda: "not deleted" in driver.text)
        assert "rename Basket" not in screen.list.plain_text
        await driver.press("h")
        await driver.until(lambda: "an old thing" in screen.list.plain_text)
        await driver.press("end", "d")
        await driver.until(lambda: ("hide", "s4", False) in engine.sessions.wanted)


async def test_what_cannot_be_read_is_told() -> None:
    engine = engine_with()
    engine.sessions.error = JournalError("The journal is damaged.", "Move it away.")
    async with running(NARROW, engine=engine) as driver:
        await driver.press("tab", "S")
        await driver.until(lambda: "The journal is damaged." in driver.text)
        await driver.press("n", "escape")


async def test_a_click_looks_and_two_open() -> None:
    engine = engine_with()
    engine.later = [FakeSession()]
    async with running(engine=engine) as driver:
        screen = await opened(driver)
        await driver.pilot.click(screen.list, offset=(4, 3))
        await driver.settle()
        assert chosen(screen) == "s2"
        await driver.pilot.click(screen.list, offset=(4, 3), times=2)
        await driver.until(lambda: engine.opened == [None, "s2"])


@pytest.mark.parametrize("picks", [True, False])
async def test_resume_begins_with_the_sessions(picks: bool) -> None:
    engine = FakeEngine(FakeSession(), Summary())
    engine.sessions = FakeShelf(CARDS, SAID)
    clock = Clock()
    app = PairloopApp(lambda: engine, clock=clock, pick=True)
    async with app.run_test() as pilot:
        driver = Driver(app, pilot, engine.session, Clock())
        await driver.until(lambda: isinstance(app.screen, SessionsScreen))
        await driver.settle()
        # Somebody was about to write their task.
        await driver.press("n", "d", "enter")
        assert engine.opened == []
        assert "only just appeared" in driver.text
        clock.pass_(1.0)
        await driver.press(*(("down", "enter") if picks else ("escape",)))
        if picks:
            await driver.until(lambda: engine.opened == ["s2"])
        else:
            # Nothing chosen: the last one is offered, as ever.
            await driver.until(lambda: app.main.offer)
    assert app.failures == []


async def test_where_there_is_one_session_it_is_offered() -> None:
    engine = FakeEngine(FakeSession(), Summary())
    engine.sessions = FakeShelf(CARDS[:1], SAID)
    app = PairloopApp(lambda: engine, clock=Clock(), pick=True)
    async with app.run_test() as pilot:
        driver = Driver(app, pilot, engine.session, Clock())
        await driver.until(lambda: app.main.offer)
        assert app.screen is app.main


def test_the_best_fit_comes_first() -> None:
    index = SaidIndex(SAID)
    assert [found.card.id for found in index.find("", CARDS)] == ["s1", "s2", "s3", "s4"]
    # Its title, before what was said, before letters with gaps.
    assert [found.card.id for found in index.find("basket rename", CARDS)] == ["s2"]
    assert [found.card.id for found in index.find("vat", CARDS)] == ["s2", "s3"]
    assert [found.card.id for found in index.find("mkdsc", CARDS)] == ["s1"]


def test_what_is_long_is_cut_and_what_was_found_is_seen() -> None:
    texts = [Said(at, 0.0, "partner", f"number {at}") for at in range(2000)]
    index = SaidIndex({"s2": texts})
    [found] = index.find("number 1500", CARDS)
    lines, seen = preview_lines(found, texts, "number 1500", "")
    assert len(lines) < 700
    assert "number 1500" in "\n".join(line.text for line in lines[seen : seen + 3])
    long = card("x", "wide 世界 " * 40)
    top, _ = card_lines(index.find("", [long])[0], "", 40, here=True)
    assert len(top.text) < 40
