"""A place at which two sides meet, made what somebody chose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_core.patch.settling import Settled, both_of, settle

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n"]), max_size=5)


@pytest.mark.parametrize(
    ("theirs", "ours", "both"),
    [
        ("xy", "z", "xyz"),
        ("", "z", "z"),
        ("x", "", "x"),
        ("axb", "ayb", "axyb"),
        ("ab", "ab", "ab"),
        ("aa", "a", "aa"),
    ],
)
def test_both_sides_have_what_they_share_once(theirs: str, ours: str, both: str) -> None:
    made = both_of([f"{char}\n" for char in theirs], [f"{char}\n" for char in ours])
    assert "".join(made).replace("\n", "") == both


def test_what_ended_the_file_stands_on_a_line_of_its_own() -> None:
    assert both_of(["mine"], ["theirs"]) == ("mine\n", "theirs")
    assert both_of(["mine"], ["theirs\r\n"]) == ("mine\r\n", "theirs\r\n")


@given(LINES, LINES)
def test_both_sides_lose_no_line_of_either(theirs: list[str], ours: list[str]) -> None:
    made = both_of(theirs, ours)
    for side in (theirs, ours):
        left = iter(made)
        assert all(line in left for line in side)
    assert len(made) <= len(theirs) + len(ours)


def test_a_text_goes_only_over_the_lines_it_was_written_for() -> None:
    current = ["1\n", "mine\n", "mine too\n", "4\n"]
    wish = Settled(text=("own\n",), start=2, theirs=("mine\n", "mine too\n"))
    # Of the place only a part collides, as something else of it was not taken.
    made = settle(wish, "b", 2, (["mine too\n"], ["x\n"]), current)
    assert made is not None
    assert (made.at, made.old, made.new) == (1, ("mine\n", "mine too\n"), ("own\n",))
    assert settle(wish, "b", 0, (["1\n"], ["x\n"]), current) is None
    assert settle(wish, "b", 1, (["mine\n"], ["x\n"]), ["1\n", "other\n", "mine too\n", "4\n"]) is None
