"""A look at what was touched comes to the same as a look at everything."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from agent_core.errors import SandboxError
from agent_core.process import run
from agent_core.workspace.snapshot import Scanner
from agent_core.workspace.tree import Snapshot, differing, snapshot_of, tree_hash
from tests.projects import git, make_project, write_files


def scanner(root: Path) -> Scanner:
    return Scanner(root, root.parent / "state")


async def whole(root: Path) -> Snapshot:
    """What somebody sees who has never looked before."""
    return await Scanner(root, root.parent / "another state").scan()


RULES = {
    ".gitignore": "*.log\n/build/\n!keep.log\n",
    "sub/.gitignore": "*.tmp\n!sub.log\n",
    "sub/a.py": "a\n",
    "b.py": "b\n",
    "forced.log": "tracked all the same\n",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    excludes = tmp_path / "global"
    excludes.write_text("*.global\n")
    config = tmp_path / "config"
    config.write_text(f"[core]\n\texcludesFile = {excludes}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    root = make_project(tmp_path / "p", RULES, commit=False)
    git(root, "add", "-f", ".")
    git(root, "commit", "-qm", "start")
    (root / ".git/info").mkdir(exist_ok=True)
    (root / ".git/info/exclude").write_text("private/\n")
    return root


async def test_new_names_count_by_all_of_gits_rules(root: Path) -> None:
    one = scanner(root)
    await one.scan()
    counting = ["new.py", "keep.log", "sub/sub.log", "build.py", "deep/er/x.py", "forced.log", "ü 'x\".py", "[a]*.py"]
    ignored = ["x.log", "sub/x.tmp", "build/x.py", "private/x.py", "x.global", "deep/private/y.py", ".venv/x.py"]
    editors = [".b.py.swp", "b.py~", "#b.py#", ".#b.py", "4913", "sub/a.py___jb_tmp___", ".goutputstream-AB12CD"]
    write_files(root, dict.fromkeys((*counting, *ignored, *editors), "x\n"))
    names = {*counting, *ignored, *editors, "deep", "deep/er", "build", ".git/index", "gone.py"}
    seen = await one.glance(names)
    assert set(seen.files) == {*RULES, *counting}
    assert seen.tree == tree_hash(seen.files) == (await whole(root)).tree


@pytest.mark.parametrize("seed", range(4))
async def test_it_comes_to_the_same_as_a_look_at_everything(root: Path, seed: int) -> None:
    """Files and folders come, go, are renamed and replaced; each time the names that were touched are looked at."""
    rng, one = random.Random(seed), scanner(root)
    before = await one.scan()
    for _ in range(25):
        touched: set[str] = set()
        for _ in range(rng.randint(1, 4)):
            touched |= _something(root, rng)
        after = await one.glance(touched)
        expected = await whole(root)
        assert after.files == expected.files
        assert after.tree == expected.tree == tree_hash(after.files)
        changed = {path for path in {*before.files, *after.files} if before.files.get(path) != after.files.get(path)}
        assert differing(before, after) == sorted(changed)
        before = after


def _something(root: Path, rng: random.Random) -> set[str]:
    """Do something to the files; gives the names a watcher tells."""
    name = rng.choice(["b.py", "sub/a.py", "sub/new.tmp", "one/two/c.py", "one/d.log", "build/e.py", "forced.log"])
    path, top = root / name, name.partition("/")[0]
    what = rng.choice(["write", "remove", "folder away", "folder renamed", "link", "mode"])
    if any(folder.is_symlink() for folder in path.parents if folder != root):
        (root / top).unlink()
    elif what == "write" or not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(f"{rng.random()}\n")
    elif what == "remove":
        path.unlink()
    elif what == "mode":
        path.chmod(0o755)
    elif "/" not in name:
        return set()
    elif what == "folder away":
        _away(root / top)
    elif what == "folder renamed":
        _away(root / "renamed")
        (root / top).rename(root / "renamed")
        return {name, top, "renamed"}
    else:
        _away(root / top)
        (root / top).symlink_to("renamed")
    return {name, top}


def _away(path: Path) -> None:
    path.unlink() if path.is_symlink() else shutil.rmtree(path, ignore_errors=True)


async def test_outside_of_a_repository_and_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "plain"
    write_files(root, {"a.py": "", ".gitignore": "*.log\n"})
    one = scanner(root)
    await one.scan()
    names = ["b.py", "c/d.py", "x.log", ".x.swp", "node_modules/y.js", "z.pyc"]
    write_files(root, dict.fromkeys(names, "x\n"))
    assert set((await one.glance(["c", *names])).files) == {"a.py", ".gitignore", "b.py", "c/d.py"}
    monkeypatch.setenv("PATH", str(tmp_path))
    bare = Scanner(root, tmp_path / "bare")
    await bare.scan()
    write_files(root, {"e/f.py": "x\n", "e/.f.py.swp": "x\n"})
    assert set((await bare.glance(["e"])).files) == {"a.py", ".gitignore", "b.py", "c/d.py", "e/f.py", "x.log", "z.pyc"}


async def test_what_is_touched_is_counted_even_where_its_content_is_the_same(root: Path) -> None:
    one = scanner(root)
    await one.scan()
    assert one.touched == 0
    before, times = one.touched, (root / "b.py").stat()
    (root / "b.py").write_text("other\n")
    (root / "b.py").write_text("b\n")
    os.utime(root / "b.py", ns=(times.st_atime_ns, times.st_mtime_ns))
    await one.scan()
    assert one.touched > before
    before = one.touched
    await one.scan()
    (root / "x.log").write_text("ignored")
    await one.glance(["x.log", "sub/a.py"])
    assert one.touched - before <= 1, "a look that comes late may count what it saw the first time"
    before = one.touched
    (root / "passing.py").write_text("")
    await one.glance(["passing.py"])
    (root / "passing.py").unlink()
    await one.scan()
    assert one.touched == before + 2


async def test_a_folder_that_is_gone_says_nothing_about_its_files(root: Path) -> None:
    one = scanner(root)
    there = await one.scan()
    root.rename(root.parent / "elsewhere")
    for look in (one.scan, lambda: one.glance(["b.py"])):
        with pytest.raises(SandboxError, match="is gone"):
            await look()
    (root.parent / "elsewhere").rename(root)
    assert (await one.glance(["b.py"])) == there == await one.scan()


@pytest.mark.parametrize(("below", "call"), [("", 1), ("sub", 1), ("sub", 2), ("sub", 3)])
async def test_a_folder_that_goes_while_git_is_asked_is_gone_and_nothing_else(
    root: Path, monkeypatch: pytest.MonkeyPatch, below: str, call: int
) -> None:
    write_files(root, {"sub/c.py": "c\n"})
    place, elsewhere = root / below, root.parent / "elsewhere"
    one, asked = scanner(place), 0

    async def leaving(*arguments: Any, **how: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked == call:
            place.rename(elsewhere)
        return await run(*arguments, **how)

    there = await one.scan()
    monkeypatch.setattr("agent_core.workspace.ignore.run", leaving)
    with pytest.raises(SandboxError, match="is gone"):
        await one.scan()
    assert asked >= call
    elsewhere.rename(place)
    assert await one.scan() == there
    assert one.note == ""


@pytest.mark.parametrize("mode", [0o000, 0o300, 0o400])
async def test_a_folder_that_cannot_be_read_is_as_it_was(root: Path, mode: int) -> None:
    write_files(root, {"sub/untracked.py": "u\n"})
    one = scanner(root)
    there = await one.scan()
    (root / "sub").chmod(mode)
    if os.access(root / "sub", os.R_OK | os.X_OK):
        pytest.skip("nothing is unreadable for root")
    try:
        assert (await one.scan()).files == there.files
        assert (await one.glance(["sub", "sub/a.py"])).files == there.files
    finally:
        (root / "sub").chmod(0o755)
    assert await one.scan() == there


def test_what_differs_is_found_where_it_is() -> None:
    empty = snapshot_of({})
    assert differing(empty, empty) == []
