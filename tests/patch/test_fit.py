"""Hunks in any order, hunks that build on each other, and hunks with lines left out."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agent_core.patch.fit import fit
from agent_core.patch.operations import Hunk
from agent_core.patch.place import Unplaced
from tests.patch.hunks import between, hunk, reasons, refusal, result, unnumbered

SHAPES = """\
def one(x):
    y = x
    return y

def two(x):
    y = x
    return y
"""


def test_blocks_come_in_any_order() -> None:
    blocks = [hunk("-a", "+A", number=1), hunk("-b", "+B", number=2), hunk("-c", "+C", number=3)]
    for order in itertools.permutations(blocks):
        assert result("a\nb\nc\n", *order, ordered=False) == "A\nB\nC\n"


def test_a_block_builds_on_the_one_before_only() -> None:
    first, second = hunk("-a", "+b", "+c", number=1), hunk(" b", "-c", "+d", number=2)
    assert result("a\nz\n", first, second, ordered=False) == "b\nd\nz\n"
    assert fit("a\nz\n", [first, second]).text is None
    assert fit("a\nz\n", [second, first], ordered=False).text is None
    third = hunk(" d", "-z", "+y", number=3)
    assert result("a\nz\n", first, second, third, ordered=False) == "b\nd\ny\n"


def test_a_block_for_lines_that_another_has_changed() -> None:
    said = refusal("a\nb\n", hunk("-a", "+x", number=1), hunk("-a", "+y", number=2), ordered=False)
    assert "changes the same lines as hunk 1" in said


def test_a_block_that_may_mean_what_an_earlier_one_made() -> None:
    # Read one after the other, "x = 2" stands twice when the second comes.
    first, second = hunk("-x = 1", "+x = 2", number=1), hunk("-x = 2", "+x = 3", number=2)
    said = refusal("x = 1\ny\nx = 2\n", first, second, ordered=False)
    assert "matches at line 3, and at line 1 in what a hunk before it makes" in said
    assert result("x = 1\ny\nx = 2\n", second, first, ordered=False) == "x = 2\ny\nx = 3\n"
    assert result("x = 1\ny\nx = 2\n", first, second) == "x = 2\ny\nx = 3\n"


def test_lines_that_come_together_where_others_went_are_a_place_too() -> None:
    first, second = hunk("-gone", number=1), hunk(" a", "-b", "+B", number=2)
    said = refusal("a\ngone\nb\n\na\nb\n", first, second, ordered=False)
    assert "in what a hunk before it makes" in said


def test_a_block_with_two_places_of_which_another_takes_one() -> None:
    first = hunk(" def one(x):", "     y = x", "-    return y", "+    return 1", number=1)
    second = hunk("-    return y", "+    return 2", number=2)
    wanted = SHAPES.replace("return y", "return 1", 1).replace("return y", "return 2")
    assert result(SHAPES, first, second, ordered=False) == wanted
    assert fit(SHAPES, [second, first], ordered=False).text is None


def test_the_order_of_blocks_counts_only_where_it_is_shown_and_leaves_no_choice() -> None:
    text = "a\nx\nb\nx\nc\n"
    x, a, b, c = (hunk(f"-{one}", f"+{one.upper()}", number=at) for at, one in enumerate("xabc", 1))
    assert result(text, a, x, b, ordered=False) == "A\nX\nB\nx\nc\n"
    assert result(text, b, x, c, ordered=False) == "a\nx\nB\nX\nC\n"
    assert "matches at lines 2 and 4" in refusal(text, a, x, c, ordered=False)
    assert "matches at lines 2 and 4" in refusal(text, x, b, ordered=False)
    assert "matches at lines 2 and 4" in refusal(text, c, x, b, ordered=False)
    assert result(text, x, x, ordered=False) == "a\nX\nb\nX\nc\n"


def test_a_block_made_for_what_an_earlier_one_indents_anew() -> None:
    first, second = hunk("-  a", "+a", number=1), hunk("-", "+z", " a", number=2)
    assert result("\n  a\n", first, second, ordered=False) == "z\na\n"
    # Neither the file nor what the first makes of it has its lines as they are.
    neither = hunk("-", "+  z", "   a", number=2)
    assert fit("\n    a\n", [hunk("-    a", "+a", number=1), neither], ordered=False).text is None
    # Both were made for the file.
    assert result("\n  a\n", first, hunk("-", "+  z", "   a", number=2), ordered=False) == "  z\na\n"


def test_a_block_whose_lines_an_earlier_one_has_parted() -> None:
    """What the second puts between them, once the first is in, is not taken away by the third."""
    first, second = hunk("-a", "+A", number=1), hunk(" A", " b", "+new", " c", number=2)
    assert result("a\nb\nc\n", first, second, ordered=False) == "A\nb\nnew\nc\n"
    assert fit("a\nb\nc\n", [first, second, hunk("-b", "-c", "+d", number=3)], ordered=False).text is None


def test_lines_left_out_stand_between() -> None:
    head, tail = hunk(" def one(x):"), hunk("-    return y", "+    return 1")
    assert result(SHAPES, head, tail, ordered=False) == SHAPES.replace("return y", "return 1", 1)
    head = hunk(" def two(x):")
    assert result(SHAPES, head, tail, ordered=False) == "return 1".join(SHAPES.rsplit("return y", 1))
    assert fit(SHAPES, [hunk(" def three(x):"), tail], ordered=False).text is None


def test_lines_left_out_do_not_choose_between_two_places() -> None:
    text = "def f(x):\n    if x:\n        return 1\n    return 1\n\ndef g(x):\n    return 1\n"
    fitted = fit(text, [hunk(" def f(x):"), hunk("-return 1", "+return 2")], ordered=False)
    (said,) = reasons(fitted)
    assert said.startswith("matches at lines 3 and 4. Give more context lines so that only one place is meant")


def test_the_stretches_of_one_block_follow_each_other() -> None:
    first, second = hunk("-def two(x):", "+def deux(x):"), hunk("-    return y", "+    return 2")
    assert result(SHAPES, first, second, ordered=False) == SHAPES.replace("two", "deux")[:-9] + "return 2\n"
    # Of another block nothing follows.
    other = Hunk(second.lines, 9)
    assert "matches at lines 3 and 7" in refusal(SHAPES, first, other, ordered=False)


def test_two_blocks_that_add_at_the_same_point() -> None:
    above, below = hunk(" a", "+x", number=1), hunk("+y", " b", number=2)
    assert result("a\nb\n", above, below, ordered=False) == "a\nx\ny\nb\n"
    assert result("a\nb\n", below, above, ordered=False) == "a\nx\ny\nb\n"
    # That one is to come first cannot be told of these two.
    assert "changes the same lines as hunk 1" in refusal("a\nb\n", below, above)
    between_both = hunk(" a", "+x", " b", number=1), hunk(" a", "+y", " b", number=2)
    assert "changes the same lines as hunk 1" in refusal("a\nb\n", *between_both, ordered=False)


LINE = st.sampled_from(["", "a", "b", "  a", "\tb", "x = 1", "y = 2", "}"])


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, str]:
    """A text of lines that often repeat, and what a few edits make of it."""
    old = draw(st.lists(LINE, max_size=20))
    new = list(old)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(new)))
        new[at : at + draw(st.integers(0, 2))] = draw(st.lists(LINE, max_size=3))
    return "".join(f"{line}\n" for line in old), "".join(f"{line}\n" for line in new)


@settings(max_examples=200)
@given(edited(), st.integers(0, 3), st.booleans())
def test_blocks_make_the_new_text_or_are_refused(texts: tuple[str, str], context: int, ordered: bool) -> None:
    old, new = texts
    hunks = unnumbered(between(old, new, context))
    # Only new lines go to the end of the file, as in Codex.
    assume(hunks and all(not old or any(line.sign != "+" for line in one.lines) for one in hunks))
    fitted = fit(old, hunks, ordered=ordered)
    if fitted.text is None:
        said = ("matches at", "only '+' lines", "changes the same lines", "already there", "not in the file")
        assert all(any(words in reason for words in said) for reason in reasons(fitted))
    else:
        assert fitted.text == new


@settings(max_examples=120)
@given(
    st.lists(st.integers(0, 99), unique=True, min_size=4, max_size=20),
    st.data(),
)
def test_blocks_of_distinct_lines_in_any_order_make_the_new_text(numbers: list[int], data: st.DataObject) -> None:
    changed = data.draw(st.sets(st.sampled_from(numbers), min_size=1))
    old = "".join(f"line {number}\n" for number in numbers)
    new = "".join(f"line {number}{'!' * (number in changed)}\n" for number in numbers)
    hunks = data.draw(st.permutations(unnumbered(between(old, new, 1))))
    # Two blocks next to each other share a line of context.
    assert result(old, *hunks, ordered=False) == new


@settings(max_examples=100)
@given(edited(), edited(), st.integers(0, 2))
def test_a_second_edit_builds_on_the_first(first: tuple[str, str], second: tuple[str, str], context: int) -> None:
    """Two patches one after the other as one list of blocks: what comes out is what both make, or nothing."""
    old, middle = first
    steps = between(old, middle, context)
    assume(steps)
    both = fit(old, unnumbered(steps), ordered=False)
    assume(both.text == middle)
    # The second edit changes a line of the middle text and keeps the rest.
    lines = middle.splitlines()
    assume(lines)
    at = len(second[0]) % len(lines)
    new = "".join(f"{line}\n" for line in [*lines[:at], "z", *lines[at + 1 :]])
    more = [Hunk(one.lines, 100 + one.number) for one in between(middle, new, 3)]
    fitted = fit(old, [*unnumbered(steps), *more], ordered=False)
    assert fitted.text in {None, new}


@pytest.mark.parametrize("ordered", [True, False])
def test_nothing_is_written_when_one_has_no_place(ordered: bool) -> None:
    fitted = fit("a\nb\n", [hunk("-a", "+A", number=1), hunk("-q", "+Q", number=2)], ordered=ordered)
    assert fitted.text is None
    assert [isinstance(answer, Unplaced) for answer in fitted.answers] == [False, True]
