"""What MCP servers and their tools are called here, and what their answers say, as text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from agent_core.keys.known import KNOWN
from agent_core.mcp.taming import MOST_TEXT
from agent_core.text import one_line, printable, shortened, without_surrogates
from agent_core.tools.base import ToolOutput

if TYPE_CHECKING:
    from mcp_types import CallToolResult

BETWEEN = "__"
_LONGEST_NAME = 64
_MOST_DESCRIPTION = 900
_MOST_SUMMARY = 100
_DIGEST = 8


def offered_name(server: str, tool: str, taken: Collection[str]) -> str:
    """The name under which a tool is offered: ``SERVER__TOOL``, in the letters that every provider takes.

    Args:
        server: The server's name in the configuration.
        tool: What the server calls the tool.
        taken: Names that are given already.
    """
    whole = f"{server}{BETWEEN}{tool}"
    name = re.sub(r"[^A-Za-z0-9_-]", "_", whole)
    if len(name) > _LONGEST_NAME or name in taken:
        # Two that differ only in what had to go must not become one.
        digest = sha256(whole.encode("utf-8", "replace")).hexdigest()[:_DIGEST]
        name = f"{name[: _LONGEST_NAME - _DIGEST - 1]}_{digest}"
    return name


def described(server: str, description: str) -> str:
    """What a tool does, as the partner is told: whose words they are, and no more of them than providers take."""
    words = shortened(printable(description).strip(), _MOST_DESCRIPTION)
    return f"[{one_line(server, 60)}, an MCP server] {words}".rstrip()


def output_of(result: CallToolResult) -> ToolOutput:
    """A server's answer as text; pictures, sounds and files are named, not shown."""
    said: list[str] = []
    room = MOST_TEXT
    for part in _parts(result):
        said.append(part[:room])
        room -= len(part)
        if room < 0:
            said.append("[... more left out ...]")
            break
    # Before anything is shortened: of half a key nobody knows what it is.
    text = KNOWN.redact(printable("\n\n".join(part for part in said if part))) or "(nothing)"
    first = next((line for line in text.splitlines() if line.strip()), "")
    return ToolOutput(text, shortened(first.strip(), _MOST_SUMMARY), ok=not result.is_error)


def _parts(result: CallToolResult) -> Iterator[str]:
    spoken = False
    for block in result.content:
        match block.type:
            case "text":
                spoken = spoken or bool(block.text.strip())
                yield block.text
            case "image" | "audio":
                yield f"[{block.type} {block.mime_type}, {_bytes(block.data)}: not shown]"
            case "resource_link":
                yield f"[resource {block.uri}: {block.description or block.title or block.name}]"
            case "resource":
                spoken = True
                yield _resource(block.resource)
    # Servers say in words what they give as a structure; those that do not are not to be silent.
    if result.structured_content is not None and not spoken:
        yield msgspec.json.encode(without_surrogates(result.structured_content)).decode()


def _resource(resource: Any) -> str:
    text = getattr(resource, "text", None)
    if isinstance(text, str):
        return f"[resource {resource.uri}]\n{text}"
    kind = resource.mime_type or "of an unknown kind"
    return f"[resource {resource.uri}, {kind}, {_bytes(getattr(resource, 'blob', ''))}: not shown]"


def _bytes(data: str) -> str:
    """How much a Base64 text stands for."""
    return f"{len(data) * 3 // 4:,} bytes"
