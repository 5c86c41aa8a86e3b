"""Colours in what tools print: those are kept, every other escape is shown and not obeyed.

Of the control sequences of ECMA-48 only SGR (``ESC [ ... m``) is read. The engine has made the escape visible in most
of what comes here (``␛``, see `agent_core.text.printable`), so that form is read too. What comes out are names of
styles for `tui.palette.Palette`, which sees to it that the text can be read in every theme.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tui.widgets.lines import MAX_CHARS, Piece, clean

_SGR = re.compile("(?:\x1b\\[|\x9b|␛\\[)([0-9;:]{0,64})m")
_ON = {1: "b", 2: "d", 3: "i", 4: "u", 7: "r", 9: "s", 21: "u"}
_OFF = {22: "bd", 23: "i", 24: "u", 27: "r", 29: "s"}
_CUBE = (0, 95, 135, 175, 215, 255)


class Ansi:
    """Reads text line by line; colours go on from one line to the next, as on a terminal.

    Args:
        base: Name of the style of what has no colour of its own.
    """

    def __init__(self, base: str = "") -> None:
        self._base = base
        self._fore = self._back = ""
        self._flags: frozenset[str] = frozenset()

    def pieces(self, line: str) -> list[Piece]:
        """One line, without its newline, as pieces that may be shown."""
        cut = len(line) - MAX_CHARS
        if cut > 0:
            line = line[:MAX_CHARS]
        found: list[Piece] = []
        at = 0
        for match in _SGR.finditer(line):
            found.append((clean(line[at : match.start()]), self._style))
            self._obey(match.group(1))
            at = match.end()
        found.append((clean(line[at:]), self._style))
        if cut > 0:
            found.append((f" [... {cut:,} more characters]", "faint"))
        return [piece for piece in found if piece[0]]

    @property
    def _style(self) -> str:
        if not (self._fore or self._back or self._flags):
            return self._base
        return f"sgr:{self._fore}/{self._back}/{''.join(sorted(self._flags))}"

    def _obey(self, parameters: str) -> None:
        codes = iter(_numbers(parameters))
        for code in codes:
            if code == 0:
                self._fore = self._back = ""
                self._flags = frozenset()
            elif code in _ON:
                self._flags |= {_ON[code]}
            elif code in _OFF:
                self._flags -= {*_OFF[code]}
            elif code in {38, 48}:
                color = _color(codes)
                if code == 38:
                    self._fore = color
                else:
                    self._back = color
            elif code == 39:
                self._fore = ""
            elif code == 49:
                self._back = ""
            elif 30 <= code <= 37 or 90 <= code <= 97:
                self._fore = str(code - 30 if code < 90 else code - 82)
            elif 40 <= code <= 47 or 100 <= code <= 107:
                self._back = str(code - 40 if code < 100 else code - 92)


def _numbers(parameters: str) -> Sequence[int]:
    """The parameters of a sequence; what is left out is 0, and nobody has numbers of five digits."""
    return [int(part[:4]) if part else 0 for part in parameters.replace(":", ";").split(";")]


def _color(codes: Iterator[int]) -> str:
    """A colour of 256 or of all: its index below 16, else its value; rounded, so that there is not one style each."""
    kind = next(codes, 0)
    if kind == 5:
        index = min(next(codes, 0), 255)
        if index < 16:
            return str(index)
        if index >= 232:
            return _hex(*(3 * [8 + 10 * (index - 232)]))
        index -= 16
        return _hex(_CUBE[index // 36], _CUBE[index // 6 % 6], _CUBE[index % 6])
    if kind == 2:
        return _hex(next(codes, 0), next(codes, 0), next(codes, 0))
    return ""


def _hex(red: int, green: int, blue: int) -> str:
    return "#" + "".join(f"{min(part, 255) // 16:x}" * 2 for part in (red, green, blue))


def ansi_lines(text: str, base: str = "") -> list[list[Piece]]:
    """A text as pieces, line by line.

    Args:
        text: What a tool printed.
        base: Name of the style of what has no colour of its own.
    """
    reader = Ansi(base)
    return [reader.pieces(line) for line in text.replace("\r\n", "\n").split("\n")]
