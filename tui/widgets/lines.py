"""Lines of styled text, and the view every pane is: it wraps, scrolls and draws only what is seen."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import App
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from agent_core.text import printable, shortened
from tui.palette import Palette
from tui.widgets.wrap import breaks, expand_tabs

MAX_CHARS = 10_000
"""Most characters shown of one line; how many were left out is said."""

Span = tuple[int, int, str]
Piece = tuple[str, str]


def clean(text: str) -> str:
    """Untrusted text as it may be shown in one line: no controls, no newlines, tabs expanded, not endless."""
    if len(text) <= MAX_CHARS and text.isascii() and text.isprintable():
        return text
    return expand_tabs(printable(shortened(text, MAX_CHARS)).replace("\n", " ").rstrip("\r"))


@lru_cache(maxsize=8)
def _palette(variables: frozenset[tuple[str, str]]) -> Palette:
    return Palette(dict(variables))


_newest: list[tuple[dict[str, str], Palette]] = []


def palette_of(app: App[Any]) -> Palette:
    """The palette of the theme in force."""
    variables = app.theme_variables
    # Asked for every row that is drawn, and to hash some hundred variables takes longer than to draw one.
    if not _newest or _newest[0][0] is not variables:
        _newest[:] = [(variables, _palette(frozenset(variables.items())))]
    return _newest[0][1]


class Line:
    """One line of text, pre-styled by names of the palette, broken into rows when it is drawn.

    Args:
        pieces: Text and style name, in order. Must be clean.
        lead: What stands before the first row, such as a sign or line numbers.
        hang: What stands before every other row; spaces, as wide as `lead`, by default.
        base: Style of the whole row up to the right edge.
        words: Break at spaces, not in the middle of words.
        right: Stands at the right edge of the first row, where there is room.
    """

    __slots__ = ("_rows", "base", "hang", "lead", "lead_cells", "right", "spans", "text", "words")

    def __init__(
        self,
        pieces: Iterable[Piece] = (),
        *,
        lead: Sequence[Piece] = (),
        hang: Sequence[Piece] | None = None,
        base: str = "",
        words: bool = True,
        right: Piece | None = None,
    ) -> None:
        spans: list[Span] = []
        texts: list[str] = []
        at = 0
        for text, style in pieces:
            if style:
                spans.append((at, at + len(text), style))
            texts.append(text)
            at += len(text)
        self.text = "".join(texts)
        self.spans: Sequence[Span] = spans
        self.lead = lead
        self.lead_cells = sum(_cells(text) for text, _ in lead)
        if hang is None:
            hang = ((" " * self.lead_cells, ""),)
        else:
            # The rows are broken for the wider of the two, as no row may lose its end.
            self.lead_cells = max(self.lead_cells, sum(_cells(text) for text, _ in hang))
        self.hang = hang
        self.base = base
        self.words = words
        self.right = right
        self._rows: tuple[int, list[int]] = (-1, [])

    def styled(self) -> Sequence[Span]:
        """The spans to draw; lines that get their colours late override it."""
        return self.spans

    def before(self, row: int) -> Sequence[Piece]:
        """What stands before one of its rows."""
        return self.lead if row == 0 else self.hang

    def rows(self, width: int) -> list[int]:
        """Where its rows begin at a width of the whole view."""
        if self._rows[0] != width:
            self._rows = (width, breaks(self.text, max(width - self.lead_cells, 8), words=self.words))
        return self._rows[1]

    @property
    def whole(self) -> str:
        """All of its text, with what stands before it."""
        return "".join(text for text, _ in self.before(0)) + self.text

    def plain(self, row: int, width: int) -> str:
        """The text of one row, with what stands before it."""
        return "".join(text for text, _ in self.before(row)) + self._slice(row, width)[2]

    def cells(self, row: int, width: int, first: int, last: int) -> tuple[int, int]:
        """The cells of one row in which a part of the text stands; two equal ones where it is on another row."""
        start, end, _ = self._slice(row, width)
        first, last = max(first, start), min(last, end)
        if first >= last:
            return 0, 0
        left = sum(_cells(text) for text, _ in self.before(row)) + _cells(self.text[start:first])
        return left, left + _cells(self.text[first:last])

    def _slice(self, row: int, width: int) -> tuple[int, int, str]:
        starts = self.rows(width)
        start = starts[row]
        end = starts[row + 1] if row + 1 < len(starts) else len(self.text)
        return start, end, self.text[start:end]

    def strip(self, row: int, width: int, palette: Palette) -> Strip:
        """One row, drawn."""
        base = palette[self.base]
        segments = [Segment(text, base + palette[style]) for text, style in self.before(row)]
        start, end, _ = self._slice(row, width)
        at = start
        for first, last, style in self.styled():
            if last <= at or first >= end:
                continue
            if first > at:
                segments.append(Segment(self.text[at:first], base))
                at = first
            segments.append(Segment(self.text[at : min(last, end)], base + palette[style]))
            at = min(last, end)
        if at < end:
            segments.append(Segment(self.text[at:end], base))
        strip = Strip(segments)
        if row == 0 and self.right is not None:
            text, style = self.right
            gap = width - strip.cell_length - _cells(text)
            if gap > 0:
                strip = Strip([*segments, Segment(" " * gap, base), Segment(text, base + palette[style])])
        return strip.adjust_cell_length(width, base if self.base else None)


def _cells(text: str) -> int:
    return len(text) if text.isascii() else Strip([Segment(text)]).cell_length


def _styled(strip: Strip, start: int, end: int, style: Style) -> Strip:
    """A row of which some cells have one more style."""
    parts = list(strip.divide([start, end, strip.cell_length]))
    if len(parts) > 1:
        parts[1] = Strip([Segment(seg.text, (seg.style or Style.null()) + style) for seg in parts[1]])
    return Strip.join(parts)


BLANK = Line()


class LinesView(ScrollView):
    """A scrollable list of lines that costs the same for 100 and for 100,000 of them.

    It keeps the place it is scrolled to when lines come, and follows the end only while the end is shown.
    """

    DEFAULT_CSS = """
    LinesView {
        overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1;
        scrollbar-background: $background; scrollbar-background-hover: $background;
        scrollbar-background-active: $background; scrollbar-color: $panel-lighten-2;
    }
    """
    follow: ClassVar[bool] = True

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._own: list[Line] = []
        self._lines: Sequence[Line] = self._own  # or others, such as lines that are made when they are drawn
        self._starts: list[int] = [0]  # row on which each line begins, and one more: how many rows there are
        self._measured = 0
        self._at_end = True
        self._style = Style.null()
        self._blank = Strip.blank(0)
        self._drawn: LRUCache[tuple[Line, int, int, int], Strip] = LRUCache(1024)

    @property
    def lines(self) -> Sequence[Line]:
        """The lines it holds."""
        return self._lines

    @property
    def plain_text(self) -> str:
        """Everything it holds, as text; for tests and for the clipboard."""
        return "\n".join(line.whole for line in self._lines)

    def set_lines(self, lines: Sequence[Line], keep: int = 0) -> None:
        """Replace its lines.

        Args:
            lines: The new ones.
            keep: How many of the old ones, from the top, stay before them.
        """
        if keep == len(self._lines) and not lines:
            return
        at_end = self._shows_end()
        if self._lines is not self._own:
            self._own = list(self._lines[:keep])
            self._lines = self._own
        del self._own[keep:]
        self._own.extend(lines)
        self._measure(keep)
        if self.follow and at_end:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True)
        self._refresh_from(keep)

    def _refresh_from(self, index: int) -> None:
        """Have the rows from a line on drawn anew, as far as they are seen; those above it are as they were."""
        top = max(self._starts[index] - self.scroll_offset.y, 0) if self._measured else 0
        width, height = self.size
        if not self._measured or not height:
            self.refresh()
        elif top < height:
            self.refresh(Region(0, top, width, height - top))

    def recolor(self) -> None:
        """Draw anew what has got other colours."""
        self._drawn.clear()
        self.refresh()

    def replace_line(self, index: int, line: Line) -> None:
        """Put another line in the place of one."""
        width = self._measured
        same = not width or len(line.rows(width)) == len(self._lines[index].rows(width))
        self._own[index] = line
        if same and width:
            self.refresh_lines(self._starts[index], self._starts[index + 1] - self._starts[index])
            return
        self._measure(index)
        self.refresh()

    def _shows_end(self) -> bool:
        if not self.size.height:
            return self._at_end
        self._at_end = self.scroll_offset.y >= self.max_scroll_y
        return self._at_end

    def _width(self) -> int:
        return self.scrollable_content_region.width

    def _measure(self, keep: int = 0) -> None:
        """Find the row on which each line begins, from line `keep` on."""
        width = self._width()
        if width <= 0:
            self._measured = 0
            return
        if width != self._measured:
            keep = 0
            self._measured = width
        starts = self._starts
        keep = min(keep, len(starts) - 1)
        del starts[keep + 1 :]
        at = starts[keep]
        for line in self._lines[keep:]:
            at += len(line.rows(width))
            starts.append(at)
        self._resized(Size(width, at))

    def _resized(self, size: Size) -> None:
        """Tell the scrollbar. Not by the reactive attribute: that would lay out the whole screen for a line more."""
        if size != self.virtual_size:
            self.set_reactive(Widget.virtual_size, size)
            self._scroll_update(size)

    def on_resize(self, event: events.Resize) -> None:  # noqa: ARG002 - Textual passes it
        """Break the lines anew for another width, staying at the end if it was shown."""
        at_end = self._at_end
        top = self._line_at(self.scroll_offset.y)[0] if self._lines and len(self._starts) > 1 else 0
        if self._width() != self._measured:
            self._measure()
            target = self._starts[top] if top < len(self._starts) else 0
            self.scroll_to(y=target, animate=False, force=True)
            self.refresh()  # it may have been painted at its new size before it was told of it
        if self.follow and at_end:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Remember whether the end is shown, for when it is hidden and grows."""
        super().watch_scroll_y(old_value, new_value)
        if self.size.height:
            self._at_end = round(new_value) >= self.max_scroll_y

    def _line_at(self, y: int) -> tuple[int, int]:
        """Index of the line at a row, and which of its rows that is."""
        index = min(bisect_right(self._starts, y) - 1, len(self._lines) - 1)
        return index, y - self._starts[index]

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw some rows (Textual's line API); the style of the view is made out once for all of them."""
        self._style = self.rich_style
        self._blank = Strip.blank(self.size.width, self._style)
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Draw one row (Textual's line API)."""
        row_at = self.scroll_offset.y + y
        style = self._style
        width = self.size.width
        if not self._measured or row_at >= self._starts[-1]:
            return self._blank
        index, row = self._line_at(row_at)
        line = self._lines[index]
        # Of a size it has not been told of yet, the lines are still broken for the one before.
        key = (line, row, self._measured, width)
        strip = self._drawn.get(key)
        if strip is None:
            strip = line.strip(row, self._measured, palette_of(self.app)).apply_style(style)
            strip = strip.adjust_cell_length(width, style)
            self._drawn[key] = strip
        for first, last, name in self.marks(index):
            start, end = line.cells(row, self._measured, first, last)
            if start < end:
                strip = _styled(strip, start, end, palette_of(self.app)[name])
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(row_at)) is not None:
            start, end = span
            marked = self.screen.get_component_rich_style("screen--selection")
            strip = _styled(strip, start, strip.cell_length if end < 0 else end, marked)
        return strip.apply_offsets(0, row_at)

    def marks(self, index: int) -> Sequence[Span]:  # noqa: ARG002 - for those that override it
        """Parts of a line's text that stand out for the moment, such as what was searched for."""
        return ()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """What the mouse has selected, row by row as it is drawn."""
        width = self._measured
        rows = [line.plain(row, width) for line in self._lines for row in range(len(line.rows(width)))]
        return selection.extract("\n".join(row.rstrip() for row in rows)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002 - Textual passes it
        """Show what is selected now."""
        self.refresh()

    def notify_style_update(self) -> None:
        """The theme changed: every drawn row is void."""
        super().notify_style_update()
        self._drawn.clear()

    def show_line(self, index: int) -> None:
        """Scroll so that a line is seen, with a little around it."""
        if 0 <= index < len(self._starts) - 1:
            self.scroll_to_region(Region(0, max(self._starts[index] - 2, 0), 1, 5), animate=False, force=True)


class Rows(LinesView):
    """Lines without scrolling, as high as they are: the status line, the keys, a question."""

    DEFAULT_CSS = """
    Rows { height: auto; overflow-y: hidden; scrollbar-size-vertical: 0; }
    """
    follow = False
    can_focus = False

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as its lines take at this width."""
        del container, viewport
        return sum(len(line.rows(width)) for line in self._lines)

    def _resized(self, size: Size) -> None:
        # Here the height is the layout's business: Textual has to hear of it.
        if size.height != self.virtual_size.height:
            self.refresh(layout=True)
        super()._resized(size)
