"""Sending a request again when the failure may pass."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable

from agent_core.conversation import Chunk, PartnerInfo, Request, Retrying
from agent_core.errors import PartnerError
from agent_core.partners.closing import closing
from agent_core.partners.transport import OfflineError
from agent_core.protocols import Model

LONGEST_STEP = 60.0
"""Most seconds of a wait that the server did not ask for."""
OFFLINE_STEP = 5.0
"""Likewise while the server cannot be connected to: to try that costs nothing, and it may be back any moment."""
_FIRST_WAIT = 0.5


def wait_before(attempt: int, retry_after: float | None, draw: float, longest: float = LONGEST_STEP) -> float:
    """How long to wait before a repetition.

    Exponential with jitter (half of it fixed, half drawn), so that many clients do not come back at once;
    what the server asked for counts as the least, however long that is.

    Args:
        attempt: Which repetition it is, from 1.
        retry_after: Seconds the server asked for, or None.
        draw: A random number from 0 to 1.
        longest: Most seconds, where the server asked for none.
    """
    if retry_after is None:
        return min(_FIRST_WAIT * 2.0 ** min(attempt - 1, 30), longest) * (0.5 + draw / 2)
    # A little later than asked: exactly then, everybody comes.
    return retry_after + _FIRST_WAIT * draw


class RetryingModel:
    """A partner that is asked again when it fails in a way that may pass.

    Args:
        inner: The partner.
        max_retries: How often a request is sent again; 0 also for a server that cannot be connected to.
        offline: For how many seconds it is tried again while the server cannot be connected to, beyond these times.
        draw: Source of random numbers from 0 to 1.
        sleep: How to wait.
        now: A clock that only goes forward.
    """

    def __init__(
        self,
        inner: Model,
        max_retries: int,
        *,
        offline: float = 0.0,
        draw: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner = inner
        self._max = max_retries
        self._offline = offline
        self._draw = draw
        self._sleep = sleep
        self._now = now

    @property
    def info(self) -> PartnerInfo:
        """Who this is."""
        return self._inner.info

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Answer one request; see `agent_core.protocols.Model`."""
        attempt = misses = 0
        since: float | None = None
        told = ""
        while True:
            try:
                async with contextlib.aclosing(closing(self._inner.stream(request))) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except PartnerError as error:
                if not error.retryable or not self._max:
                    raise
                away = isinstance(error, OfflineError)
                since = (self._now() if since is None else since) if away else None
                out = self._now() - since if since is not None else None
                if away:
                    # It is back or it is not: how often that was tried says nothing of the server.
                    misses += 1
                    over = misses > self._max and out is not None and out >= self._offline
                    seconds = wait_before(misses, None, self._draw(), OFFLINE_STEP)
                else:
                    attempt, misses = attempt + 1, 0
                    over = attempt > self._max
                    seconds = wait_before(attempt, error.retry_after, self._draw())
                if over:
                    raise
                # What to do about it is worth knowing while it goes on; once will do.
                reason = error.message if error.hint and error.hint == told else str(error)
                told = error.hint or told
                hurried = asyncio.Event()
                if away:
                    yield Retrying(seconds, reason, misses, 0, out, hurried.set)
                else:
                    yield Retrying(seconds, reason, attempt, self._max, None, hurried.set)
                await self._wait(seconds, hurried)
            else:
                return

    async def _wait(self, seconds: float, hurried: asyncio.Event) -> None:
        """Wait so long, or until somebody does not want to."""
        ends = asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(hurried.wait())
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    async def close(self) -> None:
        """Give back connections."""
        await self._inner.close()
