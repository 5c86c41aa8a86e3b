"""The timeline: any attempt of the session, its diff, its checks, what was decided and why."""

from __future__ import annotations

import pytest

from agent_core import events as ev
from agent_core.screen_settings import ScreenConfig
from tests.tui import scenes
from tests.tui.driving import NARROW, SIZES, WIDE, Driver, running
from tests.tui.fake_session import FakeEngine, FakeSession
from tui.screens.timeline import TimelineScreen, attempts_strip
from tui.settings import Settings


def two_attempts(session: FakeSession) -> None:
    """A first one that was rejected, a second one that waits."""
    scenes.red(session)
    session.emit(ev.Decided(1, "reject", "human", "not \x1b[31mlike [b]this[/b]"))
    scenes.propose(session, 2, scenes.RIGHT)
    scenes.judge(session, 2, green=True)
    session.emit(ev.DecisionAwaited(2, "green"))


async def opened(driver: Driver) -> TimelineScreen:
    await driver.play(two_attempts)
    await driver.press("tab", "H")
    screen = driver.app.screen
    assert isinstance(screen, TimelineScreen)
    await driver.until(lambda: screen.diff.colored)
    await driver.settle()
    return screen


@pytest.mark.parametrize("size", SIZES)
async def test_every_attempt_can_be_looked_at(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        screen = await opened(driver)
        assert "waits for you" in driver.text
        assert "0 <= percent" in screen.diff.plain_text
        await driver.press("left")
        await driver.until(lambda: screen.diff.colored)
        assert screen.proposal.number == 1
        assert "rejected: not ␛[31mlike [b]this[/b]" in driver.text
        assert "0 <= percent" not in screen.diff.plain_text
        assert "1 broken" in screen.checks.plain_text
        # Both ends hold.
        await driver.press("left", "right", "right")
        assert screen.proposal.number == 2
        await driver.press("escape")
        assert driver.app.screen is driver.app.main
        # Looking has decided nothing.
        assert driver.session.commands == []
        assert driver.session.state.waiting == 2


async def test_its_diff_is_laid_out_as_the_other_one() -> None:
    settings = Settings(ScreenConfig(diff="split", wrap=False))
    async with running(WIDE, settings=settings) as driver:
        screen = await opened(driver)
        assert screen.diff.wants_beside
        assert not screen.diff.look.wrap


async def test_no_key_of_the_panes_acts_from_the_timeline() -> None:
    async with running() as driver:
        await opened(driver)
        await driver.press("a", "A", "r", "enter", "f2", "f3", "u", "x")
        assert driver.session.commands == []


async def test_where_there_is_little_room_tab_goes_from_the_diff_to_the_checks() -> None:
    async with running(NARROW) as driver:
        screen = await opened(driver)
        assert [pane.display for pane in (screen.diff, screen.checks)] == [True, False]
        await driver.press("tab")
        await driver.until(lambda: screen.checks.has_focus)
        assert [pane.display for pane in (screen.diff, screen.checks)] == [False, True]
        await driver.press("down", "tab")
        await driver.until(lambda: screen.diff.has_focus)


async def test_it_forks_where_the_attempt_waited() -> None:
    engine = FakeEngine(FakeSession())
    engine.later = [FakeSession()]
    async with running(engine=engine) as driver:
        await opened(driver)
        await driver.press("left", "f")
        name = driver.session.state.session
        await driver.until(lambda: engine.opened == [None, f"fork of {name}"])
        assert engine.sessions.wanted == [("fork_at", name, 1)]


async def test_where_the_partner_is_at_work_a_fork_is_asked_for_twice() -> None:
    engine = FakeEngine(FakeSession())
    engine.later = [FakeSession()]
    async with running(engine=engine) as driver:
        session = driver.session
        screen = await opened(driver)
        session.emit(ev.Decided(2, "steer", "human", ""))
        await driver.until(lambda: driver.app.state.phase == "thinking")
        await driver.press("f")
        await driver.until(lambda: "would be cut off. f again" in driver.text)
        await driver.press("left")
        await driver.until(lambda: "fork here" in driver.text)
        await driver.press("f")
        await driver.until(lambda: "would be cut off. f again" in driver.text)
        assert driver.app.screen is screen
        assert engine.opened == [None]
        await driver.press("f")
        await driver.until(lambda: engine.opened == [None, f"fork of {session.state.session}"])


async def test_there_is_no_timeline_of_nothing() -> None:
    async with running() as driver:
        await driver.press("tab", "H")
        assert driver.app.screen is driver.app.main


def test_many_attempts_are_shown_around_the_one_that_is_looked_at() -> None:
    session = FakeSession()
    scenes.start(session)
    scenes.ask(session)
    for number in range(1, 41):
        scenes.propose(session, number, scenes.RIGHT)
    for at in (0, 20, 39):
        line = attempts_strip(session.state, at, 60)
        assert f"{session.state.proposals[at].attempt}]" in line.text
        assert len(line.text) <= 62
        assert "…" in line.text
