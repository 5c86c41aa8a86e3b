"""What partners behind a server share, whichever API they speak."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from agent_core.conversation import PartnerInfo, Request
from agent_core.partners.client import Connection

if TYPE_CHECKING:
    # The one module that imports openai.
    from agent_core.partners.wire import Api


class ServerModel:
    """A partner behind a server; each API adds ``stream``.

    Args:
        connection: The server.
        reasoning_effort: Sent when not empty.
        temperature: Sent when not negative.
    """

    api: ClassVar[Api]

    def __init__(self, connection: Connection, reasoning_effort: str = "", temperature: float = -1.0) -> None:
        self._connection = connection
        self._effort = reasoning_effort
        self._temperature = temperature

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
