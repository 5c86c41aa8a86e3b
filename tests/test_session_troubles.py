"""What goes wrong around a session, and moments at which it is cut off: one sentence for the human, no step lost."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.build import Engine
from agent_core.conversation import ToolResultItem
from agent_core.errors import JournalError, LandingConflictError, first_cause
from agent_core.journal import SqliteJournal
from agent_core.places import project_state
from agent_core.state import State
from agent_core.uninterrupted import to_the_end
from tests.support.running import Running, running
from tests.support.shop import MENDED, RIGHT_AT_ONCE, WRONG, make_shop
from tests.test_resume import settings, write_script


def test_the_first_cause_of_nested_groups() -> None:
    cause = JournalError("full")
    group = ExceptionGroup("outer", [ExceptionGroup("inner", [cause, ValueError()]), KeyError()])
    assert first_cause(group) is cause
    assert first_cause(cause) is cause


async def test_a_full_disk_is_told_as_one_error(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    session = await Engine(project, settings(script, "step"), os.environ, watch=False).open(None)
    here = Running(session)
    run = asyncio.create_task(session.run())
    await here.seen(ev.SettingsTold)
    # From here on the database may not grow.
    session._outfit.journal._db.execute("PRAGMA max_page_count = 1")
    here.submit(commands.Ask("mend total " + "x" * 100_000))
    with pytest.raises(JournalError, match="full"):
        await run


async def test_a_journal_that_fails_below_the_loop_is_one_error_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_shop(tmp_path / "shop")
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    session = await Engine(project, settings(script, "step"), os.environ, watch=False).open(None)
    here = Running(session)
    append, full = session._outfit.journal.append, asyncio.Event()

    def fail(name: str, event: ev.AnyEvent, *, durable: bool = False) -> ev.Entry:
        if isinstance(event, ev.CheckStarted) and event.where == "candidate":
            full.set()
        if full.is_set():
            raise JournalError("The disk is full.")
        return append(name, event, durable=durable)

    monkeypatch.setattr(session._outfit.journal, "append", fail)
    run = asyncio.create_task(session.run())
    here.submit(commands.Ask("mend total"))
    with pytest.raises(JournalError, match="disk is full"):
        await run


async def test_a_command_that_fails_does_not_end_the_session(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    async with running(project, settings(script, "auto")) as here:
        here.submit(commands.Ask("mend total"))
        await here.seen(ev.TaskFinished)
        lock = project_state(project) / "landing.lock"
        lock.unlink()
        lock.mkdir()
        here.submit(commands.Undo())
        noted = await here.seen(ev.Noted)
        assert "IsADirectoryError" in noted.text
        lock.rmdir()
        here.submit(commands.Undo())
        await here.seen(ev.Landed, 2)
    assert (project / "shop/prices.py").read_text() != MENDED


async def test_who_fails_to_listen_stops_nobody(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)

    def deaf(_entry: ev.Entry, _state: State) -> None:
        raise ValueError

    async with running(project, settings(script, "auto")) as here:
        here.session.subscribe(deaf)
        here.submit(commands.Ask("mend total"))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"


async def test_a_project_that_vanishes_is_told(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    async with running(project, settings(script, "step"), watch=True) as here:
        here.submit(commands.Ask("mend total"))
        await here.until(lambda state: state.waiting == 1)
        shutil.rmtree(project)
        await here.until(lambda _: any("is gone" in note.text for note in here.all(ev.Noted)))
        assert here.state.waiting == 1, "what waits can wait until it is back"
        here.submit(commands.Interrupt())
        assert (await here.seen(ev.TaskFinished)).outcome == "interrupted"


class _Broken:
    async def batches(self) -> AsyncIterator[frozenset[str]]:
        yield frozenset()
        raise OSError("no watches left")


async def test_a_watcher_that_fails_is_told_and_saves_are_heard_all_the_same(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    session = await Engine(project, settings(script, "step"), os.environ).open(None)
    crew = session._crew
    crew._outfit = replace(crew._outfit, watcher=lambda _note: _Broken())  # type: ignore[arg-type,return-value] # broken
    here = Running(session)
    run = asyncio.create_task(session.run())
    noted = await here.seen(ev.Noted)
    assert "no watches left" in noted.text
    (project / "README.md").write_text("# mine\n")
    here.submit(commands.Ask("mend total"))
    assert (await here.seen(ev.HumanEdited)).path == "README.md"
    here.submit(commands.Quit())
    await run


async def decided_and_cut_off(
    tmp_path: Path, kind: ev.DecisionKind, reason: str
) -> tuple[Path, str, dict[str, object]]:
    """A session that ended right after the human decided on its proposal."""
    project = make_shop(tmp_path / "shop")
    chosen = settings(write_script(tmp_path / "script.json", RIGHT_AT_ONCE), "step")
    async with running(project, chosen) as here:
        here.submit(commands.Ask("mend total"))
        await here.until(lambda state: state.waiting == 1)
        session = here.session.id
    journal = SqliteJournal(project_state(project) / "journal.db")
    journal.append(session, ev.Decided(1, kind, "human", reason))
    journal.close()
    return project, session, chosen


async def test_accepted_but_not_landed_is_asked_again(tmp_path: Path) -> None:
    project, session, chosen = await decided_and_cut_off(tmp_path, "accept", "")
    async with running(project, chosen, resume=session) as here:
        await here.until(lambda state: state.waiting == 1)
        assert not here.all(ev.PromptSent)
        here.submit(commands.Accept(1))
        await here.seen(ev.TaskFinished)
    assert (project / "shop/prices.py").read_text() == MENDED


async def test_a_rejection_the_partner_has_not_heard_is_told(tmp_path: Path) -> None:
    project, session, chosen = await decided_and_cut_off(tmp_path, "reject", "use sum()")
    async with running(project, chosen, resume=session) as here:
        assert (await here.seen(ev.TaskFinished)).outcome == "interrupted"
        assert not here.all(ev.PromptSent)
        last = here.state.items[-1]
        assert isinstance(last, ToolResultItem)
        assert "use sum()" in last.output


async def test_a_decision_on_what_was_shown_before_is_void(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    async with running(project, settings(script, "step")) as here:
        here.submit(commands.Ask("mend total"))
        await here.until(lambda state: state.waiting == 1)

        def too_late(entry: ev.Entry, _state: State) -> None:
            # The proposal is about to be carried over: this word is about the one before.
            if isinstance(entry.event, ev.HumanEdited):
                here.submit(commands.Accept(1))

        here.session.subscribe(too_late)
        prices = project / "shop/prices.py"
        prices.write_text("# mine\n" + prices.read_text())
        here.session._crew.inbox.edited()
        await here.seen(ev.DecisionAwaited, 2)
        here.submit(commands.Interrupt())
        assert (await here.seen(ev.TaskFinished)).outcome == "interrupted"
        assert not here.all(ev.Decided)
        here.submit(commands.Interrupt())


async def test_a_draft_the_human_wrote_over_is_gone_and_the_partner_knows(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    script = write_script(tmp_path / "script.json", WRONG, RIGHT_AT_ONCE, RIGHT_AT_ONCE)
    async with running(project, settings(script, "step")) as here:
        here.submit(commands.Ask("mend total"))
        await here.until(lambda state: state.waiting == 1)
        prices = project / "shop/prices.py"
        prices.write_text(prices.read_text().replace("result += price\n", "result += price  # mine\n"))
        here.submit(commands.Steer())
        refused = await here.seen(ev.PatchRejected)
        assert "the draft is gone" in refused.message
        assert "shop/prices.py:8" in refused.message
        # The next one does not fit either, and the partner gives up: the green verdict of the first is none any more.
        await here.seen(ev.PatchRejected, 2)
        await here.until(lambda state: state.waiting == 1)
        assert here.state.why == "it collides with your own edits"


async def test_words_instead_of_a_patch_after_an_edit_have_the_proposal_checked_anew(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    async with running(project, settings(script, "step")) as here:
        here.submit(commands.Ask("mend total"))
        await here.until(lambda state: state.waiting == 1)
        first = here.all(ev.VerdictReached)[0].verdict
        prices = project / "shop/prices.py"
        prices.write_text("# mine\n" + prices.read_text())
        here.submit(commands.Steer("go on"))
        await here.seen(ev.DecisionAwaited, 2)
        proposal = here.state.proposal
        assert proposal is not None
        assert proposal.verdict is not None
        assert proposal.verdict.base_tree != first.base_tree
        assert proposal.verdict.tree == proposal.tree
        assert here.session.content(proposal.patch.files[0].after or "").startswith(b"# mine\n")
        assert len(here.all(ev.HumanEdited)) == 1


@pytest.mark.parametrize("fails", [False, True])
async def test_what_must_not_be_cut_in_two_is_not_however_often_one_tries(*, fails: bool) -> None:
    began, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        await go_on.wait()
        done.set()
        if fails:
            raise LandingConflictError("It was in the way.")

    task = asyncio.create_task(to_the_end(work()))
    await began.wait()
    for _ in range(3):
        task.cancel()
        await asyncio.wait([task], timeout=0)
        assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done.is_set()
