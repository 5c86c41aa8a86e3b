"""A partner that is asked as it can be: what it turns out to take or not to take is kept for the next time."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from agent_core.conversation import Chunk, Completed, PartnerInfo, Request, ToolCallItem
from agent_core.partners.client import Connection
from agent_core.partners.closing import closing
from agent_core.partners.errors import NoToolsError
from agent_core.partners.toolless import in_words
from agent_core.protocols import Model

log = logging.getLogger(__name__)


class AbleModel:
    """A partner behind a server, told of tools in words where it takes none.

    Args:
        inner: The partner.
        connection: Its server, which keeps what was found.
    """

    def __init__(self, inner: Model, connection: Connection) -> None:
        self._inner = inner
        self._connection = connection

    @property
    def info(self) -> PartnerInfo:
        """Who this is."""
        return self._inner.info

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Answer one request; see `agent_core.protocols.Model`."""
        if request.tools and (await self._connection.abilities()).tools is False:
            request = in_words(request)
        try:
            async with aclosing(self._answered(request)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except NoToolsError as error:
            if not request.tools:
                raise
            log.info("tools are told in words: %s", error)
            await self._connection.note(tools=False)
            async with aclosing(self._answered(in_words(request))) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def _answered(self, request: Request) -> AsyncGenerator[Chunk, None]:
        async with aclosing(closing(self._inner.stream(request))) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, Completed):
                    await self._learn(chunk)
                yield chunk

    async def _learn(self, done: Completed) -> None:
        found: dict[str, object] = {"streams_usage": bool(done.usage.input)}
        if any(isinstance(item, ToolCallItem) for item in done.items):
            found["tools"] = True
        await self._connection.note(**found)

    async def close(self) -> None:
        """Give back connections."""
        await self._inner.close()
