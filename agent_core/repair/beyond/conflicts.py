"""What a merge left in a file: both sides between marks. One of them is taken, or both."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from agent_core.repair.beyond.bench import Bench
from agent_core.repair.beyond.slips import Change, Slip

_MARK = re.compile(r"^(<{7}|\|{7}|={7}|>{7})(?:[ \t].*)?(?:\r\n|\r|\n|\Z)", re.MULTILINE)
_MOST = 4
_SIDES = {"ours": (1.0, "our side"), "theirs": (1.1, "their side"), "both": (1.4, "both sides")}

_Place = dict[str, tuple[Change, ...]]


def conflicts(bench: Bench) -> Iterator[Slip]:
    """Every conflict of the text settled: all in the same way, and, where they are few, each in any way."""
    found = list(_conflicts(bench.text))
    if not found:
        yield from _single_marks(bench)
        return
    ways: list[Sequence[str]] = [[side] * len(found) for side in _SIDES]
    if 1 < len(found) <= _MOST:
        ways += [way for way in itertools.product(_SIDES, repeat=len(found)) if len(set(way)) > 1]
    for way in ways:
        cost = max(_SIDES[side][0] for side in way) + 0.3 * (len(set(way)) - 1)
        said = dict.fromkeys(_SIDES[side][1] for side in way)
        what = f"{' and '.join(said)} of {'a conflict' if len(found) == 1 else f'{len(found)} conflicts'}"
        changes = tuple(change for place, side in zip(found, way, strict=True) for change in place[side])
        yield Slip(cost, what, changes)


def _conflicts(text: str) -> Iterator[_Place]:
    """Where the conflicts are: what has to go for each way to settle them."""
    marks: list[tuple[str, int, int]] = []
    for match in _MARK.finditer(text):
        sign = match.group(1)[0]
        if sign == "<":
            marks = []
        marks.append((sign, match.start(), match.end()))
        signs = "".join(one for one, *_ in marks)
        if signs in {"<=>", "<|=>"}:
            middle, last = marks[-2], marks[-1]
            # The common ancestor, where the merge shows it, belongs to neither side.
            ancestor = marks[1] if len(marks) == 4 else middle
            first = marks[0]
            yield {
                "ours": ((first[1], first[2], ""), (ancestor[1], last[2], "")),
                "theirs": ((first[1], middle[2], ""), (last[1], last[2], "")),
                "both": ((first[1], first[2], ""), (ancestor[1], middle[2], ""), (last[1], last[2], "")),
            }
            marks = []


def _single_marks(bench: Bench) -> Iterator[Slip]:
    """Marks that were left where somebody settled a conflict by hand."""
    changes = tuple((found.start(), found.end(), "") for found in _MARK.finditer(bench.text))
    if changes:
        yield Slip(1.0, "the marks of a conflict left out", changes)
