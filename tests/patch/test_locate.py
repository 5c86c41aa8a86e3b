from __future__ import annotations

import time
from textwrap import dedent

import pytest

from agent_core.patch.document import Document
from agent_core.patch.locate import locate
from agent_core.patch.operations import UpdateFile
from agent_core.patch.place import Place, Unplaced
from agent_core.patch.read import read_patch

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


def test_indentation_may_differ_as_long_as_deeper_is_deeper() -> None:
    text = "  a\n      b\n  c\n"
    assert find(text, "@@", " a", "-  b", "+  B") == [1]
    assert find(text, "@@", " a", "-    b", "+    B") == [1]


def test_a_new_line_that_cannot_be_shifted_has_no_place() -> None:
    assert "how deep the new line 'b' belongs there cannot be told" in reason("a\n", "@@", "-    a", "+b")


def test_only_new_lines_need_a_place() -> None:
    assert find("a\nb", "@@", "+c") == [3]
    assert "has only '+' lines" in reason(SHAPES, "@@ class Circle:", "+    x = 1")
    assert "has only '+' lines" in str(find("a\nb\n", "@@", "+c", "@@", "-a", "+A")[0])


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


@pytest.mark.parametrize("drift", ["", "  "])
def test_a_long_file_is_searched_quickly(drift: str) -> None:
    lines = [f"    value_{number % 7} = compute({number})" for number in range(20_000)]
    hunks: list[str] = []
    for at in range(500, 20_000, 1_000):
        hunks += ["@@", f" {lines[at]}{drift}", f"-{lines[at + 1]}", "+    pass", f" {lines[at + 2]}"]
    start = time.process_time()
    found = find("\n".join(lines), *hunks)
    seconds = time.process_time() - start
    assert found == [at + 1 for at in range(500, 20_000, 1_000)]
    # A few ms by itself; what grows with hunks times lines would take seconds.
    assert seconds < 1


def test_a_search_that_fails_in_a_long_file_is_quick() -> None:
    lines = [f"    value_{number % 7} = compute({number})" for number in range(20_000)]
    wanted = [f" {line.replace('compute', 'reckon')}" for line in lines[7_000:7_060]]
    start = time.process_time()
    said = reason("\n".join(lines), "@@", *wanted, "+    pass")
    seconds = time.process_time() - start
    assert "The closest place is lines 7001-7060" in said
    assert seconds < 2


def test_a_place_knows_its_reason_or_its_lines() -> None:
    (operation,) = read_patch("*** Begin Patch\n*** Update File: f\n@@\n a\n-b\n+c\n*** End Patch").operations
    assert isinstance(operation, UpdateFile)
    (place,) = locate(Document("x\na\nb\n"), operation.hunks)
    assert isinstance(place, Place)
    assert (place.start, place.end, place.core) == (1, 3, (2, 3))
    (nothing,) = locate(Document(""), operation.hunks)
    assert isinstance(nothing, Unplaced)
