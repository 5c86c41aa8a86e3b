r"""Tool calls that models write as tags: the forms of Llama 3.1, Qwen3-Coder, GLM and what small models make of them.

- ``<function=NAME>{"key": "value"}</function>``
- ``<function=NAME><parameter=KEY>value</parameter></function>``
- ``<function name="NAME" arguments="{\"key\": \"value\"}"/>``, or in single quotes, where nothing is escaped twice
- ``<invoke name="NAME"><parameter name="KEY">value</parameter></invoke>`` (Claude's, MiniMax M2, DeepSeek V3.2), with
  ``tool``, ``function`` or ``tool_call`` for ``invoke``, or JSON in the place of the parameters
- ``<tool_call>NAME<arg_key>KEY</arg_key><arg_value>value</arg_value></tool_call>`` (GLM 4.5)
- ``<NAME><KEY>value</KEY></NAME>``, as Cline has taught many, or with JSON or a patch inside
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

from agent_core.partners.builtin_patch import PATCH_TOOL
from agent_core.partners.json_calls import TextCall, bare_name, written
from agent_core.partners.loose_json import decoded

_SPACE = re.compile(r"\s*")
_QUOTE = re.compile(r"\s*'")
_PLAIN = re.compile(r"-?\d{1,15}|true|false")

_NAMED = re.compile(r"<function=\"?([\w.-]+)\"?>\s*")
_NAMED_END = re.compile(r"\s*</function>")
_PARAMETER = re.compile(
    r"\s*<(?:[\w-]+:|\uff5cDSML\uff5c)?parameter(?:=\"?([\w.-]+)\"?|\s+name=[\"']([\w.-]+)[\"'][^>]*)>\n?(.*?)\n?"
    r"</(?:[\w-]+:|\uff5cDSML\uff5c)?parameter>",
    re.DOTALL,
)
_ATTRIBUTES = re.compile(r'<function\s+name="([\w.-]+)"\s+arguments=(?=["\'])')
_ATTRIBUTES_END = re.compile(r"\s*(?:/>|>\s*</function>|>)")
_INVOKED = re.compile(
    r"<(?:[\w-]+:|\uff5cDSML\uff5c)?(?:invoke|tool|function|tool_call|function_call)\s+name=[\"']([\w.-]+)[\"']\s*>\s*"
)
_INVOKED_END = re.compile(r"\s*</(?:[\w-]+:|\uff5cDSML\uff5c)?(?:invoke|tool|function|tool_call|function_call)>")
_KEYED = re.compile(r"<tool_call>\s*([\w.-]+)\s*(?=<arg_key>|</tool_call>)")
_KEYED_END = re.compile(r"\s*</tool_call>")
_KEY = re.compile(r"\s*<arg_key>\s*([\w.-]+)\s*</arg_key>\s*<arg_value>\n?(.*?)\n?</arg_value>", re.DOTALL)
_CHILD = re.compile(r"\s*<([A-Za-z_][\w.-]*)>\n?(.*?)\n?</\1>", re.DOTALL)

_Read = tuple[dict[str, Any], int]


def _value(text: str) -> Any:
    """A parameter's value: numbers and truth values are written like words here."""
    return json.loads(text) if _PLAIN.fullmatch(text) else text


def _parameters(text: str, at: int, pattern: re.Pattern[str]) -> _Read:
    """Parameters that follow each other, and where they end."""
    found: dict[str, Any] = {}
    while (parameter := pattern.match(text, at)) is not None:
        *names, value = parameter.groups()
        found[next(filter(None, names))] = _value(value)
        at = parameter.end()
    return found, at


def _inside(text: str, opening: re.Match[str], end_mark: re.Pattern[str], *, must_end: bool = False) -> _Read | None:
    """Parameters or JSON between two tags."""
    value = decoded(text, opening.end()) if text.startswith("{", opening.end()) else None
    if value is not None and isinstance(value[0], dict):
        arguments, end = value
    else:
        arguments, end = _parameters(text, opening.end(), _PARAMETER)
    closing = end_mark.match(text, end)
    if closing is None and (must_end or not arguments):
        return None
    return arguments, closing.end() if closing else end


def _by_name(text: str, opening: re.Match[str]) -> _Read | None:
    return _inside(text, opening, _NAMED_END)


def _invoked(text: str, opening: re.Match[str]) -> _Read | None:
    return _inside(text, opening, _INVOKED_END, must_end=True)


def _keyed(text: str, opening: re.Match[str]) -> _Read | None:
    arguments, end = _parameters(text, opening.end(), _KEY)
    closing = _KEYED_END.match(text, end)
    return (arguments, closing.end()) if closing else None


def _by_attributes(text: str, opening: re.Match[str]) -> _Read | None:
    at = opening.end()
    if text[at] == "'":
        inside = _SPACE.match(text, at + 1)
        value = decoded(text, inside.end() if inside else at + 1)
        arguments, end = value if value is not None else (None, at)
        over = _QUOTE.match(text, end)
        end = over.end() if over else len(text)
    else:
        quoted = decoded(text, at)
        words, end = quoted if quoted is not None else (None, at)
        value = decoded(words.strip()) if isinstance(words, str) else None
        arguments = value[0] if value is not None else None
    closing = _ATTRIBUTES_END.match(text, end)
    if not isinstance(arguments, dict) or closing is None:
        return None
    return arguments, closing.end()


_FORMS: tuple[tuple[re.Pattern[str], Callable[[str, re.Match[str]], _Read | None]], ...] = (
    (_NAMED, _by_name),
    (_ATTRIBUTES, _by_attributes),
    (_INVOKED, _invoked),
    (_KEYED, _keyed),
)


def _own_tags(text: str, tools: Collection[str]) -> Iterator[TextCall]:
    """Calls whose tag is the tool's own name."""
    names = "|".join(sorted(map(re.escape, tools)))
    for tag in re.finditer(rf"<({names})>\s*(.*?)\s*</\1>", text, re.DOTALL) if names else ():
        name, body = tag.groups()
        arguments: object = None
        if not body:
            arguments = {}
        elif body.startswith("{") and (value := decoded(body)) is not None:
            arguments = value[0]
        elif (children := _parameters(body, 0, _CHILD))[0] and not body[children[1] :].strip():
            arguments = children[0]
        elif name == PATCH_TOOL:
            arguments = {"patch": body}
        if isinstance(arguments, dict):
            yield TextCall(name, written(arguments), tag.start(), tag.end())


def tag_calls(text: str, tools: Collection[str]) -> list[TextCall]:
    """The tool calls written as tags in a text.

    Args:
        text: What the model said.
        tools: Names of the tools on offer.
    """
    if "<" not in text:
        return []
    found: list[TextCall] = []
    for pattern, read in _FORMS:
        for opening in pattern.finditer(text):
            name = bare_name(opening.group(1))
            if name in tools and (result := read(text, opening)) is not None:
                arguments, end = result
                found.append(TextCall(name, written(arguments), opening.start(), end))
    return [*found, *_own_tags(text, tools)]
