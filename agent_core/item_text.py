"""What the items of a conversation say, and about how many tokens that is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent_core.conversation import (
    AssistantItem,
    Item,
    ReasoningItem,
    ToolCallItem,
    ToolResultItem,
    ToolSpec,
    UserItem,
)
from agent_core.text import cap_text, estimate_tokens

_FRAME = 4
"""What an item costs beside its text: role, ids, separators."""


def item_tokens(item: Item) -> int:
    """About how many tokens an item has; see `agent_core.text.estimate_tokens`."""
    return _FRAME + estimate_tokens(item_text(item))


def items_tokens(items: Iterable[Item]) -> int:
    """About how many tokens some items have."""
    return sum(map(item_tokens, items))


def overhead_tokens(instructions: str, tools: Sequence[ToolSpec]) -> int:
    """About how many tokens a request has beside its items."""
    return estimate_tokens(instructions) + sum(
        estimate_tokens(tool.name + tool.description + tool.parameters) for tool in tools
    )


def item_text(item: Item) -> str:
    """What an item says."""
    match item:
        case UserItem(text) | AssistantItem(text):
            return text
        case ToolResultItem(_, output):
            return output
        case ToolCallItem(_, name, arguments):
            return f"{name} {arguments}"
        case ReasoningItem(raw):
            return raw


def cut_item(item: Item, tokens: int) -> Item:
    """An item without the middle of its text, which is named; calls and reasoning stay whole, they are no prose."""
    match item:
        case UserItem(text):
            return UserItem(cap_text(text, tokens))
        case AssistantItem(text, phase):
            return AssistantItem(cap_text(text, tokens), phase)
        case ToolResultItem(call_id, output, ok):
            return ToolResultItem(call_id, cap_text(output, tokens), ok)
        case _:
            return item
