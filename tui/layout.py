"""How the three panes share the screen: which layout fits, and what each pane gets of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

Layout = Literal["columns", "stacked", "tabs"]
Choice = Literal["auto", "columns", "stacked", "tabs"]
SizeClass = Literal["narrow", "medium", "wide"]

MEDIUM, WIDE = 100, 150
"""From so many columns on a screen is of that size class."""

LEAST_WIDTH, LEAST_HEIGHT = 24, 5
"""A pane is never made smaller than that by hand."""

LAYOUTS: dict[Choice, str] = {
    "auto": "what fits",
    "columns": "three panes side by side",
    "stacked": "chat beside the diff over the checks",
    "tabs": "one pane at a time",
}
"""What can be chosen, in words."""

CHOICES: tuple[Choice, ...] = tuple(LAYOUTS)


class Shares(msgspec.Struct, frozen=True):
    """What each column and row gets, in proportion.

    Attributes:
        columns: From left to right.
        rows: From top to bottom; in the stacked layout those of diff and checks.
    """

    columns: tuple[float, ...]
    rows: tuple[float, ...]


DEFAULT: dict[Layout, Shares] = {
    "columns": Shares((5, 8, 5), (1,)),
    "stacked": Shares((2, 3), (3, 2)),
    "tabs": Shares((1,), (1,)),
}


def size_class(width: int) -> SizeClass:
    """Of what size a screen of so many columns is."""
    return "wide" if width >= WIDE else "medium" if width >= MEDIUM else "narrow"


def layout_for(width: int, choice: Choice) -> Layout:
    """The layout of a screen of so many columns."""
    size = size_class(width)
    if size == "narrow":
        return "tabs"
    if choice == "auto":
        return "columns" if size == "wide" else "stacked"
    return choice


def usable(shares: Shares | None, layout: Layout) -> Shares:
    """Shares that fit a layout: the default where others were not made for it, or are none."""
    default = DEFAULT[layout]
    if shares is None or len(shares.columns) != len(default.columns) or len(shares.rows) != len(default.rows):
        return default
    # Not a number compares with nothing.
    return shares if all(0 < share < 1e6 for share in (*shares.columns, *shares.rows)) else default


def moved(sizes: Sequence[int], border: int, by: int, least: int) -> tuple[float, ...]:
    """What each gets after the border behind one has been moved.

    Args:
        sizes: How many cells each has so far.
        border: The one it is behind.
        by: By how many cells, to the right or down where positive.
        least: How many the two beside it keep; where they cannot, nothing moves.
    """
    after = list(sizes)
    if 0 <= border < len(sizes) - 1:
        both = sizes[border] + sizes[border + 1]
        if both >= 2 * least:
            after[border] = min(max(sizes[border] + by, least), both - least)
            after[border + 1] = both - after[border]
    return tuple(float(size) for size in after)
