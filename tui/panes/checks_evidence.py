"""What lies behind a finding, as lines: frames with their variables, what was compared, what was printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tui.widgets.ansi import Ansi
from tui.widgets.lines import Line, Piece, clean

PREVIEW = 5
"""How many lines are seen of what is folded."""

_PLACE = re.compile(r"(?P<path>[^\s:][^:\n]{0,400}):(?P<line>\d{1,7})(?= in |$)")
_MARKED = re.compile(r"\s*>\s*\d+ \| |>\s")
_VARIABLE = re.compile(r"\s{6}\w[\w.\[\]'\"]* = ")
_COMPARED = "left (-) and right (+):"
_PRINTED = "--- "


class Told(NamedTuple):
    """A line of evidence.

    Attributes:
        pieces: The line, clean.
        path: The file it speaks of, empty where it names none.
        line: 1-based, 0 where it names none.
    """

    pieces: list[Piece]
    path: str = ""
    line: int = 0


def told(detail: str) -> Iterator[Told]:
    """All of a finding's evidence.

    Args:
        detail: As in `agent_core.checks.model.Finding`.
    """
    reader = Ansi("dim")
    compared = False
    for row in detail.rstrip().splitlines():
        compared = row == _COMPARED or (compared and row.startswith("  "))
        place = _PLACE.match(row)
        if place:
            rest = row[place.end() :]
            yield Told(
                [(clean(place.group()), "primary"), (clean(rest), "dim")], place.group("path"), int(place.group("line"))
            )
        elif compared and row != _COMPARED:
            style = {"-": "bad", "+": "good"}.get(row[2:3], "dim")
            yield Told([(clean(row), style)])
        elif row.startswith(_PRINTED):
            yield Told([(clean(row), "faint")])
        elif _MARKED.match(row):
            yield Told([(clean(row), "strong")])
        elif _VARIABLE.match(row):
            name, sign, value = row.partition(" = ")
            yield Told([(clean(name), "accent"), (sign, "faint"), (clean(value), "dim")])
        else:
            yield Told(reader.pieces(row))


def preview(detail: str) -> tuple[int, int]:
    """Which lines of some evidence say most in little room: what was compared, else the end of what was raised.

    Returns:
        The first of them, and the one after the last.
    """
    rows = detail.rstrip().splitlines()
    if _COMPARED in rows:
        first = rows.index(_COMPARED)
        end = next((at for at in range(first + 1, len(rows)) if not rows[at].startswith("  ")), len(rows))
        return first, min(first + PREVIEW, end)
    last = next((at for at, row in enumerate(rows) if row.startswith(_PRINTED) and at), len(rows))
    return max(last - PREVIEW, 0), last


def evidence_line(pieces: list[Piece], indent: str) -> Line:
    """A line of evidence, set off from what it belongs to."""
    lead = ((f"{indent}│ ", "faint"),)
    return Line(pieces, lead=lead, hang=lead, words=False)
