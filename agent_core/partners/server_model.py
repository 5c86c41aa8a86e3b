"""What partners behind a server share, whichever API they speak."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

import msgspec

from agent_core.conversation import PartnerInfo, Request
from agent_core.errors import PartnerError
from agent_core.partners.client import Connection
from agent_core.partners.endpoint import Endpoint

if TYPE_CHECKING:
    # The one module that imports openai.
    from agent_core.partners.wire import Api


_PINGS = 5.0
"""A server that only says that it is alive is given so many times as long as one that says nothing."""
_REASONS = re.compile(r"^(o\d|gpt-(?:[5-9]|\d\d)|codex)")


class Manner(msgspec.Struct, frozen=True):
    """How a partner is to answer, beside how freely; see `agent_core.config_tables.PartnerConfig`."""

    verbosity: str = ""
    summary: str = "auto"
    tier: str = ""
    parallel: bool = True


class Pulse:
    """Watches that a stream which is alive gets on, too.

    Args:
        endpoint: The server.
        now: A clock that only goes forward.
    """

    def __init__(self, endpoint: Endpoint, now: Callable[[], float] = time.monotonic) -> None:
        self._endpoint = endpoint
        self._now = now
        self._longest = endpoint.timeout * _PINGS
        self._said = now()

    def said(self) -> None:
        """Something came of the answer."""
        self._said = self._now()

    def beat(self) -> None:
        """Something came, of the answer or not.

        Raises:
            PartnerError: It has been alive for too long without saying anything.
        """
        if self._now() - self._said > self._longest:
            raise PartnerError(
                "stream",
                f"{self._endpoint.host} kept the line open for {self._longest:g} seconds and said nothing.",
                "A model that thinks for so long needs a longer [partner] timeout.",
            )


class ServerModel:
    """A partner behind a server; each API adds ``stream``.

    Args:
        connection: The server.
        reasoning_effort: Sent when not empty.
        temperature: Sent when not negative.
        manner: How it is to answer.
    """

    api: ClassVar[Api]

    def __init__(
        self,
        connection: Connection,
        reasoning_effort: str = "",
        temperature: float = -1.0,
        *,
        manner: Manner = Manner(),  # noqa: B008 - it is frozen
    ) -> None:
        self._connection = connection
        self._effort = reasoning_effort
        self._temperature = temperature
        self._manner = manner

    def _reasons(self, model: str) -> bool:
        """Whether a model has reasoning that can be summed up: it was told how much to think, or is known to."""
        return bool(self._effort) or (self._connection.endpoint.official and bool(_REASONS.match(model)))

    @property
    def info(self) -> PartnerInfo:
        """Who this is."""
        return self._connection.info(self.api)

    def _sampling(self, request: Request) -> dict[str, float]:
        """The fields that say how freely to answer; none where the server chooses."""
        return {"temperature": self._temperature + request.variety} if self._temperature >= 0 else {}

    async def close(self) -> None:
        """Give back connections."""
        await self._connection.close()
