"""A patch as lines: file headers, changed lines with their numbers, three lines of context, folds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from agent_core.errors import JournalError
from agent_core.patch.encoding import MARK
from agent_core.patch.model import Block, FilePatch, Patch
from agent_core.workspace.tree import SYMLINK
from tui.panes.highlight import Spans, decode, split_lines
from tui.widgets.lines import BLANK, Line, Piece, Span, clean

CONTEXT = 3
Notes = Mapping[str, Sequence[Piece]]
_EXECUTABLE = 0o111


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


_BASES = {"+": "add-row", "-": "del-row", " ": ""}
_SIGNS = {"+": "good-bold", "-": "bad-bold", " ": "faint"}


class CodeLine(Line):
    """A line of the diff; cheap until it is drawn, for there may be very many of them.

    It takes its syntax colours from its file, as soon as there are some.

    Args:
        text: The line as it is shown.
        sign: ``+``, ``-`` or a space.
        old: 1-based line on the old side, 0 if it is not there.
        new: 1-based line on the new side, 0 if it is not there.
        of: The file.
        mark: What is said about its end.
    """

    __slots__ = ("_new", "_of", "_old", "_sign")

    def __init__(self, text: str, sign: str, old: int, new: int, *, of: FileLines, mark: str = "") -> None:
        # Not by the parent's way, which would cost more than all the rest.
        self.text = text + mark
        self.spans = ((len(text), len(text) + len(mark), "faint"),) if mark else ()
        self.lead = self.hang = ()
        self.lead_cells = 2 * of.digits + 4
        self.base = _BASES[sign]
        self.words = False
        self.right = None
        self._rows = (-1, [])
        self._sign = sign
        self._old = old
        self._new = new
        self._of = of

    def before(self, row: int) -> Sequence[Piece]:
        """Line numbers and sign; a hook where the line goes on."""
        digits = self._of.digits
        if row:
            return ((" " * (2 * digits + 2), "faint"), ("↪ ", "faint"))
        numbers = f"{self._old or '':>{digits}} {self._new or '':>{digits}} "
        return ((numbers, "faint"), (f"{self._sign} ", _SIGNS[self._sign]))

    def styled(self) -> Sequence[Span]:
        """Its syntax colours, and what it was given."""
        colors = self._of.colors(self._new if self._sign == "+" else self._old, new=self._sign == "+")
        return (*colors, *self.spans)


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
    elif SYMLINK in {file.before_mode, file.after_mode}:
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


class FileLines:
    """Makes the lines of one file, and knows their colours.

    Args:
        file: What the patch does to it.
        sides: Its contents.
        want: Called when a line is drawn while there are no colours.
        notes: What is said above a block, by its id.
    """

    def __init__(self, file: FilePatch, sides: FileSides, want: Callable[[FileSides], None], notes: Notes) -> None:
        self._file = file
        self._notes = notes
        self._sides = sides
        self._want = want
        ends = [1, len(sides.before.lines), len(sides.after.lines)]
        ends += [max(one.old_start + len(one.removed), one.new_start + len(one.added)) for one in file.blocks]
        self.digits = len(str(max(ends)))

    def colors(self, number: int, *, new: bool) -> Sequence[Span]:
        """Syntax colours of a line of one side; none until somebody has made them."""
        spans = (self._sides.after if new else self._sides.before).spans
        if spans is None:
            if not self._sides.wanted:
                self._want(self._sides)
            return ()
        return spans[number - 1] if number <= len(spans) else ()

    def _context(self, first: int, last: int, shift: int) -> Iterator[Line]:
        lines = self._sides.before.lines
        for number in range(first, min(last, len(lines)) + 1):
            yield CodeLine(clean(lines[number - 1]), " ", number, number + shift, of=self)

    def _fold(self, count: int) -> Line:
        text = f"⋯ {count} unchanged line{'s' if count != 1 else ''}"
        return Line(((text, "faint"),), lead=((" " * (2 * self.digits + 2), ""),))

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
        if (note := self._notes.get(block.id)) is not None:
            yield Line(note, lead=((" " * (2 * self.digits + 2), ""),), hang=((" " * (2 * self.digits + 4), ""),))
        marked = {"".join(lines[:1]).startswith(MARK) for lines in (block.removed, block.added)}
        for sign, lines, start in (("-", block.removed, block.old_start), ("+", block.added, block.new_start)):
            for number, line in enumerate(lines, start):
                mark = ""
                if not line.endswith("\n"):
                    mark = "  no newline at the end"
                elif len(endings) == 2 and line.endswith("\r\n"):
                    mark = "␍"
                text = line.removesuffix("\n").removesuffix("\r")
                if number == 1 and text.startswith(MARK):
                    text = text.removeprefix(MARK)
                    # It is seen only where one side has it and the other has not.
                    mark += "  byte order mark" if len(marked) > 1 else ""
                old, new = (number, 0) if sign == "-" else (0, number)
                yield CodeLine(clean(text), sign, old, new, of=self, mark=mark)

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
    patch: Patch, content: Callable[[str], bytes], want: Callable[[FileSides], None], notes: Notes | None = None
) -> tuple[list[Line], list[FileSides]]:
    """A patch as lines.

    Args:
        patch: The patch.
        content: Gives the contents of a file by hash.
        want: Called once a file when a line of it is drawn that has no colours yet.
        notes: What is said above a block, by its id.

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
        lines.extend(FileLines(file, sides, want, notes or {}).lines())
    return lines, files
