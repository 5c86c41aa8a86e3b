"""Patches as a good model writes them, in each format: the opposite of reading them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from agent_core.patch.diff import make_blocks, make_patch, split_lines, unified
from agent_core.patch.model import Block
from agent_core.workspace.tree import FileChange, content_hash

NO_NEWLINE = "\\ No newline at end of file"
REGULAR = 0o100644

_CONTEXT = 3
_SCOPE = re.compile(r"\s*(?:async\s+def|def|class)\s")


class FileEdit(NamedTuple):
    """What becomes of one file.

    Attributes:
        path: The path it has before, or gets when it is new.
        before: Its text before; None when it is new.
        after: Its text after; None when it is deleted.
        move_to: The path it has afterwards, where that is another one.
        old_mode: Git-style mode before.
        mode: Git-style mode after.
    """

    path: str
    before: str | None
    after: str | None
    move_to: str | None = None
    old_mode: int = REGULAR
    mode: int = REGULAR


class CannotSayError(Exception):
    """The format has no way to say this."""


class _Group(NamedTuple):
    """Blocks that share one hunk: lines `start` to before `end` of the old text."""

    start: int
    end: int
    blocks: list[Block]


def write_envelope(edits: Iterable[FileEdit]) -> str:
    """An apply_patch envelope.

    Raises:
        CannotSayError: A mode changes, or a new file is executable.
    """
    out = ["*** Begin Patch"]
    for edit in edits:
        if edit.mode != (edit.old_mode if edit.before is not None else REGULAR):
            raise CannotSayError("modes")
        if edit.before is None:
            out.append(f"*** Add File: {edit.path}")
            out += [text for line in split_lines(edit.after or "") for text in signed("+", line)]
        elif edit.after is None:
            out.append(f"*** Delete File: {edit.path}")
        else:
            out.append(f"*** Update File: {edit.path}")
            if edit.move_to is not None:
                out.append(f"*** Move to: {edit.move_to}")
            old = split_lines(edit.before)
            for group in _groups(edit.path, edit.before, edit.after):
                out.append(_heading(old, group))
                out += _hunk(old, group)
    return "\n".join([*out, "*** End Patch", ""])


def write_blocks(edits: Iterable[FileEdit]) -> str:
    """SEARCH/REPLACE blocks, each in a fence of its own below the path. They say nothing of a final newline.

    Raises:
        CannotSayError: A file is deleted, moved or gets another mode, a blank one gets text, or nothing but the
            final newline changes.
    """
    out: list[str] = []
    for edit in edits:
        if edit.move_to is not None or edit.mode != (edit.old_mode if edit.before is not None else REGULAR):
            raise CannotSayError("moves and modes")
        if edit.after is None or (edit.before is not None and not edit.before.strip()):
            raise CannotSayError("deletions, and text for a file that is blank")
        if edit.before is None:
            out += _block(edit.path, [], _texts(split_lines(edit.after)))
            continue
        old = split_lines(edit.before)
        found = len(out)
        for group in _groups(edit.path, edit.before, edit.after):
            search, replace = _sides(old, group)
            if search != replace:
                out += _block(edit.path, search, replace)
        if len(out) == found:
            raise CannotSayError("a change of nothing but the final newline")
    return "\n".join(out)


def write_unified(edits: Iterable[FileEdit]) -> str:
    """A unified diff as git writes it."""
    before: dict[str, FileChange] = {}
    after: dict[str, FileChange] = {}
    moves: dict[str, str] = {}
    for edit in edits:
        target = edit.move_to or edit.path
        if edit.before is not None:
            before[edit.path] = FileChange(edit.before.encode(), edit.old_mode)
            after.setdefault(edit.path, FileChange(None, 0))
        if edit.after is not None:
            after[target] = FileChange(edit.after.encode(), edit.mode)
        if edit.move_to is not None:
            moves[target] = edit.path
    patch = make_patch(after, before.get, moves)
    contents = [change.data for change in (*before.values(), *after.values()) if change.data is not None]
    return unified(patch, {content_hash(data): data for data in contents}.__getitem__)


def signed(sign: str, line: str) -> list[str]:
    """One line of a text as lines of a hunk."""
    return [sign + line[:-1].removesuffix("\r")] if line.endswith("\n") else [sign + line, NO_NEWLINE]


def _texts(lines: Sequence[str]) -> list[str]:
    return [line.removesuffix("\n").removesuffix("\r") for line in lines]


def _groups(path: str, before: str, after: str) -> list[_Group]:
    """The hunks of one file, each with as much context as makes its place the only one."""
    lines = split_lines(before)
    found: list[_Group] = []
    for block in make_blocks(path, before.encode(), after.encode()):
        first = block.old_start - 1
        group = _grown(lines, first, first + len(block.removed), [block])
        while found and group.start <= found[-1].end:
            last = found.pop()
            group = _grown(lines, last.start, max(group.end, last.end), [*last.blocks, *group.blocks], more=0)
        found.append(group)
    return found


def _grown(lines: list[str], start: int, end: int, blocks: list[Block], more: int = _CONTEXT) -> _Group:
    while True:
        start, end = max(start - more, 0), min(end + more, len(lines))
        if (start, end) == (0, len(lines)) or _is_unique(lines, start, end):
            return _Group(start, end, blocks)
        more = _CONTEXT


def _is_unique(lines: list[str], start: int, end: int) -> bool:
    """Whether lines stand in a text only once, however their ends look."""
    if start == end:
        return False
    wanted = [line.rstrip() for line in lines[start:end]]
    if not any(wanted):
        return False
    places = [at for at, line in enumerate(lines) if line.rstrip() == wanted[0]]
    return sum([line.rstrip() for line in lines[at : at + len(wanted)]] == wanted for at in places) == 1


def _heading(lines: list[str], group: _Group) -> str:
    """The ``@@`` line: the function or class around the hunk, where one stands above it."""
    texts = [line for line in lines[group.start : group.end] if line.strip()]
    depth = len(texts[0]) - len(texts[0].lstrip()) if texts else 0
    for line in reversed(lines[: group.start]):
        if _SCOPE.match(line) and len(line) - len(line.lstrip()) < depth:
            return f"@@ {line.strip()}"
    return "@@"


def _hunk(lines: list[str], group: _Group) -> list[str]:
    out: list[str] = []
    at = group.start
    for block in group.blocks:
        first = block.old_start - 1
        out += [text for line in lines[at:first] for text in signed(" ", line)]
        out += [text for line in block.removed for text in signed("-", line)]
        out += [text for line in block.added for text in signed("+", line)]
        at = first + len(block.removed)
    return out + [text for line in lines[at : group.end] for text in signed(" ", line)]


def _sides(lines: list[str], group: _Group) -> tuple[list[str], list[str]]:
    """The lines of a hunk before and after."""
    new: list[str] = []
    at = group.start
    for block in group.blocks:
        new += [*lines[at : block.old_start - 1], *block.added]
        at = block.old_start - 1 + len(block.removed)
    return _texts(lines[group.start : group.end]), _texts([*new, *lines[at : group.end]])


def _block(path: str, search: list[str], replace: list[str]) -> list[str]:
    """One block, with markers longer than any line that looks like one."""
    width = next((n for n in (7, 9, 8, 6, 5) if not {"=" * n} & {line.rstrip() for line in search + replace}), 7)
    ticks = max((len(run) for line in search + replace for run in re.findall(r"`{3,}", line)), default=2) + 1
    return [
        f"`{path}`" if " " in path else path,
        "`" * ticks,
        f"{'<' * width} SEARCH",
        *search,
        "=" * width,
        *replace,
        f"{'>' * width} REPLACE",
        "`" * ticks,
        "",
    ]
