"""Chat Completions, streaming with tools: what every compatible server speaks.

Reference: https://platform.openai.com/docs/api-reference/chat-streaming. Servers differ in what they leave out
or repeat (call ids, indexes, names, usage, the finish reason before ``[DONE]``); `_Answer` takes all of it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from typing import Any, assert_never

from agent_core.conversation import (
    AssistantItem,
    Chunk,
    Completed,
    Item,
    ReasoningDelta,
    ReasoningItem,
    Request,
    TextDelta,
    ToolCallDelta,
    ToolCallItem,
    ToolResultItem,
    ToolSpec,
    Usage,
    UserItem,
)
from agent_core.errors import PartnerError
from agent_core.partners.call_ids import MOST_CALLS, make_call_id, taken_ids, too_many_calls
from agent_core.partners.client import drain
from agent_core.partners.replay import paired, wire_arguments
from agent_core.partners.server_model import Pulse, ServerModel
from agent_core.partners.sse import DONE

_OPTIONAL = (
    "stream_options",
    "prompt_cache_key",
    "reasoning_effort",
    "temperature",
    "parallel_tool_calls",
    "verbosity",
    "service_tier",
)


def items_to_messages(items: Sequence[Item]) -> list[dict[str, Any]]:
    """The conversation as chat messages.

    Words and tool calls of one turn become one assistant message, with the results directly behind it;
    reasoning items belong to another API and are left out.
    """
    messages: list[dict[str, Any]] = []
    turn: dict[str, Any] | None = None
    for item in paired(items):
        if isinstance(item, AssistantItem | ToolCallItem) and turn is None:
            turn = {"role": "assistant", "content": None}
            messages.append(turn)
        match item:
            case UserItem(text):
                turn = None
                messages.append({"role": "user", "content": text})
            case AssistantItem(text):
                assert turn is not None
                turn["content"] = text if turn["content"] is None else f"{turn['content']}\n\n{text}"
            case ToolCallItem(call_id, name, arguments):
                assert turn is not None
                function = {"name": name, "arguments": wire_arguments(arguments)}
                turn.setdefault("tool_calls", []).append({"id": call_id, "type": "function", "function": function})
            case ToolResultItem(call_id, output):
                turn = None
                messages.append({"role": "tool", "tool_call_id": call_id, "content": output})
            case ReasoningItem():
                pass
            case _:
                assert_never(item)
    return messages


def tool_to_function(tool: ToolSpec) -> dict[str, Any]:
    """A tool as a function tool of Chat Completions."""
    function = {"name": tool.name, "description": tool.description, "parameters": json.loads(tool.parameters)}
    return {"type": "function", "function": function}


def _usage(raw: object) -> Usage:
    def number(*path: str) -> int:
        value: Any = raw
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value if isinstance(value, int) else 0

    return Usage(
        input=number("prompt_tokens"),
        cached=number("prompt_tokens_details", "cached_tokens"),
        output=number("completion_tokens"),
        reasoning=number("completion_tokens_details", "reasoning_tokens"),
    )


class _Call:
    """One tool call being written."""

    def __init__(self, given_id: str, call_id: str) -> None:
        self.given_id = given_id
        self.call_id = call_id
        self.name = ""
        self.arguments = ""

    def add_name(self, part: str, offered: frozenset[str]) -> None:
        """Take some of the name: servers send it once, in every delta, or in pieces."""
        if not self.name or part.startswith(self.name):
            self.name = part
        elif part != self.name and (self.name not in offered or self.name + part in offered):
            self.name += part


class _Answer:
    """Collects the deltas of one answer."""

    def __init__(self, request: Request, host: str) -> None:
        self._host = host
        self._turn = request.turn
        self._taken = taken_ids(request.items)
        self._offered = frozenset(tool.name for tool in request.tools)
        self._calls: dict[int, _Call] = {}
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._usage = Usage()
        self.finish = ""
        self.done = False

    @property
    def begun(self) -> bool:
        """Whether it has said anything."""
        return bool(self._text or self._calls)

    def feed(self, event: Mapping[str, Any]) -> Iterator[Chunk]:
        """Take one event; gives the chunks it amounts to."""
        if event.get("type") == DONE:
            self.done = True
            return
        if event.get("usage"):
            self._usage = _usage(event["usage"])
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, Mapping):
            return
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, Mapping):
            yield from self._delta(delta)
        if isinstance(reason := choice.get("finish_reason"), str) and reason:
            self.finish = reason

    def _delta(self, delta: Mapping[str, Any]) -> Iterator[Chunk]:
        # DeepSeek and llama.cpp say reasoning_content, OpenRouter and others reasoning.
        for key in ("reasoning_content", "reasoning"):
            if isinstance(thought := delta.get(key), str) and thought:
                yield ReasoningDelta(thought)
                break
        if isinstance(text := delta.get("content"), str) and text:
            self._text.append(text)
            yield TextDelta(text)
        if isinstance(refusal := delta.get("refusal"), str):
            self._refusal.append(refusal)
        calls = delta.get("tool_calls")
        for position, raw in enumerate(calls if isinstance(calls, list) else ()):
            if isinstance(raw, Mapping) and (chunk := self._call(raw, position)) is not None:
                yield chunk

    def _call(self, raw: Mapping[str, Any], position: int) -> ToolCallDelta | None:
        function = raw.get("function")
        function = function if isinstance(function, Mapping) else {}
        name, arguments = function.get("name"), function.get("arguments")
        given = raw.get("id")
        call = self._slot(raw.get("index"), given if isinstance(given, str) else "", position)
        if isinstance(name, str) and name:
            call.add_name(name, self._offered)
        if isinstance(arguments, Mapping):
            arguments = json.dumps(arguments, ensure_ascii=False)
        if not isinstance(arguments, str) or not arguments:
            return None
        call.arguments += arguments
        return ToolCallDelta(call.call_id, call.name, arguments)

    def _slot(self, index: object, given: str, position: int) -> _Call:
        """The call a delta belongs to: by index, or by id where the index is missing or always the same."""
        if not isinstance(index, int):
            known = [at for at, call in self._calls.items() if given and call.given_id == given]
            index = known[0] if known else (len(self._calls) if given else max(len(self._calls) - 1, position))
        call = self._calls.get(index)
        if call is not None and given and call.given_id and given != call.given_id:
            same = [one for one in self._calls.values() if one.given_id == given]
            if same:
                return same[0]
            index, call = max(self._calls) + 1, None
        if call is None:
            if len(self._calls) >= MOST_CALLS:
                raise too_many_calls(self._host)
            made = make_call_id(self._turn, index)
            call = _Call(given, given if given and given not in self._taken else made)
            self._taken.add(call.call_id)
            self._calls[index] = call
        return call

    def completed(self) -> Completed:
        """The whole answer.

        Raises:
            PartnerError: It is not whole, or is a refusal.
        """
        if self.finish == "length":
            raise PartnerError(
                "context_too_long",
                "The answer was cut off at the model's length limit.",
                "Ask for less at once, start a new session, or give the model more room (llama.cpp: -c).",
            )
        if self.finish == "content_filter":
            raise PartnerError("refused", "The provider's content filter stopped the answer.")
        text = "".join(self._text)
        if self._refusal and not text and not self._calls:
            raise PartnerError("refused", f"The model refused: {' '.join(''.join(self._refusal).split())}")
        items: list[Item] = [AssistantItem(text)] if text.strip() else []
        for _, call in sorted(self._calls.items()):
            if not call.name:
                raise PartnerError("stream", f"{self._host} sent a tool call without a name.")
            items.append(ToolCallItem(call.call_id, call.name, call.arguments.strip() or "{}"))
        return Completed(tuple(items), self._usage)


class ChatModel(ServerModel):
    """A partner behind Chat Completions."""

    api = "chat"

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Answer one request; see `agent_core.protocols.Model`."""
        body = await self._body(request)
        answer, pulse = _Answer(request, self._connection.endpoint.host), Pulse(self._connection.endpoint)
        host = self._connection.endpoint.host
        async with contextlib.aclosing(self._connection.events(self.api, body, _OPTIONAL)) as events:
            async for event in events:
                pulse.beat()
                for chunk in answer.feed(event):
                    yield chunk
                    pulse.said()
                if answer.done:
                    await drain(events)
                    break
        if not answer.finish and not (answer.done and answer.begun):
            raise PartnerError("stream", f"{host} ended its answer in the middle.")
        yield answer.completed()

    async def _body(self, request: Request) -> dict[str, Any]:
        system = {"role": "system", "content": request.instructions}
        body: dict[str, Any] = {
            "model": await self._connection.resolve_model(),
            "messages": [system, *items_to_messages(request.items)],
            "stream_options": {"include_usage": True},
        }
        if request.tools:
            body["tools"] = [tool_to_function(tool) for tool in request.tools]
            if not self._manner.parallel:
                body["parallel_tool_calls"] = False
        if self._effort:
            body["reasoning_effort"] = self._effort
        if self._manner.verbosity:
            body["verbosity"] = self._manner.verbosity
        if self._manner.tier:
            body["service_tier"] = self._manner.tier
        body |= self._sampling(request)
        if self._connection.endpoint.official:
            body["prompt_cache_key"] = request.cache_key
        return body
