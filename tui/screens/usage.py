"""What was spent: tokens and cost of the last step, the task and the session, by model."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen

from agent_core.spent import session_words
from agent_core.state import State
from tui.widgets.lines import BLANK, Line, Rows, clean

_MOST = 100
_FRAME = 4
"""Cells that the border and the room within it take."""


def usage_lines(state: State, width: int) -> list[Line]:
    """What the screen shows.

    Args:
        state: The session's state.
        width: Cells there are for a line.
    """
    head, *rest = session_words(state, width)
    lines = [Line(((clean(head), "dim" if rest else "text"),))]
    # A row is as wide as there is room for: between its columns there is more than one blank.
    rows = [text for text in rest if "  " in text]
    words = [text for text in rest if "  " not in text]
    lines += [Line(((clean(text), "text"),), words=False) for text in rows]
    if words:
        lines += [BLANK, *(Line(((clean(text), "dim"),)) for text in words)]
    return lines


class UsageView(Rows):
    """The table."""

    def on_mount(self) -> None:
        """Say what it is."""
        self.border_title = "usage"
        self.border_subtitle = "pairloop usage tells of all projects; esc closes"


class UsageScreen(ModalScreen[None]):
    """Lies over the panes until a key or a click beside it closes it.

    Args:
        state: What is true now.
    """

    DEFAULT_CSS = """
    UsageScreen { align: center middle; }
    UsageView { width: 100; max-width: 100%; max-height: 90%; overflow-y: auto; scrollbar-size-vertical: 1;
        border: round $primary; padding: 0 1; background: $background; }
    """
    BINDINGS: ClassVar = [Binding(key, "dismiss", show=False) for key in ("escape", "q", "dollar_sign", "enter")]

    def __init__(self, state: State) -> None:
        super().__init__()
        self._state = state
        self._view = UsageView()

    def compose(self) -> ComposeResult:
        """Its one widget."""
        yield self._view

    def on_resize(self, event: events.Resize) -> None:
        """Fill it, as wide as it may be."""
        self._view.set_lines(usage_lines(self._state, min(event.size.width, _MOST) - _FRAME))

    def on_click(self, event: events.Click) -> None:
        """A click beside it closes it."""
        if event.widget is self:
            self.dismiss()
