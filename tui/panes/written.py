"""A patch while the partner writes it: as far as it has come, a line at a time."""

from __future__ import annotations

import re

from tui.panes.diff_lines import counts
from tui.widgets.lines import BLANK, Line, Piece, clean

_HEADER = re.compile(r"\s*\*\*\* (Add|Update|Delete) File: (.*)$")
_MOVE = re.compile(r"\s*\*\*\* Move to: (.*)$")
_FRAME = re.compile(r"\s*\*\*\* (Begin Patch|End Patch|End of File)\s*$")
_KINDS = {"Add": "new", "Delete": "deleted", "Update": ""}
_STYLES = {"+": ("text", "add-row", "good-bold"), "-": ("text", "del-row", "bad-bold"), "@": ("faint", "", "faint")}


class _File:
    """The file the lines belong to, and its header's place."""

    def __init__(self, at: int, path: str, kind: str) -> None:
        self.at = at
        self.path = path
        self.kind = kind
        self.added = 0
        self.removed = 0

    def header(self) -> Line:
        pieces: list[Piece] = [(clean(self.path), "strong"), ("  ", ""), *counts(self.added, self.removed)]
        if self.kind:
            pieces.append((f"  {clean(self.kind)}", "dim"))
        return Line(pieces, lead=((" ", ""),), base="file-row", words=False)


class WrittenPatch:
    """Turns a patch in the envelope format that is still growing into lines.

    Attributes:
        lines: What it shows so far, the line without an end included.
        recounted: Indices of lines shown before the last update whose counts have changed by it.
    """

    def __init__(self) -> None:
        self._done = ""
        self._partial = False
        self._file: _File | None = None
        self._first: int | None = None  # the header that was open when the last update was over
        self.lines: list[Line] = []
        self.recounted: list[int] = []

    def goes_on(self, text: str) -> bool:
        """Whether a text is the same patch, further on."""
        return text.startswith(self._done)

    def update(self, text: str) -> int:
        """Take what is new.

        Args:
            text: The whole text so far; it goes on from what it was at the last call, see `goes_on`.

        Returns:
            How many of the lines shown before are still as they were, but for those in `recounted`.
        """
        if self._partial:
            self.lines.pop()
            self._partial = False
        keep = len(self.lines)
        whole, newline, rest = text[len(self._done) :].rpartition("\n")
        if newline:
            for line in whole.split("\n"):
                self._take(line)
            self._done = text[: len(text) - len(rest)]
        if rest and not rest.lstrip().startswith("***"):
            self.lines.append(_changed(rest))
            self._partial = True
        self._count()
        self.recounted = [self._first] if self._first is not None and newline else []
        self._first = None if self._file is None else self._file.at
        return keep

    def _count(self) -> None:
        if self._file is not None:
            self.lines[self._file.at] = self._file.header()

    def _take(self, line: str) -> None:
        if _FRAME.match(line):
            return
        if header := _HEADER.match(line):
            self._count()
            if self.lines:
                self.lines.append(BLANK)
            self._file = _File(len(self.lines), header.group(2), _KINDS[header.group(1)])
            self.lines.append(self._file.header())
            return
        if self._file is not None:
            if move := _MOVE.match(line):
                self._file.kind = f"moves to {move.group(1)}"
                return
            self._file.added += line.startswith("+")
            self._file.removed += line.startswith("-")
        self.lines.append(_changed(line))


def _changed(line: str) -> Line:
    style, base, sign = _STYLES.get(line[:1], ("dim", "", "faint"))
    if line[:2] == "@@":
        return Line(((clean(line[2:].strip()) or "⋯", style),), lead=(("  ", ""),), base=base, words=False)
    lead = ((f" {clean(line[:1])} ", sign),)
    return Line(((clean(line[1:]), style),), lead=lead, base=base, words=False)
