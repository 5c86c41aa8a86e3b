"""The line to a server at an address (streamable HTTP), of whose answers no more is read than is of any use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any

from agent_core.mcp import stdio


async def http_line(url: str, headers: Mapping[str, str], stack: AsyncExitStack) -> Any:
    """Get ready to talk to a server; what `mcp` calls a transport.

    Args:
        url: Its address.
        headers: Sent with each request.
        stack: Closes the connections at its end.
    """
    import httpx2  # noqa: PLC0415 - not needed where there are no servers
    from mcp.client.streamable_http import streamable_http_client  # noqa: PLC0415
    from mcp.shared._httpx_utils import create_mcp_http_client  # noqa: PLC0415

    class Bounded(httpx2.AsyncByteStream):
        """The body of an answer as far as anybody would want to keep it."""

        def __init__(self, inner: httpx2.AsyncByteStream) -> None:
            self._inner = inner

        async def __aiter__(self) -> AsyncIterator[bytes]:
            left = stdio.MOST_MESSAGE
            async for piece in self._inner:
                left -= len(piece)
                if left < 0:
                    raise httpx2.StreamError("the answer is too long")
                yield piece

        async def aclose(self) -> None:
            await self._inner.aclose()

    async def bound(response: httpx2.Response) -> None:
        # Nothing that is packed was asked for: a few bytes of it may stand for gigabytes.
        response.headers.pop("content-encoding", None)
        # Of a stream the library bounds each event, and the stream as such has no end.
        if "text/event-stream" not in response.headers.get("content-type", ""):
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            response.stream = Bounded(response.stream)

    http = await stack.enter_async_context(create_mcp_http_client({"Accept-Encoding": "identity", **headers}))
    http.event_hooks = {"request": [], "response": [bound]}
    return streamable_http_client(url, http_client=http)
