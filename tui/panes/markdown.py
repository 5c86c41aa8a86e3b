"""Markdown as it is felt while reading, line by line: fences, headings, bullets, quotes, tables, bold, inline code.

It is no Markdown parser and need not be one: a line is drawn once, when it is whole, whatever comes after it,
so a message that streams costs the same at its end as at its start. The one exception is a table, whose columns are
aligned anew while its rows come.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tui.panes.code import CodeBlock, CodeLine
from tui.panes.inline import Table, inline
from tui.widgets.lines import BLANK, Line, Piece, clean

_FENCE = re.compile(r"(\s*)(`{3,}|~{3,})\s*([^`]*)$")
_HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*$")
_BULLET = re.compile(r"(\s*)(?:[-*+]|(\d{1,3}[.)]))\s+(?:\[([ xX])\]\s+)?(.*)$")
_RULE = re.compile(r"\s{0,3}([-*_])(?:\s*\1){2,}\s*$")
_ROW = re.compile(r"\s{0,3}\|.*\|\s*$")


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
        self._table: Table | None = None  # that is being written
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
            self._fence, self._done, self.lines, self.blocks, self._table = "", "", [], [], None
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
        if self._fence or not _ROW.match(source):
            self._table = None
            self.lines.extend(self._line(source))
            return keep
        if self._table is None or self._table.full:
            self._table, self._table_at = Table(), keep
        fits = self._table.add(source)
        first = self._table.count - 1 if fits else 0
        del self.lines[self._table_at + first :]
        self.lines += [
            Line(pieces, lead=self._lead, hang=self._lead, base=self._base) for pieces in self._table.rows(first)
        ]
        return self._table_at + first

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


def render(text: str, lead: Sequence[Piece] = (), base: str = "") -> Markdown:
    """A text that does not grow any more; its lines are `Markdown.lines`."""
    done = Markdown(lead, base)
    if text:
        done.update(f"{text}\n")
    for block in done.blocks:
        block.closed = True  # nothing more will come of it
    return done
