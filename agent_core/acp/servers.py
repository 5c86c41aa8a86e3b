"""MCP servers that an editor hands on, as settings."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from acp.schema import AcpMcpServer, HttpMcpServer, McpServerStdio, SseMcpServer

Server = HttpMcpServer | SseMcpServer | AcpMcpServer | McpServerStdio


def tables(servers: Sequence[Server], own: Collection[str] = ()) -> tuple[dict[str, dict[str, Any]], str]:
    """The servers as ``[mcp.NAME]``, and a sentence on those that are left out; empty where none are.

    Args:
        servers: As the editor names them.
        own: Names that the human has in their own configuration, which go before.
    """
    found: dict[str, dict[str, Any]] = {}
    left: list[str] = []
    for server in servers:
        name = re.sub(r"[^A-Za-z0-9_-]", "-", server.name).strip("-_") or "server"
        if name in own:
            continue
        while name in found:
            name += "-2"
        match server:
            case McpServerStdio():
                env = {one.name: _as_it_is(one.value) for one in server.env}
                found[name] = {"command": [server.command, *server.args], "env": env}
            case HttpMcpServer():
                headers = {one.name: _as_it_is(one.value) for one in server.headers}
                found[name] = {"url": server.url, "headers": headers}
            case _:
                left.append(server.name)
    if not left:
        return found, ""
    return found, f"Of the editor's MCP servers pairloop cannot use {', '.join(left)}: it takes programs and HTTP."


def _as_it_is(value: str) -> str:
    """A value as `McpConfig` has it, where a dollar sign stands for variables: an editor has filled in its own."""
    return value.replace("$", "$$")
