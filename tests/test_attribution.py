"""Who did it: over real sessions, the real watcher and real git, with a human who edits in the same moments."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.attribution import Attribution
from agent_core.conversation import UserItem
from agent_core.landing_commands import turn
from agent_core.last_seen import LastSeen
from agent_core.places import project_state
from agent_core.state import State
from tests.projects import git, write_files
from tests.support.running import Running, running
from tests.support.shop import MENDED, RIGHT_AT_ONCE, make_shop
from tests.test_resume import settings, write_script

MANY = 60


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A shop with a branch on which many files are others."""
    project = make_shop(tmp_path / "shop")
    git(project, "branch", "-M", "main")
    write_files(project, {f"many/f{number:02}.py": f"n = {number}\n" for number in range(MANY)})
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "many")
    git(project, "switch", "-q", "-c", "topic")
    write_files(project, {f"many/f{number:02}.py": f"n = -{number}\n" for number in range(MANY)})
    git(project, "commit", "-q", "-am", "negative")
    git(project, "switch", "-q", "main")
    return project


def scripted(tmp_path: Path, *patches: str) -> dict[str, Any]:
    return settings(write_script(tmp_path / "script.json", *patches), "step")


async def watching(here: Running) -> None:
    async with asyncio.timeout(20):
        while here.session.surroundings.heard != "watched":  # noqa: ASYNC110 - the screen asks in the same way
            await asyncio.sleep(0.01)


async def waiting(here: Running) -> None:
    await here.until(lambda state: bool(state.waiting))


def outside(here: Running) -> list[ev.AnyEvent]:
    kinds = (ev.HumanEdited, ev.FilesEdited, ev.BranchChanged)
    return [event for event in here.events if isinstance(event, kinds)]


def edited(here: Running) -> list[tuple[str, str]]:
    return [(event.path, event.by) for event in here.all(ev.HumanEdited)]


def told(state: State) -> str:
    return "\n".join(item.text for item in state.items if isinstance(item, UserItem))


async def test_a_switch_is_one_event_and_what_the_human_saved_meanwhile_another(tmp_path: Path, project: Path) -> None:
    async with running(project, scripted(tmp_path, RIGHT_AT_ONCE), watch=True) as here:
        await watching(here)
        git(project, "switch", "-q", "topic")
        (project / "README.md").write_text("# mine\n")
        move = await here.seen(ev.BranchChanged)
        assert (move.what, move.was, move.branch) == ("checkout: moving from main to topic", "main", "topic")
        assert move.commit == git(project, "rev-parse", "HEAD").strip()
        assert (len(move.paths), move.count) == (40, MANY)
        await here.until(lambda _: ("README.md", "human") in edited(here))
        assert edited(here) == [("README.md", "human")]
        assert [type(event) for event in outside(here)] in (
            [ev.BranchChanged, ev.HumanEdited],
            [ev.HumanEdited, ev.BranchChanged],
        )
        # The partner is told of it as one item that is bounded.
        here.submit(commands.Ask("mend total"))
        await waiting(here)
        words = told(here.state)
        assert "The human used git (checkout: moving from main to topic), from main to topic." in words
        assert "many/f39.py and 20 more. Read them again" in words
        assert "many/f40.py" not in words.partition("[The human used git")[2]
        assert "README.md was changed." in words


async def test_a_new_branch_is_told_though_no_file_changed(tmp_path: Path, project: Path) -> None:
    async with running(project, scripted(tmp_path, RIGHT_AT_ONCE), watch=True) as here:
        await watching(here)
        git(project, "switch", "-q", "-c", "other")
        move = await here.seen(ev.BranchChanged)
        assert (move.was, move.branch, move.count) == ("main", "other", 0)
        assert not here.all(ev.HumanEdited)


async def test_a_rebase_while_a_proposal_waits(tmp_path: Path, project: Path) -> None:
    async with running(project, scripted(tmp_path, RIGHT_AT_ONCE), watch=True) as here:
        for number in range(3):
            (project / "README.md").write_text(f"# shop {number}\n")
            git(project, "commit", "-q", "-am", f"readme {number}")
        here.submit(commands.Ask("mend total"))
        await waiting(here)
        before = len(here.all(ev.HumanEdited))
        git(project, "rebase", "-q", "topic")
        move = await here.seen(ev.BranchChanged)
        assert (move.what, move.count) == ("rebase onto topic, 3 commits", MANY)
        await here.judged(2)
        await waiting(here)
        here.submit(commands.Accept(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert (project / "shop/prices.py").read_text() == MENDED
        assert len(here.all(ev.BranchChanged)) == 1
        assert len(here.all(ev.HumanEdited)) == before


async def test_many_saves_at_once_are_one_event(tmp_path: Path, project: Path) -> None:
    async with running(project, scripted(tmp_path, RIGHT_AT_ONCE)) as here:
        here.submit(commands.Ask("mend total"))
        await waiting(here)
        # Where nobody watches it is not known who.
        for file in (project / "many").iterdir():
            file.write_text("m = 1\n")
        (project / "many/f00.py").unlink()
        (project / "many/new.py").write_text("x\n")
        here.submit(commands.Accept(1))
        edits = await here.seen(ev.FilesEdited)
        assert (edits.added, edits.changed, edits.deleted, edits.by) == (1, MANY - 1, 1, "unknown")
        assert len(edits.paths) == MANY + 1
        assert not here.all(ev.HumanEdited)
        await here.seen(ev.TaskFinished)
        here.submit(commands.Ask("and now?"))
        await here.until(lambda state: "files at once" in told(state))
        assert f"{MANY + 1} files at once (1 added, {MANY - 1} changed, 1 deleted): many/f00.py" in told(here.state)


FORMATTED = MENDED.replace("result = 0\n    for", "result = (\n        0\n    )\n    for")


COMMENTED = MENDED.replace("result = 0\n", "result = 0  # euros\n")


@pytest.mark.parametrize(("text", "by"), [(FORMATTED, "formatter"), (COMMENTED, "human")], ids=["layout", "comment"])
async def test_a_formatter_over_what_has_just_landed(tmp_path: Path, project: Path, text: str, by: str) -> None:
    assert text != MENDED
    async with running(project, scripted(tmp_path, RIGHT_AT_ONCE), watch=True) as here:
        await watching(here)
        here.submit(commands.Ask("mend total"))
        await waiting(here)
        here.submit(commands.Accept(1))
        await here.seen(ev.Landed)
        (project / "shop/prices.py").write_text(text)
        await here.seen(ev.HumanEdited)
        assert edited(here) == [("shop/prices.py", by)]
        # What it did, and not what had landed before it.
        assert "[1:]" not in here.all(ev.HumanEdited)[0].diff


async def test_what_another_pairloop_takes_back(tmp_path: Path, project: Path) -> None:
    async with running(project, scripted(tmp_path, RIGHT_AT_ONCE, RIGHT_AT_ONCE), watch=True) as here:
        await watching(here)
        here.submit(commands.Ask("mend total"))
        await waiting(here)
        here.submit(commands.Accept(1))
        await here.seen(ev.TaskFinished)
        # Looks at what there is by now.
        here.submit(commands.Shell("s", "true"))
        await here.seen(ev.ShellFinished)
        assert await turn(project, 0, again=False) == 0
        await here.seen(ev.LandingTurned)
        await here.until(lambda _: bool(edited(here)))
        assert edited(here) == [("shop/prices.py", "pairloop")]
        here.submit(commands.Ask("again"))
        await here.until(lambda state: "Another pairloop of this project landed" in told(state))


async def left(tmp_path: Path, project: Path) -> str:
    """A session that has been ended."""
    async with running(project, scripted(tmp_path, RIGHT_AT_ONCE)) as here:
        here.submit(commands.Ask("mend total"))
        await waiting(here)
        return here.session.id


async def test_what_changed_while_it_was_closed_is_named(tmp_path: Path, project: Path) -> None:
    session = await left(tmp_path, project)
    (project / "README.md").write_text("# mine\n")
    (project / "new.txt").write_text("x\n")
    async with running(project, scripted(tmp_path, RIGHT_AT_ONCE), resume=session) as here:
        await here.seen(ev.DecisionAwaited)
        assert edited(here) == [("README.md", "unknown"), ("new.txt", "unknown")]
    async with running(project, scripted(tmp_path, RIGHT_AT_ONCE), resume=session) as here:
        await here.seen(ev.DecisionAwaited)
        assert not outside(here)


async def test_what_git_did_while_it_was_closed(tmp_path: Path, project: Path) -> None:
    session = await left(tmp_path, project)
    git(project, "switch", "-q", "topic")
    (project / "README.md").write_text("# mine\n")
    async with running(project, scripted(tmp_path, RIGHT_AT_ONCE), resume=session, watch=True) as here:
        await here.seen(ev.DecisionAwaited)
        (move,) = here.all(ev.BranchChanged)
        assert (move.what, move.count) == ("checkout: moving from main to topic", MANY)
        assert edited(here) == [("README.md", "unknown")]


async def test_a_session_that_died_knows_what_its_journal_says(tmp_path: Path, project: Path) -> None:
    session = await left(tmp_path, project)
    kept = LastSeen(project_state(project), session)
    early = kept.load()
    assert early is not None
    async with running(project, scripted(tmp_path, RIGHT_AT_ONCE), resume=session) as here:
        await here.seen(ev.DecisionAwaited)
        (project / "README.md").write_text("# mine\n")
        here.submit(commands.Accept(1))
        await here.until(lambda _: bool(edited(here)))
        await waiting(here)
        here.submit(commands.Accept(1))
        await here.seen(ev.TaskFinished)
    # As if the process had been killed before it kept anything new.
    kept.keep(early)
    (project / "many/f00.py").write_text("mine\n")
    async with running(project, scripted(tmp_path, RIGHT_AT_ONCE), resume=session) as here:
        await here.seen(ev.HumanEdited)
        assert edited(here) == [("many/f00.py", "unknown")]
    os.truncate(project_state(project) / "seen" / f"{session}.msgpack", 10)
    assert kept.load() is None


async def test_what_was_taken_away_by_who_knows_whom_is_not_the_humans_when_it_is_back(
    tmp_path: Path, project: Path
) -> None:
    def edit(path: str, before: str, after: str) -> ev.HumanEdited:
        return ev.HumanEdited(path, "changed", "", before, after)

    async with running(project, scripted(tmp_path, RIGHT_AT_ONCE)) as here:
        attribution = Attribution("another", here.session._outfit.workspace, here.session._outfit.journal)
        await attribution.start()
        await attribution.moves.start(None)
        for edits, watched, by in (
            ([edit("README.md", "mine", "committed")], False, ["unknown"]),
            ([edit("README.md", "committed", "mine"), edit("shop/prices.py", "a", "b")], True, ["unknown", "human"]),
            # The human's own undo is theirs.
            ([edit("shop/prices.py", "b", "a")], True, ["human"]),
        ):
            told = await attribution.events(edits, watched=watched)
            assert [one.by for one in told if isinstance(one, ev.HumanEdited)] == by


async def test_a_look_that_is_cut_off_at_its_end_has_told_nothing_of_git(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(project, scripted(tmp_path, RIGHT_AT_ONCE)) as here:
        attribution = Attribution("another", here.session._outfit.workspace, here.session._outfit.journal)
        await attribution.start()
        await attribution.moves.start(None)
        git(project, "switch", "-q", "topic")
        await attribution.moves.rest()
        reached = asyncio.Event()

        async def stuck(*_: object) -> set[int]:
            reached.set()
            await asyncio.Event().wait()
            return set()

        with monkeypatch.context() as patched:
            patched.setattr(attribution, "_passed", stuck)
            looking = asyncio.create_task(attribution.events([], watched=True))
            await asyncio.wait_for(reached.wait(), 20)
            looking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await looking
        told = await attribution.events([], watched=True)
        assert [type(one) for one in told] == [ev.BranchChanged]
        assert await attribution.events([], watched=True) == []


async def test_an_edit_over_an_unseen_landing_that_is_saved_over_again_is_over_what_landed(
    tmp_path: Path, project: Path
) -> None:
    async with running(project, scripted(tmp_path, RIGHT_AT_ONCE)) as here:
        journal = here.session._outfit.journal
        attribution = Attribution("another", here.session._outfit.workspace, journal)
        await attribution.start()
        await attribution.moves.start(None)
        landed = ev.FileLanding("README.md", "before", journal.put(b"landed\n"), 0o100644, 0o100644)
        attribution.listen(ev.Entry(1, 0.0, ev.LandingStarted(1, 1, 0, (landed,))), here.state)
        attribution.listen(ev.Entry(2, 0.0, ev.Landed(1)), here.state)
        edit = ev.HumanEdited("README.md", "changed", "of both", "before", "gone by now")
        assert await attribution.events([edit], watched=True) == [
            ev.HumanEdited("README.md", "changed", "", landed.after, "gone by now")
        ]
