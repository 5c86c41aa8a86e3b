"""A hunk that begins with the header of its block and leaves out what stands between."""

from __future__ import annotations

import pytest

from agent_core.patch.fit import fit
from tests.patch.hunks import hunk, reasons, result

TEXT = """\
class One:
    def size(self):
        return 1

    def name(self):
        x = 1
        return "one"


class Two:
    def size(self):
        return 2

    def name(self):
        x = 1
        return "two"
"""

TWO = ' class Two:|         x = 1|+        y = 2|         return "two"'
FOUND = {
    "context below": (TWO, "x = 1\n", "x = 1\n        y = 2\n"),
    "another indentation": (TWO.replace("|     ", "|").replace("+     ", "+"), "x = 1\n", "x = 1\n        y = 2\n"),
    "a line that goes": (' class Two:|-        x = 1|+        x = 2|         return "two"', "x = 1", "x = 2"),
    "two headers": (
        ' class Two:|     def name(self):|-        x = 1|+        x = 2|         return "two"',
        "x = 1",
        "x = 2",
    ),
}


@pytest.mark.parametrize(("lines", "old", "new"), FOUND.values(), ids=FOUND.keys())
def test_it_is_found_in_that_block(lines: str, old: str, new: str) -> None:
    text = TEXT.replace("        x = 1\n", "        # unlike any other\n\n        x = 1\n")
    one, two = text.split("class Two:")
    assert result(text, hunk(*lines.split("|"))) == f"{one}class Two:{two.replace(old, new)}"


REFUSED = {
    "new lines without a neighbour": ' class Two:|+    z = 0|         x = 1|         return "two"',
    "too little": " class Two:|-        x = 1|+        x = 2",
    "in another block": ' class Two:|         x = 1|-        return "one"|+        return 1',
    "no such block": TWO.replace("Two", "Three"),
    "not deeper": '     def size(self):|-    x = 1|+    x = 2|     return "two"',
    "not a header": " class One:| class Two:|-        return 1|+        return 3",
}


@pytest.mark.parametrize("lines", REFUSED.values(), ids=REFUSED.keys())
def test_where_it_could_be_anything_else_it_is_refused(lines: str) -> None:
    assert reasons(fit(TEXT, [hunk(*lines.split("|"))]))


def test_blocks_of_one_name_have_to_be_told_apart() -> None:
    text = TEXT.replace("class Two:", "class One:").replace('"two"', '"one"')
    (reason,) = reasons(fit(text, [hunk(" class One:", "-        x = 1", "+        x = 2", '         return "one"')]))
    assert "matches at lines 6 and 15" in reason


@pytest.mark.parametrize("since", ["edited()", "made()"], ids=["a human's edit", "the patch itself"])
def test_a_twin_is_not_taken_for_the_place_that_has_changed_since(since: str) -> None:
    text = f"class One:\n    {since}\n    check()\n\n    made_before()\n    old()\n    check()\n"
    assert reasons(fit(text, [hunk(" class One:", "-    old()", "+    made()", "     check()")]))
