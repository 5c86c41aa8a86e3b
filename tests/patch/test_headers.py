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


@pytest.mark.parametrize(
    ("lines", "old", "new"),
    [
        (
            (" class Two:", "         x = 1", "+        y = 2", '         return "two"'),
            "x = 1\n",
            "x = 1\n        y = 2\n",
        ),
        ((" class Two:", "-        x = 1", "+        x = 2"), "x = 1", "x = 2"),
        (
            (" class Two:", "     def name(self):", '-        return "two"', "+        return 2"),
            'return "two"',
            "return 2",
        ),
        ((" class Two:", "     x = 1", "+    y = 2", '     return "two"'), "x = 1\n", "x = 1\n        y = 2\n"),
    ],
    ids=["context below", "a line that goes", "two headers", "another indentation"],
)
def test_it_is_found_in_that_block(lines: tuple[str, ...], old: str, new: str) -> None:
    one, two = TEXT.split("class Two:")
    assert result(TEXT, hunk(*lines)) == f"{one}class Two:{two.replace(old, new)}"


@pytest.mark.parametrize(
    "lines",
    [
        (" class Two:", "+    z = 0", "         x = 1"),
        (" class Two:", '-        return "one"', "+        return 1"),
        (" class Three:", "-        x = 1", "+        x = 2"),
        ("     def name(self):", '-    return "two"', "+    return 2"),
        ("     def name(self):", "-        return 3", "+        return 4"),
        (" class One:", " class Two:", "-        return 1", "+        return 3"),
    ],
    ids=["new lines without a neighbour", "in another block", "no such block", "not deeper", "nowhere", "not a header"],
)
def test_where_it_could_be_anything_else_it_is_refused(lines: tuple[str, ...]) -> None:
    assert reasons(fit(TEXT, [hunk(*lines)]))


def test_blocks_of_one_name_have_to_be_told_apart() -> None:
    text = TEXT.replace("class Two:", "class One:").replace('"two"', '"one"')
    (reason,) = reasons(fit(text, [hunk(" class One:", "-        x = 1", "+        x = 2")]))
    assert "matches at lines 6 and 15" in reason
