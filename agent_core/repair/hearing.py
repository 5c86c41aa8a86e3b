"""Waiting for a lab, but no longer than somebody wants."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Sequence
from typing import TypeVar

from agent_core.repair.lab import TrialLab
from agent_core.repair.model import Plan, Trial

T = TypeVar("T")


async def unless_enough(work: Awaitable[T], enough: asyncio.Event, seconds: float) -> T | None:
    """What comes of some work; None when somebody has had enough before, or it took too long.

    Args:
        work: The work; it is cancelled then.
        enough: Set when somebody has had enough.
        seconds: The most that it may take.
    """
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(enough.wait())
    try:
        await asyncio.wait([working, stopping], timeout=max(seconds, 0), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        stopping.cancel()
        if not working.done():
            working.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


async def trials_of(
    lab: TrialLab, plans: Sequence[Plan], enough: asyncio.Event, seconds: float
) -> AsyncGenerator[Trial, None]:
    """A lab's trials, up to the moment in which somebody has had enough.

    Args:
        lab: The lab.
        plans: What to try.
        enough: Set when somebody has had enough.
        seconds: The most that it may take.
    """
    until = time.monotonic() + seconds
    trials = lab.trials(plans, seconds=seconds)

    async def following() -> Trial | None:
        return await anext(trials, None)

    try:
        # A lab ends by itself when its time is up; a little later it is ended.
        while (trial := await unless_enough(following(), enough, until + 1 - time.monotonic())) is not None:
            yield trial
    finally:
        await trials.aclose()
