"""Inside a line of Markdown: bold, italic, code, links; and the columns of tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len

from tui.widgets.lines import Piece, clean

_INLINE = re.compile(
    r"(`+)(.+?)\1|\*\*(\S.*?)\*\*|(?<![\w*])\*([^\s*][^*]*?)\*(?![\w*])|\[([^\[\]]+)\]\(([^()\s]+)\)|~~(\S.*?)~~"
)
_BAR = re.compile(r"(?<!\\)\|(?=(?:[^`]*`[^`]*`)*[^`]*$)")
_DASHES = re.compile(r"\s{0,3}\|(?:\s*:?-+:?\s*\|)+\s*$")
_MOST_ROWS = 60
_WIDEST = 40


def inline(text: str, style: str = "") -> list[Piece]:
    """Clean text with its bold, italic, struck and code parts, and its links."""
    pieces: list[Piece] = []
    at = 0
    for match in _INLINE.finditer(text):
        pieces.append((text[at : match.start()], style))
        _, code, bold, italic, name, address, struck = match.groups()
        if code is not None:
            pieces.append((code, "code"))
        elif name is not None:
            pieces.append((name, style))
            if address != name:
                # Where a link leads is said: its name is whatever its writer likes.
                pieces.append((f" ({address})", "faint"))
        elif struck is not None:
            pieces.append((struck, "faint"))
        else:
            pieces.append((bold, "strong") if bold is not None else (italic, "italic"))
        at = match.end()
    pieces.append((text[at:], style))
    return [piece for piece in pieces if piece[0]]


class Table:
    """A table whose rows come one after the other, in columns as wide as what is in them."""

    def __init__(self) -> None:
        self._rows: list[list[tuple[list[Piece], int]]] = []  # of each cell its pieces and how wide they are
        self._widths: list[int] = []
        self._has_head = False

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    @property
    def full(self) -> bool:
        """Whether more rows had better be aligned by themselves: each may have all of them drawn anew."""
        return len(self._rows) >= _MOST_ROWS

    def add(self, source: str) -> bool:
        """Take a row.

        Returns:
            Whether the rows before it are drawn as they were.
        """
        if len(self._rows) == 1 and _DASHES.match(source):
            self._has_head = True
            self._rows.append([])
            return False
        row = []
        for cell in _BAR.split(clean(source).strip().removeprefix("|").removesuffix("|")):
            pieces = inline(cell.strip().replace("\\|", "|"))
            row.append((pieces, sum(cell_len(text) for text, _ in pieces)))
        self._rows.append(row)
        before = list(self._widths)
        self._widths += [0] * (len(row) - len(self._widths))
        for at, (_, width) in enumerate(row):
            self._widths[at] = max(self._widths[at], min(width, _WIDEST))
        return before == self._widths

    def rows(self, first: int) -> Iterator[list[Piece]]:
        """Its rows as they are drawn, from one on."""
        for index, row in enumerate(self._rows[first:], first):
            if index == 1 and self._has_head:
                yield [("─┼─".join("─" * width for width in self._widths), "faint")]
                continue
            head = index == 0 and self._has_head
            pieces: list[Piece] = []
            for at, wanted in enumerate(self._widths):
                cell, width = row[at] if at < len(row) else ([], 0)
                if at:
                    pieces.append((" │ ", "faint"))
                pieces += [(text, "strong") for text, _ in cell] if head else cell
                if at < len(self._widths) - 1 and width < wanted:
                    pieces.append((" " * (wanted - width), ""))
            yield pieces
