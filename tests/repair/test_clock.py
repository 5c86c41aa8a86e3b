"""The clock of a search: what is told of its time never goes back."""

from __future__ import annotations

import pytest

from agent_core.repair import clock
from agent_core.repair.model import Progress


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the clock reads: the last of these."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[-1])
    return now


def test_there_is_no_limit_before_the_checks_have_spoken(time: list[float]) -> None:
    made = clock.Clock(60.0)
    time.append(120.0)
    told = made.stamped(Progress("looking", 7, trying="waiting for pytest"))
    assert (told.seconds, told.limit, told.tried, told.trying) == (20.0, 0.0, 7, "waiting for pytest")
    assert made.spent == 20.0


def test_what_is_waited_for_is_not_taken_from_its_time_and_no_word_goes_back(time: list[float]) -> None:
    made = clock.Clock(60.0)
    time.append(120.0)
    made.put_off(20.0)
    made.run()
    time.append(130.0)
    assert made.stamped(Progress("trying")) == Progress("trying", seconds=10.0, limit=60.0)
    time.append(150.0)
    assert made.stamped(Progress("looking")).seconds == 30.0
    made.put_off(20.0)
    assert made.stamped(Progress("mending")).seconds == 30.0, "it stands, where it would go back"
    time.append(199.0)
    assert made.stamped(Progress("comparing")).seconds == 59.0
    time.append(260.0)
    assert made.over, "80 s after it began"
    assert made.stamped(Progress("comparing")).seconds == 60.0
