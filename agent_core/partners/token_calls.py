r"""Tool calls behind the tokens of chat templates that a server did not read, and so left in the words.

The name stands before its arguments here, apart from the forms whose JSON says the name itself
(`agent_core.partners.json_calls`); both are from the models' chat templates and the tool parsers of vLLM:

- Mistral: ``[TOOL_CALLS]NAME{...}``, ``[TOOL_CALLS]NAME[ARGS]{...}``, ``[TOOL_CALLS]NAME[CALL_ID]ID[ARGS]{...}``
- DeepSeek V3 (its bars are wide ones): ``<|tool▁call▁begin|>function<|tool▁sep|>NAME`` and a fence with JSON; V3.1:
  ``<|tool▁call▁begin|>NAME<|tool▁sep|>{...}<|tool▁call▁end|>``
- Kimi K2: ``<|tool_call_begin|>functions.NAME:0<|tool_call_argument_begin|>{...}<|tool_call_end|>``
- gpt-oss: ``<|channel|>commentary to=functions.NAME <|constrain|>json<|message|>{...}<|call|>``
- Gemma 3 and 4: ``call:NAME{key:<escape>value<escape>}``, ``call:NAME{key:<|"|>value<|"|>}`` in tags
- Granite 20B: ``<function_call> {"name": ...}``, as JSON; ReAct: ``Action: NAME`` and ``Action Input: {...}``
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from agent_core.partners.json_calls import TextCall, bare_name, written
from agent_core.partners.loose_json import decoded

_HEADS = (
    re.compile(r"\[TOOL_CALLS\]\s*([\w.-]+)\s*(?:\[CALL_ID\]\s*\w+\s*)?(?:\[ARGS\]\s*)?(?=\{)"),
    re.compile(
        r"<[|\uff5c]tool[\u2581_]call[\u2581_]begin[|\uff5c]>\s*(?:function\s*<[|\uff5c]tool[\u2581_]sep[|\uff5c]>\s*)?([\w.-]+)\s*"
        r"(?:<[|\uff5c]tool[\u2581_]sep[|\uff5c]>\s*)?(?:`{3}(?:json)?\s*)?(?=\{)"
    ),
    re.compile(r"<\|tool_call_begin\|>\s*([\w.-]+)(?::\d+)?\s*<\|tool_call_argument_begin\|>\s*(?=\{)"),
    re.compile(
        r"(?:<\|start\|>\s*assistant\s*)?<\|channel\|>\s*\w+\s+to=([\w.-]+)\s*(?:<\|constrain\|>\s*)?\w*\s*"
        r"<\|message\|>\s*(?=\{)"
    ),
    re.compile(r"^Action:[ \t]*([\w.-]+)[ \t]*\n+Action Input:\s*(?=\{)", re.MULTILINE),
)
_GEMMA = re.compile(r"<(?:\|tool_call|start_function_call)>\s*call:\s*([\w.-]+)\s*\{")
_GEMMA_END = re.compile(r"\}\s*<(?:tool_call\||end_function_call)>")
_GEMMA_FIELD = re.compile(r"(\w+):\s*(?:<\|\"\|>(.*?)<\|\"\|>|<escape>(.*?)<escape>|([^,{}]*))\s*(?:,\s*|$)", re.DOTALL)
_PLAIN = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?|true|false|null")


def token_calls(text: str, tools: Collection[str]) -> list[TextCall]:
    """The tool calls behind tokens in a text.

    Args:
        text: What the model said.
        tools: Names of the tools on offer.
    """
    found: list[TextCall] = []
    for pattern in _HEADS:
        for head in pattern.finditer(text):
            name, value = bare_name(head.group(1)), decoded(text, head.end())
            if name in tools and value is not None and isinstance(value[0], dict):
                found.append(TextCall(name, written(value[0]), head.start(), value[1]))
    for head in _GEMMA.finditer(text):
        end = _GEMMA_END.search(text, head.end())
        name = bare_name(head.group(1))
        if name in tools and end is not None:
            arguments = _gemma_fields(text[head.end() : end.start()])
            if arguments is not None:
                found.append(TextCall(name, written(arguments), head.start(), end.end()))
    return found


def _gemma_fields(body: str) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    at = 0
    while at < len(body):
        field = _GEMMA_FIELD.match(body, at)
        if field is None or field.end() == at:
            return None
        name, quoted, escaped, bare = field.groups()
        words = quoted if quoted is not None else escaped
        if words is None:
            value = decoded(bare.strip()) if _PLAIN.fullmatch(bare.strip()) else None
            found[name] = value[0] if value is not None else bare.strip()
        else:
            found[name] = words
        at = field.end()
    return found
