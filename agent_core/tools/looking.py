"""The tools that only look: at files, names, history and, where the human has switched it on, at the web."""

from __future__ import annotations

from agent_core.parts import Parts
from agent_core.tools.base import Approver, Tool
from agent_core.tools.files import ListFiles, ReadFile
from agent_core.tools.history import GitHistory
from agent_core.tools.search import Search
from agent_core.tools.symbols import FindSymbols
from agent_core.workspace.git import folder_of


def looking_tools(parts: Parts, approve: Approver) -> tuple[Tool, ...]:
    """What a session's partner can look with; the same for the whole session.

    Args:
        parts: The session's parts.
        approve: Says whether an address may be fetched.
    """
    config, root = parts.config, parts.workspace.root

    def room() -> int:
        return parts.tool_tokens

    def task() -> str:
        tasks = parts.state().tasks
        return tasks[-1].text if tasks else ""

    tools: list[Tool] = [ListFiles(), ReadFile(room), Search(), FindSymbols(parts.symbols, room, task)]
    if folder_of(root) is not None:
        tools.append(GitHistory(root, parts.mask))
    if config.tools.fetch:
        # Few have it switched on, and it brings the library of HTTP along.
        from agent_core.tools.fetch import Fetch  # noqa: PLC0415

        tools.append(Fetch(approve, config.permissions.allow, parts.mask))
    return tuple(tools)
