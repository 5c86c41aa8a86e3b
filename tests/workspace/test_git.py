"""Where the project begins, and what git says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_core.errors import ConfigError
from agent_core.workspace.git import GitStatus, find_root, project_root, status
from tests.projects import git, make_project, write_files


async def test_status(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.py": "1\n", "b.py": "something long enough to be a rename\n", "c.py": ""})
    assert await status(root) == GitStatus("main")
    write_files(root, {"a.py": "2\n", "new file.py": ""})
    git(root, "mv", "b.py", "moved.py")
    assert await status(root) == GitStatus("main", dirty=3)
    git(root, "checkout", "-q", "--detach")
    commit = git(root, "rev-parse", "HEAD")[:8]
    assert await status(root) == GitStatus(commit, detached=True, dirty=3)


async def test_status_where_there_is_little_to_say(tmp_path: Path) -> None:
    empty = make_project(tmp_path / "empty", {"a.py": ""}, commit=False)
    assert await status(empty) == GitStatus("main", empty=True, dirty=1)
    (tmp_path / "plain").mkdir()
    assert await status(tmp_path / "plain") is None


def test_the_root_of_a_project(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"src/deep/a.py": "", ".gitignore": "scratch/\n"})
    (root / "scratch" / "mine").mkdir(parents=True)
    linked = tmp_path / "linked"
    git(root, "worktree", "add", "-q", str(linked))
    (tmp_path / "short").symlink_to(root / "src")
    assert find_root(root) == root
    assert find_root(root / "src" / "deep") == root
    assert find_root(tmp_path / "short") == root
    assert find_root(linked / "src") == linked
    assert find_root(root / "scratch" / "mine") == root / "scratch" / "mine"
    plain = tmp_path / "plain" / "folder"
    plain.mkdir(parents=True)
    assert find_root(plain) == plain


def test_the_whole_machine_is_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert project_root(tmp_path) == tmp_path
    with pytest.raises(ConfigError, match="the whole machine"):
        project_root(Path("/"))
    monkeypatch.chdir("/")
    with pytest.raises(ConfigError, match="the whole machine"):
        project_root(None)


async def test_the_root_is_found_below_a_running_loop(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"src/a.py": ""})
    assert find_root(root / "src") == root
