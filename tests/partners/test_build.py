"""From the configuration to a partner."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agent_core.config import DEFAULT_MODEL
from agent_core.config_tables import PartnerConfig
from agent_core.errors import ConfigError, PartnerError
from agent_core.partners.build import build_partner, endpoint_of
from agent_core.partners.endpoint import Endpoint, Key
from tests.partners.talk import answer_of, request
from tests.support.model_server import ModelServer, text


@pytest.mark.parametrize(
    ("config", "environ", "kind", "model", "host"),
    [
        (PartnerConfig(), {"OPENAI_API_KEY": "k"}, "responses", DEFAULT_MODEL, "api.openai.com"),
        (PartnerConfig(model="m", api="chat"), {"OPENAI_API_KEY": "k"}, "chat", "m", "api.openai.com"),
        (PartnerConfig(base_url="http://localhost:1/v1"), {}, "chat", "", "localhost:1"),
        (PartnerConfig(base_url="https://u:p@x.test/v1", api="responses"), {}, "responses", "", "x.test"),
        (
            PartnerConfig(base_url="https://eu.api.openai.com/v1", key_env="MY"),
            {"MY": "k"},
            "responses",
            DEFAULT_MODEL,
            "eu.api.openai.com",
        ),
    ],
)
def test_who_is_asked(config: PartnerConfig, environ: dict[str, str], kind: str, model: str, host: str) -> None:
    info = build_partner(config, environ).info
    assert info.kind == kind
    assert info.model == model
    assert info.name.endswith(f"via {host}")


def test_without_a_key_or_a_server_it_says_what_to_do() -> None:
    with pytest.raises(ConfigError) as caught:
        build_partner(PartnerConfig(key_env="MY_KEY"), {})
    assert "export MY_KEY=" in caught.value.hint
    assert "OPENAI_BASE_URL=" in caught.value.hint
    assert "pairloop try" in caught.value.hint


@pytest.mark.parametrize(
    "url", ["localhost:8080", "ftp://x/v1", "http://", "http://x:99999/v1", "http://[::1/v1", "C:\\x"]
)
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ConfigError, match="base_url"):
        build_partner(PartnerConfig(base_url=url), {})


def test_a_key_that_cannot_be_sent() -> None:
    with pytest.raises(ConfigError) as caught:
        build_partner(PartnerConfig(), {"OPENAI_API_KEY": "sk-\u2026abc"})
    assert "abc" not in str(caught.value)


def test_nothing_shows_the_key() -> None:
    endpoint = endpoint_of(PartnerConfig(), {"OPENAI_API_KEY": " sk-very-secret \n"})
    assert endpoint.key.reveal() == "sk-very-secret"
    assert "secret" not in repr(endpoint)
    assert "secret" not in str(endpoint.key)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8080/v1", True),
        ("http://localhost/v1", True),
        ("http://[::1]:1/v1", True),
        ("https://api.openai.com/v1", False),
        ("http://127.0.0.1.evil.test/v1", False),
    ],
)
def test_which_servers_run_on_this_machine(url: str, expected: bool) -> None:
    assert Endpoint(url, "", Key("", ""), 1.0).loopback is expected


@pytest.mark.parametrize("url", ["https://api.openai.com.evil.test/v1", "https://evil.test/api.openai.com"])
def test_a_look_alike_is_not_openai(url: str) -> None:
    assert not Endpoint(url, "", Key("", ""), 1.0).official


async def test_a_local_server_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    # A proxy that would swallow requests to this very machine.
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    call = '{"name": "read_file", "arguments": {"path": "a.py"}}'
    async with ModelServer([text(call)]) as server:
        partner = build_partner(PartnerConfig(base_url=server.base_url + "/"), {})
        done = await answer_of(partner, request())
        await partner.close()
        assert server.requests[0].path == "/v1/chat/completions"
    assert type(done.items[0]).__name__ == "ToolCallItem"


async def test_a_script_needs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(json.dumps({"turns": [{"text": "hi"}]}))
    partner = build_partner(PartnerConfig(script=str(path)), {})
    assert partner.info.kind == "scripted"
    assert (await answer_of(partner, request())).items
    with pytest.raises(PartnerError) as caught:
        build_partner(PartnerConfig(script=str(tmp_path / "none.json")), {})
    assert caught.value.kind == "script"


def test_building_a_partner_does_not_import_the_client_library() -> None:
    code = (
        "import sys\n"
        "from agent_core.config_tables import PartnerConfig\n"
        "from agent_core.partners.build import build_partner, warm\n"
        "build_partner(PartnerConfig(), {'OPENAI_API_KEY': 'k'})\n"
        "assert not {'openai', 'httpx', 'httpx2', 'pydantic'} & set(sys.modules), sorted(sys.modules)\n"
        "import asyncio\n"
        "asyncio.run(warm())\n"
        "assert 'openai.resources.responses' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
