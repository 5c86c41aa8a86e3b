"""Snapshots say what is in the files, whatever git, times and links do."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_core.process import run
from agent_core.workspace.sighting import hash_file
from agent_core.workspace.snapshot import Edit, Scanner, edits
from agent_core.workspace.tree import FileState, Snapshot, content_hash, tree_hash
from tests.projects import git, make_project, write_files


def scanner(root: Path) -> Scanner:
    return Scanner(root, root.parent / "state")


async def test_what_counts_in_a_repository(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {".gitignore": "*.log\n", "a.py": "a\n", "sub/b.py": "b\n", "gone.py": ""})
    write_files(root, {"new.py": "n\n", "x.log": "ignored\n", "ü é.txt": "u\n"})
    (root / "gone.py").unlink()
    (root / "tool").write_text("t")
    (root / "tool").chmod(0o755)
    (root / "link").symlink_to("nowhere/at all")
    taken = await scanner(root).scan()
    assert dict(taken.files) == {
        ".gitignore": FileState(content_hash(b"*.log\n"), 0o100644),
        "a.py": FileState(content_hash(b"a\n"), 0o100644),
        "sub/b.py": FileState(content_hash(b"b\n"), 0o100644),
        "new.py": FileState(content_hash(b"n\n"), 0o100644),
        "ü é.txt": FileState(content_hash(b"u\n"), 0o100644),
        "tool": FileState(content_hash(b"t"), 0o100755),
        "link": FileState(content_hash(b"nowhere/at all"), 0o120000),
    }
    assert taken.tree == tree_hash(taken.files)


async def test_repositories_in_every_state(tmp_path: Path) -> None:
    empty = make_project(tmp_path / "empty", {}, commit=False)
    assert dict((await scanner(empty).scan()).files) == {}
    root = make_project(tmp_path / "p", {"a.py": "1\n"})
    first = await scanner(root).scan()
    git(root, "checkout", "-q", "-b", "side")
    write_files(root, {"a.py": "2\n"})
    git(root, "commit", "-qam", "two")
    git(root, "checkout", "-q", "main")
    write_files(root, {"a.py": "3\n"})
    git(root, "commit", "-qam", "three")
    git(root, "checkout", "-q", "--detach", "HEAD~")
    assert (await scanner(root).scan()).tree == first.tree
    git(root, "checkout", "-q", "side")
    conflict = await run(("git", "rebase", "-q", "main"), cwd=root, timeout=30)
    assert conflict.code != 0
    during = await scanner(root).scan()
    assert during.files["a.py"].hash == content_hash((root / "a.py").read_bytes())
    assert list(during.files) == ["a.py"]
    git(root, "rebase", "--abort")
    git(root, "worktree", "add", "-q", str(tmp_path / "linked"), "main")
    assert (await scanner(tmp_path / "linked").scan()).files["a.py"].hash == content_hash(b"3\n")


async def test_what_is_not_a_file_of_the_project(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a/x.py": "inside\n", "b.py": ""})
    make_project(root / "nested", {"own.py": ""})
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(root / "nested"), "module")
    os.mkfifo(root / "pipe")
    outside = tmp_path / "outside"
    write_files(outside, {"x.py": "outside\n"})
    shutil.rmtree(root / "a")
    (root / "a").symlink_to(outside)
    taken = await scanner(root).scan()
    assert set(taken.files) == {"b.py", "a", ".gitmodules"}


async def test_a_plain_folder_by_gits_rules(tmp_path: Path) -> None:
    root = tmp_path / "plain"
    write_files(
        root, {"a.py": "", ".gitignore": "*.secret\n", "k.secret": "", ".venv/x.py": "", "d/__pycache__/x.pyc": ""}
    )
    one = scanner(root)
    assert set((await one.scan()).files) == {"a.py", ".gitignore"}
    assert (one.kind, one.note) == ("folder", "")
    assert not (root / ".git").exists()
    assert await one.lister.ignored() == (".venv/", "d/", "k.secret")


async def test_what_nobody_writes_by_hand_is_no_part_of_a_repository_without_a_rule_for_it(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.py": "", "node_modules/kept.js": ""})
    installed = {".venv/pyvenv.cfg": "", ".venv/lib/x.py": "", "my [env]/pyvenv.cfg": "", "my [env]/lib/x.py": ""}
    made = {"d/__pycache__/x.pyc": "", "node_modules/y.js": ""}
    write_files(root, {**installed, **made, "venv/new.py": "", "d/new.py": ""})
    one = scanner(root)
    assert set((await one.scan()).files) == {"a.py", "node_modules/kept.js", "venv/new.py", "d/new.py"}
    assert await one.lister.ignored() == (".venv/", "d/__pycache__/", "my [env]/", "node_modules/y.js")


async def test_cancelled_it_reads_no_further(tmp_path: Path) -> None:
    root = tmp_path / "plain"
    write_files(root, {"0": ""})
    os.truncate(root / "0", 45_000_000)
    for number in range(1, 250):
        (root / str(number)).hardlink_to(root / "0")
    task = asyncio.create_task(scanner(root).scan())
    while not any(one.name.startswith("asyncio_") for one in threading.enumerate()):  # noqa: ASYNC110 - no event is set
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # The program could not end before the thread does.
    await asyncio.wait_for(asyncio.get_running_loop().shutdown_default_executor(), 3)


@pytest.mark.skipif(not Path("/proc/self/pagemap").exists(), reason="a file without an end")
def test_a_file_without_an_end_is_a_huge_one() -> None:
    info = os.lstat("/proc/self/pagemap")
    assert info.st_size == 0
    assert hash_file("/proc/self/pagemap", info)[0].startswith("big-")


async def test_a_repository_around_that_ignores_the_folder(tmp_path: Path) -> None:
    home = make_project(tmp_path / "home", {".gitignore": "*\n"}, commit=False)
    write_files(home / "work", {"a.py": ""})
    assert set((await scanner(home / "work").scan()).files) == {"a.py"}
    # What it tracks itself counts all the same.
    git(home, "add", "-f", "work/a.py")
    write_files(home, {"b.py": ""})
    assert set((await scanner(home).scan()).files) == {"work/a.py"}


async def test_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "plain"
    write_files(root, {"a.py": "", "d/b.py": "", "node_modules/x.js": "", "d/__pycache__/x.pyc": ""})
    (root / "to").symlink_to(root / "d")
    monkeypatch.setenv("PATH", str(tmp_path))
    one = scanner(root)
    assert set((await one.scan()).files) == {"a.py", "d/b.py", "to"}
    assert "git is not installed" in one.note
    assert await one.lister.ignored() == ("node_modules/", "d/__pycache__/")


async def test_a_broken_repository_is_a_plain_folder(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.py": ""})
    (root / ".git" / "config").write_text("[broken\n")
    one = scanner(root)
    assert set((await one.scan()).files) == {"a.py"}
    assert "git refuses" in one.note


async def test_an_outer_git_command_does_not_mislead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = make_project(tmp_path / "other", {"other.py": ""})
    root = make_project(tmp_path / "p", {"a.py": ""})
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
    assert set((await scanner(root).scan()).files) == {"a.py"}


async def test_a_change_in_the_same_tick_is_seen(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.py": "0000\n"})
    one = scanner(root)
    seen = set()
    for number in range(30):
        # Same size, same inode, and the times put back: only the content tells.
        (root / "a.py").write_text(f"{number:04}\n")
        os.utime(root / "a.py", ns=(10**18, 10**18))
        seen.add((await one.scan()).tree)
    assert len(seen) == 30


async def test_untouched_files_are_not_read_again(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {f"f{number}.py": f"{number}\n" for number in range(250)})
    first = await scanner(root).scan()
    again = scanner(root)
    assert (await again.scan()).tree == first.tree
    # A second process remembers what was old enough to be trusted, and survives a damaged memory.
    (tmp_path / "state" / "hashes.msgpack").write_bytes(b"\xc1 not msgpack")
    assert (await scanner(root).scan()).tree == first.tree


async def test_huge_files_change_the_tree(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.py": ""})
    with (root / "huge.bin").open("wb") as file:
        file.truncate(60_000_000)
    before = await scanner(root).scan()
    os.utime(root / "huge.bin", ns=(5, 5))
    after = await scanner(root).scan()
    assert [edit.path for edit in edits(before, after)] == ["huge.bin"]


NAMES = st.sampled_from(["a", "b.py", "d/c", "d/e/f", "ö ' \" \n$x", "-rf"])
DATA = st.binary(max_size=3)
FILES = st.dictionaries(NAMES, st.tuples(DATA, st.booleans()), max_size=4)


def _put(root: Path, files: Mapping[str, tuple[bytes, bool]]) -> None:
    for entry in root.iterdir():
        if entry.name != ".git":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for name, (data, runs) in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o755 if runs else 0o644)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("repository") / "p", {}, commit=False)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=FILES, after=FILES)
async def test_the_hash_changes_exactly_when_the_content_does(
    repository: Path, before: dict[str, tuple[bytes, bool]], after: dict[str, tuple[bytes, bool]]
) -> None:
    one = scanner(repository)
    _put(repository, before)
    first = await one.scan()
    _put(repository, after)
    second = await one.scan()
    assert (first.tree == second.tree) == (before == after)
    expected = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    found = edits(first, second)
    assert {edit.path for edit in found} == expected
    assert [edit.path for edit in found] == sorted(expected)


def test_edits_name_what_happened() -> None:
    def state(text: str, mode: int = 0o100644) -> FileState:
        return FileState(content_hash(text.encode()), mode)

    before = Snapshot("1", {"same": state("s"), "gone": state("g"), "mode": state("m"), "text": state("old")})
    after = Snapshot("2", {"same": state("s"), "new": state("n"), "mode": state("m", 0o100755), "text": state("new")})
    sha = {text: content_hash(text.encode()) for text in ("g", "m", "n", "old", "new")}
    assert edits(before, after) == (
        Edit("gone", "deleted", sha["g"], None),
        Edit("mode", "changed", sha["m"], sha["m"]),
        Edit("new", "added", None, sha["n"]),
        Edit("text", "changed", sha["old"], sha["new"]),
    )
    assert edits(after, after) == ()
