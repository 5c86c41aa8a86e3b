"""What a request costs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from agent_core import events as ev
from agent_core.config_tables import PriceConfig
from agent_core.conversation import Chunk, Completed, PartnerInfo, Request, TextDelta, Usage
from agent_core.fold import fold
from agent_core.partners import pricing
from agent_core.partners.endpoint import OPENAI_URL, Endpoint, Key
from agent_core.partners.pricing import PricedModel, listed_cost, own_cost
from agent_core.state import State
from tests.partners.talk import request

USED = Usage(1_000_000, 250_000, 100_000, 40_000)


class Says:
    """Answers with two chunks."""

    info = PartnerInfo("chat", "says", "gpt-5-mini")

    def __init__(self, usage: Usage) -> None:
        self.usage = usage
        self.closed = False

    async def stream(self, asked: Request) -> AsyncIterator[Chunk]:
        yield TextDelta("hi")
        yield Completed((), self.usage)

    async def close(self) -> None:
        self.closed = True


def endpoint(url: str = OPENAI_URL) -> Endpoint:
    return Endpoint(url, "gpt-5-mini", Key("k", "K"), 1.0)


async def answered(model: PricedModel) -> Usage:
    chunks = [chunk async for chunk in model.stream(request())]
    assert chunks[0] == TextDelta("hi")
    done = chunks[-1]
    assert isinstance(done, Completed)
    return done.usage


def test_the_users_own_prices_count_the_cached_apart() -> None:
    assert own_cost(USED, PriceConfig(2.0, 8.0, 0.2)) == pytest.approx(0.75 * 2 + 0.25 * 0.2 + 0.1 * 8)
    assert own_cost(USED, PriceConfig(2.0, 8.0)) == pytest.approx(2 + 0.8)


def test_the_lists_know_what_is_well_known_and_nothing_else() -> None:
    fresh, cached = (listed_cost(usage, "gpt-5-mini", OPENAI_URL) for usage in (Usage(1000), Usage(1000, 1000)))
    assert fresh is not None
    assert cached is not None
    assert 0 < cached < fresh
    assert listed_cost(USED, "no-such-model", OPENAI_URL) is None
    assert listed_cost(USED, "gpt-5-mini", "https://models.example.org/v1") is None


async def test_an_answer_says_what_it_costs() -> None:
    model = PricedModel(Says(USED), endpoint(), None)
    assert (await answered(model)).cost == listed_cost(USED, "gpt-5-mini", OPENAI_URL)
    assert (await answered(PricedModel(Says(USED), endpoint(), PriceConfig(1.0, 1.0)))).cost == pytest.approx(1.1)
    assert model.info.name == "says"


async def test_nothing_is_said_of_a_server_of_ones_own_or_of_an_answer_without_figures() -> None:
    own = endpoint("http://127.0.0.1:8080/v1")
    assert (await answered(PricedModel(Says(USED), own, None))).cost is None
    assert (await answered(PricedModel(Says(USED), own, PriceConfig(1.0, 1.0)))).cost == pytest.approx(1.1)
    assert (await answered(PricedModel(Says(Usage()), endpoint(), PriceConfig(1.0, 1.0)))).cost is None


async def test_a_list_that_fails_does_not_cost_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(usage: Usage, model: str, base_url: str) -> float:
        raise RuntimeError("no list")

    monkeypatch.setattr(pricing, "listed_cost", broken)
    assert await answered(PricedModel(Says(USED), endpoint(), None)) == USED


def test_a_session_adds_up_what_is_known() -> None:
    state = State()
    for cost in (None, 0.25, None, 0.5):
        state = fold(state, ev.AnswerFinished("", Usage(10, cost=cost)))
    assert (state.usage.input, state.usage.cost, state.last_usage.cost) == (40, 0.75, 0.5)
    assert fold(State(), ev.AnswerFinished("", Usage(10))).usage.cost is None
