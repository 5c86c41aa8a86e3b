"""Adding, moving and deleting: what the names of a patch may be, and what becomes of the files."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_core.errors import PatchRefusedError
from agent_core.patch.apply import Result, apply_operations
from agent_core.patch.diff import make_patch
from agent_core.patch.names import Names
from agent_core.patch.operations import AddFile, DeleteFile, Hunk, HunkLine, Operation, UpdateFile
from agent_core.workspace.tree import FileChange

PROJECT = Path("/nonexistent/project")
Files = Mapping[str, bytes | FileChange]


def move(old: str, new: str, hunks: Sequence[Hunk] = (), mode: int = 0) -> UpdateFile:
    return UpdateFile(old, new, tuple(hunks), mode=mode)


def hunk(*lines: str) -> Hunk:
    signs = {" ": " ", "-": "-", "+": "+"}
    return Hunk(tuple(HunkLine(signs[line[0]], line[1:]) for line in lines), 1)  # type: ignore[arg-type] # a sign


def update(path: str, *lines: str) -> UpdateFile:
    return UpdateFile(path, None, (hunk(*lines),))


def run(files: Files, operations: Sequence[Operation], root: Path = PROJECT) -> Result:
    tree = {path: FileChange(data) if isinstance(data, bytes) else data for path, data in files.items()}
    return apply_operations(operations, tree.get, tree, root)


def contents(files: Files, *operations: Operation) -> dict[str, bytes | None]:
    return {path: change.data for path, change in run(files, operations).changes.items()}


def refusal(files: Files, *operations: Operation, root: Path = PROJECT) -> str:
    with pytest.raises(PatchRefusedError) as caught:
        run(files, operations, root)
    return str(caught.value)


def test_names_are_swapped() -> None:
    files: Files = {"a": b"1\n", "b": FileChange(b"2\n", 0o100755)}
    result = run(files, [move("a", "b", [hunk("-1", "+one")]), move("b", "a", [hunk("-2", "+two")])])
    assert result.changes == {"a": FileChange(b"two\n", 0o100755), "b": FileChange(b"one\n")}
    assert result.moves == {}


def test_a_file_takes_the_name_of_one_that_goes_on() -> None:
    result = run({"a": b"1\n", "b": b"2\n"}, [move("a", "b"), move("b", "c")])
    assert {path: change.data for path, change in result.changes.items()} == {"a": None, "b": b"1\n", "c": b"2\n"}
    assert result.moves == {}
    replaced = run({"a": b"1\n", "b": b"2\n"}, [DeleteFile("b"), move("a", "b")])
    assert replaced.moves == {}
    assert contents({"a": b"1\n"}, AddFile("a", "new\n"), move("a", "b")) == {"a": b"new\n", "b": b"1\n"}


def test_a_file_that_moves_on_leaves_its_like_behind() -> None:
    assert contents({"a": b"1\n"}, AddFile("a", "1\n"), move("a", "b")) == {"b": b"1\n"}


@settings(max_examples=200)
@given(st.permutations(range(5)), st.permutations(range(5)))
def test_any_permutation_of_names_in_any_order(targets: list[int], order: list[int]) -> None:
    files = {f"f{n}": b"%d\n" % n for n in range(5)}
    operations = [move(f"f{n}", f"f{targets[n]}") for n in order if targets[n] != n]
    if not operations:
        return
    found = contents(files, *operations)
    assert {**files, **found} == {f"f{targets[n]}": b"%d\n" % n for n in range(5)}


def test_what_cannot_be_told_apart_is_refused() -> None:
    files = {"a": b"1\n", "b": b"2\n"}
    said = refusal(files, move("a", "b"), update("b", "-2", "+two"), move("b", "a"))
    assert "b: another file is moved here further up" in said
    assert "another file is moved here" in refusal(files, move("a", "b"), DeleteFile("b"), move("b", "c"))
    assert "cannot be moved to b, which exists" in refusal(files, move("a", "b"), DeleteFile("b"))
    assert "cannot be moved to b, which exists" in refusal(files, move("b", "c"), AddFile("b", "x\n"), move("a", "b"))
    three = {**files, "c": b"3\n"}
    assert "cannot be moved to b, which exists" in refusal(three, move("a", "b"), move("c", "b"), move("b", "d"))


def test_an_added_file_that_is_moved_comes_from_nowhere() -> None:
    result = run({"a": b"1\n"}, [move("a", "b"), AddFile("a", "x\n"), move("a", "c")])
    assert {path: change.data for path, change in result.changes.items()} == {"a": None, "b": b"1\n", "c": b"x\n"}
    assert result.moves == {"b": "a"}


def test_what_has_gone_is_not_there_for_later_parts() -> None:
    said = refusal(
        {"a": b"1\n", "b": b"2\n"}, DeleteFile("a"), update("a", "-1", "+2"), move("b", "c"), DeleteFile("b")
    )
    assert "- a; b: is deleted or moved away further up in the same patch." in said


def test_delete_after_update_and_add_after_delete() -> None:
    files = {"a": FileChange(b"1\n", 0o100755)}
    assert contents(files, update("a", "-1", "+2"), DeleteFile("a")) == {"a": None}
    assert run(files, [DeleteFile("a"), AddFile("a", "2\n")]).changes == {"a": FileChange(b"2\n", 0o100755)}
    assert run(files, [DeleteFile("a"), AddFile("a", "2\n", mode=0o100644)]).changes == {"a": FileChange(b"2\n")}


@pytest.mark.parametrize("order", [1, -1])
def test_a_file_becomes_a_folder_and_a_folder_a_file(order: int, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"1\n")
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "d" / "e" / "f").write_bytes(b"2\n")
    files = {"x": b"1\n", "d/e/f": b"2\n"}
    parts: list[Operation] = [DeleteFile("x"), AddFile("x/y/z", "3\n"), move("d/e/f", "d")]
    for root in (PROJECT, tmp_path):
        result = run(files, parts[::order], root)
        assert {path: change.data for path, change in result.changes.items()} == {
            "d": b"2\n",
            "d/e/f": None,
            "x": None,
            "x/y/z": b"3\n",
        }
        assert result.moves == {"d": "d/e/f"}


def test_a_folder_that_came_and_went_is_none() -> None:
    operations = AddFile("x/y", "1\n"), DeleteFile("x/y"), AddFile("x", "2\n")
    assert contents({}, *operations) == {"x": b"2\n"}


def test_a_draft_may_have_made_room_before(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"1\n")
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "d" / "e" / "f").write_bytes(b"2\n")
    assert set(run({}, [AddFile("x/y", "3\n"), AddFile("d", "4\n")], tmp_path).changes) == {"x/y", "d"}
    assert "x is a file" in refusal({"x": b"1\n"}, AddFile("x/y", "3\n"), root=tmp_path)
    assert "d: is a folder" in refusal({"d/e/f": b"1\n"}, AddFile("d", "3\n"), root=tmp_path)


def test_a_folder_that_keeps_a_file_is_no_file() -> None:
    files = {"d/a": b"1\n", "d/b": b"2\n", "x": b"3\n"}
    assert "- d: is a folder" in refusal(files, DeleteFile("d/a"), AddFile("d", "x\n"))
    assert "- x/y: x is a file, not a folder" in refusal(
        files, DeleteFile("x"), AddFile("x/y", "1\n"), AddFile("x", "\n")
    )


def test_an_ignored_file_keeps_its_folder(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a").write_bytes(b"1\n")
    (tmp_path / "d" / "ignored").write_bytes(b"2\n")

    def read(path: str) -> FileChange | None:
        file = tmp_path / path
        return FileChange(file.read_bytes()) if file.is_file() else None

    with pytest.raises(PatchRefusedError, match="d: is a folder"):
        apply_operations([move("d/a", "d")], read, {"d/a"}, tmp_path)


def test_a_folder_is_not_deleted() -> None:
    files = {f"d/{name}": b"" for name in "abcd"}
    assert "- d: is a folder; a patch names files. Name each of them: d/a, d/b, d/c, ..." in refusal(
        files, DeleteFile("d")
    )
    assert "is a folder" in refusal(files, update("d", "-a"))


NFC, NFD = (unicodedata.normalize(form, "caf\u00e9") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("there", "new", "said"),
    [
        ("readme.md", "README.md", "README.md is the same name as readme.md"),
        ("src/a.py", "Src/b.py", "Src is the same name as src"),
        ("src/a.py", "src/A.py/b", "src/A.py is the same name as src/a.py"),
        ("src/a.py", "SRC", "SRC is the same name as src"),
        (f"{NFC}.txt", f"{NFD}.txt", "is the same name as"),
        (f"{NFC}/a", f"{NFD.upper()}/b", "is the same name as"),
        ("stra\u00dfe", "STRASSE", "STRASSE is the same name as stra\u00dfe"),
    ],
)
def test_names_that_are_the_same_where_case_does_not_count(there: str, new: str, said: str) -> None:
    assert said in refusal({there: b"1\n"}, AddFile(new, "x\n"))
    assert said in refusal({there: b"1\n", "other": b"2\n"}, move("other", new))
    assert contents({"other": b"2\n"}, AddFile(new, "x\n")) == {new: b"x\n"}
    both = {there: None, new: b"1\n"}
    assert contents({there: b"1\n"}, move(there, new)) == both
    assert contents({there: b"1\n"}, AddFile(new, "1\n"), DeleteFile(there)) == both
    assert "is the same name as" in refusal({}, AddFile(there, "x\n"), AddFile(new, "y\n"))


def test_a_whole_folder_changes_its_case_or_none_of_it() -> None:
    files = {"src/a": b"1\n", "src/b": b"2\n"}
    assert contents(files, move("src/a", "Src/a"), move("src/b", "Src/b")) == {
        "Src/a": b"1\n",
        "Src/b": b"2\n",
        "src/a": None,
        "src/b": None,
    }
    assert "Src is the same name as src" in refusal(files, move("src/a", "Src/a"))


def test_a_project_that_has_both_names_may_go_on() -> None:
    files = {"a": b"1\n", "A": b"2\n", "d/x": b"3\n", "D/y": b"4\n"}
    assert contents(files, update("a", "-1", "+one")) == {"a": b"one\n"}
    assert contents(files, AddFile("d/new", "x\n"), AddFile("D/other", "y\n")) == {"d/new": b"x\n", "D/other": b"y\n"}
    assert "D/X is the same name as d/x" in refusal(files, AddFile("D/X", "x\n"))


def test_a_disk_that_does_not_count_case_answers_for_the_wrong_name(tmp_path: Path) -> None:
    # A hard link stands for what such a file system does: the same file under the other name.
    (tmp_path / "readme").write_bytes(b"1\n")
    os.link(tmp_path / "readme", tmp_path / "README")

    def read(path: str) -> FileChange | None:
        file = tmp_path / path
        return FileChange(file.read_bytes()) if file.exists() else None

    result = apply_operations([move("readme", "README")], read, {"readme"}, tmp_path)
    assert result == Result({"readme": FileChange(None, 0), "README": FileChange(b"1\n")}, {"README": "readme"})
    for operation in (update("README", "-1", "+2"), DeleteFile("README")):
        with pytest.raises(PatchRefusedError, match=r"README: there is no such file. Did you mean readme\?"):
            apply_operations([operation], read, {"readme"}, tmp_path)
    with pytest.raises(PatchRefusedError, match="README is the same name as readme"):
        apply_operations([AddFile("README", "x\n")], read, {"readme"}, tmp_path)


@pytest.mark.parametrize(
    ("path", "offered"),
    [
        ("a/src/shop/cart.py", "src/shop/cart.py"),
        ("b/src/shop/cart.py", "src/shop/cart.py"),
        ("project/src/shop/cart.py", "src/shop/cart.py"),
        ("shop/cart.py", "src/shop/cart.py or lib/cart.py"),
        ("cart.py", "lib/cart.py or src/shop/cart.py"),
        ("src/shop/Cart.py", "src/shop/cart.py"),
        ("src/shop/carts.py", "src/shop/cart.py"),
        ("src/shoop/cart.py", "src/shop/cart.py"),
    ],
)
def test_a_missing_file_is_never_taken_for_another_but_offered(path: str, offered: str) -> None:
    files = {"src/shop/cart.py": b"x\n", "lib/cart.py": b"y\n", "src/readme.md": b"x\n"}
    if path.endswith("/Cart.py") or "a/src" in path or "b/src" in path or "project" in path:
        del files["lib/cart.py"]
    assert f"Did you mean {offered}" in refusal(files, update(path, "-x", "+y"))
    assert f"Did you mean {offered}" in refusal(files, DeleteFile(path))


def test_modes() -> None:
    files: Files = {"a": b"1\n", "b": FileChange(b"\0", 0o100755), "c": b"3\n"}
    result = run(
        files,
        [
            UpdateFile("a", None, (), mode=0o100755),
            move("b", "d", mode=0o100644),
            UpdateFile("c", None, (hunk("-3", "+three"),), mode=0o100755),
            AddFile("e", "x\n", mode=0o100755),
        ],
    )
    assert {path: (change.data, change.mode) for path, change in result.changes.items()} == {
        "a": (b"1\n", 0o100755),
        "b": (None, 0),
        "c": (b"three\n", 0o100755),
        "d": (b"\0", 0o100644),
        "e": (b"x\n", 0o100755),
    }
    assert "changes nothing" in refusal({"a": b"1\n"}, UpdateFile("a", None, (), mode=0o100644))
    assert run({"a": b"1\n"}, [AddFile("a", "1\n", mode=0o100755)]).changes == {"a": FileChange(b"1\n", 0o100755)}


def shown(*lines: str) -> tuple[HunkLine, ...]:
    return tuple(HunkLine("-", line) for line in lines)


def test_a_file_is_deleted_only_when_it_holds_what_the_patch_shows() -> None:
    for data in (b"a\nb\n", b"a\nb", b"a\r\nb\r\n", b"\xef\xbb\xbfa\nb\n", b"\xff\xfea\0\n\0b\0"):
        assert contents({"f": data}, DeleteFile("f", lines=shown("a", "b"))) == {"f": None}
    assert contents({"f": b""}, DeleteFile("f", lines=())) == {"f": None}
    assert contents({"f": b"\0"}, DeleteFile("f")) == {"f": None}
    said = refusal({"f": b"a\nB\n"}, DeleteFile("f", lines=shown("a", "b")))
    assert "line 2 is 'B' in the file and 'b' in the patch" in said
    assert "line 2 is 'b ' in the file" in refusal({"f": b"a\nb \n"}, DeleteFile("f", lines=shown("a", "b")))
    assert "line 3 is 'c' in the file and nothing in the patch" in refusal(
        {"f": b"a\nb\nc\n"}, DeleteFile("f", lines=shown("a", "b"))
    )
    assert "line 1 is nothing in the file and 'a' in the patch" in refusal(
        {"f": b""}, DeleteFile("f", lines=shown("a"))
    )
    assert "is a binary file" in refusal({"f": b"\0"}, DeleteFile("f", lines=shown("a")))


class Counting(dict[str, FileChange]):
    """A tree that counts how often all its names are looked at."""

    def __init__(self, files: dict[str, FileChange]) -> None:
        super().__init__(files)
        self.passes = 0

    def __iter__(self) -> Iterator[str]:
        self.passes += 1
        return super().__iter__()


def test_the_names_of_a_large_project_are_gone_through_once_and_only_when_needed() -> None:
    tree = Counting({f"pkg{n % 300}/mod{n}.py": FileChange(b"x\n") for n in range(3_000)})
    updates = [update(f"pkg{n}/mod{n}.py", "-x", "+y") for n in range(100)]
    assert len(apply_operations([*updates, DeleteFile("pkg0/mod300.py")], tree.get, tree, PROJECT).changes) == 101
    assert tree.passes == 0
    adds = [AddFile(f"new{n}/deep/a.py", "x\n") for n in range(100)]
    moves = [move(f"pkg{n}/mod{n}.py", f"pkg{n}/moved.py") for n in range(100)]
    missing = [update(f"pkg{n}/none.py", "-x", "+y") for n in range(100)]
    apply_operations([*adds, *moves], tree.get, tree, PROJECT)
    assert tree.passes == 1
    with pytest.raises(PatchRefusedError):
        apply_operations([*adds, *moves, *missing, DeleteFile("pkg1")], tree.get, tree, PROJECT)
    assert tree.passes == 2


NAME = st.sampled_from(["a", "A", "b", "a/b", "A/c", "a/B", "b/a/c", "caf\u00e9", "cafe\u0301"])


@st.composite
def patches(draw: st.DrawFn) -> list[Operation]:
    kinds = st.one_of(
        st.builds(AddFile, NAME, st.sampled_from(["", "x\n"])),
        st.builds(DeleteFile, NAME),
        st.builds(move, NAME, NAME),
    )
    return draw(st.lists(kinds, min_size=1, max_size=6))


@settings(max_examples=200)
@given(files=st.dictionaries(NAME, st.sampled_from([b"1\n", b"2\n"]), max_size=4), operations=patches())
def test_a_patch_never_makes_a_tree_that_cannot_be(files: dict[str, bytes], operations: list[Operation]) -> None:
    try:
        result = run(files, operations)
    except PatchRefusedError:
        return
    after = {**files, **{path: change.data for path, change in result.changes.items()}}
    names = {path for path, data in after.items() if data is not None}
    new = names - files.keys()
    names_before = Names(frozenset(names))
    for path in new:
        assert not names_before.file_above(path)
        assert not names_before.is_folder(path)
        assert names_before.collision(path) is None or _was_so_before(path, files)
    for path, data in files.items():
        if after[path] != data:
            assert path in result.changes
    # The patch made of it says the same.
    tree = {path: FileChange(data) for path, data in files.items()}
    patch = make_patch(result.changes, tree.get, result.moves)
    assert set(patch.paths) == set(result.changes)


def _was_so_before(path: str, files: Mapping[str, bytes]) -> bool:
    """Whether the folder that makes a name collide was there beside its like already."""
    return any(other.startswith(f"{path.partition('/')[0]}/") for other in files)
