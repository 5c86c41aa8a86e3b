"""Which layout fits, what each pane gets, and how borders move."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.layout import DEFAULT, Choice, Layout, Shares, layout_for, moved, usable

SIZES = st.lists(st.integers(0, 150), min_size=2, max_size=4)


@pytest.mark.parametrize(
    ("width", "choice", "layout"),
    [
        (80, "auto", "tabs"),
        (99, "columns", "tabs"),
        (100, "auto", "stacked"),
        (100, "columns", "columns"),
        (149, "auto", "stacked"),
        (150, "auto", "columns"),
        (200, "stacked", "stacked"),
        (200, "tabs", "tabs"),
    ],
)
def test_the_layout_is_the_one_that_fits_or_was_chosen(width: int, choice: Choice, layout: Layout) -> None:
    assert layout_for(width, choice) == layout


@given(SIZES, st.integers(0, 3), st.integers(-300, 300))
def test_a_border_moves_between_its_neighbours_only(before: list[int], border: int, by: int) -> None:
    after = moved(before, border, by, 5)
    assert len(after) == len(before)
    assert sum(after) == sum(before)
    others = [at for at in range(len(before)) if at not in {border, border + 1}]
    assert [after[at] for at in others] == [before[at] for at in others]
    if border + 1 < len(before) and before[border] + before[border + 1] >= 10:
        assert min(after[border], after[border + 1]) >= 5
        assert after[border] in {before[border] + by, 5, before[border] + before[border + 1] - 5}
    else:
        assert list(after) == before


@pytest.mark.parametrize(
    "shares",
    [
        None,
        Shares((1, 2), (1,)),
        Shares((1, 2, 3), ()),
        Shares((1, -2, 3), (1,)),
        Shares((1, 0, 3), (1,)),
        Shares((1, float("nan"), 3), (1,)),
        Shares((1, float("inf"), 3), (1,)),
    ],
)
def test_shares_of_another_layout_or_none_at_all_are_not_used(shares: Shares | None) -> None:
    assert usable(shares, "columns") == DEFAULT["columns"]


def test_shares_that_fit_are_used() -> None:
    assert usable(Shares((3, 2, 1), (1,)), "columns") == Shares((3, 2, 1), (1,))
