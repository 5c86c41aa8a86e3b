"""How much a partner can read: by its id, from its server, from how it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import pytest
from openai.types import ChatModel

from agent_core.config_tables import PartnerConfig
from agent_core.partners.build import open_partner
from agent_core.partners.windows import asked_window, known_window, listed_window, said_window
from tests.support.model_server import ModelServer


@pytest.mark.parametrize(
    ("model", "window"),
    [
        ("gpt-5.1-2025-11-13", 272_000),
        ("gpt-5-chat-latest", 128_000),
        ("gpt-5.4", 922_000),
        ("gpt-5.4-mini", 272_000),
        ("openai/gpt-6.2-sol", 922_000),
        ("gpt-4", 8192),
        ("gpt-4.1-nano", 1_047_576),
        ("ft:gpt-4o:acme::1", 128_000),
        ("o3-pro", 200_000),
        ("models\\Qwen2.5-Coder-1.5B-Instruct-Q4_K_M.gguf", 32_768),
        ("qwen3-coder:30b", 262_144),
        # A name that only begins alike is another model.
        ("gpt-4.7", 0),
        ("gpt-50", 0),
        ("", 0),
    ],
)
def test_by_its_id(model: str, window: int) -> None:
    assert known_window(model) == window


def test_every_model_that_the_client_library_names_is_known() -> None:
    [names] = [get_args(one) for one in (ChatModel,)]
    assert len(names) > 50
    assert [name for name in names if not known_window(name)] == []


@pytest.mark.parametrize(
    ("words", "window"),
    [
        ("This model's maximum context length is 128000 tokens. However, you sent 130000.", 128_000),
        ("request (70494 tokens) exceeds the available context size (67584 tokens), try increasing it", 67_584),
        (
            "the model's context length is only 1024 tokens, resulting in a maximum input length of 1014 tokens.",
            1014,
        ),
        ("The input (5,000 tokens) is longer than the model's context length (4,096 tokens).", 4096),
        ("Request too large on tokens per min (TPM): Limit 30000, Requested 40123.", 30_000),
        ("Your input exceeds the context window of this model. You sent 5000 tokens.", 0),
        ("the context size is 12", 0),
    ],
)
def test_from_how_it_refuses(words: str, window: int) -> None:
    assert said_window(words) == window


@pytest.mark.parametrize(
    ("entry", "window"),
    [
        ({"max_model_len": 8192}, 8192),
        ({"context_length": 131072, "top_provider": {"context_length": 32768}}, 32_768),
        ({"meta": {"n_ctx": 16384, "n_ctx_train": 32768}}, 16_384),
        ({"meta": {"n_ctx_train": 32768}}, 0),
        ({"max_context_length": 131072}, 0),
        ({"context_window": "8192", "max_model_len": True, "meta": None}, 0),
    ],
)
def test_from_a_list_of_models(entry: dict[str, Any], window: int) -> None:
    assert listed_window(entry) == window


def telling(answers: Mapping[str, object]) -> Any:
    asked: list[str] = []

    async def get(path: str, body: Mapping[str, Any] | None) -> object:
        asked.append(path)
        return answers.get(path)

    return get, asked


@pytest.mark.parametrize(
    ("owner", "answers", "window", "paths"),
    [
        ("llamacpp", {"/props": {"default_generation_settings": {"n_ctx": 4096}}}, 4096, ["/props"]),
        ("library", {"/api/ps": {"models": [{"name": "m", "context_length": 2048}]}}, 2048, ["/api/ps"]),
        ("library", {"/api/show": {"parameters": "stop x\nnum_ctx   8192"}}, 8192, ["/api/ps", "/api/show"]),
        (
            "organization_owner",
            {"/api/v0/models": {"data": [{"id": "m", "loaded_context_length": 6000, "max_context_length": 90000}]}},
            6000,
            ["/api/v0/models"],
        ),
        ("somebody", {"/props": ["no"], "/api/v0/models": {"data": "no"}}, 0, ["/props", "/api/v0/models"]),
        ("library", {"/api/ps": "no", "/api/show": {"parameters": None}}, 0, ["/api/ps", "/api/show"]),
    ],
)
async def test_from_a_local_server(owner: str, answers: dict[str, object], window: int, paths: list[str]) -> None:
    get, asked = telling(answers)
    assert await asked_window({"owned_by": owner}, "m", get) == window
    assert asked == paths


@pytest.mark.parametrize("told", [{"meta": {"n_ctx": 3072}}, {"owned_by": "llamacpp"}])
async def test_a_server_is_asked_in_the_background(told: dict[str, Any]) -> None:
    beside = {"/props": {"default_generation_settings": {"n_ctx": 3072}}}
    async with ModelServer([], models=["qwen2.5-coder"], tells=told, beside=beside) as server:
        partner = open_partner(PartnerConfig(base_url=server.base_url), {})
        assert (partner.model.info.model, partner.model.info.window) == ("", 0)
        assert partner.prepare is not None
        await partner.prepare()
        assert (partner.model.info.model, partner.model.info.window) == ("qwen2.5-coder", 3072)
        await partner.model.close()
        settled = open_partner(PartnerConfig(base_url=server.base_url, context_window=5000), {})
        assert settled.prepare is not None
        await settled.prepare()
        assert settled.model.info.window == 5000
        await settled.model.close()


async def test_a_server_that_is_not_there_is_no_trouble_yet() -> None:
    partner = open_partner(PartnerConfig(base_url="http://127.0.0.1:9/v1", model="qwen3-coder"), {})
    assert partner.prepare is not None
    await partner.prepare()
    assert partner.model.info.window == 262_144
    await partner.model.close()
