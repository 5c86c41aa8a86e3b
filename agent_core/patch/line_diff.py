"""Which lines differ between two texts, also when they are long.

Common head and tail are cut off first. Then lines that occur once in both texts are matched in their longest common
order (the idea of Bram Cohen's patience diff), and only the gaps between them go to difflib, whose time grows with
the product of what it compares; large gaps are tried by Myers's algorithm first, whose time grows with what differs.
"""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

LineT = TypeVar("LineT", str, bytes)
Change = tuple[int, int, int, int]

_MOST_PAIRS = 1_000_000
_MOST_EDITS = 400
# Pairs of equal lines: difflib looks at all of them, again and again.
_MOST_MEETINGS = 2_000_000


def changed_ranges(old: Sequence[LineT], new: Sequence[LineT]) -> list[Change]:
    """The runs of lines that differ.

    Args:
        old: Lines before.
        new: Lines after.

    Returns:
        Half-open ranges ``(old_start, old_end, new_start, new_end)`` from top to bottom. Between them the lines are
        the same, and at least one line stands between two of them.
    """
    found: list[Change] = []
    _between(old, new, (0, len(old), 0, len(new)), found)
    joined: list[Change] = []
    for change in found:
        if joined and joined[-1][1] == change[0] and joined[-1][3] == change[2]:
            joined[-1] = (joined[-1][0], change[1], joined[-1][2], change[3])
        else:
            joined.append(change)
    return joined


def _between(old: Sequence[LineT], new: Sequence[LineT], window: Change, found: list[Change]) -> None:
    """Add the differences inside a window; windows are taken from the left, so they come in order."""
    todo = [window]
    while todo:
        a, b, c, d = todo.pop()
        while a < b and c < d and old[a] == new[c]:
            a, c = a + 1, c + 1
        while a < b and c < d and old[b - 1] == new[d - 1]:
            b, d = b - 1, d - 1
        if a == b or c == d:
            if a < b or c < d:
                found.append((a, b, c, d))
            continue
        anchors: list[tuple[int, int]] = _unique_matches(old, new, (a, b, c, d))
        if anchors:
            gaps: list[Change] = []
            for x, y in [*anchors, (b, d)]:
                gaps.append((a, x, c, y))
                a, c = x + 1, y + 1
            todo += reversed(gaps)
            continue
        found += _in_gap(old, new, (a, b, c, d))


def _in_gap(old: Sequence[LineT], new: Sequence[LineT], window: Change) -> list[Change]:
    """The differences of two stretches that share no line that is unique on both sides."""
    a, b, c, d = window
    if (b - a) * (d - c) > _MOST_PAIRS:
        few = _few_edits(old, new, window)
        if few is not None:
            return few
        if _meetings(old[a:b], new[c:d]) > _MOST_MEETINGS:
            return [window]
    # Beyond that autojunk keeps the time in bounds; two long stretches with nothing in common order differ all over.
    autojunk = (b - a) * (d - c) > _MOST_PAIRS
    matcher = difflib.SequenceMatcher(None, old[a:b], new[c:d], autojunk=autojunk)
    return [(a + i, a + j, c + k, c + m) for tag, i, j, k, m in matcher.get_opcodes() if tag != "equal"]


def _meetings(old: Sequence[LineT], new: Sequence[LineT]) -> int:
    """How many pairs of equal lines there are, apart from the lines that difflib passes over as too frequent."""
    count = Counter(new)
    return sum(count[line] for line in old if count[line] <= len(new) // 100 + 1)


def _few_edits(old: Sequence[LineT], new: Sequence[LineT], window: Change) -> list[Change] | None:
    """The shortest way from one stretch to the other by single lines; None when it takes too many.

    Eugene W. Myers, An O(ND) Difference Algorithm and Its Variations, 1986: how far each diagonal gets with a
    number of edits, and from the end back along the way that came furthest.
    """
    a, b, c, d = window
    width, height = b - a, d - c
    reach = {1: 0}
    trace: list[dict[int, int]] = []
    for edits in range(_MOST_EDITS):
        trace.append(dict(reach))
        for diagonal in range(-edits, edits + 1, 2):
            down = diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1])
            x = reach[diagonal + 1] if down else reach[diagonal - 1] + 1
            y = x - diagonal
            while x < width and y < height and old[a + x] == new[c + y]:
                x, y = x + 1, y + 1
            reach[diagonal] = x
            if x >= width and y >= height:
                return _way_back(trace, window)
    return None


def _way_back(trace: Sequence[dict[int, int]], window: Change) -> list[Change]:
    """The edits that led to the end, as runs from top to bottom."""
    a, b, c, d = window
    x, y = b - a, d - c
    steps: list[Change] = []
    for edits in range(len(trace) - 1, 0, -1):
        reach, diagonal = trace[edits], x - y
        down = diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1])
        before = diagonal + 1 if down else diagonal - 1
        x = reach[before]
        y = x - before
        steps.append((a + x, a + x + (not down), c + y, c + y + down))
    return steps[::-1]


def _unique_matches(old: Sequence[LineT], new: Sequence[LineT], window: Change) -> list[tuple[int, int]]:
    """Pairs of places of lines that occur once on both sides, in the longest order common to both."""
    a, b, c, d = window
    count_old, count_new = Counter(old[a:b]), Counter(new[c:d])
    place = {line: at for at, line in enumerate(new[c:d], c) if count_new[line] == 1}
    pairs = [(at, place[line]) for at, line in enumerate(old[a:b], a) if count_old[line] == 1 and line in place]
    # Longest increasing subsequence by patience: the tops of the piles, and for each card the one left of it.
    tops: list[int] = []
    cards: list[int] = []
    left: list[int] = []
    for index, (_, at) in enumerate(pairs):
        pile = bisect_left(tops, at)
        left.append(cards[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(at)
            cards.append(index)
        else:
            tops[pile] = at
            cards[pile] = index
    chain: list[tuple[int, int]] = []
    card = cards[-1] if cards else -1
    while card >= 0:
        chain.append(pairs[card])
        card = left[card]
    return chain[::-1]
