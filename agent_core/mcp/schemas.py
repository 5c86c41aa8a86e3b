"""Schemas of servers' tools, as every provider takes them: an object with properties, nothing referred to elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from agent_core.text import printable, shortened, without_surrogates

_MOST_BYTES = 16_000
_DEEPEST = 12
_MOST_WORDS = 1000
# What speaks of the schema itself, and what providers refuse or ignore.
_LEFT_OUT = frozenset({"$schema", "$id", "$comment", "$anchor", "$defs", "definitions", "examples"})
# Providers refuse these at the top of a tool's parameters.
_NOT_AT_TOP = frozenset({"anyOf", "oneOf", "allOf", "not", "enum", "const", "if", "then", "else", "$ref"})
_NAMES = frozenset({"properties", "patternProperties"})
_WORDS = frozenset({"description", "title"})
_ANYTHING = '{"properties":{},"type":"object"}'


def tool_parameters(schema: Mapping[str, Any]) -> str:
    """A tool's schema as JSON text.

    References within it are replaced by what they refer to; those that lead round in a circle, or nowhere, by
    "anything". One that is too large loses its words, then all it says.

    Args:
        schema: As the server gave it.
    """
    made = _Inliner(schema).made(schema, ())
    whole = made if isinstance(made, dict) else {}
    top = {key: value for key, value in whole.items() if key not in _NOT_AT_TOP}
    together = whole.get("allOf")
    properties: dict[str, Any] = {}
    for part in (*(together if isinstance(together, list) else ()), top):
        if isinstance(part, dict) and isinstance(part.get("properties"), dict):
            properties |= part["properties"]
    required = top.pop("required", None)
    top |= {"type": "object", "properties": properties}
    if isinstance(required, list):
        top["required"] = [name for name in required if isinstance(name, str) and name in properties]
    text = _encoded(top)
    if len(text) > _MOST_BYTES:
        text = _encoded(_without_words(top))
    return text if len(text) <= _MOST_BYTES else _ANYTHING


def _encoded(value: Any) -> str:
    return msgspec.json.encode(without_surrogates(value), order="sorted").decode()


class _Inliner:
    """Puts what is referred to into the place of the reference.

    Args:
        whole: The schema that references lead into.
    """

    def __init__(self, whole: Mapping[str, Any]) -> None:
        self._whole = whole
        self._left = 4 * _MOST_BYTES  # parts: what doubles with every reference must not fill the memory

    def made(self, value: Any, within: tuple[str, ...], depth: int = 0) -> Any:
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST:
            return {}
        if isinstance(value, list):
            return [self.made(item, within, depth + 1) for item in value]
        if not isinstance(value, Mapping):
            return value
        if "$ref" in value:
            reference = str(value["$ref"])
            found = None if reference in within else self._found(reference)
            inlined = self.made(found, (*within, reference), depth) if found is not None else {}
            beside = {key: item for key, item in value.items() if key != "$ref"}
            return {**inlined, **self.made(beside, within, depth)} if isinstance(inlined, dict) else {}
        return {
            key: self._names(item, within, depth) if key in _NAMES else self._part(key, item, within, depth)
            for key, item in value.items()
            if key not in _LEFT_OUT
        }

    def _names(self, value: Any, within: tuple[str, ...], depth: int) -> Any:
        """Schemas by name: a property called ``default`` is a property."""
        if not isinstance(value, Mapping):
            return {}
        return {str(name): self.made(item, within, depth + 1) for name, item in value.items()}

    def _part(self, key: str, item: Any, within: tuple[str, ...], depth: int) -> Any:
        if key in _WORDS:
            return shortened(printable(item), _MOST_WORDS) if isinstance(item, str) else ""
        return self.made(item, within, depth + 1)

    def _found(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            return None
        at: Any = self._whole
        for part in reference[2:].split("/"):
            at = at.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(at, Mapping) else None
        return at


def _without_words(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_words(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: {name: _without_words(part) for name, part in item.items()}
        if key in _NAMES and isinstance(item, dict)
        else _without_words(item)
        for key, item in value.items()
        if key not in _WORDS
    }
