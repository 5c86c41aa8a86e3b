"""What is said about a hunk that is nowhere in its file."""

from __future__ import annotations

from agent_core.patch.closest import already_there, closest_place
from agent_core.patch.document import Document
from tests.patch.hunks import hunk, refusal

TEXT = "".join(f"value_{number} = compute({number})\n" for number in range(200))


def test_the_closest_place_by_whole_lines() -> None:
    said = closest_place(Document(TEXT), ["value_7 = compute(7)", "value_8 = reckon(8)", "value_9 = compute(9)"])
    assert said == (
        "The closest place is lines 8-10 ('-' is the patch, '+' is the file):\n"
        "      value_7 = compute(7)\n"
        "    - value_8 = reckon(8)\n"
        "    + value_8 = compute(8)\n"
        "      value_9 = compute(9)"
    )


def test_the_closest_place_by_words_alone() -> None:
    said = closest_place(Document(TEXT), [f"result_{number} = reckon({number})" for number in range(150, 155)])
    assert said.startswith("The closest place is lines 151-155 (as the file has it):")


def test_the_first_difference_of_a_long_hunk_is_shown() -> None:
    old = TEXT.splitlines()[20:60]
    old[30] = "value_50 = wrong(50)"
    said = closest_place(Document(TEXT), old)
    assert "The closest place is lines 21-60" in said
    assert "- value_50 = wrong(50)" in said
    assert len(said.splitlines()) < 20


def test_nothing_is_close() -> None:
    assert closest_place(Document(TEXT), ["zzz", "", "qqq"]) == ""
    assert closest_place(Document(""), ["zzz"]) == ""


def test_lines_that_are_there_already_at_every_level() -> None:
    one = hunk(" a = 1", "-b = 2", '+b = "two"', " c = 3").lines
    for text in (
        'a = 1\nb = "two"\nc = 3\n',
        'a = 1  \nb = "two"\nc = 3\n',
        '    a = 1\n    b = "two"\n    c = 3\n',
        "a = 1\nb = \u201ctwo\u201d\nc = 3\n",
        'a=1\nb="two"\nc=3\n',
    ):
        assert already_there(Document(f"x\n{text}"), one) == "lines 2-4"
    assert already_there(Document("a = 1\nb = 2\nc = 3\n"), one) is None


def test_what_says_nothing_is_not_there_already() -> None:
    assert already_there(Document("a\n}\nb\n"), hunk("-x", "+}").lines) is None
    assert already_there(Document("a\nb\n"), hunk(" a", "-x", " b").lines) is None


def test_every_place_where_it_stands() -> None:
    said = refusal("new = 1\nx\nnew = 1\n", hunk("-old = 1", "+new = 1"))
    assert said == "these lines are already there (line 1 and line 3), so there is nothing to change."
