"""What a request costs: by the user's own prices, else by the public price lists that `genai_prices` carries.

A server on this machine costs nothing that anybody could tell, so nothing is said of it; neither of a model that no
list knows, or of a service tier whose price is none of theirs.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing

import msgspec

from agent_core.config_tables import PriceConfig
from agent_core.conversation import Chunk, Completed, PartnerInfo, Request, Usage
from agent_core.partners.closing import closing
from agent_core.partners.endpoint import Endpoint
from agent_core.partners.own_prices import price_of, read_prices
from agent_core.protocols import Model

_MILLION = 1_000_000
# The lists have standard prices only. https://platform.openai.com/docs/guides/flex-processing: half of them; what
# ``priority`` costs is another share for each model.
_TIERS = {"": 1.0, "flex": 0.5}
log = logging.getLogger(__name__)


def own_cost(usage: Usage, price: PriceConfig) -> float:
    """What a request costs by the user's own prices, in US dollars.

    Args:
        usage: Its tokens; those that came from the provider's cache are among the input.
        price: Dollars per million tokens.
    """
    cached = price.input if price.cached is None else price.cached
    fresh = usage.input - usage.cached
    return (fresh * price.input + usage.cached * cached + usage.output * price.output) / _MILLION


def listed_cost(usage: Usage, model: str, base_url: str) -> float | None:
    """What a request costs by the public price lists, in US dollars; None where they do not know the model.

    The first call reads the lists, which takes a quarter of a second.

    Args:
        usage: Its tokens.
        model: The model's id.
        base_url: The server's address, which says whose prices count.
    """
    # Not needed before the first answer, and not quick.
    from genai_prices import Usage as Tokens  # noqa: PLC0415
    from genai_prices import calc_price  # noqa: PLC0415

    tokens = Tokens(input_tokens=usage.input, cache_read_tokens=usage.cached, output_tokens=usage.output)
    try:
        return float(calc_price(tokens, model_ref=model, provider_api_url=base_url).total_price)
    except (LookupError, ValueError):
        return None


class PricedModel:
    """A partner whose answers say what they cost.

    Args:
        inner: The partner.
        endpoint: Where it is reached.
        price: What the configuration says that it costs; None for the user's file of prices, and then the lists.
        tier: The service tier that is asked for.

    Raises:
        ConfigError: The user's file of prices cannot be used.
    """

    def __init__(self, inner: Model, endpoint: Endpoint, price: PriceConfig | None, tier: str = "") -> None:
        self._inner = inner
        self._endpoint = endpoint
        self._price = price
        self._tier = "" if tier in {"auto", "default"} else tier
        self._own = read_prices()

    @property
    def info(self) -> PartnerInfo:
        """Who this is."""
        return self._inner.info

    async def stream(self, request: Request) -> AsyncIterator[Chunk]:
        """Answer one request; see `agent_core.protocols.Model.stream`."""
        async with aclosing(closing(self._inner.stream(request))) as chunks:
            async for chunk in chunks:
                yield await self._priced(chunk) if isinstance(chunk, Completed) else chunk

    async def close(self) -> None:
        """Give back connections."""
        await self._inner.close()

    async def _priced(self, done: Completed) -> Completed:
        usage = done.usage
        if not usage.input and not usage.output:
            return done
        price = self._price or price_of(self._own, self.info.model, self._tier)
        if price is not None:
            cost: float | None = own_cost(usage, price)
        elif self._endpoint.loopback or self._tier not in _TIERS:
            cost = None
        else:
            find = functools.partial(listed_cost, usage, self.info.model, self._endpoint.base_url)
            try:
                cost = await asyncio.to_thread(find)
                cost = None if cost is None else cost * _TIERS[self._tier]
            except Exception:
                # A figure on the screen: what keeps it from being known must not cost the answer.
                log.exception("what a request costs could not be worked out")
                cost = None
        if cost is None:
            return done
        return msgspec.structs.replace(done, usage=msgspec.structs.replace(usage, cost=cost))
