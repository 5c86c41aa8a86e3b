"""Keys that move a cursor through a list, on whichever screen the list is."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

MOVES: Final = (
    Binding("up,k", "screen.move(-1)", show=False),
    Binding("down,j", "screen.move(1)", show=False),
    Binding("home,g", "screen.move(-100000)", show=False),
    Binding("end,G", "screen.move(100000)", show=False),
    Binding("pageup,ctrl+u", "screen.page(-1)", show=False),
    Binding("pagedown,ctrl+d", "screen.page(1)", show=False),
)
"""Of a list whose screen has the actions ``move`` and ``page``; its own, as it would scroll by them."""
