"""Both APIs over a real server: what is sent, what is understood, what goes wrong."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import aclosing
from itertools import pairwise
from typing import Any

import pytest

from agent_core.conversation import (
    AssistantItem,
    Completed,
    Item,
    ReasoningItem,
    TextDelta,
    ToolCallItem,
    ToolResultItem,
    Usage,
    UserItem,
)
from agent_core.errors import PartnerError
from agent_core.partners.client import Connection
from agent_core.partners.endpoint import Endpoint, Key
from agent_core.partners.responses import ResponsesModel
from tests.partners.talk import APIS, answer_of, chunks_of, model, request, said, thought, written
from tests.support.answers import FaultKind
from tests.support.model_server import (
    Answer,
    ModelServer,
    call,
    error,
    events,
    fault,
    held,
    raw_call,
    reasoning,
    text,
)

pytestmark = pytest.mark.parametrize("api", APIS)


async def failure(api: str, answer: Answer, **options: Any) -> PartnerError:
    async with ModelServer([answer]) as server:
        partner = model(api, server.base_url, **options)
        with pytest.raises(PartnerError) as caught:
            await chunks_of(partner, request())
        await partner.close()
    return caught.value


async def test_text_reasoning_and_calls_stream_and_complete(api: str) -> None:
    patch = "*** Begin Patch\n+gr\u00fc\u00df\u2028dich \U0001f600\n*** End Patch"
    answer = reasoning("Let me think.") + text("I look, then I patch.") + call("read_file", path="a.py")
    async with ModelServer([answer + call("apply_patch", patch=patch)]) as server:
        partner = model(api, server.base_url)
        chunks = await chunks_of(partner, request())
        await partner.close()
    done = chunks[-1]
    assert isinstance(done, Completed)
    assert said(chunks) == "I look, then I patch."
    assert thought(chunks) == "Let me think."
    *_, words, first, second = done.items
    assert words == AssistantItem("I look, then I patch.")
    assert isinstance(first, ToolCallItem)
    assert isinstance(second, ToolCallItem)
    assert (first.name, json.loads(first.arguments)) == ("read_file", {"path": "a.py"})
    assert (second.name, json.loads(second.arguments)) == ("apply_patch", {"patch": patch})
    assert written(chunks) == {first.call_id: first.arguments, second.call_id: second.arguments}
    assert done.usage == (Usage(10, 4, 5, 2) if api == "responses" else Usage(10, 4, 5))


async def test_every_request_begins_with_the_items_of_the_one_before(api: str) -> None:
    answers = [
        reasoning("first") + text("I look.") + call("read_file", path="a.py") + call("read_file", path="b.py"),
        raw_call("apply_patch", '{"patch": broken'),
        reasoning("third") + call("apply_patch", patch="x"),
        text("Done."),
    ]
    items: list[Item] = [UserItem("Mend it."), UserItem("[a fact]")]
    async with ModelServer(answers) as server:
        partner = model(api, server.base_url)
        for _ in answers:
            done = await answer_of(partner, request(*items))
            items += done.items
            items += [ToolResultItem(one.call_id, "result") for one in done.items if isinstance(one, ToolCallItem)]
            items.append(UserItem("[the human edited a.py]"))
        await partner.close()
        sent = [one.body["input" if api == "responses" else "messages"] for one in server.requests]
        rest = [{k: v for k, v in one.body.items() if k not in {"input", "messages"}} for one in server.requests]
    assert len(sent) == 4
    for earlier, later in pairwise(sent):
        assert len(later) > len(earlier)
        # As text: the same keys in the same order, which is what a cache of prompts compares.
        assert [json.dumps(item) for item in later[: len(earlier)]] == [json.dumps(item) for item in earlier]
    assert all(one == rest[0] for one in rest)


async def test_an_unanswered_call_gets_a_result_and_a_stray_result_becomes_words(api: str) -> None:
    items = (
        UserItem("Go."),
        ToolCallItem("call_a", "read_file", '{"path": "a.py"}'),
        ToolCallItem("call_b", "read_file", "not json"),
        UserItem("Stop that."),
        ToolResultItem("call_b", "late"),
        ToolResultItem("call_of_yore", "old words"),
    )
    async with ModelServer([text("ok")]) as server:
        partner = model(api, server.base_url)
        await answer_of(partner, request(*items))
        await partner.close()
        body = server.requests[0].body
    if api == "responses":
        kinds = [(item["type"], item.get("call_id")) for item in body["input"]]
        assert kinds[1:5] == [
            ("function_call", "call_a"),
            ("function_call", "call_b"),
            ("function_call_output", "call_a"),
            ("function_call_output", "call_b"),
        ]
        assert json.loads(body["input"][2]["arguments"]) == {"malformed": "not json"}
        results = [body["input"][3]["output"], body["input"][4]["output"]]
        words = body["input"][-1]["content"][0]["text"]
    else:
        roles = [message["role"] for message in body["messages"]]
        assert roles == ["system", "user", "assistant", "tool", "tool", "user", "user"]
        calls = body["messages"][2]["tool_calls"]
        assert json.loads(calls[1]["function"]["arguments"]) == {"malformed": "not json"}
        results = [message["content"] for message in body["messages"][3:5]]
        words = body["messages"][-1]["content"]
    assert results == ["[no result: it was interrupted before it ended]", "late"]
    assert "old words" in words


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("cut", "stream"),
        ("no_final", "stream"),
        ("garbage", "stream"),
        ("not_an_object", "stream"),
        ("drop", "unreachable"),
        ("html", "bad_request"),
        ("json", "bad_request"),
    ],
)
async def test_a_broken_answer_is_an_error_not_a_crash(api: str, kind: FaultKind, expected: str) -> None:
    caught = await failure(api, text("The beginning of ") + fault(kind))
    assert caught.kind == expected
    assert "127.0.0.1" in caught.message or kind in {"garbage", "not_an_object"}


@pytest.mark.parametrize(
    ("kind", "expected"), [("stall", "stream"), ("stall_at_once", "stream"), ("mute", "unreachable")]
)
async def test_silence_ends_in_a_timeout(api: str, kind: FaultKind, expected: str) -> None:
    caught = await failure(api, text("words") + fault(kind), timeout=0.9)
    assert caught.kind == expected
    assert "0.9 seconds" in caught.message
    assert "timeout" in caught.hint


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (error(401, "Incorrect API key provided: sk-se**1234"), "auth", "TEST_KEY"),
        (error(403, "country not supported"), "auth", "country not supported"),
        (error(404, "The model `test-model` does not exist", code="model_not_found"), "unknown_model", "--model"),
        (error(404, "Not Found"), "bad_request", "/v1"),
        (error(429, "slow down", headers={"retry-after": "7"}), "rate_limit", "slow down"),
        (error(429, "You exceeded your current quota", code="insufficient_quota"), "refused", "credit"),
        (error(500, "boom"), "server", "boom"),
        (error(503, "overloaded", headers={"retry-after-ms": "1500"}), "server", "503"),
        (error(400, "too long", code="context_length_exceeded"), "context_too_long", "too long"),
        (error(400, "request exceeds the available context size"), "context_too_long", "-c"),
        (error(413, "payload"), "context_too_long", "payload"),
        (error(400, "bad field"), "bad_request", "bad field"),
        (error(422, "bad field"), "bad_request", "bad field"),
        (error(400, "flagged", code="content_policy_violation"), "refused", "flagged"),
        (error(500, "tools param requires --jinja flag"), "bad_request", "--jinja"),
        (Answer(status=502, error="<html>Bad gateway</html>"), "server", "502"),
        (Answer(incomplete="max_output_tokens"), "context_too_long", "cut off"),
        (Answer(incomplete="content_filter"), "refused", "filter"),
        (Answer(raw=({"error": {"message": "mid-stream", "code": "server_error"}},)), "server", "mid-stream"),
        (Answer(raw=({"error": "in words"},)), "server", "in words"),
    ],
)
async def test_errors_are_told_to_humans(api: str, answer: Answer, kind: str, words: str) -> None:
    caught = await failure(api, answer)
    assert caught.kind == kind
    assert words in str(caught)
    assert "sk-secret-1234" not in str(caught)
    assert "sk-se**" not in str(caught)


async def test_the_wait_a_server_asks_for_is_kept(api: str) -> None:
    assert (await failure(api, error(429, "x", headers={"retry-after": "7"}))).retry_after == 7
    assert (await failure(api, error(503, "x", headers={"retry-after-ms": "1500"}))).retry_after == 1.5
    assert (await failure(api, error(429, "Please try again in 1.2s."))).retry_after == pytest.approx(1.2)


async def test_a_key_in_a_servers_words_is_not_repeated(api: str) -> None:
    caught = await failure(api, error(400, "you sent sk-secret-1234\x1b[31m"))
    assert "sk-secret" not in str(caught)
    assert "\x1b" not in str(caught)


async def test_what_is_given_for_a_key_where_none_is_needed_garbles_no_words(api: str) -> None:
    caught = await failure(api, error(400, "request exceeds the context size"), key="x")
    assert "exceeds the context" in str(caught)


async def test_no_server_at_all(api: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        partner = model(api, f"http://127.0.0.1:{port}/v1")
        with pytest.raises(PartnerError) as caught:
            await chunks_of(partner, request())
        await partner.close()
    assert caught.value.kind == "unreachable"
    assert caught.value.retryable
    assert f"127.0.0.1:{port}" in caught.value.message
    assert "Is the server running?" in caught.value.hint


async def test_a_kept_connection_that_the_server_closes_costs_nothing(api: str) -> None:
    async with ModelServer([text("a") + fault("keep"), text("b"), fault("drop"), fault("drop")]) as server:
        partner = model(api, server.base_url)
        await answer_of(partner, request())
        assert (await answer_of(partner, request())).items == (AssistantItem("b"),)
        assert server.closed_kept == 1
        # It is asked only once more, and what happened is called what it is.
        with pytest.raises(PartnerError) as caught:
            await answer_of(partner, request())
        await partner.close()
    assert "closed the connection before it answered" in caught.value.message
    assert caught.value.retryable
    assert len(server.requests) == 4


async def test_cancelling_hangs_up_at_once(api: str) -> None:
    streamed = asyncio.Event()
    async with ModelServer([text("a beginning") + fault("stall")]) as server:
        partner = model(api, server.base_url, timeout=60)

        async def listen() -> None:
            async for chunk in partner.stream(request()):
                if isinstance(chunk, TextDelta):
                    streamed.set()

        task = asyncio.create_task(listen())
        await asyncio.wait_for(streamed.wait(), 30)
        task.cancel()
        await asyncio.wait_for(server.hung_up.wait(), 30)
        with pytest.raises(asyncio.CancelledError):
            await task
        await partner.close()


async def test_cancelling_before_the_first_byte_hangs_up_too(api: str) -> None:
    async with ModelServer([fault("mute")]) as server:
        partner = model(api, server.base_url, timeout=60)
        task = asyncio.create_task(chunks_of(partner, request()))
        await asyncio.wait_for(server.asked.wait(), 30)
        task.cancel()
        await asyncio.wait_for(server.hung_up.wait(), 30)
        await partner.close()


async def test_a_reader_who_stops_hangs_up(api: str) -> None:
    async with ModelServer([text("a beginning") + fault("stall")]) as server:
        partner = model(api, server.base_url, timeout=60)
        async with aclosing(partner.stream(request())) as chunks:
            async for _ in chunks:
                break
        await asyncio.wait_for(server.hung_up.wait(), 30)
        await partner.close()


async def test_text_comes_while_the_answer_is_being_written(api: str) -> None:
    first = asyncio.Event()

    async def until_first() -> None:
        await first.wait()

    async with ModelServer([text("early words") + held(until_first)]) as server:
        partner = model(api, server.base_url)
        words = ""
        async for chunk in partner.stream(request()):
            if isinstance(chunk, TextDelta):
                words += chunk.text
                if words == "early words":
                    first.set()
        await partner.close()
    assert first.is_set()


async def test_a_server_without_a_configured_model_is_asked_once(api: str) -> None:
    async with ModelServer([text("a"), text("b")], models=["nomic-embed-text", "coder-7b", "other"]) as server:
        partner = model(api, server.base_url, name="", key="")
        assert partner.info.model == ""
        await answer_of(partner, request())
        await answer_of(partner, request())
        assert partner.info.model == "coder-7b"
        assert "coder-7b" in partner.info.name
        assert [one.path for one in server.received].count("/v1/models") == 1
        assert {one.body["model"] for one in server.requests} == {"coder-7b"}
        await partner.close()


async def test_a_server_that_lists_no_model(api: str) -> None:
    async with ModelServer([], models=[]) as server:
        partner = model(api, server.base_url, name="")
        with pytest.raises(PartnerError) as caught:
            await chunks_of(partner, request())
        await partner.close()
    assert caught.value.kind == "unknown_model"
    assert "--model" in caught.value.hint


async def test_fields_a_server_refuses_are_left_out_from_then_on(api: str) -> None:
    refused = ["include", "prompt_cache_key"] if api == "responses" else ["stream_options"]
    async with ModelServer([text("a"), text("b")], refuses=refused) as server:
        partner = model(api, server.base_url)
        assert (await answer_of(partner, request())).items == (AssistantItem("a"),)
        assert (await answer_of(partner, request())).items == (AssistantItem("b"),)
        # Each field is refused once; the second request is right at once.
        assert len(server.received) == len(refused) + 2
        assert not set(refused) & set(server.requests[0].body)
        await partner.close()


async def test_a_field_that_is_needed_is_not_left_out(api: str) -> None:
    async with ModelServer([text("a")], refuses=["tools"]) as server:
        partner = model(api, server.base_url)
        with pytest.raises(PartnerError) as caught:
            await chunks_of(partner, request())
        await partner.close()
    assert caught.value.kind == "bad_request"
    assert "tools" in caught.value.message


async def test_a_chattering_server_that_says_nothing_of_use(api: str) -> None:
    odd: tuple[dict[str, Any], ...] = (
        {"type": "response.unheard.of", "item": 3},
        {"choices": [None]},
        {"choices": {}},
        {"delta": 5},
        {"type": None},
    )
    caught = await failure(api, events(*odd))
    assert caught.kind == "stream"


async def test_requests_carry_what_the_design_wants(api: str) -> None:
    async with ModelServer([text("a")]) as server:
        connection = Connection(Endpoint(server.base_url, "m", Key("sk-1", "K"), 10))
        partner = ResponsesModel(connection, "high") if api == "responses" else model(api, server.base_url)
        await answer_of(partner, request(UserItem("one"), AssistantItem("two", "commentary"), UserItem("three")))
        await partner.close()
        body = server.requests[0].body
    if api == "responses":
        assert body["store"] is False
        assert body["stream"] is True
        assert body["instructions"] == "You are a partner."
        assert body["include"] == ["reasoning.encrypted_content"]
        assert body["prompt_cache_key"] == "session-1"
        assert body["parallel_tool_calls"] is True
        assert body["reasoning"] == {"effort": "high", "summary": "auto"}
        assert body["tools"][0]["strict"] is False
        assert body["tools"][0]["parameters"]["required"] == ["patch"]
        assert body["input"][1]["phase"] == "commentary"
        assert server.requests[0].headers["authorization"] == "Bearer sk-1"
    else:
        assert body["messages"][0] == {"role": "system", "content": "You are a partner."}
        assert body["stream_options"] == {"include_usage": True}
        assert body["tools"][0]["function"]["name"] == "apply_patch"
        assert "prompt_cache_key" not in body
        assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "user"]


async def test_reasoning_goes_back_exactly_where_it_came_from(api: str) -> None:
    async with ModelServer([reasoning("because") + call("read_file", path="a"), text("ok")]) as server:
        partner = model(api, server.base_url)
        done = await answer_of(partner, request())
        kept = [item for item in done.items if isinstance(item, ReasoningItem)]
        called = next(item for item in done.items if isinstance(item, ToolCallItem))
        await answer_of(partner, request(UserItem("Hello"), *done.items, ToolResultItem(called.call_id, "r")))
        await partner.close()
        body = server.requests[1].body
    if api == "chat":
        assert kept == []
        assert "because" not in json.dumps(body)
    else:
        assert len(kept) == 1
        assert body["input"][1] == {
            "id": body["input"][1]["id"],
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "because"}],
            "encrypted_content": "gAAAAesuaceb",
        }
