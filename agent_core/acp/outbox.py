"""Updates on their way to the editor: in order, and no more of them than it can take."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, TypeAlias

from acp.schema import (
    AgentMessageChunk,
    AgentPlanUpdate,
    AgentThoughtChunk,
    AvailableCommandsUpdate,
    ConfigOptionUpdate,
    CurrentModeUpdate,
    SessionInfoUpdate,
    TextContentBlock,
    ToolCallProgress,
    ToolCallStart,
    UsageUpdate,
    UserMessageChunk,
)

if TYPE_CHECKING:
    from acp import Client

Update: TypeAlias = (
    UserMessageChunk
    | AgentMessageChunk
    | AgentThoughtChunk
    | ToolCallStart
    | ToolCallProgress
    | AgentPlanUpdate
    | AvailableCommandsUpdate
    | CurrentModeUpdate
    | ConfigOptionUpdate
    | SessionInfoUpdate
    | UsageUpdate
)
log = logging.getLogger(__name__)
_FIELDS = ("kind", "status", "title", "content", "locations")


class Outbox:
    """What is still to be sent of one session. What waits is merged: words with words, a tool's news with its last.

    Args:
        client: The editor.
        session: The session's id.
    """

    def __init__(self, client: Client, session: str) -> None:
        self._client = client
        self._session = session
        self._waiting: dict[int, Update] = {}
        self._tools: dict[str, int] = {}
        self._count = 0
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False

    def put(self, update: Update) -> None:
        """Have an update sent; never blocks."""
        if self._closed:
            return
        if not self._merged(update):
            self._count += 1
            self._waiting[self._count] = update
            if isinstance(update, ToolCallStart | ToolCallProgress):
                self._tools[update.tool_call_id] = self._count
        self._idle.clear()
        self._news.set()

    async def flush(self) -> None:
        """Wait until all is sent, or the editor is gone."""
        await self._idle.wait()

    async def run(self) -> None:
        """Send what comes, until cancelled or the editor is gone."""
        try:
            while True:
                while self._waiting:
                    update = self._waiting.pop(next(iter(self._waiting)))
                    if isinstance(update, ToolCallStart | ToolCallProgress):
                        self._tools.pop(update.tool_call_id, None)
                    await self._client.session_update(self._session, update)
                self._idle.set()
                self._news.clear()
                await self._news.wait()
        except ConnectionError:
            log.info("the editor is gone")
        finally:
            self._closed = True
            self._waiting.clear()
            self._idle.set()

    def _merged(self, update: Update) -> bool:
        """Make an update a part of one that waits, where that says the same."""
        if isinstance(update, ToolCallProgress):
            place = self._tools.get(update.tool_call_id)
            if place is None:
                return False
            news = {name: value for name in _FIELDS if (value := getattr(update, name)) is not None}
            self._waiting[place] = self._waiting[place].model_copy(update=news)
            return True
        last = self._waiting.get(self._count)
        if isinstance(update, AgentMessageChunk | AgentThoughtChunk) and type(last) is type(update):
            assert isinstance(last, AgentMessageChunk | AgentThoughtChunk)
            before, after = last.content, update.content
            if isinstance(before, TextContentBlock) and isinstance(after, TextContentBlock):
                whole = TextContentBlock(type="text", text=before.text + after.text)
                self._waiting[self._count] = last.model_copy(update={"content": whole})
                return True
        if isinstance(update, UsageUpdate | ConfigOptionUpdate | CurrentModeUpdate | AgentPlanUpdate):
            for place, waiting in self._waiting.items():
                if type(waiting) is type(update):
                    self._waiting[place] = update
                    return True
        return False
