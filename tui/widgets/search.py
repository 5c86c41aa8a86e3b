"""Searching in a view of lines: every pane has it, as `tui.panes.pane.Pane` is a `SearchView`.

The key ``/`` (action ``search``) calls `open_search` of the focused pane. While the search is open the pane's last row
is its line: letters, backspace, ctrl+u and pastes go to what is searched for; enter and down go to the next place, up
to the one before; esc closes it, as does leaving the pane. All places stand out at once, the current one more.

For a pane of one's own:

- override `search_text` where what is to be found in a line is not its ``text`` (spans are then of that text, so it
  should begin with what is drawn),
- override `found` to move a cursor along; by default the line is scrolled to,
- ``searching`` says whether keys are text now: the main screen's focus is then called ``search``, so that actions of
  the panes, which are letters, neither apply nor are shown.

Nothing is laid out anew for it, and what streams in meanwhile is searched as it comes.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.actions import momentary
from tui.widgets.lines import Line, LinesView, Piece, Span, clean, palette_of

MAX_HITS = 5_000
"""Most places that are looked for; more are counted as so many and a plus."""

Hit = tuple[int, int, int]


class SearchView(LinesView):
    """A view of lines in which one can search."""

    class Changed(Message):
        """A search was opened or closed, so that other keys act."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.searching = False
        self._needle = ""
        self._last_needle = ""
        self._pattern: re.Pattern[str] | None = None
        self._hits: list[Hit] = []
        self._hit = -1
        self._from = 0  # the line at which the search was opened

    # -- What a pane may say of itself

    def search_text(self, index: int) -> str:
        """The text in which a line is searched."""
        return self._lines[index].text

    def found(self, index: int) -> None:
        """The search has come to a line: show it."""
        self.show_line(index)

    # -- Opening and closing

    def open_search(self) -> None:
        """Begin to search, at what is shown now."""
        self.searching = True
        self._from = self._line_at(self.scroll_offset.y)[0] if self._lines and len(self._starts) > 1 else 0
        self._look_for("")
        self._tell()

    def close_search(self) -> None:
        """End it; what was found last stays in view."""
        if not self.searching:
            return
        self.searching = False
        self._last_needle = self._needle or self._last_needle
        self._look_for("")
        self._tell()

    def _tell(self) -> None:
        """Other keys act from now on."""
        self.post_message(self.Changed())
        self.refresh()

    def on_blur(self) -> None:
        """Whoever leaves the pane has found what they looked for."""
        self.close_search()

    # -- Searching

    @property
    def needle(self) -> str:
        """What is searched for."""
        return self._needle

    def _look_for(self, needle: str) -> None:
        self._needle = needle
        # Capitals are meant: with none of them either case is found.
        flags = re.IGNORECASE if needle == needle.lower() else 0
        self._pattern = re.compile(re.escape(needle), flags) if needle else None
        self._hit = -1
        self._count(0)
        if self._hits:
            self._go(bisect_left(self._hits, (self._from, 0, 0)) % len(self._hits))
        self.refresh()

    def _count(self, first: int) -> None:
        """Find the places from one line on."""
        del self._hits[bisect_left(self._hits, (first, 0, 0)) :]
        if self._pattern is None:
            return
        find = self._pattern.finditer
        for index in range(first, len(self._lines)):
            for match in find(self.search_text(index)):
                self._hits.append((index, match.start(), match.end()))
            if len(self._hits) >= MAX_HITS:
                del self._hits[MAX_HITS:]
                break
        if self._hit >= len(self._hits):
            self._hit = len(self._hits) - 1

    def recount(self) -> None:
        """The lines are others now: look for the places anew."""
        if self._pattern is not None:
            self._count(0)

    def _go(self, hit: int) -> None:
        self._hit = hit
        index = self._hits[hit][0]
        self._from = index
        self.found(index)
        self.refresh()

    def next_hit(self, step: int = 1) -> None:
        """On to the next place, or with -1 to the one before; round at the ends."""
        if not self._needle and self._last_needle:
            self._look_for(self._last_needle)
        elif self._hits:
            self._go((self._hit + step) % len(self._hits))

    # -- What the lines do meanwhile

    def set_lines(self, lines: Sequence[Line], keep: int = 0) -> None:
        """Replace its lines; see `LinesView.set_lines`."""
        super().set_lines(lines, keep)
        if self._pattern is not None:
            self._count(keep)
            self.refresh()  # how many there are is told at the bottom

    def replace_line(self, index: int, line: Line) -> None:
        """Put another line in the place of one."""
        super().replace_line(index, line)
        if self._pattern is not None:
            self._count(index)
            self.refresh()

    # -- Keys

    async def _on_key(self, event: events.Key) -> None:
        if not self.searching:
            return
        if event.key in {"backspace", "ctrl+h"}:
            self._look_for(self._needle[:-1])
        elif event.key == "ctrl+u":
            self._look_for("")
        elif event.is_printable and event.character:
            self._look_for(self._needle + event.character)
        elif action := momentary(event.key, "search"):
            await self.app.run_action(action)
        else:
            return
        event.stop()
        event.prevent_default()

    def _on_paste(self, event: events.Paste) -> None:
        if self.searching:
            event.stop()
            self._look_for(self._needle + clean(event.text.strip().split("\n")[0]))

    # -- Drawing

    def marks(self, index: int) -> Sequence[Span]:
        """What was found in a line."""
        if self._pattern is None:
            return ()
        at = bisect_left(self._hits, (index, 0, 0))
        found: list[Span] = []
        while at < len(self._hits) and self._hits[at][0] == index:
            found.append((*self._hits[at][1:], "hit-on" if at == self._hit else "hit"))
            at += 1
        return found

    def render_line(self, y: int) -> Strip:
        """Draw one row; the last one is the search's own while it is open."""
        return self._search_row() if self.searching and y == self.size.height - 1 else super().render_line(y)

    def _search_row(self) -> Strip:
        pieces: list[Piece] = [("/", "accent"), (clean(self._needle), "strong"), ("▏", "accent")]
        if not self._needle:
            hint = f"enter: {self._last_needle} again" if self._last_needle else "search"
            pieces.append((clean(hint), "faint"))
            said = "esc closes"
        elif not self._hits:
            said = "nothing found"
        else:
            more = "+" if len(self._hits) == MAX_HITS else ""
            said = f"{self._hit + 1} of {len(self._hits):,}{more}"
        width = self._width()
        room = max(width - len(said) - 2, 8)
        text = sum(len(piece) for piece, _ in pieces)
        if text > room:  # the end is what is being written
            pieces[1] = (f"…{clean(self._needle)[text - room + 1 :]}", "strong")
        line = Line(pieces, base="ask-row", right=(f"{said} ", "bad" if self._needle and not self._hits else "dim"))
        strip = line.strip(0, width, palette_of(self.app)).apply_style(self.rich_style)
        return strip.adjust_cell_length(self.size.width, self.rich_style)
