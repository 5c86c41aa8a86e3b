"""What changed inside of lines: which words of an old line are not in the new one that stands for it.

Only as much is compared as a human would look at, so that a page is drawn in no time whatever stands on it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import pairwise

from agent_core.patch.pairing import pairs
from tui.widgets.lines import Span

MOST_PAIRS = 600
"""Blocks of more old lines times new ones are paired by place, or not at all."""
MOST_CHARS = 400
"""Longer lines are not compared."""

_TOKEN = re.compile(r"\w+|\s+|[-+*/%&|^~<>=!:@]+|[^\w\s]")
_MOST_TOKENS = 160
_ALIKE = 0.35
Range = tuple[int, int]
Row = tuple[int | None, int | None]


def paired(removed: Sequence[str], added: Sequence[str]) -> list[tuple[int, int]]:
    """Which removed line of a block stands for which added one, as far as that can be said quickly."""
    count, others = len(removed), len(added)
    if count * others <= MOST_PAIRS:
        return pairs(removed, added)
    return [(at, at) for at in range(count)] if count == others else []


def beside(removed: Sequence[str], added: Sequence[str], *, quick: bool) -> list[Row]:
    """A block side by side: for each row the places of its old and its new line.

    Args:
        removed: Old lines.
        added: New lines.
        quick: Put the first beside the first whatever they are: there is too much to compare.
    """
    count, others = len(removed), len(added)
    if quick or count * others > MOST_PAIRS or not count or not others:
        return [(at if at < count else None, at if at < others else None) for at in range(max(count, others))]
    rows: list[Row] = []
    old = new = 0
    for to_old, to_new in [*pairs(removed, added), (count, others)]:
        # What has no counterpart stands beside what has none either.
        for _ in range(max(to_old - old, to_new - new)):
            rows.append((old if old < to_old else None, new if new < to_new else None))
            old, new = min(old + 1, to_old), min(new + 1, to_new)
        if to_old < count:
            rows.append((to_old, to_new))
        old, new = to_old + 1, to_new + 1
    return rows


def changed_words(old: str, new: str) -> tuple[list[Range], list[Range]]:
    """Where two lines differ.

    Args:
        old: A line.
        new: The one that stands for it.

    Returns:
        The parts of each that the other has not; none where the lines are too long, or have too little in common for
        their differences to say anything.
    """
    if len(old) > MOST_CHARS or len(new) > MOST_CHARS or old == new:
        return [], []
    ours, theirs = _TOKEN.findall(old), _TOKEN.findall(new)
    if len(ours) > _MOST_TOKENS or len(theirs) > _MOST_TOKENS:
        return [], []
    codes = SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
    same = sum(len("".join(ours[i1:i2]).strip()) for tag, i1, i2, _, _ in codes if tag == "equal")
    if same < _ALIKE * max(len(old.strip()), len(new.strip())):
        return [], []
    changed = [code for code in codes if code[0] != "equal"]
    return _ranges(ours, [(i1, i2) for _, i1, i2, _, _ in changed]), _ranges(theirs, [code[3:] for code in changed])


def _ranges(tokens: list[str], places: list[Range]) -> list[Range]:
    """Places of tokens as places of characters; what only a blank parts is one."""
    ends = [0]
    for token in tokens:
        ends.append(ends[-1] + len(token))
    found: list[Range] = []
    last = 0
    for start, end in places:
        if start == end:
            continue
        joined = bool(found) and "".join(tokens[last:start]).isspace()
        found.append((found.pop()[0] if joined else start, end))
        last = end
    return [(ends[start], ends[end]) for start, end in (_trimmed(tokens, *place) for place in found) if start < end]


def _trimmed(tokens: list[str], start: int, end: int) -> Range:
    """Tokens without the blanks at their ends."""
    while start < end and tokens[start].isspace():
        start += 1
    while start < end and tokens[end - 1].isspace():
        end -= 1
    return start, end


def laid_over(spans: Sequence[Span], ranges: Sequence[Range], style: str) -> list[Span]:
    """Spans of a text with one more style in some ranges of it.

    Args:
        spans: In order, without overlaps.
        ranges: Likewise.
        style: What is laid over, a name of the palette.
    """
    cuts = sorted({edge for span in spans for edge in span[:2]} | {edge for one in ranges for edge in one})
    found: list[Span] = []
    own = over = 0
    for start, end in pairwise(cuts):
        while own < len(spans) and spans[own][1] <= start:
            own += 1
        while over < len(ranges) and ranges[over][1] <= start:
            over += 1
        under = spans[own][2] if own < len(spans) and spans[own][0] <= start else ""
        if over < len(ranges) and ranges[over][0] <= start:
            found.append((start, end, f"{under}+{style}"))
        elif under:
            found.append((start, end, under))
    return found
