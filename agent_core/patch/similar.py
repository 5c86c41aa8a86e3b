"""The place of a hunk that is not quite what its author remembers: the last resort, with every guard there is.

The hunk's old lines are aligned with stretches of the file by dynamic programming (as in Needleman & Wunsch, 1970,
with free ends in the file). A stretch is the place only when

* it is at least `THRESHOLD` like the hunk, and no other stretch comes within `MARGIN` of that;
* the hunk says enough: `LEAST` lines with words, at least half of which stand there as they are, blanks apart;
* every line that goes is there, alone, differing in nothing but blanks: what a human has since changed in it, be it a
  number, a name or a sign, is never overwritten. Lines that go together stand together;
* every new line comes next to a line that is there as the hunk has it, and nothing stands in between;
* there is only one way to align it that comes to this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from agent_core.patch.document import Document
from agent_core.patch.levels import SPACELESS, tokens
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

# Two lines that are less alike than this are not aligned.
_ALIKE = 0.6
# Stretches looked at closely, the most promising first.
_MOST_STRETCHES = 12
# Lines that stand at more places than this do not tell where a hunk belongs.
_MOST_VOTES = 2_000
_MOST_CELLS = 200_000
# A line of the file that the hunk leaves out costs a little, so that lines which belong together stay together.
_SKIP = 0.05


class _Line(NamedTuple):
    """A line as it is compared.

    Attributes:
        said: Its words, signs and string literals.
        words: What of that is more than a sign.
        key: The line without blanks.
    """

    said: list[str]
    words: frozenset[str]
    key: str


class _Alignment(NamedTuple):
    """How a hunk's old lines stand in a stretch of the file.

    Attributes:
        pairs: For each old line the line of the file; None where there is none.
        ratio: How like the two are, from 0 to 1.
    """

    pairs: tuple[int | None, ...]
    ratio: float

    @property
    def ends(self) -> tuple[int, int]:
        """The half-open range of lines of the file."""
        there = [at for at in self.pairs if at is not None]
        return there[0], there[-1] + 1


def find_similar(document: Document, lines: tuple[HunkLine, ...], scopes: Sequence[tuple[int, int]]) -> Spot | None:
    """The one place that is so like a hunk that it must be meant.

    Args:
        document: The file.
        lines: The hunk's lines.
        scopes: Ranges of lines, one of which it has to be in.

    Returns:
        The place; None when there is none, or it is not certain.
    """
    old = [_read(line.text) for line in lines if line.sign != "+"]
    telling = [at for at, line in enumerate(old) if any(len(word) > 2 for word in line.words)]
    if len(telling) < LEAST or not _all_there(document, lines):
        return None
    found: list[tuple[_Alignment, bool]] = []
    for first, last in _stretches(document, old):
        there = [_read(document.lines[at]) for at in range(first, last)]
        both = _align(old, there, first)
        if both is not None and (not found or all(other.ends != both[0].ends for other, _ in found)):
            found.append((both[0], both[0].pairs == both[1].pairs))
    within = [one for one in found if in_scope(scopes, *one[0].ends)]
    best = max(within, key=lambda one: one[0].ratio, default=None)
    if best is None or best[0].ratio < THRESHOLD or not best[1]:
        return None
    alignment = best[0]
    start, end = alignment.ends
    rivals = [one.ratio for one, _ in within if one.ends[0] >= end or one.ends[1] <= start]
    same = [
        at is not None and old[index].said == tokens(document.lines[at]) for index, at in enumerate(alignment.pairs)
    ]
    if max(rivals, default=0.0) > alignment.ratio - MARGIN or sum(same[at] for at in telling) * 2 < len(telling):
        return None
    core = _pinned(lines, alignment.pairs, same)
    return Spot(start, end, core, lines, None, alignment.pairs, alignment.ratio) if core is not None else None


def _read(line: str) -> _Line:
    said = tokens(line)
    return _Line(said, frozenset(said), "".join(said))


def _all_there(document: Document, lines: Sequence[HunkLine]) -> bool:
    """Whether every line that goes is somewhere in the file, blanks apart."""
    keys = {key for line in lines if line.sign == "-" and (key := SPACELESS.key(line.text))}
    return all(document.find(SPACELESS, [key], 0) for key in keys)


def _stretches(document: Document, old: Sequence[_Line]) -> list[tuple[int, int]]:
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
    stretches = [(max(start - pad, 0), min(start + len(old) + pad, document.length)) for start in chosen]
    return [(first, last) for first, last in stretches if first < last and (last - first) * len(old) <= _MOST_CELLS]


def _likeness(one: _Line, other: _Line) -> float:
    """How like two lines are, blanks apart; 0 for less than `_ALIKE`."""
    if one.said == other.said:
        return 1.0
    if not one.said or not other.said or 2 * len(one.words & other.words) < 0.4 * (len(one.words) + len(other.words)):
        return 0.0
    matcher = SequenceMatcher(None, one.key, other.key, autojunk=False)
    if matcher.quick_ratio() < _ALIKE:
        return 0.0
    ratio = matcher.ratio()
    return ratio if ratio >= _ALIKE else 0.0


def _align(old: Sequence[_Line], there: Sequence[_Line], first: int) -> tuple[_Alignment, _Alignment] | None:
    """The best ways to align old lines with lines of the file, the highest and the lowest.

    Args:
        old: The hunk's old lines.
        there: Lines of the file.
        first: Number of the first of these in the file.

    Returns:
        Both, the same when there is only one; None when nothing can be aligned.
    """
    like = [[_likeness(one, other) for other in there] for one in old]
    weight = [max(len(line.key), 1) for line in old]
    height, width = len(old), len(there)
    # score[i][j]: the best for the first i old lines when the j-th line of the file is the last that was used.
    score = [[0.0] * (width + 1) for _ in range(height + 1)]
    for i in range(1, height + 1):
        row, above, likes, gain = score[i], score[i - 1], like[i - 1], weight[i - 1]
        for j in range(1, width + 1):
            best = max(above[j], row[j - 1] - _SKIP)
            if likes[j - 1]:
                best = max(best, above[j - 1] + gain * likes[j - 1])
            row[j] = best
    top = max(score[height])
    if top <= 0:
        return None
    ends = [j for j in range(width + 1) if score[height][j] > top - 1e-9]
    both = []
    for end, late in ((ends[0], False), (ends[-1], True)):
        pairs = _trace(score, like, weight, end, late=late)
        both.append(
            _Alignment(tuple(None if at is None else at + first for at in pairs), _ratio(old, there, like, pairs))
        )
    return both[0], both[1]


def _trace(
    score: Sequence[Sequence[float]], like: Sequence[Sequence[float]], weight: Sequence[int], end: int, *, late: bool
) -> list[int | None]:
    """The outermost of the best alignments: between the early and the late one lie all others.

    The late one leaves out the hunk's last lines and takes the file's last ones, the early one the other way round.
    """
    pairs: list[int | None] = [None] * len(weight)
    i, j = len(weight), end
    while i and j:
        here = score[i][j]
        pair = bool(like[i - 1][j - 1]) and abs(score[i - 1][j - 1] + weight[i - 1] * like[i - 1][j - 1] - here) < 1e-9
        skip = abs(score[i][j - 1] - _SKIP - here) < 1e-9
        leave = abs(score[i - 1][j] - here) < 1e-9
        if leave and (late or not (pair or skip)):
            i -= 1
        elif pair and (late or not skip):
            pairs[i - 1] = j - 1
            i, j = i - 1, j - 1
        elif skip:
            j -= 1
        else:
            break
    return pairs


def _ratio(
    old: Sequence[_Line], there: Sequence[_Line], like: Sequence[Sequence[float]], pairs: Sequence[int | None]
) -> float:
    """Twice what is common, over all of both: the old lines, and the file's from the first to the last aligned."""
    aligned = [(index, at) for index, at in enumerate(pairs) if at is not None]
    common = sum(like[index][at] * (len(old[index].key) + len(there[at].key)) for index, at in aligned)
    stretch = there[aligned[0][1] : aligned[-1][1] + 1] if aligned else []
    return common / max(sum(len(line.key) for line in (*old, *stretch)), 1)


def _pinned(lines: Sequence[HunkLine], pairs: tuple[int | None, ...], same: Sequence[bool]) -> tuple[int, int] | None:
    """The range between first and last change, when every change has its certain place; else None."""
    texts = [line.text for line in lines if line.sign != "+"]
    said = [alike and bool(text.strip()) for alike, text in zip(same, texts, strict=True)]
    bounds: list[tuple[int, int]] = []
    old = 0
    index = 0
    while index < len(lines):
        if lines[index].sign == " ":
            old += 1
            index += 1
            continue
        first = old
        while index < len(lines) and lines[index].sign != " ":
            old += lines[index].sign == "-"
            index += 1
        # A blank line is like any other: lines of nothing else need a neighbour to be known by, as new ones do.
        spot = _gone(pairs[first:old], same[first:old]) if first < old else _between(pairs, said, old, old)
        if spot is None or (not any(said[first:old]) and _between(pairs, said, first, old) is None):
            return None
        bounds.append(spot)
    return bounds[0][0], bounds[-1][1]


def _gone(pairs: Sequence[int | None], same: Sequence[bool]) -> tuple[int, int] | None:
    """The lines of the file that go, when they stand together as the hunk has them."""
    there = [at for at in pairs if at is not None]
    if not all(same) or not there or there != list(range(there[0], there[0] + len(pairs))):
        return None
    return there[0], there[-1] + 1


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
