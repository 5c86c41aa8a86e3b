"""Making one line of a diff, when it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Protocol

from agent_core.patch.encoding import MARK
from agent_core.patch.model import Block, FilePatch
from tui.panes.diff_lines import BesideLine, CodeLine, CodeText, FileSides, Look, shown
from tui.panes.diff_words import Row
from tui.widgets.lines import Line, Piece, clean


class Gutter(Protocol):
    """Says what stands in the gutter of a line."""

    def __call__(self, file: int, block: int, row: Row, *, first: bool) -> tuple[tuple[Piece, Piece], bool]:
        """Give the cursor's cell and the state's, and whether the line is muted.

        Args:
            file: Which file it is of.
            block: Which block it is in, -1 for an unchanged line.
            row: The places of the removed line and of the added one.
            first: It is the block's first.
        """


class LineMaker:
    """Makes the lines of a diff.

    Args:
        files: The files of the patch.
        texts: What their lines have in common.
        look: How they are drawn.
        gutter: What stands before a line.
    """

    def __init__(self, files: Sequence[FilePatch], texts: Sequence[CodeText], look: Look, gutter: Gutter) -> None:
        self._files = files
        self._texts = texts
        self._look = look
        self._gutter = gutter
        self._mixed: dict[str, bool] = {}

    def unchanged(self, file: int, number: int, shift: int) -> Line:
        """A line that stays.

        Args:
            file: Which file it is of.
            number: 1-based, on the old side.
            shift: How many lines farther down it is on the new side.
        """
        of = self._texts[file]
        text = clean(of.sides.before.lines[number - 1])
        gutter, _ = self._gutter(file, -1, (None, None), first=False)
        digits, other = of.digits, number + shift
        if not self._look.beside:
            return CodeLine(text, " ", f"{number:>{digits}} {other:>{digits}} ", of=of, gutter=gutter, number=number)
        old = CodeLine(text, " ", f"{number:>{digits}} ", of=of, gutter=gutter, number=number)
        return BesideLine(old, CodeLine(text, " ", f"{other:>{digits}} ", of=of, number=number), same=True)

    def changed(self, file: int, at: int, row: Row, *, first: bool) -> CodeLine:
        """A removed line or an added one.

        Args:
            file: Which file it is of.
            at: Which block it is in.
            row: Its place among the removed lines, or among the added ones.
            first: It is the first that is shown of the block.
        """
        old, new = row
        block = self._files[file].blocks[at]
        digits = self._texts[file].digits
        before = f"{block.old_start + old:>{digits}}" if old is not None else " " * digits
        after = f"{block.new_start + new:>{digits}}" if new is not None else " " * digits
        gutter, muted = self._gutter(file, at, row, first=first)
        return self._code(file, block, row, f"{before} {after} ", gutter=gutter, muted=muted)

    def beside(self, file: int, at: int, row: Row, *, first: bool) -> Line:
        """A row of a block side by side.

        Args:
            file: Which file it is of.
            at: Which block it is in.
            row: The places of the removed line and of the added one.
            first: It is the first row.
        """
        old, new = row
        of = self._texts[file]
        block = self._files[file].blocks[at]
        gutter, _ = self._gutter(file, at, row, first=first)
        empty = " " * (of.digits + 1)
        left, right = CodeLine("", "", empty, of=of, gutter=gutter), CodeLine("", "", empty, of=of)
        if old is not None:
            numbers = f"{block.old_start + old:>{of.digits}} "
            _, muted = self._gutter(file, at, (old, None), first=False)
            left = self._code(file, block, (old, None), numbers, gutter=gutter, muted=muted)
        if new is not None:
            _, muted = self._gutter(file, at, (None, new), first=False)
            right = self._code(file, block, (None, new), f"{block.new_start + new:>{of.digits}} ", muted=muted)
        return BesideLine(left, right, same=False)

    def settling(self, file: int, at: int, row: Row, theirs: tuple[Sequence[str], int], *, first: bool) -> Line:
        """A row of a stale block side by side: what the human has there now, and what is proposed.

        Args:
            file: Which file it is of.
            at: Which block it is in.
            row: The places of the human's line and of the proposed one.
            theirs: The human's lines, and the number of the first.
            first: It is the first row.
        """
        mine, new = row
        lines, start = theirs
        of, block = self._texts[file], self._files[file].blocks[at]
        gutter, muted = self._gutter(file, at, (None, new), first=first)
        empty = " " * (of.digits + 1)
        left, right = CodeLine("", "", empty, of=of, gutter=gutter), CodeLine("", "", empty, of=of)
        if mine is not None:
            text = clean(lines[mine].rstrip("\r\n"))
            left = CodeLine(text, "✎", f"{start + mine:>{of.digits}} ", of=of, gutter=gutter)
        if new is not None:
            right = self._code(file, block, (None, new), f"{block.new_start + new:>{of.digits}} ", muted=muted)
        return BesideLine(left, right, same=False)

    def _code(
        self, file: int, block: Block, row: Row, numbers: str, *, gutter: Sequence[Piece] = (), muted: bool
    ) -> CodeLine:
        old, new = row
        if old is not None:
            sign, at, line, number = "-", old, block.removed[old], block.old_start + old
        else:
            at = new or 0
            sign, line, number = "+", block.added[at], block.new_start + at
        return CodeLine(
            shown(line, number),
            sign,
            numbers,
            of=self._texts[file],
            gutter=gutter,
            number=number,
            block=(block, at),
            mark=self.mark(block, line, number),
            muted=muted,
        )

    def mark(self, block: Block, line: str, number: int) -> str:
        """What is said about the end of a changed line, or about a mark at its beginning."""
        mark = ""
        if not line.endswith("\n"):
            mark = "  no newline at the end"
        elif line.endswith("\r\n") and self._is_mixed(block):
            mark = "␍"
        if number == 1 and line.startswith(MARK):
            # It is seen only where one side has it and the other has not.
            both = all("".join(lines[:1]).startswith(MARK) for lines in (block.removed, block.added))
            mark += "" if both else "  byte order mark"
        return mark

    def _is_mixed(self, block: Block) -> bool:
        """Whether only some lines of a block end as those of DOS do."""
        if block.id not in self._mixed:
            self._mixed[block.id] = any(not one.endswith("\r\n") for one in chain(block.removed, block.added))
        return self._mixed[block.id]


def texts_of(
    files: Sequence[FilePatch],
    content: Callable[[str], bytes],
    look: Look,
    want: Callable[[FileSides], None],
    known: Mapping[tuple[str | None, str | None], CodeText] | None = None,
) -> list[CodeText]:
    """What the lines of each file have in common.

    Args:
        files: The files of a patch.
        content: Gives the contents of a file by hash.
        look: How they are drawn.
        want: Called once a file when a line of it is drawn that has no colours yet.
        known: Those of before, by the hashes of both sides: they have their colours.
    """
    found = []
    for file in files:
        text = (known or {}).get((file.before, file.after))
        same = text is not None and text.sides.after.path == file.path
        found.append(text if text is not None and same else CodeText(file, FileSides(file, content), look, want))
    return found
