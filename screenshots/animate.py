"""A recording as an animated picture: SVG, which needs no script and no player.

python screenshots/animate.py RECORDING.cast PICTURE.svg
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from screenshots.emulator import Cell, Look, Screen

_WIDTH, _HEIGHT, _FONT = 8.4, 18.0, 14
_FRAME = 0.1
_LONGEST_REST = 2.5
_LAST = 4.0
_NBSP = "\u00a0"
_BACK, _FORE = "1a1b26", "a9b1d6"

Row = tuple[Cell, ...]


def frames(path: Path) -> tuple[tuple[int, int], list[tuple[float, list[Row]]]]:
    """The size of a recording, and what is to be seen from which second on; long rests are made shorter.

    Args:
        path: A recording in asciicast's second version, one JSON value a line.
    """
    lines = path.read_text().splitlines()
    head = json.loads(lines[0])
    screen = Screen(head["width"], head["height"])
    shown: list[tuple[float, list[Row]]] = []
    at, last, drawn = 0.0, 0.0, 0.0
    for line in lines[1:]:
        time, _, text = json.loads(line)
        at += min(time - last, _LONGEST_REST)
        last = time
        if "\x1b[?1049l" in text:
            break
        screen.feed(text)
        rows = [screen.row(y) for y in range(screen.rows)]
        if shown and (at - drawn < _FRAME or rows == shown[-1][1]):
            shown[-1] = (shown[-1][0], rows)
            continue
        shown.append((at, rows))
        drawn = at
    return (head["width"], head["height"]), shown


def _paint(row: Row) -> str:
    """The picture of a row."""
    parts: list[str] = []
    x = 0
    for look, group in groupby(row, key=lambda cell: cell.look):
        cells = list(group)
        text = "".join(cell.text for cell in cells)
        fore, back = look.fore or _FORE, look.back or _BACK
        if look.reverse:
            fore, back = back, fore
        left, width = x * _WIDTH, len(cells) * _WIDTH
        if back != _BACK:
            parts.append(f'<rect x="{left:.1f}" width="{width:.1f}" height="{_HEIGHT}" fill="#{back}"/>')
        if words := text.strip(" "):
            before = (len(text) - len(text.lstrip(" "))) * _WIDTH
            after = (len(text) - len(text.rstrip(" "))) * _WIDTH
            place = f'x="{left + before:.1f}" y="13.5" textLength="{width - before - after:.1f}"'
            # Some programs make one space of several, whatever they are told.
            parts.append(f'<text {place} fill="#{fore}"{_style(look)}>{escape(words).replace(" ", _NBSP)}</text>')
        x += len(cells)
    return "".join(parts)


def _style(look: Look) -> str:
    bold = ' font-weight="bold"' if look.bold else ""
    italic = ' font-style="italic"' if look.italic else ""
    under = ' text-decoration="underline"' if look.under else ""
    return f"{bold}{italic}{under}" + (' opacity="0.6"' if look.dim else "")


def _spans(
    shown: Sequence[tuple[float, list[Row]]], y: int, end: float
) -> Iterator[tuple[Row, list[tuple[float, float]]]]:
    """What stands in a row, and when."""
    times = [time for time, _ in shown[1:]] + [end]
    when: dict[Row, list[tuple[float, float]]] = {}
    for (begins, rows), ends in zip(shown, times, strict=True):
        spans = when.setdefault(rows[y], [])
        if spans and spans[-1][1] == begins:
            spans[-1] = (spans[-1][0], ends)
        else:
            spans.append((begins, ends))
    yield from when.items()


def picture(size: tuple[int, int], shown: Sequence[tuple[float, list[Row]]]) -> str:
    """The animated picture: each different row once, seen whenever it is there.

    Args:
        size: Columns and rows.
        shown: What is to be seen from which second on.
    """
    end = shown[-1][0] + _LAST
    width, height = size[0] * _WIDTH + 16, size[1] * _HEIGHT + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" font-size="{_FONT}">',
        "<style>text{font-family:Menlo,Consolas,DejaVu Sans Mono,monospace}</style>",
        f'<rect width="100%" height="100%" rx="6" fill="#{_BACK}"/>',
    ]
    for y in range(size[1]):
        for row, spans in _spans(shown, y, end):
            painted = _paint(row)
            if not painted:
                continue
            place = f'<g transform="translate(8 {8 + y * _HEIGHT:.0f})"'
            if spans == [(shown[0][0], end)]:
                parts.append(f"{place}>{painted}</g>")
                continue
            marks = [(0.0, "hidden")] if spans[0][0] > 0 else []
            for begins, ends in spans:
                marks += [(begins, "visible"), (ends, "hidden")]
            marks = [mark for mark in marks if mark[0] < end]
            values = ";".join(value for _, value in marks)
            times = ";".join(f"{time / end:.4f}" for time, _ in marks)
            parts.append(
                f'{place} visibility="hidden">{painted}<animate attributeName="visibility" calcMode="discrete" '
                f'dur="{end:.2f}s" repeatCount="indefinite" values="{values}" keyTimes="{times}"/></g>'
            )
    return "\n".join([*parts, "</svg>\n"])


def main() -> None:
    """Make the picture."""
    size, shown = frames(Path(sys.argv[1]))
    # It begins with something to see.
    begun = shown[0][0]
    shown = [(time - begun, rows) for time, rows in shown]
    Path(sys.argv[2]).write_text(picture(size, shown))


if __name__ == "__main__":
    main()
