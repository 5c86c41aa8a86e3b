"""Markdown as it is felt while reading, line by line: fences, headings, bullets, quotes, tables, bold, inline code.

It is no Markdown parser and need not be one: a line is drawn once, when it is whole, whatever comes after it,
so a message that streams costs the same at its end as at its start. The one exception is a table, whose columns are
aligned anew while its rows come.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.cells import cell_len

from tui.panes.code import CodeBlock, CodeLine
from tui.widgets.lines import BLANK, Line, Piece, clean

_FENCE = re.compile(r"(\s*)(`{3,}|~{3,})\s*([^`]*)$")
_HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*$")
_BULLET = re.compile(r"(\s*)(?:[-*+]|(\d{1,3}[.)]))\s+(?:\[([ xX])\]\s+)?(.*)$")
_RULE = re.compile(r"\s{0,3}([-*_])(?:\s*\1){2,}\s*$")
_INLINE = re.compile(
    r"(`+)(.+?)\1|\*\*(\S.*?)\*\*|(?<![\w*])\*([^\s*][^*]*?)\*(?![\w*])|\[([^\[\]]+)\]\(([^()\s]+)\)|~~(\S.*?)~~"
)
_ROW = re.compile(r"\s{0,3}\|.*\|\s*$")
_DASHES = re.compile(r"\s{0,3}\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
_MOST_ALIGNED = 60
_WIDEST_COLUMN = 40


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


def _cells_of(row: str) -> list[str]:
    """The cells of a row of a table; a bar in inline code or behind a backslash parts none."""
    row = row.strip().removeprefix("|").removesuffix("|")
    return [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|(?=(?:[^`]*`[^`]*`)*[^`]*$)", row)]


def _plain_width(text: str) -> int:
    return sum(cell_len(piece) for piece, _ in inline(text))


class Markdown:
    """Turns a text that may still be growing into lines.

    Args:
        lead: What stands before every row of it.
        base: Style of its rows.

    Attributes:
        lines: Its whole lines.
        partial: The line that has no end yet, if there is one.
        blocks: Its fenced blocks, the last one perhaps still open.
    """

    def __init__(self, lead: Sequence[Piece] = (), base: str = "") -> None:
        self._lead = tuple(lead)
        self._base = base
        self._fence = ""
        self._indent = 0  # of the fence, which its lines are rid of
        self._done = ""  # the whole lines rendered so far
        self._rows: list[str] = []  # of the table that is being written
        self._table_at = 0  # its first line
        self.lines: list[Line] = []
        self.partial: list[Line] = []
        self.blocks: list[CodeBlock] = []

    def update(self, text: str) -> tuple[list[Line], int]:
        """Render what is new.

        Args:
            text: The whole text so far.

        Returns:
            The lines from the first one that differs from the last call's, and how many stay before them.
        """
        if not text.startswith(self._done):
            self._fence, self._done, self.lines, self.blocks, self._rows = "", "", [], [], []
        keep = len(self.lines)
        whole, newline, rest = text[len(self._done) :].rpartition("\n")
        if newline:
            for line in whole.split("\n"):
                keep = min(keep, self._take(line))
            self._done = text[: len(text) - len(rest)]
        self.partial = self._half(rest)
        return [*self.lines[keep:], *self.partial], keep

    def _take(self, source: str) -> int:
        """Take a whole line; gives how many lines before it stay as they were."""
        keep = len(self.lines)
        if self._rows or (not self._fence and _ROW.match(source)):
            if _ROW.match(source) and not self._fence:
                if not self._rows or len(self._rows) == _MOST_ALIGNED:
                    self._table_at, self._rows = keep, []
                self._rows.append(source)
                self.lines[self._table_at :] = self._table()
                return self._table_at
            self._rows = []
        self.lines.extend(self._line(source))
        return keep

    def _half(self, source: str) -> list[Line]:
        """The line that is still being written, as it looks so far; it may still become something else."""
        if not source:
            return []
        if self._fence and self.blocks:
            return [self._code_line(source)]
        if source.lstrip().startswith(("|", "`" * 3, "~~~")):
            return [Line(((clean(source), "dim"),), lead=self._lead, hang=self._lead, base=self._base)]
        return [self._prose(clean(source))]

    def _line(self, source: str) -> list[Line]:
        fence = _FENCE.match(source)
        if self._fence:
            if fence and fence.group(2).startswith(self._fence) and not fence.group(3).strip():
                self._fence = ""
                self.blocks[-1].closed = True
                return []
            block = self.blocks[-1]
            block.source.append(self._dedented(source))
            return [CodeLine(block, len(block.source) - 1, (*self._lead, (" ", "code-row")))]
        if fence:
            self._fence = fence.group(2)
            self._indent = len(fence.group(1))
            name = clean(fence.group(3).strip())
            self.blocks.append(CodeBlock(name.split()[0].strip("{}.") if name else ""))
            return [Line(((name, "faint"),), lead=self._lead, hang=self._lead, base=self._base)] if name else []
        return [self._prose(clean(source))]

    def _dedented(self, source: str) -> str:
        indent = len(source) - len(source.lstrip(" "))
        return source[min(indent, self._indent) :].rstrip("\r")

    def _code_line(self, source: str) -> Line:
        lead = (*self._lead, (" ", "code-row"))
        text = clean(self._dedented(source))
        return Line(((text, ""),), lead=lead, hang=lead, base="code-row", words=False)

    def _prose(self, text: str) -> Line:
        lead, base = self._lead, self._base
        if not text.strip():
            return Line(lead=lead, base=base) if lead or base else BLANK
        if heading := _HEADING.match(text):
            pieces: list[Piece] = [(heading.group(1), "heading")]
            return Line(pieces, lead=lead, hang=lead, base=base)
        if _RULE.match(text):
            return Line((("─" * 24, "faint"),), lead=lead, hang=lead, base=base)
        if bullet := _BULLET.match(text):
            indent, number, box, words = bullet.groups()
            sign = f"{indent[:12]}{number or '•'} " if box is None else f"{indent[:12]}{'☑' if box != ' ' else '☐'} "
            first = (*lead, (sign, "accent"))
            hang = (*lead, (" " * len(sign), ""))
            return Line(inline(words), lead=first, hang=hang, base=base)
        if text.lstrip().startswith(">"):
            bar = (*lead, ("│ ", "faint"))
            return Line(inline(text.lstrip()[1:].lstrip(), "dim"), lead=bar, hang=bar, base=base)
        return Line(inline(text), lead=lead, hang=lead, base=base)

    def _table(self) -> list[Line]:
        """The rows of a table so far, their columns aligned."""
        rows = [_cells_of(clean(row)) for row in self._rows]
        shown = [row for index, row in enumerate(rows) if not (index == 1 and _DASHES.match(self._rows[1]))]
        count = max(map(len, rows))
        widths = [
            min(max((_plain_width(row[at]) for row in shown if at < len(row)), default=0), _WIDEST_COLUMN)
            for at in range(count)
        ]
        lines: list[Line] = []
        for index, row in enumerate(rows):
            if row not in shown and index == 1:
                dashes = "─┼─".join("─" * width for width in widths)
                lines.append(Line(((dashes, "faint"),), lead=self._lead, hang=self._lead, base=self._base, words=False))
                continue
            pieces: list[Piece] = []
            for at, width in enumerate(widths):
                cell = row[at] if at < len(row) else ""
                if at:
                    pieces.append((" │ ", "faint"))
                pieces += inline(cell, "strong" if index == 0 and len(shown) < len(rows) else "")
                if at < count - 1:
                    pieces.append((" " * max(width - _plain_width(cell), 0), ""))
            lines.append(Line(pieces, lead=self._lead, hang=self._lead, base=self._base))
        return lines


def render(text: str, lead: Sequence[Piece] = (), base: str = "") -> Markdown:
    """A text that does not grow any more; its lines are `Markdown.lines`."""
    done = Markdown(lead, base)
    if text:
        done.update(f"{text}\n")
    for block in done.blocks:
        block.closed = True  # nothing more will come of it
    return done
