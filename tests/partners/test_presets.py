"""Servers that are known by name: what their presets fill in, and what a human is told who mistypes one."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from agent_core.config import load
from agent_core.config_tables import Config, PartnerConfig
from agent_core.errors import ConfigError
from agent_core.partners.build import NoPartnerError, endpoint_of
from agent_core.partners.presets import presets
from agent_core.partners.several import Partners
from agent_core.places import user_file
from tests.partners.talk import answer_of, request
from tests.support.model_server import ModelServer, text


def written(text: str) -> Path:
    path = user_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_every_preset_can_be_opened_with_its_key() -> None:
    for name, preset in presets().items():
        base_url = "" if preset.base_url else "https://mine.openai.azure.com"
        config = Config(partners={name: PartnerConfig(base_url=base_url, model="m")})
        environ = {preset.key_env: "key-123456789", "OPENAI_API_KEY": "sk-of-openai-alone"}
        opened = Partners(config, environ).open(name)
        endpoint = endpoint_of(opened.settings, environ)
        parts = urlsplit(endpoint.base_url)
        assert parts.hostname, name
        assert (parts.scheme == "http") == preset.local == endpoint.loopback, name
        assert endpoint.key.variable == preset.key_env, name
        assert opened.partner.model.info.kind == preset.api, name


def test_a_server_on_this_machine_gets_no_key_of_another() -> None:
    local = Partners(Config(), {"OPENAI_API_KEY": "sk-of-openai-alone"}).settings("ollama")
    assert not endpoint_of(local, {"OPENAI_API_KEY": "sk-of-openai-alone"}).key
    assert endpoint_of(local, {}).url == "http://127.0.0.1:11434/v1"


def test_what_is_set_goes_over_the_preset() -> None:
    config = PartnerConfig(preset="groq", base_url="https://mine.example/v1", key_env="MINE", api="responses")
    endpoint = endpoint_of(config, {"MINE": "key-of-mine"})
    assert (endpoint.url, endpoint.key.variable) == ("https://mine.example/v1", "MINE")


def test_a_preset_without_its_key_says_which() -> None:
    with pytest.raises(ConfigError, match="Groq wants a key, and GROQ_API_KEY is not set") as caught:
        endpoint_of(PartnerConfig(preset="groq"), {"OPENAI_API_KEY": "sk-1234567890"})
    assert not isinstance(caught.value, NoPartnerError)


@pytest.mark.parametrize(
    ("config", "url", "query"),
    [
        ({"base_url": "https://r.openai.azure.com/"}, "https://r.openai.azure.com/openai/v1", ()),
        ({"base_url": "https://r.openai.azure.com/openai/v1/"}, "https://r.openai.azure.com/openai/v1", ()),
        (
            {"base_url": "https://r.openai.azure.com", "api_version": "preview"},
            "https://r.openai.azure.com/openai/v1",
            (("api-version", "preview"),),
        ),
        (
            {"base_url": "https://r.openai.azure.com", "api_version": "2024-10-21", "api": "chat", "model": "mine"},
            "https://r.openai.azure.com/openai/deployments/mine",
            (("api-version", "2024-10-21"),),
        ),
        (
            {"base_url": "https://r.openai.azure.com", "api_version": "2025-04-01-preview", "api": "responses"},
            "https://r.openai.azure.com/openai",
            (("api-version", "2025-04-01-preview"),),
        ),
    ],
)
def test_the_addresses_of_azure(config: dict[str, Any], url: str, query: tuple[tuple[str, str], ...]) -> None:
    endpoint = endpoint_of(PartnerConfig(preset="azure", **config), {"AZURE_OPENAI_API_KEY": "key-of-azure"})
    assert (endpoint.base_url, endpoint.query, endpoint.key_header) == (url, query, "api-key")


def test_azure_needs_the_address_of_the_resource() -> None:
    with pytest.raises(ConfigError, match="another address for everybody") as caught:
        endpoint_of(PartnerConfig(preset="azure"), {"AZURE_OPENAI_API_KEY": "key-of-azure"})
    assert "openai.azure.com" in caught.value.hint


async def test_the_older_api_of_azure_is_asked_as_it_wants() -> None:
    async with ModelServer([text("Hi.")]) as server:
        address = server.base_url.removesuffix("/v1")
        config = PartnerConfig(preset="azure", base_url=address, api_version="2024-10-21", api="chat", model="mine")
        partners = Partners(Config(partner=config), {"AZURE_OPENAI_API_KEY": "key-of-azure"})
        model = partners.open("").partner.model
        await answer_of(model, request())
        await model.close()
    asked = server.requests[0]
    assert asked.path == "/openai/deployments/mine/chat/completions?api-version=2024-10-21"
    assert asked.headers["api-key"] == "key-of-azure"
    assert "authorization" not in asked.headers


def test_a_table_named_as_a_preset_begins_with_it(tmp_path: Path) -> None:
    written('[partners.ollama]\nmodel = "small"\n[partners.work]\npreset = "groq"\nmodel = "big"\n')
    partners = Partners(load(tmp_path, {}, {}), {})
    ollama, work = partners.settings("ollama"), partners.settings("work")
    assert (ollama.model, ollama.base_url) == ("small", "http://127.0.0.1:11434/v1")
    assert (work.model, work.base_url, work.key_env) == ("big", "https://api.groq.com/openai/v1", "GROQ_API_KEY")
    assert partners.names[:3] == ("", "ollama", "work")


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (
            '[partner]\npreset = "olama"\n',
            'config.toml:2: partner.preset: there is no preset "olama"; there are openai',
        ),
        ("[partners.work]\nmodel = 3\n", "config.toml:2: partners.work.model: Expected `str`"),
        ("\n[partners.work]\nmodle = 'x'\n", "config.toml:3: partners.work.modle: there is no such setting"),
        ("[partners.work]\nuse = 'x'\n", "config.toml:2: partners.work.use: only [partner] says which one to use"),
        ("[partners.'my own']\nmodel = 'x'\n", "partners.my own: a name is made of letters"),
        ("[mcp.files]\ncommand = 3\n", "config.toml:2: mcp.files.command: Expected `array`"),
        ("[hooks.note]\nrun = 'x'\n", "hooks.note: Object missing required field `on`"),
        ("[partner]\nuse = 'nobody'\n", 'partner.use: there is no partner "nobody"'),
        ("[partner]\naside = 'nobody'\n", 'partner.aside: there is no partner "nobody"'),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(tmp_path: Path, config: str, told: str) -> None:
    written(config)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {}, {})
    assert told in caught.value.message


def test_the_flag_takes_a_partner_and_its_model_meant_for_it(tmp_path: Path) -> None:
    written('[partner]\nmodel = "own"\n[partners.work]\nbase_url = "http://127.0.0.1:1/v1"\nmodel = "w"\n')
    config = load(tmp_path, {"partner": {"use": "work", "model": "other"}}, {"OPENAI_BASE_URL": "http://127.0.0.1:2"})
    partners = Partners(config, {})
    assert config.partner.use == "work"
    assert (partners.settings("work").model, partners.settings("work").base_url) == ("other", "http://127.0.0.1:1/v1")
    assert partners.settings("").model == "own"
    preset = Partners(load(tmp_path, {"partner": {"use": "ollama", "model": "small"}}, {}), {}).settings("ollama")
    assert (preset.model, preset.preset) == ("small", "ollama")
    with pytest.raises(ConfigError, match='There is no partner "nobody"') as caught:
        load(tmp_path, {"partner": {"use": "nobody", "model": "m"}}, {})
    assert "Yours are work." in caught.value.hint


def test_an_address_of_the_environment_is_not_for_a_named_server(tmp_path: Path) -> None:
    written('[partner]\npreset = "groq"\n')
    config = load(tmp_path, {}, {"OPENAI_BASE_URL": "http://somewhere.example/v1"})
    assert config.partner.base_url == ""


@pytest.mark.parametrize("line", ['use = "groq"', 'preset = "groq"', "discover = false", 'aside = "groq"'])
def test_a_project_chooses_no_server(tmp_path: Path, line: str) -> None:
    (tmp_path / "pairloop.toml").write_text(f"[partner]\n{line}\n")
    with pytest.raises(ConfigError, match="a project cannot set this for you"):
        load(tmp_path, {}, {})
