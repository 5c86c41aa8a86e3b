"""Budgets and what was spent, on the screen."""

from __future__ import annotations

import pytest

from agent_core import events as ev
from agent_core.commands import RaiseBudget
from agent_core.conversation import Usage
from tests.tui import scenes
from tests.tui.driving import running
from tests.tui.fake_session import FakeSession

REACHED = ev.BudgetReached("task", 1.042, 1.0, 120_000, 0)


def spending(session: FakeSession) -> None:
    """A task in the midst of which the budget is used up."""
    session.emit(ev.Asked(1, "mend it"))
    session.emit(ev.AnswerFinished("I look.", Usage(120_000, 90_000, 2_000, 500, 1.042), "big-model", "work"))
    session.emit(REACHED)


@pytest.mark.parametrize(
    ("keys", "times"),
    [
        (("f2",), 1.0),
        (("f3",), -1.0),
        (("f4",), 0.0),
        (("tab", "y"), 1.0),
        (("tab", "n"), -1.0),
        (("tab", "N"), 0.0),
    ],
)
async def test_a_budget_that_is_used_up_is_answered_by_keys(keys: tuple[str, ...], times: float) -> None:
    async with running() as driver:
        await driver.play(spending)
        assert "The budget of this task is used up: $1.04 of $1.00." in driver.text
        assert "asks you" in driver.text
        await driver.press(*keys)
        assert driver.session.commands == [RaiseBudget(times)]


async def test_a_question_that_has_only_just_come_is_answered_by_no_key() -> None:
    async with running() as driver:
        await driver.play(scenes.green)
        driver.session.emit(ev.TaskFinished(1, "answered", ""))
        driver.session.emit(ev.Asked(2, "more"))
        driver.session.emit(REACHED)
        await driver.drawn()
        await driver.press("f2")
        assert RaiseBudget(1.0) not in driver.session.commands


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_what_was_spent_is_shown_at_every_size(size: tuple[int, int]) -> None:
    async with running(size=size) as driver:
        await driver.play(spending)
        await driver.press("tab", "dollar_sign")
        assert "usage" in driver.text
        assert "big-model (work)" in driver.text
        assert "90,000 (75%)" in driver.text
        assert "$1.04" in driver.text
        await driver.press("escape")
        assert driver.app.screen is driver.app.main
