"""From a text before and after to the edits between them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent_core.repair.beyond.syntax import edits_between
from agent_core.repair.model import Edit, with_edits

_TEXTS = st.lists(st.sampled_from(["a\n", "b\n", "ab\r\n", "\n", "a = 'é'\n", "x\x0cy\n", "b"]), max_size=9).map(
    "".join
)


@given(_TEXTS, _TEXTS)
def test_one_text_becomes_the_other(before: str, after: str) -> None:
    edits = edits_between("a.py", before, after)
    assert with_edits(before, edits) == after
    assert bool(edits) == (before != after)


def test_what_stays_is_in_no_edit() -> None:
    between = "".join(f"x{number} = 1\n\n" for number in range(2_000))
    before, after = f"import os\n{between}y = 1\n", f"import sys\n{between}y = 12\n"
    end = len(before) - 1
    assert edits_between("a.py", before, after) == (Edit("a.py", 7, 8, "sy"), Edit("a.py", end, end, "2"))
