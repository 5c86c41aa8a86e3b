"""Three-way merge of contents, line by line.

Both sides are compared with their base, and a stretch of the base that only one side changed becomes what that side
made of it; `agent_core.patch.overlap` says what collides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from agent_core.patch.line_diff import Change, changed_ranges
from agent_core.patch.overlap import edits_of, overlapping, side

_LONG = 200_000


class Merged(msgspec.Struct, frozen=True):
    """The outcome of a merge.

    Attributes:
        data: The merged content; None when there are conflicts.
        conflicts: For each conflict the 1-based first and last line of `ours` it covers. Where it covers
            none, the last is one less than the first.
    """

    data: bytes | None
    conflicts: tuple[tuple[int, int], ...] = ()


async def merge(base: bytes, ours: bytes, theirs: bytes) -> Merged:
    """Merge what two sides made of a content.

    Args:
        base: What both started from.
        ours: One side; conflicts are told by its lines.
        theirs: The other side.

    Returns:
        The merged content or the conflicts. Contents with NUL bytes conflict unless one side left them alone.
    """
    if theirs in {base, ours}:
        return Merged(ours)
    if ours == base:
        return Merged(theirs)
    if any(b"\0" in data for data in (base, ours, theirs)):
        return Merged(None, ((1, ours.count(b"\n") + (not ours.endswith(b"\n"))),))
    if len(base) + len(ours) + len(theirs) > _LONG:
        return await asyncio.to_thread(_merge_lines, base, ours, theirs)
    return _merge_lines(base, ours, theirs)


def _lines(data: bytes) -> list[bytes]:
    pieces = data.split(b"\n")
    last = pieces.pop()
    lines = [piece + b"\n" for piece in pieces]
    return [*lines, last] if last else lines


def _merge_lines(base: bytes, ours: bytes, theirs: bytes) -> Merged:
    old, mine, other = _lines(base), _lines(ours), _lines(theirs)
    my_changes = changed_ranges(old, mine)
    edits = edits_of(my_changes, mine, is_ours=True) + edits_of(changed_ranges(old, other), other, is_ours=False)
    out: list[bytes] = []
    conflicts: list[tuple[int, int]] = []
    at = 0
    for group in overlapping(edits):
        start, end = group[0].start, max(edit.end for edit in group)
        sides = [
            side([edit for edit in group if edit.is_ours is is_ours], old, start, end) for is_ours in (True, False)
        ]
        out += old[at:start]
        at = end
        if len({edit.is_ours for edit in group}) == 1:
            out += sides[not group[0].is_ours]
        elif sides[0] == sides[1]:
            out += sides[0]
        else:
            conflicts.append(_span_in_ours(my_changes, start, end))
    if conflicts:
        return Merged(None, tuple(conflicts))
    return Merged(b"".join([*out, *old[at:]]))


def _span_in_ours(changes: Sequence[Change], start: int, end: int) -> tuple[int, int]:
    """The 1-based first and last line of ours that stand for a stretch of the base."""
    first = start + sum((d - c) - (b - a) for a, b, c, d in changes if b <= start and a < start)
    last = end + sum((d - c) - (b - a) for a, b, c, d in changes if b <= end)
    return first + 1, last
