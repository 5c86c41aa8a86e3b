"""The fields of a request: what is set is sent, what a server does not take is left out, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from agent_core.config_tables import PartnerConfig
from agent_core.conversation import AssistantItem, Chunk, Completed, ReasoningDelta
from agent_core.errors import PartnerError
from agent_core.partners.build import build_partner
from agent_core.partners.chat import ChatModel
from agent_core.partners.client import Connection
from agent_core.partners.endpoint import Endpoint, Key
from agent_core.partners.responses import ResponsesModel
from agent_core.partners.server_model import Manner
from tests.partners.talk import APIS, answer_of, chunks_of, model, request, said, thought
from tests.support.answers import Answer, error, events, text
from tests.support.model_server import ModelServer


async def sent(api: str, *answers: Answer, effort: str = "", manner: Manner = Manner()) -> list[Any]:  # noqa: B008 - frozen
    """The bodies of the requests that one question takes."""
    async with ModelServer(answers or [text("a")]) as server:
        connection = Connection(Endpoint(server.base_url, "m", Key("", "K"), 10))
        make = ResponsesModel if api == "responses" else ChatModel
        partner = make(connection, effort, manner=manner)
        await answer_of(partner, request())
        await partner.close()
        return [one.body for one in server.requests]


async def test_responses_in_full() -> None:
    (body,) = await sent("responses", effort="xhigh", manner=Manner("low", "detailed", "flex", parallel=False))
    assert body["reasoning"] == {"effort": "xhigh", "summary": "detailed"}
    assert body["text"] == {"verbosity": "low"}
    assert body["service_tier"] == "flex"
    assert body["parallel_tool_calls"] is False
    assert body["store"] is False
    assert body["include"] == ["reasoning.encrypted_content"]
    assert "max_output_tokens" not in body


async def test_chat_in_full() -> None:
    (body,) = await sent("chat", effort="none", manner=Manner("high", "auto", "priority", parallel=False))
    assert body["reasoning_effort"] == "none"
    assert body["verbosity"] == "high"
    assert body["service_tier"] == "priority"
    assert body["parallel_tool_calls"] is False


@pytest.mark.parametrize("api", APIS)
async def test_what_is_not_set_is_not_sent(api: str) -> None:
    (body,) = await sent(api)
    assert not {"reasoning", "reasoning_effort", "text", "verbosity", "service_tier"} & set(body)
    assert body.get("parallel_tool_calls", True) is True


async def test_no_thinking_has_no_summary_and_none_is_asked_for_where_it_is_off() -> None:
    (body,) = await sent("responses", effort="none")
    assert body["reasoning"] == {"effort": "none"}
    (body,) = await sent("responses", effort="high", manner=Manner(summary="off"))
    assert body["reasoning"] == {"effort": "high"}


@pytest.mark.parametrize(("name", "wanted"), [("gpt-5.2", True), ("o4-mini", True), ("gpt-4.1", False)])
async def test_openais_reasoning_models_are_asked_for_summaries(name: str, *, wanted: bool) -> None:
    connection = Connection(Endpoint("https://api.openai.com/v1", name, Key("k", "K"), 10))
    body = await ResponsesModel(connection)._body(request())
    assert body.get("reasoning") == ({"summary": "auto"} if wanted else None)
    await connection.close()


async def test_the_settings_reach_the_wire() -> None:
    async with ModelServer([text("a")]) as server:
        config = PartnerConfig(
            api="responses",
            base_url=server.base_url,
            model="m",
            reasoning_effort="low",
            verbosity="low",
            reasoning_summary="concise",
            service_tier="flex",
            parallel_tools=False,
        )
        partner = build_partner(config, {})
        await answer_of(partner, request())
        await partner.close()
        body = server.requests[0].body
    assert body["reasoning"] == {"effort": "low", "summary": "concise"}
    assert (body["text"], body["service_tier"], body["parallel_tool_calls"]) == ({"verbosity": "low"}, "flex", False)


async def test_summaries_that_may_not_be_had_are_left_out_and_nothing_else() -> None:
    message = "Your organization must be verified to generate reasoning summaries. Please go to: ..."
    refusal = {"error": {"message": message, "param": "reasoning.summary", "code": "unsupported_value"}}
    bodies = await sent("responses", Answer(status=400, error=refusal), text("a"), effort="high")
    assert [body["reasoning"] for body in bodies] == [{"effort": "high", "summary": "auto"}, {"effort": "high"}]


@pytest.mark.parametrize(
    ("api", "field", "param"),
    [
        ("responses", "text", "text.verbosity"),
        ("chat", "verbosity", "verbosity"),
        ("chat", "service_tier", "service_tier"),
    ],
)
async def test_a_field_that_is_not_known_is_left_out(api: str, field: str, param: str) -> None:
    refusal = error(400, f"Unknown parameter: '{param}'.")
    first, second = await sent(api, refusal, text("a"), manner=Manner("low", "auto", "flex"))
    assert set(first) - set(second) == {field}


@pytest.mark.parametrize("api", APIS)
async def test_a_value_that_cannot_be_had_is_told(api: str) -> None:
    refusal = error(400, "Unsupported value: 'reasoning.effort' 'xhigh' is not supported with the 'm' model.")
    refusal_of = {
        "responses": refusal,
        "chat": error(400, "Unsupported value: 'reasoning_effort' does not support 'xhigh'."),
    }
    with pytest.raises(PartnerError, match="xhigh"):
        await sent(api, refusal_of[api], text("never"), effort="xhigh")


async def test_the_closest_names_are_told_of_a_model_that_is_not_there() -> None:
    refusal = error(404, "The model `qwen-codr` does not exist.", code="model_not_found")
    names = ["llama-3-8b", "qwen-coder", "qwen-coder-32b", "whisper"]
    for api in APIS:
        async with ModelServer([refusal], models=names) as server:
            partner = model(api, server.base_url, name="qwen-codr")
            with pytest.raises(PartnerError) as caught:
                await chunks_of(partner, request())
            await partner.close()
        assert caught.value.kind == "unknown_model"
        assert "It has qwen-coder, qwen-coder-32b" in caught.value.hint
        assert "whisper" not in caught.value.hint


async def test_summaries_of_the_reasoning_come_in_parts() -> None:
    def part(number: int, words: str) -> list[dict[str, Any]]:
        kind = "response.reasoning_summary"
        return [
            {"type": f"{kind}_part.added", "item_id": "rs", "summary_index": number, "part": {"text": ""}},
            {"type": f"{kind}_text.delta", "item_id": "rs", "summary_index": number, "delta": words},
            {"type": f"{kind}_text.done", "item_id": "rs", "summary_index": number, "text": words},
        ]

    message = {"type": "message", "content": [{"type": "output_text", "text": "Done."}]}
    played = events(
        {"type": "response.created", "response": {}},
        {"type": "response.in_progress", "response": {}},
        *part(0, "**First** I look."),
        *part(1, "Then I think."),
        {"type": "response.output_item.done", "item": message},
        {"type": "response.completed", "response": {"output": [message], "usage": None}},
    )
    async with ModelServer([played]) as server:
        partner = model("responses", server.base_url)
        chunks = await chunks_of(partner, request())
        await partner.close()
    assert thought(chunks) == "**First** I look.\n\nThen I think."
    assert all(chunk.text for chunk in chunks if isinstance(chunk, ReasoningDelta))
    assert isinstance(chunks[-1], Completed)
    assert chunks[-1].items == (AssistantItem("Done."),)


@pytest.mark.parametrize(
    ("end", "kind", "words"),
    [
        (
            {"type": "response.failed", "response": {"error": {"code": "server_error", "message": "It broke."}}},
            "server",
            "It broke",
        ),
        (
            {"type": "response.failed", "response": {"error": {"code": "rate_limit_exceeded", "message": "in 2s"}}},
            "rate_limit",
            "slow down",
        ),
        ({"type": "response.failed", "response": {}}, "server", "failed while answering"),
        ({"type": "response.incomplete", "response": None}, "context_too_long", "length limit"),
        ({"type": "response.cancelled"}, "stream", "cancelled"),
    ],
)
async def test_answers_that_end_badly(end: dict[str, Any], kind: str, words: str) -> None:
    begun = {"type": "response.output_text.delta", "item_id": "m", "delta": "I "}
    async with ModelServer([events(begun, end)]) as server:
        partner = model("responses", server.base_url)
        with pytest.raises(PartnerError) as caught:
            await chunks_of(partner, request())
        await partner.close()
    assert caught.value.kind == kind
    assert words in caught.value.message


async def test_a_refusal_is_streamed_and_told() -> None:
    refused = {"type": "message", "content": [{"type": "refusal", "refusal": "I can't help\nwith that."}]}
    delta = {"type": "response.refusal.delta", "item_id": "m", "delta": "I can't help"}
    async with ModelServer([events(delta, {"type": "response.output_item.done", "item": refused})]) as server:
        partner = model("responses", server.base_url)
        chunks: list[Chunk] = []

        async def hear() -> None:
            async for chunk in partner.stream(request()):
                chunks.append(chunk)  # noqa: PERF401 - what came before the error counts

        with pytest.raises(PartnerError) as caught:
            await hear()
        await partner.close()
    assert said(chunks) == "I can't help"
    assert caught.value.kind == "refused"
    assert "I can't help with that." in caught.value.message
