"""The place of a hunk that is not quite what its author remembers: the last resort, with every guard there is.

The hunk's old lines are aligned with stretches of the file (`agent_core.patch.align`). A stretch is the place only when

* it is at least `THRESHOLD` like the hunk;
* the hunk says enough: `LEAST` lines with words, at least half of which stand there as they are, blanks apart;
* no other stretch comes within `MARGIN` of that likeness, or has as many of these lines as they are but one;
* every line that goes is there, alone, differing in nothing but blanks: what a human has since changed in it, be it a
  number, a name or a sign, is never overwritten. Lines that go together stand together;
* every new line comes next to a line that is there as the hunk has it, and nothing stands in between;
* there is only one way to align it that comes to this, and none within `MARGIN` that puts a change elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from agent_core.patch.align import Alignment, ReadLine, Stretch, read_line
from agent_core.patch.document import Document
from agent_core.patch.levels import SPACELESS
from agent_core.patch.operations import HunkLine
from agent_core.patch.place import Spot
from agent_core.patch.scopes import in_scope

# About one character in seven may differ: a reworded line of context in a hunk of seven. Below that the stretches of
# one file that are merely written alike (the methods of a class, the cases of a table) begin to pass. Aider takes 0.8
# without the other conditions.
THRESHOLD = 0.85
# Siblings written after one model mostly differ by less than this.
MARGIN = 0.1
# Lines with words that a hunk needs; fewer are found in many places.
LEAST = 3

# Stretches looked at closely, the most promising first.
_MOST_STRETCHES = 12
# Lines that stand at more places than this do not tell where a hunk belongs.
_MOST_VOTES = 2_000
# Rows times columns: of one stretch, of all stretches, and of one for every change of the hunk.
_MOST_CELLS = 60_000
_MOST_IN_ALL = 300_000
_MOST_CHECKED = 600_000


class _Run(NamedTuple):
    """Lines that are changed together.

    Attributes:
        first: Index of the first old line that goes, or before which the new ones come.
        below: Index of the old line below it.
    """

    first: int
    below: int


def find_similar(document: Document, lines: tuple[HunkLine, ...], scopes: Sequence[tuple[int, int]]) -> Spot | None:
    """The one place that is so like a hunk that it must be meant.

    Args:
        document: The file.
        lines: The hunk's lines.
        scopes: Ranges of lines, one of which it has to be in.

    Returns:
        The place; None when there is none, or it is not certain.
    """
    old = [read_line(line.text) for line in lines if line.sign != "+"]
    if sum(line.telling for line in old) < LEAST or not _all_there(document, lines):
        return None
    stretches = [
        Stretch(old, [read_line(document.lines[at]) for at in range(first, last)], first)
        for first, last in _stretches(document, old)
    ]
    found = [(both, stretch) for stretch in stretches if (both := stretch.align()) and _within(both[0], scopes)]
    if not found:
        return None
    (best, other), stretch = max(found, key=lambda one: one[0][0].ratio)
    if best.ratio < THRESHOLD or best.pairs != other.pairs:
        return None
    telling = [at for at, line in enumerate(old) if line.telling]
    sure = sum(best.same[at] for at in telling)
    if sure * 2 < len(telling):
        return None
    pairs = [(index, at) for index, at in enumerate(best.pairs) if at is not None]
    for rival in (both[0] for one in stretches if (both := one.align(pairs)) and _within(both[0], scopes)):
        if rival.ratio > best.ratio - MARGIN or sum(rival.same[at] for at in telling) >= sure - 1:
            return None
    core = _pinned(stretch, best, lines)
    start, end = best.ends
    return Spot(start, end, core, lines, None, best.pairs, best.ratio) if core is not None else None


def _within(alignment: Alignment, scopes: Sequence[tuple[int, int]]) -> bool:
    return in_scope(scopes, *alignment.ends)


def _all_there(document: Document, lines: Sequence[HunkLine]) -> bool:
    """Whether every line that goes is somewhere in the file, blanks apart."""
    keys = {key for line in lines if line.sign == "-" and (key := SPACELESS.key(line.text))}
    return all(document.find(SPACELESS, [key], 0) for key in keys)


def _stretches(document: Document, old: Sequence[ReadLine]) -> list[tuple[int, int]]:
    """The stretches of the file with most of the old lines, where these put the first of them."""
    votes: Counter[int] = Counter()
    positions: dict[str, list[int]] = {}
    for at, line in enumerate(old):
        if line.words:
            positions.setdefault(SPACELESS.key(line.key), []).append(at)
    for key, wanted in positions.items():
        most = _MOST_VOTES // len(wanted)
        places = document.find(SPACELESS, [key], most)
        if len(places) <= most:
            for at in wanted:
                votes.update({place - at: len(key) for place in places})
    pad = len(old) // 2 + 5
    chosen: list[int] = []
    for start, _ in votes.most_common():
        if all(abs(start - other) > pad // 2 for other in chosen):
            chosen.append(start)
            if len(chosen) == _MOST_STRETCHES:
                break
    chosen = chosen[: _MOST_IN_ALL // (len(old) * (len(old) + 2 * pad))]
    stretches = [(max(start - pad, 0), min(start + len(old) + pad, document.length)) for start in chosen]
    return [(first, last) for first, last in stretches if first < last and (last - first) * len(old) <= _MOST_CELLS]


def _pinned(stretch: Stretch, best: Alignment, lines: Sequence[HunkLine]) -> tuple[int, int] | None:
    """The range between first and last change, when every change has its certain place; else None."""
    runs = list(_runs(lines))
    if stretch.cells * len(runs) > _MOST_CHECKED:
        return None
    blank = [not line.text.strip() for line in lines if line.sign != "+"]
    bounds = [_bound(run, best, blank) for run in runs]
    for run, bound in zip(runs, bounds, strict=True):
        if bound is None or any(_speaks_against(other, best, run, blank) for other in _others(stretch, best, run)):
            return None
    first, last = bounds[0], bounds[-1]
    return (first[0], last[1]) if first is not None and last is not None else None


def _others(stretch: Stretch, best: Alignment, run: _Run) -> Iterator[Alignment]:
    """The best alignments without what gives a change its place."""
    first, below = run
    gone = [range(first, below)] if first < below else [range(max(first - 1, 0), first), range(below, below + 1)]
    for indexes in gone:
        pairs = [(index, at) for index in indexes if index < len(best.pairs) and (at := best.pairs[index]) is not None]
        yield from (stretch.align(pairs) or ()) if pairs else ()


def _speaks_against(other: Alignment, best: Alignment, run: _Run, blank: Sequence[bool]) -> bool:
    """Whether an alignment that is nearly as good has a change elsewhere, or shows that what it takes has gone."""
    if other.ratio <= best.ratio - MARGIN and sum(other.same) < sum(best.same):
        return False
    bound = _bound(run, other, blank)
    if bound is not None:
        return bound != _bound(run, best, blank)
    return any(new and not old and not empty for new, old, empty in zip(other.same, best.same, blank, strict=True))


def _runs(lines: Sequence[HunkLine]) -> Iterator[_Run]:
    """The changes of a hunk."""
    old = first = 0
    changed = False
    for line in [*lines, HunkLine(" ", "")]:
        if line.sign == " ":
            if changed:
                yield _Run(first, old)
            old, changed = old + 1, False
            first = old
        else:
            changed = True
            old += line.sign == "-"


def _bound(run: _Run, alignment: Alignment, blank: Sequence[bool]) -> tuple[int, int] | None:
    """Where a change has its certain place in an alignment; None when it has none."""
    said = [alike and not empty for alike, empty in zip(alignment.same, blank, strict=True)]
    first, below = run
    # A blank line is like any other: lines of nothing else need a neighbour to be known by, as new ones do.
    there = _between(alignment.pairs, said, first, below)
    if first == below:
        return there
    return _gone(alignment, first, below) if any(said[first:below]) or there is not None else None


def _gone(alignment: Alignment, first: int, below: int) -> tuple[int, int] | None:
    """The lines of the file that go, when they stand together as the hunk has them."""
    pairs = alignment.pairs[first:below]
    start = pairs[0]
    if start is None or not all(alignment.same[first:below]) or pairs != tuple(range(start, start + len(pairs))):
        return None
    return start, start + len(pairs)


def _between(pairs: tuple[int | None, ...], said: Sequence[bool], first: int, below: int) -> tuple[int, int] | None:
    """Where the old lines from `first` to before `below` stand: directly at one that is there as the hunk has it."""
    over = pairs[first - 1] if first else None
    under = pairs[below] if below < len(pairs) else None
    count = below - first
    if over is not None and under is not None and under != over + 1 + count:
        return None
    if over is not None and said[first - 1] and pairs[first:below] == tuple(range(over + 1, over + 1 + count)):
        return over + 1, over + 1 + count
    if under is not None and said[below] and pairs[first:below] == tuple(range(under - count, under)):
        return under - count, under
    return None
