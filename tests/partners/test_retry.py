"""Sending a request again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_core.conversation import Completed, Retrying, TextDelta
from agent_core.errors import PartnerError
from agent_core.partners.retry import LONGEST_STEP, RetryingModel, wait_before
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
