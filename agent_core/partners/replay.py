"""Putting a conversation into a form every provider accepts, the same way at every request.

Providers refuse a tool call without its result, a result without its call, and local servers refuse arguments
that are not a JSON object. What an interrupt or a weak model left behind is mended here, on the way out; the
conversation itself stays as it was. The mending depends only on items, so a request that repeats the items of
the one before repeats its bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from agent_core.conversation import Item, ToolCallItem, ToolResultItem, UserItem

NO_RESULT = "[no result: it was interrupted before it ended]"


def paired(items: Sequence[Item]) -> list[Item]:
    """The items with the results of each run of tool calls directly behind it.

    A call that was never answered gets a result that says so; a result that answers no call becomes words.
    """
    results = {item.call_id: item for item in items if isinstance(item, ToolResultItem)}
    calls = {item.call_id for item in items if isinstance(item, ToolCallItem)}
    out: list[Item] = []
    open_calls: list[ToolCallItem] = []

    def answer() -> None:
        out.extend(
            results.get(call.call_id) or ToolResultItem(call.call_id, NO_RESULT, ok=False) for call in open_calls
        )
        open_calls.clear()

    for item in items:
        if isinstance(item, ToolCallItem):
            open_calls.append(item)
            out.append(item)
        elif isinstance(item, ToolResultItem):
            answer()
            if item.call_id not in calls:
                out.append(UserItem(f"[result of an earlier tool call]\n{item.output}"))
        else:
            if isinstance(item, UserItem):
                answer()
            out.append(item)
    answer()
    return out


def wire_arguments(arguments: str) -> str:
    """The arguments of a call as a JSON object, wrapped when the model wrote something else."""
    try:
        if isinstance(json.loads(arguments), dict):
            return arguments
    except (ValueError, RecursionError):
        pass
    return json.dumps({"malformed": arguments}, ensure_ascii=False)
