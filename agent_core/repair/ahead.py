"""The look at the tests begins while the test check still runs them: what fails is known from both at about one time.

The check's word counts for what fails: it runs the tests in the ordinary way. The lab's look tells what they execute.
One after the other they would take up half of the time to a first repair.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self

from agent_core.repair.hearing import unless_enough
from agent_core.repair.lab import Lab
from agent_core.repair.model import Look, TestRun

Begun = tuple[Lab | None, Look | None]
"""A lab, and what it has seen so far; None where there is none yet."""

# What a look takes, in times of what the check takes, where nothing is known yet of how it gets on.
_SLOWER = 3.0
_TELLING = 10
# The share of its time that a look has for the first run of each test.
_FIRST_SHARE = 0.8


class LookAhead:
    """A look at all tests that goes on in the background, from its beginning to its end as a context manager.

    Args:
        make: Makes the lab.
        tests: Tests that come first, as far as it is known which are wanted.
        seconds: How long it may take.
        hear: Called with each run as it ends.
    """

    def __init__(
        self,
        make: Callable[[], Awaitable[Lab]],
        tests: Sequence[str],
        *,
        seconds: float,
        hear: Callable[[TestRun], None],
    ) -> None:
        self._make = make
        self._tests = tests
        self._seconds = seconds
        self._hear = hear
        self._seen: set[str] = set()
        self._since: float | None = None
        self._begun = 0.0
        self._lab: Lab | None = None
        self._looking: asyncio.Task[Look] | None = None

    async def __aenter__(self) -> Self:
        self._begun = time.monotonic()
        self._looking = asyncio.create_task(self._look())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()
        if self._lab is not None:
            await self._lab.close()

    async def hangs(self) -> None:
        """Wait until the look has ended and says that a test hangs; for ever where none does."""
        assert self._looking is not None
        await asyncio.wait([self._looking])
        if self._looking.cancelled() or self._looking.exception() or not _hung(self._looking.result()):
            await asyncio.Event().wait()

    async def taken(self, failing: Sequence[str], expected: int, seconds: float, enough: asyncio.Event) -> Begun:
        """What has come of it, once what fails is known; it is not waited for where another look is sooner there.

        Args:
            failing: Tests that fail, by the check.
            expected: How many tests there are.
            seconds: How long the check took.
            enough: Set when somebody has had enough.

        Returns:
            The lab, from now on the caller's to close; None where there is none yet. And what it has seen; None where
            the tests are to be looked at again, those that fail first.

        Raises:
            SandboxError: The tree could not be made.
        """
        assert self._looking is not None
        look = None
        if self._looking.done() or self._worth_waiting(failing, expected, seconds):
            left = self._begun + self._seconds - time.monotonic()
            look = await unless_enough(asyncio.shield(self._looking), enough, max(left, 0.0))
        await self._end()
        lab, self._lab = self._lab, None
        if look is not None and not look.whole and not set(failing) <= self._seen:
            look = None
        return lab, look

    def _worth_waiting(self, failing: Sequence[str], expected: int, seconds: float) -> bool:
        """Whether it will come to those that fail."""
        if failing and set(failing) <= self._seen:
            return True
        needed = _SLOWER * seconds
        if self._since is not None and len(self._seen) >= _TELLING:
            spent = time.monotonic() - self._since
            needed = self._since - self._begun + spent * expected / len(self._seen)
        return needed <= _FIRST_SHARE * self._seconds

    async def _look(self) -> Look:
        self._lab = await self._make()
        return await self._lab.look(self._tests, seconds=self._seconds, hear=self._heard)

    def _heard(self, run: TestRun) -> None:
        if self._since is None:
            self._since = time.monotonic()
        self._seen.add(run.test)
        self._hear(run)

    async def _end(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)


def _hung(look: Look) -> bool:
    return any(run.outcome == "hung" for run in look.runs)
