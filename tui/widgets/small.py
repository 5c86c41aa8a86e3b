"""A word over everything where the terminal is too small to work in."""

from __future__ import annotations

from textual.geometry import Size

from tui.widgets.lines import Line, Rows

LEAST = Size(40, 10)
"""The smallest terminal in which the prompt, a question and the most needed keys are to be seen."""


class TooSmall(Rows):
    """Covers the screen while the terminal is too small; what has the focus keeps it, and nothing is lost."""

    DEFAULT_CSS = """
    TooSmall {
        overlay: screen; dock: top; display: none; width: 100vw; height: 100vh; background: $background;
        &.-shown { display: block; }
    }
    """

    def __init__(self) -> None:
        super().__init__(id="small")

    def fit(self, size: Size) -> None:
        """Cover the screen, or do not.

        Args:
            size: Of the terminal.
        """
        small = size.width < LEAST.width or size.height < LEAST.height
        self.set_class(small, "-shown")
        if small:
            words = f"Too small: {size.width}x{size.height}, {LEAST.width}x{LEAST.height} is the least."
            self.set_lines([Line(((words, "warn"),)), Line((("ctrl+q leaves.", "faint"),))])
