"""That git knows a folder is remembered for as long as it is so: a list is always the one a first look would give."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent_core.process import Completed
from agent_core.process import run as carry_out
from agent_core.workspace.ignore import Lister
from tests.projects import git, make_project

pytestmark = pytest.mark.usefixtures("private_home")


def _none(_: Path) -> None:
    """Nothing changes."""


def _gone(root: Path) -> None:
    shutil.rmtree(root / ".git")


def _broken(root: Path) -> None:
    (root / ".git" / "HEAD").unlink()


def _of_nowhere(root: Path) -> None:
    (root / ".git" / "HEAD").write_text("nothing that git understands\n")


def _bare(root: Path) -> None:
    git(root, "config", "core.bare", "true")


def _elsewhere(root: Path) -> None:
    (root.parent / "other").mkdir()
    git(root, "config", "core.worktree", str(root.parent / "other"))


def _linked(root: Path) -> None:
    (root / ".git").rename(root.parent / "kept.git")
    (root / ".git").write_text(f"gitdir: {root.parent / 'kept.git'}\n")


def _linked_to_nothing(root: Path) -> None:
    _linked(root)
    (root.parent / "kept.git").rename(root.parent / "moved.git")


def _begun_anew(root: Path) -> None:
    _gone(root)
    git(root, "init", "-q")


def _commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-qm", "more")


CHANGES = (
    _none,
    _gone,
    _broken,
    _of_nowhere,
    _bare,
    _elsewhere,
    _linked,
    _linked_to_nothing,
    _begun_anew,
    _commit,
)


@pytest.mark.parametrize("change", CHANGES)
async def test_whatever_becomes_of_the_repository(tmp_path: Path, change: Callable[[Path], None]) -> None:
    # One around it that knows the folder would be asked in its place.
    git(tmp_path, "init", "-q")
    root = make_project(tmp_path / "project", {"a.py": "", ".gitignore": "left\n", "left": ""})
    known = Lister(root, tmp_path / "state")
    before = await known.files()
    assert before.kind == "repository"
    assert set(before.paths) == {"a.py", ".gitignore"}
    (root / "new.py").write_text("")
    change(root)
    after = await known.files()
    first = await Lister(root, tmp_path / "first").files()
    assert (after.kind, sorted(after.paths), after.note) == (first.kind, sorted(first.paths), first.note)
    assert "new.py" in after.paths


async def test_git_is_asked_once_what_the_folder_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def run(argv: tuple[str, ...], **how: Any) -> Completed:
        asked.extend({"rev-parse", "ls-files"} & {*argv})
        return await carry_out(argv, **how)

    monkeypatch.setattr("agent_core.workspace.ignore.run", run)
    known = Lister(make_project(tmp_path / "project", {"a.py": ""}), tmp_path / "state")
    assert await known.files() == await known.files()
    assert asked == ["rev-parse", "ls-files", "ls-files"]


async def test_git_that_has_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_project(tmp_path / "project", {"a.py": ""})
    known = Lister(root, tmp_path / "state")
    assert (await known.files()).kind == "repository"
    monkeypatch.setenv("PATH", str(tmp_path))
    after = await known.files()
    assert (after.kind, after.paths) == ("plain", ("a.py",))
    assert "git is not installed" in after.note
