"""Sending a request again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_core.conversation import Chunk, Completed, PartnerInfo, Request, Retrying, TextDelta, Usage
from agent_core.errors import PartnerError
from agent_core.partners.retry import LONGEST_STEP, OFFLINE_STEP, RetryingModel, wait_before
from agent_core.partners.transport import OfflineError
from tests.partners.talk import APIS, chunks_of, model, request
from tests.support.model_server import ModelServer, error, fault, text


def patient(api: str, base_url: str, max_retries: int = 3) -> tuple[RetryingModel, list[float]]:
    """A partner that writes down its waits instead of waiting."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    return RetryingModel(model(api, base_url), max_retries, draw=lambda: 0.5, sleep=sleep), waits


@pytest.mark.parametrize("api", APIS)
async def test_what_may_pass_is_tried_again(api: str) -> None:
    answers = [
        text("half an ans") + fault("cut"),
        error(429, "slow down", headers={"retry-after": "7"}),
        error(503, "overloaded"),
        text("whole"),
    ]
    async with ModelServer(answers) as server:
        partner, waits = patient(api, server.base_url)
        chunks = await chunks_of(partner, request())
        await partner.close()
        bodies = [one.body for one in server.requests]
    retries = [chunk for chunk in chunks if isinstance(chunk, Retrying)]
    assert [one.attempt for one in retries] == [1, 2, 3]
    assert [one.seconds for one in retries] == waits
    assert waits == [0.375, 7.25, 1.5]
    assert "slow down" in retries[1].reason
    # What counts is what comes after the last retry.
    last = chunks.index(retries[-1])
    assert "".join(chunk.text for chunk in chunks[last:] if isinstance(chunk, TextDelta)) == "whole"
    assert isinstance(chunks[-1], Completed)
    assert all(body == bodies[0] for body in bodies)


async def test_it_gives_up_at_last() -> None:
    async with ModelServer([error(500, "boom")] * 5) as server:
        partner, waits = patient("chat", server.base_url, max_retries=2)
        with pytest.raises(PartnerError, match="boom"):
            await chunks_of(partner, request())
        await partner.close()
        assert len(server.requests) == 3
    assert len(waits) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
async def test_what_will_not_pass_is_not_tried_again(status: int) -> None:
    async with ModelServer([error(status, "no"), text("never asked for")]) as server:
        partner, waits = patient("responses", server.base_url)
        with pytest.raises(PartnerError):
            await chunks_of(partner, request())
        await partner.close()
        assert len(server.requests) == 1
    assert waits == []


@given(st.integers(1, 10_000), st.none() | st.floats(0, 1e9), st.floats(0, 1))
def test_waits_are_bounded_and_respect_the_server(attempt: int, asked: float | None, draw: float) -> None:
    seconds = wait_before(attempt, asked, draw)
    if asked is None:
        assert 0 <= seconds <= LONGEST_STEP
    else:
        assert asked <= seconds <= asked + 0.5


def test_waits_grow() -> None:
    assert [wait_before(attempt, None, 1.0) for attempt in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 32, 60]
    assert wait_before(1, None, 0.0) == 0.25


async def test_what_to_do_is_told_with_the_first_failure_already() -> None:
    async with ModelServer([fault("drop"), fault("drop"), text("there")]) as server:
        partner, _ = patient("chat", server.base_url)
        chunks = await chunks_of(partner, request())
        await partner.close()
    first, second = (chunk.reason for chunk in chunks if isinstance(chunk, Retrying))
    assert first == f"{second} Its own output may say why."


class Failing:
    """A partner that fails as it is told, and then answers."""

    info = PartnerInfo("scripted", "x")

    def __init__(self, *errors: PartnerError) -> None:
        self.errors = list(errors)

    async def stream(self, asked: Request) -> AsyncIterator[Chunk]:
        if self.errors:
            raise self.errors.pop(0)
        yield Completed((), Usage())

    async def close(self) -> None:
        """Nothing to give back."""


async def test_a_wait_ends_when_somebody_does_not_want_to_wait() -> None:
    partner = RetryingModel(Failing(PartnerError("rate_limit", "Slow.", "", 5000.0)), 1)
    async with asyncio.timeout(30):
        async for chunk in partner.stream(request()):
            if isinstance(chunk, Retrying):
                assert (chunk.attempt, chunk.most, chunk.offline) == (1, 1, None)
                assert chunk.seconds >= 5000
                chunk.hurry()


async def test_offline_it_is_tried_on_for_a_time_and_that_costs_no_repetitions() -> None:
    now, waits = 0.0, list[float]()

    async def sleep(seconds: float) -> None:
        nonlocal now
        waits.append(seconds)
        now += seconds

    away = [OfflineError("Offline.", "Check.") for _ in range(30)]
    inner = Failing(PartnerError("server", "Busy."), *away, PartnerError("server", "Busy."))
    partner = RetryingModel(inner, 2, offline=600, draw=lambda: 1.0, sleep=sleep, now=lambda: now)
    retries = [chunk for chunk in await chunks_of(partner, request()) if isinstance(chunk, Retrying)]
    assert [one.attempt for one in retries] == [1, *range(1, 31), 2]
    assert [one.offline is None for one in retries] == [True, *[False] * 30, True]
    assert [one.most for one in retries] == [2, *[0] * 30, 2]
    assert waits[1:6] == [0.5, 1, 2, 4, OFFLINE_STEP]
    assert max(waits) == OFFLINE_STEP
    # Not for ever, and not at all where nothing is to be tried again.
    for most, offline in ((2, 60.0), (0, 600.0)):
        inner = Failing(*(OfflineError("Offline.") for _ in range(99)))
        partner = RetryingModel(inner, most, offline=offline, draw=lambda: 1.0, sleep=sleep, now=lambda: now)
        begun = now
        with pytest.raises(OfflineError):
            await chunks_of(partner, request())
        assert now - begun == pytest.approx(offline if most else 0.0, abs=OFFLINE_STEP)
