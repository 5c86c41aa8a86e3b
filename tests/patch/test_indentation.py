"""What new lines' indentation is in the file, and when that cannot be told."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agent_core.patch.fit import fit
from agent_core.patch.indentation import learn, shift_of, table_of
from agent_core.patch.levels import EXACT
from agent_core.patch.operations import Hunk, HunkLine
from agent_core.patch.place import Place
from tests.patch.hunks import between, hunk, refusal, result, retyped, the_place

TWO, FOUR, EIGHT, TAB = "  ", "    ", "        ", "\t"

# What was seen of hunk and file, the file's step, a new line's indentation, and what it is: None for not certain.
LEARNT: dict[str, tuple[dict[str, str], int | None, str, str | None]] = {
    "seen": ({FOUR: TAB}, None, FOUR, TAB),
    "the same": ({FOUR: FOUR}, 4, "      ", "      "),
    "shifted, proven by two": ({"": FOUR, FOUR: EIGHT}, 4, EIGHT, FOUR * 3),
    "shifted, lined up": ({"": FOUR, FOUR: EIGHT}, 4, " " * 7, " " * 11),
    "shifted, one seen, the same step": ({"": FOUR}, 4, FOUR, EIGHT),
    "shifted, one seen, another step": ({"": FOUR}, 4, TWO, None),
    "shifted, one seen, no step": ({"": FOUR}, None, FOUR, None),
    "shifted into tabs": ({"": TAB}, None, FOUR, None),
    "shifted in tabs": ({TAB: TAB * 2}, None, TAB * 2, TAB * 3),
    "less deep": ({EIGHT: FOUR}, 4, FOUR, None),
    "cut": ({EIGHT: FOUR}, 4, FOUR * 3, EIGHT),
    "cut too far": ({FOUR: ""}, 4, TWO, None),
    "one level less": ({FOUR: EIGHT}, 4, EIGHT, FOUR * 3),
    "two for four, one seen": ({TWO: FOUR}, 4, FOUR, EIGHT),
    "two for four, may be shifted": ({TWO: FOUR}, 4, " " * 6, None),
    "two for four": ({TWO: FOUR, FOUR: EIGHT}, 4, " " * 6, FOUR * 3),
    "two for four, lined up": ({TWO: FOUR, FOUR: EIGHT}, 4, " " * 5, None),
    "four for two": ({FOUR: TWO, EIGHT: FOUR}, 2, FOUR * 3, " " * 6),
    "four for two, between": ({"": "", EIGHT: FOUR}, 2, FOUR, TWO),
    "blanks for tabs, one seen": ({FOUR: TAB}, None, EIGHT, TAB * 2),
    "blanks for tabs, one seen, lined up": ({FOUR: TAB}, None, " " * 6, None),
    "blanks for tabs, one deep seen": ({EIGHT: TAB * 2}, None, FOUR * 3, TAB * 3),
    "blanks for tabs, deeper there": ({FOUR: TAB * 2}, None, EIGHT, None),
    "blanks for tabs": ({"": "", FOUR: TAB}, None, EIGHT, TAB * 2),
    "tabs for blanks": ({TAB: FOUR}, 4, TAB * 2, EIGHT),
    "tabs for blanks, of another step": ({TAB: EIGHT}, 4, TAB * 2, None),
    "tabs for blanks, two seen": ({TAB: FOUR, TAB * 2: EIGHT}, None, "", ""),
    "mixed": ({FOUR: TAB}, None, TAB, None),
    "nothing seen": ({}, 4, FOUR, None),
}


@pytest.mark.parametrize(("table", "step", "fresh", "wanted"), LEARNT.values(), ids=LEARNT.keys())
def test_what_a_new_lines_indentation_is(
    table: dict[str, str], step: int | None, fresh: str, wanted: str | None
) -> None:
    assert learn(table, [fresh], step).get(fresh) == wanted


def test_several_new_lines_are_read_alike() -> None:
    # Two blanks more are half a step: the hunk counts in twos, and so does its other new line.
    assert learn({TWO: FOUR}, [FOUR, " " * 6], 4) == {TWO: FOUR, FOUR: EIGHT, " " * 6: FOUR * 3}


def test_tables() -> None:
    assert table_of([("", FOUR), (FOUR, EIGHT), ("", FOUR)]) == {"": FOUR, FOUR: EIGHT}
    assert table_of([("", FOUR), ("", EIGHT)]) is None
    assert table_of([("", FOUR), (FOUR, "")]) is None
    assert table_of([("", FOUR), (EIGHT, EIGHT)]) is None
    assert table_of([(TWO, FOUR), (FOUR, EIGHT), ("", "")]) == {TWO: FOUR, FOUR: EIGHT, "": ""}
    assert table_of([(FOUR, TAB), (EIGHT, TAB * 2)]) == {FOUR: TAB, EIGHT: TAB * 2}
    assert table_of([]) == {}
    assert shift_of([("", FOUR), (FOUR, EIGHT)]) == ("", FOUR)
    assert shift_of([(FOUR, ""), (EIGHT, FOUR)]) == (FOUR, "")
    assert shift_of([(FOUR, TAB)]) is None


def test_tabs_in_the_file_and_blanks_in_the_hunk() -> None:
    text = "def f():\n\tif x:\n\t\ty = 1\n\treturn y\n"
    one = hunk(" def f():", "     if x:", "-        y = 1", "+        while z:", "+            y = 2")
    assert result(text, one) == "def f():\n\tif x:\n\t\twhile z:\n\t\t\ty = 2\n\treturn y\n"
    assert the_place(text, one).note == "its new lines are indented as the file is"


def test_four_blanks_in_the_file_and_two_in_the_hunk() -> None:
    text = "class A:\n    def f():\n        return 1\n"
    one = hunk(" class A:", "   def f():", "-    return 1", "+    if x:", "+      return 2")
    assert result(text, one) == "class A:\n    def f():\n        if x:\n            return 2\n"


def test_a_line_whose_depth_is_not_certain_is_refused_with_the_files_own() -> None:
    said = refusal("\tif x:\n\t\treturn 1\n", hunk(" if x:", "+  y = 1", number=3))
    assert "its lines stand at line 1 with other indentation" in said
    assert "how deep the new line 'y = 1' belongs there cannot be told" in said
    assert said.endswith("    \tif x:")


def test_a_single_line_with_wrong_indentation() -> None:
    text = "def f(a):\n    if a:\n        total = compute(a, 1)\n        return total\n"
    one = hunk(
        " def f(a):", "     if a:", "-    total = compute(a, 1)", "+    total = compute(a, 2)", "         return total"
    )
    assert result(text, one) == text.replace("a, 1", "a, 2")
    # Another line may stand at another depth.
    other = hunk(
        " def f(a):", "     if a:", "-    total = compute(a, 1)", "+    raise ValueError", "         return total"
    )
    assert "how deep the new line 'raise ValueError' belongs" in refusal(text, other)
    # Two new lines for one may stand at two depths; one of the hunk's depths means two of the file's.
    two = hunk(
        " def f(a):",
        "     if a:",
        "-    total = compute(a, 1)",
        "+    if b:",
        "+        total = 2",
        "         return total",
    )
    assert "how deep the new line 'if b:' belongs" in refusal(text, two)


def test_beside_lines_with_wrong_indentation_no_new_line_has_a_depth() -> None:
    text = "def f(a):\n    if a:\n        one = compute()\n    two = compute()\n"
    lines = (" def f(a):", "     if a:", "     one = compute()", "+new()", "     two = compute()")
    assert "how deep the new line 'new()' belongs" in refusal(text, hunk(*lines))


def test_indentation_that_was_dropped_altogether() -> None:
    text = "def f(a):\n    if a:\n        total = compute(a, 1)\n        return total\n"
    one = hunk(" def f(a):", " if a:", "-total = compute(a, 1)", "+total = compute(a, 2)", " return total")
    assert result(text, one) == text.replace("a, 1", "a, 2")
    more = hunk(" def f(a):", " if a:", " total = compute(a, 1)", "+total += 1", " return total")
    assert "how deep the new line 'total += 1' belongs" in refusal(text, more)


def test_blanks_inside_lines_do_not_count_but_in_strings() -> None:
    text = "x = compute( a,b )\ns = 'a  b'\n"
    assert result(text, hunk("-x = compute(a, b)", "+x = 1")) == "x = 1\ns = 'a  b'\n"
    assert "not in the file" in refusal(text, hunk("-s = 'a b'", "+s = 1"))
    assert "not in the file" in refusal("ab = 1\n", hunk("-a b = 1", "+a = 1"))


@st.composite
def code(draw: st.DrawFn) -> list[int]:
    """How deep the lines of some code stand: it gets deeper one step at a time."""
    depths = [draw(st.integers(0, 2))]
    for _ in range(draw(st.integers(1, 10))):
        depths.append(draw(st.integers(0, depths[-1] + 1)))
    return depths


@settings(max_examples=200)
@given(
    code(),
    st.data(),
    st.sampled_from([TWO, FOUR, TAB]),
    st.sampled_from([TWO, FOUR, TAB]),
    st.integers(-2, 2),
    st.integers(0, 3),
)
def test_whatever_the_unit_it_is_the_intended_depth_or_refused(
    depths: list[int], data: st.DataObject, unit: str, other: str, shift: int, context: int
) -> None:
    """A hunk in another unit and at another depth writes what was meant, or nothing."""
    at = data.draw(st.integers(0, len(depths) - 1))
    near = depths[max(at - context, 0) : at + context + 1]
    added = data.draw(st.lists(st.integers(max(min(near) - 1, 0), max(near) + 1), min_size=1, max_size=3))
    old = "".join(f"{unit * depth}line_{number}\n" for number, depth in enumerate(depths))
    fresh = "".join(f"{unit * depth}new_{number}\n" for number, depth in enumerate(added))
    lines = old.splitlines(keepends=True)
    new = "".join(lines[:at]) + fresh + "".join(lines[at + 1 :])

    def elsewhere(line: HunkLine) -> HunkLine:
        text = line.text.lstrip()
        depth = (len(line.text) - len(text)) // len(unit)
        return HunkLine(line.sign, other * max(depth + shift, 0) + text)

    used = {*near, *added}
    assume(len(used) == max(used) - min(used) + 1)
    hunks = between(old, new, context)
    shallow = min(depths + added) + shift < 0
    fitted = fit(old, retyped(hunks, elsewhere))
    as_it_stands = any(isinstance(answer, Place) and answer.level == EXACT.name for answer in fitted.answers)
    # Depths cut off at the edge are lost; and where the old lines are the file's own, so are the new ones.
    assume(not shallow and not as_it_stands)
    assert fitted.text in {None, new}


@settings(max_examples=200)
@given(code(), st.data(), st.sampled_from([TWO, FOUR, TAB]), st.sampled_from(["", TWO, FOUR, TAB, EIGHT]))
def test_single_lines_with_wrong_indentation_are_mended_or_refused(
    depths: list[int], data: st.DataObject, unit: str, wrong: str
) -> None:
    at = data.draw(st.integers(0, len(depths) - 1))
    spoilt = data.draw(st.sets(st.integers(0, len(depths) - 1), min_size=1))
    old = "".join(f"{unit * depth}line_{number} = {number}\n" for number, depth in enumerate(depths))
    new = old.replace(f"line_{at} = {at}\n", f"line_{at} = new\n")

    def spoil(line: HunkLine) -> HunkLine:
        number = int(line.text.split("_")[1].split()[0])
        return HunkLine(line.sign, wrong + line.text.lstrip()) if number in spoilt else line

    hunks = retyped(between(old, new, 3), spoil)
    assert fit(old, hunks).text in {None, new}


def test_a_hunk_is_not_moved_by_constants_of_other_characters() -> None:
    assert fit("\tdef f():\n\t\tpass\n", [Hunk(hunk(" def f():", "+    x = 1").lines, 1)]).text is None


# Old lines indented otherwise than the file's, and new lines that are right as they are written.
AS_WRITTEN = {
    "in the place of a line": (
        "def f():\n    x = 1\n    return x\n",
        (" def f():", "-        x = 1", "+    x = 2", "         return x"),
    ),
    "between lines": ("if a:\n    x = 1\n    y = 2\n", ("         x = 1", "+    fresh = 1", "         y = 2")),
    "below a line that opens a block": (
        "def f(a):\n    if a:\n        x = 1\n",
        ("         if a:", "+        fresh = 1"),
    ),
    "above a line": ("def f(a):\n    if a:\n        x = 1\n", ("+        fresh = 1", "             x = 1")),
    "the hunk's first line has lost it": (
        "def f():\n    check(row)\n",
        ("-check(row)", "+check(row, 1)", "+    fresh = 0"),
    ),
    "the lines that stay have lost it": (
        "class A:\n    def f():\n        x = 1\n        return x\n",
        (" def f():", "-    x = 1", "+        x = 2", "     return x"),
    ),
}


@pytest.mark.parametrize(("text", "lines"), AS_WRITTEN.values(), ids=AS_WRITTEN.keys())
def test_a_new_line_that_is_right_as_it_is_written_is_not_moved(text: str, lines: tuple[str, ...]) -> None:
    assert "belongs there cannot be told" in refusal(text, hunk(*lines))


# New lines deeper or less deep than those around them, for a reason that is seen.
MOVED = {
    "in the place of a line": ("    x = 1\n", ("-x = 1", "+if a:", "+    x = 2"), "    if a:\n        x = 2\n"),
    "after a comment": ("    x = 1\n", ("-x = 1", "+if a:  # so", "+    x = 2"), "    if a:  # so\n        x = 2\n"),
    "below a line that opens a block": ("    if a:\n", (" if a:", "+    x = 2"), "    if a:\n        x = 2\n"),
    "less deep than what it replaces": (
        "def f():\n    if a:\n        x = 1\n        y = 1\n",
        (" if a:", "     x = 1", "-    y = 1", "+return x"),
        "def f():\n    if a:\n        x = 1\n    return x\n",
    ),
    "an argument": ("    go(a)\n", ("-go(a)", "+go(", "+    a)"), "    go(\n        a)\n"),
}


@pytest.mark.parametrize(("text", "lines", "wanted"), MOVED.values(), ids=MOVED.keys())
def test_a_new_line_goes_with_the_old_ones(text: str, lines: tuple[str, ...], wanted: str) -> None:
    head, tail = "class A:\n    pass\n", "    end = 0\n"
    assert result(head + text + tail, hunk(*lines, " end = 0")) == head + wanted + tail
