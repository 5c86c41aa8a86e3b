"""Tool calls that weak models write as text instead of making them.

What is understood, seen from small models behind llama.cpp, Ollama and vLLM:

- a JSON object ``{"name": ..., "arguments": {...}}``, bare, in a fence or in tags, also with ``parameters`` for
  ``arguments``, wrapped as ``{"function": {...}}``, several in a list, in a second pair of braces (Qwen2.5-Coder's chat
  template shows it so), and with the mistakes that leave one reading only: `agent_core.partners.json_calls`;
- tags such as ``<function=NAME>``: `agent_core.partners.tag_calls`; tokens of chat templates such as ``[TOOL_CALLS]``:
  `agent_core.partners.token_calls`; Python in ``tool_code`` fences or a list: `agent_core.partners.python_calls`;
- a tool's name in a sentence, with its arguments as JSON right behind it: `agent_core.partners.named_calls`;
- a patch in any format, in a fence or in prose, see `agent_core.patch.find`: each is a call of ``apply_patch``;
- an apply_patch envelope in what would be JSON but for its quotes.

What a model invents as a tool's answer, in ``<tool_response>`` tags at its beginning or behind a call, counts as not
said: repeated to it, it would take it for true.

Only tools on offer are called, and only when the answer holds no real call. While the answer is being written, patches
in it are told as a call that is being written, and the words as words.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterator, Sequence
from functools import cache

import msgspec

from agent_core.config_tables import PatchForm
from agent_core.conversation import (
    AssistantItem,
    Chunk,
    Completed,
    Item,
    PartnerInfo,
    Request,
    Retrying,
    TextDelta,
    ToolCallDelta,
    ToolCallItem,
    ToolSpec,
)
from agent_core.errors import PatchRefusedError
from agent_core.partners.builtin_patch import PATCH_TOOL
from agent_core.partners.call_ids import make_call_id
from agent_core.partners.closing import closing
from agent_core.partners.json_calls import Fields, TextCall, json_calls
from agent_core.partners.named_calls import named_calls
from agent_core.partners.python_calls import python_calls
from agent_core.partners.streamed_words import StreamedWords, patch_id
from agent_core.partners.tag_calls import tag_calls
from agent_core.partners.token_calls import token_calls
from agent_core.patch.find import find_patches
from agent_core.patch.read import read_patch
from agent_core.patch.stream import patch_text
from agent_core.patch.whole import find_whole
from agent_core.prompt.forms import EXAMPLE
from agent_core.protocols import Model
from agent_core.runaway import EndlessError, Runaway

_FENCE_LINE = re.compile(r"^[ \t]*+(`{3,}|~{3,})[ \t]*+[\w.+-]*+[ \t]*+$", re.MULTILINE)
# Tags and tokens in which templates of many families put calls, among them those of Hermes, Mistral, Llama, Granite,
# Phi, DeepSeek, Kimi, gpt-oss and Command R.
_TAG = (
    r"</?(?:[\w-]+:)?(?:tool_calls?|tools|function_calls?|TOOLCALL|antml)>|</?\uff5cDSML\uff5cfunction_calls>"
    r"|<[|\uff5c]/?(?:python_tag|tool_calls?|tool[\u2581_]calls?(?:[\u2581_]section)?[\u2581_](?:begin|end)|call|eom_id|eot_id|im_end"
    r"|START_ACTION|END_ACTION)[|\uff5c]>"
)
_OPENING = re.compile(
    rf"(?:(?:`{{3,}}|~{{3,}})[ \t]*[\w.+-]*[ \t]*\n\s*|(?:{_TAG})\s*|\[TOOL_CALLS\]\s*|\bfunctools\s*(?=\[)"
    r"|\[\s*|\{\s*)+$"
)
_CLOSING = re.compile(rf"(?:\s*[\]}}]|\s*(?:{_TAG})|\s*\n[ \t]*(?:`{{3,}}|~{{3,}})[ \t]*(?=\n|$|<))+")
# What stands around an envelope that was written as a JSON string can't be: raw, or in Python's triple quotes.
_HUSK_HEAD = re.compile(
    r'(?:\{\s*+(?:"name"\s*+:\s*+"\w*+"\s*+,\s*+)?(?:"(?:arguments|parameters)"\s*+:\s*+\{\s*+)?"patch"\s*+:\s*+'
    r'(?:"""|"|`)?+\s*+|"""|"|`)(?=\*\*\* Begin Patch[ \t]*+\n\s*+\*\*\* (?:Add|Update|Delete) File:)'
)
_HUSK_TAIL = re.compile(r'\s*+(?:"""|"|`)?+(?:\s*+\}){0,2}')
_ENVELOPE_END = re.compile(r"^[ \t]*\*\*\* End Patch[ \t]*(?=[\"`]|$)", re.MULTILINE)
# What shows that an envelope, or another one, goes on behind a line that ends one.
_GOES_ON = re.compile(r"\s*+(?:\*\*\* Begin Patch[ \t]*+\n\s*+)?+\*\*\* (?:Add|Update|Delete) File:")
# How far before a call its fence or tag may begin.
_REACH = 200
# The tags in which chat templates of the Hermes family (Qwen's among them) give a tool's answer.
_INVENTED = re.compile(r"\s*+<tool_response>.*?(?:</tool_response>|\Z)", re.DOTALL)
# What may stand between two calls of a list.
_COMMA = re.compile(r"\s*[,;]\s*(?=\{)")


def _wrapped(text: str, call: TextCall) -> TextCall:
    """The call with the fence, tags or brackets around it."""
    opening = _OPENING.search(text, max(call.start - _REACH, 0), call.start)
    closing_marks = _CLOSING.match(text, call.end)
    comma = _COMMA.match(text, call.end)
    start = opening.start() if opening else call.start
    end = closing_marks.end() if closing_marks else comma.end() if comma else call.end
    return TextCall(call.name, call.arguments, start, end)


def _patch_call(patch: str, start: int, end: int) -> TextCall:
    return TextCall(PATCH_TOOL, json.dumps({"patch": patch}, ensure_ascii=False), start, end)


def _husks(text: str) -> list[TextCall]:
    found: list[TextCall] = []
    at = 0
    while (head := _HUSK_HEAD.search(text, at)) is not None:
        mark = _ENVELOPE_END.search(text, head.end())
        while mark is not None and _GOES_ON.match(text, mark.end()):
            mark = _ENVELOPE_END.search(text, mark.end())
        if mark is not None:
            end = mark.end()
        else:
            # Never ended: the patch tool is given what there is, and tells the model what is missing.
            fence = _FENCE_LINE.search(text, head.end())
            end = fence.start() - 1 if fence else len(text)
        tail = _HUSK_TAIL.match(text, end)
        at = tail.end() if tail else end
        found.append(_patch_call(text[head.end() : end].strip() + "\n", head.start(), at))
    return found


def find_calls(
    text: str, tools: Collection[str], fields: Fields | None = None, *, whole: bool = False
) -> list[TextCall]:
    """The tool calls written in a text, in order, none inside another.

    Args:
        text: What the model said.
        tools: Names of the tools on offer.
        fields: Their parameters, where they are known.
        whole: Whole files are asked for: a path and a fence below it are one.
    """
    readers = [
        json_calls(text, tools, fields),
        tag_calls(text, tools),
        token_calls(text, tools),
        python_calls(text, tools, fields),
        named_calls(text, tools, fields),
    ]
    if PATCH_TOOL in tools and whole:
        readers.append([_patch_call(one.patch, one.start, one.end) for one in find_whole(text)])
    if PATCH_TOOL in tools:
        readers += [_husks(text), [_patch_call(one.patch, one.start, one.end) for one in find_patches(text)]]
    # Several calls may share one place: a list of them is wrapped in one thing.
    found = [
        [*group] for calls in readers for _, group in itertools.groupby(calls, lambda call: (call.start, call.end))
    ]
    found.sort(key=lambda group: group[0].start)
    # What begins inside another is part of it: a patch in a call's arguments, a call in a patch's text.
    outer: list[TextCall] = []
    for group in found:
        if not outer or group[0].start >= outer[-1].end:
            outer += group
    result: list[TextCall] = []
    for call in (_wrapped(text, call) for call in outer):
        start = max(call.start, result[-1].end) if result else call.start
        result.append(TextCall(call.name, call.arguments, start, call.end))
    return result


def read_calls(
    items: tuple[Item, ...],
    tools: Collection[str],
    turn: int,
    fields: Fields | None = None,
    *,
    whole: bool = False,
) -> tuple[Item, ...]:
    """An answer's items with the calls in its words made real ones.

    Args:
        items: The answer.
        tools: Names of the tools on offer.
        turn: Length of the conversation before the answer; makes the calls' ids.
        fields: The tools' parameters, where they are known.
        whole: Whole files are asked for.

    Returns:
        The same items when the answer holds a real call; else its words without the calls and without invented
        answers of tools, and the calls.
    """
    if any(isinstance(item, ToolCallItem) for item in items):
        return items
    kept: list[Item] = []
    calls: list[ToolCallItem] = []
    for item in items:
        if not isinstance(item, AssistantItem):
            kept.append(item)
            continue
        text = _own(item.text)
        found = find_calls(text, tools, fields, whole=whole)
        if not found and text is item.text:
            kept.append(item)
            continue
        words: list[str] = []
        at = 0
        for call in found:
            words.append(_own(text[at : call.start]).strip())
            at = call.end
            calls.append(ToolCallItem(_call_id(turn, call, calls), call.name, call.arguments))
        words.append(_own(text[at:]).strip())
        if rest := "\n\n".join(word for word in words if word):
            kept.append(AssistantItem(rest, item.phase))
    return (*kept, *calls)


def _own(words: str) -> str:
    """Words without the tools' answers that a model has invented at their beginning; the same object without any."""
    while (invented := _INVENTED.match(words)) is not None:
        words = words[invented.end() :]
    return words


def _call_id(turn: int, call: TextCall, before: Sequence[ToolCallItem]) -> str:
    """The id of a call; that of the first patch is known while it is being written, so its text is no part of it."""
    if call.name == PATCH_TOOL:
        return patch_id(turn, sum(one.name == PATCH_TOOL for one in before))
    return make_call_id(turn, len(before), call.name, call.arguments)


@cache
def _parameters(tool: ToolSpec) -> tuple[str, ...]:
    """The names of a tool's parameters, in order."""
    return tuple(json.loads(tool.parameters).get("properties", ()))


class TextCallsModel:
    """A partner whose written calls count as calls.

    Args:
        inner: The partner.
        form: In which form it is to write patches; ``auto`` for the one that was found to work.
        note: Keeps which one that is, as its ``form``; None to keep nothing.
    """

    def __init__(
        self, inner: Model, form: PatchForm = "auto", note: Callable[..., Awaitable[None]] | None = None
    ) -> None:
        self._inner = inner
        self._form = form
        self._note = note

    @property
    def info(self) -> PartnerInfo:
        """Who this is, and in which form it writes patches."""
        info = self._inner.info
        return info if self._form == "auto" else msgspec.structs.replace(info, form=self._form, pinned=True)

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Answer one request; see `agent_core.protocols.Model`.

        Raises:
            EndlessError: The answer has no end. What is hidden of it, as a call, nobody behind this could tell.
        """
        watch = Runaway(self.info.window)
        fields = {tool.name: _parameters(tool) for tool in request.tools}
        tools, whole = frozenset(fields), request.form == "whole"
        words = StreamedWords(request.turn, tools, whole=whole)
        async with contextlib.aclosing(closing(self._inner.stream(request))) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, TextDelta):
                    # What is shown is watched by whoever shows it, who keeps the beginning.
                    if (why := watch.take(chunk)) and words.hides:
                        raise EndlessError(why)
                    for one in words.feed(chunk.text):
                        yield one
                    continue
                if isinstance(chunk, ToolCallDelta):
                    # A real call: what is written beside it is words.
                    for one in (*words.close(), *words.revealed()):
                        yield one
                if isinstance(chunk, Retrying):
                    words, watch = StreamedWords(request.turn, tools, whole=whole), Runaway(self.info.window)
                if isinstance(chunk, Completed):
                    items = read_calls(chunk.items, tools, request.turn, fields, whole=whole)
                    for one in _last_words(words, chunk.items, items):
                        yield one
                    await self._learn(items, request.form)
                    yield Completed(items, chunk.usage)
                else:
                    yield chunk

    async def _learn(self, items: tuple[Item, ...], form: str) -> None:
        """Keep the form that was asked for, once there is a patch in it that can be read: not its example."""
        if self._note is None or not form or self._form != "auto" or form == self._inner.info.form:
            return
        patches = [item for item in items if isinstance(item, ToolCallItem) and item.name == PATCH_TOOL]
        if any(_format(item) == form and EXAMPLE not in item.arguments for item in patches):
            await self._note(form=form)

    async def close(self) -> None:
        """Give back connections."""
        await self._inner.close()


def _last_words(words: StreamedWords, said: tuple[Item, ...], items: tuple[Item, ...]) -> Iterator[Chunk]:
    """What is still to be told of an answer that is whole.

    Args:
        words: The answer as it was told so far.
        said: Its items as they came.
        items: The same with the calls in its words.
    """
    yield from words.close()
    calls = [item for item in items if isinstance(item, ToolCallItem)] if items is not said else []
    revealed = list(words.revealed()) if all(call.name == PATCH_TOOL for call in calls) else []
    yield from revealed
    for call in calls:
        # Whoever shows calls as they are written hears of these too; but not of a patch that is among the words.
        if not ((words.has_patch or revealed) and call.name == PATCH_TOOL):
            yield ToolCallDelta(call.call_id, call.name, call.arguments)


def _format(call: ToolCallItem) -> str:
    """The format of a call's patch; empty where it cannot be read."""
    try:
        return read_patch(patch_text(json.loads(call.arguments)) or "").format
    except (ValueError, RecursionError, PatchRefusedError):
        return ""
