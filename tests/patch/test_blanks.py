"""Hunks that are right but for the number of blank lines between their lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_core.patch.fit import fit
from agent_core.patch.operations import Hunk, HunkLine
from tests.patch.hunks import between, hunk, reasons, result

TEXT = """\
import os


def one():
    first = 1
    return first


def two():
    second = 2

    return second
"""

FOUND = {
    "a new line above a blank one": (
        " import os|+import re|  | def one():|     first = 1",
        "import os\n",
        "import os\nimport re\n",
    ),
    "a new line below a blank one": (
        " import os|  |+@cache| def one():|     first = 1",
        "def one():\n",
        "@cache\ndef one():\n",
    ),
    "lines that go": (
        " def one():|     first = 1|-    return first|+    return 1|  | def two():|     second = 2",
        "    return first\n",
        "    return 1\n",
    ),
    "no blank line where there is one": (
        " def two():|     second = 2|-    return second|+    return 2",
        "    return second\n",
        "    return 2\n",
    ),
    "blank lines that go where they are right": (
        " import os|  | def one():|     first = 1|     return first|- |- |-def two():|+class Two:",
        "\n\n\ndef two():",
        "\nclass Two:",
    ),
}


@pytest.mark.parametrize(("lines", "old", "new"), FOUND.values(), ids=FOUND.keys())
def test_its_place_is_where_all_other_lines_stand(lines: str, old: str, new: str) -> None:
    made = TEXT.replace(old, new)
    assert result(TEXT, hunk(*lines.split("|"))) == made


REFUSED = {
    "new lines between blank ones": " import os|  |+x = 1|  |  | def one():|     first = 1",
    "new lines in the place of blank ones": "     return first|+x = 1| def two():|     second = 2",
    "blank lines that go": " import os|- | def one():|     first = 1",
    "lines that go with blank ones between": " def two():|-    second = 2|-    return second|+    return 2",
    "another line": " import os|  | def one():|     first = 2|-    return first",
    "too little": " import os|  |-def one():|+def uno():",
}


@pytest.mark.parametrize("lines", REFUSED.values(), ids=REFUSED.keys())
def test_where_blank_lines_decide_it_is_refused(lines: str) -> None:
    assert reasons(fit(TEXT, [hunk(*lines.split("|"))]))


def test_two_places_are_told_apart_or_refused() -> None:
    lines = " def one():", "     first = 1", "+    second = 2", "  ", "     return first"
    (reason,) = reasons(fit(f"{TEXT}\n\n{TEXT}", [hunk(*lines)]))
    assert "matches at lines 4 and 18" in reason


@pytest.mark.parametrize("below", ["", "|  | def two():|     second = 2"], ids=["at its end", "before more"])
def test_what_it_adds_is_not_added_a_second_time(below: str) -> None:
    lines = hunk(*f" import os|  | def one():|     first = 1|     return first|+one()|+one(1){below}".split("|"))
    once = result(TEXT.partition("\n\n\ndef two")[0] + "\n" if not below else TEXT, lines)
    assert once.count("one()") == 2
    fitted = fit(once, [lines])
    assert fitted.text is None
    assert "already there" in reasons(fitted)[0]


@given(st.lists(st.sampled_from([True, True, False]), min_size=4, max_size=14), st.data())
def test_whatever_blank_lines_are_wrong_it_makes_the_new_text_or_nothing(
    blank: list[bool], data: st.DataObject
) -> None:
    old = ["" if none else f"line {number}" for number, none in enumerate(blank)]
    start = data.draw(st.integers(0, len(old)))
    end = data.draw(st.integers(start, min(len(old), start + 2)))
    new = [*old[:start], "new()", *old[end:]]
    (right,) = between("\n".join([*old, ""]), "\n".join([*new, ""]), 6)
    lines: list[HunkLine] = []
    for line in right.lines:
        times = 1 if line.text or line.sign != " " else data.draw(st.integers(0, 3))
        lines += [line] * times
    made = fit("\n".join([*old, ""]), [Hunk(tuple(lines), 1)]).text
    if made is not None:
        # Which of several blank lines a new line stands between cannot be told from those that are wrong.
        assert [line for line in made.split("\n") if line] == [line for line in new if line]
        assert len(made.split("\n")) == len(new) + 1
