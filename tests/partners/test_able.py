"""What a model turns out to take is found out once, and kept for the next run."""

from __future__ import annotations

import json

import pytest

from agent_core.config_tables import PartnerConfig
from agent_core.conversation import AssistantItem, ToolCallItem, ToolResultItem, UserItem
from agent_core.errors import PartnerError
from agent_core.partners.abilities import Abilities, AbilityBook
from agent_core.partners.build import open_partner
from agent_core.partners.toolless import in_words
from agent_core.protocols import Model
from tests.partners.talk import answer_of, request
from tests.support.model_server import ModelServer, call, error, text

WRITTEN = 'I look.\n<tool_call>\n{"name": "read_file", "arguments": {"path": "a.py"}}\n</tool_call>'
NO_TOOLS = error(400, "registry.ollama.ai/library/small:latest does not support tools")


def partner(server: ModelServer, book: AbilityBook | None = None, api: str = "chat") -> Model:
    assert api in {"chat", "responses"}
    config = PartnerConfig(base_url=server.base_url, api="chat" if api == "chat" else "responses", max_retries=0)
    return open_partner(config, {}, book=book or AbilityBook()).model


@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_a_model_that_takes_no_tools_is_told_of_them_in_words(api: str) -> None:
    async with ModelServer([NO_TOOLS, text(WRITTEN), text("It is empty."), text("Again.")]) as server:
        model = partner(server, api=api)
        first = await answer_of(model, request())
        said, called = first.items
        assert isinstance(said, AssistantItem)
        assert isinstance(called, ToolCallItem)
        assert (called.name, json.loads(called.arguments)) == ("read_file", {"path": "a.py"})
        await answer_of(model, request(UserItem("Hello"), *first.items, ToolResultItem(called.call_id, "x = 1")))
        await model.close()
        # It is not tried again in the next run.
        again = partner(server, api=api)
        await answer_of(again, request())
        await again.close()
    bodies = [one.body for one in server.requests]
    assert ["tools" in body for body in bodies] == [True, False, False, False]
    first_text, second_text = json.dumps(bodies[1]), json.dumps(bodies[2])
    assert all(told in first_text for told in ("<tool_call>", '\\"read_file\\"', "*** Begin Patch"))
    assert all(told in second_text for told in ("[What read_file answered]", "x = 1"))
    assert not any(sign in second_text for sign in ("tool_call_id", "function_call", '"tool_calls"'))
    # What was sent before is what the next request begins with.
    key = "messages" if api == "chat" else "input"
    assert bodies[2][key][: len(bodies[1][key])] == bodies[1][key]


async def test_an_answer_without_tools_that_is_refused_is_an_error() -> None:
    async with ModelServer([NO_TOOLS]) as server:
        model = partner(server)
        with pytest.raises(PartnerError, match="cannot call tools"):
            await answer_of(model, request(tools=()))
        await model.close()


async def test_refused_fields_and_windows_are_kept_from_one_run_to_the_next() -> None:
    async with ModelServer([text("a"), text("b")], refuses=("stream_options", "temperature")) as server:
        for _ in range(2):
            model = partner(server)
            await answer_of(model, request())
            await model.close()
        known = AbilityBook().get(server.base_url, "test-model")
    assert known.refused == ("stream_options", "temperature")
    # Only the first run had to learn it.
    posts = [one for one in server.received if one.path.endswith("/chat/completions")]
    assert len(posts) - len(server.requests) in {1, 2}
    assert not {"stream_options", "temperature"} & server.requests[-1].body.keys()
    assert posts[-1].raw == server.requests[-1].raw


async def test_a_call_shows_that_it_takes_tools_and_usage_that_it_tells_it() -> None:
    async with ModelServer([call("read_file", path="a")]) as server:
        model = partner(server)
        await answer_of(model, request())
        await model.close()
        known = AbilityBook().get(server.base_url, "test-model")
    assert (known.tools, known.streams_usage) == (True, True)


@pytest.mark.parametrize(
    ("owner", "beside", "tools"),
    [
        ("library", {"/api/show": {"capabilities": ["completion"]}}, False),
        ("library", {"/api/show": {"capabilities": ["completion", "tools"]}}, True),
        ("library", {"/api/show": {"capabilities": "tools"}}, None),
        ("llamacpp", {"/props": {"chat_template_caps": {"supports_tools": True}}}, True),
        ("llamacpp", {"/props": {"chat_template": "{% if tools %}"}}, True),
        # It has a way of its own for templates without.
        ("llamacpp", {"/props": {"chat_template": "{{ messages }}"}}, None),
        ("somebody", {}, None),
    ],
)
async def test_a_local_server_is_asked_what_it_takes(owner: str, beside: dict[str, object], tools: bool | None) -> None:
    async with ModelServer(tells={"owned_by": owner}, beside=beside) as server:
        opened = open_partner(PartnerConfig(base_url=server.base_url), {}, book=AbilityBook())
        assert opened.prepare is not None
        await opened.prepare()
        await opened.model.close()
        assert AbilityBook().get(server.base_url, "test-model").tools is tools


def test_a_book_that_is_broken_is_an_empty_one() -> None:
    book = AbilityBook()
    assert book.note("http://a/v1", "m", tools=False).tools is False
    assert AbilityBook().get("http://a/v1/", "m").tools is False
    book._path.write_text("{")
    assert AbilityBook().get("http://a/v1", "m") == Abilities()


def test_words_of_a_longer_conversation_begin_with_those_of_the_shorter() -> None:
    items = (
        UserItem("Hello"),
        AssistantItem("I look."),
        ToolCallItem("1", "read_file", '{"path": "a"}'),
        ToolResultItem("1", "x"),
        ToolCallItem("2", "search", "no JSON"),
        ToolResultItem("2", "y"),
    )
    whole = in_words(request(*items))
    assert whole.tools == ()
    for count in range(1, len(items)):
        shorter = in_words(request(*items[:count]))
        assert whole.items[:count] == shorter.items
        assert whole.instructions == shorter.instructions
