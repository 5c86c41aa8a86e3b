"""What a partner is told of another form of patches."""

from __future__ import annotations

import pytest

from agent_core.conversation import AssistantItem, Item, UserItem
from agent_core.patch.read import read_patch
from agent_core.prompt.forms import Meant, blocks_note, fits_whole, form_in, meant_by, note, whole_note

FILES = {"a.py": b"def f():\n    return 1\n\n\ndef g():\n    return 2\n", "b.py": b"x = 1\n", "bin": b"\0"}
PATCH = (
    "*** Begin Patch\n*** Update File: b.py\n@@\n-x = 1\n+x = 2\n*** Update File: a.py\n@@\n"
    "     def f():\n-       return one\n+       return 10\n*** End Patch\n"
)


def test_the_file_that_failed_is_meant() -> None:
    assert meant_by(PATCH).path == "b.py"
    assert meant_by(PATCH, ["a.py, hunk 1 (line 6 of the patch): its lines are not in the file."]).path == "a.py"
    assert meant_by("no patch") == Meant()


def test_a_block_is_shown_with_the_files_own_lines() -> None:
    meant = meant_by(PATCH, ["a.py, hunk 1: no"])
    told = blocks_note(meant, FILES.get)
    assert "a.py\n<<<<<<< SEARCH\ndef f():\n    return 1\n=======\n" in told
    assert read_patch(told.partition("]\n\n")[2].partition("\n[Between")[0]).format == "blocks"


@pytest.mark.parametrize(
    ("meant", "shown"),
    [
        (Meant("a.py", ("nothing alike",), ("y",)), "def f():\n    return 1\n"),
        (Meant("a.py"), "def f():\n    return 1\n"),
        (Meant("a.py", (), ("    return 22",)), "def g():\n    return 2\n"),
        (Meant("b.py", ("a = b",) * 20, ("c",)), "x = 1\n"),
    ],
)
def test_a_file_that_is_known_is_the_example_of_what_is_not(meant: Meant, shown: str) -> None:
    told = blocks_note(meant, FILES.get)
    assert f"{meant.path}\n<<<<<<< SEARCH\n{shown}=======\n{shown}>>>>>>> REPLACE\n" in told
    assert "greet.py" not in told
    assert form_in([UserItem(told)]) == "blocks"


@pytest.mark.parametrize("meant", [Meant(), Meant("bin", ("x",), ("y",)), Meant("c.py")])
def test_what_is_not_known_is_shown_on_an_example(meant: Meant) -> None:
    assert "greet.py\n<<<<<<< SEARCH" in blocks_note(meant, FILES.get)


def test_a_whole_file_is_shown_as_it_is() -> None:
    told = whole_note("a.py", FILES.get)
    assert "This is a.py as it is now:]\n\na.py\n```\ndef f():" in told
    assert "greet.py" in whole_note("", FILES.get)
    assert fits_whole("a.py", FILES.get, 100)
    assert not fits_whole("a.py", FILES.get, 3)


def test_the_form_is_the_one_told_last() -> None:
    items: list[Item] = [UserItem("Mend it."), AssistantItem("[From now on send whole files: in your answer")]
    assert form_in(items) is None
    items.append(UserItem(note("blocks", Meant(), FILES.get)))
    assert form_in(items) == "blocks"
    items.append(UserItem(f"A task.\n\n{note('whole', Meant(), FILES.get)}"))
    assert form_in(items) == "whole"
    items.append(UserItem(note("envelope", Meant(), FILES.get)))
    assert form_in(items) == "envelope"
