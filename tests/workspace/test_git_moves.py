"""What git did between two looks, told apart from what a human did in the same moment."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_core.workspace.git_changes import Change
from agent_core.workspace.git_moves import GitMoves, Move
from agent_core.workspace.tree import content_hash
from tests.projects import git, make_project, write_files

FILES = {"a.py": "a = 1\n", "b.py": "b = 1\n", "pkg/c.py": "c = 1\n", "notes.txt": "notes\n"}


def files_of(root: Path) -> Iterator[tuple[str, str]]:
    for folder, below, names in os.walk(root):
        below[:] = [name for name in below if name != ".git" and not (Path(folder) / name / ".git").exists()]
        for name in names:
            path = Path(folder) / name
            if name != ".git":
                yield path.relative_to(root).as_posix(), content_hash(path.read_bytes())


class Followed:
    """A project in which git is followed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.moves = GitMoves(root)
        self._seen: dict[str, str] = {}

    async def start(self) -> Followed:
        # What was there before must not look like what is being done.
        await self.moves.start()
        await self.moves.rest()
        self._seen = dict(files_of(self.root))
        return self

    async def look(self) -> tuple[Move | None, dict[str, str]]:
        """What git did, and whose the files are that changed: ``git``, ``unknown``, or ``else``."""
        await self.moves.rest()
        now = dict(files_of(self.root))
        while await self.moves.rest():
            # As `Hearing.look` does: what was seen may be half of what git was doing.
            now = dict(files_of(self.root))
        paths = sorted(path for path in self._seen.keys() | now.keys() if self._seen.get(path) != now.get(path))
        move = await self.moves.explain([Change(path, self._seen.get(path), now.get(path)) for path in paths])
        if move is not None:
            self.moves.told(move)
        self._seen = now
        whose = move.whose if move is not None else {}
        return move, {path: str(whose.get(path, "else")) for path in paths}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = make_project(tmp_path / "project", FILES)
    git(root, "branch", "-M", "main")
    git(root, "switch", "-q", "-c", "topic")
    write_files(root, {"a.py": "a = 2\n", "new.py": "new = 1\n"})
    (root / "b.py").unlink()
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "topic")
    git(root, "switch", "-q", "main")
    return root


@pytest.fixture
async def here(root: Path) -> Followed:
    return await Followed(root).start()


MOVED = {"a.py": "git", "b.py": "git", "new.py": "git"}


def told(move: Move | None) -> tuple[str, str, str]:
    assert move is not None
    return move.what, move.before.name, move.after.name


async def test_nothing(here: Followed) -> None:
    assert await here.look() == (None, {})
    write_files(here.root, {"a.py": "mine\n"})
    assert await here.look() == (None, {"a.py": "else"})
    assert not here.moves.has_moved
    git(here.root, "switch", "-q", "-c", "other")
    assert await here.moves.rest()
    assert here.moves.has_moved


async def test_a_switch_and_an_edit_in_the_same_moment(here: Followed) -> None:
    git(here.root, "switch", "-q", "topic")
    write_files(here.root, {"notes.txt": "my notes\n", "untracked.txt": "x\n"})
    move, whose = await here.look()
    assert told(move) == ("checkout: moving from main to topic", "main", "topic")
    assert whose == MOVED | {"notes.txt": "else", "untracked.txt": "else"}
    assert await here.look() == (None, {})


async def test_an_edit_right_over_what_git_wrote(here: Followed) -> None:
    git(here.root, "switch", "-q", "topic")
    write_files(here.root, {"a.py": "a = 2\nmine\n"})
    _, whose = await here.look()
    assert whose == MOVED | {"a.py": "else"}


async def test_a_new_branch_changes_no_file(here: Followed) -> None:
    git(here.root, "switch", "-q", "-c", "other")
    move, whose = await here.look()
    assert told(move) == ("checkout: moving from main to other", "main", "other")
    assert not whose


async def test_commits_of_the_human_are_no_news(here: Followed) -> None:
    write_files(here.root, {"a.py": "mine\n"})
    assert (await here.look())[1] == {"a.py": "else"}
    git(here.root, "commit", "-q", "-am", "mine")
    move, whose = await here.look()
    assert move is not None
    assert (move.what, whose) == ("", {})


async def test_saved_and_added_in_one_moment_is_not_known(here: Followed) -> None:
    write_files(here.root, {"a.py": "mine\n", "notes.txt": "more\n"})
    git(here.root, "add", "a.py")
    move, whose = await here.look()
    assert move is not None
    assert not move.what
    assert whose == {"a.py": "unknown", "notes.txt": "else"}


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (("checkout", "--", "a.py", "notes.txt"), "restore"),
        (("restore", "."), "restore"),
        (("reset", "-q", "--hard"), "reset: moving to HEAD"),
        (("stash", "push", "-q"), "stash push"),
    ],
)
async def test_what_is_thrown_away(here: Followed, command: tuple[str, ...], what: str) -> None:
    write_files(here.root, {"a.py": "mine\n", "notes.txt": "mine\n"})
    await here.look()
    git(here.root, *command)
    write_files(here.root, {"pkg/c.py": "mine\n"})
    move, whose = await here.look()
    assert told(move) == (what, "main", "main")
    assert whose == {"a.py": "git", "notes.txt": "git", "pkg/c.py": "else"}


async def test_a_stash_with_new_files_there_and_back(here: Followed) -> None:
    write_files(here.root, {"a.py": "mine\n", "untracked.txt": "x\n", "staged.txt": "x\n"})
    git(here.root, "add", "staged.txt")
    await here.look()
    git(here.root, "stash", "push", "-q", "-u")
    every = dict.fromkeys(("a.py", "staged.txt", "untracked.txt"), "git")
    move, whose = await here.look()
    assert (told(move)[0], whose) == ("stash push", every)
    git(here.root, "stash", "apply", "-q")
    move, whose = await here.look()
    assert whose == every
    git(here.root, "stash", "drop", "-q")
    move, whose = await here.look()
    assert move is not None
    assert (move.what, whose) == ("", {})


async def test_a_stash_is_popped(here: Followed) -> None:
    write_files(here.root, {"a.py": "mine\n"})
    git(here.root, "stash", "push", "-q")
    await here.look()
    git(here.root, "stash", "pop", "-q")
    write_files(here.root, {"notes.txt": "mine\n"})
    move, whose = await here.look()
    assert told(move)[0] == "stash pop"
    assert whose == {"a.py": "git", "notes.txt": "else"}


def conflicting(root: Path, *command: str) -> None:
    done = subprocess.run(["git", *command], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode, done.stdout


def ahead(root: Path, text: str) -> None:
    write_files(root, {"a.py": text})
    git(root, "commit", "-q", "-am", "ahead")


async def test_a_merge(here: Followed) -> None:
    git(here.root, "merge", "-q", "topic")
    move, whose = await here.look()
    assert (told(move), whose) == (("merge topic: Fast-forward", "main", "main"), MOVED)


async def test_a_merge_that_stops_and_is_over(root: Path) -> None:
    ahead(root, "a = 3\n")
    here = await Followed(root).start()
    conflicting(root, "merge", "topic")
    move, whose = await here.look()
    assert (told(move)[0], whose) == ("merge: not done yet", MOVED)
    write_files(root, {"a.py": "a = 4\n"})
    assert (await here.look())[1] == {"a.py": "else"}
    git(root, "add", "a.py")
    git(root, "commit", "-q", "-m", "merged")
    move, _ = await here.look()
    assert move is not None
    assert not move.what


def rebasing(root: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["git", "-c", "user.name=T", "-c", "user.email=t@x", "rebase", "-q", "topic"], cwd=root)


async def test_a_rebase_is_one_move(root: Path) -> None:
    for number in range(4):
        write_files(root, {f"n{number}.py": "x\n"})
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", f"commit {number}")
    here = await Followed(root).start()
    process = rebasing(root)
    seen = []
    while process.poll() is None:
        seen.append(await here.look())
    seen.append(await here.look())
    said = [move.what for move, _ in seen if move is not None and move.what]
    assert said == ["rebase onto topic, 4 commits"]
    assert {path: whose for _, found in seen for path, whose in found.items()} == MOVED
    assert [told(move)[1:] for move, _ in seen if move is not None and move.what] == [("main", "main")]


async def test_a_rebase_that_stops_and_is_aborted(root: Path) -> None:
    ahead(root, "a = 3\n")
    here = await Followed(root).start()
    conflicting(root, "rebase", "topic")
    move, whose = await here.look()
    assert (told(move), whose) == (("rebase onto topic, not done yet", "main", "main"), MOVED)
    git(root, "rebase", "--abort")
    move, whose = await here.look()
    assert (told(move)[0], whose) == ("rebase, aborted", MOVED)


async def test_a_pull_with_an_autostash_claims_nothing(root: Path, tmp_path: Path) -> None:
    git(root, "clone", "-q", str(root), str(tmp_path / "clone"))
    clone = tmp_path / "clone"
    write_files(root, {"notes.txt": "new first line\nnotes\n" + "x\n" * 20})
    git(root, "commit", "-q", "-am", "upstream")
    write_files(clone, {"notes.txt": "notes\nmy last line\n"})
    here = await Followed(clone).start()
    conflicting(clone, "pull", "-q", "--rebase", "--autostash", "--nothing-such")
    git(clone, "fetch", "-q")
    assert (await here.look())[1] == {}
    git(clone, "checkout", "-q", "-m", "origin/main")
    move, whose = await here.look()
    assert told(move)[0].startswith("checkout: moving from main to")
    assert set(whose) == {"notes.txt"}
    # Merged by git with what the human had not committed, or saved by them.
    assert whose["notes.txt"] in {"git", "unknown"}


async def test_cherry_pick_am_and_bisect(here: Followed, tmp_path: Path) -> None:
    root = here.root
    git(root, "cherry-pick", "topic")
    move, whose = await here.look()
    assert (told(move)[0], whose) == ("cherry-pick: topic", MOVED)
    git(root, "reset", "-q", "--hard", "HEAD~1")
    move, whose = await here.look()
    assert (told(move)[0], whose) == ("reset: moving to HEAD~1", MOVED)
    mails = git(root, "format-patch", "-1", "topic", "-o", str(tmp_path / "mails")).split()
    git(root, "am", "-q", *mails)
    move, whose = await here.look()
    assert (told(move)[0], whose) == ("am: topic", MOVED)
    git(root, "bisect", "start", "HEAD", "HEAD~1")
    move, whose = await here.look()
    assert move is not None
    assert move.after.operation == "bisect"
    assert not whose


async def test_a_lock_that_is_held(here: Followed) -> None:
    lock = here.root / ".git" / "index.lock"
    lock.touch()
    write_files(here.root, {"a.py": "half\n"})
    old = time.time() - 60
    os.utime(lock, (old, old))
    # Left behind by a git that died, or one that writes files for longer than anybody waits for.
    assert (await here.moves.explain([Change("a.py", "1", "2")])) is not None
    lock.unlink()
    assert await here.look() == (None, {"a.py": "else"})


async def test_a_lock_that_is_of_tomorrow_keeps_nobody_waiting(here: Followed) -> None:
    lock = here.root / ".git" / "index.lock"
    lock.touch()
    tomorrow = time.time() + 86_400
    os.utime(lock, (tomorrow, tomorrow))
    write_files(here.root, {"a.py": "mine\n"})
    async with asyncio.timeout(20):
        assert (await here.look())[1] == {"a.py": "unknown"}


async def test_a_linked_work_tree_and_a_folder_inside(root: Path, tmp_path: Path) -> None:
    git(root, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    side = await Followed(tmp_path / "side").start()
    inner = await Followed(tmp_path / "side" / "pkg").start()
    git(tmp_path / "side", "mv", "pkg/c.py", "pkg/d.py")
    git(tmp_path / "side", "commit", "-q", "-am", "moved")
    for one in (side, inner):
        await one.look()
    git(tmp_path / "side", "reset", "-q", "--hard", "HEAD~1")
    move, whose = await side.look()
    assert (told(move), whose) == (
        ("reset: moving to HEAD~1", "side", "side"),
        {"pkg/c.py": "git", "pkg/d.py": "git"},
    )
    assert (await inner.look())[1] == {"c.py": "git", "d.py": "git"}


async def test_contents_behind_filters_and_line_ends(root: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    script = tmp_path / "filter.sh"
    script.write_text(f"#!/bin/sh\necho x >> {ran}\ntr a-z A-Z\n")
    script.chmod(0o755)
    write_files(root, {".gitattributes": "*.big filter=upper\n*.txt eol=crlf\n", "x.big": "one\n"})
    git(root, "config", "filter.upper.smudge", str(script))
    git(root, "config", "filter.upper.clean", "tr A-Z a-z")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "filtered")
    git(root, "switch", "-q", "-c", "more")
    write_files(root, {"x.big": "two\n", "notes.txt": "other notes\n"})
    git(root, "commit", "-q", "-am", "more")
    here = await Followed(root).start()
    git(root, "switch", "-q", "main")
    ran.unlink()
    move, whose = await here.look()
    assert told(move)[0] == "checkout: moving from more to main"
    assert (root / "x.big").read_text() == "ONE\n"
    assert whose == {"x.big": "git", "notes.txt": "git"}
    assert not ran.exists()


async def test_a_submodule_is_a_project_of_its_own(root: Path, tmp_path: Path) -> None:
    make_project(tmp_path / "lib", {"lib.py": "x\n"})
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(tmp_path / "lib"), "lib")
    git(root, "commit", "-q", "-am", "lib")
    here, inner = await Followed(root).start(), await Followed(root / "lib").start()
    git(root / "lib", "switch", "-q", "-c", "wip")
    assert await here.look() == (None, {})
    move, _ = await inner.look()
    assert told(move)[2] == "wip"


async def test_no_repository(tmp_path: Path) -> None:
    write_files(tmp_path / "plain", {"a.py": "x\n"})
    here = await Followed(tmp_path / "plain").start()
    write_files(tmp_path / "plain", {"a.py": "y\n"})
    assert await here.look() == (None, {"a.py": "else"})
    assert here.moves.state is None


async def test_git_that_fails_leaves_it_open(here: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    git(here.root, "switch", "-q", "topic")
    await here.moves.rest()
    monkeypatch.setenv("PATH", "/nowhere")
    move = await here.moves.explain([Change("a.py", "1", "2")])
    assert move is not None
    assert move.whose == {"a.py": "unknown"}
