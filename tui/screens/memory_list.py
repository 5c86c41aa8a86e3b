"""The rows of the memory view with a cursor among them, and the place to write one anew, right where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.geometry import Region

from tui.actions import momentary
from tui.screens.memory_rows import Row, lines_of
from tui.screens.moving import MOVES
from tui.widgets.lines import Line, LinesView
from tui.widgets.writing import Writing

# A text area's own keys are those of a comment; what each of them does here.
_WRITING = {
    "app.do('write_save')": "save",
    "app.do('write_newline')": "newline",
    "app.do('write_leave')": "leave",
}


class RowList(LinesView):
    """The rows that fit, one of them under the cursor."""

    follow = False
    BINDINGS: ClassVar = [*MOVES]

    def __init__(self) -> None:
        super().__init__(id="memory-rows")
        self._rows: Sequence[Row] = ()
        self._first: list[int] = []  # line at which each row begins
        self._stops: list[int] = []  # rows that the cursor can be on
        self._at = 0  # which of these it is on
        self._words: Sequence[str] = ()
        self._empty = ""
        self.unfolded: set[str] = set()
        """Keys of the rows of which all is shown."""

    @property
    def rows(self) -> Sequence[Row]:
        """All rows that are shown."""
        return self._rows

    @property
    def chosen(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self._stops[self._at]] if self._stops else None

    def show(self, rows: Sequence[Row], words: Sequence[str], empty: str) -> None:
        """Show some rows; the cursor stays on the one that it is on, or near it.

        Args:
            rows: The rows.
            words: What is searched for, in small letters.
            empty: What to say where there is no row.
        """
        key = self.chosen.key if self.chosen is not None else ""
        self._rows, self._words, self._empty = rows, words, empty
        self._stops = [at for at, row in enumerate(rows) if row.stops]
        there = next((at for at, row in enumerate(self._stops) if rows[row].key == key), None)
        self._at = there if there is not None else min(self._at, max(len(self._stops) - 1, 0))
        self.draw()

    def on_resize(self, event: events.Resize) -> None:
        """There is more or less room."""
        super().on_resize(event)
        self.draw()

    def draw(self) -> None:
        """Draw all rows anew, and have the cursor in sight."""
        lines: list[Line] = []
        self._first = []
        for at in range(len(self._rows)):
            self._first.append(len(lines))
            lines += self._drawn_row(at)
        self._first.append(len(lines))
        self.set_lines(lines or [Line(((self._empty, "faint"),), lead=(("  ", ""),))])
        self._see()

    def _drawn_row(self, at: int) -> list[Line]:
        row = self._rows[at]
        here = bool(self._stops) and self._stops[self._at] == at
        width = max(self._width(), 20)
        return lines_of(row, width, here=here, unfolded=row.key in self.unfolded, words=self._words)

    def _see(self) -> None:
        if not self._stops:
            return
        row = self._stops[self._at]
        # The first row of all is seen with the title above it.
        self.show_line(0 if self._at == 0 else self._first[row])

    def move(self, by: int) -> None:
        """Move the cursor; round at the ends by single steps."""
        if not self._stops:
            return
        count = len(self._stops)
        self._go((self._at + by) % count if abs(by) == 1 else min(max(self._at + by, 0), count - 1))

    def _go(self, to: int) -> None:
        old, self._at = self._at, to
        for stop in {old, to}:
            row = self._stops[stop]
            for which, line in enumerate(self._drawn_row(row)):
                self.replace_line(self._first[row] + which, line)
        self._see()

    def next_part(self, step: int) -> None:
        """To the first row of the next part, or of the one before; round at the ends."""
        starts = [at for at, row in enumerate(self._stops) if row == 0 or not self._rows[row - 1].stops]
        if starts:
            here = max(which for which, at in enumerate(starts) if at <= self._at)
            self._go(starts[(here + step) % len(starts)])

    def go_to(self, key: str) -> None:
        """Put the cursor on a row, if it is there."""
        for at, row in enumerate(self._stops):
            if self._rows[row].key == key:
                self._go(at)

    def toggle(self) -> None:
        """Unfold the row under the cursor, or fold it."""
        if (row := self.chosen) is not None:
            self.unfolded ^= {row.key}
            self.draw()

    def point(self, y: int) -> bool:
        """Put the cursor on what is drawn on a row of the screen; gives whether there is anything."""
        at = self.scroll_offset.y + y
        if not self._stops or at >= self._starts[-1]:
            return False
        line, _ = self._line_at(at)
        row = max(which for which, first in enumerate(self._first[:-1]) if first <= line)
        if row not in self._stops:
            return False
        self._go(self._stops.index(row))
        return True

    @property
    def place(self) -> Region:
        """Where on the screen the row under the cursor is, and what is below it."""
        region = self.region
        if not self._stops:
            return region
        top = self._starts[self._first[self._stops[self._at]]] - round(self.scroll_y)
        top = min(max(top, 0), max(region.height - 1, 0))
        return Region(region.x, region.y + top, region.width, region.height - top)


class EntryWriting(Writing):
    """A place to write an entry, right where it stands."""

    def __init__(self, about: str, text: str, title: str) -> None:
        super().__init__("comment", about, text, title=title, subtitle="enter done · esc leaves it as it was")

    def put(self, place: Region, pane: Region) -> None:
        """Lie over a row of the list, or as near to it as there is room.

        Args:
            place: Where the row is.
            pane: Where the list is.
        """
        lines = sum(max(-(-len(line) // max(pane.width - 6, 8)), 1) for line in self.text.split("\n"))
        self.rows = height = min(max(lines + 3, 5), pane.height)
        self.styles.width, self.styles.height = pane.width, height
        self.styles.offset = (pane.x, max(min(place.y, pane.bottom - height), pane.y))

    async def _on_key(self, event: events.Key) -> None:
        if does := _WRITING.get(momentary(event.key, "comment")):
            event.stop()
            event.prevent_default()
            await self.run_action(f"screen.{does}")
            return
        await super()._on_key(event)
