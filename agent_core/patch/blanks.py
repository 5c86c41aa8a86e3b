"""The places of a hunk that has only the number of blank lines wrong: two between functions where it shows one.

All its other old lines stand in the file, one after the other, with nothing between them but blank lines. A run of
blank lines is aligned where it is as long as the file's; where it is not nobody can say which of them is which, so none
of them may go, and new lines must come next to a line that is not one of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from agent_core.patch.document import Document
from agent_core.patch.indentation import table_of
from agent_core.patch.levels import TYPOGRAPHIC
from agent_core.patch.operations import HunkLine
from agent_core.patch.place import WORD, Spot, indent_pairs, span
from agent_core.patch.scopes import in_scope
from agent_core.patch.unsigned import with_first_blank

# Lines with words that a hunk needs: blank lines are what keeps a single line apart from its like.
_LEAST = 3
# As many places as are told of.
_MOST = 8


def find_but_for_blanks(
    document: Document, lines: tuple[HunkLine, ...], scopes: Sequence[tuple[int, int]], *, unsigned: bool
) -> list[Spot]:
    """Every place where a hunk's old lines stand but for the number of blank lines between them.

    Args:
        document: The file.
        lines: The hunk's lines.
        scopes: Ranges of lines, one of which it has to be in.
        unsigned: Some of its lines have lost their sign.
    """
    old = [line for line in lines if line.sign != "+"]
    spots: list[Spot] = []
    for there in itertools.islice(_places(document, [line.text for line in old]), _MOST):
        spot = _spot(document, lines, old, there, unsigned=unsigned)
        if spot is not None and in_scope(scopes, spot.start, spot.end):
            spots.append(spot)
    return spots


def there_but_for_blanks(document: Document, lines: Sequence[HunkLine]) -> str | None:
    """Where a hunk's new lines stand already but for the number of blank lines, in words; None when they do not."""
    if not any(line.sign == "+" and WORD.search(line.text) for line in lines):
        return None
    there = next(_places(document, [line.text for line in lines if line.sign != "-"]), None)
    return span(min(there.values()) + 1, max(there.values()) + 1) if there else None


def _places(document: Document, texts: Sequence[str]) -> Iterator[dict[int, int]]:
    """Where some lines stand but for blank ones: for the index of each that is not blank its line of the file."""
    said = [at for at, text in enumerate(texts) if text.strip()]
    wanted = [TYPOGRAPHIC.key(texts[at]) for at in said]
    if sum(any(map(str.isalnum, key)) for key in wanted) < _LEAST:
        return
    if not all(document.find(TYPOGRAPHIC, [key], 0) for key in wanted):
        return
    keys = document.keys(TYPOGRAPHIC)
    rows = [row for row, key in enumerate(keys) if key]
    text = "\n".join(["", *(keys[row] for row in rows), ""])
    needle = "\n".join(["", *wanted, ""])
    at, first, counted = text.find(needle), 0, 0
    while at >= 0:
        first += text.count("\n", counted, at)
        counted = at
        yield dict(zip(said, rows[first:], strict=False))
        at = text.find(needle, at + 1)


def _spot(
    document: Document, lines: tuple[HunkLine, ...], old: Sequence[HunkLine], there: dict[int, int], *, unsigned: bool
) -> Spot | None:
    """The spot at which the lines that are not blank stand where they do; None where a change hangs in the air."""
    aligned: list[int | None] = [there.get(at) for at in range(len(old))]
    places = list(there.items())
    for (above, row), (below, next_row) in itertools.pairwise(places):
        if below - above == next_row - row:
            aligned[above + 1 : below] = range(row + 1, next_row)
    edges: list[int] = []
    for first, last in _changes(lines):
        rows = aligned[first:last]
        near = [aligned[at] for at in (first - 1, last) if 0 <= at < len(aligned)]
        edge = _edges(rows, near, above=first > 0)
        if edge is None:
            return None
        edges += edge
    if unsigned:
        lines = with_first_blank(document, lines, aligned)
    pairs = [pair for pair in indent_pairs(document, lines, aligned) if pair is not None]
    if not edges or table_of(pairs) is None:
        return None
    ratio = sum(at is not None for at in aligned) / len(aligned)
    return Spot(places[0][1], places[-1][1] + 1, (edges[0], edges[-1]), lines, None, tuple(aligned), ratio)


def _changes(lines: Sequence[HunkLine]) -> Iterator[tuple[int, int]]:
    """The changes of a hunk: indexes of the first of the old lines that go and of the one after the last."""
    old, first, adds = 0, 0, False
    for line in (*lines, HunkLine(" ", "")):
        if line.sign == " ":
            if adds or first < old:
                yield first, old
            first, adds = old + 1, False
        adds = adds or line.sign == "+"
        old += line.sign != "+"


def _edges(rows: Sequence[int | None], near: Sequence[int | None], *, above: bool) -> tuple[int, int] | None:
    """From where to where a change goes in the file; None when that is not certain.

    Args:
        rows: The lines of the file that go.
        near: Those of the context above and below, as far as there is any.
        above: The first of `near` is above.
    """
    gone = [row for row in rows if row is not None]
    if len(gone) < len(rows) or gone != list(range(gone[0], gone[0] + len(gone)) if gone else ()):
        return None
    if gone:
        return gone[0], gone[-1] + 1
    known = [row for row in near if row is not None]
    if not known or (known[-1] - known[0] not in {0, 1}):
        return None
    at = known[0] + 1 if above and near[0] is not None else known[0]
    return at, at
