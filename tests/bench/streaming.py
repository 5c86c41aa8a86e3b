"""A partner for benchmarks: a server on loopback that streams an answer at so many tokens a second.

    python tests/bench/streaming.py TOKENS_PER_SECOND SECONDS

It prints its port and serves the Chat Completions API until it is killed. Whoever is asked about ``fence`` answers
with 300 lines of code in a fence, and then says how it ended; everybody else gets prose for so many seconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from itertools import islice

FENCE_LINES = 300
FENCE_END = "streamed-to-the-end"
_PROSE = (
    "The discount uses floor division so everything behind the point is lost . "
    "I look at `total` and at **prices** first , then at the tests which only try round numbers ."
)


def prose() -> Iterator[str]:
    """Tokens of prose with a little Markdown, without end."""
    while True:
        yield from (f"{word} " for word in _PROSE.split())
        yield "\n\n"


def fence_tokens() -> list[str]:
    """The tokens of an answer with one long fence, about ten a line."""
    lines = [
        f"    value_{number} = compute(first[{number}], second, '{number:04}')" for number in range(1, FENCE_LINES + 1)
    ]
    text = "```python\n" + "\n".join(lines) + f"\n```\n\n{FENCE_END}"
    return [text[at : at + 5] for at in range(0, len(text), 5)]


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    body = json.dumps({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [choice]})
    return f"data: {body}\n\n".encode()


class Streamer:
    """Answers every request with a stream.

    Args:
        rate: Tokens a second.
        seconds: How long prose goes on.
    """

    def __init__(self, rate: float, seconds: float) -> None:
        self._rate = rate
        self._seconds = seconds

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = next((int(one[15:]) for one in head.split(b"\r\n") if one.startswith(b"content-length:")), 0)
            body = await reader.readexactly(length)
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n")
            if not body:
                writer.write(b'Content-Type: application/json\r\n\r\n{"object": "list", "data": [{"id": "test"}]}')
            else:
                writer.write(b"Content-Type: text/event-stream\r\n\r\n")
                await self._stream(json.loads(body)["messages"][-1]["content"], writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # whoever asked has gone
        finally:
            writer.close()

    async def _stream(self, asked: object, writer: asyncio.StreamWriter) -> None:
        fenced = "fence" in str(asked)
        tokens = iter(fence_tokens()) if fenced else islice(prose(), int(self._rate * self._seconds))
        begun = time.perf_counter()
        for sent, token in enumerate(tokens, 1):
            writer.write(_event({"content": token}))
            ahead = sent / self._rate - (time.perf_counter() - begun)
            if ahead > 0:
                await writer.drain()
                await asyncio.sleep(ahead)
        writer.write(_event({}, "stop") + b"data: [DONE]\n\n")


async def _serve(rate: float, seconds: float) -> None:
    server = await asyncio.start_server(Streamer(rate, seconds).handle, "127.0.0.1", 0, limit=2**26)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]), float(sys.argv[2])))
