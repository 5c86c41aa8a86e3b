"""As much of a terminal as the app draws with: going to a cell, colours, text. For recordings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from rich.cells import cell_len

_PARTS = re.compile(
    r"\x1b\[([0-9;:?<>=]*)[ -/]*([@-~])|\x1b[\]P_^X].*?(?:\x07|\x1b\\)|\x1b[^\[\]]|\r|\n|[^\x1b\r\n]+", re.DOTALL
)
_BASIC = ("000000", "cd3131", "0dbc79", "e5e510", "2472c8", "bc3fbc", "11a8cd", "e5e5e5")


class Look(NamedTuple):
    """How a cell looks; colours are six hexadecimal digits, empty for the terminal's own."""

    fore: str = ""
    back: str = ""
    bold: bool = False
    italic: bool = False
    under: bool = False
    dim: bool = False
    reverse: bool = False


class Cell(NamedTuple):
    """One cell; the right half of a wide character is an empty text."""

    text: str
    look: Look


_BLANK = Cell(" ", Look())
_FLAGS = {1: "bold", 2: "dim", 3: "italic", 4: "under", 7: "reverse"}


class Screen:
    """Takes what a program writes, and knows what is to be seen.

    Args:
        columns: How wide it is.
        rows: How high it is.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._cells = [[_BLANK] * columns for _ in range(rows)]
        self._x = self._y = 0
        self._look = Look()
        self._rest = ""

    def feed(self, text: str) -> None:
        """Take some more of what is written."""
        text = self._rest + text
        # A sequence may come in two pieces.
        cut = text.rfind("\x1b", -64)
        whole = cut < 0 or re.match(r"\x1b(\[[0-9;:?<>=]*[ -/]*[@-~]|[^\[\]P_^X])", text[cut:]) is not None
        text, self._rest = (text, "") if whole else (text[:cut], text[cut:])
        for match in _PARTS.finditer(text):
            part = match.group()
            if part == "\r":
                self._x = 0
            elif part == "\n":
                self._y = min(self._y + 1, self.rows - 1)
            elif not part.startswith("\x1b"):
                self._write(part)
            elif match.group(2):
                self._control(match.group(1), match.group(2))

    def row(self, y: int) -> tuple[Cell, ...]:
        """The cells of a row."""
        return tuple(self._cells[y])

    @property
    def text(self) -> str:
        """All of it, as text."""
        return "\n".join("".join(cell.text for cell in row) for row in self._cells)

    def _control(self, parameters: str, final: str) -> None:
        if final == "H":
            row, _, column = parameters.partition(";")
            self._y = min(max(int(row or 1), 1), self.rows) - 1
            self._x = min(max(int(column or 1), 1), self.columns) - 1
        elif final == "m":
            self._style([int(code or 0) for code in parameters.replace(":", ";").split(";")])
        elif final == "J" and parameters == "2":
            self._cells = [[_BLANK] * self.columns for _ in range(self.rows)]

    def _style(self, codes: list[int]) -> None:
        left = iter(codes)
        for code in left:
            if code == 0:
                self._look = Look()
            elif code in _FLAGS:
                self._look = Look(**{**self._look._asdict(), _FLAGS[code]: True})
            elif code in {38, 48}:
                color = _color(left)
                self._look = self._look._replace(fore=color) if code == 38 else self._look._replace(back=color)
            elif 30 <= code <= 37:
                self._look = self._look._replace(fore=_BASIC[code - 30])
            elif 40 <= code <= 47:
                self._look = self._look._replace(back=_BASIC[code - 40])

    def _write(self, text: str) -> None:
        for char in text:
            width = cell_len(char)
            if width == 0:
                if self._x:
                    row = self._cells[self._y]
                    row[self._x - 1] = row[self._x - 1]._replace(text=row[self._x - 1].text + char)
                continue
            if self._x + width <= self.columns:
                self._cells[self._y][self._x] = Cell(char, self._look)
                if width == 2:
                    self._cells[self._y][self._x + 1] = Cell("", self._look)
                self._x += width


def _color(codes: Iterator[int]) -> str:
    """A colour of three numbers, or of the 256."""
    if next(codes, 0) == 2:
        return "".join(f"{next(codes, 0):02x}" for _ in range(3))
    number = next(codes, 0)
    if number < 16:
        return _BASIC[number % 8]
    if number >= 232:
        return f"{8 + 10 * (number - 232):02x}" * 3
    steps = (0, 95, 135, 175, 215, 255)
    return "".join(f"{steps[(number - 16) // power % 6]:02x}" for power in (36, 6, 1))
