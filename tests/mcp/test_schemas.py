"""Schemas of servers' tools in a form that every provider takes."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent_core.mcp.schemas import tool_parameters


def made(schema: dict[str, Any]) -> dict[str, Any]:
    found = json.loads(tool_parameters(schema))
    assert isinstance(found, dict)
    return found


def test_references_are_replaced_by_what_they_refer_to() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"at": {"$ref": "#/$defs/Point", "description": "where"}, "far": {"$ref": "https://x/y"}},
        "required": ["at", "gone"],
        "$defs": {
            "Point": {"type": "object", "properties": {"x": {"$ref": "#/$defs/Number"}}},
            "Number": {"type": "number"},
        },
    }
    assert made(schema) == {
        "type": "object",
        "properties": {
            "at": {"type": "object", "properties": {"x": {"type": "number"}}, "description": "where"},
            "far": {},
        },
        "required": ["at"],
    }


def test_a_circle_ends_as_anything() -> None:
    schema = {
        "type": "object",
        "properties": {"tree": {"$ref": "#/definitions/Tree"}},
        "definitions": {"Tree": {"type": "array", "items": {"$ref": "#/definitions/Tree"}}},
    }
    assert made(schema) == {"type": "object", "properties": {"tree": {"type": "array", "items": {}}}}


def test_what_doubles_with_every_reference_stays_small() -> None:
    names = [f"d{index}" for index in range(40)]
    defs: dict[str, Any] = {
        name: {"type": "object", "properties": {"a": {"$ref": f"#/$defs/{after}"}, "b": {"$ref": f"#/$defs/{after}"}}}
        for name, after in pairwise(names)
    }
    text = tool_parameters({"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": defs})
    assert len(text) <= 16_000


def test_properties_with_the_names_of_keywords_stay() -> None:
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in ("$defs", "examples", "title")}}
    assert set(made(schema)["properties"]) == {"$defs", "examples", "title"}


def test_alternatives_at_the_top_go_and_their_common_parts_stay() -> None:
    schema = {"allOf": [{"properties": {"a": {"type": "string"}}}], "oneOf": [{"required": ["a"]}], "properties": {}}
    assert made(schema) == {"type": "object", "properties": {"a": {"type": "string"}}}


def test_words_are_made_safe_and_those_of_a_large_schema_go_first() -> None:
    assert made({"properties": {"a": {"description": "\x1b[31mred"}}})["properties"]["a"]["description"] == "␛[31mred"
    large = {"properties": {f"p{index}": {"type": "string", "description": "w" * 500} for index in range(100)}}
    assert made(large)["properties"]["p7"] == {"type": "string"}
    huge = {"properties": {f"p{index}": {"enum": ["w" * 500]} for index in range(100)}}
    assert made(huge) == {"type": "object", "properties": {}}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "properties", "items", "$ref", "allOf", "$defs", "description", "a"]), inner
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["type", "properties", "$ref", "allOf", "$defs", "required", "title"]), _JSON))
def test_whatever_a_server_says_becomes_an_object_with_properties(schema: dict[str, Any]) -> None:
    found = made(schema)
    assert found["type"] == "object"
    assert isinstance(found["properties"], dict)
    assert '"$ref"' not in json.dumps({key: part for key, part in found.items() if key != "properties"})
