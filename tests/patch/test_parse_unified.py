"""Unified diffs: git's, bare ones, and as models write them."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_core.errors import PatchRefusedError
from agent_core.patch.apply import apply_operations
from agent_core.patch.operations import AddFile, DeleteFile, Hunk, HunkLine, Operation, UpdateFile
from agent_core.patch.read import read_patch
from agent_core.workspace.tree import FileChange
from tests.projects import git, make_project

HEADER = "--- a/a.py\n+++ b/a.py\n"
HUNK = "@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"


def signed(hunk: Hunk) -> list[str]:
    return [line.sign + line.text for line in hunk.lines]


def read(text: str) -> tuple[Operation, ...]:
    reading = read_patch(text)
    assert reading.format == "unified"
    return reading.operations


def update(text: str) -> UpdateFile:
    (operation,) = read(text)
    assert isinstance(operation, UpdateFile)
    assert operation.ordered
    return operation


def refusal(text: str) -> str:
    with pytest.raises(PatchRefusedError) as caught:
        read_patch(text)
    return str(caught.value)


SHAPES = {
    "bare": f"{HEADER}{HUNK}",
    "git's": f"diff --git a/a.py b/a.py\nindex 1a2b3c..4d5e6f 100644\n{HEADER}{HUNK}",
    "a fence and prose": f"Here:\n\n```diff\n{HEADER}{HUNK}```\n\nDone.\n",
    "no prefix": f"--- a.py\n+++ a.py\n{HUNK}",
    "git's without prefix": f"diff --git a.py a.py\n--- a.py\n+++ a.py\n{HUNK}",
    "mnemonic prefixes": f"diff --git i/a.py w/a.py\n--- i/a.py\n+++ w/a.py\n{HUNK}",
    "prefixes of one's own": f"diff --git old/a.py new/a.py\n--- old/a.py\n+++ new/a.py\n{HUNK}",
    "dates after a tab": f"--- a/a.py\t2024-01-02 03:04:05.678 +0100\n+++ b/a.py\t2024-01-02 03:04:06\n{HUNK}",
    "dates after blanks": f"--- a/a.py  2024-01-02 03:04:05\n+++ b/a.py  Tue Jan  2 03:04:05 2024\n{HUNK}",
    "a backup": f"--- a.py.orig\n+++ a.py\n{HUNK}",
    "quoted": f'--- "a/a.py"\n+++ "b/a.py"\n{HUNK}',
    "wrong counts": f"{HEADER}{HUNK}".replace("-1,3 +1,3", "-1,9 +1,2"),
    "no counts": f"{HEADER}{HUNK}".replace("-1,3 +1,3", "-1 +1"),
    "a heading": f"{HEADER}{HUNK}".replace("@@\n", "@@ def f(a, b\n"),
    "crlf": f"Here:\n{HEADER}{HUNK}".replace("\n", "\r\n"),
    "a mail": f"From 12ab Mon Sep 17 00:00:00 2001\nFrom: A <a@b>\nSubject: [PATCH] x\n\n---\n a.py | 2 +-\n"
    f" 1 file changed, 1 insertion(+), 1 deletion(-)\n\n{HEADER}{HUNK}-- \n2.39.1\n\n",
    "an index line of svn": f"Index: a.py\n{'=' * 67}\n--- a.py\t(revision 12)\n+++ a.py\t(working copy)\n{HUNK}",
    "a command above": f"diff -u a/a.py b/a.py\n{HEADER}{HUNK}",
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES.keys())
def test_one_change_in_many_shapes(text: str) -> None:
    operation = update(text)
    assert (operation.path, operation.move_to, operation.mode) == ("a.py", None, 0)
    (hunk,) = operation.hunks
    assert signed(hunk) == [" one", "-two", "+2", " three"]
    assert (hunk.anchors, hunk.old_start, hunk.slack) == ((), 1, 0)


@pytest.mark.parametrize(
    ("line", "anchors"),
    [
        ("@@", ()),
        ("@@ @@", ()),
        ("@@ ... @@", ()),
        ("@@ def f():", ("def f():",)),
        ("@@ ... @@ def f():", ("def f():",)),
    ],
)
def test_hunks_without_numbers(line: str, anchors: tuple[str, ...]) -> None:
    (hunk,) = update(f"{HEADER}{line}\n-two\n+2\n").hunks
    assert (hunk.anchors, hunk.old_start, signed(hunk)) == (anchors, None, ["-two", "+2"])


def test_an_empty_range_names_the_line_before() -> None:
    first, second = update(f"{HEADER}@@ -0,0 +1 @@\n+one\n@@ -7,0 +9 @@\n+two\n").hunks
    assert (first.old_start, second.old_start) == (1, 8)


def test_new_and_deleted_files() -> None:
    assert read("--- /dev/null\n+++ b/n.py\n@@ -0,0 +1,2 @@\n+one\n+\n") == (AddFile("n.py", "one\n\n", 1),)
    git_new = "diff --git a/n b/n\nnew file mode 100755\nindex 0000000..1\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n"
    assert read(git_new + "\\ No newline at end of file\n") == (AddFile("n", "x", 1, 0o100755),)
    assert read("diff --git a/n b/n\nnew file mode 100644\nindex 0000000..e69de29\n") == (
        AddFile("n", "", 1, 0o100644),
    )
    gone = "diff --git a/o b/o\ndeleted file mode 100644\nindex 1..0\n--- a/o\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-x\n-y\n"
    assert read(gone) == (DeleteFile("o", 1, (HunkLine("-", "x"), HunkLine("-", "y"))),)
    assert read("diff --git a/o b/o\ndeleted file mode 100644\nindex e69de29..0000000\n") == (DeleteFile("o", 1, ()),)
    assert read("diff --git a/o b/o\ndeleted file mode 100644\nindex 12ab34c..0000000\n") == (DeleteFile("o", 1, None),)


def test_whether_a_lone_name_has_a_prefix_is_seen_from_the_others() -> None:
    new = "--- /dev/null\n+++ b/n.py\n@@ -0,0 +1 @@\n+x\n"
    assert read(new)[0].path == "n.py"
    assert read(f"--- c.py\n+++ c.py\n{HUNK}{new}")[1].path == "b/n.py"
    assert read(f"diff --git b/n.py b/n.py\nnew file mode 100644\n{new}")[0].path == "b/n.py"
    assert read("--- /dev/null\n+++ src/n.py\n@@ -0,0 +1 @@\n+x\n")[0].path == "src/n.py"


def test_renames_and_modes() -> None:
    renamed = "diff --git a/old name b/new\nsimilarity index 90%\nrename from old name\nrename to new\n"
    assert update(renamed) == UpdateFile("old name", "new", (), 1)
    assert update(f"{renamed}--- a/old name\t\n+++ b/new\n{HUNK}").move_to == "new"
    moded = update("diff --git a/my tool b/my tool\nold mode 100644\nnew mode 100755\n")
    assert (moded.path, moded.mode, moded.hunks) == ("my tool", 0o100755, ())


def test_quoted_names() -> None:
    assert update(f'--- "a/f\\303\\274r\\t\\"x\\".py"\n+++ "b/f\\303\\274r\\t\\"x\\".py"\n{HUNK}').path == 'für\t"x".py'
    moded = 'diff --git "a/\\303\\274" "b/\\303\\274"\nold mode 100644\nnew mode 100755\n'
    assert update(moded).path == "ü"


def test_no_newline_marks() -> None:
    (hunk,) = update(f"{HEADER}@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+x\n").hunks
    assert hunk.lines == (HunkLine("-", "x", bare=True), HunkLine("+", "x"))


def test_blank_context_that_lost_its_blank() -> None:
    first, second = update(f"{HEADER}@@ -1,4 +1,4 @@\n one\n\n-two\n+2\n\n@@ -9 +9 @@\n-x\n+y\n\n").hunks
    assert (signed(first), first.slack) == ([" one", " ", "-two", "+2", " "], 1)
    assert (signed(second), second.slack) == (["-x", "+y"], 0)


# Lines of a hunk that look like something else.


def test_removed_and_added_lines_that_look_like_file_headers() -> None:
    sql = "@@ -1,3 +1,3 @@\n SELECT 1;\n--- old comment\n+++ new comment\n SELECT 2;\n"
    assert signed(update(HEADER + sql).hunks[0]) == [" SELECT 1;", "--- old comment", "+++ new comment", " SELECT 2;"]
    # At the end of a hunk the counts tell them from the next file's header.
    end = "@@ -1,2 +1,2 @@\n SELECT 1;\n--- old\n+++ new\n@@ -9 +9 @@\n-x\n+y\n"
    assert len(update(HEADER + end).hunks) == 2
    # Where they say that the hunk has ended before, the names are those of a file.
    other = end.replace("-1,2 +1,2", "-1 +1").replace(" SELECT 1;", "-a\n+b")
    assert "two different files, 'old' and 'new'" in refusal(HEADER + other)
    assert signed(update(f"{HEADER}@@ -1,2 +1 @@\n a\n--- gone\n").hunks[0]) == [" a", "--- gone"]
    assert signed(update(f"{HEADER}@@ -1,2 +1 @@\n a\n--\n").hunks[0]) == [" a", "--"]


def test_several_files_without_git_headers() -> None:
    one = "@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
    found = read(f"--- a/x\n+++ b/x\n{one}--- a/y\n+++ b/y\n{one}\n--- /dev/null\n+++ b/z\n@@ -0,0 +1 @@\n+x\n")
    assert [operation.path for operation in found] == ["x", "y", "z"]
    wrong = one.replace("-1,2 +1,2", "-1,7 +1,9")
    assert [operation.path for operation in read(f"--- a/x\n+++ b/x\n{wrong}--- a/y\n+++ b/y\n{wrong}")] == ["x", "y"]


REFUSED = {
    "two different files": (f"--- a/x.py\n+++ b/y.py\n{HUNK}", "two different files, 'a/x.py' and 'b/y.py'"),
    "a file of that name in two folders": (f"--- src/x.py\n+++ lib/x.py\n{HUNK}", "'src/x.py' and 'lib/x.py'"),
    "git's header names another": (
        f"diff --git a/x b/x\n--- a/y\n+++ b/y\n{HUNK}",
        "names x, but the lines below it name y",
    ),
    "a rename of another": (
        f"diff --git a/x b/y\nrename from x\nrename to y\n--- a/z\n+++ b/y\n{HUNK}",
        "a line below names a/z",
    ),
    "half a rename": ("diff --git a/x b/y\nsimilarity index 100%\nrename from x\n", "without both names"),
    "a copy": (
        "diff --git a/x b/y\nsimilarity index 100%\ncopy from x\ncopy to y\n",
        "Write the new file with all its",
    ),
    "a binary file": ("diff --git a/x b/x\nindex 1..2\nBinary files a/x and b/x differ\n", "binary file"),
    "a binary patch": (
        "diff --git a/x b/x\nindex 1..2\nGIT binary patch\nliteral 3\nKcmZQ\n\nliteral 0\nHcmV\n\n",
        "binary",
    ),
    "a symlink": ("diff --git a/x b/x\nnew file mode 120000\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+y\n", "a symlink"),
    "a change of a symlink": (f"diff --git a/x b/x\nindex 1..2 120000\n--- a/x\n+++ b/x\n{HUNK}", "a symlink"),
    "a submodule": (f"diff --git a/x b/x\nindex 1..2 160000\n--- a/x\n+++ b/x\n{HUNK}", "a submodule"),
    "another mode": ("diff --git a/x b/x\nold mode 100644\nnew mode 100600\n", "the mode '100600'"),
    "a line without a sign": (f"{HEADER}@@ -1,3 +1,3 @@\n one\ntwo\n-x\n+y\n", "'two', begins with neither a blank"),
    "an unsigned line behind a blank one": (
        f"{HEADER}@@ -1,4 +1,4 @@\n one\n\ntwo\n-x\n+y\n",
        "looks like a line of the hunk above, which has ended before line 6",
    ),
    "an unsigned line in a fence": (f"```diff\n{HEADER}@@ @@\n-one\n\ntwo\n+y\n```\n", "'two', begins with neither"),
    "a hunk without change": (f"{HEADER}@@ -1 +1 @@\n one\n", "changes nothing"),
    "a hunk without a file": (f"{HUNK}", "belongs to no file"),
    "a hunk that has come off": (f"{HEADER}{HUNK}\nand then\n\n{HUNK}", "belongs to no file"),
    "headers without a hunk": (HEADER, "begins a diff without a hunk"),
    "context in a new file": ("--- /dev/null\n+++ b/x\n@@ -0,0 +1,2 @@\n+one\n two\n", "all lines begin with '+'"),
    "context in a deleted file": ("--- a/x\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one\n two\n", "all lines begin with '-'"),
    "a merge": (f"{HEADER}@@@ -1,2 -1,2 +1,2 @@@\n--a\n++b\n", "a hunk of a merge"),
    "no file at all": ("--- /dev/null\n+++ /dev/null\n@@ -1 +1 @@\n-a\n+b\n", "for no file at all"),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_done_is_refused_with_the_reason(text: str, said: str) -> None:
    assert said in refusal(text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"one\ntwo\nthree\n", b"one\r\ntwo\r\nthree\r\n"),
        (b"one\r\ntwo\r\nthree\r\n", b"one\n2\nthree\n"),
        (b"one\r\ntwo\nthree\r\n", b"one\r\ntwo\r\nnew\nthree\r\n"),
        (b"one\r\ntwo\r\n", b"one\r\ntwo\r\nthree\r\n"),
    ],
    ids=["to CRLF", "to LF", "mixed", "all CRLF"],
)
def test_line_endings_that_git_shows_are_written(before: bytes, after: bytes, tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"f": ""})
    (root / "f").write_bytes(before)
    git(root, "-c", "core.autocrlf=false", "commit", "-qam", "before")
    (root / "f").write_bytes(after)
    shown = subprocess.run(
        ["git", "-C", str(root), "-c", "core.autocrlf=false", "diff"], capture_output=True, check=True
    ).stdout.decode()
    result = apply_operations(read(shown), {"f": FileChange(before)}.get, {"f"}, tmp_path / "nowhere")
    assert result.changes == {"f": FileChange(after)}


def test_real_diffs_of_git(tmp_path: Path) -> None:
    files = {
        "a b.py": "one\ntwo\nthree\n",
        "ü.txt": "x\n",
        "gone": "1\n2\n",
        "tool": "#!\n",
        "moved": "1\n2\n3\n4\n5\n",
    }
    root = make_project(tmp_path / "p", files)
    (root / "a b.py").write_text("one\n2\nthree")
    (root / "ü.txt").write_text("y\n")
    (root / "gone").unlink()
    (root / "tool").chmod(0o755)
    git(root, "mv", "moved", "to here")
    (root / "new").write_text("\n\n")
    (root / "empty").write_text("")
    git(root, "add", "-A")
    plain = ("-c", "core.quotepath=false")
    for config, options in (
        ((), ()),
        ((), ("--no-prefix",)),
        ((), ("--src-prefix=old/", "--dst-prefix=new/")),
        (plain, ()),
    ):
        found = read(git(root, *config, "diff", "--cached", "-M", *options))
        assert sorted((type(one).__name__, one.path) for one in found) == [
            ("AddFile", "empty"),
            ("AddFile", "new"),
            ("DeleteFile", "gone"),
            ("UpdateFile", "a b.py"),
            ("UpdateFile", "moved"),
            ("UpdateFile", "tool"),
            ("UpdateFile", "ü.txt"),
        ]
        by = {one.path: one for one in found}
        assert by["new"] == AddFile("new", "\n\n", by["new"].number, 0o100644)
        moved, tool = by["moved"], by["tool"]
        assert isinstance(moved, UpdateFile)
        assert isinstance(tool, UpdateFile)
        assert (moved.move_to, tool.mode) == ("to here", 0o100755)


def test_a_mail_of_git(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.sql": "-- one\nx\n-- two\n"})
    (root / "a.sql").write_text("x\n- item\n")
    git(root, "commit", "-qam", "- drop\n\n--- a\n+++ b\n")
    mail = git(root, "format-patch", "-1", "--stdout")
    assert [signed(hunk) for hunk in update(mail).hunks] == [["--- one", " x", "--- two", "+- item"]]


def test_diff_itself(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("a\nb\n")
    (tmp_path / "x.orig").write_text("a\nc\n")
    done = subprocess.run(["diff", "-u", "x.orig", "x"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert update(done.stdout).path == "x"


LINES = [
    *f"{HEADER}{HUNK}".splitlines(),
    "diff --git a/a.py b/a.py",
    "index 1..2",
    "rename from a",
    "rename to b",
    "new file mode 100644",
]


@given(
    st.lists(
        st.sampled_from([*LINES, "+++ /dev/null", "--- /dev/null", "", "-- ", "2.1", "x", "@@", "\\ No", "```"]),
        max_size=30,
    )
)
def test_any_lines_are_read_or_refused(lines: list[str]) -> None:
    with contextlib.suppress(PatchRefusedError):
        assert read_patch("\n".join(lines)).operations
