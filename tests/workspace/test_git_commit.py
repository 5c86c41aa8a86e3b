"""Committing landings in real repositories: only the landed lines, and all of the human's own as it was."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from agent_core import events as ev
from agent_core.errors import CommitError
from agent_core.file_modes import EXECUTABLE
from agent_core.journal import SqliteJournal
from agent_core.landing_log import LandingRecord
from agent_core.landings import LandingService
from agent_core.workspace.git_commit import GitCommits, Made
from agent_core.workspace.landing import Lander
from agent_core.workspace.tree import FileChange
from tests.projects import git
from tests.workspace.landings import Tree, lay_out, patch_between

LINES = "".join(f"line {number}\n" for number in range(1, 21))


def with_line(text: str, number: int, new: str) -> str:
    lines = text.splitlines(keepends=True)
    lines[number - 1] = f"{new}\n"
    return "".join(lines)


class Desk:
    """A repository with a project in it, and what lands there."""

    def __init__(self, folder: Path, files: Tree, *, below: str = "") -> None:
        self.top = folder / "project"
        self.root = self.top / below
        lay_out(self.top, files)
        git(self.top, "init", "-q")
        git(self.top, "add", "-A")
        git(self.top, "commit", "-q", "-m", "start")
        self.journal = SqliteJournal(folder / "journal.db")
        self.journal.create("s")
        self.lander = Lander(self.root, self.journal, folder / "lock")
        self.service = LandingService(self.journal, self.lander, "s", self._emit)
        self.commits = GitCommits(self.root, self.journal.get, seconds=20.0)

    def _emit(self, event: ev.AnyEvent, *, durable: bool = False) -> None:
        self.journal.append("s", event, durable=durable)

    async def land(self, new: Mapping[str, bytes | FileChange | str | None], **moves: str) -> LandingRecord:
        """Land new contents of files over what is there now; None takes a file away."""
        here: dict[str, FileChange] = {}
        for path in [*new, *moves.values()]:
            at = self.root / path
            if at.exists():
                here[path] = FileChange(at.read_bytes(), EXECUTABLE if os.access(at, os.X_OK) else 0o100644)
        there = {
            path: file for path, file in here.items() if new.get(path, 0) is not None and path not in moves.values()
        }
        for path, data in new.items():
            if data is not None:
                mode = here[path].mode if path in here else 0o100644
                there[path] = data if isinstance(data, FileChange) else FileChange(as_bytes(data), mode)
        done = await self.service.land(patch_between(self.journal, here, there, moves))
        return self.record(done.landing)

    def record(self, number: int) -> LandingRecord:
        return next(one for one in self.journal.landings() if one.number == number)

    async def commit(self, *landings: LandingRecord, message: str = "Land it") -> Made:
        return await self.commits.commit(landings, message)

    def edit(self, path: str, change: Callable[[str], str]) -> None:
        file = self.root / path
        file.write_text(change(file.read_text()))

    def git(self, *arguments: str) -> str:
        return git(self.top, *arguments)

    def committed(self, path: str) -> str:
        return self.git("show", f"HEAD:{path}")

    def staged(self, path: str) -> str:
        return self.git("show", f":{path}")

    def status(self) -> list[str]:
        return self.git("status", "--porcelain").splitlines()

    async def until(self, path: str) -> None:
        """Wait until a hook has made a file."""
        async with asyncio.timeout(30):
            while not (self.root / path).exists():  # noqa: ASYNC110 - another process makes it
                await asyncio.sleep(0.005)

    def hook(self, name: str, script: str) -> None:
        file = self.top / ".git/hooks" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)


def as_bytes(data: bytes | str) -> bytes:
    return data.encode() if isinstance(data, str) else data


async def test_only_the_landed_lines_are_committed_and_all_else_stays_as_it_was(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"a.txt": LINES.encode(), "b.txt": b"b\n", "c.txt": b"c\n"})
    # Staged in the same file, changed in the same file, staged in another one, and a new file staged.
    desk.edit("a.txt", lambda text: with_line(text, 2, "staged"))
    (desk.root / "c.txt").write_text("staged c\n")
    (desk.root / "new.txt").write_text("new\n")
    desk.git("add", "a.txt", "c.txt", "new.txt")
    desk.edit("a.txt", lambda text: with_line(text, 6, "not staged"))
    (desk.root / "c.txt").write_text("not staged c\n")
    landing = await desk.land({"a.txt": with_line((desk.root / "a.txt").read_text(), 12, "landed")})
    desk.edit("a.txt", lambda text: with_line(text, 18, "since"))
    others = desk.git("ls-files", "-s", "b.txt", "c.txt", "new.txt")
    files = {path.name: path.read_bytes() for path in desk.root.glob("*.txt")}

    made = await desk.commit(landing, message="Change line 12\n\nAs it was wrong.")

    assert desk.committed("a.txt") == with_line(LINES, 12, "landed")
    assert desk.staged("a.txt") == with_line(with_line(LINES, 12, "landed"), 2, "staged")
    assert desk.git("ls-files", "-s", "b.txt", "c.txt", "new.txt") == others
    assert {path.name: path.read_bytes() for path in desk.root.glob("*.txt")} == files
    assert desk.status() == ["MM a.txt", "MM c.txt", "A  new.txt"]
    assert desk.git("show", "--name-only", "--format=%B", "HEAD").split("\n\n") == [
        "Change line 12",
        "As it was wrong.",
        "\na.txt\n",
    ]
    assert made.commit == desk.git("rev-parse", "HEAD").strip()
    assert (made.branch, made.message, made.altered) == ("main", "Change line 12\n\nAs it was wrong.", ())
    assert not (desk.top / ".git/index.lock").exists()


async def test_new_files_deletions_moves_modes_links_and_binaries(tmp_path: Path) -> None:
    before: dict[str, bytes | FileChange] = {
        "sub/old.txt": LINES.encode(),
        "gone.txt": b"gone\n",
        "run.sh": b"#!/bin/sh\n",
        "blob.bin": b"\0\1",
        "dos.txt": b"one\r\ntwo\r\n",
    }
    desk = Desk(tmp_path, before)
    landing = await desk.land(
        {
            "sub/deep/new.txt": "new\n",
            "gone.txt": None,
            "run.sh": FileChange(b"#!/bin/sh\n", EXECUTABLE),
            "blob.bin": b"\0\2",
            "dos.txt": b"one\r\nTWO\r\n",
        }
    )
    moved = await desk.land({"sub/moved.txt": with_line(LINES, 3, "moved")}, **{"sub/moved.txt": "sub/old.txt"})
    made = await desk.commit(landing, moved)
    assert made.altered == ()
    assert desk.status() == []
    listed = {line.split("\t")[1]: line for line in desk.git("ls-tree", "-r", "HEAD").splitlines()}
    assert sorted(listed) == ["blob.bin", "dos.txt", "run.sh", "sub/deep/new.txt", "sub/moved.txt"]
    assert listed["run.sh"].startswith("100755")
    assert desk.committed("sub/moved.txt") == with_line(LINES, 3, "moved")


async def test_a_moved_file_leaves_the_humans_lines_uncommitted(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"old.txt": LINES.encode()})
    desk.edit("old.txt", lambda text: with_line(text, 18, "mine"))
    text = (desk.root / "old.txt").read_text()
    landing = await desk.land({"new.txt": with_line(text, 3, "landed")}, **{"new.txt": "old.txt"})
    await desk.commit(landing)
    assert desk.committed("new.txt") == with_line(LINES, 3, "landed")
    assert desk.status() == [" M new.txt"]


async def test_line_endings_and_filters_are_those_of_git_add(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"a.txt": LINES.encode(), ".gitattributes": b"*.up filter=upper\n", "b.up": b"HELLO\n"})
    desk.git("config", "core.autocrlf", "true")
    desk.git("config", "filter.upper.clean", "tr a-z A-Z")
    crlf = LINES.replace("\n", "\r\n")
    (desk.root / "a.txt").write_bytes(crlf.encode())
    changed = crlf.replace("line 5", "landed").encode()
    landing = await desk.land({"a.txt": changed, "b.up": "changed\n", "sub/c.up": "new\n"})
    await desk.commit(landing)
    assert desk.committed("a.txt") == with_line(LINES, 5, "landed")
    assert (desk.committed("b.up"), desk.committed("sub/c.up")) == ("CHANGED\n", "NEW\n")
    assert desk.status() == []


async def test_what_cannot_be_told_apart_is_refused_and_nothing_is_touched(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"a.txt": LINES.encode()})
    desk.edit("a.txt", lambda text: with_line(text, 5, "mine"))
    landing = await desk.land({"a.txt": with_line((desk.root / "a.txt").read_text(), 5, "landed over mine")})
    (desk.root / "untracked.txt").write_text("mine\n")
    other = await desk.land({"untracked.txt": "mine\nlanded\n"})
    index, head = (desk.top / ".git/index").read_bytes(), desk.git("rev-parse", "HEAD")
    with pytest.raises(CommitError) as refused:
        await desk.commit(landing)
    assert "a.txt: around line 5" in refused.value.message
    assert "git commit a.txt" in refused.value.hint
    assert refused.value.paths == ("a.txt",)
    with pytest.raises(CommitError, match=r"untracked.txt: it was there before"):
        await desk.commit(other)
    assert ((desk.top / ".git/index").read_bytes(), desk.git("rev-parse", "HEAD")) == (index, head)


async def test_a_landing_upon_another_is_committed_with_it_or_after_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"a.txt": LINES.encode()})
    first = await desk.land({"a.txt": with_line(LINES, 5, "first"), "n.txt": "new\n"})
    second = await desk.land({"a.txt": with_line(with_line(LINES, 5, "second"), 6, "too"), "n.txt": "new\nmore\n"})
    with pytest.raises(CommitError):
        await desk.commit(second)
    await desk.commit(first)
    assert desk.committed("a.txt") == with_line(LINES, 5, "first")
    assert desk.status() == [" M a.txt", " M n.txt"]
    await desk.commit(second)
    assert desk.status() == []
    third = await desk.land({"a.txt": LINES})
    with pytest.raises(CommitError, match="nothing to commit"):
        await desk.commit(second)
    fourth = await desk.land({"a.txt": with_line(LINES, 1, "fourth")})
    await desk.commit(third, fourth)
    assert desk.committed("a.txt") == with_line(LINES, 1, "fourth")


async def test_what_is_staged_of_a_landed_file(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"a.txt": LINES.encode(), "b.txt": LINES.encode(), "c.txt": b"c\n"})
    landing = await desk.land(
        {"a.txt": with_line(LINES, 5, "landed"), "b.txt": with_line(LINES, 5, "landed"), "new.txt": "new\n"}
    )
    # Staged as it landed; staged with the landed line written anew; said to be there.
    desk.git("add", "a.txt")
    desk.edit("b.txt", lambda text: with_line(text, 5, "better"))
    desk.git("add", "b.txt")
    desk.git("add", "-N", "new.txt")
    await desk.commit(landing)
    assert desk.status() == ["M  b.txt"]
    assert desk.staged("b.txt") == with_line(LINES, 5, "better")
    assert desk.committed("b.txt") == with_line(LINES, 5, "landed")
    # Something else was staged there, and is not what the file has: nobody can say what is meant.
    other = await desk.land({"c.txt": "landed\n"})
    (desk.root / "c.txt").write_text("staged\n")
    desk.git("add", "c.txt")
    (desk.root / "c.txt").write_text("landed\n")
    with pytest.raises(CommitError, match="what you have staged") as refused:
        await desk.commit(other)
    assert refused.value.hint.endswith("git restore --staged c.txt")


async def test_hooks_run_and_a_refusal_costs_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"a.txt": LINES.encode(), "b.txt": b"b\n"})
    (desk.root / "b.txt").write_text("staged\n")
    desk.git("add", "b.txt")
    landing = await desk.land({"a.txt": with_line(LINES, 5, "landed")})
    desk.hook("pre-commit", "git diff --cached --name-only; echo 'line 5 is ugly' >&2; exit 3")
    index = (desk.top / ".git/index").read_bytes()
    with pytest.raises(CommitError) as refused:
        await desk.commit(landing)
    assert refused.value.message.startswith("The hook pre-commit refused.")
    assert refused.value.output.splitlines() == ["a.txt", "line 5 is ugly"]
    assert (desk.top / ".git/index").read_bytes() == index
    assert not (desk.top / ".git/index.lock").exists()
    desk.hook("pre-commit", "exit 0")
    desk.hook("prepare-commit-msg", 'test "$2" = message && echo "Ticket: 7" >> "$1"')
    desk.hook("commit-msg", "grep -q Good $1 || { echo 'say Good'; exit 1; }")
    with pytest.raises(CommitError, match="commit-msg refused") as refused:
        await desk.commit(landing, message="Bad")
    assert "say Good" in refused.value.output
    made = await desk.commit(landing, message="Good")
    assert made.message.split() == ["Good", "Ticket:", "7"]
    assert desk.status() == ["M  b.txt"]


async def test_a_hook_that_mends_what_is_committed(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"a.txt": LINES.encode(), "b.txt": b"b\n"})
    (desk.root / "b.txt").write_text("staged\n")
    desk.git("add", "b.txt")
    landing = await desk.land({"a.txt": with_line(LINES, 5, "landed   ")})
    desk.hook("pre-commit", "sed -i 's/ *$//' a.txt; git add a.txt")
    made = await desk.commit(landing)
    assert made.altered == ("a.txt",)
    assert desk.committed("a.txt") == with_line(LINES, 5, "landed")
    assert desk.status() == ["M  b.txt"]


async def test_a_hook_that_hangs_is_stopped_and_a_commit_can_be_interrupted(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"a.txt": LINES.encode()})
    landing = await desk.land({"a.txt": with_line(LINES, 5, "landed")})
    desk.hook("pre-commit", "touch began; sleep 100")
    desk.commits = GitCommits(desk.root, desk.journal.get, seconds=0.5)
    index = (desk.top / ".git/index").read_bytes()
    with pytest.raises(CommitError, match=r"The hook pre-commit was stopped, as its 0 s were up|1 s were up"):
        await desk.commit(landing)
    desk.commits = GitCommits(desk.root, desk.journal.get)
    (desk.root / "began").unlink()
    task = asyncio.create_task(desk.commit(landing))
    await desk.until("began")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (desk.top / ".git/index").read_bytes() == index
    assert not (desk.top / ".git/index.lock").exists()
    assert desk.git("log", "--format=%s").split() == ["start"]
    # What is there already when it is interrupted is there as a whole.
    desk.hook("pre-commit", "exit 0")
    desk.hook("post-commit", "touch after; sleep 100")
    task = asyncio.create_task(desk.commit(landing))
    await desk.until("after")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert desk.status() == ["?? after", "?? began"]
    assert desk.committed("a.txt") == with_line(LINES, 5, "landed")


async def test_places_in_which_git_may_stand(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"a.txt": LINES.encode()})
    landing = await desk.land({"a.txt": with_line(LINES, 5, "landed")})
    lock = desk.top / ".git/index.lock"
    lock.touch()
    with pytest.raises(CommitError, match="Another git command is at work"):
        await desk.commit(landing)
    assert lock.exists()
    lock.unlink()
    (desk.top / ".git/MERGE_HEAD").write_text(desk.git("rev-parse", "HEAD"))
    with pytest.raises(CommitError, match="in the midst of a merge"):
        await desk.commit(landing)
    (desk.top / ".git/MERGE_HEAD").unlink()
    desk.git("checkout", "-q", "--detach")
    assert (await desk.commit(landing)).branch == ""
    with pytest.raises(CommitError, match="in no git repository"):
        await GitCommits(tmp_path, desk.journal.get).commit((landing,), "x")


async def test_the_first_commit_of_a_repository(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"a.txt": b"a\n"})
    desk.git("update-ref", "-d", "HEAD")
    desk.git("rm", "-q", "--cached", "a.txt")
    landing = await desk.land({"b.txt": "b\n"})
    await desk.commit(landing)
    assert desk.status() == ["?? a.txt"]
    assert desk.git("ls-tree", "--name-only", "HEAD").split() == ["b.txt"]


async def test_who_commits_is_gits_to_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(tmp_path, {"a.txt": LINES.encode()})
    landing = await desk.land({"a.txt": with_line(LINES, 5, "landed")})
    nobody = tmp_path / "nobody"
    nobody.write_text("[user]\n\tuseConfigOnly = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(nobody))
    with pytest.raises(CommitError, match="does not know who you are"):
        await desk.commit(landing)
    nobody.write_text("[user]\n\tname = Ada\n\temail = ada@example.invalid\n[commit]\n\tgpgsign = true\n")
    with pytest.raises(CommitError, match="could not sign"):
        await desk.commit(landing)
    signer = tmp_path / "signer"
    signer.write_text("#!/bin/sh\ncat > /dev/null; echo '[GNUPG:] SIG_CREATED ' >&2; echo SIGNED\n")
    signer.chmod(0o755)
    desk.git("config", "gpg.program", str(signer))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Grace")
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "somebody-elses"))
    await desk.commit(landing)
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert desk.git("log", "-1", "--format=%an %cn").strip() == "Grace Ada"
    assert "SIGNED" in desk.git("cat-file", "commit", "HEAD")


async def test_a_project_below_the_top_and_a_submodule_in_it(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    lay_out(inner, {"x.txt": b"x\n"})
    git(inner, "init", "-q")
    git(inner, "add", "-A")
    git(inner, "commit", "-q", "-m", "inner")
    desk = Desk(tmp_path, {"a b/f.txt": LINES.encode(), "other.txt": b"o\n"}, below="a b")
    desk.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "a b/inner")
    desk.git("commit", "-q", "-m", "submodule")
    (desk.root / "inner/x.txt").write_text("mine\n")
    landing = await desk.land({"f.txt": with_line(LINES, 5, "landed")})
    await desk.commit(landing)
    assert desk.git("show", "--name-only", "--format=", "HEAD") == "a b/f.txt\n"
    assert desk.status() == [' M "a b/inner"']
    within = await desk.land({"inner/x.txt": "landed\n"})
    with pytest.raises(CommitError, match="is a repository of its own"):
        await desk.commit(within)


async def test_nothing_is_committed_or_staged_by_landing_or_asking(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"a.txt": LINES.encode()})
    index, head = (desk.top / ".git/index").read_bytes(), desk.git("rev-parse", "HEAD")
    desk.hook("pre-commit", "touch ran")
    landing = await desk.land({"a.txt": with_line(LINES, 5, "landed")})
    ready = await desk.commits.ready((landing,))
    assert [change.path for change in ready.changes] == ["a.txt"]
    assert ((desk.top / ".git/index").read_bytes(), desk.git("rev-parse", "HEAD")) == (index, head)
    assert not (desk.root / "ran").exists()


async def test_somebody_who_commits_at_the_same_moment_loses_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"a.txt": LINES.encode(), "b.txt": b"b\n"})
    landing = await desk.land({"a.txt": with_line(LINES, 5, "landed")})
    # Without the index, which is locked, only plumbing can.
    desk.hook(
        "pre-commit",
        "test -e once && exit 0; touch once; unset GIT_INDEX_FILE; git update-ref HEAD "
        '"$(git commit-tree -p HEAD -m other "$(git rev-parse HEAD^{tree})")"',
    )
    head = desk.git("rev-parse", "HEAD")
    with pytest.raises(CommitError):
        await desk.commit(landing)
    assert desk.git("log", "--format=%s").split() == ["other", "start"]
    assert desk.git("rev-parse", "HEAD^") == head
