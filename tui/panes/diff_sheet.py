"""A diff on the screen: laid out, drawn, folded, both sides beside each other, long lines broken or cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from textual import events
from textual.geometry import Size

from agent_core.patch.model import FilePatch, Patch
from tui.panes.diff_layout import DiffLines
from tui.panes.diff_lines import CodeText, FileSides, Look
from tui.panes.diff_make import texts_of
from tui.panes.diff_places import Fold, Stop
from tui.panes.diff_signs import Notes
from tui.panes.diff_stale import Stales
from tui.panes.diff_words import Row
from tui.panes.pane import Pane
from tui.widgets.lines import Line, Piece

BESIDE = 100
"""Cells of text from which on two sides fit beside each other."""
_STEP = 8


class _Place(NamedTuple):
    """Where somebody reads: at which stop, which row is at the top, and how far that is from a stop that is seen."""

    cursor: str
    at: int
    row: int
    top: int
    hold: str
    offset: int


class DiffSheet(Pane):
    """A patch; the cursor in it is moved by `tui.panes.diff_view.DiffView`."""

    follow = False

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.look = Look()
        self.wants_beside = False
        self.by_line = False
        """The cursor goes by line."""
        self._source: DiffLines | None = None
        self._parts: Callable[[], DiffLines] | None = None  # makes the source anew, for another look
        self._texts: dict[tuple[str | None, str | None], CodeText] = {}
        self._opened: set[Fold] = set()
        self._at = 0  # which stop the cursor is at
        self._row = 0  # at which of its rows, where it goes by line
        self._range: tuple[int, int] | None = None  # stop and row at which a range began

    # -- What it shows

    def set_patch(
        self,
        patch: Patch,
        content: Callable[[str], bytes],
        *,
        head: Sequence[Line],
        header: Callable[[int], Line],
        notes: tuple[Notes, Notes, Notes],
        again: bool,
        stale: Stales | None = None,
    ) -> None:
        """Show a patch.

        Args:
            patch: The patch.
            content: Gives contents by hash.
            head: Stands above it.
            header: Makes the line above a file.
            notes: See `DiffLines`.
            again: It is what was shown before, or takes its place: cursor and scrolling stay where they were, told by
                block.
            stale: Blocks at whose places the human has written too.
        """
        texts = texts_of(patch.files, content, self.look, self.want_colors, self._texts)
        keys = [(file.before, file.after) for file in patch.files]
        self._texts = dict(zip(keys, texts, strict=True))
        if not again:
            self._opened.clear()
            self._range = None
            self.by_line = False

        def make() -> DiffLines:
            return DiffLines(
                head,
                patch.files,
                texts,
                header,
                look=self.look,
                gutter=self.before_line,
                notes=notes,
                opened=self._opened,
                stale=stale,
            )

        self._parts = make
        self._rebuild(again=again)

    def set_head(self, head: Sequence[Line]) -> bool:
        """Put other lines above the same patch, which is drawn anew where it stands; whether that could be done."""
        source, width = self._source, self._measured
        if source is None or self._lines is not source or not source.set_head(head):
            return False
        if width > 0 and len(self._starts) > len(head):
            starts = [0, *accumulate(len(line.rows(width)) for line in head)]
            if by := starts[-1] - self._starts[len(head)]:
                self._starts = [*starts, *(at + by for at in self._starts[len(head) + 1 :])]
                self._resized(Size(width, self._starts[-1]))
                if self.scroll_offset.y:
                    self.scroll_to_row(self.scroll_y + by)
            else:
                self._starts[: len(starts)] = starts
        self.redraw()
        self.recount()
        return True

    def set_plain(self) -> None:
        """Show lines that are no patch from now on."""
        self._source = None
        self._parts = None
        self._texts = {}

    def want_colors(self, sides: FileSides) -> None:
        """A line without colours was drawn; for those that make some."""

    def sign_of(self, file: int, block: int, places: Iterable[int], *, first: bool) -> tuple[Piece, bool]:
        """The sign in the gutter of a line of a block, and whether the line is muted; for those that have some.

        Args:
            file: Which file.
            block: Which of its blocks.
            places: Its places in the block, the removed lines counted first.
            first: It is the block's first.
        """
        del file, block, places, first
        return (" ", ""), False

    def light(self) -> None:
        """Find out which lines the cursor is on."""

    def before_line(self, file: int, block: int, row: Row, *, first: bool) -> tuple[tuple[Piece, Piece], bool]:
        """What stands before a line; see `tui.panes.diff_make.Gutter`."""
        del file, block, row, first
        return ((" ", ""), ("  ", "")), False

    # -- The lines

    @property
    def stops(self) -> Sequence[Stop]:
        """The places the cursor can be at."""
        return self._source.stops if self._source is not None else ()

    @property
    def stop(self) -> Stop | None:
        """Where the cursor is."""
        stops = self.stops
        return stops[self._at] if stops else None

    @property
    def file(self) -> int:
        """The file the cursor is in, -1 for none."""
        return self.stop.file if self.stop is not None else -1

    def _rebuild(self, *, again: bool = True) -> None:
        """Lay everything out anew."""
        if self._parts is None:
            return
        place = self._reading() if again else None
        self.look.beside = self.wants_beside and self._width() >= BESIDE
        self._source = self._parts()
        self._lines = self._source
        if place is None:
            self._at = self._row = 0
        else:
            self._at = self._index_of(place.cursor, place.at)
            same = self.stops and self.stops[self._at].id == place.cursor
            self._row = min(place.row, self.stops[self._at].length - 1) if same else 0
        self.light()
        self._measure()
        self._drawn.clear()
        self.recount()
        if place is None or not place.top:
            self.scroll_to_row(0)
        elif (held := next((one for one in self.stops if one.id == place.hold), None)) is not None:
            self.scroll_to_row(self._starts[held.first] + place.offset if len(self._starts) > held.first else 0)
        self.refresh()

    def _index_of(self, name: str, otherwise: int) -> int:
        found = next((at for at, stop in enumerate(self.stops) if stop.id == name), None)
        return found if found is not None else max(min(otherwise, len(self.stops) - 1), 0)

    def _reading(self) -> _Place | None:
        """Where somebody reads, in words that hold when everything is laid out anew."""
        stop = self.stop
        if stop is None or len(self._starts) <= stop.first:
            return None
        top = round(self.scroll_y)
        # What is seen stays: the cursor's block if it is, else the first one there is.
        seen = range(top, top + max(self.size.height, 1))
        held = stop
        if self._starts[stop.first] not in seen:
            held = next((one for one in self.stops if self._starts[one.first] >= top), stop)
        return _Place(stop.id, self._at, self._row, top, held.id, top - self._starts[held.first])

    def _measure(self, keep: int = 0) -> None:
        source = self._source
        if source is None or self._lines is not source:
            super()._measure(keep)
            return
        width = self._width()
        self._measured = max(width, 0)
        if width > 0:
            self._starts = source.starts(width)
            self._resized(Size(width, self._starts[-1]))

    def on_resize(self, event: events.Resize) -> None:  # noqa: ARG002 - Textual passes it
        """Another width may have room for both sides, or not any more."""
        if self.wants_beside and self.look.beside != (self._width() >= BESIDE):
            self._rebuild()

    def redraw(self) -> None:
        """Draw all lines anew where they stand: what is in their gutters, or the scrolling of long ones, is another."""
        if self._source is not None:
            self._source.forget()
        self.recolor()

    def search_text(self, index: int) -> str:
        """The text in which a line is searched."""
        return self._source.text_of(index) if self._source is not None else super().search_text(index)

    # -- How it is drawn

    def fits_beside(self) -> bool:
        """Whether there is room for both sides beside each other."""
        return self._width() >= BESIDE

    def set_beside(self, *, beside: bool) -> None:
        """Show both sides beside each other, or one below the other."""
        self.wants_beside = beside
        self._range = None
        self._rebuild()

    def set_wrap(self, *, wrap: bool) -> None:
        """Break long lines, or cut them."""
        self.look.wrap, self.look.left = wrap, 0
        self._rebuild()

    def scroll_code(self, step: int) -> None:
        """Scroll long lines to the side, where they are cut."""
        left = max(self.look.left + step * _STEP, 0)
        if not self.look.wrap and left != self.look.left:
            self.look.left = left
            self.redraw()

    def toggle_folds(self, folds: Sequence[Fold]) -> None:
        """Show unchanged regions, or fold them where all of them are shown."""
        if self._opened.issuperset(folds):
            self._opened.difference_update(folds)
        else:
            self._opened.update(folds)
        self._rebuild()

    def line_at(self, y: int) -> int | None:
        """Index of the line at a row of what is seen."""
        row = round(self.scroll_y) + y
        if self._source is None or len(self._starts) <= 1 or not 0 <= row < self._starts[-1]:
            return None
        return self._line_at(row)[0]

    def scroll_to_row(self, y: float) -> None:
        """Put a row at the top."""
        self.scroll_to(y=max(y, 0), animate=False, force=True)

    def _file(self, file: int) -> FilePatch:
        assert self._source is not None
        return self._source.file_of(file)
