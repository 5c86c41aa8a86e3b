"""What a session has beside the built-in: MCP servers, skills, commands of the human's or the project's own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent_core import events as ev
from agent_core.commands import TellOf
from agent_core.config_tables import McpConfig
from agent_core.custom_commands import FOLDER, CustomCommands
from agent_core.skills import FILE, FOLDERS, Skills
from agent_core.tools.base import ToolSource

if TYPE_CHECKING:
    from agent_core.mcp.source import McpServers


class Extras:
    """What a session has beside the built-in.

    Args:
        root: The project.
        servers: MCP servers by name.
        environ: This process's environment.
    """

    def __init__(self, root: Path, servers: Mapping[str, McpConfig], environ: Mapping[str, str]) -> None:
        self.commands = CustomCommands(root)
        self.skills = Skills(root)
        self.servers = _servers(servers, root, environ)

    @property
    def sources(self) -> tuple[ToolSource, ...]:
        """Where tools come from."""
        return (self.skills,) if self.servers is None else (self.skills, self.servers)

    async def told(self, of: TellOf) -> ev.Noted:
        """How one of them stands, for the human."""
        match of:
            case "mcp":
                lines = () if self.servers is None else self.servers.lines
                return _noted("MCP servers", lines, "No MCP servers are configured: [mcp.NAME] in your config.toml.")
            case "skills":
                lines = await asyncio.to_thread(lambda: self.skills.lines)
                return _noted("Skills", lines, f"There are no skills: they are folders with a {FILE} in {FOLDERS[0]}.")
            case _:
                found = await asyncio.to_thread(self.commands.all)
                lines = tuple(f"{one.usage}: {one.description}" for one in found.values())
                return _noted("Commands", lines, f"There are no commands of your own: they are .md files in {FOLDER}.")


def _servers(servers: Mapping[str, McpConfig], root: Path, environ: Mapping[str, str]) -> McpServers | None:
    if not servers:
        return None
    from agent_core.mcp.source import McpServers  # noqa: PLC0415 - few have servers

    return McpServers(servers, root, environ)


def _noted(what: str, lines: Sequence[str], none: str) -> ev.Noted:
    return ev.Noted("info", f"{what}:", "\n".join(lines)) if lines else ev.Noted("info", none)
