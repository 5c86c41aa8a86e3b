"""A patch as an editor's diffs: the text of each file before and after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from acp import tool_diff_content
from acp.schema import ContentToolCallContent, FileEditToolCallContent, ToolCallLocation

from agent_core.acp.words import content, plain
from agent_core.errors import JournalError
from agent_core.patch.model import FilePatch, Patch

_MOST, _MOST_OF_ALL = 1_000_000, 8_000_000
"""Bytes of the largest text that is sent whole, and of all texts of a patch."""


def diffs(
    patch: Patch, root: Path, read: Callable[[str], bytes]
) -> list[ContentToolCallContent | FileEditToolCallContent]:
    """What a patch does, a file each.

    Args:
        patch: The patch.
        root: The project's folder.
        read: Gives content by hash.
    """
    shown: list[ContentToolCallContent | FileEditToolCallContent] = []
    size = 0
    for file in patch.files:
        words = _besides(file)
        before, after = _text(file.before, read), _text(file.after, read)
        size += len(before or "") + len(after or "")
        if before is None or after is None or size > _MOST_OF_ALL:
            words = words or f"{file.kind} {file.path}"
            words += " (no text, or too much of it to be shown here)"
        elif before != after or file.kind == "add":
            old = None if file.before is None else before
            shown.append(tool_diff_content(str(root / file.path), after, old))
        if words:
            shown.append(content(plain(words)))
    return shown


def locations(patch: Patch, root: Path) -> list[ToolCallLocation]:
    """Where a patch changes something."""
    return [
        ToolCallLocation(path=str(root / file.path), line=file.blocks[0].new_start if file.blocks else None)
        for file in patch.files
    ]


def _besides(file: FilePatch) -> str:
    """What a file's two texts do not show."""
    if file.moved_from:
        return f"{file.moved_from} becomes {file.path}"
    if file.kind == "delete":
        return f"{file.path} is deleted"
    if file.before_mode and file.after_mode and file.before_mode != file.after_mode:
        return f"{file.path}: mode {file.before_mode:o} becomes {file.after_mode:o}"
    return ""


def _text(digest: str | None, read: Callable[[str], bytes]) -> str | None:
    """The text of a content, empty for no file; None where it is no text that can be shown."""
    if digest is None:
        return ""
    try:
        data = read(digest)
        return None if len(data) > _MOST or b"\0" in data else data.decode()
    except (JournalError, UnicodeDecodeError):
        return None
