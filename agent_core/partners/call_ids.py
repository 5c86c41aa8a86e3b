"""Names for tool calls that came without one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from agent_core.conversation import Item, ToolCallItem


def taken_ids(items: Iterable[Item]) -> set[str]:
    """Every call id a conversation has used."""
    return {item.call_id for item in items if isinstance(item, ToolCallItem)}


def make_call_id(turn: int, position: int, *content: str) -> str:
    """A call id that is the same whenever the same answer is read again.

    Args:
        turn: Length of the conversation before the answer.
        position: Which call of the answer it is.
        content: What else tells it apart, such as name and arguments.
    """
    text = "\0".join((str(turn), str(position), *content))
    return "call_" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]
