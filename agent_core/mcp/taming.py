"""What servers send, before the library goes through it, which takes time and memory by what is in a message.

Two hundred thousand parts of an answer hold everything up for five seconds. Schemas of answers may hold patterns that
no text is ever through with, and a server that does not keep to its own would lose its connection.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

    from mcp.client._transport import ReadStream, TransportStreams
    from mcp.shared.message import SessionMessage

MOST_TEXT = 400_000
"""Characters of an answer that are looked at."""
_MOST_PARTS = 500
_MOST_TOOLS = 500


@asynccontextmanager
async def tamed(line: AbstractAsyncContextManager[TransportStreams]) -> AsyncGenerator[TransportStreams]:
    """A line to a server on which nothing comes that takes long to go through.

    Args:
        line: The line as it is.
    """
    async with line as (read, write):
        yield _Tamed(read), write


class _Tamed:
    """Messages of a server, each bounded; a stream as the library wants one."""

    def __init__(self, read: ReadStream[SessionMessage | Exception]) -> None:
        self._read = read

    async def receive(self) -> SessionMessage | Exception:
        return bounded(await self._read.receive())

    async def aclose(self) -> None:
        await self._read.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        return bounded(await self._read.__anext__())

    async def __aenter__(self) -> Self:
        await self._read.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._read.__aexit__(kind, error, trace)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._read, name)


def bounded(message: SessionMessage | Exception) -> SessionMessage | Exception:
    """A message with no more in it than is looked at, and no schemas of answers: nobody here relies on them."""
    result = getattr(getattr(message, "message", None), "result", None)
    if not isinstance(result, dict):
        return message
    content, tools = result.get("content"), result.get("tools")
    if isinstance(content, list):
        result["content"] = [_shortened(part) for part in content[:_MOST_PARTS]]
        if len(content) > _MOST_PARTS:
            left = f"[... {len(content) - _MOST_PARTS:,} more parts left out ...]"
            result["content"].append({"type": "text", "text": left})
    if isinstance(tools, list):
        result["tools"] = [_tool(tool) for tool in tools[:_MOST_TOOLS]]
    return message


def _shortened(part: Any) -> Any:
    text = part.get("text") if isinstance(part, dict) else None
    # One character more than is told, so that what is left out is said.
    return {**part, "text": text[: MOST_TEXT + 1]} if isinstance(text, str) and len(text) > MOST_TEXT else part


def _tool(tool: Any) -> Any:
    """A tool without the schema of its answers, and with one of its arguments that does not lose us all the others."""
    if not isinstance(tool, dict):
        return tool
    kept = {key: value for key, value in tool.items() if key != "outputSchema"}
    schema = kept.get("inputSchema")
    kept["inputSchema"] = schema = dict(schema) if isinstance(schema, dict) else {"type": "object"}
    properties = schema.get("properties")
    if isinstance(properties, dict):
        # JSON Schema has ``true`` for anything, which the library does not take.
        schema["properties"] = {name: one if isinstance(one, dict) else {} for name, one in properties.items()}
    return kept
