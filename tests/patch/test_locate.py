from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agent_core.patch.document import Document
from agent_core.patch.fit import fit
from agent_core.patch.locate import locate
from agent_core.patch.operations import Hunk, HunkLine, UpdateFile
from agent_core.patch.place import Place, Unplaced
from agent_core.patch.read import read_patch
from tests.patch.hunks import between, hunk, result, unnumbered
from tests.support.counting import count_lines

SHAPES = dedent(
    """\
    class Circle:
        def __init__(self, r):
            self.r = r
            self.color = None

        def area(self):
            return 0

    class Square:
        def __init__(self, a):
            self.a = a
            self.color = None

        def area(self):
            return 0
    """
)


def find(text: str, *lines: str) -> list[int | str]:
    """1-based first lines of the hunks' places, or the reasons why there are none."""
    (operation,) = read_patch("\n".join(["*** Begin Patch", "*** Update File: f", *lines, "*** End Patch"])).operations
    assert isinstance(operation, UpdateFile)
    answers = locate(Document(text), operation.hunks)
    return [answer.start + 1 if isinstance(answer, Place) else answer.reason for answer in answers]


def reason(text: str, *lines: str) -> str:
    (answer,) = find(text, *lines)
    assert isinstance(answer, str)
    return answer


def test_the_first_of_several_places_is_never_just_taken() -> None:
    assert "matches at lines 7 and 15. Give more context" in reason(
        SHAPES, "@@", "-        return 0", "+        return 1"
    )
    many = "x\n" * 10
    assert "matches at lines 1, 2, 3, 4, 5, 6 and more" in reason(many, "@@", "-x", "+y")


def test_what_the_places_are_in_is_told_where_that_tells_them_apart() -> None:
    text = "def one():\n    a = 1\n\n    return a\n\ndef two():\n    a = 1\n"
    said = reason(text, "@@", "-    a = 1", "+    a = 2")
    assert said.endswith("only one place is meant (line 2 is in 'def one():'; line 7 is in 'def two():').")
    # Both are in a method of the same name: the classes tell.
    said = reason(SHAPES, "@@", "-        return 0", "+        return 1")
    assert said.endswith("(line 7 is in 'class Circle:'; line 15 is in 'class Square:').")
    assert reason("x\nx\n", "@@", "-x", "+y").endswith("only one place is meant.")


def test_anchors_make_a_place_unique() -> None:
    hunk = ("-        return 0", "+        return 1")
    assert find(SHAPES, "@@ class Circle:", *hunk) == [7]
    assert find(SHAPES, "@@ class Square:", *hunk) == [15]
    assert find(SHAPES, "@@ class Square", "@@ def area", *hunk) == [15]
    assert find(SHAPES, "@@ class Circle:", "@@     def area(self):", *hunk) == [7]
    # The anchor may be repeated as the first line of context.
    assert find(SHAPES, "@@ class Circle:", " class Circle:", "-    def __init__(self, r):", "+    pass") == [1]


def test_an_anchor_that_does_not_tell_the_places_apart() -> None:
    assert "matches at lines 7 and 15" in reason(SHAPES, "@@ def area(self):", "-        return 0", "+        return 1")


def test_an_anchor_is_not_passed_over() -> None:
    said = reason(SHAPES, "@@ class Triangle:", "-            return 0", "+            return 1")
    assert "the '@@' line 'class Triangle:' is not in the file" in said
    assert "not in the file after the '@@' line" in reason(
        SHAPES, "@@ class Square:", "-        self.r = r", "+        pass"
    )


def test_anchors_in_a_text_without_indentation() -> None:
    text = "# One\n\nuse it\n\n# Two\n\nuse it\n"
    assert find(text, "@@ # Two", "-use it", "+use them") == [7]
    assert find(text, "@@ # One", "-use it", "+use them") == [3]


def test_anchors_in_a_language_with_braces() -> None:
    text = "int f()\n{\n    return 0;\n}\n\nint g()\n{\n    return 0;\n}\n"
    assert find(text, "@@ int f()", "-    return 0;", "+    return 1;") == [3]
    assert find(text, "@@ int g()", "-    return 0;", "+    return 1;") == [8]


def test_the_order_of_hunks_makes_places_unique() -> None:
    twice = ("@@", "-        return 0", "+        return 1")
    assert find(SHAPES, *twice, *twice) == [7, 15]
    assert find(SHAPES, "@@", "-class Square:", "+class Box:", *twice) == [9, 15]
    assert find(SHAPES, *twice, "@@", "-class Square:", "+class Box:") == [7, 9]


def test_order_is_no_reason_to_refuse_places_that_are_unique() -> None:
    assert find("a\nb\nc\n", "@@", "-c", "+C", "@@", "-a", "+A") == [3, 1]


def test_the_order_of_hunks_is_that_of_their_changes() -> None:
    """A hunk may begin above the one before with its context."""
    body = "    load(1)\n    if row:\n        go(row)\n    row = None\n    return 1\n\n"
    first = ("@@", "     load(1)", "-    if row:", "-        go(row)", "     row = None")
    second = (
        "@@",
        " open_all()",
        "     load(1)",
        "     if row:",
        "         go(row)",
        "     row = None",
        "+    close()",
    )
    found = find(body + "open_all()\n" + body, *first, *second)
    assert "matches at lines 1 and 8" in str(found[0])
    assert find("x\n" + body + "open_all()\n" + body, "@@", "-x", "+y", *first, *second[:-1], "+    shut()")[0] == 1


def test_order_cannot_save_what_stays_ambiguous() -> None:
    found = find("x\nx\nx\n", "@@", "-x", "+y", "@@", "-x", "+z")
    assert all("matches at lines" in str(answer) for answer in found)


def test_the_line_number_of_a_unified_header_decides_between_equal_places() -> None:
    assert find("x\na\nx\na\nx\n", "@@ -3,1 +3,1 @@", "-x", "+y") == [3]
    assert "matches at lines 1, 3 and 5" in reason("x\na\nx\na\nx\n", "@@ -4,1 +4,1 @@", "-x", "+y")
    # It never makes a place of its own.
    assert find("a\nb\nc\n", "@@ -1,1 +1,1 @@", "-c", "+C") == [3]


def test_an_exact_place_counts_before_a_similar_one() -> None:
    assert find("    x = 1\nx = 1 \nx = 1\n", "@@", "-x = 1", "+x = 2") == [3]
    assert find("    x = 1\nx = 1 \n", "@@", "-x = 1", "+x = 2") == [2]


def test_indentation_must_differ_by_a_constant_or_a_unit() -> None:
    text = "  a\n      b\n  c\n"
    assert "not in the file" in reason(text, "@@", " a", "-  b", "+  B")
    assert find(text, "@@", " a", "-    b", "+    B") == [1]
    assert find(text, "@@", "  a", "-   b", "+   B") == [1]


def test_a_new_line_that_cannot_be_shifted_has_no_place() -> None:
    assert "how deep the new line 'b' belongs there cannot be told" in reason("a\n", "@@", "-    a", "+b")


def test_only_new_lines_need_a_place() -> None:
    assert find("a\nb", "@@", "+c") == [3]
    assert "has only '+' lines" in reason(SHAPES, "@@ class Circle:", "+    x = 1")
    assert "has only '+' lines" in str(find("a\nb\n", "@@", "+c", "@@", "-a", "+A")[0])


def test_what_is_added_at_an_edge_of_the_file_is_not_added_again() -> None:
    there = "these lines are already there"
    assert find("one\ntwo\n", "@@", " two", "+three") == [2]
    assert f"{there} (lines 2-3)" in reason("one\ntwo\nthree\n", "@@", " two", "+three")
    assert find("two\nthree\n", "@@", "+one", " two") == [1]
    assert f"{there} (lines 1-2)" in reason("one\ntwo\nthree\n", "@@", "+one", " two")
    # What is not at the edge may be meant to be there twice, and so may lines that say nothing.
    assert find("one\ntwo\nthree\nfour\n", "@@", " two", "+three") == [2]
    assert find("one\n}\n", "@@", " one", "+}") == [1]
    # What goes on in the hunk is no edge.
    assert find("two\nthree\n", "@@", " two", "+three", " three") == [1]
    assert find("two\nthree\n", "@@", "-two", "+three") == [1]


def test_two_hunks_for_the_same_line() -> None:
    found = find("a\nb\nc\n", "@@", " a", "-b", "+x", "@@", "-b", "+y", " c")
    assert found[0] == 1
    assert "changes the same lines as hunk 1 (line 2 of the file)" in str(found[1])
    doubled = find("a\nb\n", "@@", " a", "+x", "@@", " a", "+x")
    assert "changes the same lines as hunk 1" in str(doubled[1])


def test_hunks_may_share_context() -> None:
    assert find("a\nb\nc\n", "@@", "-a", "+A", " b", "@@", " b", "-c", "+C") == [1, 2]


def test_a_hunk_that_is_there_already() -> None:
    text = "a\nnew\nb\n"
    assert "already there (lines 1-3)" in reason(text, "@@", " a", "-old", "+new", " b")


def test_the_closest_place_is_shown() -> None:
    said = reason(SHAPES, "@@", "     def __init__(self, a):", "-        self.side = a", "         self.color = None")
    assert "The closest place is lines 10-12" in said
    assert "-         self.side = a" in said
    assert "+         self.a = a" in said
    assert reason("a\nb\n", "@@", "-zzz", "+y") == "its lines are not in the file."


def test_blank_lines_of_a_hunk_are_no_place() -> None:
    assert find("a\n\nb\n\nc\n", "@@", "-b", "+B", "", "") == [3]
    assert find("a\n\nb\n", "@@", "+x", " ") == [2]
    assert "not in the file" in reason("a\n\nb\n", "@@", "+x", "     ")


@pytest.mark.parametrize("drift", ["", "  "])
def test_a_long_file_is_searched_quickly(drift: str) -> None:
    lines = [f"    value_{number % 7} = compute({number})" for number in range(20_000)]
    hunks: list[str] = []
    for at in range(500, 20_000, 1_000):
        hunks += ["@@", f" {lines[at]}{drift}", f"-{lines[at + 1]}", "+    pass", f" {lines[at + 2]}"]
    found, count = count_lines(lambda: find("\n".join(lines), *hunks))
    assert found == [at + 1 for at in range(500, 20_000, 1_000)]
    # Less than one for each line of the file; what grows with hunks times lines would take 20 times that.
    assert count < 20_000


def test_a_search_that_fails_in_a_long_file_is_quick() -> None:
    lines = [f"    value_{number % 7} = compute({number})" for number in range(20_000)]
    wanted = [f" {line.replace('compute', 'reckon')}" for line in lines[7_000:7_060]]
    said, count = count_lines(lambda: reason("\n".join(lines), "@@", *wanted, "+    pass"))
    assert "The closest place is lines 7001-7060" in said
    # Comparing each of its 60 lines with each of the file would take over a million.
    assert count < 100_000


def test_a_place_knows_its_reason_or_its_lines() -> None:
    (operation,) = read_patch("*** Begin Patch\n*** Update File: f\n@@\n a\n-b\n+c\n*** End Patch").operations
    assert isinstance(operation, UpdateFile)
    (place,) = locate(Document("x\na\nb\n"), operation.hunks)
    assert isinstance(place, Place)
    assert (place.start, place.end, place.core) == (1, 3, (2, 3))
    (nothing,) = locate(Document(""), operation.hunks)
    assert isinstance(nothing, Unplaced)


def test_a_line_number_is_off_by_as_much_as_those_of_the_other_hunks() -> None:
    text = "new\nnew\nhead\nx\na\nx\nb\nx\ntail\n"
    head, tail = ("@@ -1,1 +1,1 @@", "-head", "+HEAD"), ("@@ -7,1 +7,1 @@", "-tail", "+TAIL")
    middle = ("@@ -4,1 +4,1 @@", "-x", "+y")
    assert find(text, *head, *middle, *tail) == [3, 6, 9]
    # Those above and below do not agree: something was put in between, and where is not known.
    other = ("@@ -8,1 +8,1 @@", "-tail", "+TAIL")
    assert "matches at lines 4, 6 and 8" in str(find(text, *head, *middle, *other)[1])


def test_new_lines_with_a_line_number_are_not_put_at_the_end() -> None:
    for line in (0, 1, 2):
        assert "has only '+' lines" in reason("a\nb\nc\n", f"@@ -{line},0 +{line + 1},1 @@", "+x")
    assert find("a\nb\nc\n", "@@ -3,0 +4,1 @@", "+x") == [4]
    # No number: what Python does not read as one.
    assert "not in the file" in reason("a\n", f"@@ -{'1' * 5000} +1 @@", "-a", "+b")


def test_indentation_and_quotes_at_once() -> None:
    text = "\tif x:\n\t\tsay(\u201chi\u201d)\n"
    assert result(text, hunk(" if x:", '-    say("hi")', '+    say("ho")')) == '\tif x:\n\t\tsay("ho")\n'


def test_typographic_characters_of_every_kind() -> None:
    text = "a\u2013b \u2212 c\u00a0d \u2018e\u2019 \u201cf\u201d\u2026 g\u200b\nx\ry\nend\n"
    one = hunk(" a-b - c d 'e' \"f\"... g", " x y", "-end", "+END")
    assert result(text, one) == text.replace("end", "END")


def test_endings() -> None:
    assert result("a\rb\rc\r", hunk(" a", "-b", "+B", "+D")) == "a\rB\rD\rc\r"
    assert result("a\r\nb\nc\r\n", hunk(" a", "-b", "+B", " c")) == "a\r\nB\nc\r\n"
    assert result("a\r\nb\r\nc", hunk(" c", "+d")) == "a\r\nb\r\nc\r\nd"
    assert result("\ufeffa\nb\n", hunk("-a", "+A", " b")) == "\ufeffA\nb\n"


LINE = st.sampled_from(["", "a = 1", "b = 2", "    a = 1", "\tb = 2", "        c()", "}", 'say("x - y")', "it's"])

RETYPED: dict[str, Callable[[str], str]] = {
    "exact": lambda text: text,
    "blanks added": lambda text: f"{text}  ",
    "blanks lost": str.rstrip,
    "deeper": lambda text: f"    {text}" if text else text,
    "indentation lost": str.lstrip,
    "tabs for blanks": lambda text: text.replace("    ", "\t"),
    "blanks for tabs": lambda text: text.replace("\t", "    "),
    "quotes": lambda text: text.replace('"', "\u201d").replace("'", "\u2019"),
    "dashes": lambda text: text.replace("-", "\u2014"),
    "hard blanks": lambda text: text.replace(" ", "\u00a0"),
    "blanks inside": lambda text: text.replace(" = ", "="),
}


@settings(max_examples=60)
@given(st.lists(LINE, max_size=16), st.data(), st.integers(0, 3), st.booleans())
@pytest.mark.parametrize("how", RETYPED.values(), ids=RETYPED.keys())
def test_old_lines_retyped_make_the_new_text_or_nothing(
    how: Callable[[str], str], lines: list[str], data: st.DataObject, context: int, numbered: bool
) -> None:
    """Lines repeat, so that most hunks fit in several places: what is accepted is the place that was meant."""
    # What looks like another of the file's lines once it is retyped cannot be told from it.
    assume(not any(how(line) != line and how(line) in lines for line in lines))
    first = data.draw(st.integers(0, len(lines)))
    last = data.draw(st.integers(first, min(first + 2, len(lines))))
    second = data.draw(st.integers(last, len(lines)))
    new_lines = [*lines[:first], "fresh()", *lines[last:second], *["other()"] * (second > last), *lines[second:]]
    old, new = ("".join(f"{line}\n" for line in some) for some in (lines, new_lines))
    hunks = [
        Hunk(tuple(HunkLine(line.sign, how(line.text)) for line in one.lines), one.number, old_start=one.old_start)
        for one in between(old, new, context)
    ]
    assume(hunks and all(not lines or any(line.sign != "+" for line in one.lines) for one in hunks))
    if not numbered:
        hunks = unnumbered(hunks)
    fitted = fit(old, hunks)
    if fitted.text is not None:
        made = fitted.text.replace(how("fresh()"), "fresh()").replace(how("other()"), "other()").split("\n")
        wanted = new.split("\n")
        if how is str.lstrip:
            # How deep the new lines are to stand has been lost with the rest.
            made, wanted = [line.lstrip() for line in made], [line.lstrip() for line in wanted]
        assert made == wanted


@settings(max_examples=100)
@given(st.lists(LINE, min_size=1, max_size=12), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans(), st.data())
def test_every_byte_that_is_not_the_hunks_stays(lines: list[str], end: str, bare: bool, data: st.DataObject) -> None:
    """With any ending, and with or without one at the end, a hunk of all lines changes one and keeps the rest."""
    at = data.draw(st.integers(0, len(lines) - 1))
    # A file of one line without an ending has no ending of its own.
    assume(not bare or (lines[-1] and len(lines) > 1))
    text = end.join(lines) + end * (not bare)
    assume(end != "\r" or "\r" in text)
    signed = [f" {line}" for line in lines]
    signed[at : at + 1] = [f"-{lines[at]}", "+new", "+line"]
    wanted = [*lines[:at], "new", "line", *lines[at + 1 :]]
    assert result(text, hunk(*signed)) == end.join(wanted) + end * (not bare)
