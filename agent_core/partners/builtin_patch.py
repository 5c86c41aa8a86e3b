"""OpenAI's built-in ``apply_patch`` tool of the Responses API, which its models are trained on.

The tool is offered as ``{"type": "apply_patch"}``. A call of it is an output item of its own kind and changes one file;
several calls in one answer are one change::

    {"type": "apply_patch_call", "id": ..., "call_id": ..., "status": "completed",
     "operation": {"type": "create_file" | "update_file" | "delete_file", "path": ..., "diff": ...}}

``diff`` is an envelope's section without its header: for a new file lines that all begin with ``+``, for an update
``@@`` sections; a deletion has none. It streams in events ``response.apply_patch_call_operation_diff.delta``. The
answer is an ``apply_patch_call_output`` with a status, ``completed`` or ``failed``, and words.

Reference: https://platform.openai.com/docs/guides/tools-apply-patch, and the types in the openai package
(``types/responses/response_apply_patch_tool_call.py``, ``response_input_item.py``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from agent_core.conversation import ToolCallItem, ToolResultItem
from agent_core.patch.find_envelope import BEGIN, END, HEADER, is_marker

PATCH_TOOL = "apply_patch"
BUILTIN: Mapping[str, str] = {"type": PATCH_TOOL}
CALL = "apply_patch_call"
NOTE = """# apply_patch here

Here `apply_patch` is the built-in tool: one call creates, updates or deletes one file. Its diff is what would stand
below the file's header in the format above, without `*** Begin Patch`, the header and `*** End Patch`. A change of
several files is several calls in one answer; they stand or fall together. To rename a file, create the new one and
delete the old one."""

# The guide names GPT-5.1 as the first; all later ones have it, in every size, but for one alias of 5.1.
_FIRST = (5, 1)
_WITHOUT = frozenset({"gpt-5.1-chat-latest"})
_VERSION = re.compile(r"gpt-(\d+)(?:\.(\d+))?(?![\w.])")
_HEADERS = {"create_file": "Add File", "update_file": "Update File", "delete_file": "Delete File"}
_TAIL = "*** End Patch\n"
# What an output item may carry that an input item does not know.
_NOT_IN_INPUT = frozenset({"created_by"})


def has_builtin(model: str) -> bool:
    """Whether a model of OpenAI's has the built-in tool, as far as its name tells.

    Args:
        model: The model's id, such as ``gpt-5.1-codex-mini`` or ``gpt-5.4-2026-03-05``.
    """
    found = _VERSION.match(model)
    if found is None or model in _WITHOUT:
        return False
    return (int(found.group(1)), int(found.group(2) or 0)) >= _FIRST


def _head(operation: Mapping[str, Any]) -> str:
    """The envelope's lines before the diff; what names no operation or file gives what no parser takes."""
    kind, path = str(operation.get("type") or ""), str(operation.get("path") or "")
    # A newline would make a header of the rest.
    path = re.sub(r"[\r\n]", "\N{SYMBOL FOR NEWLINE}", path)
    return f"*** Begin Patch\n*** {_HEADERS.get(kind, kind or 'an operation without a type')}: {path}\n"


def _section(operation: Mapping[str, Any]) -> str:
    """The lines of the diff, as the section of one file and no other.

    A diff that comes with its own envelope loses it. A marker that would end the section, or begin that of another
    file, becomes a line that is refused: a call changes the file it names, and what it says beyond that is not dropped.
    """
    diff = operation.get("diff")
    kind = str(operation.get("type") or "")
    if not isinstance(diff, str) or kind == "delete_file":
        return ""
    lines = diff.split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    own = f"*** {_HEADERS.get(kind, '')}: {operation.get('path')}".strip().casefold()
    if lines and is_marker(lines[0], BEGIN):
        lines = lines[1:]
    if lines and lines[0].strip().casefold() == own:
        lines = lines[1:]
    if lines and is_marker(lines[-1], END) and not lines[-1][:1].isspace():
        lines.pop()
    return "".join(f"{_guarded(line)}\n" for line in lines)


def _guarded(line: str) -> str:
    marker = is_marker(line, BEGIN) or is_marker(line, END) or HEADER.match(line.strip())
    if not marker or line[:1].isspace():
        return line
    return f"*** In a call for one file: {line}"


def to_envelope(operation: Mapping[str, Any]) -> str:
    """The operation of a call as an apply_patch envelope.

    Args:
        operation: As the model wrote it. One of an unknown kind, without a path, or reaching beyond its own file gives
            an envelope that is refused when it is read.
    """
    return _head(operation) + _section(operation) + _TAIL


def _arguments(patch: str) -> str:
    return json.dumps({"patch": patch}, ensure_ascii=False)


class StreamedCall:
    """A call that is being written: the arguments of the function call it amounts to, piece by piece.

    Args:
        item: The item as it began.
    """

    def __init__(self, item: Mapping[str, Any]) -> None:
        self.call_id = str(item.get("call_id") or "")
        operation = item.get("operation")
        self._operation: Mapping[str, Any] = operation if isinstance(operation, Mapping) else {}
        self._given: list[str] = []
        self._line_over = True

    def begin(self) -> str:
        """What is known at once: the header. Empty while the file is not named."""
        return self._give(_arguments(_head(self._operation))[:-2]) if self._operation.get("path") else ""

    def add(self, delta: str) -> str:
        """Some more of the diff."""
        if not self._given:
            return ""
        self._line_over = delta.endswith("\n")
        return self._give(json.dumps(delta, ensure_ascii=False)[1:-1])

    def end(self, arguments: str) -> str:
        """What is left of the whole arguments; the envelope's end where they are not the diff word for word."""
        given = "".join(self._given)
        if arguments.startswith(given):
            return arguments[len(given) :]
        return json.dumps(("" if self._line_over else "\n") + _TAIL)[1:-1] + '"}'

    def _give(self, text: str) -> str:
        self._given.append(text)
        return text


def call_item(item: Mapping[str, Any]) -> ToolCallItem | None:
    """A finished call as a call of the tool ``apply_patch``; None when it has no id to answer to.

    Args:
        item: The ``apply_patch_call``, kept word for word for the next requests.
    """
    call_id, operation = item.get("call_id"), item.get("operation")
    if not isinstance(call_id, str) or not call_id:
        return None
    patch = to_envelope(operation if isinstance(operation, Mapping) else {})
    raw = json.dumps(dict(item), ensure_ascii=False, separators=(",", ":"))
    return ToolCallItem(call_id, PATCH_TOOL, _arguments(patch), raw)


def call_input(call: ToolCallItem) -> dict[str, Any]:
    """A call of the built-in tool as it is sent back."""
    return {key: value for key, value in json.loads(call.raw).items() if key not in _NOT_IN_INPUT}


def output_input(result: ToolResultItem) -> dict[str, Any]:
    """The answer to a call of the built-in tool."""
    return {
        "type": "apply_patch_call_output",
        "call_id": result.call_id,
        "status": "completed" if result.ok else "failed",
        "output": result.output,
    }
