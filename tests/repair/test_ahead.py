"""The look at the tests that goes on while the test check runs them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

import pytest

from agent_core.repair.ahead import LookAhead
from agent_core.repair.lab import Lab
from agent_core.repair.model import Look, Plan, TestRun, Trial


class SlowLab:
    """A lab that has seen some tests, and goes on to others when it is told to.

    Args:
        seen: What it sees at once.
        later: What it sees then.
    """

    def __init__(self, seen: Sequence[TestRun], later: Sequence[TestRun] = (), *, whole: bool = True) -> None:
        self._seen, self._later, self._whole = tuple(seen), tuple(later), whole
        self.go = asyncio.Event()
        self.begun = asyncio.Event()
        self.closed = False

    @property
    def fault(self) -> str:
        return ""

    async def make(self) -> Lab:
        return self

    async def look(
        self, tests: Sequence[str], *, seconds: float, hear: Callable[[TestRun], None] = lambda _: None
    ) -> Look:
        for run in self._seen:
            hear(run)
        self.begun.set()
        await self.go.wait()
        for run in self._later:
            hear(run)
        return Look((*self._seen, *self._later), whole=self._whole)

    async def trials(self, plans: Sequence[Plan], *, seconds: float) -> AsyncGenerator[Trial, None]:
        for plan in plans:
            yield Trial(plan.number, "failed")

    async def behaviour(self, plans: Sequence[Plan], *, seconds: float) -> tuple[tuple[tuple[str, str], ...], ...]:
        return ()

    async def close(self) -> None:
        self.closed = True


def runs(*names: str, outcome: str = "passed") -> list[TestRun]:
    return [TestRun(name, "failed" if outcome == "failed" else "passed", 0.01) for name in names]


MANY = runs(*(f"test_a.py::test_{number}" for number in range(20)))
BAD = runs("test_b.py::test_bad", outcome="failed")
FAILS = ("test_b.py::test_bad",)


def ahead_of(lab: SlowLab, heard: list[TestRun] | None = None, *, seconds: float = 60.0) -> LookAhead:
    return LookAhead(lab.make, (), seconds=seconds, hear=(heard if heard is not None else []).append)


async def test_a_look_that_has_seen_what_fails_is_waited_for_and_taken() -> None:
    lab, heard = SlowLab(BAD, MANY), list[TestRun]()
    async with asyncio.timeout(30), ahead_of(lab, heard) as ahead:
        await lab.begun.wait()
        # The check has taken so long that another one would never come to its end.
        taking = asyncio.create_task(ahead.taken(FAILS, 21, 500.0, asyncio.Event()))
        lab.go.set()
        taken, look = await taking
    assert taken is lab
    assert look is not None
    assert len(look.runs) == len(heard) == 21
    assert not lab.closed, "whoever took it closes it"


async def test_a_look_is_waited_for_where_the_tests_are_few() -> None:
    lab = SlowLab(MANY, BAD)
    async with asyncio.timeout(30), ahead_of(lab) as ahead:
        await lab.begun.wait()
        taking = asyncio.create_task(ahead.taken(FAILS, 21, 1.0, asyncio.Event()))
        lab.go.set()
        assert (await taking)[1] is not None


@pytest.mark.parametrize("expected", [10**9, 21])
async def test_the_tests_are_looked_at_again_where_it_would_come_to_what_fails_too_late(expected: int) -> None:
    few = expected == 21
    # So few have been seen that only the check's own time tells.
    lab = SlowLab(MANY[:3] if few else MANY)
    async with asyncio.timeout(30), ahead_of(lab) as ahead:
        await lab.begun.wait()
        taken, look = await ahead.taken(FAILS, expected, 100.0, asyncio.Event())
    assert (taken, look) == (lab, None)


async def test_what_ended_too_early_for_what_fails_is_not_taken() -> None:
    lab = SlowLab(MANY, whole=False)
    lab.go.set()
    async with asyncio.timeout(30), ahead_of(lab) as ahead:
        assert await ahead.taken(FAILS, 21, 1.0, asyncio.Event()) == (lab, None)


async def test_nothing_is_left_of_it_where_nobody_takes_it_or_somebody_has_enough() -> None:
    lab, other, enough = SlowLab(BAD), SlowLab(BAD), asyncio.Event()
    async with asyncio.timeout(30), ahead_of(lab):
        await lab.begun.wait()
    assert lab.closed
    async with asyncio.timeout(30), ahead_of(other) as ahead:
        await other.begun.wait()
        enough.set()
        assert await ahead.taken(FAILS, 21, 1.0, enough) == (other, None)


async def test_a_test_that_hangs_is_told_and_one_that_fails_is_not() -> None:
    hung = SlowLab([TestRun("test_a.py::test_hangs", "hung", 2.0)])
    hung.go.set()
    async with asyncio.timeout(30), ahead_of(hung) as ahead:
        await ahead.hangs()
    fails = SlowLab(BAD)
    fails.go.set()
    async with asyncio.timeout(30), ahead_of(fails) as ahead:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await ahead.hangs()
