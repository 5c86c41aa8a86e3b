"""Three-way merge of contents, line by line.

Both sides are compared with their base, and a stretch of the base that only one side changed becomes what that side
made of it; `agent_core.patch.overlap` says what collides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from agent_core.patch.diff import split_lines
from agent_core.patch.encoding import MARK, NotTextError, decode_alike, encode, text_of
from agent_core.patch.line_diff import Change, changed_ranges
from agent_core.patch.overlap import drawn_alike, edits_of, overlapping, side

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

    Text is merged by its lines in the encoding all three are in, a byte order mark apart from them. What is valid in
    no encoding, but not binary, is merged by lines of bytes.

    Args:
        base: What both started from.
        ours: One side; conflicts are told by its lines.
        theirs: The other side.

    Returns:
        The merged content or the conflicts. Binary contents, and such as are in different encodings, conflict as a
        whole unless one side left them alone.
    """
    if theirs in {base, ours}:
        return Merged(ours)
    if ours == base:
        return Merged(theirs)
    if len(base) + len(ours) + len(theirs) > _LONG:
        return await asyncio.to_thread(_merge_contents, base, ours, theirs)
    return _merge_contents(base, ours, theirs)


def _merge_contents(base: bytes, ours: bytes, theirs: bytes) -> Merged:
    contents = (base, ours, theirs)
    whole = Merged(None, ((1, ours.count(b"\n") + (not ours.endswith(b"\n"))),))
    try:
        alike = decode_alike(*contents)
    except NotTextError:
        if any(b"\0" in data for data in contents):
            return whole
        # Latin-1 has a character for every byte: the lines are those of the bytes.
        merged = _merge_texts(*(data.decode("latin-1") for data in contents))
        return merged if isinstance(merged, Merged) else Merged(merged.encode("latin-1"))
    if alike is None:
        return whole
    texts, codec = alike
    marks = [text[: text.startswith(MARK)] for text in texts]
    merged = _merge_texts(*(text.removeprefix(MARK) for text in texts))
    if isinstance(merged, Merged):
        return merged
    merged = (marks[1] if marks[0] == marks[2] else marks[2]) + merged
    data = encode(merged, codec)
    # One side's coding line may say what the other side's lines are not in.
    return Merged(data) if text_of(data) == merged else whole


def _merge_texts(base: str, ours: str, theirs: str) -> str | Merged:
    """The merged text, or the conflicts."""
    old, mine, other = split_lines(base), split_lines(ours), split_lines(theirs)
    my_changes = changed_ranges(old, mine)
    ours_made = edits_of(my_changes, mine, is_ours=True)
    theirs_made = edits_of(changed_ranges(old, other), other, is_ours=False)
    edits = ours_made + drawn_alike(theirs_made, ours_made, old)
    out: list[str] = []
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
    return Merged(None, tuple(conflicts)) if conflicts else "".join([*out, *old[at:]])


def _span_in_ours(changes: Sequence[Change], start: int, end: int) -> tuple[int, int]:
    """The 1-based first and last line of ours that stand for a stretch of the base."""
    first = start + sum((d - c) - (b - a) for a, b, c, d in changes if b <= start and a < start)
    last = end + sum((d - c) - (b - a) for a, b, c, d in changes if b <= end)
    return first + 1, last
