"""What compatible servers do to tool calls in Chat Completions."""

from __future__ import annotations

from typing import Any

import pytest

from agent_core.conversation import AssistantItem, ReasoningItem, ToolCallItem, ToolResultItem, UserItem
from agent_core.errors import PartnerError
from agent_core.partners.chat import items_to_messages
from tests.partners.talk import answer_of, chunks_of, model, request, written
from tests.support.model_server import ModelServer, call, events, raw_call


def delta(*calls: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"tool_calls": list(calls)}, "finish_reason": finish}]}


def part(arguments: Any = "", name: str | None = None, **more: Any) -> dict[str, Any]:
    return {"function": {"arguments": arguments} | ({} if name is None else {"name": name}), **more}


STOP: dict[str, Any] = {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(
            [
                delta(part("", "search", index=0, id="a")),
                delta(part('{"q"', index=0)),
                delta(part(":1}", index=0)),
                STOP,
            ],
            [("a", "search", '{"q":1}')],
            id="as the reference has it",
        ),
        pytest.param(
            [delta(part('{"q"', "search", index=0)), delta(part(":1}", "search", index=0)), STOP],
            [(None, "search", '{"q":1}')],
            id="no id, name in every delta",
        ),
        pytest.param(
            [
                delta(part("", "sea", index=0, id="a")),
                delta(part("", "rch", index=0)),
                delta(part("{}", index=0)),
                STOP,
            ],
            [("a", "search", "{}")],
            id="name in pieces",
        ),
        pytest.param(
            [delta(part("", "search", index=0, id="a")), delta(part("{}", "_files", index=0)), STOP],
            [("a", "search_files", "{}")],
            id="name in pieces of which the first is a tool too",
        ),
        pytest.param(
            [delta(part("", "sea", index=0, id="a")), delta(part("{}", "search", index=0)), STOP],
            [("a", "search", "{}")],
            id="name growing",
        ),
        pytest.param(
            [
                delta(part('{"q":1}', "search", index=0, id="a")),
                delta(part('{"q":2}', "search", index=0, id="b")),
                STOP,
            ],
            [("a", "search", '{"q":1}'), ("b", "search", '{"q":2}')],
            id="one index for all, ids differ",
        ),
        pytest.param(
            [delta(part('{"q":1}', "search", id="a"), part('{"q":2}', "read_file", id="b")), STOP],
            [("a", "search", '{"q":1}'), ("b", "read_file", '{"q":2}')],
            id="no index, whole calls in one delta",
        ),
        pytest.param(
            [delta(part('{"q":1}', "search"), part('{"q":2}', "read_file")), STOP],
            [(None, "search", '{"q":1}'), (None, "read_file", '{"q":2}')],
            id="neither index nor id",
        ),
        pytest.param(
            [delta(part("", "search", id="a")), delta(part('{"q"')), delta(part(":1}")), STOP],
            [("a", "search", '{"q":1}')],
            id="no index, arguments in pieces",
        ),
        pytest.param(
            [delta(part({"q": "\u00fc"}, "search", index=0, id="a")), STOP],
            [("a", "search", '{"q": "\u00fc"}')],
            id="arguments as an object",
        ),
        pytest.param(
            [delta(part("", "search", index=0, id="a")), STOP], [("a", "search", "{}")], id="no arguments at all"
        ),
        pytest.param(
            [
                delta(part("1", "search", index=1, id="b"), part("0", "read_file", index=0, id="a")),
                delta(part("1", index=1)),
                "[DONE]",
            ],
            [("a", "read_file", "0"), ("b", "search", "11")],
            id="out of order, and no finish reason before the end mark",
        ),
    ],
)
async def test_deltas_are_merged(sent: list[Any], expected: list[tuple[str | None, str, str]]) -> None:
    async with ModelServer([events(*sent)]) as server:
        partner = model("chat", server.base_url)
        chunks = await chunks_of(partner, request())
        await partner.close()
    items = getattr(chunks[-1], "items", ())
    assert [(item.name, item.arguments) for item in items] == [(name, arguments) for _, name, arguments in expected]
    ids = [item.call_id for item in items]
    assert len(set(ids)) == len(ids)
    for given, (wanted, _, _) in zip(ids, expected, strict=True):
        assert given == wanted if wanted else given.startswith("call_")
    streamed = written(chunks)
    assert all(streamed.get(item.call_id, "{}") == item.arguments for item in items)
    assert set(streamed) <= set(ids)


async def test_an_id_that_was_used_before_is_replaced() -> None:
    async with ModelServer([call("search", call_id="call_0"), call("search", call_id="call_0")]) as server:
        partner = model("chat", server.base_url)
        first = (await answer_of(partner, request())).items
        told = ToolResultItem("call_0", "r")
        second = (await answer_of(partner, request(UserItem("Hello"), *first, told))).items
        await partner.close()
    assert isinstance(first[0], ToolCallItem)
    assert isinstance(second[0], ToolCallItem)
    assert first[0].call_id == "call_0"
    assert second[0].call_id != "call_0"


async def test_a_made_id_is_the_same_when_the_answer_is_read_again() -> None:
    nameless = delta(part("{}", "search", index=0))
    async with ModelServer([events(nameless, STOP), events(nameless, STOP)]) as server:
        partner = model("chat", server.base_url)
        first = (await answer_of(partner, request())).items
        again = (await answer_of(partner, request())).items
        later = request(UserItem("Hello"), *first)
        server.add(events(nameless, STOP))
        other = (await answer_of(partner, later)).items
        await partner.close()
    assert first == again
    assert first != other


async def test_a_call_without_a_name_is_an_error() -> None:
    async with ModelServer([events(delta(part("{}", index=0, id="a")), STOP)]) as server:
        partner = model("chat", server.base_url)
        with pytest.raises(PartnerError, match="without a name"):
            await chunks_of(partner, request())
        await partner.close()


async def test_arguments_that_are_not_json_reach_the_one_who_reads_them() -> None:
    async with ModelServer([raw_call("apply_patch", '{"patch": "never en')]) as server:
        partner = model("chat", server.base_url)
        items = (await answer_of(partner, request())).items
        await partner.close()
    assert isinstance(items[0], ToolCallItem)
    assert items[0].arguments == '{"patch": "never en'


def test_one_turn_is_one_message_with_its_results_behind() -> None:
    messages = items_to_messages(
        [
            UserItem("task"),
            ReasoningItem('{"type": "reasoning"}'),
            AssistantItem("I look."),
            ToolCallItem("a", "search", "{}"),
            ToolCallItem("b", "read_file", "{}"),
            ToolResultItem("a", "one"),
            ToolResultItem("b", "two"),
            ToolCallItem("c", "search", "{}"),
            ToolResultItem("c", "three"),
            AssistantItem("Done."),
        ]
    )
    assert [message["role"] for message in messages] == [
        "user", "assistant", "tool", "tool", "assistant", "tool", "assistant",
    ]  # fmt: skip
    assert messages[1]["content"] == "I look."
    assert [one["id"] for one in messages[1]["tool_calls"]] == ["a", "b"]
    assert messages[4]["content"] is None
    assert [message["tool_call_id"] for message in (messages[2], messages[3], messages[5])] == ["a", "b", "c"]
