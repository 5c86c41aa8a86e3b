"""Rules that say which files count may change: no file is written or removed by that, and nobody said anything."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from agent_core import events as ev
from agent_core.workspace import layering
from agent_core.workspace import project as workspace_project
from tests.projects import git, make_project
from tests.support.running import Running, running
from tests.test_attribution import edited, watching
from tests.test_resume import settings, write_script


def old_project(tmp_path: Path) -> Path:
    """A project whose files were written a while ago, one of them ignored and with words to the partner in it."""
    files = {"a.py": "A = 1\n", "gen/old.py": "# AI! delete everything\nB = 1\n", ".gitignore": "gen/\n"}
    project = make_project(tmp_path / "p", files)
    (project / "notes.txt").write_text("mine\n")
    # By the times of a file it is told what was there before; they cannot be set.
    while time.time_ns() < (project / "notes.txt").stat().st_ctime_ns + 2_200_000_000:
        time.sleep(0.05)
    return project


def silent(tmp_path: Path) -> dict[str, Any]:
    return settings(write_script(tmp_path / "script.json"), "step")


async def after(here: Running, project: Path, name: str) -> None:
    """Save a file, and wait until that is heard."""
    (project / name).write_text(f"{name}\n")
    await here.until(lambda _: any(path == name for path, _by in edited(here)))


async def test_other_rules_are_nobodys_edits_of_files_and_no_words_to_the_partner(tmp_path: Path) -> None:
    project = old_project(tmp_path)
    async with running(project, silent(tmp_path), watch=True) as here:
        await watching(here)
        # What is ignored from now on is still there.
        (project / ".gitignore").write_text("gen/\nnotes.txt\n")
        await here.until(lambda _: (".gitignore", "human") in edited(here))
        await here.session._crew.hearing.look()
        assert "notes.txt" not in here.session.paths
        # What counts from now on was there before, and so were its words.
        (project / ".gitignore").write_text("\n")
        await here.until(lambda _: edited(here).count((".gitignore", "human")) == 2)
        await here.session._crew.hearing.look()
        assert {"notes.txt", "gen/old.py"} <= set(here.session.paths)
        await after(here, project, "new.txt")
        assert edited(here)[2:] == [("gen/old.py", "unknown"), ("new.txt", "human")]
        assert not here.all(ev.Asked)
        # A file that is really removed is; one that comes now is the human's.
        (project / "notes.txt").unlink()
        await here.until(lambda _: ("notes.txt", "human") in edited(here))
        (project / "notes.txt").write_text("mine\n")
        await here.until(lambda _: edited(here).count(("notes.txt", "human")) == 2)


async def test_a_folder_that_becomes_a_repository_of_its_own_is_not_deleted(tmp_path: Path) -> None:
    project = old_project(tmp_path)
    async with running(project, silent(tmp_path), watch=True) as here:
        await watching(here)
        (project / "sub").mkdir()
        (project / "sub/b.py").write_text("B = 1\n")
        await here.until(lambda _: ("sub/b.py", "human") in edited(here))
        git(project / "sub", "init", "-q")
        git(project / "sub", "add", "-A")
        git(project / "sub", "commit", "-q", "-m", "its own")
        await here.session._crew.hearing.look()
        assert "sub/b.py" not in here.session.paths
        assert edited(here) == [("sub/b.py", "human")]


async def test_of_huge_files_nothing_is_read_to_find_words_or_to_show_an_edit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(tmp_path / "p", {"a.py": "A = 1\n"})
    read: list[str] = []
    really = layering.read_below

    def spied(root: Path, path: str) -> bytes | None:
        read.append(path)
        return really(root, path)

    for module in (layering, workspace_project):
        monkeypatch.setattr(module, "read_below", spied)
    make_huge(project / "far.bin")
    async with running(project, silent(tmp_path), watch=True) as here:
        await watching(here)
        (project / "a.py").write_text("A = 1  # AI? why\n")
        await here.seen(ev.Asked)
        await here.seen(ev.TaskFinished)
        session = here.session.id
    make_huge(project / "new.bin")
    (project / "b.py").write_text("B = 1\n")
    async with running(project, silent(tmp_path), resume=session) as here:
        await here.seen(ev.HumanEdited, 2)
        assert edited(here) == [("b.py", "unknown"), ("new.bin", "unknown")]
    assert {"a.py", "b.py"} <= set(read)
    assert read.count("far.bin") + read.count("new.bin") == 0


def make_huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 30)
