"""Looking at a project runs none of its code: a repository's own configuration can name programs for git to start."""

from __future__ import annotations

import os
from pathlib import Path

from agent_core.workspace.git import find_root, status
from agent_core.workspace.ignore import Lister, git_environment
from agent_core.workspace.snapshot import Scanner
from tests.projects import git, make_project, write_files


def booby_trapped(tmp_path: Path) -> tuple[Path, Path]:
    """A repository whose configuration starts a program, and the file that the program makes."""
    root = make_project(tmp_path / "p", {"a.txt": "a\n", "sub/b.txt": "b\n", ".gitattributes": "*.txt filter=trap\n"})
    ran = tmp_path / "ran"
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\necho ran >> {ran}\ncat\n")
    trap.chmod(0o755)
    git(root, "config", "core.fsmonitor", str(trap))
    git(root, "update-index", "--fsmonitor")
    git(root, "config", "filter.trap.clean", str(trap))
    git(root, "config", "filter.trap.process", str(trap))
    # Its time is new, its content is not: git has to compare.
    write_files(root, {"a.txt": "a\n"})
    ran.unlink(missing_ok=True)
    git(root, "ls-files")
    assert ran.exists(), "the trap works"
    ran.unlink()
    return root, ran


async def test_listing_a_project_runs_nothing_of_it(tmp_path: Path) -> None:
    root, ran = booby_trapped(tmp_path)
    assert set((await Scanner(root, tmp_path / "state").scan()).files) == {"a.txt", "sub/b.txt", ".gitattributes"}
    assert await Lister(root, tmp_path / "state").ignored() == ()
    assert find_root(root / "sub") == root
    assert not ran.exists()


async def test_git_status_runs_nothing_of_a_project(tmp_path: Path) -> None:
    root, ran = booby_trapped(tmp_path)
    now = await status(root)
    assert now is not None
    assert now.branch == "main"
    assert not ran.exists()


async def test_git_status_runs_nothing_that_one_work_tree_brings_along(tmp_path: Path) -> None:
    root, ran = booby_trapped(tmp_path)
    trap = git(root, "config", "filter.trap.clean").strip()
    for name in ("filter.trap.clean", "filter.trap.process", "core.fsmonitor"):
        git(root, "config", "--unset", name)
    git(root, "config", "core.repositoryFormatVersion", "1")
    git(root, "config", "extensions.worktreeConfig", "true")
    git(root, "config", "--worktree", "filter.trap.clean", trap)
    write_files(root, {"a.txt": "a\n"})
    ran.unlink(missing_ok=True)
    now = await status(root)
    assert now is not None
    assert now.dirty == 0
    assert not ran.exists()


def test_the_humans_own_settings_in_the_environment_stay() -> None:
    environ = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    env = git_environment({**environ, "GIT_DIR": "/elsewhere"}, [("filter.x.clean", "")])
    assert (env["GIT_CONFIG_KEY_0"], env["GIT_CONFIG_VALUE_0"]) == ("safe.directory", "*")
    number = int(env["GIT_CONFIG_COUNT"])
    settings = {env[f"GIT_CONFIG_KEY_{each}"]: env[f"GIT_CONFIG_VALUE_{each}"] for each in range(number)}
    assert settings["core.fsmonitor"] == "false"
    assert settings["core.hooksPath"] == os.devnull
    assert settings["filter.x.clean"] == ""
    assert "GIT_DIR" not in env
