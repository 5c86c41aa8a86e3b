"""A look tells all that it found or nothing, and what cannot be known is not claimed."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.attribution import Attribution
from agent_core.config_tables import Config
from agent_core.hearing import Hearing
from agent_core.journal import SqliteJournal
from agent_core.state import State
from agent_core.workspace import git_moves
from agent_core.workspace.edits import EditTracker
from agent_core.workspace.git_moves import GitMoves
from agent_core.workspace.project import Project, open_project
from tests.projects import git, make_project, write_files
from tests.support.running import running
from tests.test_attribution import outside, scripted, watching


class Listening:
    """Hearing in a project, with all that it tells."""

    def __init__(self, project: Project, journal: SqliteJournal, *, isolated: bool = True) -> None:
        self.told: list[ev.AnyEvent] = []
        self.own: list[str] = []
        self.tracker = EditTracker(project)
        self.attribution = Attribution("s", project, journal, isolated=isolated)
        self.hearing = Hearing(
            self.tracker,
            self.attribution,
            self._emit,
            looked=lambda *, changed: None,
            edited=lambda edits, now: self.own.extend(edit.path for edit in edits),
        )

    def _emit(self, event: ev.AnyEvent, *, durable: bool = False) -> None:
        del durable
        self.told.append(event)
        self.attribution.listen(ev.Entry(len(self.told), 0.0, event), State())

    async def start(self) -> Listening:
        await self.tracker.start()
        await self.attribution.start()
        await self.attribution.moves.start()
        return self


@pytest.fixture
async def project(tmp_path: Path) -> Project:
    root = make_project(tmp_path / "project", {"a.py": "a = 1\n", "b.py": "b = 1\n"})
    git(root, "switch", "-q", "-c", "topic")
    return await open_project(root, Config(), os.environ)


@pytest.fixture
def journal(tmp_path: Path) -> SqliteJournal:
    return SqliteJournal(tmp_path / "journal.db")


async def test_a_look_that_is_cut_off_loses_nothing(
    project: Project, journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await Listening(project, journal).start()
    reached, explain = asyncio.Event(), GitMoves.explain

    async def stuck(*_: object) -> None:
        reached.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(GitMoves, "explain", stuck)
    write_files(project.root, {"a.py": "mine\n"})
    look = asyncio.create_task(here.hearing.look())
    await reached.wait()
    look.cancel()
    await asyncio.wait([look])
    assert not here.told
    monkeypatch.setattr(GitMoves, "explain", explain)
    write_files(project.root, {"b.py": "mine\n"})
    await here.hearing.look()
    assert [event.path for event in here.told if isinstance(event, ev.HumanEdited)] == ["a.py", "b.py"]
    assert here.own == ["a.py", "b.py"]


async def test_looks_at_the_same_time_tell_each_edit_once(project: Project, journal: SqliteJournal) -> None:
    here = await Listening(project, journal).start()
    write_files(project.root, {"a.py": "mine\n"})
    git(project.root, "switch", "-q", "-c", "other")
    await asyncio.gather(*(here.hearing.look() for _ in range(5)))
    assert [type(event) for event in here.told] == [ev.BranchChanged, ev.HumanEdited]


@pytest.mark.parametrize(("isolated", "by"), [(True, "human"), (False, "unknown")])
async def test_while_a_command_runs_that_may_write_anywhere(
    project: Project, journal: SqliteJournal, isolated: bool, by: str
) -> None:
    here = await Listening(project, journal, isolated=isolated).start()
    here._emit(ev.ShellStarted("s", "make"))
    write_files(project.root, {"a.py": "who?\n"})
    await here.hearing.look()
    here._emit(ev.ShellFinished("s", 0, "", 0.1))
    write_files(project.root, {"b.py": "who?\n"})
    await here.hearing.look()
    write_files(project.root, {"a.py": "I.\n"})
    await here.hearing.look()
    edits = [event.by for event in here.told if isinstance(event, ev.HumanEdited)]
    assert edits == [by, by, "human"]
    assert here.own == (["a.py", "b.py", "a.py"] if isolated else ["a.py"])


async def test_a_servers_tool_is_not_shut_in_and_what_is_written_while_it_is_at_work_is_nobodys(
    project: Project, journal: SqliteJournal
) -> None:
    here = await Listening(project, journal).start()
    saved = 0

    async def save() -> None:
        nonlocal saved
        saved += 1
        write_files(project.root, {"a.py": f"a = {saved}0\n"})
        await here.hearing.look()

    here._emit(ev.ToolStarted("own", "run_command", "run make"))
    await save()
    here._emit(ev.ToolFinished("own", True, ""))
    here._emit(ev.ToolStarted("theirs", "files__write", "files: write"))
    here._emit(ev.ApprovalAsked("theirs", "files/write {}", "mcp"))
    await save()  # the human is still being asked
    here._emit(ev.ApprovalGiven("theirs", True))
    await save()
    here._emit(ev.ToolFinished("theirs", True, ""))
    await save()  # it may have been there before the call was over
    await save()
    here._emit(ev.ToolStarted("refused", "files__write", "files: write"))
    here._emit(ev.ApprovalGiven("refused", False))
    await save()
    here._emit(ev.ToolFinished("refused", False, ""))
    here._emit(ev.ToolStarted("stopped", "files__write", "files: write"))
    here._emit(ev.ApprovalGiven("stopped", True, "mcp *", "rule"))
    here._emit(ev.TaskFinished(1, "interrupted", ""))
    await save()  # the server may not have heard of that
    await save()
    by = [event.by for event in here.told if isinstance(event, ev.HumanEdited)]
    assert by == ["human", "human", "unknown", "unknown", "human", "human", "unknown", "human"]


async def test_without_git_at_work_nothing_waits(
    project: Project, journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await Listening(project, journal).start()
    # Whoever waits for git waits here until the test is over.
    monkeypatch.setattr(git_moves, "_STEP", 600.0)
    for number in range(20):
        write_files(project.root, {"a.py": f"a = {number + 2}\n"})
        await asyncio.wait_for(here.hearing.look(("a.py",)), 60)
    assert len(here.told) == 20


async def test_no_commit_yet(tmp_path: Path, journal: SqliteJournal) -> None:
    root = make_project(tmp_path / "empty", {"a.py": "a = 1\n"}, commit=False)
    here = await Listening(await open_project(root, Config(), os.environ), journal).start()
    write_files(root, {"a.py": "a = 2\n"})
    await here.hearing.look()
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    await here.hearing.look()
    assert [type(event) for event in here.told] == [ev.HumanEdited]
    git(root, "switch", "-q", "-c", "topic")
    await here.hearing.look()
    assert isinstance(here.told[-1], ev.BranchChanged)


async def test_submodules_are_left_out_and_said_to_be(tmp_path: Path) -> None:
    make_project(tmp_path / "lib", {"lib.py": "x = 1\n"})
    root = make_project(tmp_path / "project", {"a.py": "a = 1\n"})
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(tmp_path / "lib"), "vendor/lib")
    git(root, "commit", "-q", "-am", "lib")
    async with running(root, scripted(tmp_path), watch=True) as here:
        noted = await here.seen(ev.Noted)
        assert (noted.text, noted.hint) == (
            "What changes in submodules is not heard: they are repositories of their own.",
            "vendor/lib",
        )
        await watching(here)
        write_files(root / "vendor/lib", {"lib.py": "x = 2\n"})
        git(root / "vendor/lib", "switch", "-q", "-c", "wip")
        git(root / "vendor/lib", "commit", "-q", "-am", "wip")
        write_files(root, {"a.py": "a = 2\n"})
        await here.seen(ev.HumanEdited)
        # Its commands see it as it is all the same.
        here.submit(commands.Shell("s", "cat vendor/lib/lib.py"))
        assert (await here.seen(ev.ShellFinished)).output == "x = 2\n"
        assert [getattr(event, "path", "") for event in outside(here)] == ["a.py"]


async def test_large_files_behind_pointers_without_the_program(tmp_path: Path) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
    root = make_project(tmp_path / "project", {"a.bin": pointer, ".gitattributes": "*.bin filter=lfs -text\n"})
    git(root, "switch", "-q", "-c", "topic")
    write_files(root, {"a.bin": pointer.replace("12345", "54321")})
    git(root, "commit", "-q", "-am", "larger")
    for name in ("clean", "smudge", "process"):
        git(root, "config", f"filter.lfs.{name}", f"touch {tmp_path}/ran; exit 1")
    async with running(root, scripted(tmp_path), watch=True) as here:
        await watching(here)
        git(root, "-c", "filter.lfs.smudge=cat", "-c", "filter.lfs.process=", "switch", "-q", "-")
        move = await here.seen(ev.BranchChanged)
        assert move.paths == ("a.bin",)
        write_files(root, {"a.bin": "mine\n"})
        await here.seen(ev.HumanEdited)
        assert len(outside(here)) == 2
    assert not (tmp_path / "ran").exists()
