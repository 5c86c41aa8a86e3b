"""Tool calls that weak models write as text instead of making them.

What is understood, seen from small models behind llama.cpp, Ollama and vLLM:

- a JSON object ``{"name": ..., "arguments": {...}}``, bare, in a fence or in ``<tool_call>`` tags, also with
  ``parameters`` for ``arguments``, wrapped as ``{"function": {...}}``, several in a list, or in a second pair of
  braces (Qwen2.5-Coder's chat template shows it so);
- tags such as ``<function=NAME>``, see `agent_core.partners.tag_calls`;
- an apply_patch envelope, ``*** Begin Patch`` to ``*** End Patch``, in a fence, in prose, or in what would be JSON but
  for its quotes.

Only tools on offer are called, and only when the answer holds no real call.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import AsyncGenerator, Collection, Mapping
from typing import Any

from agent_core.conversation import (
    AssistantItem,
    Chunk,
    Completed,
    Item,
    PartnerInfo,
    Request,
    ToolCallDelta,
    ToolCallItem,
)
from agent_core.partners.call_ids import make_call_id
from agent_core.partners.closing import closing
from agent_core.partners.tag_calls import DECODER, TextCall, tag_calls
from agent_core.protocols import Model

PATCH_TOOL = "apply_patch"

_BEGIN = re.compile(r"(?:^[ \t]*|(?<=[\"`]))\*\*\* Begin Patch[ \t]*$", re.MULTILINE)
_END = re.compile(r"^[ \t]*\*\*\* End Patch[ \t]*(?=[\"`]|$)", re.MULTILINE)
_FENCE_LINE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*[\w.+-]*[ \t]*$", re.MULTILINE)
_OPENING = re.compile(r"(?:(?:`{3,}|~{3,})[ \t]*[\w.+-]*[ \t]*\n\s*|<tool_call>\s*|<tools>\s*|\[\s*|\{\s*)+$")
_CLOSING = re.compile(r"(?:\s*[\]}]|\s*</tool_call>|\s*</tools>|\s*\n[ \t]*(?:`{3,}|~{3,})[ \t]*(?=\n|$))+")
# What is left around an envelope that was written as a JSON string can't be: raw, or in Python's triple quotes.
_HUSK_HEAD = re.compile(
    r'\{\s*(?:"name"\s*:\s*"\w*"\s*,\s*)?(?:"(?:arguments|parameters)"\s*:\s*\{\s*)?"patch"\s*:\s*(?:"""|"|`)?\s*$'
)
_HUSK_TAIL = re.compile(r'\s*(?:"""|"|`)?\s*\}(?:\s*\})?')
# How far before a call its fence or tag may begin.
_REACH = 200
# What may stand between two calls of a list.
_COMMA = re.compile(r"\s*,\s*(?=\{)")


def _as_call(value: object, tools: Collection[str]) -> tuple[str, str] | None:
    """Name and arguments of a JSON value that is a call of an offered tool."""
    if not isinstance(value, Mapping):
        return None
    if isinstance(inner := value.get("function"), Mapping):
        return _as_call(inner, tools)
    name = value.get("name") or value.get("function") or value.get("tool")
    given: Any = next((value[key] for key in ("arguments", "parameters", "args") if key in value), None)
    if isinstance(given, str):
        with contextlib.suppress(ValueError, RecursionError):
            given = DECODER.decode(given)
    if not isinstance(name, str) or name not in tools or not isinstance(given, Mapping):
        return None
    return name, json.dumps(given, ensure_ascii=False)


def _json_calls(text: str, tools: Collection[str]) -> list[TextCall]:
    found: list[TextCall] = []
    at = text.find("{")
    while at >= 0:
        try:
            value, end = DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            value, end = None, at + 1
        if (call := _as_call(value, tools)) is not None:
            found.append(TextCall(*call, at, end))
        # An object that is no call is passed over whole: a call inside of it is data, not a call.
        at = text.find("{", end)
    return found


def _wrapped(text: str, call: TextCall) -> TextCall:
    """The call with the fence, tags or brackets around it."""
    if head := _HUSK_HEAD.search(text, max(call.start - _REACH, 0), call.start):
        tail = _HUSK_TAIL.match(text, call.end)
        call = TextCall(call.name, call.arguments, head.start(), tail.end() if tail else call.end)
    opening = _OPENING.search(text, max(call.start - _REACH, 0), call.start)
    closing_marks = _CLOSING.match(text, call.end)
    comma = _COMMA.match(text, call.end)
    start = opening.start() if opening else call.start
    end = closing_marks.end() if closing_marks else comma.end() if comma else call.end
    return TextCall(call.name, call.arguments, start, end)


def _envelopes(text: str) -> list[TextCall]:
    found: list[TextCall] = []
    at = 0
    while (begin := _BEGIN.search(text, at)) is not None:
        end_mark = _END.search(text, begin.end())
        following = _BEGIN.search(text, begin.end())
        if end_mark is not None and (following is None or end_mark.start() < following.start()):
            end = end_mark.end()
        else:
            # Never ended: the patch tool is given what there is, and tells the model what is missing.
            fence = _FENCE_LINE.search(text, begin.end(), following.start() if following else len(text))
            end = fence.start() - 1 if fence else following.start() if following else len(text)
        patch = text[begin.start() : end].strip() + "\n"
        found.append(TextCall(PATCH_TOOL, json.dumps({"patch": patch}, ensure_ascii=False), begin.start(), end))
        at = end
    return found


def find_calls(text: str, tools: Collection[str]) -> list[TextCall]:
    """The tool calls written in a text, in order, none inside another.

    Args:
        text: What the model said.
        tools: Names of the tools on offer.
    """
    found = _json_calls(text, tools) + tag_calls(text, tools) + (_envelopes(text) if PATCH_TOOL in tools else [])
    found.sort(key=lambda call: call.start)
    # What begins inside another is part of it: a patch in a call's arguments, a call in a patch's text.
    outer: list[TextCall] = []
    for call in found:
        if not outer or call.start >= outer[-1].end:
            outer.append(call)
    result: list[TextCall] = []
    for call in (_wrapped(text, call) for call in outer):
        start = max(call.start, result[-1].end) if result else call.start
        result.append(TextCall(call.name, call.arguments, start, call.end))
    return result


def read_calls(items: tuple[Item, ...], tools: Collection[str], turn: int) -> tuple[Item, ...]:
    """An answer's items with the calls in its words made real ones.

    Args:
        items: The answer.
        tools: Names of the tools on offer.
        turn: Length of the conversation before the answer; makes the calls' ids.

    Returns:
        The same items when the answer holds a real call or no call at all; else its words without the calls,
        and the calls.
    """
    if any(isinstance(item, ToolCallItem) for item in items):
        return items
    kept: list[Item] = []
    calls: list[ToolCallItem] = []
    for item in items:
        found = find_calls(item.text, tools) if isinstance(item, AssistantItem) else []
        if not isinstance(item, AssistantItem) or not found:
            kept.append(item)
            continue
        words: list[str] = []
        at = 0
        for call in found:
            words.append(item.text[at : call.start].strip())
            at = call.end
            call_id = make_call_id(turn, len(calls), call.name, call.arguments)
            calls.append(ToolCallItem(call_id, call.name, call.arguments))
        words.append(item.text[at:].strip())
        if rest := "\n\n".join(word for word in words if word):
            kept.append(AssistantItem(rest, item.phase))
    return (*kept, *calls)


class TextCallsModel:
    """A partner whose written calls count as calls.

    Args:
        inner: The partner.
    """

    def __init__(self, inner: Model) -> None:
        self._inner = inner

    @property
    def info(self) -> PartnerInfo:
        """Who this is."""
        return self._inner.info

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Answer one request; see `agent_core.protocols.Model`."""
        tools = frozenset(tool.name for tool in request.tools)
        async with contextlib.aclosing(closing(self._inner.stream(request))) as chunks:
            async for chunk in chunks:
                if not isinstance(chunk, Completed):
                    yield chunk
                    continue
                items = read_calls(chunk.items, tools, len(request.items))
                if items is not chunk.items:
                    # Whoever shows calls as they are written hears of these too.
                    for item in items:
                        if isinstance(item, ToolCallItem) and item not in chunk.items:
                            yield ToolCallDelta(item.call_id, item.name, item.arguments)
                yield Completed(items, chunk.usage)

    async def close(self) -> None:
        """Give back connections."""
        await self._inner.close()
