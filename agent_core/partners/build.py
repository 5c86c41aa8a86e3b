"""From the configuration to a partner."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from agent_core.config import DEFAULT_MODEL
from agent_core.config_tables import PartnerConfig
from agent_core.errors import ConfigError
from agent_core.keys.finding import KeyFinder, server_name
from agent_core.keys.known import KNOWN
from agent_core.partners.abilities import AbilityBook
from agent_core.partners.able import AbleModel
from agent_core.partners.chat import ChatModel
from agent_core.partners.client import Connection, warm
from agent_core.partners.endpoint import OPENAI_URL, Endpoint, Key, is_openai
from agent_core.partners.guarded import GuardedModel
from agent_core.partners.presets import AZURE, filled, preset_of
from agent_core.partners.pricing import PricedModel
from agent_core.partners.responses import ResponsesModel
from agent_core.partners.retry import RetryingModel
from agent_core.partners.scripted import ScriptedModel
from agent_core.partners.server_model import Manner
from agent_core.partners.text_calls import TextCallsModel
from agent_core.protocols import Model

_FOUND = " such as Ollama, which is found on its usual port; or one elsewhere"

__all__ = ["NoPartnerError", "Partner", "build_partner", "endpoint_of", "open_partner", "warm"]


def endpoint_of(
    config: PartnerConfig, environ: Mapping[str, str], keys: KeyFinder | None = None, name: str = ""
) -> Endpoint:
    """Where a configuration points.

    Args:
        config: Who proposes.
        environ: The environment, for the key.
        keys: Finds keys that are kept elsewhere, which may take seconds; None where only the environment counts.
        name: The partner's name, as in ``[partners.NAME]``; empty for ``[partner]``.

    Raises:
        ConfigError: There is no key for a server that needs one, or the address is none.
    """
    preset = preset_of(config)
    config = filled(config)
    url = config.base_url.strip().rstrip("/") or OPENAI_URL
    parts = None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if parts is None or not usable:
        raise ConfigError(
            f'The partner\'s base_url "{config.base_url}" is not a web address.',
            "It looks like http://127.0.0.1:8080/v1.",
        )
    if parts.password:
        KNOWN.add(unquote(parts.password))
        KNOWN.add(parts.password)
    needed = is_openai(url) or (preset is not None and not preset.local)
    if keys is None:
        key = Key(environ.get(config.key_env, "").strip(), config.key_env)
    else:
        key = keys.find(config.key_env, (name, server_name(url)), needed=needed)
    if preset is not None and not key and not (preset.local or is_openai(url)):
        raise ConfigError(
            f"{preset.title} wants a key, and {config.key_env} is not set.",
            f"Set it (export {config.key_env}=..., or pairloop key set{f' {name}' if name else ''}).",
        )
    if is_openai(url) and not key:
        raise NoPartnerError(
            f"There is no partner yet: {config.key_env} is not set, and no other server is configured.",
            f"Set a key (export {config.key_env}=sk-..., or pairloop key set), or start a local server"
            f"{_FOUND if config.discover else ''} and name it (export OPENAI_BASE_URL=http://127.0.0.1:8080/v1), "
            "or try pairloop without a model: pairloop try",
        )
    if not key.reveal().isascii():
        raise ConfigError(
            f"The key in {key.place.removeprefix('$')} holds characters that no key has.", "Copy it again."
        )
    model = config.model or (DEFAULT_MODEL if is_openai(url) else "")
    return Endpoint(
        url,
        model,
        key,
        config.timeout,
        config.context_window,
        headers=tuple(preset.headers.items()) if preset else (),
        query=(("api-version", config.api_version),) if config.api_version else (),
        without=preset.without if preset else (),
        key_header=preset.key_header if preset else "",
        list_key_header=preset.list_key_header if preset else "",
    )


class NoPartnerError(ConfigError):
    """No server is configured, and there is no key for OpenAI's."""


class Partner(NamedTuple):
    """A partner, and what makes it ready.

    Attributes:
        model: A script's player, or a model that retries and whose written tool calls count.
        prepare: To be called in the background: imports what the first request needs, and asks the server what it has.
            None where there is nothing to get ready.
    """

    model: Model
    prepare: Callable[[], Coroutine[None, None, None]] | None


def open_partner(
    config: PartnerConfig,
    environ: Mapping[str, str],
    keys: KeyFinder | None = None,
    name: str = "",
    book: AbilityBook | None = None,
) -> Partner:
    """The partner that a configuration asks for; nothing is sent yet.

    Args:
        config: Who proposes.
        environ: The environment, for the key.
        keys: See `endpoint_of`: with it this may take seconds.
        name: Likewise.
        book: Where it is kept what was found of models; None to keep nothing.

    Raises:
        ConfigError: Nothing to talk to is configured, or not rightly; says how to do it.
        PartnerError: The script cannot be used.
    """
    if config.script:
        script = ScriptedModel(Path(config.script), window=config.context_window)
        return Partner(RetryingModel(TextCallsModel(script, config.format), config.max_retries), None)
    endpoint = endpoint_of(config, environ, keys, name)
    KNOWN.withhold(endpoint.key.reveal())
    connection = Connection(endpoint, book)
    config = filled(config)
    api = config.api if config.api != "auto" else "responses" if endpoint.official else "chat"
    # OpenAI's models reason, and take no temperature; Azure has the same.
    reasons = endpoint.official or config.preset == AZURE
    sampling = (config.reasoning_effort, -1.0 if reasons else config.temperature)
    inner: Model
    manner = Manner(config.verbosity, config.reasoning_summary, config.service_tier, config.parallel_tools)
    if api == "responses":
        inner = ResponsesModel(connection, *sampling, manner=manner, patch_tool=config.patch_tool)
    else:
        inner = ChatModel(connection, *sampling, manner=manner)
    inner = AbleModel(GuardedModel(PricedModel(inner, endpoint, config.price, config.service_tier)), connection)

    async def prepare() -> None:
        await warm()
        await connection.learn()

    return Partner(
        RetryingModel(
            TextCallsModel(inner, config.format, connection.note), config.max_retries, offline=config.offline
        ),
        prepare,
    )


def build_partner(config: PartnerConfig, environ: Mapping[str, str]) -> Model:
    """The model of `open_partner`."""
    return open_partner(config, environ).model
