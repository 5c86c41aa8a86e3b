"""An editor that speaks the Agent Client Protocol: the library's client side, with a memory and buffers."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import acp
from acp.schema import (
    AllowedOutcome,
    ClientCapabilities,
    DeniedOutcome,
    FileSystemCapabilities,
    PermissionOption,
    PromptResponse,
    ReadTextFileResponse,
    RequestPermissionResponse,
    ToolCallUpdate,
)

from agent_core.acp.agent import PairloopAgent
from agent_core.acp.wire import MOST, Wire

PATIENCE = 60.0


class Asked:
    """A request for permission that waits for an answer."""

    def __init__(self, call: ToolCallUpdate, options: list[PermissionOption]) -> None:
        self.call = call
        self.options = {option.option_id: option for option in options}
        self.answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def choose(self, option: str) -> None:
        """Choose an option; nothing for none of them."""
        self.answer.set_result(option)


class Editor:
    """What a human sees in an editor, and does there."""

    def __init__(self) -> None:
        self.agent: Any = None
        self.updates: list[tuple[str, Any]] = []
        self.asked: list[Asked] = []
        self.buffers: dict[str, str] = {}
        self._news = asyncio.Event()

    def on_connect(self, conn: acp.Agent) -> None:
        """The agent is there."""
        self.agent = conn

    async def session_update(self, session_id: str, update: Any, **_: Any) -> None:
        """Take an update."""
        self.updates.append((session_id, update))
        self._news.set()

    async def request_permission(
        self, session_id: str, tool_call: ToolCallUpdate, options: list[PermissionOption], **_: Any
    ) -> RequestPermissionResponse:
        """Ask the human; `Asked` is what they see."""
        assert session_id
        asked = Asked(tool_call, options)
        self.asked.append(asked)
        self._news.set()
        chosen = await asked.answer
        outcome = AllowedOutcome(outcome="selected", option_id=chosen) if chosen else DeniedOutcome(outcome="cancelled")
        return RequestPermissionResponse(outcome=outcome)

    async def read_text_file(self, session_id: str, path: str, **_: Any) -> ReadTextFileResponse:
        """A file as the editor has it."""
        assert session_id
        return ReadTextFileResponse(content=self.buffers.get(path) or Path(path).read_text())

    # -- what the human does

    async def greet(self) -> Any:
        """The protocol's beginning."""
        files = FileSystemCapabilities(read_text_file=True, write_text_file=True)
        return await self.agent.initialize(protocol_version=1, client_capabilities=ClientCapabilities(fs=files))

    async def open(self, project: Path) -> str:
        """Open a session; gives its id."""
        opened = await self.agent.new_session(cwd=str(project), mcp_servers=[])
        return str(opened.session_id)

    def say(self, session: str, text: str) -> asyncio.Task[PromptResponse]:
        """Send a prompt; gives the turn."""
        return asyncio.ensure_future(self.agent.prompt(session_id=session, prompt=[acp.text_block(text)]))

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something is seen."""
        async with asyncio.timeout(PATIENCE):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def question(self, count: int = 1) -> Asked:
        """Wait for the count-th request for permission."""
        await self.until(lambda: len(self.asked) >= count)
        return self.asked[count - 1]

    # -- what they see

    def words(self, kind: str = "agent_message_chunk", session: str = "") -> str:
        """All that was said, of one kind."""
        return "".join(
            update.content.text
            for told, update in self.updates
            if update.session_update == kind and session in {"", told}
        )

    def calls(self) -> dict[str, dict[str, Any]]:
        """The tool calls as they stand now, by id."""
        found: dict[str, dict[str, Any]] = {}
        for _, update in self.updates:
            if update.session_update == "tool_call":
                found[update.tool_call_id] = update.model_dump(exclude_none=True)
            elif update.session_update == "tool_call_update":
                found[update.tool_call_id] |= update.model_dump(exclude_none=True)
        return found

    def call(self, beginning: str) -> dict[str, Any]:
        """The newest tool call whose title begins so."""
        return [one for one in self.calls().values() if one["title"].startswith(beginning)][-1]


async def ended(turn: asyncio.Task[PromptResponse]) -> str:
    """Wait for a turn to end; gives why it did."""
    async with asyncio.timeout(PATIENCE):
        return str((await turn).stop_reason)


@asynccontextmanager
async def inside(flags: Mapping[str, Any]) -> AsyncIterator[tuple[Editor, asyncio.StreamWriter]]:
    """An editor with an agent in this process, over a real line; and the line, for what is no message."""
    theirs, ours = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=theirs, limit=MOST)
    agent = PairloopAgent(flags, dict(os.environ))
    serving = asyncio.ensure_future(
        acp.run_agent(cast("acp.Agent", agent), Wire(reader, writer), use_unstable_protocol=True)
    )
    editor = Editor()
    heard, said = await asyncio.open_connection(sock=ours, limit=MOST)
    line = acp.connect_to_agent(cast("acp.Client", editor), said, heard, use_unstable_protocol=True)
    try:
        await editor.greet()
        yield editor, said
    finally:
        await line.close()
        said.close()
        await asyncio.wait_for(serving, PATIENCE)
        await agent.close()
        writer.close()


@asynccontextmanager
async def program(*arguments: str) -> AsyncIterator[tuple[Editor, Process]]:
    """An editor that has started ``pairloop acp``."""
    editor = Editor()
    async with acp.spawn_agent_process(
        cast("acp.Client", editor),
        sys.executable,
        "-m",
        "tui",
        "acp",
        *arguments,
        env=dict(os.environ),
        cwd=Path(__file__).parent.parent.parent,
        transport_kwargs={"stderr": None, "shutdown_timeout": 20.0},
        use_unstable_protocol=True,
    ) as (_, process):
        await editor.greet()
        yield editor, process
