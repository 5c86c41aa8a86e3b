"""How many tokens a model can read at once: by its id, by what its server tells of itself, by how it refuses.

And whether it takes tools, where a local server tells that.

What servers tell, and where:

- ``/v1/models``: vLLM ``max_model_len``, Groq ``context_window``, OpenRouter and others ``context_length``, llama.cpp
  ``meta.n_ctx``;
- llama.cpp ``/props``: ``default_generation_settings.n_ctx``, what one of its slots has;
- LM Studio ``/api/v0/models``: ``loaded_context_length``;
- Ollama ``/api/ps``: ``context_length`` of what is loaded; ``/api/show``: the ``num_ctx`` that is set for the model.

What a model was trained for (``n_ctx_train``, ``max_context_length``) is often more than it was loaded with, and so
says nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any

_FIELDS = ("loaded_context_length", "max_model_len", "context_window", "context_length", "max_input_tokens")
_SAID = re.compile(
    r"(?:context (?:length|size|window)|(?:model|prompt|input) length|max_model_len|model token limit|\bLimit)"
    r"[^\d.]{0,30}(\d[\d,]{2,})",
    re.IGNORECASE,
)
_SET = re.compile(r"^num_ctx\s+(\d+)", re.MULTILINE)
_LEAST = 256
LOCAL_OWNERS = frozenset({"llamacpp", "library", "organization_owner"})
"""What llama.cpp, Ollama and LM Studio say of whose their models are."""

Get = Callable[[str, Mapping[str, Any] | None], Awaitable[object]]
"""Asks a server: the path beside its API, and what is posted (None: it is only got); gives JSON, None for nothing."""


@cache
def _known() -> dict[str, int]:
    data = json.loads(resources.files("agent_core.partners").joinpath("windows.json").read_text("utf-8"))
    models: dict[str, int] = data["models"]
    return models


def known_window(model: str) -> int:
    """The window of a model by its id; 0 where it is not known.

    Args:
        model: Its id; a provider before it (``openai/``), a file's folder, and the size or date behind it do not
            matter.
    """
    name = model.lower().replace("\\", "/").rpartition("/")[2].removeprefix("ft:")
    # A name goes on with a sign: gpt-4.5 is no gpt-4.
    fitting = [one for one in _known() if name == one or (name.startswith(one) and name[len(one)] in "-:@_")]
    return _known()[max(fitting, key=len)] if fitting else 0


def said_window(words: str) -> int:
    """The window that a server names as it refuses a request as too long; 0 where it names none."""
    found = [int(number.replace(",", "")) for number in _SAID.findall(words)]
    return min((number for number in found if number >= _LEAST), default=0)


def listed_window(entry: Mapping[str, Any]) -> int:
    """The window that a server's list of models tells of a model; 0 where it does not."""
    meta = entry.get("meta")
    provider = entry.get("top_provider")
    found = [_number(entry.get(name)) for name in _FIELDS]
    found.append(_number(meta.get("n_ctx")) if isinstance(meta, Mapping) else 0)
    found.append(_number(provider.get("context_length")) if isinstance(provider, Mapping) else 0)
    return min(filter(None, found), default=0)


async def asked_window(entry: Mapping[str, Any], model: str, get: Get) -> int:
    """The window that a local server tells of where it tells it beside its API; 0 where it does not.

    Args:
        entry: The model, as ``/v1/models`` lists it.
        model: Its id.
        get: Asks the server.
    """
    match entry.get("owned_by"):
        case "llamacpp":
            return _props(await get("/props", None))
        case "library":
            return await _ollama(model, get)
        case "organization_owner":
            return _lm_studio(await get("/api/v0/models", None), model)
        case _:
            return _props(await get("/props", None)) or _lm_studio(await get("/api/v0/models", None), model)


async def asked_tools(entry: Mapping[str, Any], model: str, get: Get) -> bool | None:
    """Whether a model on a local server takes tools, as far as the server tells; None where it does not.

    Ollama answers tools with an error where the model's ``capabilities`` (``/api/show``) do not name them. llama.cpp
    tells what the model's own template knows (``chat_template_caps`` of ``/props``, or the template itself); it has a
    way of its own for those that do not, so only a yes counts.

    Args:
        entry: The model, as ``/v1/models`` lists it.
        model: Its id.
        get: Asks the server.
    """
    match entry.get("owned_by"):
        case "llamacpp":
            answer = await get("/props", None)
            if not isinstance(answer, Mapping):
                return None
            caps, template = answer.get("chat_template_caps"), answer.get("chat_template")
            known = bool(caps.get("supports_tools")) if isinstance(caps, Mapping) else "tools" in str(template or "")
            return known or None
        case "library":
            answer = await get("/api/show", {"model": model})
            able = answer.get("capabilities") if isinstance(answer, Mapping) else None
            return "tools" in able if isinstance(able, list) else None
        case _:
            return None


def _props(answer: object) -> int:
    if not isinstance(answer, Mapping):
        return 0
    settings = answer.get("default_generation_settings")
    return _number(settings.get("n_ctx")) if isinstance(settings, Mapping) else 0


def _lm_studio(answer: object, model: str) -> int:
    listed = answer.get("data") if isinstance(answer, Mapping) else None
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, Mapping) and entry.get("id") == model:
            return _number(entry.get("loaded_context_length"))
    return 0


async def _ollama(model: str, get: Get) -> int:
    running = await get("/api/ps", None)
    listed = running.get("models") if isinstance(running, Mapping) else None
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, Mapping) and model in {entry.get("name"), entry.get("model")}:
            return _number(entry.get("context_length"))
    shown = await get("/api/show", {"model": model})
    parameters = shown.get("parameters") if isinstance(shown, Mapping) else None
    found = _SET.search(parameters) if isinstance(parameters, str) else None
    return int(found.group(1)) if found else 0


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= _LEAST else 0
