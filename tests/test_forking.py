"""A fork is the session as it was at a step: nothing of the original changes, and nothing lands twice."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_core import commands, forking
from agent_core import events as ev
from agent_core.build import Engine
from agent_core.chat_entries import Notice
from agent_core.errors import JournalError
from agent_core.fold import fold, replay
from agent_core.journal import SqliteJournal
from agent_core.places import project_state
from agent_core.state import State
from tests.support.running import flags, running, stored
from tests.support.shop import MENDED, QUICK, RIGHT_AT_ONCE, WRONG, make_shop, tree
from tests.test_fold import ANY_EVENT
from tests.test_resume import write_script


def engine_at(project: Path, script: Path, mode: str = "step") -> Engine:
    return Engine(project, flags(mode, off=QUICK, partner={"script": str(script)}), {})


def with_landings_elsewhere(state: State) -> State:
    landings = tuple(msgspec.structs.replace(one, inherited=True) for one in state.landings)
    return msgspec.structs.replace(state, landings=landings)


@given(st.lists(ANY_EVENT, min_size=1, max_size=30), st.integers(1, 40))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_true_of_a_fork_is_what_was_true_then(
    tmp_path_factory: pytest.TempPathFactory, events: list[ev.AnyEvent], step: int
) -> None:
    journal = SqliteJournal(tmp_path_factory.mktemp("state") / "journal.db")
    try:
        journal.create("old")
        for event in (ev.SessionStarted("old", "/p", "1"), ev.Asked(1, "mend it"), *events):
            journal.append("old", event)
        before = list(journal.entries("old"))
        wanted = min(step + 2, len(before))
        upto = forking.settled(before, wanted)
        landings, unfinished = journal.landings(), journal.unfinished_landings()
        try:
            new = forking.fork(journal, "old", wanted)
        except JournalError:
            assert not any(isinstance(entry.event, ev.Asked) for entry in before[:upto])
            return
        assert list(journal.entries("old")) == before
        copied = list(journal.entries(new))
        assert [entry.seq for entry in copied] == list(range(1, len(copied) + 1))
        assert [entry.at for entry in copied[:upto]] == [entry.at for entry in before[:upto]]
        then, now = replay(before[:upto]), replay(copied[:upto])
        assert now == msgspec.structs.replace(then, session=new if before[0].event == events[0] else now.session)
        told = fold(now, copied[upto].event)
        assert msgspec.structs.replace(told, chat=now.chat) == with_landings_elsewhere(now)
        assert told.undoable is None
        # What landed is counted once, and what was cut short is mended once.
        assert journal.landings() == landings
        assert journal.unfinished_landings() == unfinished
        # Nothing is half landed in it.
        begun = [entry.seq for entry in copied[:upto] if isinstance(entry.event, ev.LandingStarted)]
        ends = ev.Landed | ev.LandingAbandoned | ev.LandingConflicted | ev.TaskFinished
        assert not begun or any(isinstance(entry.event, ends) for entry in copied[begun[-1] : upto])
    finally:
        journal.close()


async def test_a_proposal_that_was_rejected_waits_again_in_a_fork(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    script = write_script(tmp_path / "script.json", WRONG, RIGHT_AT_ONCE)
    before = tree(project)
    engine = engine_at(project, script)
    async with running(project, flags("step", off=QUICK, partner={"script": str(script)})) as here:
        here.submit(commands.Ask("mend total"))
        await here.until(lambda state: state.waiting == 1)
        here.submit(commands.Reject(1, "not so"))
        await here.until(lambda state: state.waiting == 2)
        old = here.session.id
        steps = await engine.shelf().steps(old)
        assert [(step.kind, step.number) for step in steps] == [("proposal", 1), ("now", 0)]
        assert "attempt 1" in steps[0].text
        # While it is open: the original goes on as if nothing had happened.
        new = await engine.shelf().fork_at(old, 1)
        here.submit(commands.Accept(2))
        await here.until(lambda state: state.task is None)
    assert (project / "shop/prices.py").read_text() == MENDED
    original = stored(project, old)
    assert [landing.stands for landing in original.landings] == ["landed"]
    shop = dict(tree(project))
    shop["shop/prices.py"] = before["shop/prices.py"]
    (project / "shop/prices.py").write_bytes(before["shop/prices.py"])
    async with running(project, flags("auto", off=QUICK, partner={"script": str(script)}), resume=new) as fork:
        # In mode step, whatever the settings say: opening it decides nothing.
        await fork.seen(ev.DecisionAwaited)
        state = fork.state
        assert state.mode == "step"
        assert state.session == new
        assert state.undoable is None
        assert len(state.proposals) == 1
        assert any(isinstance(entry, Notice) and f"({old}) at step" in entry.text for entry in state.chat)
        fork.submit(commands.Accept(1))
        await fork.until(lambda state: state.task is None)
        assert [landing.number for landing in fork.state.landings] == [2]
    assert stored(project, old) == original


async def test_what_landed_is_not_landed_again_by_a_fork(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    engine = engine_at(project, script)
    async with running(project, flags("step", off=QUICK, partner={"script": str(script)})) as here:
        here.submit(commands.Ask("mend total"))
        await here.until(lambda state: state.waiting == 1)
        here.submit(commands.Accept(1))
        await here.until(lambda state: state.task is None)
        old = here.session.id
    landed = tree(project)
    for at in (1, 0):
        new = await engine.shelf().fork_at(old, 1) if at else await engine.shelf().fork(old)
        async with running(project, flags("step", off=QUICK, partner={"script": str(script)}), resume=new) as fork:
            if fork.state.waiting:
                await fork.seen(ev.DecisionAwaited)
            state = fork.state
            assert state.undoable is None
            fork.submit(commands.Undo())
            if state.waiting:
                fork.submit(commands.Accept(state.waiting))
                await fork.until(lambda state: state.task is None)
        assert tree(project) == landed
        journal = SqliteJournal(project_state(project) / "journal.db")
        try:
            assert [(one.number, one.session, one.stands) for one in journal.landings()][:1] == [(1, old, "landed")]
        finally:
            journal.close()
        assert json.loads(json.dumps(sorted(landed))) == sorted(tree(project))
    assert [one.stands for one in stored(project, old).landings] == ["landed"]


async def test_there_is_no_fork_of_nothing(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
    try:
        with pytest.raises(JournalError, match="no session nobody"):
            forking.fork(journal, "nobody")
        journal.create("old")
        journal.append("old", ev.SessionStarted("old", "/p", "1"))
        journal.append("old", ev.Asked(1, "x"))
        with pytest.raises(JournalError, match="no step 7"):
            forking.fork(journal, "old", 7)
        with pytest.raises(JournalError, match="Nothing had been asked"):
            forking.fork(journal, "old", 1)
    finally:
        journal.close()


def test_a_fork_is_there_as_a_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
    try:
        journal.create("old")
        for event in (
            ev.SessionStarted("old", "/p", "1"),
            ev.Asked(1, "mend it"),
            ev.LandingStarted(1, 1, 0, ()),
            ev.Landed(1),
        ):
            journal.append("old", event)
        sessions, landings = journal.sessions(), journal.landings()

        def full(*_: object, **__: object) -> None:
            raise JournalError("the disk is full")

        with monkeypatch.context() as broken:
            broken.setattr(journal, "append", full)
            with pytest.raises(JournalError, match="the disk is full"):
                forking.fork(journal, "old")
        assert (journal.sessions(), journal.landings()) == (sessions, landings)
        assert journal.landings()[0].session == "old"
        forking.fork(journal, "old")
        assert len(journal.sessions()) == 2
        assert journal.landings() == landings
    finally:
        journal.close()
