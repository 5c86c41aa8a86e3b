"""The watcher keeps to the folders that count, whatever becomes of them, and says when it cannot."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from agent_core.workspace.watched import Watched
from agent_core.workspace.watcher import Watcher
from tests.projects import git, make_project, write_files
from tests.workspace.test_watcher import listening


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {"a.py": "", "sub/b.py": "", ".gitignore": "build/\n*.log\n", "build/x/y.py": ""}
    root = make_project(tmp_path / "p", files)
    (root / "empty" / "deeper").mkdir(parents=True)
    return root


def watcher(root: Path, *, leisure: float = 60) -> Watcher:
    return Watcher(root, root.parent / "state", print, leisure=leisure)


async def test_what_is_watched(root: Path) -> None:
    make_project(root / "nested", {"own.py": "", "deep/own.py": ""})
    write_files(root, {"venv/x.py": "", "logs/only.log": "", "new/deep/c.py": ""})
    ground = await Watched(root, root.parent / "state").all()
    names = {str(folder.relative_to(root)) for folder in ground.folders}
    assert names == {".", "sub", "empty", "empty/deeper", "nested", "logs", "new", "new/deep", "venv"}
    assert [(folder.relative_to(root).as_posix(), name) for folder, name in ground.git] == [
        (".git", ""),
        (".git/info", "info/"),
    ]


async def test_a_file_in_a_folder_that_was_empty_is_heard(root: Path) -> None:
    async with listening(watcher(root)) as heard:
        (root / "empty" / "deeper" / "c.py").write_text("new")
        await heard.until("empty/deeper/c.py")


async def test_a_folder_named_as_dependencies_are_is_heard_where_its_files_count(root: Path) -> None:
    write_files(root, {"venv/x.py": ""})
    async with listening(watcher(root)) as heard:
        (root / "venv" / "x.py").write_text("changed")
        await heard.until("venv/x.py")


async def test_a_new_folder_that_git_ignores_is_not_watched(root: Path) -> None:
    shutil.rmtree(root / "build")
    async with listening(watcher(root)) as heard:
        write_files(root, {"build/deep/c.py": "", "one/build/d.py": "", "one/kept/e.py": ""})
        await heard.until_wholes(1)
        (root / "build" / "deep" / "c.py").write_text("noise")
        (root / "one" / "build" / "d.py").write_text("noise")
        (root / "one" / "kept" / "e.py").write_text("signal")
        await heard.until("one/kept/e.py")
        assert heard.paths.isdisjoint({"build/deep/c.py", "one/build/d.py"})


async def test_top_folders_that_come_and_go_and_become_links(root: Path, tmp_path: Path) -> None:
    write_files(tmp_path / "outside", {"c.py": ""})
    async with listening(watcher(root)) as heard:
        for number in range(3):
            (root / "top").mkdir()
            await heard.until_wholes(number + 1)
            (root / "top" / f"{number}.py").write_text("x")
            await heard.until(f"top/{number}.py")
            shutil.rmtree(root / "top")
            heard.paths.discard("top")
            await heard.until("top")
        (root / "sub").rename(root / "moved")
        (root / "sub").symlink_to(tmp_path / "outside")
        await heard.until("sub", "moved")
        await heard.until_wholes(4)
        (tmp_path / "outside" / "c.py").write_text("not ours")
        (root / "moved" / "b.py").write_text("x")
        await heard.until("moved/b.py")
        assert "sub/c.py" not in heard.paths


async def test_what_git_does_is_told_by_gits_own_names(root: Path) -> None:
    async with listening(watcher(root)) as heard:
        git(root, "checkout", "-q", "-b", "topic")
        await heard.until(".git/HEAD")
        git(root, "add", "-f", "build/x/y.py")
        await heard.until(".git/index")
        # What counts is another matter by now.
    async with listening(watcher(root, leisure=0.1)) as heard:
        await heard.until_wholes(1)
        (root / ".git/info").mkdir(exist_ok=True)
        (root / ".gitignore").write_text("")
        await heard.until_wholes(2)
        git(root, "rm", "-q", "--cached", "a.py")
        await heard.until_wholes(3)
        assert not any(path.endswith(".lock") or "/logs" in path for path in heard.paths)


async def test_in_a_linked_work_tree(root: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    git(root, "worktree", "add", "-q", str(linked), "-b", "other")
    async with listening(Watcher(linked, tmp_path / "state", leisure=60)) as heard:
        git(linked, "checkout", "-q", "-b", "third")
        await heard.until(".git/HEAD")
        (linked / "a.py").write_text("x")
        await heard.until("a.py")


async def test_a_project_that_becomes_a_repository(tmp_path: Path) -> None:
    root = tmp_path / "plain"
    write_files(root, {"a.py": "", "deep/b.py": ""})
    async with listening(watcher(root, leisure=0.1)) as heard:
        await heard.until_wholes(1)
        git(root, "init", "-q")
        await heard.until_wholes(2)
        git(root, "add", "a.py")
        await heard.until(".git/index")
        (root / "deep/b.py").write_text("x")
        await heard.until("deep/b.py")


async def test_a_burst_asks_for_a_look_at_everything_when_it_is_over(root: Path) -> None:
    async with listening(watcher(root, leisure=0.2)) as heard:
        await heard.until_wholes(1)
        before = heard.wholes

        def burst() -> None:
            for number in range(10_000):
                (root / "sub" / f"{number}.py").touch()

        await asyncio.to_thread(burst)
        await heard.until_wholes(before + 1)
        (root / "a.py").write_text("after it")
        await heard.until("a.py")
    assert heard.largest > 200


async def test_a_project_that_is_away_for_a_moment_is_heard_again(root: Path) -> None:
    async with listening(watcher(root)) as heard:
        root.rename(root.parent / "elsewhere")
        (root.parent / "elsewhere").rename(root)
        await heard.until_wholes(1)
        for name in ("a.py", "sub/b.py"):
            (root / name).write_text("heard")
            await heard.until(name)


@pytest.mark.parametrize("how", ["renamed", "removed", "replaced", "its folder renamed"])
async def test_the_project_itself_goes_and_comes_back(tmp_path: Path, how: str) -> None:
    root = make_project(tmp_path / "outer" / "p", {"a.py": "", "sub/b.py": ""})
    notes: list[str] = []
    told = asyncio.Event()

    def note(text: str) -> None:
        notes.append(text)
        told.set()

    async with listening(Watcher(root, tmp_path / "state", note, leisure=60)) as heard:
        if how == "its folder renamed":
            (tmp_path / "outer").rename(tmp_path / "elsewhere")
            # Nothing tells of that; the next save does.
            (tmp_path / "elsewhere" / "p" / "a.py").write_text("saved there")
        elif how == "removed":
            shutil.rmtree(root)
        else:
            root.rename(tmp_path / "elsewhere")
        if how != "replaced":
            await asyncio.wait_for(told.wait(), 30)
            assert "is gone" in notes[0]
            assert str(root) in notes[0]
            assert not root.exists(), "it is not made again"
            (tmp_path / "outer").mkdir(exist_ok=True)
        wholes = heard.wholes
        make_project(root, {"a.py": "another", "sub/b.py": ""})
        await heard.until_wholes(wholes + 1)
        if how != "replaced":
            assert "is back" in notes[1]
        heard.paths.clear()
        (root / "sub" / "b.py").write_text("heard")
        await heard.until("sub/b.py")
