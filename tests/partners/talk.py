"""Helpers to talk to partners in tests."""

from __future__ import annotations

import json
from contextlib import aclosing

from agent_core.conversation import (
    Chunk,
    Completed,
    Item,
    ReasoningDelta,
    Request,
    TextDelta,
    ToolCallDelta,
    ToolSpec,
    UserItem,
)
from agent_core.partners.chat import ChatModel
from agent_core.partners.client import Connection
from agent_core.partners.closing import closing
from agent_core.partners.endpoint import Endpoint, Key
from agent_core.partners.responses import ResponsesModel
from agent_core.protocols import Model
from tests.support.model_server import Received

SCHEMA = '{"type": "object", "properties": {"patch": {"type": "string"}}, "required": ["patch"]}'
TOOLS = (
    ToolSpec("apply_patch", "Propose a change.", SCHEMA),
    ToolSpec("read_file", "Read a file.", '{"type": "object", "properties": {"path": {"type": "string"}}}'),
    ToolSpec("search", "Search.", '{"type": "object", "properties": {}}'),
    ToolSpec("search_files", "Search files.", '{"type": "object", "properties": {}}'),
)
APIS = ("responses", "chat")


def request(*items: Item, tools: tuple[ToolSpec, ...] = TOOLS) -> Request:
    """A request; with "Hello" where no items are given."""
    return Request("You are a partner.", items or (UserItem("Hello"),), tools, "session-1")


def model(
    api: str, base_url: str, *, key: str = "sk-secret-1234", name: str = "test-model", timeout: float = 10.0
) -> ResponsesModel | ChatModel:
    """A bare model, without retries and text calls."""
    connection = Connection(Endpoint(base_url, name, Key(key, "TEST_KEY"), timeout))
    return ResponsesModel(connection) if api == "responses" else ChatModel(connection)


async def chunks_of(partner: Model, asked: Request) -> list[Chunk]:
    """Every chunk of an answer."""
    async with aclosing(closing(partner.stream(asked))) as chunks:
        return [chunk async for chunk in chunks]


async def answer_of(partner: Model, asked: Request) -> Completed:
    """The answer's last chunk, which completes it."""
    last = (await chunks_of(partner, asked))[-1]
    assert isinstance(last, Completed)
    return last


def said(chunks: list[Chunk]) -> str:
    """The text that was streamed."""
    return "".join(chunk.text for chunk in chunks if isinstance(chunk, TextDelta))


def thought(chunks: list[Chunk]) -> str:
    """The reasoning that was streamed."""
    return "".join(chunk.text for chunk in chunks if isinstance(chunk, ReasoningDelta))


def written(chunks: list[Chunk]) -> dict[str, str]:
    """The arguments that were streamed, by call id."""
    out: dict[str, str] = {}
    for chunk in chunks:
        if isinstance(chunk, ToolCallDelta):
            out[chunk.call_id] = out.get(chunk.call_id, "") + chunk.text
    return out


def input_bytes(sent: Received) -> bytes:
    """The input of a request to the Responses API, byte by byte, without the bracket that closes it."""
    whole = sent.raw.decode()
    start = whole.index('"input":[') + len('"input":')
    _, end = json.JSONDecoder().raw_decode(whole, start)
    return whole[start : end - 1].encode()
