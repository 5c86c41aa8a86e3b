"""How a hunk's old lines stand in a stretch of a file that is not quite what they say.

They are aligned by dynamic programming (as in Needleman & Wunsch, 1970, with free ends in the file).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from agent_core.patch.levels import LONG, tokens

# Two lines that are less alike than this are not aligned.
_ALIKE = 0.6
# A line of the file that the hunk leaves out costs a little, so that lines which belong together stay together.
_SKIP = 0.05


class ReadLine(NamedTuple):
    """A line as it is compared.

    Attributes:
        said: Its words, signs and string literals.
        words: What of that is more than a sign.
        key: The line without blanks.
    """

    said: list[str]
    words: frozenset[str]
    key: str

    @property
    def telling(self) -> bool:
        """Whether it has a word that is more than a short name."""
        return any(len(word) > 2 for word in self.words)


class Alignment(NamedTuple):
    """How a hunk's old lines stand in a stretch of the file.

    Attributes:
        pairs: For each old line the line of the file; None where there is none.
        same: For each old line whether the file has it as it is, blanks apart.
        ratio: How like the two are, from 0 to 1.
    """

    pairs: tuple[int | None, ...]
    same: tuple[bool, ...]
    ratio: float

    @property
    def ends(self) -> tuple[int, int]:
        """The half-open range of lines of the file."""
        there = [at for at in self.pairs if at is not None]
        return there[0], there[-1] + 1


def read_line(line: str) -> ReadLine:
    """A line as it is compared."""
    said = tokens(line)
    return ReadLine(said, frozenset(said), "".join(said))


class Stretch:
    """A stretch of a file, and how like its lines are to a hunk's.

    Args:
        old: The hunk's old lines.
        there: Lines of the file.
        first: Number of the first of these in the file.
    """

    def __init__(self, old: Sequence[ReadLine], there: Sequence[ReadLine], first: int) -> None:
        self._old = old
        self._there = there
        self._first = first
        self._like = [[_likeness(one, other) for other in there] for one in old]
        self._weight = [max(len(line.key), 1) for line in old]

    @property
    def cells(self) -> int:
        """How much work it is to align."""
        return len(self._old) * len(self._there)

    def align(self, without: Collection[tuple[int, int]] = ()) -> tuple[Alignment, Alignment] | None:
        """The best ways to align the old lines with the stretch, the highest and the lowest.

        Args:
            without: Pairs of an old line and a line of the file that are not to be aligned.

        Returns:
            Both, the same when there is only one; None when nothing can be aligned.
        """
        like = self._like
        if without:
            like = [list(row) for row in like]
            for index, at in without:
                if 0 <= at - self._first < len(self._there):
                    like[index][at - self._first] = 0.0
        score = self._scores(like)
        top = max(score[-1])
        if top <= 0:
            return None
        ends = [j for j, reached in enumerate(score[-1]) if reached > top - 1e-9]
        high, low = (
            self._alignment(like, _trace(score, like, self._weight, end, late=late))
            for end, late in ((ends[0], False), (ends[-1], True))
        )
        return high, low

    def _scores(self, like: Sequence[Sequence[float]]) -> list[list[float]]:
        """``score[i][j]``: the best for the first i old lines when the j-th line of the file is the last used."""
        width = len(self._there)
        score = [[0.0] * (width + 1)]
        for likes, gain in zip(like, self._weight, strict=True):
            above, row = score[-1], [0.0] * (width + 1)
            for j in range(1, width + 1):
                best = max(above[j], row[j - 1] - _SKIP)
                if likes[j - 1]:
                    best = max(best, above[j - 1] + gain * likes[j - 1])
                row[j] = best
            score.append(row)
        return score

    def _alignment(self, like: Sequence[Sequence[float]], pairs: Sequence[int | None]) -> Alignment:
        old, there = self._old, self._there
        aligned = [(index, at) for index, at in enumerate(pairs) if at is not None]
        # Twice what is common, over all of both: the old lines, and the file's from the first to the last aligned.
        common = sum(like[index][at] * (len(old[index].key) + len(there[at].key)) for index, at in aligned)
        stretch = there[aligned[0][1] : aligned[-1][1] + 1] if aligned else []
        ratio = common / max(sum(len(line.key) for line in (*old, *stretch)), 1)
        same = tuple(at is not None and old[index].said == there[at].said for index, at in enumerate(pairs))
        return Alignment(tuple(None if at is None else at + self._first for at in pairs), same, ratio)


def _likeness(one: ReadLine, other: ReadLine) -> float:
    """How like two lines are, blanks apart; 0 for less than `_ALIKE`."""
    if one.said == other.said:
        return 1.0
    if max(len(one.key), len(other.key)) > LONG:
        return 0.0
    if not one.said or not other.said or 2 * len(one.words & other.words) < 0.4 * (len(one.words) + len(other.words)):
        return 0.0
    matcher = SequenceMatcher(None, one.key, other.key, autojunk=False)
    if matcher.quick_ratio() < _ALIKE:
        return 0.0
    ratio = matcher.ratio()
    return ratio if ratio >= _ALIKE else 0.0


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
