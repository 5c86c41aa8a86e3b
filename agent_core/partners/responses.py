"""OpenAI's Responses API, stateless: the whole input is sent every time and nothing is stored there.

Reference: https://platform.openai.com/docs/api-reference/responses-streaming. llama.cpp's ``/v1/responses``
speaks the same with fewer fields (no ``output_index``, no reasoning items); only what both have is relied on.
Patches come through the built-in tool where there is one, see `agent_core.partners.builtin_patch`.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, assert_never

from agent_core.config_tables import PatchTool
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
from agent_core.partners import builtin_patch
from agent_core.partners.builtin_patch import StreamedCall
from agent_core.partners.call_ids import CallIds
from agent_core.partners.client import Connection, drain
from agent_core.partners.errors import ToolRefusedError, clean, from_codes, server_words
from agent_core.partners.replay import paired, wire_arguments
from agent_core.partners.server_model import Manner, Pulse, ServerModel

_OPTIONAL = (
    "include",
    "reasoning.summary",
    "reasoning",
    "prompt_cache_key",
    "parallel_tool_calls",
    "store",
    "temperature",
    "text",
    "service_tier",
)


def item_to_input(item: Item) -> dict[str, Any]:
    """One item of the conversation as an input item of the Responses API."""
    match item:
        case UserItem(text):
            return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
        case AssistantItem(text, phase):
            message: dict[str, Any] = {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": text}],
            }
            return message | {"phase": phase} if phase else message
        case ReasoningItem(raw):
            reasoning: dict[str, Any] = json.loads(raw)
            return reasoning
        case ToolCallItem(call_id, name, arguments):
            return {
                "type": "function_call",
                "call_id": call_id,
                "name": name,
                "arguments": wire_arguments(arguments),
            }
        case ToolResultItem(call_id, output):
            return {"type": "function_call_output", "call_id": call_id, "output": output}
        case _:
            assert_never(item)


def items_to_input(items: Sequence[Item], *, builtin: bool) -> list[dict[str, Any]]:
    """The conversation as input items.

    Args:
        items: Every item so far.
        builtin: The built-in tool is offered, so that calls of it go back as they came; else as function calls.
    """
    whole = paired(items)
    raw = {item.call_id for item in whole if builtin and isinstance(item, ToolCallItem) and item.raw}
    out: list[dict[str, Any]] = []
    for item in whole:
        if isinstance(item, ToolCallItem) and item.call_id in raw:
            out.append(builtin_patch.call_input(item))
        elif isinstance(item, ToolResultItem) and item.call_id in raw:
            out.append(builtin_patch.output_input(item))
        else:
            out.append(item_to_input(item))
    return out


def tool_to_function(tool: ToolSpec) -> dict[str, Any]:
    """A tool as a function tool of the Responses API."""
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": json.loads(tool.parameters),
        "strict": False,
    }


def _message_text(message: Mapping[str, Any]) -> tuple[str, str]:
    """The text of an output message, and what it holds of a refusal."""
    parts = [part for part in message.get("content") or () if isinstance(part, Mapping)]
    text = "".join(str(part.get("text") or "") for part in parts if part.get("type") == "output_text")
    refusal = "".join(str(part.get("refusal") or "") for part in parts if part.get("type") == "refusal")
    return text, refusal


def _usage(response: Mapping[str, Any]) -> Usage:
    def number(*path: str) -> int:
        value: Any = response.get("usage")
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value if isinstance(value, int) else 0

    return Usage(
        input=number("input_tokens"),
        cached=number("input_tokens_details", "cached_tokens"),
        output=number("output_tokens"),
        reasoning=number("output_tokens_details", "reasoning_tokens"),
    )


class _Answer:
    """Collects the events of one answer."""

    def __init__(self, connection: Connection, request: Request) -> None:
        self._connection = connection
        self._ids = CallIds(request.turn, request.items, connection.endpoint.host)
        self._calls: dict[str, tuple[str, str]] = {}
        self._patches: dict[str, StreamedCall] = {}
        self._items: list[Item] = []
        self.finished: Completed | None = None

    def feed(self, event: Mapping[str, Any]) -> Chunk | None:
        """Take one event; gives the chunk it amounts to, if any."""
        delta = event.get("delta")
        text = delta if isinstance(delta, str) else ""
        chunk: Chunk | None = None
        match event.get("type"):
            case "response.output_text.delta" | "response.refusal.delta" if text:
                chunk = TextDelta(text)
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" if text:
                chunk = ReasoningDelta(text)
            case "response.reasoning_summary_part.added" if event.get("summary_index"):
                chunk = ReasoningDelta("\n\n")
            case "response.output_item.added":
                chunk = self._begin(event.get("item"))
            case "response.function_call_arguments.delta" if text:
                call_id, name = self._calls.get(str(event.get("item_id")), ("", ""))
                chunk = ToolCallDelta(call_id, name, text) if call_id else None
            case "response.apply_patch_call_operation_diff.delta" if text:
                patch = self._patches.get(str(event.get("item_id")))
                chunk = _patch_delta(patch, patch.add(text)) if patch else None
            case "response.output_item.done":
                chunk = self._end(event.get("item"))
            case "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled":
                self._finish(event)
            case _:
                pass
        return chunk

    def _begin(self, item: object) -> Chunk | None:
        if not isinstance(item, Mapping) or not item.get("call_id"):
            return None
        # llama.cpp names the item by its call id in the deltas and gives it no id of its own.
        keys = [str(key) for key in (item.get("id"), item["call_id"]) if key]
        if item.get("type") == "function_call":
            call_id = self._ids.of(keys[0], str(item["call_id"]))
            self._calls |= dict.fromkeys(keys, (call_id, str(item.get("name") or "")))
        elif item.get("type") == builtin_patch.CALL:
            patch = StreamedCall(item)
            self._patches |= dict.fromkeys(keys, patch)
            return _patch_delta(patch, patch.begin())
        return None

    def _end(self, item: object) -> Chunk | None:
        if not isinstance(item, Mapping):
            return None
        match item.get("type"):
            case "message":
                text, refusal = _message_text(item)
                if refusal and not text:
                    raise PartnerError("refused", f"The model refused: {clean(self._connection.endpoint, refusal)}")
                if text:
                    phase = item.get("phase")
                    self._items.append(AssistantItem(text, phase if isinstance(phase, str) else ""))
            case "function_call":
                self._items += self._called(item)
            case builtin_patch.CALL:
                call = builtin_patch.call_item(item)
                if call is None:
                    raise PartnerError("stream", f"{self._connection.endpoint.host} sent a tool call without an id.")
                if call not in self._items:
                    self._items.append(call)
                patch = self._patches.get(call.call_id) or StreamedCall(item)
                return _patch_delta(patch, patch.end(call.arguments))
            case "reasoning":
                # Without its encrypted content a provider that stores nothing cannot take it back.
                if item.get("encrypted_content"):
                    raw = json.dumps(dict(item), ensure_ascii=False, separators=(",", ":"))
                    self._items.append(ReasoningItem(raw))
            case _:
                pass
        return None

    def _called(self, item: Mapping[str, Any]) -> tuple[ToolCallItem, ...]:
        """The call that an item is; none where it has been said before."""
        name, call_id, arguments = item.get("name"), item.get("call_id"), item.get("arguments")
        if not (isinstance(name, str) and isinstance(call_id, str) and call_id):
            raise PartnerError("stream", f"{self._connection.endpoint.host} sent a tool call without a name.")
        text = arguments if isinstance(arguments, str) else "{}"
        whole = self._ids.whole(str(item.get("id") or call_id), call_id, name, text)
        return (whole,) if whole is not None else ()

    def _finish(self, event: Mapping[str, Any]) -> None:
        endpoint = self._connection.endpoint
        response = event.get("response")
        response = response if isinstance(response, Mapping) else {}
        match event.get("type"):
            case "response.incomplete":
                details = response.get("incomplete_details")
                raise _incomplete(str(details.get("reason") if isinstance(details, Mapping) else ""))
            case "response.failed":
                message, codes = server_words(response)
                raise from_codes(endpoint, codes, message)
            case "response.cancelled":
                raise PartnerError("stream", f"{endpoint.host} cancelled the answer.")
            case _:
                pass
        if not self._items:
            for item in response.get("output") or ():
                self._end(item)
        self.finished = Completed(tuple(self._items), _usage(response))


def _patch_delta(patch: StreamedCall, text: str) -> ToolCallDelta | None:
    return ToolCallDelta(patch.call_id, builtin_patch.PATCH_TOOL, text) if text else None


def _incomplete(reason: str) -> PartnerError:
    if reason == "content_filter":
        return PartnerError("refused", "The provider's content filter stopped the answer.", "Put the task otherwise.")
    return PartnerError(
        "context_too_long",
        "The answer was cut off at the model's length limit.",
        "Ask for less at once, start a new session, or give the model more room (llama.cpp: -c).",
    )


class ResponsesModel(ServerModel):
    """A partner behind the Responses API.

    Args:
        connection: The server.
        reasoning_effort: Sent when not empty.
        temperature: Sent when not negative.
        manner: How it is to answer.
        patch_tool: How patches come: ``builtin`` and ``function`` insist, ``auto`` takes the built-in tool for OpenAI's
            own models that have it. Once a server has refused it, it is the function on this connection.
    """

    api = "responses"

    def __init__(
        self,
        connection: Connection,
        reasoning_effort: str = "",
        temperature: float = -1.0,
        *,
        manner: Manner = Manner(),  # noqa: B008 - it is frozen
        patch_tool: PatchTool = "auto",
    ) -> None:
        super().__init__(connection, reasoning_effort, temperature, manner=manner)
        self._patch_tool = patch_tool

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Answer one request; see `agent_core.protocols.Model`."""
        try:
            async with contextlib.aclosing(self._answered(request)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except ToolRefusedError:
            self._patch_tool = "function"
            async with contextlib.aclosing(self._answered(request)) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def _answered(self, request: Request) -> AsyncGenerator[Chunk, None]:
        body = await self._body(request)
        answer, pulse = _Answer(self._connection, request), Pulse(self._connection.endpoint)
        async with contextlib.aclosing(self._connection.events(self.api, body, _OPTIONAL)) as events:
            async for event in events:
                pulse.beat()
                if (chunk := answer.feed(event)) is not None:
                    yield chunk
                    pulse.said()
                if answer.finished is not None:
                    await drain(events)
                    break
        if answer.finished is None:
            host = self._connection.endpoint.host
            raise PartnerError("stream", f"{host} ended its answer in the middle.")
        yield answer.finished

    def _builtin(self, request: Request, model: str) -> bool:
        """Whether patches come through the built-in tool."""
        if not any(tool.name == builtin_patch.PATCH_TOOL for tool in request.tools):
            return False
        if self._patch_tool == "auto":
            return self._connection.endpoint.official and builtin_patch.has_builtin(model)
        return self._patch_tool == "builtin"

    async def _body(self, request: Request) -> dict[str, Any]:
        model = await self._connection.resolve_model()
        builtin = self._builtin(request, model)
        body: dict[str, Any] = {
            "model": model,
            "instructions": f"{request.instructions}\n\n{builtin_patch.NOTE}" if builtin else request.instructions,
            "input": items_to_input(request.items, builtin=builtin),
            "store": False,
            "include": ["reasoning.encrypted_content"],
            "prompt_cache_key": request.cache_key,
        }
        if request.tools:
            body["tools"] = [
                dict(builtin_patch.BUILTIN)
                if builtin and tool.name == builtin_patch.PATCH_TOOL
                else tool_to_function(tool)
                for tool in request.tools
            ]
            body["parallel_tool_calls"] = self._manner.parallel
        body |= self._thinking(model)
        if self._manner.verbosity:
            body["text"] = {"verbosity": self._manner.verbosity}
        if self._manner.tier:
            body["service_tier"] = self._manner.tier
        body |= self._sampling(request)
        return body

    def _thinking(self, model: str) -> dict[str, Any]:
        """The field that says how much to think, and whether to tell of it."""
        reasoning = {"effort": self._effort} if self._effort else {}
        if self._manner.summary != "off" and self._effort != "none" and self._reasons(model):
            reasoning["summary"] = self._manner.summary
        return {"reasoning": reasoning} if reasoning else {}
