"""Decisions while the checks are still at work: who may take them, what they end, and what is told afterwards."""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent_core import build, commands
from agent_core import events as ev
from agent_core.build import Engine
from agent_core.chat_entries import Notice
from agent_core.checks.model import CheckResult, Finding, Wish
from agent_core.conversation import UserItem
from agent_core.headless import GREEN, NOT_GREEN, execute
from agent_core.protocols import Candidate
from agent_core.session import Session
from agent_core.state import State
from tests.support.running import flags, running
from tests.support.shop import MENDED, NEW_FILE, RIGHT_AT_ONCE, make_shop

BROKEN = Finding("pytest", "assert 1 == 2", "tests/test_far.py", 3, "tests/test_far.py::test_far")


class Slow:
    """A judge that has got through what the change can affect, and comes to its end when it is told to."""

    name = "pytest"

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.reached = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.fails = False
        self.runs = 0

    async def run(self, candidate: Candidate, wish: Wish) -> CheckResult:
        """Judge a candidate; the base is all well, and so is what is run again."""
        if not candidate.changed:
            return CheckResult("pytest", "passed", candidate.tree, "230 passed", total=230, passed=(BROKEN.code,))
        self.runs += 1
        if wish.only is None:
            wish.partial(
                CheckResult("pytest", "passed", candidate.tree, "affected: 14 of 230 passed", stage="affected")
            )
            self.reached.set()
            try:
                await self.go_on.wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
        if self.fails:
            summary = "1 failed, 229 passed"
            return CheckResult("pytest", "failed", candidate.tree, summary, (BROKEN,), total=230)
        return CheckResult("pytest", "passed", candidate.tree, "230 passed", total=230, passed=(BROKEN.code,))


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    check = Slow()
    monkeypatch.setattr(build, "default_checks", lambda *_: (check,))
    return check


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop")


def settings(tmp_path: Path, mode: str, *patches: str) -> dict[str, Any]:
    """A script of these patches."""
    script = tmp_path / "script.json"
    turns = [{"calls": [{"name": "apply_patch", "arguments": {"patch": text}}]} for text in patches]
    script.write_text(json.dumps({"turns": turns}))
    return flags(mode, partner={"script": str(script)})


def partial(state: State) -> bool:
    verdict = state.proposal.verdict if state.proposal is not None else None
    return verdict is not None and not verdict.complete and verdict.stage == "affected"


async def soon(event: asyncio.Event) -> None:
    async with asyncio.timeout(30):
        await event.wait()


async def test_in_step_the_human_may_accept_before_the_end_and_hears_of_it(
    tmp_path: Path, project: Path, slow: Slow
) -> None:
    slow.fails = True
    async with running(project, settings(tmp_path, "step", RIGHT_AT_ONCE)) as here:
        here.submit(commands.Ask("mend it"))
        state = await here.until(lambda state: state.waiting == 1)
        assert partial(state)
        assert "green so far" in state.why
        assert "affected: 14 of 230 passed" in state.why
        assert state.proposal is not None
        assert not state.proposal.green
        here.submit(commands.Accept(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert (project / "shop/prices.py").read_text() == MENDED
        assert not slow.cancelled.is_set()
        slow.go_on.set()
        note = await here.seen(ev.Noted)
        assert note.level == "warning"
        assert note.text.endswith(f"proposal 1, which has landed, fails in {BROKEN.code}.")
        assert "Undo" in note.hint
        # Nothing is compared with a base that is no more.
        assert not any(event.verdict.complete for event in here.all(ev.VerdictReached))


async def test_what_comes_in_late_says_nothing_of_files_that_have_changed(
    tmp_path: Path, project: Path, slow: Slow
) -> None:
    slow.fails = True
    async with running(project, settings(tmp_path, "step", RIGHT_AT_ONCE)) as here:
        here.submit(commands.Ask("mend it"))
        await here.until(lambda state: state.waiting == 1)
        here.submit(commands.Accept(1))
        await here.seen(ev.TaskFinished)
        (project / "README.md").write_text("# Mine\n")
        slow.go_on.set()
        assert "counts for nothing" in (await here.seen(ev.Noted)).text


async def test_without_a_decision_the_whole_verdict_takes_the_place_of_the_first(
    tmp_path: Path, project: Path, slow: Slow
) -> None:
    async with running(project, settings(tmp_path, "step", RIGHT_AT_ONCE)) as here:
        here.submit(commands.Ask("mend it"))
        await here.until(lambda state: state.waiting == 1)
        (line,) = [one for one in here.state.chat if isinstance(one, Notice) and one.about == "verdict"]
        assert line.doubt == "so far"
        slow.go_on.set()
        await here.until(
            lambda state: state.proposal is not None and state.proposal.green and "so far" not in state.why
        )
        assert len(here.all(ev.DecisionAwaited)) >= 2
        (line,) = [one for one in here.state.chat if isinstance(one, Notice) and one.about == "verdict"]
        assert line.doubt == ""
        here.submit(commands.Accept(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"


@pytest.mark.parametrize("mode", ["auto", "until-green"])
async def test_a_mode_decides_by_whole_verdicts_only(tmp_path: Path, project: Path, slow: Slow, mode: str) -> None:
    slow.fails = True
    async with running(project, settings(tmp_path, mode, RIGHT_AT_ONCE)) as here:
        here.submit(commands.Ask("mend it"))
        await here.until(partial)
        assert (here.state.waiting, here.all(ev.Decided)) == (0, [])
        slow.go_on.set()
        decided = await here.seen(ev.Decided)
        assert (decided.decision, decided.by) == ("steer", "mode")
        assert (await here.judged()).verdict.broken == (BROKEN,)


async def test_words_that_wait_are_heard_when_what_was_judged_meanwhile_has_landed(
    tmp_path: Path, project: Path, slow: Slow
) -> None:
    async with running(project, settings(tmp_path, "auto", RIGHT_AT_ONCE, NEW_FILE)) as here:
        here.submit(commands.Ask("mend it"))
        await here.until(partial)
        here.submit(commands.Steer("take notes, too"))
        await here.until(lambda state: bool(state.queued))
        slow.go_on.set()
        await here.seen(ev.Landed, 2)
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        told = [item.text for item in here.state.items if isinstance(item, UserItem)]
        assert told[-1] == "take notes, too"
        assert here.state.queued == ()
        assert (project / "shop/notes.py").exists()


@pytest.mark.parametrize("command", [commands.Reject(1, "no"), commands.Steer("more"), commands.Interrupt()])
async def test_a_judgement_that_nobody_needs_any_more_ends_at_once(
    tmp_path: Path, project: Path, slow: Slow, command: commands.AnyCommand
) -> None:
    async with running(project, settings(tmp_path, "step", RIGHT_AT_ONCE, NEW_FILE)) as here:
        here.submit(commands.Ask("mend it"))
        await here.until(lambda state: state.waiting == 1)
        here.submit(command)
        await soon(slow.cancelled)
        if not isinstance(command, commands.Interrupt):
            await here.until(lambda state: state.waiting == 2)
        here.submit(commands.Interrupt())
        await here.seen(ev.TaskFinished)


async def test_a_save_while_the_checks_run_starts_them_over(tmp_path: Path, project: Path, slow: Slow) -> None:
    async with running(project, settings(tmp_path, "until-green", RIGHT_AT_ONCE), watch=True) as here:
        here.submit(commands.Ask("mend it"))
        await here.until(partial)
        (project / "README.md").write_text("# Mine\n")
        await soon(slow.cancelled)
        made = await here.seen(ev.ProposalMade, 2)
        assert made.number == 1
        slow.go_on.set()
        verdict = (await here.judged()).verdict
        assert (verdict.tree, verdict.base_tree) == (made.tree, made.base_tree)
        here.submit(commands.Interrupt())
        await here.seen(ev.TaskFinished)


class Opened:
    """Opens a session and has somebody listen to it."""

    def __init__(self, engine: Engine, listen: Callable[[ev.Entry, State], None]) -> None:
        self._engine = engine
        self._listen = listen

    async def open(self, resume: str | None) -> Session:
        session = await self._engine.open(resume)
        session.subscribe(self._listen)
        return session


@pytest.mark.parametrize("fails", [True, False])
async def test_exec_waits_for_the_last_word(tmp_path: Path, project: Path, slow: Slow, fails: bool) -> None:
    slow.fails = fails
    seen: list[State] = []

    def listen(entry: ev.Entry, state: State) -> None:
        if isinstance(entry.event, ev.DecisionAwaited) and not seen:
            seen.append(state)
            slow.go_on.set()

    engine = Engine(project, settings(tmp_path, "step", RIGHT_AT_ONCE), dict(os.environ), watch=False)
    out = io.StringIO()
    async with asyncio.timeout(60):
        code = await execute(Opened(engine, listen), "mend it", json=False, out=out)
    assert partial(seen[0])
    assert code == (NOT_GREEN if fails else GREEN)
    lines = out.getvalue().splitlines()
    assert any(line.startswith("  ◌ pytest: affected: 14 of 230 passed") for line in lines)
    assert any(line.startswith("◌ green so far") for line in lines)
    assert any(line.startswith("✗ breaks 1" if fails else "✓ green: ") for line in lines)
