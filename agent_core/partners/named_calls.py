"""Tool calls that models put into a sentence: ``Call `read_file` with `{"path": "a.py"}`.``."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from agent_core.partners.json_calls import MOST_FAILED, Fields, TextCall, written
from agent_core.partners.loose_json import decoded

# What may stand between a tool's name and its arguments, and before the name.
_BETWEEN = (
    r"[`*\"']{0,3}\s{0,2}(?:tool\b|function\b)?[:,=(\s]{0,3}"
    r"(?:(?:with|using|on|and|the|these|this|following|input|json|arguments?|args|parameters?|params)\b[:=\s]{0,3}){0,5}"
    r"`{0,3}(?:json)?\s{0,2}"
)
_BEFORE = r"(?:\b(?:call(?:ing)?|us(?:e|ing)|run(?:ning)?|invok(?:e|ing))\s{1,2}(?:the\s)?(?:tool\s|function\s)?)?"
_BEHIND = re.compile(r"\s{0,2}`{0,3}\)?\.?(?=\s|$)")


def named_calls(text: str, tools: Collection[str], fields: Fields | None = None) -> list[TextCall]:
    """The calls whose tool is named right before an object of its parameters.

    Args:
        text: What the model said.
        tools: Names of the tools on offer.
        fields: Their parameters; where they are not known nothing is taken for a call.
    """
    named = [tool for tool in tools if tool in text]
    if not named or fields is None:
        return []
    names = "|".join(map(re.escape, sorted(named, key=len, reverse=True)))
    found: list[TextCall] = []
    pattern = re.compile(rf"{_BEFORE}[`*\"']{{0,3}}(?<![\w.])({names})\b{_BETWEEN}(?=\{{)", re.IGNORECASE)
    at = failed = 0
    while failed < MOST_FAILED and (head := pattern.search(text, at)) is not None:
        at = head.end()
        name = next(tool for tool in named if tool.lower() == head.group(1).lower())
        value = decoded(text, head.end())
        if value is None or not isinstance(value[0], Mapping):
            failed += 1
            continue
        given, at = value
        known = fields.get(name, ())
        if given and all(key in known for key in given):
            behind = _BEHIND.match(text, at)
            at = behind.end() if behind is not None else at
            found.append(TextCall(name, written(given), head.start(), at))
    return found
