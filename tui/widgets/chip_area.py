"""A text area in which long pastes are chips: whole under the cursor and the backspace, and sent in full."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text
from textual.widgets.text_area import EditResult, Location

from agent_core.text import printable
from tui.prompt.chips import Chips, count_lines, is_long
from tui.widgets.area import Area

_CHIP = Style(reverse=True)


class ChipArea(Area):
    """A text area with chips; hostile characters in it are shown, not obeyed.

    Args:
        text: What stands in it at first.
        placeholder: What it shows while it is empty.
    """

    def __init__(self, text: str, *, placeholder: str) -> None:
        self.chips = Chips()
        super().__init__(text, id="prompt", placeholder=placeholder, highlight_cursor_line=False)
        self.match_cursor_bracket = False  # would be looked for through all of the text with every key

    @property
    def expanded(self) -> str:
        """Its text with what the chips stand for."""
        return self.chips.expand(self.text)

    def put(self, text: str) -> None:
        """Write at the cursor as if it were typed: in the place of what is selected."""
        start, end = self.selection
        result = self._replace_via_keyboard(text, start, end)
        if result is not None:
            self.move_cursor(result.end_location)

    def put_chip(self, label: str, text: str) -> None:
        """Write a chip at the cursor.

        Args:
            label: What it says, without brackets.
            text: What it stands for.
        """
        self.put(f"{self.chips.add(label, text)} ")

    def paste(self, text: str) -> None:
        """Take what was pasted, as a chip where it is long."""
        if is_long(text):
            self.put_chip(f"pasted {count_lines(text)}", text)
        elif text:
            self.put(printable(text))

    def unfold(self) -> bool:
        """Put the chip at the cursor, or else the last one, into the text in full; gives whether there was one."""
        row, column = self.cursor_location
        here = [(row, *span) for span in self.chips.spans(self.document[row]) if span[0] <= column <= span[1]]
        places = here or [
            (at, *span) for at in range(self.document.line_count) for span in self.chips.spans(self.document[at])
        ]
        if not places:
            return False
        at, start, end = places[-1]
        text = printable(self.chips.expand(self.document[at][start:end]))
        self.replace(text, (at, start), (at, end), maintain_selection_offset=False)
        return True

    # -- Chips are whole

    def _edge(self, location: Location, *, after: bool) -> Location:
        """A place, or where it is in the middle of a chip the end of that on one side."""
        row, column = location
        span = self.chips.around(self.document[row], column) if self.chips and row < self.document.line_count else None
        return location if span is None else (row, span[1] if after else span[0])

    def clamp_visitable(self, location: Location) -> Location:
        """The nearest place where the cursor can be: not in the middle of a chip."""
        row, column = super().clamp_visitable(location)
        span = self.chips.around(self.document[row], column) if self.chips else None
        if span is None:
            return row, column
        return row, min(span, key=lambda edge: abs(edge - column))

    def get_cursor_left_location(self) -> Location:
        """Where the cursor comes to the left: over a chip at once."""
        return self._edge(super().get_cursor_left_location(), after=False)

    def get_cursor_right_location(self) -> Location:
        """Where the cursor comes to the right: over a chip at once."""
        return self._edge(super().get_cursor_right_location(), after=True)

    def get_cursor_word_left_location(self) -> Location:
        """Where the cursor comes a word to the left; a chip is a word."""
        return self._edge(super().get_cursor_word_left_location(), after=False)

    def get_cursor_word_right_location(self) -> Location:
        """Where the cursor comes a word to the right; a chip is a word."""
        return self._edge(super().get_cursor_word_right_location(), after=True)

    def _delete_via_keyboard(self, start: Location, end: Location) -> EditResult | None:
        first, last = min(start, end), max(start, end)
        return super()._delete_via_keyboard(self._edge(first, after=False), self._edge(last, after=True))

    # -- Drawing

    def get_line(self, line_index: int) -> Text:
        """A line as it is drawn (Textual asks for each one)."""
        raw = self.document.get_line(line_index)
        line = super().get_line(line_index) if raw.isprintable() else Text(_shown(raw), end="", no_wrap=True)
        for start, end in self.chips.spans(raw):
            line.stylize(_CHIP, start, end)
        return line


def _shown(raw: str) -> str:
    """A line with visible signs for what a terminal would obey, as many characters as before."""
    return raw if raw.replace("\t", "").isprintable() else "".join(map(printable, raw))
