"""Ids of tool calls, which servers give twice, or without an end: no call is carried out twice, and none is lost."""

from __future__ import annotations

from typing import Any

import pytest

from agent_core.conversation import Completed, ToolCallDelta, ToolCallItem, ToolResultItem, UserItem
from agent_core.errors import PartnerError
from agent_core.partners.call_ids import MOST_CALLS
from agent_core.prompt.replies import unanswered
from tests.partners.talk import answer_of, chunks_of, model, request
from tests.support.answers import events
from tests.support.model_server import ModelServer

DONE = {"type": "response.completed", "response": {"output": []}}
BEFORE = (UserItem("Hello"), ToolCallItem("call_0", "search", "{}"), ToolResultItem("call_0", "nothing"))


def call(given: str, arguments: str, item: str | None = None) -> list[dict[str, Any]]:
    """A call in the Responses API; without an id of the item as llama.cpp has it."""
    whole = {"type": "function_call", "call_id": given, "name": "read_file", **({"id": item} if item else {})}
    return [
        {"type": "response.output_item.added", "item": {**whole, "arguments": ""}},
        {"type": "response.function_call_arguments.delta", "item_id": item or given, "delta": arguments},
        {"type": "response.output_item.done", "item": {**whole, "arguments": arguments}},
    ]


@pytest.mark.parametrize("item", [None, "fc_1"])
async def test_a_call_that_is_said_twice_is_one(item: str | None) -> None:
    said = call("call_7", '{"path": "a"}', item)
    async with ModelServer([events(*said, said[2], *said, DONE)]) as server:
        done = await answer_of(model("responses", server.base_url), request())
    assert done.items == (ToolCallItem("call_7", "read_file", '{"path": "a"}'),)


async def test_two_calls_of_one_id_are_two() -> None:
    said = [*call("call_7", '{"path": "a"}'), *call("call_7", '{"path": "b"}')]
    async with ModelServer([events(*said, DONE), events(*said, DONE)]) as server:
        partner = model("responses", server.base_url)
        one, two = (await answer_of(partner, request())).items
        again = (await answer_of(partner, request())).items
    assert isinstance(one, ToolCallItem)
    assert isinstance(two, ToolCallItem)
    assert (one.call_id, one.arguments, two.arguments) == ("call_7", '{"path": "a"}', '{"path": "b"}')
    assert two.call_id != one.call_id
    assert again == (one, two), "what is asked for again is called the same"


async def test_an_id_of_a_former_answer_is_another_one_now() -> None:
    async with ModelServer([events(*call("call_0", '{"path": "a"}'), DONE)]) as server:
        chunks = await chunks_of(model("responses", server.base_url), request(*BEFORE))
    done = chunks[-1]
    assert isinstance(done, Completed)
    (item,) = done.items
    assert isinstance(item, ToolCallItem)
    assert item.call_id != "call_0"
    assert {chunk.call_id for chunk in chunks if isinstance(chunk, ToolCallDelta)} == {item.call_id}
    # So it waits for its answer like any other, and an interrupt leaves no call without one.
    assert unanswered((*BEFORE, item)) == (item.call_id,)


@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_calls_without_an_end_are_no_answer(api: str) -> None:
    wanted = range(MOST_CALLS + 1)
    said: list[dict[str, Any]] = [one for number in wanted for one in call(f"call_{number}", "")[:1]]
    if api == "chat":
        names = ({"index": number, "id": f"c{number}", "function": {"name": "search"}} for number in wanted)
        said = [{"choices": [{"delta": {"tool_calls": [name]}}]} for name in names]
    async with ModelServer([events(*said)]) as server:
        with pytest.raises(PartnerError, match=f"more than {MOST_CALLS} tool calls"):
            await answer_of(model(api, server.base_url), request())
