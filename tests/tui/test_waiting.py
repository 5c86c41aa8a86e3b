"""What was accepted and waits for git says so where it asks, and no longer when it is over."""

from __future__ import annotations

import pytest

from agent_core import events as ev
from tests.tui import scenes
from tests.tui.driving import MEDIUM, NARROW, Driver, running

REASON = "Git is in the midst of a rebase: it lands by itself when that is over."


async def _waits(driver: Driver) -> None:
    number = driver.session.state.proposals[-1].number
    driver.session.emit(ev.LandingWaits(number, REASON), ev.DecisionAwaited(number, REASON))
    await driver.drawn()


@pytest.mark.parametrize("size", [NARROW, MEDIUM])
async def test_all_of_it_waits(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await driver.play(scenes.green)
        assert "? Git" not in driver.text
        await _waits(driver)
        assert "? Git is in the midst of a rebase: it lands by itself when that is over." in " ".join(
            driver.text.split()
        )
        driver.session.emit(ev.LandingWaits(2, ""), ev.DecisionAwaited(2, "green: breaks nothing, 1 fixed"))
        await driver.drawn()
        assert "? Git" not in driver.text


async def test_a_part_waits() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(scenes.parts)
        await _waits(driver)
        assert "? Git is in the midst of a rebase" in driver.text
