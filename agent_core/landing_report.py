"""What a patch or a landing does to files, told to people and to scripts.

The JSON that ``pairloop patch apply --json`` and ``pairloop log --json`` print holds one `FileReport` a file; its
field names and those of `BlockReport` are stable.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TextIO

import msgspec

from agent_core.events import FileLanding
from agent_core.patch.diff import make_patch
from agent_core.patch.model import FileKind, FilePatch, Patch
from agent_core.text import printable
from agent_core.workspace.tree import FileChange, content_hash

_EMPTY = content_hash(b"")
_VERBS: dict[FileKind, str] = {"add": "add   ", "update": "update", "delete": "delete", "move": "move  "}
_PLAIN, _BOLD, _RED, _GREEN, _CYAN = "\x1b[0m", "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[36m"


class BlockReport(msgspec.Struct, frozen=True):
    """One run of changed lines.

    Attributes:
        id: Its stable name, which ``--only`` takes.
        old_start: 1-based first line of what is removed, in the old text (where it would stand, if nothing is).
        new_start: 1-based first line of what is added, in the new text (where it would stand, if nothing is).
        removed: How many lines go.
        added: How many lines come.
    """

    id: str
    old_start: int
    new_start: int
    removed: int
    added: int


class FileReport(msgspec.Struct, frozen=True):
    """What happens to one file.

    Attributes:
        kind: ``add``, ``update``, ``delete`` or ``move``.
        path: Its path afterwards (a deleted file's own), relative to the project's folder.
        moved_from: Its path before a move, else null.
        added: How many lines come.
        removed: How many lines go.
        old_mode: Git's mode before, such as ``100644``; null where there was no file.
        new_mode: Git's mode afterwards; null where there is no file.
        binary: Its content changes, and is no text.
        blocks: The changed runs, from top to bottom.
    """

    kind: FileKind
    path: str
    moved_from: str | None
    added: int
    removed: int
    old_mode: str | None
    new_mode: str | None
    binary: bool
    blocks: tuple[BlockReport, ...]


def report(patch: Patch) -> tuple[FileReport, ...]:
    """A patch as its JSON tells it, one entry a file."""
    return tuple(_report(file) for file in patch.files)


def _report(file: FilePatch) -> FileReport:
    blocks = tuple(
        BlockReport(block.id, block.old_start, block.new_start, len(block.removed), len(block.added))
        for block in file.blocks
    )
    changed = (file.before or _EMPTY) != (file.after or _EMPTY)
    return FileReport(
        kind=file.kind,
        path=file.path,
        moved_from=file.moved_from,
        added=file.added,
        removed=file.removed,
        old_mode=_mode(file.before_mode),
        new_mode=_mode(file.after_mode),
        binary=changed and not blocks,
        blocks=blocks,
    )


def _mode(mode: int) -> str | None:
    return f"{mode:06o}" if mode else None


def summary(file: FileReport) -> str:
    """One line for a human: kind, path, how many lines come and go, and what else changes."""
    name = f"{file.moved_from} -> {file.path}" if file.moved_from is not None else file.path
    count = "binary" if file.binary else f"+{file.added} -{file.removed}"
    changed = file.old_mode != file.new_mode and file.old_mode is not None and file.new_mode is not None
    mode = f" mode {file.old_mode} -> {file.new_mode}" if changed else ""
    return f"{_VERBS[file.kind]} {name} {count}{mode}"


def landing_patch(files: Sequence[FileLanding], content: Callable[[str], bytes]) -> Patch:
    """What a landing wrote, as a patch.

    Args:
        files: The landing's files.
        content: Gives content by hash.
    """
    before: dict[str, FileChange] = {}
    changes: dict[str, FileChange] = {}
    for file in files:
        if file.before is not None:
            before[file.path] = FileChange(content(file.before), file.before_mode)
        changes[file.path] = FileChange(None if file.after is None else content(file.after), file.after_mode)
    moves = {file.path: file.moved_from for file in files if file.moved_from in before}
    return make_patch(changes, before.get, moves)


def wants_colour(out: TextIO) -> bool:
    """Whether colours are wanted there: on a terminal that has them, unless ``NO_COLOR`` is set (no-color.org)."""
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def heading(text: str, *, colour: bool) -> str:
    """A line that stands out, where there is colour."""
    return f"{_BOLD}{text}{_PLAIN}" if colour else text


def diff_lines(diff: str, *, colour: bool) -> Iterator[str]:
    """The lines of a unified diff, safe to be shown on a terminal.

    Args:
        diff: As `agent_core.patch.diff.unified` writes it.
        colour: Put colours round them.
    """
    inside = False
    for line in printable(diff).split("\n")[:-1]:
        if line.startswith("diff --git "):
            inside = False
        elif line.startswith("@@ "):
            inside = True
        style = ({"@": _CYAN, "-": _RED, "+": _GREEN}.get(line[:1], "") if inside else _BOLD) if colour else ""
        yield f"{style}{line}{_PLAIN}" if style else line
