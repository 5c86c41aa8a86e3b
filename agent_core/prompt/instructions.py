"""The system text every partner gets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

from agent_core.conversation import ToolSpec

_TOOL = re.compile(r"^- `(\w+)`: .*\n", re.MULTILINE)


def instructions(tools: Iterable[ToolSpec]) -> str:
    """The text of ``instructions.md``; for the same tools always the same, so that prompt caches hold.

    Args:
        tools: The tools on offer: of others it says nothing.
    """
    return _about(frozenset(tool.name for tool in tools))


@cache
def _about(names: frozenset[str]) -> str:
    text = resources.files("agent_core.prompt").joinpath("instructions.md").read_text("utf-8")
    return _TOOL.sub(lambda line: line[0] if line[1] in names else "", text)
