"""A worktree for a session: made beside the project, found again, with the main checkout's environment."""

from __future__ import annotations

import sys
import venv
from pathlib import Path

import pytest

from agent_core.errors import ConfigError
from agent_core.workspace.git import status
from agent_core.workspace.interpreter import find_interpreter
from agent_core.workspace.linked import main_checkout
from agent_core.workspace.worktree import farewell, open_worktree
from tests.projects import git, make_project
from tests.support.shop import make_shop


def test_it_is_made_beside_the_project_and_found_again(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "my shop")
    (project / "README.md").write_text("mine, not committed\n")
    before = git(project, "status", "--porcelain")
    made = open_worktree(project, "fix/totals")
    assert (made.made, made.branch, made.main) == (True, "fix/totals", project)
    assert made.root == made.top == tmp_path / "my shop.worktrees/fix-totals"
    assert (made.root / "README.md").read_text() == "# shop\n"
    assert git(made.root, "branch", "--show-current").strip() == "fix/totals"
    # The human's checkout is as it was: its branch, what differs in it, what is ignored.
    assert git(project, "branch", "--show-current").strip() == "main"
    assert git(project, "status", "--porcelain") == before
    again = open_worktree(project, "fix/totals")
    assert (again.made, again.root) == (False, made.root)
    # From within it too; and a branch that is there already.
    assert open_worktree(made.root, "fix/totals").root == made.root
    git(project, "branch", "old")
    assert open_worktree(made.root, "old").root == tmp_path / "my shop.worktrees/old"
    first, second = open_worktree(project, ""), open_worktree(project, "")
    assert first.branch.startswith("pairloop/")
    assert (first.made, second.made, first.root == second.root) == (True, True, False)


async def test_what_is_said_of_it(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "my shop")
    made = open_worktree(project, "topic")
    assert "(no commit yet)" in farewell(made)
    (made.root / "new.py").write_text("1\n")
    git(made.root, "add", "-A")
    git(made.root, "commit", "-q", "-m", "new")
    (made.root / "other.py").write_text("1\n")
    said = farewell(made)
    assert f"stays in {made.top}, on branch topic (1 commit of its own, 1 file not committed)" in said
    assert f"git -C '{project}' merge topic" in said
    assert f"git -C '{project}' worktree remove '{made.top}'" in said
    stands = await status(made.root)
    assert stands is not None
    assert (stands.branch, stands.linked) == ("topic", True)
    there = await status(project)
    assert there is not None
    assert not there.linked


def test_a_folder_below_the_top(tmp_path: Path) -> None:
    top = make_project(tmp_path / "mono", {"a/x.py": "1\n", "b/y.py": "1\n"})
    made = open_worktree(top / "a", "topic")
    assert made.root == tmp_path / "mono.worktrees/topic/a"
    assert main_checkout(made.root) == top / "a"
    assert main_checkout(top / "a") is None


def test_what_cannot_be(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    with pytest.raises(ConfigError, match="checked out in the project itself"):
        open_worktree(project, "main")
    for name in ("a..b", "-x", "a b"):
        with pytest.raises(ConfigError, match="is no name for a branch"):
            open_worktree(project, name)
    (tmp_path / "shop.worktrees/taken").mkdir(parents=True)
    with pytest.raises(ConfigError, match="is there already"):
        open_worktree(project, "taken")
    with pytest.raises(ConfigError, match="in no git repository"):
        open_worktree(tmp_path, "x")
    empty = make_project(tmp_path / "empty", {}, commit=False)
    with pytest.raises(ConfigError, match="no commit yet"):
        open_worktree(empty, "x")


def test_neither_hooks_nor_filters_of_the_repository_run(tmp_path: Path) -> None:
    project = make_project(tmp_path / "shop", {"a.txt": "a\n", ".gitattributes": "*.txt filter=evil\n"})
    git(project, "config", "filter.evil.smudge", f"touch {tmp_path / 'ran'}; cat")
    hook = project / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\n")
    hook.chmod(0o755)
    made = open_worktree(project, "topic")
    assert (made.root / "a.txt").read_text() == "a\n"
    assert not (tmp_path / "ran").exists()


def test_filters_that_count_only_in_the_worktree_do_not_run_either(tmp_path: Path) -> None:
    project = make_project(tmp_path / "shop", {"a.txt": "a\n", ".gitattributes": "*.txt filter=evil\n"})
    trap = tmp_path / "trap.config"
    trap.write_text(f'[filter "evil"]\n\tsmudge = "touch {tmp_path / "ran"}; cat"\n')
    git(project, "config", "includeIf.onbranch:topic.path", str(trap))
    made = open_worktree(project, "topic")
    assert (made.root / "a.txt").read_text() == "a\n"
    assert not (tmp_path / "ran").exists()


def test_a_worktree_that_is_not_there_just_now_is_not_forgotten(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    disk = tmp_path / "disk"
    git(project, "worktree", "add", "-q", "-b", "far", str(disk / "far"))
    disk.rename(tmp_path / "unmounted")
    open_worktree(project, "topic")
    with pytest.raises(ConfigError, match="far"):
        open_worktree(project, "far")
    (tmp_path / "unmounted").rename(disk)
    assert git(disk / "far", "status", "--porcelain", "-b").strip() == "## far"


def test_one_that_was_removed_by_hand_is_made_again(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    made = open_worktree(project, "topic")
    made.top.rename(tmp_path / "away")
    again = open_worktree(project, "topic")
    assert (again.made, again.top) == (True, made.top)


def test_the_environment_of_the_main_checkout_is_used(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    venv.create(project / ".venv", symlinks=True)
    made = open_worktree(project, "topic")
    found = find_interpreter(made.root, {"PATH": str(Path(sys.executable).parent)})
    assert (found.found, found.prefix) == (".venv of the main checkout", project / ".venv")
