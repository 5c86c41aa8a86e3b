"""Server-sent events: from bytes to the JSON objects in their ``data`` fields.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html. Lines are split at CR, LF and
CRLF only: JSON text may hold raw U+2028, at which `str.splitlines` would tear an event apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, AsyncIterable
from typing import Any

from agent_core.errors import PartnerError
from agent_core.text import printable

DONE = "[DONE]"
PING = "[PING]"
"""Type of the event that stands for a comment: the server is alive, and has nothing to say."""
_LINE_END = re.compile(rb"\r\n|\n|\r")
_MOST = 16_000_000


async def _lines(chunks: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """Whole lines; a last line without its end is dropped, as the format demands."""
    buffer = bytearray()
    async for chunk in chunks:
        buffer += chunk
        if b"\n" not in chunk and b"\r" not in chunk:
            if len(buffer) > _MOST:
                raise _too_large()
            continue
        # A CR at the very end may be half of a CRLF: it waits for the next byte.
        held = 1 if buffer.endswith(b"\r") else 0
        whole = bytes(buffer[: len(buffer) - held])
        *lines, rest = _LINE_END.split(whole)
        buffer = bytearray(rest) + bytearray(b"\r" * held)
        for line in lines:
            yield line
    if buffer.endswith(b"\r"):
        yield bytes(buffer[:-1])


def _too_large() -> PartnerError:
    return PartnerError("stream", f"The server sent an event of more than {_MOST // 1_000_000} MB.")


def _parse(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        start = printable(data[:80].decode("utf-8", "replace"))
        raise PartnerError("stream", f"The server sent an event that is not JSON: {start!r}.") from error
    if not isinstance(value, dict):
        raise PartnerError("stream", f"The server sent an event that is not a JSON object: {str(value)[:80]!r}.")
    return value


def _event(name: str, data: bytes) -> dict[str, Any] | None:
    data = data.strip()
    if not data:
        return None
    if data == DONE.encode():
        return {"type": DONE}
    event = _parse(data)
    if name and "type" not in event:
        event["type"] = name
    return event


async def events(chunks: AsyncIterable[bytes]) -> AsyncGenerator[dict[str, Any], None]:
    """The JSON objects of a stream of server-sent events.

    Args:
        chunks: The body as it comes.

    Yields:
        Each event's object; ``{"type": "[DONE]"}`` for the end mark of Chat Completions, and ``{"type": "[PING]"}`` for
        comments. Where the data names no type, the event's own name is its type.

    Raises:
        PartnerError: An event is not a JSON object.
    """
    name, size = "", 0
    data: list[bytes] = []
    async for line in _lines(chunks):
        if line:
            field, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if field == b"data":
                data.append(value)
                size += len(value)
                if size > _MOST:
                    raise _too_large()
            elif field == b"event":
                name = value.decode("utf-8", "replace")
            elif not field:
                yield {"type": PING}
            continue
        event = _event(name, b"\n".join(data))
        name, data, size = "", [], 0
        if event is not None:
            yield event
    # Strictly an event without its closing blank line is void; servers that forget it mean it all the same.
    event = _event(name, b"\n".join(data))
    if event is not None:
        yield event
