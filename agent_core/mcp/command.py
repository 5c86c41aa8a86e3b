"""``pairloop mcp``: which MCP servers are configured, and whether they can be used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from agent_core.config_tables import McpConfig
from agent_core.mcp.source import McpServers, ServerReport
from agent_core.output import JsonLine, complain, write_out
from agent_core.places import user_file
from agent_core.text import printable
from agent_core.tools.base import Permission

_DONE, _FAILED, _USAGE = 0, 1, 2


async def servers(
    settings: Mapping[str, McpConfig], root: Path, environ: Mapping[str, str], name: str = "", *, test: bool, json: bool
) -> int:
    """Tell of the servers.

    Args:
        settings: The configured ones.
        root: The project.
        environ: This process's environment.
        name: Only this one; empty for all.
        test: Start them, and tell of their tools.
        json: Write one JSON object a server.

    Returns:
        The exit code: 0 done, 1 a server cannot be used, 2 there is no such server.
    """
    if name and name not in settings:
        complain(f"there is no MCP server {name!r} in {user_file()}.", f"There are: {', '.join(sorted(settings))}.")
        return _USAGE
    chosen = {one: settings[one] for one in settings if name in ("", one)}
    if not chosen:
        complain(f"no MCP servers are configured: [mcp.NAME] in {user_file()}.")
        return _DONE
    source = McpServers(chosen, root, environ)
    try:
        if test:
            await source.tools(_nobody, lambda _: None)
        reports = source.reports
    finally:
        await source.close()
    line = JsonLine()
    write_out(line(report) if json else _told(report, tested=test) for report in reports)
    return _FAILED if any(report.stands == "failed" for report in reports) else _DONE


def _told(report: ServerReport, *, tested: bool) -> str:
    # Where nothing was started there is nothing to be said of that.
    words = report.words if tested or report.stands == "off" else f"○ {report.name}"
    return "\n".join([f"{words}  {printable(report.where)}", *(f"    {tool}" for tool in report.tools), ""])


async def _nobody(_wish: Permission) -> bool:
    return False
