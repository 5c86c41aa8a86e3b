r"""Tool calls that models write as tags: the forms of Llama 3.1, Qwen3-Coder and what small models make of them.

- ``<function=NAME>{"key": "value"}</function>``
- ``<function=NAME><parameter=KEY>value</parameter></function>``
- ``<function name="NAME" arguments="{\"key\": \"value\"}"/>``, or in single quotes, where nothing is escaped twice
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

import msgspec

# Strings may hold raw newlines: small models write a whole patch that way.
DECODER = json.JSONDecoder(strict=False)

_NAMED = re.compile(r"<function=([\w.-]+)>\s*")
_END = re.compile(r"\s*</function>")
_PARAMETER = re.compile(r"\s*<parameter=([\w.-]+)>\n?(.*?)\n?</parameter>", re.DOTALL)
_ATTRIBUTES = re.compile(r'<function\s+name="([\w.-]+)"\s+arguments=(?=["\'])')
_ATTRIBUTES_END = re.compile(r"\s*(?:/>|>\s*</function>|>)")
_SPACE = re.compile(r"\s*")
_QUOTE = re.compile(r"\s*'")
_PLAIN = re.compile(r"-?\d{1,15}|true|false")


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


def _decoded(text: str, at: int) -> tuple[Any, int]:
    """A JSON value and where it ends; (None, at) when there is none."""
    try:
        value, end = DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None, at
    return value, end


def _value(text: str) -> Any:
    """A parameter's value: numbers and truth values are written like words here."""
    return json.loads(text) if _PLAIN.fullmatch(text) else text


def _by_name(text: str, opening: re.Match[str]) -> tuple[dict[str, Any], int] | None:
    arguments, end = _decoded(text, opening.end())
    if not isinstance(arguments, dict):
        arguments, end = {}, opening.end()
        while (parameter := _PARAMETER.match(text, end)) is not None:
            arguments[parameter.group(1)] = _value(parameter.group(2))
            end = parameter.end()
    closing = _END.match(text, end)
    if closing is None and not arguments:
        return None
    return arguments, closing.end() if closing else end


def _by_attributes(text: str, opening: re.Match[str]) -> tuple[dict[str, Any], int] | None:
    at = opening.end()
    if text[at] == "'":
        inside = _SPACE.match(text, at + 1)
        arguments, end = _decoded(text, inside.end() if inside else at + 1)
        over = _QUOTE.match(text, end)
        end = over.end() if over else len(text)
    else:
        quoted, end = _decoded(text, at)
        arguments, _ = _decoded(quoted.strip(), 0) if isinstance(quoted, str) else (None, 0)
    closing = _ATTRIBUTES_END.match(text, end)
    if not isinstance(arguments, dict) or closing is None:
        return None
    return arguments, closing.end()


def tag_calls(text: str, tools: Collection[str]) -> list[TextCall]:
    """The tool calls written as tags in a text.

    Args:
        text: What the model said.
        tools: Names of the tools on offer.
    """
    found: list[TextCall] = []
    for pattern, read in ((_NAMED, _by_name), (_ATTRIBUTES, _by_attributes)):
        for opening in pattern.finditer(text):
            if opening.group(1) in tools and (result := read(text, opening)) is not None:
                arguments, end = result
                written = json.dumps(arguments, ensure_ascii=False)
                found.append(TextCall(opening.group(1), written, opening.start(), end))
    return found
