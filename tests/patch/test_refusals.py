"""What a refusal says, when a patch counts as applied already, and the limits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agent_core.errors import PatchRefusedError
from agent_core.patch import limits
from agent_core.patch.apply import apply_operations
from agent_core.patch.limits import MAX_BYTES
from agent_core.patch.operations import AddFile, DeleteFile, Hunk, HunkLine, UpdateFile
from agent_core.workspace.tree import FileChange
from tests.patch.envelopes import applied, apply, envelope

PROJECT = Path("/nonexistent/project")
EMPTY: dict[str, FileChange] = {}


def refused(files: Mapping[str, bytes], *sections: list[str]) -> PatchRefusedError:
    with pytest.raises(PatchRefusedError) as caught:
        apply(PROJECT, files, envelope(*sections))
    return caught.value


FILES = {"a.py": b"one\ntwo\nthree\n", "b.py": b"x\n"}


def test_the_parts_are_in_the_error_too() -> None:
    error = refused(
        FILES,
        ["*** Update File: a.py", "@@", "-one", "+1", "@@", "-zwei", "+2"],
        ["*** Delete File: c.py"],
        ["*** Update File: b.py", "@@", "-x", "+y"],
        ["*** Add File: new.py", "+x"],
    )
    assert [failure.partition(": ")[0] for failure in error.failures] == [
        "a.py, hunk 2 (line 6 of the patch)",
        "c.py (line 9 of the patch)",
    ]
    assert error.fine == ("a.py, hunk 1", "b.py, hunk 1", "new.py")
    assert all(failure in str(error) for failure in error.failures)
    assert not error.already


def test_parts_of_a_file_that_cannot_be_are_not_fine() -> None:
    error = refused({"a": b"1\n", "b": b"2\n"}, ["*** Update File: a", "*** Move to: b/a", "@@", "-1", "+2"])
    assert error.failures == ("b/a: b is a file, not a folder.",)
    assert error.fine == ()
    latin = {"f": b"# coding: latin-1\n\xe9\n"}
    error = refused(latin, ["*** Update File: f", "@@", " # coding: latin-1", "+\u2192"])
    assert error.fine == ()
    assert "f (line 2 of the patch): is in ISO-8859-1, which has no '\u2192' (U+2192); line 2" in str(error)


def test_a_refusal_of_many_parts_stays_readable() -> None:
    data = b"".join(b"line %d of the file\n" % n for n in range(400))
    hunks = [text for n in range(200) for text in ("@@", f"-line {n} of the fiel", f"+{'long ' * 30}{n}")]
    error = refused({"f": data}, ["*** Update File: f", *hunks])
    assert len(error.failures) == 200
    said = str(error)
    assert len(said) < 25_000
    assert "200 parts of it failed" in said
    assert "and 140 more." in said
    # Some hunks have the same closest place, and so one reason.
    assert error.failures[0].partition(": ")[2].splitlines()[0] in said
    assert "f, hunk 60 (line 180 of the patch)" in said


ALREADY = {
    "a hunk": [["*** Update File: a.py", "@@", " one", "-zwei", "+two", " three"]],
    "two hunks": [["*** Update File: a.py", "@@", "-uno", "+one", " two", "@@", "-tres", "+three"]],
    "a new file": [["*** Add File: b.py", "+x"]],
    "a new file and a hunk": [["*** Add File: b.py", "+x"], ["*** Update File: a.py", "@@", "-uno", "+one"]],
    "a new file and a deleted one": [["*** Add File: b.py", "+x"], ["*** Delete File: nothing.like.it"]],
    "a moved file": [["*** Update File: old/a.py", "*** Move to: a.py", "@@", " one", "-zwei", "+two", " three"]],
    "nothing": [["*** Update File: a.py", "@@", " one", "-two", "+two"]],
}


@pytest.mark.parametrize("sections", ALREADY.values(), ids=ALREADY.keys())
def test_a_patch_that_is_applied_already(sections: list[list[str]]) -> None:
    error = refused(FILES, *sections)
    assert error.already
    assert "already" in str(error)


NOT_ALREADY = {
    "one hunk of two": [["*** Update File: a.py", "@@", "-uno", "+one", "@@", "-three", "+3"]],
    "one hunk of two nowhere": [["*** Update File: a.py", "@@", "-uno", "+one", "@@", "-nowhere", "+3"]],
    "another file": [["*** Add File: b.py", "+x"], ["*** Add File: a.py", "+x"]],
    "a change besides": [["*** Update File: a.py", "@@", "-uno", "+one"], ["*** Update File: b.py", "@@", "-x", "+y"]],
    "a misspelt name": [["*** Add File: b.py", "+x"], ["*** Delete File: a.pyy"]],
    "nothing but a missing file": [["*** Delete File: nothing.like.it"]],
    "a move without changes": [["*** Update File: old/a.py", "*** Move to: a.py"]],
    "a moved file with other text": [["*** Update File: old/a.py", "*** Move to: a.py", "@@", "-zwei", "+nowhere"]],
}


@pytest.mark.parametrize("sections", NOT_ALREADY.values(), ids=NOT_ALREADY.keys())
def test_a_patch_that_is_not_applied_already(sections: list[list[str]]) -> None:
    assert not refused(FILES, *sections).already


def test_the_size_of_files_and_patches_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    large = b"x" * MAX_BYTES + b"\na\n"
    assert "f (line 2 of the patch): is larger than 8 MB" in str(
        refused({"f": large}, ["*** Update File: f", "@@", "-a", "+b"])
    )
    full = b"x" * (MAX_BYTES - 2) + b"\na"
    assert "is larger than 8 MB" in str(refused({"f": full}, ["*** Update File: f", "@@", "-a", "+bcd"]))
    assert "is larger than 8 MB" in str(refused({}, ["*** Add File: f", f"+{'x' * MAX_BYTES}"]))
    # A name and a place need no look into the content.
    assert applied(PROJECT, {"f": large}, envelope(["*** Update File: f", "*** Move to: g"])) == {"f": None, "g": large}
    monkeypatch.setattr(limits, "MAX_PATCH", 1_000_000)
    lines = tuple(HunkLine("-", "x" * 100) for _ in range(4_000))
    operations = (
        AddFile("a", "x" * 400_000),
        DeleteFile("b", lines=lines),
        UpdateFile("c", None, (Hunk(lines, 1),)),
    )
    with pytest.raises(PatchRefusedError, match="The patch is larger than 1 MB"):
        apply_operations(operations, EMPTY.get, frozenset(), PROJECT)


ENCODED = {
    "latin-1": (b"# coding: latin-1\n\xe9\nb\n", ["@@", " \u00e9", "-b", "+\u00fc"],
        b"# coding: latin-1\n\xe9\n\xfc\n"),
    "shift_jis": ("# coding: shift_jis\n\u8868\nb\n".encode("shift_jis"), ["@@", " \u8868", "-b", "+\u4e88"],
        "# coding: shift_jis\n\u8868\n\u4e88\n".encode("shift_jis")),
    "utf-16": ("\ufeffa\nb\n".encode("utf-16-le"), ["@@", "-a", "+\u0a4e"], "\ufeff\u0a4e\nb\n".encode("utf-16-le")),
    "utf-16 with CRLF": ("\ufeffa\r\nb\r\n".encode("utf-16-be"), ["@@", " a", "+x", " b"],
        "\ufeffa\r\nx\r\nb\r\n".encode("utf-16-be")),
    "utf-32": ("\ufeffa\nb".encode("utf-32-le"), ["@@", "-b", "+c"], "\ufeffa\nc".encode("utf-32-le")),
    "a byte order mark and no more": (b"\xef\xbb\xbf", ["@@", "+a"], b"\xef\xbb\xbfa\n"),
    "a wide mark and no more": (b"\xff\xfe", ["@@", "+a"], "\ufeffa\n".encode("utf-16-le")),
    "marked file emptied": ("\ufeffa\n".encode("utf-16-le"), ["@@", "-a"], b"\xff\xfe"),
    "a file separator and others": (b"a\x1cb\xc2\x85\n\xe2\x80\xa8c\x0c\nx\n", ["@@", "-x", "+y"],
        b"a\x1cb\xc2\x85\n\xe2\x80\xa8c\x0c\ny\n"),
    "a lone carriage return": (b"a\rb\nx\n", ["@@", "-x", "+y"], b"a\rb\ny\n"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "hunk", "after"), ENCODED.values(), ids=ENCODED.keys())
def test_a_patch_is_written_in_the_files_encoding(before: bytes, hunk: list[str], after: bytes) -> None:
    assert applied(PROJECT, {"f": before}, envelope(["*** Update File: f", *hunk])) == {"f": after}


def test_new_files() -> None:
    assert applied(PROJECT, {}, envelope(["*** Add File: f", "+# coding: latin-1", "+\u00e9"])) == {
        "f": b"# coding: latin-1\n\xe9\n"
    }
    with pytest.raises(PatchRefusedError, match=r"f: would get a NUL character in line 2"):
        apply_operations([AddFile("f", "a\n\0")], EMPTY.get, frozenset(), PROJECT)
    with pytest.raises(PatchRefusedError, match=r"f: is in UTF-8, which has no U\+D800; line 1"):
        apply_operations([AddFile("f", "\ud800")], EMPTY.get, frozenset(), PROJECT)


TEXT = st.lists(st.sampled_from(["a", "b", "", " c", "\u00e9"]), min_size=1, max_size=12)


@settings(max_examples=200)
@given(lines=TEXT, codec=st.sampled_from(["utf-8", "utf-16-le", "utf-32-be"]), ending=st.sampled_from(["\n", "\r\n"]),
       at=st.integers(0, 11), bare=st.booleans())  # fmt: skip
def test_every_encoding_is_patched_like_plain_text(
    lines: list[str], codec: str, ending: str, at: int, bare: bool
) -> None:
    # An empty last line without an ending is none.
    assume(not bare or lines[-1] != "")
    at = min(at, len(lines) - 1)
    old = "\ufeff" + ending.join(lines) + ending * (not bare)
    new = [*lines[:at], "NEW", *lines[at + 1 :]]
    hunk = [f" {line}" for line in lines]
    hunk[at : at + 1] = [f"-{lines[at]}", "+NEW"]
    files = {"f": FileChange(old.encode(codec))}
    found = apply(PROJECT, files, envelope(["*** Update File: f", "@@", *hunk])).changes["f"].data
    assert found == ("\ufeff" + ending.join(new) + ending * (not bare)).encode(codec)


def test_a_line_that_has_lost_its_sign_is_context_where_it_stands_in_the_file_and_nothing_else() -> None:
    files = {"a.py": b"import os\n\n@cache\ndef f():\n    x = 1\n    y = 2\n    return x\n"}
    lines = ["@cache", "def f():", "     x = 1", "-    y = 2", "+    y = 3", "     return x"]

    def made(*changed: str) -> str:
        return envelope(["*** Update File: a.py", "@@", *changed])

    assert applied(PROJECT, files, made(*lines)) == {"a.py": files["a.py"].replace(b"y = 2", b"y = 3")}
    # Beside a line like this what is merely similar does not count: it may be a new line.
    lost = [*lines[:5], "z = x", *lines[5:]]
    with pytest.raises(PatchRefusedError, match=r"Line 4 of the patch, which begins with neither .* The closest"):
        applied(PROJECT, files, made(*lost))


def test_new_lines_beside_context_that_has_lost_its_sign_are_indented_as_they_are_meant() -> None:
    text = b"@cache\ndef f():\n    x = 1\n    return x\n"
    hunk = ["@cache", "def f():", "    x = 1", "+    if x:", "+        x = 2", "    return x"]
    made = applied(PROJECT, {"a.py": text}, envelope(["*** Update File: a.py", "@@", *hunk]))
    assert made == {"a.py": text.replace(b"x = 1\n", b"x = 1\n    if x:\n        x = 2\n")}


def test_a_line_that_is_changed_where_it_should_be_marked_is_named() -> None:
    files = {"a.py": b"class A:\n    def send(self):\n        go(self)\n"}
    hunk = [" class A:", "-    def send(self):", "+    def send(self, word):", "         leave(word)"]
    said = str(refused(files, ["*** Update File: a.py", "@@", *hunk]))
    assert "The line 'leave(word)' is nowhere in the file. If it is to come, write the file's line with '-'" in said
    # Where more is wrong than that the closest place has to do.
    assert "is nowhere" not in str(refused(files, ["*** Update File: a.py", "@@", *hunk, "         b()"]))
