"""A patch as lines: file headers, changed lines with their numbers, three lines of context, folds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from agent_core.errors import JournalError
from agent_core.patch.model import Block, FilePatch, Patch
from tui.panes.highlight import Spans, decode, split_lines
from tui.widgets.lines import BLANK, Line, Piece, Span, clean

CONTEXT = 3
_EXECUTABLE = 0o111
_LINK = 0o120000


class Side:
    """One side of a file: its lines now, its colours when somebody has made them."""

    __slots__ = ("lines", "path", "spans", "text")

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.lines = split_lines(text)
        self.spans: Spans | None = None


class FileSides:
    """Both sides of a file of a patch.

    Attributes:
        wanted: A line of it has been drawn, so colours are worth making.
    """

    __slots__ = ("after", "before", "wanted")

    def __init__(self, before: Side, after: Side) -> None:
        self.before = before
        self.after = after
        self.wanted = False


class CodeLine(Line):
    """A line of the diff; takes its syntax colours from its file, as soon as there are some.

    Args:
        sides: The file.
        side: The side of it the line stands on.
        number: 1-based line on that side.
        want: Called when it is drawn while its file has no colours.
    """

    __slots__ = ("_number", "_side", "_sides", "_want")

    def __init__(
        self,
        text: str,
        *,
        sides: FileSides,
        side: Side,
        number: int,
        lead: Sequence[Piece],
        hang: Sequence[Piece],
        base: str,
        mark: str,
        want: Callable[[FileSides], None],
    ) -> None:
        super().__init__(
            ((text, ""), (mark, "faint")) if mark else ((text, ""),), lead=lead, hang=hang, base=base, words=False
        )
        self._sides = sides
        self._side = side
        self._number = number
        self._want = want

    def styled(self) -> Sequence[Span]:
        """Its syntax colours, and what it was given."""
        spans = self._side.spans
        if spans is None:
            if not self._sides.wanted:
                self._want(self._sides)
            return self.spans
        return [*spans[self._number - 1], *self.spans] if self._number <= len(spans) else self.spans


def _load(path: str, digest: str | None, content: Callable[[str], bytes]) -> Side:
    if digest is None:
        return Side(path, "")
    try:
        return Side(path, decode(content(digest)))
    except JournalError:
        return Side(path, "")


def _what(file: FilePatch) -> str:
    words = {"add": "new", "delete": "deleted", "move": f"moved from {clean(file.old_path)}", "update": ""}[file.kind]
    modes = ""
    if file.kind in {"update", "move"} and file.before_mode != file.after_mode:
        modes = "now executable" if file.after_mode & _EXECUTABLE else "no longer executable"
    elif _LINK in {file.before_mode, file.after_mode}:
        modes = "symbolic link"
    return ", ".join(word for word in (words, modes) if word)


def counts(added: int, removed: int) -> list[Piece]:
    """``+3 -1`` in colours."""
    return [(f"+{added}", "good"), (" ", ""), (f"-{removed}", "bad")]


def file_header(file: FilePatch) -> Line:
    """The line above a file's changes."""
    pieces: list[Piece] = [(clean(file.path), "strong"), ("  ", ""), *counts(file.added, file.removed)]
    if what := _what(file):
        pieces.append((f"  {what}", "dim"))
    return Line(pieces, lead=((" ", ""),), base="file-row", words=False)


class _FileLines:
    """Makes the lines of one file."""

    def __init__(self, file: FilePatch, sides: FileSides, want: Callable[[FileSides], None]) -> None:
        self._file = file
        self._sides = sides
        self._want = want
        last = max(
            len(sides.before.lines),
            len(sides.after.lines),
            *(max(block.old_start + len(block.removed), block.new_start + len(block.added)) for block in file.blocks),
            1,
        )
        self._digits = len(str(last))

    def _line(self, text: str, sign: str, old: int | None, new: int | None, mark: str = "") -> Line:
        side = self._sides.after if sign == "+" else self._sides.before
        number = (new if sign == "+" else old) or 1
        left = str(old) if old else ""
        right = str(new) if new else ""
        digits = self._digits
        style = {"+": "good-bold", "-": "bad-bold", " ": "faint"}[sign]
        lead = ((f"{left:>{digits}} {right:>{digits}} ", "faint"), (f"{sign} ", style))
        hang = ((" " * (2 * digits + 2), "faint"), ("↪ ", "faint"))
        base = {"+": "add-row", "-": "del-row", " ": ""}[sign]
        return CodeLine(
            clean(text),
            sides=self._sides,
            side=side,
            number=number,
            lead=lead,
            hang=hang,
            base=base,
            mark=mark,
            want=self._want,
        )

    def _context(self, first: int, last: int, shift: int) -> Iterator[Line]:
        lines = self._sides.before.lines
        for number in range(first, min(last, len(lines)) + 1):
            yield self._line(lines[number - 1], " ", number, number + shift)

    def _fold(self, count: int) -> Line:
        text = f"⋯ {count} unchanged line{'s' if count != 1 else ''}"
        return Line(((text, "faint"),), lead=((" " * (2 * self._digits + 2), ""),))

    def _between(self, first: int, last: int, shift: int, *, top: bool, bottom: bool) -> Iterator[Line]:
        """Unchanged lines between two blocks, or before the first or after the last, folded in the middle."""
        last = min(last, len(self._sides.before.lines))
        head = 0 if top else CONTEXT
        tail = 0 if bottom else CONTEXT
        count = last - first + 1
        if count <= head + tail + 1:
            yield from self._context(first, last, shift)
            return
        yield from self._context(first, first + head - 1, shift)
        yield self._fold(count - head - tail)
        yield from self._context(last - tail + 1, last, shift)

    def _changes(self, block: Block) -> Iterator[Line]:
        endings = {line.endswith("\r\n") for line in (*block.removed, *block.added)}
        for sign, lines, start in (("-", block.removed, block.old_start), ("+", block.added, block.new_start)):
            for number, line in enumerate(lines, start):
                mark = ""
                if not line.endswith("\n"):
                    mark = "  no newline at the end"
                elif len(endings) == 2 and line.endswith("\r\n"):
                    mark = "␍"
                text = line.removesuffix("\n").removesuffix("\r")
                old, new = (number, None) if sign == "-" else (None, number)
                yield self._line(text, sign, old, new, mark)

    def lines(self) -> Iterator[Line]:
        """All of them, the header first."""
        yield file_header(self._file)
        following = 1
        shift = 0
        for index, block in enumerate(self._file.blocks):
            yield from self._between(following, block.old_start - 1, shift, top=index == 0, bottom=False)
            yield from self._changes(block)
            following = block.old_start + len(block.removed)
            shift = block.new_start + len(block.added) - following
        if self._file.blocks:
            end = len(self._sides.before.lines)
            yield from self._between(following, end, shift, top=False, bottom=True)


def patch_lines(
    patch: Patch, content: Callable[[str], bytes], want: Callable[[FileSides], None]
) -> tuple[list[Line], list[FileSides]]:
    """A patch as lines.

    Args:
        patch: The patch.
        content: Gives the contents of a file by hash.
        want: Called once a file when a line of it is drawn that has no colours yet.

    Returns:
        The lines, and the two sides of each file.
    """
    lines: list[Line] = []
    files: list[FileSides] = []
    for file in patch.files:
        sides = FileSides(_load(file.old_path, file.before, content), _load(file.path, file.after, content))
        files.append(sides)
        if lines:
            lines.append(BLANK)
        lines.extend(_FileLines(file, sides, want).lines())
    return lines, files
