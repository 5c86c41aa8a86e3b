"""SEARCH/REPLACE blocks as models write them."""

from __future__ import annotations

import contextlib
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_core.errors import PatchRefusedError
from agent_core.patch.operations import AddFile, Hunk, Operation, UpdateFile
from agent_core.patch.read import read_patch

BLOCK = "<<<<<<< SEARCH\n    one\n    two\n=======\n    one\n    2\n>>>>>>> REPLACE\n"


def signed(hunk: Hunk) -> list[str]:
    return [line.sign + line.text for line in hunk.lines]


def read(text: str) -> tuple[Operation, ...]:
    reading = read_patch(text)
    assert reading.format == "blocks"
    return reading.operations


def update(text: str) -> UpdateFile:
    (operation,) = read(text)
    assert isinstance(operation, UpdateFile)
    assert not operation.ordered
    return operation


def refusal(text: str) -> str:
    with pytest.raises(PatchRefusedError) as caught:
        read_patch(text)
    return str(caught.value)


def block(search: str, replace: str, marks: int = 7) -> str:
    return f"a.py\n{'<' * marks} SEARCH\n{search}{'=' * marks}\n{replace}{'>' * marks} REPLACE\n"


SHAPES = {
    "plain": f"src/a.py\n{BLOCK}",
    "path before the fence": f"src/a.py\n```python\n{BLOCK}```\n",
    "path in the fence": f"```python\nsrc/a.py\n{BLOCK}```\n",
    "path in a fence of its own": f"```python\nsrc/a.py\n```\n```python\n{BLOCK}```\n",
    "path behind the fence": f"```python:src/a.py\n{BLOCK}```\n",
    "path as the fence's title": f'```python title="src/a.py"\n{BLOCK}```\n',
    "backticks": f"`src/a.py`\n```\n{BLOCK}```\n",
    "bold with a colon": f"**src/a.py**:\n```\n{BLOCK}```\n",
    "bold label": f"**File:** `src/a.py`\n\n```python\n{BLOCK}```\n",
    "heading": f"### src/a.py\n\n````python\n{BLOCK}````\n",
    "comment": f"```python\n# src/a.py\n{BLOCK}```\n",
    "slashes": f"~~~js\n// src/a.py\n{BLOCK}~~~\n",
    "list item": f"1. `src/a.py`:\n```python\n{BLOCK}```\n",
    "label": f"File: src/a.py\n```\n{BLOCK}```\n",
    "prose": f"I change b.py no more, see below.\n\nsrc/a.py\n```python\n{BLOCK}```\n\nThat is all for c.py.\n",
    "crlf": f"src/a.py\n```python\n{BLOCK}```\n".replace("\n", "\r\n"),
    "indented": textwrap.indent(f"src/a.py\n```python\n{BLOCK}```\n", "   "),
    "markers of other lengths": f"src/a.py\n{BLOCK}".replace("<<<<<<<", "<<<<<").replace("=======", "========="),
    "no last marker in a fence": f"src/a.py\n```python\n{BLOCK}```\nDone.\n".replace(">>>>>>> REPLACE\n", ""),
    "no newline at the end": f"src/a.py\n{BLOCK}".removesuffix("\n"),
    "fence right after a listing": f"```\nx\n```\nsrc/a.py\n```python\n{BLOCK}```\n",
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES.keys())
def test_the_path_and_the_fence_may_be_written_in_many_ways(text: str) -> None:
    operation = update(text)
    assert operation.path == "src/a.py"
    assert [signed(hunk) for hunk in operation.hunks] == [["     one", "-    two", "+    2"]]


def test_a_path_with_underscores_blanks_or_no_extension() -> None:
    assert update(f"pkg/\\_\\_init\\_\\_.py\n{BLOCK}").path == "pkg/__init__.py"
    assert update(f"`my file.py`\n{BLOCK}").path == "my file.py"
    assert update(f"Makefile\n```\n{BLOCK}```\n").path == "Makefile"
    assert update(f"```\nmyscript\n{BLOCK}```\n").path == "myscript"
    assert update(f".gitignore\n```\n{BLOCK}```\n").path == ".gitignore"


def test_a_path_said_once_counts_for_what_follows() -> None:
    operation = update(f"a.py\n```\n{BLOCK}```\n\nAnd further down:\n\n```\n{BLOCK}\n{BLOCK}```\n")
    assert (operation.path, len(operation.hunks)) == ("a.py", 3)


def test_blocks_of_one_file_that_follow_each_other_are_one_operation() -> None:
    found = read(f"a.py\n{BLOCK}\na.py\n{BLOCK}\nb.py\n{BLOCK}\na.py\n{BLOCK}")
    assert [operation.path for operation in found] == ["a.py", "b.py", "a.py"]
    assert [len(operation.hunks) for operation in found if isinstance(operation, UpdateFile)] == [2, 1, 1]


def test_another_file_is_never_changed_for_the_one_spoken_of() -> None:
    said = refusal(f"a.py\n```\n{BLOCK}```\nNow the same for `b.py`, where it also matters:\n```\n{BLOCK}```\n")
    assert "begins a block without a path" in said
    assert "Line 13 of the patch" in said
    # The file itself may be spoken of, as may what is no file.
    assert len(update(f"src/a.py\n```\n{BLOCK}```\nAlso in a.py, e.g. for x.y:\n```\n{BLOCK}```\n").hunks) == 2


@pytest.mark.parametrize(
    "before", ["Change this:\n", "Result:\n```\n", "The new code\n```\n", "see a.py for that\n", "", "foo(bar)\n"]
)
def test_a_block_without_a_path_is_refused(before: str) -> None:
    assert "Write the file's path, relative to the project, alone on the line above it" in refusal(before + BLOCK)


def test_a_new_file_and_lines_that_go() -> None:
    assert read(block("", "one\n\ntwo\n")) == (AddFile("a.py", "one\n\ntwo\n", 2),)
    assert read(block("", "")) == (AddFile("a.py", "", 2),)
    (hunk,) = update(block("one\ntwo\n", "")).hunks
    assert signed(hunk) == ["-one", "-two"]


def test_context_stays_context() -> None:
    (hunk,) = update(block("a\nb\nc\nd\n", "a\nB\nc\nx\nd\n")).hunks
    assert signed(hunk) == [" a", "-b", "+B", " c", "+x", " d"]


def test_blank_lines_at_the_end_may_be_spacing() -> None:
    (hunk,) = update(block("a\n\n", "b\n\n")).hunks
    assert (signed(hunk), hunk.slack) == (["-a", "+b", " "], 1)


# What must not split a block, or not be split by.


def test_an_underline_shorter_than_the_markers_is_content() -> None:
    (hunk,) = update(block("Title\n=====\nold\n", "Title\n=====\nnew\n")).hunks
    assert signed(hunk) == [" Title", " =====", "-old", "+new"]


def test_an_underline_as_long_as_the_markers_is_refused_unless_they_are_made_longer() -> None:
    said = refusal(block("History\n=======\nold\n", "History\n=======\nnew\n"))
    assert "more than one line may be the divider (lines 4, 6, 8)" in said
    assert "with 9 characters" in said
    (hunk,) = update(block("History\n=======\nold\n", "History\n=======\nnew\n", 9)).hunks
    assert signed(hunk) == [" History", " =======", "-old", "+new"]


def test_a_lone_line_that_looks_like_an_underline_is_no_divider() -> None:
    assert "more than one line may be" in refusal("a.md\n<<<<<<< SEARCH\nTitle\n=====\nold\n>>>>>>> REPLACE\n")


def test_a_merge_conflict_can_be_resolved() -> None:
    (hunk,) = update(block("<<<<<<< HEAD\na\n=======\nb\n>>>>>>> main\n", "c\n")).hunks
    assert signed(hunk) == ["-<<<<<<< HEAD", "-a", "-=======", "-b", "->>>>>>> main", "+c"]


def test_a_block_may_hold_an_example_of_one_with_other_markers() -> None:
    inner = "x.py\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n"
    assert read(block("", inner, 9)) == (AddFile("a.py", inner, 2),)
    assert "ends a block that has no beginning" in refusal(block("", inner + "more\n", 7))


def test_fences_inside_are_content() -> None:
    inside = block("```sh\nold\n```\n", "```sh\nnew\n```\n").removeprefix("a.py\n")
    (hunk,) = update(f"README.md\n````\n{inside}````\n").hunks
    assert signed(hunk) == [" ```sh", "-old", "+new", " ```"]


# A last marker that is missing.


def test_no_last_marker_before_the_next_block() -> None:
    first = "<<<<<<< SEARCH\none\n=======\ntwo\n"
    (a, b) = read(f"a.py\n```\n{first}```\n\nb.py\n```\n{BLOCK}```\n")
    assert (a.path, b.path) == ("a.py", "b.py")
    assert isinstance(a, UpdateFile)
    assert signed(a.hunks[0]) == ["-one", "+two"]
    both = update(f"a.py\n```\n{first}{BLOCK}```\n")
    assert signed(both.hunks[0]) == ["-one", "+two"]


@pytest.mark.parametrize(
    "text",
    [
        "a.py\n<<<<<<< SEARCH\none\n=======\ntwo\n",
        "a.py\n```\n<<<<<<< SEARCH\none\n=======\n```sh\nx\n```\ny\n```\nDone\n",
        "a.py\n<<<<<<< SEARCH\none\n=======\ntwo\nb.py\n" + BLOCK,
        "a.py\n```\n<<<<<<< SEARCH\none\ntwo\n```\nDone\n",
    ],
)
def test_a_block_whose_end_cannot_be_told_is_refused(text: str) -> None:
    assert "Write '>>>>>>> REPLACE' after its new lines" in refusal(text)


def test_other_refusals() -> None:
    assert "without a '=======' line" in refusal("a.py\n<<<<<<< SEARCH\none\n>>>>>>> REPLACE\n")
    crowded = BLOCK.replace("SEARCH", "SEARCH b.py")
    assert "has more on it than the marker" in refusal(crowded)
    assert "has more on it than the marker" in refusal(f"a.py\n{BLOCK}\n{crowded}")
    assert "changes nothing" in refusal(block("one\n", "one\n"))
    assert "ends a block that has no beginning" in refusal(f"a.py\n{BLOCK}\n=======\nx\n>>>>>>> REPLACE\n")
    assert "begins a block without a path" in refusal(f"a.py\n{BLOCK}\nb.py is next\n{BLOCK}")


# Lines left out.


def test_elided_lines_pair_up_and_each_stretch_is_a_hunk() -> None:
    hunks = update(block("def f():\n...\n    a\n    ...\n    b\n", "def f():\n...\n    A\n    ...\n    b\n")).hunks
    assert [signed(hunk) for hunk in hunks] == [[" def f():"], ["-    a", "+    A"], ["     b"]]


def test_elisions_at_the_ends_say_nothing() -> None:
    (hunk,) = update(block("...\na\n...\n", "...\nb\n...\n")).hunks
    assert signed(hunk) == ["-a", "+b"]


def test_an_elision_without_partner_is_refused() -> None:
    assert "has no partner above it" in refusal(block("def f():\n    a\n    b\n    c\n", "def f():\n    ...\n    C\n"))
    assert "have no place" in refusal(block("a\n...\n", "a\n...\nb\n"))


def test_dots_that_are_code_stay_code() -> None:
    (hunk,) = update(block("def f():\n    ...\n", "def f():\n    return 1\n")).hunks
    assert signed(hunk) == [" def f():", "-    ...", "+    return 1"]
    (hunk,) = update(block("class P:\n    x: int\n", "class P:\n    x: int\n\n    def f(self):\n        ...\n")).hunks
    assert signed(hunk)[-1] == "+        ..."
    (hunk,) = update(block("def f():\n    ...\n\ndef g():\n    a\n", "def f():\n    ...\n\ndef g():\n    b\n")).hunks
    assert signed(hunk)[1] == "     ..."
    assert read(block("", "def f():\n    ...\n")) == (AddFile("a.py", "def f():\n    ...\n", 2),)


@given(
    st.lists(
        st.sampled_from([*BLOCK.splitlines(), "a.py", "b.py", "```", "```py", "", "...", "    ...", "x", "====="]),
        max_size=30,
    )
)
def test_any_lines_are_read_or_refused(lines: list[str]) -> None:
    with contextlib.suppress(PatchRefusedError):
        assert read_patch("\n".join(lines)).operations
