"""What a request costs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent_core import events as ev
from agent_core.config_tables import PriceConfig
from agent_core.conversation import Chunk, Completed, PartnerInfo, Request, TextDelta, Usage
from agent_core.errors import ConfigError
from agent_core.fold import fold
from agent_core.partners import pricing
from agent_core.partners.endpoint import OPENAI_URL, Endpoint, Key
from agent_core.partners.own_prices import price_of, read_prices
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


# -- the user's file of prices

OWN = """
["gpt-5*"]
input = 2.0
output = 20.0

["gpt-5-mini"]
input = 1.0
cached = 0.5
output = 10.0
tiers.priority = { input = 4.0, output = 40.0 }

["local-*".tiers.flex]
input = 3.0
output = 3.0
"""


@pytest.fixture
def own(private_home: Path) -> Path:
    file = private_home / "config" / "pairloop" / "prices.toml"
    file.parent.mkdir(parents=True)
    file.write_text(OWN)
    return file


@pytest.mark.usefixtures("own")
async def test_a_file_of_prices_goes_before_the_lists_and_behind_the_configuration() -> None:
    used = Usage(1_000_000, 0, 1_000_000)
    assert (await answered(PricedModel(Says(used), endpoint(), None))).cost == pytest.approx(11)
    assert (await answered(PricedModel(Says(used), endpoint("http://127.0.0.1:1/v1"), None))).cost == pytest.approx(11)
    assert (await answered(PricedModel(Says(used), endpoint(), PriceConfig(1.0, 1.0)))).cost == pytest.approx(2)
    assert (await answered(PricedModel(Says(used), endpoint(), None, "priority"))).cost == pytest.approx(44)
    assert (await answered(PricedModel(Says(used), endpoint(), None, "default"))).cost == pytest.approx(11)


@pytest.mark.usefixtures("own")
def test_the_id_goes_before_a_pattern_and_the_longer_pattern_before_the_shorter() -> None:
    prices = read_prices()
    assert price_of(prices, "gpt-5-mini") == PriceConfig(1.0, 10.0, 0.5)
    assert price_of(prices, "gpt-5.1") == PriceConfig(2.0, 20.0)
    assert price_of(prices, "local-1", "flex") == PriceConfig(3.0, 3.0)
    assert price_of(prices, "local-1") is None
    assert price_of(prices, "gpt-5.1", "priority") is None
    assert price_of(prices, "other") is None


async def test_a_tier_costs_what_is_known_of_it() -> None:
    usual = (await answered(PricedModel(Says(USED), endpoint(), None))).cost
    flex = (await answered(PricedModel(Says(USED), endpoint(), None, "flex"))).cost
    assert usual is not None
    assert flex == pytest.approx(usual / 2)
    assert (await answered(PricedModel(Says(USED), endpoint(), None, "priority"))).cost is None


@pytest.mark.parametrize(
    "text", ["[m]\ninput = 1\n", "[m]\n", "[m]\ninput = -1\noutput = 1\n", "m = 3\n", "[m\n", "[m]\nx = 1"]
)
def test_a_file_of_prices_that_cannot_be_used_is_named(own: Path, text: str) -> None:
    own.write_text(text)
    with pytest.raises(ConfigError, match=r"prices\.toml"):
        PricedModel(Says(USED), endpoint(), None)
