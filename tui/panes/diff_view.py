"""The cursor of a diff: it goes by block or by line, over a range, and where the mouse clicks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import events

from tui.panes.diff_sheet import DiffSheet
from tui.panes.diff_words import Row
from tui.widgets.lines import Piece

_AROUND = 3
"""Rows to be seen around the block of the cursor."""


class DiffView(DiffSheet):
    """A patch, with a cursor."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._lit: dict[tuple[int, int], frozenset[int] | None] = {}
        self._current = (-1, -1)

    def found(self, index: int) -> None:
        """The search has come to a line: the cursor goes along."""
        if self._source is not None:
            file, block = self._source.block_at(index)
            at = next((at for at, one in enumerate(self.stops) if (one.file, one.block) == (file, block)), None)
            if at is not None:
                self._at = at
                self._row = min(max(index - self.stops[at].first, 0), self.stops[at].length - 1)
                self._moved()
        super().found(index)

    def marks_of(self) -> Sequence[int]:
        """Jump mode leads to blocks, and to files that have none."""
        return [stop.first for stop in self.stops]

    def light(self) -> None:
        """Find out which lines the cursor is on, or the range is over."""
        self._lit = {}
        if (stop := self.stop) is None or self._source is None:
            return
        for at, rows in self.chosen():
            one = self.stops[at]
            if self.by_line and one.block >= 0:
                places = {place for row in rows for place in self._source.places(one, row)}
                self._lit[one.file, one.block] = frozenset(places)
            else:
                self._lit[one.file, one.block] = None
        self._current = (stop.file, stop.block)

    def chosen(self) -> list[tuple[int, range]]:
        """What the next word is about: stops, and the rows of each; those of the range, or those at the cursor."""
        stops = self.stops
        if not stops:
            return []
        here = (self._at, self._row)
        first, last = sorted((self._range or here, here))
        found = []
        for at in range(first[0], last[0] + 1):
            start, end = 0, stops[at].length
            if self.by_line:
                start = first[1] if at == first[0] else 0
                end = last[1] + 1 if at == last[0] else end
            found.append((at, range(start, end)))
        return found

    def before_line(self, file: int, block: int, row: Row, *, first: bool) -> tuple[tuple[Piece, Piece], bool]:
        """What stands before a line; see `tui.panes.diff_make.Gutter`."""
        if block < 0 or self._source is None:
            return ((" ", ""), ("  ", "")), False
        count = len(self._source.file_of(file).blocks[block].removed)
        old, new = row
        places = [place for place in (old, None if new is None else count + new) if place is not None]
        sign, muted = self.sign_of(file, block, places, first=first)
        return (self.cursor_cell(file, block, places), (f"{sign[0]} ", sign[1])), muted

    def cursor_cell(self, file: int, block: int, places: Iterable[int] = ()) -> Piece:
        """What the first cell of a line says of the cursor; of a file's header with the block -1."""
        lit = self._lit.get((file, block), frozenset())
        if lit is not None and not any(place in lit for place in places):
            # In line mode the block of the cursor is still told from the others.
            return ("▏", "faint") if self.by_line and (file, block) == self._current else (" ", "")
        return "▌", "accent" if self.has_focus else "faint"

    def on_focus(self) -> None:
        """The cursor is where keys act now."""
        self.redraw()

    def on_blur(self) -> None:
        """The cursor only shows where it was."""
        self.redraw()

    def _moved(self) -> None:
        """The cursor is somewhere else."""
        self.light()
        self.redraw()

    def go_to(self, at: int, row: int = 0, *, whole: bool = True) -> None:
        """Put the cursor at a stop and have it seen.

        Args:
            at: Which stop.
            row: Which of its rows, where it goes by line.
            whole: As much of the stop as there is room for is to be seen, else only the row.
        """
        stops = self.stops
        if not stops:
            return
        self._at = max(min(at, len(stops) - 1), 0)
        stop = stops[self._at]
        self._row = max(min(row, stop.length - 1), 0)
        self._moved()
        if len(self._starts) <= stop.first + stop.length:
            return
        if self.by_line and not whole:
            self._reveal(self._starts[stop.first + self._row], self._starts[stop.first + self._row + 1])
        else:
            self._reveal(self._starts[stop.first], self._starts[stop.first + stop.length])

    def _reveal(self, top: int, bottom: int) -> None:
        """Scroll as little as shows some rows with a little around them."""
        height = self.size.height
        around = min(_AROUND, max(height - (bottom - top), 0) // 2)
        y = round(self.scroll_y)
        if top - around < y or bottom - top > height:
            self.scroll_to_row(top - around if bottom - top <= height else top - 1)
        elif bottom + around > y + height:
            self.scroll_to_row(bottom + around - height)

    def move(self, step: int) -> None:
        """On by a block, or by a line; a block that goes on below what is seen is scrolled through first."""
        stop = self.stop
        if stop is None or len(self._starts) <= stop.first + stop.length:
            self.scroll_relative(y=step, animate=False, force=True)
            return
        if self.by_line:
            self._move_line(step)
            return
        height = max(self.size.height, 1)
        y = round(self.scroll_y)
        top, bottom = self._starts[stop.first], self._starts[stop.first + stop.length]
        if top < y + height and bottom > y:
            rest = bottom - (y + height) if step > 0 else y - top
            if rest > 0:
                self.scroll_to_row(y + step * min(rest + 1, max(height - 2, 1)))
                return
            if not 0 <= self._at + step < len(self.stops):
                (self.scroll_end if step > 0 else self.scroll_home)(animate=False, force=True)
                return
            self.go_to(self._at + step)
            return
        # Somebody has scrolled away: the cursor comes to where they are.
        seen = [
            at
            for at, one in enumerate(self.stops)
            if self._starts[one.first] < y + height and self._starts[one.first + one.length] > y
        ]
        self.go_to((seen[0] if step > 0 else seen[-1]) if seen else self._at + step)

    def _move_line(self, step: int) -> None:
        row, at = self._row + step, self._at
        if row < 0 and at > 0:
            at -= 1
            row = self.stops[at].length - 1
        elif row >= self.stops[at].length and at + 1 < len(self.stops):
            at, row = at + 1, 0
        self.go_to(at, row, whole=False)

    def move_file(self, step: int) -> None:
        """To the first block of the next file, or of the one before."""
        files = sorted({stop.file for stop in self.stops})
        if not files:
            return
        where = files.index(self.file) + step
        self.go_to_file(files[max(min(where, len(files) - 1), 0)])

    def go_to_file(self, file: int) -> None:
        """To the first block of a file, whose header is then at the top."""
        at = next((at for at, stop in enumerate(self.stops) if stop.file == file), None)
        if at is not None and self._source is not None:
            self.go_to(at)
            self.scroll_to_row(self._starts[self._source.headers[file]])

    def go_to_line(self, path: str, line: int) -> bool:
        """To the block that a line of the new side is in, or is nearest to; whether the patch has that file.

        Args:
            path: The file, by its path after the patch.
            line: 1-based, on the new side.
        """
        best: tuple[int, int] | None = None
        for at, stop in enumerate(self.stops):
            file = self._file(stop.file)
            if file.path != path:
                continue
            away = 0
            if stop.block >= 0:
                block = file.blocks[stop.block]
                first, last = block.new_start, block.new_start + max(len(block.added), 1) - 1
                away = max(first - line, line - last, 0)
            if best is None or away < best[0]:
                best = (away, at)
        if best is not None:
            self.go_to(best[1])
        return best is not None

    def set_by_line(self, *, by_line: bool) -> None:
        """Have the cursor go by line, or by block."""
        self.by_line = by_line
        self._range = None
        self._row = 0
        self.go_to(self._at, 0, whole=not by_line)

    def set_range(self, *, begun: bool) -> None:
        """Begin a range at the cursor, or end it."""
        self._range = (self._at, self._row) if begun else None
        self._moved()

    @property
    def ranging(self) -> bool:
        """Whether a range is under way."""
        return self._range is not None

    def on_click(self, event: events.Click) -> None:
        """A fold opens, a block gets the cursor."""
        offset = event.get_content_offset(self)
        if offset is not None and (index := self.line_at(offset.y)) is not None:
            self.clicked(index, offset.x)

    def clicked(self, index: int, x: int) -> None:
        """A line was clicked.

        Args:
            index: Which one.
            x: The cell.
        """
        del x
        source = self._source
        assert source is not None
        if (fold := source.fold_at(index)) is not None:
            self.toggle_folds([fold])
            return
        file, block = source.block_at(index)
        for at, stop in enumerate(self.stops):
            if (stop.file, stop.block) == (file, block) or (stop.block < 0 and stop.file == file):
                self._at = at
                self._row = max(min(index - stop.first, stop.length - 1), 0)
                self._moved()
