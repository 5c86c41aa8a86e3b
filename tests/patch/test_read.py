"""Patches as good models write them come back as they were meant, in each format and whatever is around them."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agent_core.errors import PatchRefusedError
from agent_core.patch.find import find_patches
from agent_core.patch.formats import Format
from agent_core.patch.operations import AddFile, DeleteFile, Hunk, Operation, UpdateFile
from agent_core.patch.read import read_patch
from tests.patch.test_scan import BLOCK, ENVELOPE, FRAGMENTS, GIT
from tests.support.counting import count_lines
from tests.support.patch_writers import CannotSayError, FileEdit, write_blocks, write_envelope, write_unified

Writer = Callable[[Iterable[FileEdit]], str]
WRITERS: dict[Format, Writer] = {"envelope": write_envelope, "blocks": write_blocks, "unified": write_unified}

# Lines that are easily taken for something else, in every format.
LINES = st.one_of(
    st.sampled_from(
        ["", " ", "a", "b", "c", "  a", "\ta", "é\u2028é", "def f():", "    ...", "a.py", "-", "--", "-- ", "2.39.1"]
    ),
    st.sampled_from(["-", "--", "-- ", "2.39.1", "\\ No newline at end of file"]),
    st.sampled_from(["- a", "+ a", "-- a", "++ b", "--- a/x", "+++ b/x", "@@", "@@ -1 +1 @@", "diff --git a/x b/x"]),
    st.sampled_from(["*** Begin Patch", "*** Update File: x", "*** End Patch", " *** End Patch", "*** End of File"]),
    st.sampled_from(["<<<<<<< SEARCH", ">>>>>>> REPLACE", "<<<<<<< HEAD", ">>>>>>> main", "=======", "====="]),
    st.sampled_from(["```", "```py", "~~~", "EOF", "rename from a", "index 1..2"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\0"), max_size=8),
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    lines = draw(st.lists(LINES, max_size=14))
    ended = draw(st.booleans())
    return "\n".join(lines) + ("\n" if lines and ended else "")


@st.composite
def edits(draw: st.DrawFn) -> list[FileEdit]:
    found = []
    for path in draw(st.lists(st.sampled_from(["a.py", "src/b.txt", "Makefile", "d e.md"]), unique=True, min_size=1)):
        before, after = draw(st.one_of(st.none(), texts())), draw(st.one_of(st.none(), texts()))
        if before is None and after is None:
            before = "x\n"
        if before is not None and after is not None:
            # A changed copy, so that there is context.
            lines = before.split("\n")
            at = draw(st.integers(0, len(lines)))
            after = "\n".join([*lines[:at], *draw(st.lists(LINES, max_size=3)), *lines[at + draw(st.integers(0, 2)) :]])
            assume(after != before)
        found.append(FileEdit(path, before, after))
    return found


def sides(hunk: Hunk) -> tuple[list[str], list[str]]:
    old = [line.text for line in hunk.lines if line.sign != "+"]
    return old, [line.text for line in hunk.lines if line.sign != "-"]


def occurs(lines: list[str], part: list[str]) -> int:
    return sum(lines[at : at + len(part)] == part for at in range(len(lines) - len(part) + 1))


def text_lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def replay(edit: FileEdit, operation: UpdateFile) -> list[str]:
    """The file's lines with the hunks in it; every one has exactly one place."""
    assert edit.before is not None
    lines = text_lines(edit.before)
    for hunk in operation.hunks:
        old, new = sides(hunk)
        if hunk.old_start is not None:
            continue
        if not old:
            assert not lines
            lines = new
            continue
        assert occurs(lines, old) == 1, (lines, old)
        at = next(at for at in range(len(lines)) if lines[at : at + len(old)] == old)
        lines[at : at + len(old)] = new
    for hunk in reversed(operation.hunks):
        if hunk.old_start is not None:
            old, new = sides(hunk)
            assert lines[hunk.old_start - 1 : hunk.old_start - 1 + len(old)] == old
            lines[hunk.old_start - 1 : hunk.old_start - 1 + len(old)] = new
    return lines


def check(edit: FileEdit, operation: Operation, form: Format) -> None:
    assert operation.path == edit.path
    if edit.before is None:
        assert isinstance(operation, AddFile)
        exact = form != "blocks" or not edit.after or edit.after.endswith("\n")
        assert operation.text == (edit.after if exact else f"{edit.after}\n")
    elif edit.after is None:
        assert isinstance(operation, DeleteFile)
        if operation.lines is not None:
            assert [line.text for line in operation.lines] == text_lines(edit.before)
    else:
        assert isinstance(operation, UpdateFile)
        assert replay(edit, operation) == text_lines(edit.after)


@settings(max_examples=150)
@given(edits(), st.sampled_from(sorted(WRITERS)))
def test_what_is_written_is_what_is_read(changes: list[FileEdit], form: Format) -> None:
    if form == "blocks":
        # What is elided and what ends where the markers do cannot be told by this format.
        changes = [
            edit
            for edit in changes
            if "SEARCH" not in f"{edit}" and "REPLACE" not in f"{edit}" and "..." not in f"{edit}"
        ]
    text = ""
    with contextlib.suppress(CannotSayError):
        text = WRITERS[form](changes)
    assume(changes and text)
    reading = read_patch(text)
    assert reading.format == form
    by_path = {operation.path: operation for operation in reading.operations}
    assert len(by_path) == len(reading.operations) == len(changes)
    for edit in changes:
        check(edit, by_path[edit.path], form)
    assert read_patch(text, form) == reading
    # In prose and in a fence that is longer than any inside it is the same patch.
    for whole in (f"I change this:\n\n{text}\n", f"See:\n\n`````diff\n{text}`````\n\nDone, all of it.\n"):
        assert [unnumbered(one) for one in read_patch(whole).operations] == [
            unnumbered(one) for one in reading.operations
        ]
    spans = find_patches(f"Look\n\n{text}")
    again = [operation for span in spans for operation in read_patch(span.patch).operations]
    assert [unnumbered(one) for one in again] == [unnumbered(one) for one in reading.operations]


def unnumbered(operation: Operation) -> object:
    hunks = operation.hunks if isinstance(operation, UpdateFile) else ()
    return type(operation), operation.path, [(hunk.lines, hunk.anchors, hunk.old_start) for hunk in hunks]


def test_patches_of_several_formats_are_one() -> None:
    reading = read_patch(f"{ENVELOPE}\nand\n\nb.py\n{BLOCK}\nand\n\n{GIT}")
    assert [operation.path for operation in reading.operations] == ["a.py", "b.py", "a.py"]
    assert reading.format == "envelope"
    assert reading.notes == ("It mixes formats: envelope, blocks, unified.",)


def test_a_format_asked_for_is_the_only_one_read() -> None:
    text = f"{ENVELOPE}\nb.py\n{BLOCK}\n{GIT}"
    for form, path in (("envelope", "a.py"), ("blocks", "b.py"), ("unified", "a.py")):
        reading = read_patch(text, form)  # type: ignore[arg-type]  # the loop's strings are formats
        assert (reading.format, [one.path for one in reading.operations]) == (form, [path])
    with pytest.raises(PatchRefusedError, match="format asked for"):
        read_patch(ENVELOPE, "blocks")


@pytest.mark.parametrize("text", ["", "\n\n", "I would change a.py.", "x = 1\n"])
def test_what_is_no_patch_is_told_every_format(text: str) -> None:
    with pytest.raises(PatchRefusedError) as caught:
        read_patch(text)
    said = str(caught.value)
    assert "Write '*** Begin Patch'" in said
    assert "SEARCH/REPLACE blocks below a file's path and unified diffs" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{ENVELOPE}And:\n*** Update File: b.py\nx\n", "stands outside of the patch"),
        (f"{ENVELOPE}-x\n+y\n*** End Patch\n", "ends a patch that has no beginning"),
        (
            "```\n*** Begin Patch\n*** Update File: a.md\n@@\n-x\n```\n+y\n*** End Patch\n```\n",
            "'```', begins with neither",
        ),
        (f"{ENVELOPE}\n{BLOCK}", "begins a block without a path"),
        (f"{GIT}three\n-four\n+five\n", "looks like a line of the hunk above"),
    ],
)
def test_no_part_of_a_patch_is_passed_over(text: str, said: str) -> None:
    with pytest.raises(PatchRefusedError) as caught:
        read_patch(text)
    assert said in str(caught.value)


@settings(max_examples=300)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=30) | st.lists(LINES, max_size=30))
def test_any_text_is_read_or_refused(lines: list[str]) -> None:
    text = "\n".join(lines)
    spans = find_patches(text)
    assert all(first.end <= second.start for first, second in itertools.pairwise(spans))
    with contextlib.suppress(PatchRefusedError):
        assert read_patch(text).operations


LONG = [
    *["a", " ", "`", "<", "\n", "\r\n", "a/", " a", "\\", '"\\', "apply_patch <<", "diff --git a a a", "file: "],
    *["a.py\n", "```\n", "``` \n", "=======\n", "...\n", "-a\n", "<<EOF\n", "@@ -1 +1 @@\n", "<<<<<<< SEARCH\n"],
    *[
        "*** Begin Patch\n",
        "*** Update File: a\n",
        " *** End Patch\n",
        "--- a\n",
        "--- a\n+++ a\n",
        "--- a\n+++ a\n@@\n",
    ],
    *["diff --git a/a b/a\n", "a.py\n<<<<<<< SEARCH\n=======\n", ENVELOPE, BLOCK, f"a.py\n{BLOCK}", GIT],
]
# What can make a patch long that has begun.
INSIDE = ["\n", "=======\n", "```\n", " *** End Patch\n", "--- a\n+++ a\n@@\n", "<<<<<<< SEARCH\n"]
STARTS = [
    "",
    "*** Begin Patch\n*** Update File: a\n@@\n",
    "a.py\n<<<<<<< SEARCH\n",
    "--- a\n+++ a\n@@ -1 +1 @@\n",
    "diff --git ",
]


@pytest.mark.parametrize("start", STARTS, ids=["", "envelope", "block", "diff", "git"])
def test_long_texts_take_no_more_than_their_length(start: str) -> None:
    def work(text: str) -> int:
        def read() -> None:
            find_patches(text)
            with contextlib.suppress(PatchRefusedError):
                read_patch(text)

        return count_lines(read)[1]

    for unit in INSIDE if start else LONG:
        some, twice = (work(start + unit * (size // len(unit))) for size in (1_000, 2_000))
        assert twice < 2.2 * some + 500, (start, unit)
