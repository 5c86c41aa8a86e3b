"""Sending a request again when the failure may pass."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Awaitable, Callable

from agent_core.conversation import Chunk, PartnerInfo, Request, Retrying
from agent_core.errors import PartnerError
from agent_core.partners.closing import closing
from agent_core.protocols import Model

LONGEST_WAIT = 60.0
_FIRST_WAIT = 0.5


def wait_before(attempt: int, retry_after: float | None, draw: float) -> float:
    """How long to wait before a repetition.

    Exponential with jitter (half of it fixed, half drawn), so that many clients do not come back at once;
    what the server asked for counts as the least. Never more than `LONGEST_WAIT`.

    Args:
        attempt: Which repetition it is, from 1.
        retry_after: Seconds the server asked for, or None.
        draw: A random number from 0 to 1.
    """
    step = min(_FIRST_WAIT * 2.0 ** min(attempt - 1, 30), LONGEST_WAIT)
    if retry_after is None:
        return step * (0.5 + draw / 2)
    # A little later than asked: exactly then, everybody comes.
    return min(retry_after + _FIRST_WAIT * draw, LONGEST_WAIT)


class RetryingModel:
    """A partner that is asked again when it fails in a way that may pass.

    Args:
        inner: The partner.
        max_retries: How often a request is sent again.
        draw: Source of random numbers from 0 to 1.
        sleep: How to wait.
    """

    def __init__(
        self,
        inner: Model,
        max_retries: int,
        *,
        draw: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._inner = inner
        self._max = max_retries
        self._draw = draw
        self._sleep = sleep

    @property
    def info(self) -> PartnerInfo:
        """Who this is."""
        return self._inner.info

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Answer one request; see `agent_core.protocols.Model`."""
        attempt = 0
        while True:
            try:
                async with contextlib.aclosing(closing(self._inner.stream(request))) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except PartnerError as error:
                if not error.retryable or attempt >= self._max:
                    raise
                attempt += 1
                seconds = wait_before(attempt, error.retry_after, self._draw())
                # What to do about it is worth knowing while it goes on; once will do.
                reason = f"{error.message} {error.hint}".strip() if attempt == 1 else error.message
                yield Retrying(seconds, reason, attempt)
                await self._sleep(seconds)
            else:
                return

    async def close(self) -> None:
        """Give back connections."""
        await self._inner.close()
