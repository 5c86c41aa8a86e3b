"""A server on loopback that plays recorded answers byte by byte; see ``tests/data/recorded``."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

RECORDED = Path(__file__).parent.parent / "data" / "recorded"
# Not at the borders of events: a line comes in two pieces, as over a real line.
_PIECE = 1000


@asynccontextmanager
async def playing(names: Sequence[str], models: Sequence[str] = ("qwen2.5-coder",)) -> AsyncIterator[str]:
    """Serve recorded answers, one a request, in order.

    Args:
        names: The files, without their ending.
        models: What ``/v1/models`` lists.

    Yields:
        The address to configure.
    """
    left = [(RECORDED / f"{name}.sse").read_bytes() for name in names]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = next(
                (line.partition(":")[2] for line in head.split("\r\n") if line.startswith("content-length:")), "0"
            )
            await reader.readexactly(int(length))
            if head.startswith("post") and left:
                body, kind, status = left.pop(0), "text/event-stream", 200
            elif "/models" in head.split("\r\n")[0]:
                listed = {"object": "list", "data": [{"id": model, "object": "model"} for model in models]}
                body, kind, status = json.dumps(listed).encode(), "application/json", 200
            else:
                body, kind, status = b'{"error": {"message": "there is nothing more"}}', "application/json", 404
            writer.write(f"HTTP/1.1 {status} Said\r\nconnection: close\r\ncontent-type: {kind}\r\n\r\n".encode())
            for at in range(0, len(body), _PIECE):
                writer.write(body[at : at + _PIECE])
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()[:2]
        yield f"http://{host}:{port}/v1"
    finally:
        server.close()
