"""The list over the prompt: what is offered for the word at the cursor. It floats, so nothing is laid out for a key."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from textual.message import Message

from tui.prompt.offers import Choice
from tui.widgets.lines import Line, Rows, clean

ROWS = 8
"""Most rows that are shown; the choice that is meant is always among them."""


class Completion(Rows):
    """A list of choices, one of which is meant."""

    DEFAULT_CSS = """
    Completion {
        overlay: screen; constrain: inside inside; offset-y: -100%; display: none;
        width: 1fr; background: $surface; margin: 0 1;
    }
    Completion.-open { display: block; }
    Completion:ansi { background: ansi_default; }
    """

    class Clicked(Message):
        """A choice was clicked.

        Attributes:
            index: Which one.
        """

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self) -> None:
        super().__init__(id="completion")

    def show(self, choices: Sequence[Choice], meant: int, hint: str) -> None:
        """Show some choices, or with none of them nothing.

        Args:
            choices: The choices.
            meant: The one that is meant.
            hint: What is said at the right end of the last row.
        """
        if not choices:
            self.remove_class("-open")
            return
        first = min(max(meant - ROWS // 2, 0), max(len(choices) - ROWS, 0))
        shown = choices[first : first + ROWS]
        wide = max(cell_len(clean(choice.label)) for choice in shown)
        room = max(self.screen.size.width - 6, 20)
        lines = []
        for index, choice in enumerate(shown, first):
            on = index == meant
            label = _fit(clean(choice.label), room)
            detail = clean(choice.detail)
            left = room - max(wide, cell_len(label)) - 2
            pieces = [(label, f"{'strong' if on else 'text'}@choose({index})")]
            if detail and left > 8:
                gap = " " * (min(wide, room) - cell_len(label) + 2)
                pieces.append((f"{gap}{_fit(detail, left)}", f"dim@choose({index})"))
            last = index == first + len(shown) - 1
            count = f"{meant + 1}/{len(choices)} " if len(choices) > ROWS else ""
            right = (f"{count}{hint} ", "faint") if last else None
            lead = (("▸ ", "accent"),) if on else (("  ", ""),)
            lines.append(Line(pieces, lead=lead, base="tab-on" if on else "", right=right, words=False))
        self.set_lines(lines)
        self.add_class("-open")

    def action_choose(self, index: int) -> None:
        """A choice was clicked."""
        self.post_message(self.Clicked(index))


def _fit(text: str, room: int) -> str:
    """A text, its middle cut out where it is too long: both ends of a path tell something."""
    if cell_len(text) <= room:
        return text
    if not text.isascii():
        return f"{set_cell_size(text, room - 1).rstrip()}…"
    half = (room - 1) // 2
    return f"{text[: room - 1 - half]}…{text[len(text) - half :]}"
