"""Three-way merge of contents, line by line.

The rule is diff3's (Khanna, Kunal, Pierce: A Formal Investigation of Diff3, 2007): both sides are compared with
their base, and a stretch of the base that only one side changed becomes what that side made of it. It differs from
``git merge-file`` in one point: changes to neighbouring lines are merged where their order is not in doubt, so that a
line a human adds right below ours does not stand in the way of an undo.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from agent_core.patch.line_diff import Change, changed_ranges

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


class _Edit(msgspec.Struct, frozen=True):
    """One side's change of a stretch of the base."""

    start: int
    end: int
    new: tuple[bytes, ...]
    is_ours: bool


def _edits(changes: Sequence[Change], new: Sequence[bytes], *, is_ours: bool) -> list[_Edit]:
    return [_Edit(a, b, tuple(new[c:d]), is_ours) for a, b, c, d in changes]


def _merge_lines(base: bytes, ours: bytes, theirs: bytes) -> Merged:
    old, mine, other = _lines(base), _lines(ours), _lines(theirs)
    my_changes = changed_ranges(old, mine)
    edits = _edits(my_changes, mine, is_ours=True)
    edits += _edits(changed_ranges(old, other), other, is_ours=False)
    edits.sort(key=lambda edit: (edit.start, edit.end))
    out: list[bytes] = []
    conflicts: list[tuple[int, int]] = []
    at = 0
    for group in _groups(edits):
        start, end = group[0].start, max(edit.end for edit in group)
        sides = [
            _side([edit for edit in group if edit.is_ours is is_ours], old, start, end) for is_ours in (True, False)
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


def _groups(edits: Sequence[_Edit]) -> list[list[_Edit]]:
    """Edits that collide, directly or through others, together; the rest each alone."""
    groups: list[list[_Edit]] = []
    for edit in edits:
        if groups and any(_collide(other, edit) for other in groups[-1]):
            groups[-1].append(edit)
        else:
            groups.append([edit])
    return groups


def _collide(first: _Edit, second: _Edit) -> bool:
    """Whether two edits, the first not starting later, touch the same place.

    Edits that only meet end to end collide when both bring lines and one replaces none: then nothing tells
    which lines come first.
    """
    if first.is_ours is second.is_ours:
        return False
    if first.end != second.start:
        return first.end > second.start
    if (first.start, first.end) == (second.start, second.end) and first.new == second.new:
        return True
    return bool(first.new and second.new) and (first.start == first.end or second.start == second.end)


def _side(edits: Sequence[_Edit], old: Sequence[bytes], start: int, end: int) -> list[bytes]:
    """What one side makes of a stretch of the base."""
    out: list[bytes] = []
    at = start
    for edit in edits:
        out += old[at : edit.start]
        out += edit.new
        at = edit.end
    return [*out, *old[at:end]]


def _span_in_ours(changes: Sequence[Change], start: int, end: int) -> tuple[int, int]:
    """The 1-based first and last line of ours that stand for a stretch of the base."""
    first = start + sum((d - c) - (b - a) for a, b, c, d in changes if b <= start and a < start)
    last = end + sum((d - c) - (b - a) for a, b, c, d in changes if b <= end)
    return first + 1, last
