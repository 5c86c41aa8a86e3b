"""How far names are from one another."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_core.repair.beyond.nearest import closest, distance


@pytest.mark.parametrize(
    ("one", "other", "far"),
    [("total", "total", 0), ("total", "totla", 1), ("total", "toal", 1), ("total", "tootal", 1), ("total", "tatal", 1),
     ("kitten", "sitting", 3), ("", "ab", 2), ("abcd", "badc", 2), ("abc", "uvwxyz", 4)],
)  # fmt: skip
def test_letters_are_counted_swapped_ones_once(one: str, other: str, far: int) -> None:
    assert distance(one, other) == distance(other, one) == far


@settings(max_examples=100, derandomize=True)
@given(st.text("abc", max_size=8), st.text("abc", max_size=8), st.integers(0, 3))
def test_a_distance_is_never_more_than_asked_for_and_one(one: str, other: str, most: int) -> None:
    assert distance(one, other, most) == min(distance(one, other, 20), most + 1)


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("totla", ["x", "total", "totals"], "total"),
        ("userName", ["user_name", "user"], "user_name"),
        ("COUNT", ["counts", "count"], "count"),
        ("count_total", ["total_count", "count_tot"], "total_count"),
        ("item", ["items", "time"], "items"),
    ],
)
def test_what_was_meant_is_closest(name: str, known: list[str], meant: str) -> None:
    assert closest(name, known)[0] == meant


def test_other_words_are_not_close() -> None:
    assert closest("total", ["price", "tax", "i", "total"]) == []
    assert closest("x", ["y", "i", "xs"]) == []
