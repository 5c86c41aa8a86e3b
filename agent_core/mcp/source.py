"""MCP servers as a session sees them: started together, their tools offered in one order, called after a word."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextvars import copy_context
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec

from agent_core.config_tables import McpConfig
from agent_core.conversation import ToolSpec
from agent_core.mcp.schemas import tool_parameters
from agent_core.mcp.server import RemoteTool, Server, ServerError, Stands
from agent_core.mcp.wording import described, offered_name, output_of
from agent_core.text import counted, one_line, printable, shortened
from agent_core.tools.base import Approver, News, Permission, Tool, ToolError, ToolOutput, View

_MOST_TITLE = 200
_MOST_SHOWN = 4000
_MOST_NAME = 100


class ServerReport(msgspec.Struct, frozen=True):
    """How a server stands.

    Attributes:
        name: Its name in the configuration.
        stands: Whether it can be called.
        trouble: Why not.
        version: What it calls itself.
        tools: Names of its tools that are offered, as it calls them.
        hidden: How many more it has, which the configuration leaves out.
        where: Its program or address.
    """

    name: str
    stands: Stands
    trouble: str = ""
    version: str = ""
    tools: tuple[str, ...] = ()
    hidden: int = 0
    where: str = ""

    @property
    def words(self) -> str:
        """It in one line, for a human."""
        count = counted(len(self.tools), "tool")
        hidden = f", {self.hidden} more left out" if self.hidden else ""
        match self.stands:
            case "ready":
                return f"✓ {self.name}: {count}{hidden}{f' ({self.version})' if self.version else ''}"
            case "failed":
                return f"✗ {self.name}: {self.trouble}"
            case "off":
                return f"○ {self.name}: switched off"
            case "starting":
                return f"◌ {self.name}: starting"
            case _:
                return f"○ {self.name}: not started"


class McpTool:
    """One tool of a server.

    Args:
        server: Where it is called.
        remote: What the server says of it.
        name: Under which name it is offered.
        approve: Asked before each call: what a server says of its tools is no reason not to.
        printed: Told how far a call is.
    """

    looks = False

    def __init__(
        self, server: Server, remote: RemoteTool, name: str, approve: Approver, printed: Callable[[str], None]
    ) -> None:
        self.spec = ToolSpec(name, described(server.name, remote.description), tool_parameters(remote.schema))
        self._server = server
        self._remote = remote
        self._approve = approve
        self._printed = printed
        self._subject = f"{server.name}/{one_line(remote.name, _MOST_NAME)}"

    def title(self, arguments: str) -> str:
        """What a call does, for the human."""
        return shortened(f"{self._subject} {one_line(arguments, _MOST_TITLE)}", _MOST_TITLE)

    async def run(self, arguments: str, view: View) -> ToolOutput:  # noqa: ARG002 - servers see no tree of ours
        """Ask, then call.

        Raises:
            ToolError: The arguments are none, or there is no answer.
        """
        given = _decoded(arguments)
        shown = shortened(f"{self._subject} {printable(json.dumps(given, ensure_ascii=False))}", _MOST_SHOWN)
        if not await self._approve(Permission("mcp", self._subject, shown)):
            return ToolOutput("The human did not allow this call. Go on without it.", "not allowed", ok=False)
        # The server is heard in a task of its own, which knows nothing of which call this is.
        here = copy_context()
        try:
            return output_of(
                await self._server.call(self._remote.name, given, lambda text: here.run(self._printed, text))
            )
        except ServerError as error:
            raise ToolError(error.message, error.hint) from error


class McpServers:
    """All servers of a configuration; an `agent_core.tools.base.ToolSource`.

    Args:
        settings: The servers by name.
        root: The project.
        environ: This process's environment.
    """

    def __init__(self, settings: Mapping[str, McpConfig], root: Path, environ: Mapping[str, str]) -> None:
        self._told: News | None = None
        self._starting: asyncio.Task[None] | None = None
        self._servers = [Server(name, settings[name], root, environ, self._say) for name in sorted(settings)]

    async def begin(self, told: News) -> None:
        """Start all of them, at the same time; returns when each is there, has failed or is out of time.

        Args:
            told: Told what the human should know.
        """
        self._told = told
        await self._started()

    async def tools(self, approve: Approver, printed: Callable[[str], None]) -> tuple[Tool, ...]:
        """Their tools, by server and name. Waits until all are there, or have failed."""
        await self._started()
        taken: dict[str, Tool] = {}
        for server in self._servers:
            for remote in _offered(server):
                name = offered_name(server.name, remote.name, taken)
                taken[name] = McpTool(server, remote, name, approve, printed)
        return tuple(taken.values())

    @property
    def reports(self) -> tuple[ServerReport, ...]:
        """How each server stands, by name."""
        return tuple(_report(server) for server in self._servers)

    @property
    def lines(self) -> tuple[str, ...]:
        """The same for a human, a line each."""
        return tuple(report.words for report in self.reports)

    async def close(self) -> None:
        """End all of them."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
        await asyncio.gather(*(server.close() for server in self._servers))

    async def _started(self) -> None:
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
        # Whoever waits may be interrupted; the servers go on starting.
        await asyncio.shield(self._starting)

    async def _start(self) -> None:
        await asyncio.gather(*(self._start_one(server) for server in self._servers))

    async def _start_one(self, server: Server) -> None:
        await server.start()
        if server.stands == "failed":
            self._say(f"The MCP server {server.name} could not be started: {server.trouble}.")

    def _say(self, text: str) -> None:
        if self._told is not None:
            self._told(text)


def _offered(server: Server) -> list[RemoteTool]:
    wanted = server.settings.tools
    return [tool for tool in server.tools if any(fnmatchcase(tool.name, pattern) for pattern in wanted)]


def _report(server: Server) -> ServerReport:
    offered = tuple(one_line(tool.name, _MOST_NAME) for tool in _offered(server))
    where = server.settings.url or " ".join(server.settings.command)
    hidden = len(server.tools) - len(offered)
    return ServerReport(server.name, server.stands, server.trouble, server.version, offered, hidden, where)


def _decoded(arguments: str) -> dict[str, Any]:
    """A call's arguments.

    Raises:
        ToolError: They are no JSON object.
    """
    try:
        given = msgspec.json.decode(arguments.strip() or "{}")
    except msgspec.DecodeError as error:
        raise ToolError(f"The arguments are not JSON: {error}.") from error
    if not isinstance(given, dict):
        raise ToolError("The arguments have to be a JSON object.")
    return given
