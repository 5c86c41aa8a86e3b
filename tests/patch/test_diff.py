from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_core.patch import line_diff
from agent_core.patch.diff import make_blocks, make_patch, split_lines, unified
from agent_core.patch.line_diff import Change, changed_ranges
from agent_core.patch.model import Patch
from agent_core.workspace.tree import FileChange, content_hash
from tests.projects import git
from tests.support.counting import count_lines

Files = dict[str, FileChange]


def patch_of(before: Files, after: Files, moves: dict[str, str] | None = None) -> Patch:
    changes = {path: after.get(path, FileChange(None)) for path in before.keys() | after.keys()}
    changes = {path: change for path, change in changes.items() if before.get(path) != change}
    return make_patch(changes, before.get, moves or {})


def contents(*trees: Files) -> dict[str, bytes]:
    return {content_hash(f.data): f.data for tree in trees for f in tree.values() if f.data is not None}


def text(data: str, mode: int = 0o100644) -> FileChange:
    return FileChange(data.encode(), mode)


def test_kinds_hashes_modes_and_blocks() -> None:
    before = {"a": text("1\n2\n3\n"), "b": text("x\n"), "c": text("m\n", 0o100755), "same": text("s\n")}
    after = {"a": text("1\nTWO\n3\n"), "d/c": text("m\nn\n", 0o100755), "new": text("n\n"), "same": text("s\n")}
    patch = patch_of(before, after, {"d/c": "c"})
    assert [(f.path, f.kind, f.moved_from) for f in patch.files] == [
        ("a", "update", None),
        ("b", "delete", None),
        ("d/c", "move", "c"),
        ("new", "add", None),
    ]
    a, b, c, new = patch.files
    assert (a.before, a.after) == (content_hash(b"1\n2\n3\n"), content_hash(b"1\nTWO\n3\n"))
    assert (b.after, b.after_mode, b.before_mode) == (None, 0, 0o100644)
    assert (c.before_mode, c.after_mode, c.added, c.removed) == (0o100755, 0o100755, 1, 0)
    assert (new.before, new.before_mode) == (None, 0)
    (block,) = a.blocks
    assert (block.old_start, block.new_start, block.removed, block.added) == (2, 2, ("2\n",), ("TWO\n",))
    assert patch.paths == ("a", "b", "c", "d/c", "new")


def test_files_that_stay_as_they_are_are_left_out() -> None:
    same = {"a": text("x\n")}
    assert make_patch(same, same.get, {}).files == ()
    assert make_patch({"gone": FileChange(None)}, same.get, {}).files == ()


def test_a_change_of_mode_alone() -> None:
    patch = patch_of({"a": text("x\n")}, {"a": text("x\n", 0o100755)})
    assert patch.files[0].blocks == ()
    assert "old mode 100644\nnew mode 100755\n" in unified(patch, contents().__getitem__)


def test_block_ids_are_stable_and_distinct() -> None:
    first = make_blocks("f", b"a\nb\nc\nd\ne\n", b"a\nX\nc\nX\ne\n")
    shifted = make_blocks("f", b"0\n0\na\nb\nc\nd\ne\n", b"0\n0\na\nX\nc\nX\ne\n")
    assert [block.id for block in first] == [block.id for block in shifted]
    equal = make_blocks("f", b"a\nb\na\nb\n", b"a\nX\na\nX\n")
    assert len({block.id for block in equal}) == len(equal) == 2
    assert make_blocks("g", b"a\nb\n", b"a\nX\n")[0].id != make_blocks("f", b"a\nb\n", b"a\nX\n")[0].id


@pytest.mark.parametrize("data", [b"a\0b", b"\xff\xfe"])
def test_binary_files_have_no_blocks_and_can_be_journalled(data: bytes) -> None:
    patch = patch_of({"a": FileChange(data)}, {"a": text("x\n")})
    assert patch.files[0].blocks == ()
    assert "Binary files a/a and b/a differ" in unified(patch, contents().__getitem__)
    assert msgspec.json.decode(msgspec.json.encode(patch), type=Patch) == patch


LINE = st.sampled_from(["", "a", "b", "c", "d\r", "\x0c", "\u2028", "e f"])


@st.composite
def contents_of_files(draw: st.DrawFn) -> str:
    lines = draw(st.lists(LINE, max_size=25))
    ended = draw(st.booleans())
    return "\n".join(lines) + "\n" * (bool(lines) and ended)


@settings(max_examples=300)
@given(st.lists(LINE, max_size=40), st.lists(LINE, max_size=40))
def test_changed_ranges_turn_one_text_into_the_other(old: list[str], new: list[str]) -> None:
    check_changes(old, new, changed_ranges(old, new))


def check_changes(old: list[str], new: list[str], changes: list[Change]) -> None:
    out: list[str] = []
    at = 0
    previous_end = -1
    for a, b, c, d in changes:
        assert a > previous_end
        assert a < b or c < d
        out += old[at:a]
        assert len(out) == c
        out += new[c:d]
        at = previous_end = b
    assert out + old[at:] == new


@settings(max_examples=40)
@given(
    old=st.dictionaries(st.sampled_from(["a", "b c", "d/e"]), contents_of_files(), max_size=3),
    new=st.dictionaries(st.sampled_from(["a", "b c", "d/e"]), contents_of_files(), max_size=3),
)
def test_git_applies_the_unified_diff(
    old: dict[str, str], new: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    before, after = ({path: text(data) for path, data in tree.items()} for tree in (old, new))
    diff = unified(patch_of(before, after), contents(before, after).__getitem__)
    root = tmp_path_factory.mktemp("tree")
    check_with_git(root, before, after, diff)


MODES = st.sampled_from([0o100644, 0o100755])
TREES = st.dictionaries(
    st.sampled_from(["a", "b c", "d/e", "d/\u00e9", "f"]), st.builds(text, contents_of_files(), MODES), max_size=4
)


@settings(max_examples=60)
@given(before=TREES, after=TREES, data=st.data())
def test_git_applies_moves_and_modes(
    before: Files, after: Files, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    gone, new = sorted(before.keys() - after.keys()), sorted(after.keys() - before.keys())
    moves = dict(zip(new, data.draw(st.permutations(gone)), strict=False))
    # What is moved has mostly much in common with what it was.
    for path, old in moves.items():
        if data.draw(st.booleans()):
            after[path] = FileChange(before[old].data, after[path].mode)
    diff = unified(patch_of(before, after, moves), contents(before, after).__getitem__)
    check_with_git(tmp_path_factory.mktemp("tree"), before, after, diff)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_git_applies_a_file_that_becomes_a_folder_and_back(ending: str, tmp_path: Path) -> None:
    lines = [f"line {n}{ending}" for n in range(9)]
    one, other = {"x": text("".join(lines))}, {"x/y": text("".join([*lines[:4], "new", ending, *lines[5:]]))}
    for number, (before, after) in enumerate(((one, other), (other, one))):
        moves = dict(zip(after, before, strict=True))
        for root, moved in ((f"plain{number}", {}), (f"moved{number}", moves)):
            (tmp_path / root).mkdir()
            diff = unified(patch_of(before, after, moved), contents(before, after).__getitem__)
            check_with_git(tmp_path / root, before, after, diff)


def check_with_git(root: Path, before: Files, after: Files, diff: str) -> None:
    for path, change in before.items():
        assert change.data is not None
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(change.data)
        (root / path).chmod(change.mode & 0o777)
    if diff:
        subprocess.run(["git", "apply", "-"], cwd=root, input=diff.encode(), check=True)
    found = {p.relative_to(root).as_posix(): p for p in root.rglob("*") if p.is_file()}
    assert {path: p.read_bytes() for path, p in found.items()} == {path: c.data for path, c in after.items()}
    assert {path: p.stat().st_mode & 0o100 for path, p in found.items()} == {
        p: c.mode & 0o100 for p, c in after.items()
    }


def test_git_applies_renames_modes_empty_files_and_odd_names(tmp_path: Path) -> None:
    long = "".join(f"line {n}\n" for n in range(30))
    before = {"old name": text(long), 'quo"te\t': text("x\n"), "run": text("r\n"), "empty": text("")}
    after = {
        "new/na\u00efve": text(long.replace("line 15", "LINE 15")),
        'quo"te\t': text("y"),
        "run": text("r\ns\n", 0o100755),
        "fresh": text(""),
    }
    diff = unified(patch_of(before, after, {"new/na\u00efve": "old name"}), contents(before, after).__getitem__)
    assert "rename from old name\nrename to new/na\u00efve\n" in diff
    assert "\\ No newline at end of file" in diff
    check_with_git(tmp_path, before, after, diff)


def test_a_file_moved_in_the_place_of_another_is_an_update() -> None:
    before = {"a": text("1\n"), "b": text("2\n")}
    patch = patch_of(before, {"b": text("1\n")}, {"b": "a"})
    assert [(file.path, file.kind, file.moved_from) for file in patch.files] == [
        ("a", "delete", None),
        ("b", "update", None),
    ]


@pytest.mark.parametrize(("codec", "mark"), [("shift_jis", ""), ("utf-16-le", "\ufeff"), ("utf-32-be", "\ufeff")])
def test_texts_in_any_encoding_are_shown_as_text(codec: str, mark: str) -> None:
    old, new = (f"{mark}# coding: shift_jis\n{char}\nx".encode(codec) for char in "\u8868\u4e88")
    before, after = {"f": FileChange(old)}, {"f": FileChange(new), "g": FileChange(new)}
    patch = patch_of(before, after)
    (block,) = patch.files[0].blocks
    assert (block.old_start, block.removed, block.added) == (2, ("\u8868\n",), ("\u4e88\n",))
    diff = unified(patch, contents(before, after).__getitem__)
    changed = f"@@ -1,3 +1,3 @@\n {mark}# coding: shift_jis\n-\u8868\n+\u4e88\n x\n\\ No newline at end of file\n"
    added = f"@@ -0,0 +1,3 @@\n+{mark}# coding: shift_jis\n+\u4e88\n+x\n\\ No newline at end of file\n"
    assert changed in diff
    assert diff.endswith(added)


def test_another_encoding_is_a_change_of_the_whole_file() -> None:
    latin = "# coding: latin-1\n\u00e9\n".encode("latin-1")
    assert make_blocks("f", latin, latin.decode("latin-1").encode()) == ()
    assert make_blocks("f", b"a\n", "\ufeffa\n".encode("utf-16-le")) == ()
    (block,) = make_blocks("f", latin, b"x\n")
    assert block.added == ("x\n",)
    # A mark of UTF-8 is part of the first line.
    (block,) = make_blocks("f", b"a\n", b"\xef\xbb\xbfa\n")
    assert (block.removed, block.added) == (("a\n",), ("\ufeffa\n",))


def test_the_diff_reads_like_gits(tmp_path: Path) -> None:
    before = {"a": text("".join(f"{n}\n" for n in range(40)))}
    after = {"a": text("".join(f"{n}{'!' * (n in {5, 11, 30})}\n" for n in range(40)))}
    diff = unified(patch_of(before, after), contents(before).__getitem__)
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_bytes(before["a"].data or b"")
    git(tmp_path, "add", "a")
    (tmp_path / "a").write_bytes(after["a"].data or b"")
    wanted = git(tmp_path, "diff", "--no-color").splitlines()
    assert diff.splitlines() == [line for line in wanted if not line.startswith("index ")]


@settings(max_examples=300)
@given(st.lists(LINE, max_size=40), st.lists(LINE, max_size=40))
def test_large_gaps_are_compared_as_exactly(old: list[str], new: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(line_diff, "_MOST_PAIRS", 0)
        changes = changed_ranges(old, new)
    check_changes(old, new, changes)


def test_long_files_are_compared_quickly() -> None:
    old = [f"    value_{n % 50} = {n % 200}\n" for n in range(30_000)]
    new = list(old)
    for at in range(0, 30_000, 997):
        new[at] = f"changed {at}\n"
    changes, count = count_lines(lambda: changed_ranges(old, new))
    assert sum(d - c for _, _, c, d in changes) < 5_000
    # Comparing every line with every other one takes nearly a thousand million.
    assert count < 300_000


def test_lines_end_at_newlines_only() -> None:
    assert split_lines("a\r\nb\x0cc\u2028d\ne") == ["a\r\n", "b\x0cc\u2028d\n", "e"]
    assert split_lines("") == []
