"""Tool calls that models write as JSON in their words, or as what they take for JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from agent_core.partners.loose_json import decoded

Fields = Mapping[str, Collection[str]]
"""The parameters of each tool on offer, by its name."""

# A brace that may open an object which holds something.
_OBJECT = re.compile(r"\{(?=\s*+[\"'\w])")
_NAMES = ("name", "function", "tool", "tool_name", "function_name", "action", "recipient_name")
_GIVEN = ("arguments", "parameters", "args", "params", "input", "action_input", "tool_input", "tool_args")
_WRAPPERS = ("function", "function_call", "tool_call")
_LISTS = ("tool_calls", "calls", "tool_uses")
_PREFIX = re.compile(r"(?:functions?|tools?|default_api)[.:/]")
# So much of an object's beginning has to say which tool it calls, or it is no call.
_HEAD = 400
# A text in which so many objects cannot be read is none of JSON.
MOST_FAILED = 100


class TextCall(msgspec.Struct, frozen=True):
    """A tool call found in text.

    Attributes:
        name: The tool.
        arguments: Its arguments as JSON text.
        start: Where it begins in the text, its fence or tags included.
        end: Where it ends.
    """

    name: str
    arguments: str
    start: int
    end: int


def bare_name(name: str) -> str:
    """A tool's name without the name space that some models put before it."""
    return _PREFIX.sub("", name.strip(), count=1)


def written(arguments: object) -> str:
    """Arguments as JSON text."""
    return json.dumps(arguments, ensure_ascii=False)


def as_calls(value: object, tools: Collection[str], fields: Fields | None = None) -> Iterator[tuple[str, str]]:
    """Names and arguments of the calls of offered tools that a JSON value is.

    Args:
        value: The value.
        tools: Names of the tools on offer.
        fields: Their parameters, where they are known: then arguments may stand beside the tool's name, or below it.
    """
    if not isinstance(value, Mapping):
        return
    for key in _LISTS:
        if isinstance(several := value.get(key), list):
            for one in several:
                yield from as_calls(one, tools, fields)
            return
    for key in _WRAPPERS:
        if isinstance(inner := value.get(key), Mapping):
            yield from as_calls(inner, tools, fields)
            return
    key = next((key for key in _NAMES if isinstance(value.get(key), str)), "")
    name = bare_name(value[key]) if key else ""
    if name in tools:
        given = _given(value)
        if given is None and fields is not None:
            given = _fitting({one: value[one] for one in value if one != key}, fields.get(name, ()))
        if isinstance(given, Mapping):
            yield name, written(given)
    elif not key and fields is not None and len(value) == 1:
        (name, given), *_ = value.items()
        if name in tools and isinstance(given, Mapping) and _fitting(given, fields.get(name, ())) is not None:
            yield name, written(given)


def _given(value: Mapping[str, Any]) -> object:
    given: Any = next((value[key] for key in _GIVEN if key in value), None)
    if isinstance(given, str) and (found := decoded(given)) is not None:
        given, _ = found
    return given


def _fitting(given: Mapping[str, Any], fields: Collection[str]) -> Mapping[str, Any] | None:
    """Arguments if they are some and all of them are parameters of the tool."""
    return given if given and all(name in fields for name in given) else None


def json_calls(text: str, tools: Collection[str], fields: Fields | None = None) -> list[TextCall]:
    """The tool calls written as JSON in a text, bare; what they are wrapped in is left to the caller.

    Args:
        text: What the model said.
        tools: Names of the tools on offer.
        fields: Their parameters; see `as_calls`.
    """
    found: list[TextCall] = []
    if not any(tool in text for tool in tools):
        return found
    at = failed = 0
    while failed < MOST_FAILED and (opening := _OBJECT.search(text, at)) is not None:
        at = opening.end()
        head = text[opening.start() : opening.start() + _HEAD]
        if not any(tool in head for tool in tools):
            # It is no call itself, but one may stand in it as data: it is passed over whole where it is JSON.
            strict = _strict_end(text, opening.start())
            at = strict or at
            continue
        value = decoded(text, opening.start())
        if value is None:
            failed += 1
            continue
        # An object that is no call is passed over whole: a call inside of it is data, not a call.
        at = value[1]
        found += [TextCall(name, given, opening.start(), at) for name, given in as_calls(value[0], tools, fields)]
    return found


def _strict_end(text: str, at: int) -> int | None:
    try:
        return json.JSONDecoder(strict=False).raw_decode(text, at)[1]
    except (ValueError, RecursionError):
        return None
