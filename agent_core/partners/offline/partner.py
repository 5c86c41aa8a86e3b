"""The built-in partner as a model."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from agent_core.conversation import (
    AssistantItem,
    Chunk,
    Completed,
    Item,
    PartnerInfo,
    Request,
    TextDelta,
    ToolCallDelta,
    ToolCallItem,
    Usage,
)
from agent_core.partners.call_ids import make_call_id
from agent_core.partners.offline import talk
from agent_core.partners.offline.asides import said_aside
from agent_core.partners.offline.next_step import Called, NextStep
from agent_core.repair.desk import Desk

KIND = "offline"
NAME = "the built-in partner (no model)"
TITLE = "Built-in, no model: repairs tests, types, lint"
"""As it stands in lists of partners."""
_FREE = Usage(cost=0.0)


class OfflineModel:
    """Proposes repairs that are found by search.

    Args:
        desk: Where repairs are asked for.
        seconds: Most time that one search takes.
    """

    def __init__(self, desk: Desk, seconds: float = 60.0) -> None:
        self._desk = desk
        self._seconds = seconds

    @property
    def info(self) -> PartnerInfo:
        """Who this is. It writes patches in one form and knows no other."""
        return PartnerInfo(KIND, NAME, form="envelope", pinned=True)

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Answer one request; see `agent_core.protocols.Model`."""
        if not request.tools:
            yield Completed((AssistantItem(said_aside(request)),), _FREE)
            return
        text, items = "", list[Item]()
        async with aclosing(self._said(request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Called):
                    call_id = make_call_id(request.turn, 0, piece.tool, piece.arguments)
                    yield ToolCallDelta(call_id, piece.tool, piece.arguments)
                    items.append(ToolCallItem(call_id, piece.tool, piece.arguments))
                else:
                    words = piece if text else piece.lstrip()
                    text += words
                    yield TextDelta(words)
        yield Completed((AssistantItem(text), *items), _FREE)

    async def _said(self, request: Request) -> AsyncGenerator[str | Called, None]:
        service = self._desk.repairs
        if service is None:
            yield talk.NOBODY
            return
        tools = frozenset(tool.name for tool in request.tools)
        async with aclosing(NextStep(service, request.items, tools, self._seconds).said()) as pieces:
            async for piece in pieces:
                yield piece

    async def close(self) -> None:
        """Nothing to give back."""
