"""Two sides' edits of one text: which of them stand in each other's way.

The rule is diff3's (Khanna, Kunal, Pierce: A Formal Investigation of Diff3, 2007) with one difference: edits of
neighbouring lines get along where their order is not in doubt, so that a line a human adds right below ours does not
stand in the way of an undo.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic

import msgspec

from agent_core.patch.line_diff import Change, LineT


class Edit(msgspec.Struct, Generic[LineT], frozen=True):
    """One side's change of a stretch of the base.

    Attributes:
        start: 0-based first line of the base it replaces.
        end: The line after the last.
        new: What stands there instead.
        is_ours: Whose it is.
    """

    start: int
    end: int
    new: tuple[LineT, ...]
    is_ours: bool


def edits_of(changes: Iterable[Change], new: Sequence[LineT], *, is_ours: bool) -> list[Edit[LineT]]:
    """The edits of one side, from the ranges in which its text differs from the base."""
    return [Edit(a, b, tuple(new[c:d]), is_ours) for a, b, c, d in changes]


def drawn_alike(theirs: Sequence[Edit[LineT]], ours: Sequence[Edit[LineT]], base: Sequence[LineT]) -> list[Edit[LineT]]:
    """One side's edits, with the lines that both sides bring where the other side has them.

    A line that is put into a run of lines like it may be told as any of these; the same change of both sides is to be
    known as that, and made once.

    Args:
        theirs: The edits of one side, from top to bottom.
        ours: Those of the other side.
        base: The lines of the base.
    """
    wanted = {_lowest(edit, base): edit for edit in ours if edit.start == edit.end}
    out: list[Edit[LineT]] = []
    for number, edit in enumerate(theirs):
        same = wanted.get(_lowest(edit, base)) if edit.start == edit.end else None
        above = theirs[number - 1].end if number else -1
        below = theirs[number + 1].start if number + 1 < len(theirs) else len(base) + 1
        if same is not None and above < same.start < below:
            out.append(Edit(same.start, same.end, same.new, edit.is_ours))
        else:
            out.append(edit)
    return out


def _lowest(edit: Edit[LineT], base: Sequence[LineT]) -> tuple[int, tuple[LineT, ...]]:
    """Where new lines may be told to stand that are as far down as they can without another text, and the lines."""
    at, count = edit.start, 0
    while at < len(base) and base[at] == edit.new[count % len(edit.new)]:
        at, count = at + 1, count + 1
    turn = count % len(edit.new)
    return at, edit.new[turn:] + edit.new[:turn]


def overlapping(edits: Iterable[Edit[LineT]]) -> list[list[Edit[LineT]]]:
    """Edits of both sides from top to bottom: those that collide, directly or through others, together.

    Args:
        edits: Of both sides; those of one side do not overlap.

    Returns:
        Groups; one with edits of both sides is a conflict, unless both made the same of it.
    """
    groups: list[list[Edit[LineT]]] = []
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if groups and any(_collide(other, edit) for other in groups[-1]):
            groups[-1].append(edit)
        else:
            groups.append([edit])
    return groups


def _collide(first: Edit[LineT], second: Edit[LineT]) -> bool:
    """Whether two edits, the first not starting later, touch the same place.

    Edits that only meet end to end collide when both bring lines and one replaces none: then nothing tells which lines
    come first. Line for line it is told: what stands for a line stays where the line was, new lines come next to it;
    but lines that both bring may be the same change, half done.
    """
    if first.is_ours is second.is_ours:
        return False
    if first.end != second.start:
        return first.end > second.start
    if (first.start, first.end) == (second.start, second.end) and first.new == second.new:
        return True
    if not (first.new and second.new) or (first.start < first.end and second.start < second.end):
        return False
    replacing = second if first.start == first.end else first
    return not _line_for_line(replacing) or not set(first.new).isdisjoint(second.new)


def _line_for_line(edit: Edit[LineT]) -> bool:
    """Whether an edit replaces each of its lines by one, and the last one by one that others can follow."""
    return len(edit.new) == edit.end - edit.start and edit.new[-1][-1:] in {"\n", b"\n"}


def side(edits: Iterable[Edit[LineT]], base: Sequence[LineT], start: int, end: int) -> list[LineT]:
    """What one side makes of a stretch of the base.

    Args:
        edits: That side's edits in it, from top to bottom.
        base: The lines of the base.
        start: 0-based first line of the stretch.
        end: The line after its last.
    """
    out: list[LineT] = []
    at: int = start
    for edit in edits:
        out += base[at : edit.start]
        out += edit.new
        at = edit.end
    out += base[at:end]
    return out
