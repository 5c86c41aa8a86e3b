"""A word over everything where the terminal is too small to work in."""

from __future__ import annotations

from textual.geometry import Size

from tui.widgets.lines import Line, Rows


class TooSmall(Rows):
    """Covers the screen while the terminal is too small; what has the focus keeps it, and nothing is lost.

    Args:
        least: The smallest terminal that is none.
    """

    DEFAULT_CSS = """
    TooSmall {
        overlay: screen; dock: top; display: none; width: 100vw; height: 100vh; background: $background;
        &.-shown { display: block; }
    }
    """

    def __init__(self, least: Size) -> None:
        super().__init__(id="small")
        self._least = least

    def fit(self, size: Size) -> None:
        """Cover the screen, or do not.

        Args:
            size: Of the terminal.
        """
        small = size.width < self._least.width or size.height < self._least.height
        self.set_class(small, "-shown")
        if small:
            words = f"Too small: {size.width}x{size.height}, {self._least.width}x{self._least.height} is the least."
            self.set_lines([Line(((words, "warn"),)), Line((("ctrl+q leaves.", "faint"),))])
