from __future__ import annotations

import contextlib
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_core.errors import PatchRefusedError
from agent_core.patch.find import find_patches
from agent_core.patch.operations import AddFile, DeleteFile, Hunk, HunkLine, Operation, UpdateFile
from agent_core.patch.read import read_patch

BODY = """\
*** Update File: a.py
@@ class A
-one
+two
"""


def parse_envelope(text: str) -> tuple[Operation, ...]:
    return read_patch(text, "envelope").operations


def find_envelope(text: str) -> str | None:
    spans = find_patches(text)
    return "".join(span.patch for span in spans) if spans else None


def lines(hunk: Hunk) -> list[str]:
    return [line.sign + line.text for line in hunk.lines]


def only_update(text: str) -> UpdateFile:
    (operation,) = parse_envelope(text)
    assert isinstance(operation, UpdateFile)
    return operation


def shape(operations: tuple[Operation, ...]) -> list[object]:
    """Operations without line numbers, which depend on what stands around the envelope."""
    found: list[object] = []
    for operation in operations:
        if isinstance(operation, UpdateFile):
            hunks = [(hunk.anchors, hunk.lines, hunk.at_end) for hunk in operation.hunks]
            found.append((operation.path, operation.move_to, hunks))
        else:
            found.append((type(operation), operation.path))
    return found


def test_every_operation() -> None:
    operations = parse_envelope(
        "*** Begin Patch\n"
        "*** Add File: new/a.txt\n+hello\n+\n+world\n"
        "*** Delete File: old.txt\n"
        "*** Update File: src/x.py\n*** Move to: src/y.py\n"
        "@@ class A\n@@     def f(self):\n one\n-two\n+three\n*** End of File\n"
        "*** End Patch\n"
    )
    assert operations[0] == AddFile("new/a.txt", "hello\n\nworld\n", 2)
    assert operations[1] == DeleteFile("old.txt", 6)
    assert operations[2] == UpdateFile(
        "src/x.py",
        "src/y.py",
        (
            Hunk(
                (HunkLine(" ", "one"), HunkLine("-", "two"), HunkLine("+", "three")),
                number=9,
                anchors=("class A", "def f(self):"),
                at_end=True,
            ),
        ),
        7,
    )


WRAPPED = {
    "plain": f"*** Begin Patch\n{BODY}*** End Patch",
    "padded markers": f" *** Begin Patch  \n{BODY}  *** End Patch \n",
    "padded header": "*** Begin Patch\n  *** Update File: a.py\n@@ class A\n-one\n+two\n*** End Patch\n",
    "other case": "*** begin patch\n*** update file: a.py\n@@ class A\n-one\n+two\n*** END PATCH\n",
    "indented": textwrap.indent(f"*** Begin Patch\n{BODY}*** End Patch\n", "    "),
    "crlf": f"*** Begin Patch\n{BODY}*** End Patch\n".replace("\n", "\r\n"),
    "here-document": f"<<'EOF'\n*** Begin Patch\n{BODY}*** End Patch\nEOF\n",
    "here-document of a command": f"apply_patch <<EOF\n*** Begin Patch\n{BODY}*** End Patch\nEOF",
    "fence": f"```diff\n*** Begin Patch\n{BODY}*** End Patch\n```\n",
    "prose": f"Here it is:\n\n*** Begin Patch\n{BODY}*** End Patch\n\nThat is all.",
    "no end": f"*** Begin Patch\n{BODY}",
    "no end in a fence": f"```\n*** Begin Patch\n{BODY}```\n",
    "no end in a here-document": f"cat <<'PATCH'\n*** Begin Patch\n{BODY}PATCH\n",
    "no begin": f"{BODY}*** End Patch\n",
    "no markers in a fence": f"```\n{BODY}```\n",
    "blank lines": f"\n\n*** Begin Patch\n\n{BODY}\n\n*** End Patch\n\n".replace("+two\n\n\n", "+two\n"),
    "file names of a unified diff": "*** Begin Patch\n*** Update File: a.py\n--- a/a.py\n+++ b/a.py\n"
    "@@ class A\n-one\n+two\n*** End Patch",
}


@pytest.mark.parametrize("text", WRAPPED.values(), ids=WRAPPED.keys())
def test_wrappers_and_markers_are_read_leniently(text: str) -> None:
    assert shape(parse_envelope(text)) == shape(parse_envelope(WRAPPED["plain"]))


def test_a_missing_first_marker_of_a_hunk() -> None:
    update = only_update("*** Begin Patch\n*** Update File: a\n one\n-two\n@@\n-three\n*** End Patch")
    assert [lines(hunk) for hunk in update.hunks] == [[" one", "-two"], ["-three"]]


def test_blank_context_without_its_blank_and_blank_spacing() -> None:
    update = only_update("*** Begin Patch\n*** Update File: a\n@@\n one\n\n-two\n\n@@\n+x\n y\n\n*** End Patch")
    first, second = update.hunks
    assert lines(first) == [" one", " ", "-two", " "]
    assert (first.slack, second.slack) == (1, 1)


def test_a_unified_header_is_a_hint_and_no_anchor() -> None:
    (hunk,) = only_update("*** Begin Patch\n*** Update File: a\n@@ -12,3 +12,4 @@ def f():\n-x\n*** End Patch").hunks
    assert (hunk.old_start, hunk.anchors) == (12, ())


def test_no_newline_marks() -> None:
    (hunk,) = only_update(
        "*** Begin Patch\n*** Update File: a\n@@\n-x\n\\ No newline at end of file\n+x\n*** End Patch"
    ).hunks
    assert hunk.lines == (HunkLine("-", "x", bare=True), HunkLine("+", "x"))
    (added,) = parse_envelope("*** Begin Patch\n*** Add File: b\n+x\n\\ No newline at end of file\n*** End Patch")
    assert added == AddFile("b", "x", 2)


def test_an_added_file_may_be_empty() -> None:
    assert parse_envelope("*** Begin Patch\n*** Add File: a/__init__.py\n*** End Patch") == (
        AddFile("a/__init__.py", "", 2),
    )


def test_a_move_needs_no_hunks() -> None:
    assert only_update("*** Begin Patch\n*** Update File: a\n*** Move to: b\n*** End Patch").move_to == "b"


def test_several_envelopes_are_one_patch() -> None:
    one = "*** Begin Patch\n*** Delete File: a\n*** End Patch\n"
    two = "*** Begin Patch\n*** Delete File: b\n*** End Patch\n"
    found = parse_envelope(f"First\n{one}and then\n{two}")
    assert [operation.path for operation in found] == ["a", "b"]


def test_markers_inside_lines_of_a_file_are_text() -> None:
    update = only_update(
        "*** Begin Patch\n*** Update File: doc.md\n@@\n *** Begin Patch\n *** Update File: x\n"
        "-*** End Patch\n+*** End Patch now\n *** End Patch\n *** Delete File: y\n*** End Patch\n"
    )
    assert lines(update.hunks[0]) == [
        " *** Begin Patch",
        " *** Update File: x",
        "-*** End Patch",
        "+*** End Patch now",
        " *** End Patch",
        " *** Delete File: y",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "This is not a patch"),
        ("I would change a.py.", "This is not a patch"),
        ("*** Begin Patch\n*** End Patch", "The patch is empty"),
        ("*** Begin Patch\nhello\n*** End Patch", "Line 2 of the patch, 'hello', is not a file header"),
        (
            "*** Begin Patch\n*** Update File:\n@@\n-x\n*** End Patch",
            "Line 2 of the patch, '*** Update File:', names no file",
        ),
        (
            "*** Begin Patch\n*** Update File: a\n*** End Patch",
            "Line 2 of the patch, '*** Update File: a', has no hunks",
        ),
        (
            "*** Begin Patch\n*** Update File: a\n@@\n x\n*** End Patch",
            "Line 3 of the patch, '@@', begins a hunk that changes",
        ),
        (
            "*** Begin Patch\n*** Update File: a\n@@\n-x\n=======\n*** End Patch",
            "Line 5 of the patch, '=======', begins with neither",
        ),
        ("*** Begin Patch\n*** Update File: a\n@@\n-x\n*** Foo: b\n*** End Patch", "is no marker"),
        ("*** Begin Patch\n*** Update File: a\n@@\n-x\n*** Move to: b\n*** End Patch", "must come directly after"),
        (
            "*** Begin Patch\n*** Add File: a\nfoo\n*** End Patch",
            "Line 3 of the patch, 'foo', stands in a new file without",
        ),
        ("*** Begin Patch\n*** Delete File: a\n-x\n*** End Patch", "Line 3 of the patch, '-x', is not a file header"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(PatchRefusedError) as caught:
        parse_envelope(text)
    assert said in str(caught.value)


def test_finding_an_envelope_in_prose() -> None:
    assert find_envelope("No patch here, only the words *** Begin Patch in a line.") is None
    assert find_envelope("*** Begin Patch\nlater") is None
    found = find_envelope(f"Look:\n```\n*** Begin Patch\n{BODY}*** End Patch\n```\nDone.")
    assert found == f"*** Begin Patch\n{BODY}*** End Patch\n"


@given(st.text(alphabet="*@+- \n\\abBeginPatchUpdateFile:", max_size=200))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for whole in (text, f"*** Begin Patch\n*** Update File: a\n{text}", f"*** Begin Patch\n*** Add File: a\n{text}"):
        with contextlib.suppress(PatchRefusedError):
            operations = parse_envelope(whole)
            assert operations
            assert shape(parse_envelope(find_envelope(whole) or whole)) == shape(operations)
