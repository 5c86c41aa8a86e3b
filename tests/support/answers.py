"""What a test server says: answers, and how they look in each of the two APIs."""

from __future__ import annotations

import json
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

FaultKind = Literal[
    "cut",
    "no_final",
    "stall",
    "stall_at_once",
    "mute",
    "garbage",
    "not_an_object",
    "html",
    "json",
    "drop",
    "keep",
    "empty",
    "reset",
    "half",
    "utf8",
    "error_event",
    "unknown",
    "pings",
    "gzip",
    "huge_event",
    "endless",
    "rut",
]
Point = Literal["start", "text", "call", "end"]
"""Where in a stream something goes wrong: before anything is said, after the first words, within a tool call, when all
is there but the final event."""


@dataclass(frozen=True)
class Call:
    """A tool call of an answer."""

    name: str
    arguments: str
    call_id: str = ""


@dataclass(frozen=True)
class PatchCall:
    """A call of the built-in apply_patch tool, which only the Responses API has.

    Attributes:
        operation: ``create_file``, ``update_file`` or ``delete_file``, with path and diff.
        call_id: Its id; made up where it is empty.
    """

    operation: Mapping[str, Any]
    call_id: str = ""


@dataclass(frozen=True)
class Answer:
    """What the server says to one request.

    Attributes:
        text: Words.
        calls: Tool calls, real ones.
        patches: Calls of the built-in apply_patch tool, after the others.
        reasoning: Summary of its reasoning; in the Responses API an encrypted item comes with it.
        status: Anything but 200 sends `error` with it.
        error: Body of an error.
        headers: More headers.
        fault: What goes wrong.
        at: Where it does; what comes after is not sent (after ``unknown`` it is).
        raw: Events sent as they are instead of everything else; a string is sent as the data itself.
        incomplete: Why the answer is cut short, such as ``max_output_tokens``.
        hold: Awaited before the final event; lets a test act in the middle of an answer.
        piece: Length of the pieces that text and arguments are streamed in.
    """

    text: str = ""
    calls: tuple[Call, ...] = ()
    patches: tuple[PatchCall, ...] = ()
    reasoning: str = ""
    status: int = 200
    error: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: FaultKind | None = None
    at: Point = "end"
    raw: tuple[dict[str, Any] | str, ...] = ()
    incomplete: str = ""
    hold: Callable[[], Awaitable[None]] | None = None
    piece: int = 7

    def __add__(self, other: Answer) -> Answer:
        """Both together; what `other` sets wins, words and calls are joined."""
        return Answer(
            text=self.text + other.text,
            calls=self.calls + other.calls,
            patches=self.patches + other.patches,
            reasoning=self.reasoning + other.reasoning,
            status=other.status if other.status != 200 else self.status,
            error=other.error if other.error is not None else self.error,
            headers={**self.headers, **other.headers},
            fault=other.fault or self.fault,
            at=other.at if other.fault else self.at,
            raw=self.raw + other.raw,
            incomplete=other.incomplete or self.incomplete,
            hold=other.hold or self.hold,
            piece=min(self.piece, other.piece),
        )


def text(words: str) -> Answer:
    """An answer in words."""
    return Answer(text=words)


def call(name: str, /, call_id: str = "", **arguments: Any) -> Answer:
    """An answer that calls a tool."""
    return Answer(calls=(Call(name, json.dumps(arguments), call_id),))


def raw_call(name: str, arguments: str, call_id: str = "") -> Answer:
    """An answer that calls a tool with arguments that need not be JSON."""
    return Answer(calls=(Call(name, arguments, call_id),))


def create(path: str, diff: str, call_id: str = "") -> Answer:
    """An answer that makes a file with the built-in apply_patch tool."""
    return Answer(patches=(PatchCall({"type": "create_file", "diff": diff, "path": path}, call_id),))


def update(path: str, diff: str, call_id: str = "") -> Answer:
    """An answer that changes a file with the built-in apply_patch tool."""
    return Answer(patches=(PatchCall({"type": "update_file", "diff": diff, "path": path}, call_id),))


def delete(path: str, call_id: str = "") -> Answer:
    """An answer that deletes a file with the built-in apply_patch tool."""
    return Answer(patches=(PatchCall({"type": "delete_file", "path": path}, call_id),))


def reasoning(summary: str) -> Answer:
    """An answer that begins with reasoning."""
    return Answer(reasoning=summary)


def fault(kind: FaultKind, at: Point = "end") -> Answer:
    """An answer that goes wrong in the middle."""
    return Answer(fault=kind, at=at)


def error(
    status: int, message: str = "it failed", *, code: str = "", headers: Mapping[str, str] | None = None
) -> Answer:
    """An answer with an error status, its body in OpenAI's form."""
    body = {"error": {"message": message, "type": code or "error", "code": code or None, "param": None}}
    return Answer(status=status, error=body, headers=headers or {})


def events(*raw: dict[str, Any] | str) -> Answer:
    """An answer of exactly these events, and no others."""
    return Answer(raw=raw)


def held(until: Callable[[], Awaitable[None]]) -> Answer:
    """An answer whose end waits for something."""
    return Answer(hold=until)


Events = list[dict[str, Any] | str]


_SAYS = ("response.output_text.delta", "'content': '")
_CALLS = ("response.function_call_arguments.delta", "'arguments': '{")


def split_at(body: Events, point: Point) -> tuple[Events, Events]:
    """The events of an answer before and after a point of it."""
    if point == "end":
        return body, []
    if point == "start":
        return body[:1], body[1:]
    marks = _SAYS if point == "text" else _CALLS
    found = [
        number
        for number, event in enumerate(body, 1)
        if any(mark in str(event) for mark in marks) and "'content': ''" not in str(event)
    ]
    assert found, f"the answer has no {point}"
    return body[: found[0]], body[found[0] :]


def _pieces(words: str, size: int) -> list[str]:
    return [words[at : at + size] for at in range(0, len(words), size)]


def responses_events(answer: Answer, number: int) -> tuple[Events, Events]:
    """The events of an answer in the Responses API: those before the end, and the final one.

    Args:
        answer: What is said.
        number: Which request it answers; makes the ids.
    """
    if answer.raw:
        return list(answer.raw), []
    out: Events = [{"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}}]
    items: list[dict[str, Any]] = []

    def item(done: dict[str, Any], deltas: Events, *more: dict[str, Any]) -> None:
        index = len(items)
        started = {**done, "status": "in_progress", "content": [], "arguments": "", **dict(*more)}
        out.append({"type": "response.output_item.added", "output_index": index, "item": started})
        out.extend({**delta, "output_index": index} for delta in deltas if isinstance(delta, dict))
        out.append({"type": "response.output_item.done", "output_index": index, "item": done})
        items.append(done)

    if answer.reasoning:
        done = {
            "id": f"rs_{zlib.crc32(answer.reasoning.encode()):x}",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": answer.reasoning}],
            "encrypted_content": "gAAAA" + answer.reasoning[::-1],
        }
        delta = "response.reasoning_summary_text.delta"
        item(done, [{"type": delta, "item_id": done["id"], "delta": piece} for piece in _pieces(answer.reasoning, 9)])
    if answer.text:
        part = {"type": "output_text", "text": answer.text, "annotations": []}
        done = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
        delta = "response.output_text.delta"
        item(done, [{"type": delta, "item_id": "msg_1", "delta": one} for one in _pieces(answer.text, answer.piece)])
    for index, one in enumerate(answer.calls):
        call_id = one.call_id or f"call_{number}_{index}"
        done = {
            "id": f"fc_{number}_{index}",
            "type": "function_call",
            "status": "completed",
            "call_id": call_id,
            "name": one.name,
            "arguments": one.arguments,
        }
        delta = "response.function_call_arguments.delta"
        parts = _pieces(one.arguments, answer.piece)
        item(done, [{"type": delta, "item_id": done["id"], "delta": part} for part in parts])
    for index, patch in enumerate(answer.patches, len(answer.calls)):
        called: dict[str, Any] = {
            "id": f"apc_{number}_{index}",
            "type": "apply_patch_call",
            "status": "completed",
            "call_id": patch.call_id or f"call_{number}_{index}",
            "operation": dict(patch.operation),
        }
        diff = patch.operation.get("diff", "")
        name = "response.apply_patch_call_operation_diff"
        deltas: Events = [
            {"type": f"{name}.delta", "item_id": called["id"], "delta": part, "obfuscation": "x"}
            for part in _pieces(diff, answer.piece)
        ]
        if "diff" in patch.operation:
            deltas.append({"type": f"{name}.done", "item_id": called["id"], "diff": diff})
        begun = {key: "" if key == "diff" else value for key, value in patch.operation.items()}
        item(called, deltas, {"operation": begun})
    details = {"input_tokens_details": {"cached_tokens": 4}, "output_tokens_details": {"reasoning_tokens": 2}}
    response: dict[str, Any] = {
        "id": "resp_1",
        "status": "completed",
        "output": items,
        "usage": {"input_tokens": 10, "output_tokens": 5, **details},
    }
    if answer.incomplete:
        response |= {"status": "incomplete", "incomplete_details": {"reason": answer.incomplete}}
        return out, [{"type": "response.incomplete", "response": response}]
    return out, [{"type": "response.completed", "response": response}]


def chat_events(answer: Answer, number: int, *, usage: bool) -> tuple[Events, Events]:
    """The events of an answer in Chat Completions: those before the end, and the last ones.

    Args:
        answer: What is said.
        number: Which request it answers; makes the ids.
        usage: Whether the token counts were asked for.
    """
    if answer.raw:
        return list(answer.raw), []
    assert not answer.patches, "Chat Completions has no built-in tools"

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [choice]}

    out: Events = [chunk({"role": "assistant", "content": ""})]
    out += [chunk({"reasoning_content": piece}) for piece in _pieces(answer.reasoning, 9)]
    out += [chunk({"content": piece}) for piece in _pieces(answer.text, answer.piece)]
    for index, one in enumerate(answer.calls):
        call_id = one.call_id or f"call_{number}_{index}"
        start = {"index": index, "id": call_id, "type": "function", "function": {"name": one.name, "arguments": ""}}
        out.append(chunk({"tool_calls": [start]}))
        out += [
            chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
            for piece in _pieces(one.arguments, answer.piece)
        ]
    finish = {"max_output_tokens": "length"}.get(answer.incomplete, answer.incomplete)
    final: Events = [chunk({}, finish or ("tool_calls" if answer.calls else "stop"))]
    if usage:
        counted = {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}}
        final.append({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [], "usage": counted})
    return out, [*final, "[DONE]"]
