"""What a request costs: by the user's own prices, else by the public price lists that `genai_prices` carries.

A server on this machine costs nothing that anybody could tell, so nothing is said of it; neither of a model that no
list knows.
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
from agent_core.protocols import Model

_MILLION = 1_000_000
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
        price: The user's own prices; None for those of the lists.
    """

    def __init__(self, inner: Model, endpoint: Endpoint, price: PriceConfig | None) -> None:
        self._inner = inner
        self._endpoint = endpoint
        self._price = price

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
        if self._price is not None:
            cost: float | None = own_cost(usage, self._price)
        elif self._endpoint.loopback:
            cost = None
        else:
            find = functools.partial(listed_cost, usage, self.info.model, self._endpoint.base_url)
            try:
                cost = await asyncio.to_thread(find)
            except Exception:
                # A figure on the screen: what keeps it from being known must not cost the answer.
                log.exception("what a request costs could not be worked out")
                cost = None
        return done if cost is None else Completed(done.items, msgspec.structs.replace(usage, cost=cost))
