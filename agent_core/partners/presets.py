"""Servers known by a name: ``presets.json`` has them all, and is the one place where another is added."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from agent_core.config_tables import PartnerConfig
from agent_core.errors import ConfigError

DEFAULT_KEY = "OPENAI_API_KEY"
AZURE = "azure"
BUILTIN = "builtin"
"""The name of the partner that needs no server: it finds repairs by search."""


class Preset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A server that is known by a name.

    Attributes:
        name: As it is written in the configuration.
        title: As a human calls it.
        base_url: Its address; empty where everybody has one of their own.
        key_env: The environment variable in which its key is looked for.
        api: The API that is spoken with it.
        local: It runs on this machine and needs no key; it is looked for where nothing is configured.
        headers: Sent with each request.
        without: Fields of requests that it answers with an error.
        lists: Its list of models is what this account can use.
        key_header: The header for the key; empty for ``Authorization``.
        list_key_header: The same where models are listed, if it is another one there.
    """

    name: str
    title: str
    base_url: str
    key_env: str
    api: Literal["responses", "chat"] = "chat"
    local: bool = False
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    without: tuple[str, ...] = ()
    lists: bool = True
    key_header: str = ""
    list_key_header: str = ""


@cache
def presets() -> dict[str, Preset]:
    """All of them by name, in the order in which they are offered."""
    text = resources.files("agent_core.partners").joinpath("presets.json").read_text("utf-8")
    listed = msgspec.convert(json.loads(text)["presets"], list[Preset])
    return {one.name: one for one in listed}


def preset_of(config: PartnerConfig) -> Preset | None:
    """The preset that a configuration names; None where it names none.

    Raises:
        ConfigError: There is none of that name; says which there are.
    """
    if not config.preset:
        return None
    found = presets().get(config.preset)
    if found is None:
        raise ConfigError(
            f'There is no preset "{config.preset}".', f"There are {', '.join(presets())}; or set base_url yourself."
        )
    return found


def filled(config: PartnerConfig) -> PartnerConfig:
    """A configuration with what its preset knows, where it says nothing itself.

    Args:
        config: As it is written; without a preset only the key's variable is filled in.

    Raises:
        ConfigError: There is no such preset, or it needs an address of one's own.
    """
    preset = preset_of(config)
    if preset is None:
        return _replaced(config, key_env=config.key_env or DEFAULT_KEY)
    base_url = config.base_url.strip() or preset.base_url
    if not base_url and not config.script:
        raise ConfigError(
            f"{preset.title} has another address for everybody, and yours is not set.",
            'Set base_url beside preset = "azure", such as https://NAME.openai.azure.com.'
            if preset.name == AZURE
            else f'Set base_url beside preset = "{preset.name}".',
        )
    if preset.name == AZURE:
        base_url = _azure_url(base_url, config)
    return _replaced(
        config,
        base_url=base_url,
        key_env=config.key_env or preset.key_env,
        api=preset.api if config.api == "auto" else config.api,
    )


def _replaced(config: PartnerConfig, **fields: Any) -> PartnerConfig:
    return msgspec.structs.replace(config, **fields)


def _azure_url(base_url: str, config: PartnerConfig) -> str:
    """The address under which Azure's resource has the API.

    Without a version it is that of the v1 API, ``/openai/v1``, which names the deployment as model. With a dated one it
    is the older API, which has the deployment in the path for Chat Completions, and none for Responses. An address that
    says more than the resource is taken as it is.

    Raises:
        ConfigError: The older API needs the deployment's name.
    """
    base_url = base_url.rstrip("/")
    if urlsplit(base_url).path not in {"", "/openai"}:
        return base_url
    resource = base_url.removesuffix("/openai")
    if config.api_version in {"", "v1", "preview", "latest"}:
        return f"{resource}/openai/v1"
    if config.api == "responses":
        return f"{resource}/openai"
    if not config.model:
        raise ConfigError(
            f"Azure's API of version {config.api_version} needs the name of your deployment.",
            "Set it with --model or as model beside api_version; without api_version the v1 API is spoken.",
        )
    return f"{resource}/openai/deployments/{config.model}"
