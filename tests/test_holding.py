"""Nothing is written while git is in the midst of something: a landing waits, all else is refused."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.landing_commands import CONFLICT, turn
from agent_core.patch_command import Wish, apply_patch
from tests.projects import git
from tests.support.running import running
from tests.support.shop import RIGHT_AT_ONCE, make_shop
from tests.test_resume import settings, write_script

PATCH = b"*** Begin Patch\n*** Update File: README.md\n@@\n-# shop\n+# The shop\n*** End Patch\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A shop with another branch that collides with it in the readme."""
    project = make_shop(tmp_path / "shop")
    git(project, "branch", "-M", "main")
    git(project, "switch", "-q", "-c", "topic")
    (project / "README.md").write_text("# topic\n")
    git(project, "commit", "-q", "-am", "topic")
    git(project, "switch", "-q", "main")
    (project / "README.md").write_text("# main\n")
    git(project, "commit", "-q", "-am", "main")
    return project


def stop(project: Path, *command: str) -> None:
    done = subprocess.run(["git", *command], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode, done.stdout


def scripted(tmp_path: Path, mode: str) -> dict[str, Any]:
    return settings(write_script(tmp_path / "script.json", RIGHT_AT_ONCE), mode)


async def test_a_landing_waits_for_a_rebase_and_lands_by_itself(tmp_path: Path, project: Path) -> None:
    async with running(project, scripted(tmp_path, "step"), watch=True) as here:
        here.submit(commands.Ask("mend total"))
        await here.judged()
        stop(project, "rebase", "topic")
        await here.seen(ev.BranchChanged)
        await here.until(lambda state: bool(state.waiting) and state.proposals[-1].green)
        here.submit(commands.Accept(1))
        waits = await here.seen(ev.LandingWaits)
        assert waits.reason.startswith("Git is in the midst of a rebase: it lands by itself when that is over")
        await here.until(lambda state: state.why == waits.reason)
        assert not here.all(ev.LandingStarted)
        git(project, "rebase", "--abort")
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert [event.reason for event in here.all(ev.LandingWaits)] == [waits.reason, ""]
        assert not here.state.proposals[-1].waits
        moves = [event.what for event in here.all(ev.BranchChanged)]
        assert moves == ["rebase onto topic, not done yet", "rebase, aborted"]
        # What landed was judged over the tree that was there by then.
        made = here.all(ev.ProposalMade)
        assert made[-1].base_tree == made[0].base_tree != made[1].base_tree
        assert not here.all(ev.HumanEdited)


async def test_who_waits_may_think_better_of_it(tmp_path: Path, project: Path) -> None:
    stop(project, "merge", "topic")
    async with running(project, scripted(tmp_path, "step"), watch=True) as here:
        here.submit(commands.Ask("mend total"))
        await here.until(lambda state: bool(state.waiting))
        here.submit(commands.Accept(1))
        await here.until(lambda state: bool(state.proposals[-1].waits))
        here.submit(commands.Reject(1, "not like that"))
        await here.seen(ev.Decided)
        assert not here.state.proposals[-1].waits
        here.submit(commands.Interrupt())
        await here.seen(ev.TaskFinished)
        assert not here.all(ev.LandingStarted)


async def test_an_interrupt_ends_the_wait(tmp_path: Path, project: Path) -> None:
    stop(project, "merge", "topic")
    async with running(project, scripted(tmp_path, "auto"), watch=True) as here:
        here.submit(commands.Ask("mend total"))
        # The mode waits, too.
        await here.until(lambda state: bool(state.proposals) and bool(state.proposals[-1].waits))
        here.submit(commands.Interrupt())
        assert (await here.seen(ev.TaskFinished)).outcome == "interrupted"
        assert not here.state.proposals[-1].waits
        assert not here.all(ev.LandingStarted)


async def test_where_nobody_looks_on_it_is_refused(tmp_path: Path, project: Path) -> None:
    stop(project, "merge", "topic")
    async with running(project, scripted(tmp_path, "auto")) as here:
        here.submit(commands.Ask("mend total"))
        assert (await here.seen(ev.TaskFinished)).outcome == "conflict"
        assert "in the midst of a merge" in here.all(ev.LandingConflicted)[0].message
        assert not here.all(ev.LandingStarted)


async def test_undo_redo_and_patches_of_the_command_line(
    tmp_path: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = project / "README.md"
    readme.write_text("# shop\n")
    git(project, "commit", "-q", "-am", "as ever")
    done, _ = await apply_patch(PATCH, project, Wish())
    assert done.status == "applied"
    git(project, "bisect", "start")
    for again in (False, True):
        assert await turn(project, 0, again=again) in {CONFLICT, 1}
    said = capsys.readouterr().err
    assert "Git is in the midst of a bisect; nothing was written." in said
    assert "git bisect reset" in said
    done, _ = await apply_patch(PATCH.replace(b"shop\n+# The", b"The shop\n+# Our"), project, Wish())
    assert done.status == "conflict"
    assert readme.read_text() == "# The shop\n"
    git(project, "bisect", "reset")
    assert await turn(project, 0, again=False) == 0
    assert readme.read_text() == "# shop\n"
