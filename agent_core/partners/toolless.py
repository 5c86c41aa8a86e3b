"""Tools told in words, for models that take none: the same conversation without a tool, a call or a result in it.

The form is that of the Hermes family's chat templates, which `agent_core.partners.text_calls` reads again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache

import msgspec

from agent_core.conversation import (
    AssistantItem,
    Item,
    ReasoningItem,
    Request,
    ToolCallItem,
    ToolResultItem,
    ToolSpec,
    UserItem,
)
from agent_core.partners.builtin_patch import PATCH_TOOL

_HOW = """# How to call tools

You call a tool by writing it into your answer, as one JSON object between these tags:

<tool_call>
{"name": "NAME", "arguments": {"ARGUMENT": "VALUE"}}
</tool_call>

Then stop: you get what came of it with the next message. Never write down yourself what a tool might answer.
"""
_PATCH = "Only a patch is written as it is, from *** Begin Patch to *** End Patch, without tags and JSON.\n"


def in_words(request: Request) -> Request:
    """A request whose tools are told in its instructions, and whose calls and results are words.

    Of two requests that begin with the same items the results begin with the same items, too.
    """
    instructions = f"{request.instructions}\n\n{_told(request.tools)}" if request.tools else request.instructions
    return msgspec.structs.replace(request, instructions=instructions, items=tuple(_words(request.items)), tools=())


@lru_cache(maxsize=4)
def _told(tools: tuple[ToolSpec, ...]) -> str:
    """The tools, and how they are called."""
    listed = [
        json.dumps(
            {"name": tool.name, "description": tool.description, "parameters": json.loads(tool.parameters)},
            ensure_ascii=False,
        )
        for tool in tools
    ]
    patch = _PATCH if any(tool.name == PATCH_TOOL for tool in tools) else ""
    return f"{_HOW}{patch}\nThese are the tools, with the JSON schema of their arguments:\n\n" + "\n".join(listed)


def _words(items: Sequence[Item]) -> Iterator[Item]:
    names: dict[str, str] = {}
    for item in items:
        match item:
            case ToolCallItem(call_id, name, arguments):
                names[call_id] = name
                yield AssistantItem(f"<tool_call>\n{_call(name, arguments)}\n</tool_call>")
            case ToolResultItem(call_id, output):
                yield UserItem(f"[What {names.get(call_id, 'the tool')} answered]\n{output}")
            case ReasoningItem():
                pass
            case _:
                yield item


def _call(name: str, arguments: str) -> str:
    try:
        given = json.loads(arguments)
    except ValueError:
        given = arguments
    return json.dumps({"name": name, "arguments": given}, ensure_ascii=False)
