"""Markdown as it is felt while reading, line by line: fences, headings, bullets, quotes, bold, inline code.

It is no Markdown parser and need not be one: a line is drawn once, when it is whole, whatever comes after it,
so a message that streams costs the same at its end as at its start.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tui.widgets.lines import BLANK, Line, Piece, clean

_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})\s*([^`]*)$")
_HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*$")
_BULLET = re.compile(r"(\s*)(?:[-*+]|(\d{1,3}[.)]))\s+(.*)$")
_INLINE = re.compile(r"(`+)(.+?)\1|\*\*(\S.*?)\*\*|(?<![\w*])\*([^\s*][^*]*?)\*(?![\w*])")


def inline(text: str, style: str = "") -> list[Piece]:
    """Clean text with its bold, italic and code parts."""
    pieces: list[Piece] = []
    at = 0
    for match in _INLINE.finditer(text):
        pieces.append((text[at : match.start()], style))
        code, bold, italic = match.group(2), match.group(3), match.group(4)
        if code is not None:
            pieces.append((code, "code"))
        else:
            pieces.append((bold, "strong") if bold is not None else (italic, "italic"))
        at = match.end()
    pieces.append((text[at:], style))
    return [piece for piece in pieces if piece[0]]


class Markdown:
    """Turns a text that may still be growing into lines.

    Args:
        lead: What stands before every row of it.
        base: Style of its rows.

    Attributes:
        lines: Its whole lines.
        partial: The line that has no end yet, if there is one.
    """

    def __init__(self, lead: Sequence[Piece] = (), base: str = "") -> None:
        self._lead = tuple(lead)
        self._base = base
        self._fence = ""
        self._done = ""  # the whole lines rendered so far
        self.lines: list[Line] = []
        self.partial: list[Line] = []

    def update(self, text: str) -> tuple[list[Line], int]:
        """Render what is new.

        Args:
            text: The whole text so far.

        Returns:
            The lines from the first one that differs from the last call's, and how many stay before them.
        """
        if not text.startswith(self._done):
            self._fence, self._done, self.lines = "", "", []
        keep = len(self.lines)
        whole, newline, rest = text[len(self._done) :].rpartition("\n")
        if newline:
            for line in whole.split("\n"):
                self.lines.extend(self._line(line))
            self._done = text[: len(text) - len(rest)]
        fence = self._fence
        self.partial = self._line(rest) if rest else []
        self._fence = fence  # the last line is not whole yet: it may still become something else
        return [*self.lines[keep:], *self.partial], keep

    def _line(self, source: str) -> list[Line]:
        text = clean(source)
        fence = _FENCE.match(text)
        if self._fence:
            if fence and fence.group(1).startswith(self._fence) and not fence.group(2).strip():
                self._fence = ""
                return []
            lead = (*self._lead, (" ", "code-row"))
            return [Line(((text, ""),), lead=lead, hang=lead, base="code-row", words=False)]
        if fence:
            self._fence = fence.group(1)
            name = fence.group(2).strip()
            return [Line(((name, "faint"),), lead=self._lead, hang=self._lead, base=self._base)] if name else []
        return [self._prose(text)]

    def _prose(self, text: str) -> Line:
        if not text.strip():
            return Line(lead=self._lead, base=self._base) if self._lead or self._base else BLANK
        if heading := _HEADING.match(text):
            pieces: list[Piece] = [(heading.group(1), "heading")]
            return Line(pieces, lead=self._lead, hang=self._lead, base=self._base)
        if bullet := _BULLET.match(text):
            indent = bullet.group(1)[:12]
            sign = f"{indent}{bullet.group(2) or '•'} "
            lead = (*self._lead, (sign, "accent"))
            hang = (*self._lead, (" " * len(sign), ""))
            return Line(inline(bullet.group(3)), lead=lead, hang=hang, base=self._base)
        if text.lstrip().startswith(">"):
            lead = (*self._lead, ("│ ", "faint"))
            return Line(inline(text.lstrip()[1:].lstrip(), "dim"), lead=lead, hang=lead, base=self._base)
        return Line(inline(text), lead=self._lead, hang=self._lead, base=self._base)


def render(text: str, lead: Sequence[Piece] = (), base: str = "") -> list[Line]:
    """A text that does not grow any more, as lines."""
    return Markdown(lead, base).update(text)[0]
