"""Lines of code as the diff shows them, one above the other or side by side, and where they have their colours from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

from rich.segment import Segment
from textual.strip import Strip

from agent_core.errors import JournalError
from agent_core.patch.encoding import MARK
from agent_core.patch.model import Block, FilePatch
from tui.palette import Palette
from tui.panes.diff_words import Range, changed_words, laid_over, paired
from tui.panes.highlight import Spans, decode, split_lines
from tui.widgets.lines import Line, Piece, Span, clean

GUTTER = 3
"""Cells before the line numbers: the cursor, how the block stands, and a blank."""

_BASES = {"+": "add-row", "-": "del-row", " ": ""}
_SIGNS = {"+": "good-bold", "-": "bad-bold", " ": "faint", "✎": "human"}
_WORDS = {"+": "add-word", "-": "del-word"}


class Side:
    """One side of a file: its lines now, its colours when somebody has made them.

    Args:
        path: The file's path on this side.
        load: Gives its text.
    """

    __slots__ = ("_lines", "_load", "_text", "path", "spans")

    def __init__(self, path: str, load: Callable[[], str]) -> None:
        self.path = path
        self.spans: Spans | None = None
        self._load = load
        self._text: str | None = None
        self._lines: list[str] | None = None

    @property
    def text(self) -> str:
        """Its text, printable; read when it is first wanted."""
        if self._text is None:
            self._text = self._load()
        return self._text

    @property
    def lines(self) -> list[str]:
        """Its lines without their endings."""
        if self._lines is None:
            self._lines = split_lines(self.text)
        return self._lines


class FileSides:
    """Both sides of a file of a patch.

    Attributes:
        wanted: A line of it has been drawn, so colours are worth making.
    """

    __slots__ = ("after", "before", "wanted")

    def __init__(self, file: FilePatch, content: Callable[[str], bytes]) -> None:
        self.before = Side(file.old_path, lambda: _load(file.before, content))
        self.after = Side(file.path, lambda: _load(file.after, content))
        self.wanted = False


def _load(digest: str | None, content: Callable[[str], bytes]) -> str:
    try:
        return "" if digest is None else decode(content(digest))
    except JournalError:
        return ""


class Look:
    """How the lines of a diff are drawn; changed in place, then everything is drawn anew.

    Attributes:
        beside: Old and new side by side.
        wrap: Long lines are broken; else they are cut, and scrolled.
        left: Cells scrolled to the right, where they are cut.
    """

    __slots__ = ("beside", "left", "wrap")

    def __init__(self) -> None:
        self.beside = False
        self.wrap = True
        self.left = 0


class CodeText:
    """What all lines of a file have in common: its colours, its changed words, the width of its numbers.

    Args:
        file: What the patch does to it.
        sides: Its contents.
        look: How it is drawn.
        want: Called when a line is drawn while there are no colours.
    """

    __slots__ = ("_blocks", "_pairs", "_want", "_widest", "_words", "digits", "look", "sides")

    def __init__(self, file: FilePatch, sides: FileSides, look: Look, want: Callable[[FileSides], None]) -> None:
        self.sides = sides
        self.look = look
        self._want = want
        self._blocks = file.blocks
        self._widest: int | None = None
        self._pairs: dict[str, tuple[dict[int, int], dict[int, int]]] = {}
        self._words: dict[tuple[str, int], tuple[list[Range], list[Range]]] = {}
        ends = [1, len(sides.before.lines)]
        for block in file.blocks[-1:]:  # the last one is the farthest down
            ends += [block.old_start + len(block.removed), block.new_start + len(block.added)]
            ends.append(block.new_start + len(block.added) + ends[1] - block.old_start - len(block.removed))
        self.digits = len(str(max(ends)))

    def colors(self, number: int, *, new: bool) -> Sequence[Span]:
        """Syntax colours of a line of one side; none until somebody has made them."""
        spans = (self.sides.after if new else self.sides.before).spans
        if spans is None:
            if not self.sides.wanted:
                self._want(self.sides)
            return ()
        return spans[number - 1] if number <= len(spans) else ()

    @property
    def widest(self) -> int:
        """Cells that none of its lines needs more than."""
        if self._widest is None:
            changed = "".join(chain.from_iterable(chain(block.removed, block.added) for block in self._blocks))
            text = self.sides.before.text
            longest = max(map(len, chain(changed.split("\n"), self.sides.before.lines)), default=0)
            each = 4 if "\t" in changed or "\t" in text else 1 if changed.isascii() and text.isascii() else 2
            self._widest = longest * each
        return self._widest

    def words(self, block: Block, at: int, *, new: bool) -> Sequence[Range]:
        """The words of a line of a block that its counterpart has not."""
        pairs = self._pairs.get(block.id)
        if pairs is None:
            found = paired(block.removed, block.added)
            self._pairs[block.id] = pairs = (dict(found), {other: one for one, other in found})
        other = pairs[new].get(at)
        if other is None:
            return ()
        one, other = (other, at) if new else (at, other)
        words = self._words.get((block.id, one))
        if words is None:
            words = changed_words(
                shown(block.removed[one], block.old_start + one), shown(block.added[other], block.new_start + other)
            )
            self._words[block.id, one] = words
        return words[new]


def shown(line: str, number: int) -> str:
    """A changed line as it is drawn, without what is said about its end.

    Args:
        line: The line with its ending.
        number: 1-based; a mark at the beginning of the first one is no part of its text.
    """
    text = line.removesuffix("\n").removesuffix("\r")
    return clean(text.removeprefix(MARK) if number == 1 else text)


class CodeLine(Line):
    """A line of the diff.

    It takes its syntax colours from its file, as soon as there are some.

    Args:
        text: The line as it is shown.
        sign: ``+``, ``-``, a space, or nothing where there is no line.
        numbers: What stands for its line numbers, as wide as all others'.
        of: The file.
        gutter: What stands before the numbers, `GUTTER` cells; nothing on the right side.
        number: 1-based line on the side its colours are of.
        block: The block it is in and its place there, among the removed or the added lines.
        mark: What is said about its end.
        muted: It does not land, so it does not stand out.
    """

    __slots__ = ("_block", "_gutter", "_muted", "_number", "_numbers", "_of", "_sign")

    def __init__(
        self,
        text: str,
        sign: str,
        numbers: str,
        *,
        of: CodeText,
        gutter: Sequence[Piece] = (),
        number: int = 0,
        block: tuple[Block, int] | None = None,
        mark: str = "",
        muted: bool = False,
    ) -> None:
        # Not by the parent's way, which would cost more than all the rest.
        self.text = text + mark
        self.spans = ((len(text), len(text) + len(mark), "faint"),) if mark else ()
        self.lead = self.hang = ()
        self.lead_cells = len(numbers) + 2 + (GUTTER if gutter else 0)
        self.base = "" if muted else _BASES.get(sign, "")
        self.words = False
        self.right = None
        self._rows = (-1, [])
        self._sign = sign
        self._numbers = numbers
        self._of = of
        self._gutter = gutter
        self._number = number
        self._block = block
        self._muted = muted

    def before(self, row: int) -> Sequence[Piece]:
        """The gutter, line numbers and sign; a hook where the line goes on."""
        cursor, state = self._gutter or (("", ""), ("", ""))
        if row:
            return (cursor, (" " * (len(state[0]) + len(self._numbers)), "faint"), ("↪ ", "faint"))
        style = "faint" if self._muted else _SIGNS.get(self._sign, "faint")
        return (cursor, state, (self._numbers, "faint"), (f"{self._sign:<1} ", style))

    def styled(self) -> Sequence[Span]:
        """Its syntax colours, the words that changed, and what it was given."""
        if self._muted:
            return ((0, len(self.text), "faint"),)
        if not self._number:
            return self.spans
        new = self._sign == "+"
        colors = self._of.colors(self._number, new=new)
        if self._block is not None and (words := self._of.words(*self._block, new=new)):
            colors = laid_over(colors, words, _WORDS[self._sign])
        return (*colors, *self.spans)

    def rows(self, width: int) -> list[int]:
        """Where its rows begin; a line that is not broken has one."""
        return super().rows(width) if self._of.look.wrap else [0]

    def strip(self, row: int, width: int, palette: Palette) -> Strip:
        """One row, drawn; a line that is cut says so at its ends."""
        look = self._of.look
        if look.wrap:
            return super().strip(row, width, palette)
        lead = self.lead_cells
        room = max(width - lead, 1)
        cells = Strip([Segment(self.text)]).cell_length
        if cells <= room and not look.left:
            return super().strip(0, width, palette)
        strip = super().strip(0, lead + cells, palette)
        more = palette[self.base] + palette["accent"]
        code = strip.crop(lead + look.left, lead + look.left + room)
        if cells > look.left + room:
            code = Strip([*code.crop(0, room - 1), Segment("…", more)])
        if look.left and cells:
            code = Strip([Segment("…", more), *code.crop(1, room)])
        whole = Strip.join([strip.crop(0, lead), code])
        return whole.adjust_cell_length(width, palette[self.base] if self.base else None)

    def cells(self, row: int, width: int, first: int, last: int) -> tuple[int, int]:
        """The cells of one row in which a part of the text stands."""
        start, end = super().cells(row, width, first, last)
        look = self._of.look
        if look.wrap or start == end:
            return start, end
        return max(start - look.left, self.lead_cells), max(min(end - look.left, width), self.lead_cells)


class BesideLine(Line):
    """An old line and a new one side by side.

    Args:
        old: The left one.
        new: The right one.
        same: They are one line, which is not found twice.
    """

    __slots__ = ("_new", "_old")

    def __init__(self, old: CodeLine, new: CodeLine, *, same: bool) -> None:
        super().__init__(((old.text if same else f"{old.text}\n{new.text}", ""),), words=False)
        self._old = old
        self._new = new

    @staticmethod
    def halves(width: int) -> tuple[int, int]:
        """Cells of either side; one between them is the divider's."""
        left = (width - 1 + GUTTER) // 2
        return left, width - 1 - left

    def rows(self, width: int) -> list[int]:
        """As many rows as the higher side has."""
        if self._rows[0] != width:
            left, right = self.halves(width)
            count = max(len(self._old.rows(left)), len(self._new.rows(right)))
            self._rows = (width, [0] * count)
        return self._rows[1]

    @property
    def whole(self) -> str:
        """All of its text, with what stands before it."""
        return f"{self._old.whole} │{self._new.whole}"

    def plain(self, row: int, width: int) -> str:
        """The text of one row, both sides in their places."""
        left, right = self.halves(width)
        old, new = (
            half.plain(row, room) if row < len(half.rows(room)) else ""
            for half, room in ((self._old, left), (self._new, right))
        )
        gap = left - Strip([Segment(old)]).cell_length
        return f"{old}{' ' * max(gap, 0)}│{new}"

    def cells(self, row: int, width: int, first: int, last: int) -> tuple[int, int]:
        """The cells of one row in which a part of the text stands."""
        left, right = self.halves(width)
        edge = len(self._old.text)
        if last <= edge:
            return self._old.cells(row, left, first, last) if row < len(self._old.rows(left)) else (0, 0)
        if row >= len(self._new.rows(right)):
            return 0, 0
        start, end = self._new.cells(row, right, first - edge - 1, last - edge - 1)
        return (start + left + 1, end + left + 1) if start < end else (0, 0)

    def strip(self, row: int, width: int, palette: Palette) -> Strip:
        """One row of both sides, drawn."""
        strips: list[Strip] = []
        for half, room in zip((self._old, self._new), self.halves(width), strict=True):
            if row < len(half.rows(room)):
                strips.append(half.strip(row, room, palette).adjust_cell_length(room))
            elif row and half is self._old:
                cursor, style = half.before(1)[0]
                blank = Segment(" " * (room - len(cursor)), palette[half.base])
                strips.append(Strip([Segment(cursor, palette[style]), blank]))
            else:
                strips.append(Strip([Segment(" " * room, palette[half.base])]))
        return Strip.join([strips[0], Strip([Segment("│", palette["faint"])]), strips[1]])
