from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agent_core.errors import PatchRefusedError
from agent_core.patch.apply import apply_operations
from agent_core.patch.diff import make_blocks, split_lines
from agent_core.patch.encoding import decode
from agent_core.patch.limits import MAX_BYTES
from agent_core.patch.operations import Hunk, HunkLine, Sign, UpdateFile
from agent_core.workspace.tree import FileChange
from tests.patch.envelopes import applied, apply, envelope, update_section
from tests.support.patch_writers import signed

PROJECT = Path("/nonexistent/project")
_SIGNS: dict[str, Sign] = {" ": " ", "-": "-", "+": "+"}


def update(path: str, *lines: str) -> str:
    return envelope([f"*** Update File: {path}", *lines])


def refusal(files: dict[str, bytes], text: str, root: Path = PROJECT) -> str:
    with pytest.raises(PatchRefusedError) as caught:
        apply(root, files, text)
    return str(caught.value)


def test_add_update_delete_and_move_together() -> None:
    files = {"a.py": b"one\ntwo\n", "b.py": b"gone\n", "c.py": b"old\n"}
    result = apply(
        PROJECT,
        files,
        envelope(
            ["*** Update File: a.py", "@@", " one", "-two", "+TWO"],
            ["*** Delete File: b.py"],
            ["*** Update File: c.py", "*** Move to: d/c.py", "@@", "-old", "+new"],
            ["*** Add File: ./e.py", "+hello"],
        ),
    )
    assert {path: change.data for path, change in result.changes.items()} == {
        "a.py": b"one\nTWO\n",
        "b.py": None,
        "c.py": None,
        "d/c.py": b"new\n",
        "e.py": b"hello\n",
    }
    assert result.moves == {"d/c.py": "c.py"}


def test_later_operations_see_earlier_ones() -> None:
    files = {"a": b"one\ntwo\n", "b": b"x\n"}
    text = envelope(
        ["*** Update File: a", "@@", "-one", "+1"],
        ["*** Update File: a", "@@", " 1", "-two", "+2"],
        ["*** Delete File: b"],
        ["*** Add File: b", "+y"],
    )
    assert applied(PROJECT, files, text) == {"a": b"1\n2\n", "b": b"y\n"}


def test_a_chain_of_moves_is_one_move_and_a_refilled_place_is_none() -> None:
    chain = envelope(
        ["*** Update File: a", "*** Move to: b"],
        ["*** Update File: b", "*** Move to: c"],
    )
    assert apply(PROJECT, {"a": b"x\n"}, chain).moves == {"c": "a"}
    refilled = envelope(["*** Update File: a", "*** Move to: b"], ["*** Add File: a", "+new"])
    result = apply(PROJECT, {"a": b"x\n"}, refilled)
    assert result.moves == {}
    assert {path: change.data for path, change in result.changes.items()} == {"a": b"new\n", "b": b"x\n"}


def test_modes_are_kept() -> None:
    files = {"run.sh": FileChange(b"a\n", 0o100755), "go.sh": FileChange(b"a\n", 0o100755)}
    text = envelope(
        ["*** Update File: run.sh", "@@", "-a", "+b"],
        ["*** Update File: go.sh", "*** Move to: bin/go.sh"],
        ["*** Add File: plain", "+x"],
    )
    changes = apply(PROJECT, files, text).changes
    assert [changes[path].mode for path in ("run.sh", "bin/go.sh", "plain")] == [0o100755, 0o100755, 0o100644]


BYTES = {
    "crlf": (b"a\r\nb\r\nc\r\n", ["@@", " a", "-b", "+B", "+B2"], b"a\r\nB\r\nB2\r\nc\r\n"),
    "mixed endings": (b"a\nb\r\nc\nd\r\n", ["@@", " b", "+new", " c"], b"a\nb\r\nnew\r\nc\nd\r\n"),
    "byte order mark": (b"\xef\xbb\xbfa\nb\n", ["@@", "-a", "+A"], b"\xef\xbb\xbfA\nb\n"),
    "no final newline": (b"a\nb", ["@@", " a", "-b", "+B"], b"a\nB"),
    "no final newline, line added": (b"a\nb", ["@@", " b", "+c"], b"a\nb\nc"),
    "no final newline, far away": (b"a\nb\nc", ["@@", "-a", "+A"], b"A\nb\nc"),
    "no final newline, last line gone": (b"a\nb", ["@@", " a", "-b"], b"a\n"),
    "final newline taken": (b"a\nb\n", ["@@", "-b", "+b", "\\ No newline at end of file"], b"a\nb"),
    "final newline given": (b"a\nb", ["@@", "-b", "\\ No newline at end of file", "+b"], b"a\nb\n"),
    "all lines gone": (b"a\nb\n", ["@@", "-a", "-b"], b""),
    "into an empty file": (b"", ["@@", "+a"], b"a\n"),
    "blanks at line ends": (b"def f():  \n    x = 1\t\n    y\n", ["@@", " def f():", "     x = 1", "-    y", "+    z"],
        b"def f():  \n    x = 1\t\n    z\n"),
    "deeper": (b"class A:\n\tdef f(self):\n\t\tx = 1\n\n\t\treturn x\n",
        ["@@", " def f(self):", "-\tx = 1", "+\tx = 2", "+", "+\ty = 3", " ", " \treturn x"],
        b"class A:\n\tdef f(self):\n\t\tx = 2\n\n\t\ty = 3\n\n\t\treturn x\n"),
    "less deep": (b"a\nif x:\n    y\n", ["@@", "     if x:", "-        y", "+        z"], b"a\nif x:\n    z\n"),
    "typographic": (b"say(\xe2\x80\x9chello\xe2\x80\x9d \xe2\x80\x93 1)\nx\n", ["@@", ' say("hello" - 1)', "-x", "+y"],
        b"say(\xe2\x80\x9chello\xe2\x80\x9d \xe2\x80\x93 1)\ny\n"),
    "other breaks are text": (b"a\x0cb\xe2\x80\xa8\x0b\nx\n", ["@@", "-x", "+y"], b"a\x0cb\xe2\x80\xa8\x0b\ny\n"),
    "end of file": (b"x\ny\nx\n", ["@@", "-x", "+z", "*** End of File"], b"x\ny\nz\n"),
    "only new lines": (b"a\nb\n", ["@@", "+c", ""], b"a\nb\nc\n"),
    "spacing at the end": (b"a\nb\nc\n", ["@@", " a", "-b", "+B", "", ""], b"a\nB\nc\n"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "hunk", "after"), BYTES.values(), ids=BYTES.keys())
def test_only_the_patchs_own_lines_are_new(before: bytes, hunk: list[str], after: bytes) -> None:
    assert applied(PROJECT, {"f": before}, update("f", *hunk)) == {"f": after}


def test_a_crlf_patch_for_an_lf_file_and_the_other_way_round() -> None:
    text = update("f", "@@", " a", "-b", "+c")
    assert applied(PROJECT, {"f": b"a\nb\n"}, text.replace("\n", "\r\n")) == {"f": b"a\nc\n"}
    assert applied(PROJECT, {"f": b"a\r\nb\r\n"}, text) == {"f": b"a\r\nc\r\n"}


def test_a_refusal_lists_what_failed_and_what_was_fine() -> None:
    files = {"a.py": b"one\ntwo\nthree\n", "b.py": b"x\n"}
    said = refusal(
        files,
        envelope(
            ["*** Update File: a.py", "@@", "-one", "+1", "@@", "-zwei", "+2", "@@", "-three", "+3"],
            ["*** Delete File: c.py"],
            ["*** Update File: b.py", "@@", "-x", "+y"],
        ),
    )
    assert "2 parts of it failed" in said
    assert "- a.py, hunk 2 (line 6 of the patch): its lines are not in the file" in said
    assert "- c.py (line 12 of the patch): there is no such file" in said
    assert "These were fine: a.py, hunk 1; a.py, hunk 3; b.py, hunk 1." in said


def test_close_names_are_offered_for_a_missing_file() -> None:
    files = {"shop/pricing.py": b"x\n", "shop/cart.py": b"y\n"}
    assert "Did you mean shop/pricing.py?" in refusal(files, update("pricing.py", "@@", "-x", "+y"))
    assert "Did you mean shop/cart.py" in refusal(files, update("shop/carts.py", "@@", "-x", "+y"))
    assert "'*** Add File', or in a block nothing between" in refusal(files, update("other.txt", "@@", "-x", "+y"))


def test_nothing_is_overwritten() -> None:
    files = {"a": b"text\n", "b": b"x\n"}
    assert "exists already" in refusal(files, envelope(["*** Add File: a", "+other"]))
    assert "cannot be moved to a, which exists" in refusal(files, envelope(["*** Update File: b", "*** Move to: a"]))


def test_a_file_and_a_folder_cannot_share_a_name() -> None:
    files = {"pkg": b"x\n", "src/a": b"y\n"}
    assert "pkg is a file, not a folder" in refusal(files, envelope(["*** Add File: pkg/a/b", "+x"]))
    assert "src: is a folder" in refusal(files, envelope(["*** Update File: pkg", "*** Move to: src"]))
    assert "n is a file" in refusal(files, envelope(["*** Add File: n", "+x"], ["*** Add File: n/m", "+x"]))


def test_a_patch_that_changes_nothing_is_refused() -> None:
    files = {"a": b"text\n"}
    assert "changes nothing" in refusal(files, envelope(["*** Add File: a", "+text"]))
    assert "changes nothing" in refusal(files, update("a", "@@", "-text", "+text"))
    assert "changes nothing" in refusal({}, envelope(["*** Add File: a", "+x"], ["*** Delete File: a"]))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a\nx\0y\n", "is a binary file"),
        (b"a\n\xff\xfe\n", "is not UTF-8 (line 2)"),
        (b"a\n" + b"x" * MAX_BYTES, "larger than 8 MB"),
    ],
)
def test_what_cannot_be_patched_as_text(data: bytes, said: str) -> None:
    assert said in refusal({"f": data}, update("f", "@@", "-a", "+b"))


def test_a_binary_file_can_be_moved_and_deleted() -> None:
    files = {"a.png": b"\x89PNG\0\xff", "b.png": b"\0"}
    text = envelope(["*** Update File: a.png", "*** Move to: c.png"], ["*** Delete File: b.png"])
    assert applied(PROJECT, files, text) == {"a.png": None, "b.png": None, "c.png": b"\x89PNG\0\xff"}


def test_a_symlink_is_not_changed() -> None:
    files: dict[str, bytes | FileChange] = {"link": FileChange(b"target", 0o120000)}
    with pytest.raises(PatchRefusedError, match="is a symlink"):
        apply(PROJECT, files, envelope(["*** Delete File: link"]))


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", ".git/hooks/post-commit", "a/../../b"])
@pytest.mark.parametrize(
    "form", ["*** Add File: {}\n+x", "*** Delete File: {}", "*** Update File: ok\n*** Move to: {}"]
)
def test_paths_that_must_not_be_written(path: str, form: str) -> None:
    said = refusal({"ok": b"x\n"}, f"*** Begin Patch\n{form.format(path)}\n*** End Patch")
    assert path in said or path.split("/", 1)[1] in said


LINE = st.sampled_from(["", "a", "b", "  a", "\tb", "x = 1", "+", "-", "*** End Patch", "@@", "\u00e9\u201d"])


@st.composite
def before_and_after(draw: st.DrawFn) -> tuple[str, str]:
    """A text of lines that often repeat, and what a few edits make of it."""
    old = draw(st.lists(LINE, max_size=30))
    new = list(old)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(new)))
        new[at : at + draw(st.integers(0, 2))] = draw(st.lists(LINE, max_size=3))
    ends = draw(st.tuples(st.booleans(), st.booleans()))
    texts = ["\n".join(lines) + "\n" * (bool(lines) and end) for lines, end in zip((old, new), ends, strict=True)]
    return texts[0], texts[1]


@settings(max_examples=200)
@given(before_and_after(), st.sampled_from([1, 3]))
def test_a_patch_made_by_diffing_applies_exactly_or_is_refused(texts: tuple[str, str], context: int) -> None:
    old, new = texts
    assume(old != new)
    files = {"f": old.encode()}
    text = envelope(update_section("f", old, new, context))
    try:
        result = applied(PROJECT, files, text)
    except PatchRefusedError:
        # A place may be ambiguous with little context; then it is refused, never guessed, and says so.
        assert "matches at lines" in refusal(files, text)
    else:
        assert result == {"f": new.encode()}


@settings(max_examples=200)
@given(before_and_after())
def test_a_patch_with_all_of_the_file_as_context_applies_exactly(texts: tuple[str, str]) -> None:
    old, new = texts
    assume(old != new)
    whole = ["*** Update File: f", "@@"]
    at = 0
    lines = split_lines(old)
    for block in make_blocks("f", old.encode(), new.encode()):
        parts = ((" ", lines[at : block.old_start - 1]), ("-", block.removed), ("+", block.added))
        whole += [text for sign, part in parts for line in part for text in signed(sign, line)]
        at = block.old_start - 1 + len(block.removed)
    whole += [text for line in lines[at:] for text in signed(" ", line)]
    assert applied(PROJECT, {"f": old.encode()}, envelope(whole)) == {"f": new.encode()}


@settings(max_examples=200)
@given(
    old=st.lists(st.integers(0, 9999), unique=True, min_size=1, max_size=40),
    new=st.lists(st.integers(0, 9999), max_size=40),
    ending=st.sampled_from(["\n", "\r\n"]),
    indent=st.sampled_from(["", "    ", "\t"]),
)
def test_hunks_of_distinct_lines_find_their_place_whatever_drifted(
    old: list[int], new: list[int], ending: str, indent: str
) -> None:
    keep = [number for number in old if number % 3] + new
    before = [f"{indent}n{number}" for number in old]
    after = [f"{indent}n{number}" for number in keep]
    assume(before != after)
    plain = update_section("f", "".join(f"n{n}\n" for n in old), "".join(f"n{n}\n" for n in keep), 100)
    file = "".join(line + ending for line in before).encode()
    assert applied(PROJECT, {"f": file}, envelope(plain)) == {"f": "".join(line + ending for line in after).encode()}


@settings(max_examples=200)
@given(
    lines=st.lists(
        st.tuples(
            st.sampled_from(["a", "b", " c", "", "\x0c", "x\ry", "\u2028z", "\u00e9"]), st.sampled_from(["\n", "\r\n"])
        ),
        min_size=1,
        max_size=12,
    ),
    at=st.integers(0, 11),
    bare=st.booleans(),
)
def test_lines_that_stay_keep_their_own_endings(lines: list[tuple[str, str]], at: int, bare: bool) -> None:
    at = min(at, len(lines) - 1)
    if bare:
        # A text without any newline is one of lines that end with "\r".
        assume(lines[-1][0] != "" and len(lines) > 1)
        lines[-1] = (lines[-1][0], "")
    hunk = [f" {line}" for line, _ in lines]
    hunk[at : at + 1] = [f"-{lines[at][0]}", "+NEW"]
    operation = UpdateFile("f", None, (Hunk(tuple(HunkLine(_SIGNS[text[0]], text[1:]) for text in hunk), 1),))
    before = "".join(line + end for line, end in lines).encode()
    found = apply_operations([operation], {"f": FileChange(before)}.get, {"f"}, PROJECT).changes["f"].data
    head, tail = ("".join(line + end for line, end in part).encode() for part in (lines[:at], lines[at + 1 :]))
    assert found is not None
    assert found.startswith(head)
    assert found.endswith(tail)
    assert found[len(head) : len(found) - len(tail)] in {b"NEW\n", b"NEW\r\n", b"NEW"[: 3 * (at == len(lines) - 1)]}


@settings(max_examples=150)
@given(
    data=st.one_of(
        st.binary(max_size=40),
        st.builds(
            lambda mark, text, codec: mark + text.encode(codec, "replace"),
            st.sampled_from([b"", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"# coding: gbk\n"]),
            st.text("ab\n\r\u4e2d", max_size=20),
            st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "gbk"]),
        ),
    ),
    hunks=st.lists(
        st.lists(
            st.builds(HunkLine, st.sampled_from(" -+"), st.text("ab\u4e2d\0\ud800\r", max_size=3)),
            min_size=1,
            max_size=4,
        ),
        min_size=1,
        max_size=3,
    ),
    ordered=st.booleans(),
)
def test_whatever_comes_is_applied_or_refused(data: bytes, hunks: list[list[HunkLine]], ordered: bool) -> None:
    operation = UpdateFile("f", None, tuple(Hunk(tuple(lines), 1) for lines in hunks), ordered=ordered)
    with contextlib.suppress(PatchRefusedError):
        found = apply_operations([operation], {"f": FileChange(data)}.get, {"f"}, PROJECT).changes["f"].data
        assert found is not None
        assert found != data
        decode(found)
