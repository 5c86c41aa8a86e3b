"""Marks, rewritings, saves and decisions that cross: what lands is what was judged, and what was meant."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agent_core import build, commands
from agent_core import events as ev
from agent_core.assessor import usable
from agent_core.chat_entries import Ran
from agent_core.checks.model import CheckResult, Finding, Wish
from agent_core.protocols import Candidate
from agent_core.reviewing import Reviewing
from agent_core.state import State
from tests.support.part_taking import (
    BEFORE,
    LOOP,
    MANY,
    ONLY_LOOP,
    RETURN,
    TITLE,
    Pair,
    asked,
    judged_part,
    newest,
    notes,
    script,
)
from tests.support.running import running
from tests.support.shop import make_shop

ALL = ONLY_LOOP.replace("// 100", "// 10")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop")


def judged(state: State) -> bool:
    verdict = newest(state).verdict
    return verdict is not None and verdict.complete


async def test_accept_judges_all_of_it_where_only_a_part_was(tmp_path: Path, project: Path, pair: Pair) -> None:
    async with running(project, script(tmp_path, MANY)) as here:
        blocks = await asked(here)
        # With this title the return is wrong; what counts as taken, the title alone, is fine.
        here.submit(commands.Rewrite(1, "README.md", blocks[TITLE], "# My shop\n"))
        await here.until(judged_part)
        assert newest(here.state).verdict is None
        here.submit(commands.Accept(1))
        await here.until(lambda state: "lands it anyway" in state.why)
        assert here.state.why == "All of it breaks tests/test_far.py::test_far; Accept again lands it anyway"
        assert (project / "README.md").read_text() == "# shop\n"
        here.submit(commands.Accept(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert (project / "README.md").read_text() == "# My shop\n"
        assert (project / "shop/prices.py").read_text() == ALL
    assert pair.trees


async def test_a_save_while_what_is_accepted_is_checked(tmp_path: Path, project: Path, pair: Pair) -> None:
    async with running(project, script(tmp_path, MANY), watch=True) as here:
        blocks = await asked(here)
        here.submit(commands.Take(1, blocks=tuple(blocks.values())))
        here.submit(commands.Rewrite(1, "README.md", blocks[TITLE], "# The very shop\n"))
        await here.until(judged)
        here.submit(commands.Unmark(1))
        await here.until(judged)
        pair.go_on.clear()
        here.submit(commands.Rewrite(1, "README.md", blocks[TITLE], "# The old shop\n"))
        here.submit(commands.Accept(1))
        await here.until(lambda state: state.why == "it is checked, and lands when it breaks nothing")
        (project / "shop/prices.py").write_text("# mine\n" + BEFORE)
        await here.seen(ev.HumanEdited)
        pair.go_on.set()
        await here.until(lambda state: judged(state) and state.waiting == 1)
        if not here.all(ev.Landed):
            here.submit(commands.Accept(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert (project / "shop/prices.py").read_text() == "# mine\n" + ALL
        verdict = newest(here.state).verdict
        assert verdict is not None
        # It was about the tree that is there now.
        assert verdict.tree == newest(here.state).tree
        assert newest(here.state).base_tree != here.all(ev.ProposalMade)[0].base_tree


@pytest.mark.parametrize("whole", [True, False])
async def test_what_lands_was_judged_with_a_save_that_nobody_heard_of(
    tmp_path: Path, project: Path, pair: Pair, whole: bool
) -> None:
    async with running(project, script(tmp_path, MANY, {"text": "Fine."})) as here:
        blocks = await asked(here)
        if not whole:
            here.submit(commands.Take(1, blocks=(blocks[LOOP],)))
            await here.until(judged_part)
        seen = len(pair.trees)
        (project / "shop/prices.py").write_text("# mine\n" + BEFORE)
        here.submit(commands.Accept(1) if whole else commands.Land(1))
        if not whole:
            await here.until(lambda _: "checked again first" in notes(here))
            await here.until(judged_part)
            assert (project / "shop/prices.py").read_text() == "# mine\n" + BEFORE
            here.submit(commands.Land(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert (project / "shop/prices.py").read_text() == "# mine\n" + (ALL if whole else ONLY_LOOP)
        assert len(pair.trees) > seen
        assert pair.trees[-1] == (newest(here.state).tree if whole else newest(here.state).part_tree)


async def test_a_verdict_on_what_was_rewritten_since_is_none(
    tmp_path: Path, project: Path, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle, go_on, reached = Reviewing.settle, asyncio.Event(), asyncio.Event()
    go_on.set()

    async def slow(self: Reviewing) -> None:
        reached.set()
        await go_on.wait()
        await settle(self)

    monkeypatch.setattr(Reviewing, "settle", slow)
    async with running(project, script(tmp_path, MANY)) as here:
        blocks = await asked(here)
        wrong: list[Any] = []
        here.session.subscribe(lambda entry, state: wrong.append(entry.event) if _about_another(state) else None)
        here.submit(commands.Take(1, blocks=tuple(blocks.values())))
        await here.until(lambda state: len(newest(state).reviews) == 1)
        pair.go_on.clear()
        here.submit(commands.Rewrite(1, "README.md", blocks[TITLE], "# The first\n"))
        await here.until(lambda state: newest(state).note != "" and len(pair.trees) == 2)
        go_on.clear()
        here.submit(commands.Rewrite(1, "README.md", blocks[TITLE], "# The second\n"))
        await here.until(lambda _: len(here.all(ev.ProposalMade)) == 3)
        # The first one is judged to the end before the loop comes round to giving it up.
        pair.go_on.set()
        async with asyncio.timeout(20):
            while here.session._crew.loop._assessor.busy:
                await asyncio.to_thread(lambda: None)
        go_on.set()
        await here.until(judged)
        assert wrong == []
        verdict = newest(here.state).verdict
        assert verdict is not None
        assert verdict.tree == newest(here.state).tree == pair.trees[-1]


def _about_another(state: State) -> bool:
    proposal = newest(state)
    return (proposal.verdict is not None and proposal.verdict.tree != proposal.tree) or (
        proposal.part is not None and proposal.part.tree != proposal.part_tree
    )


async def test_accepting_the_rest_leaves_a_file_that_the_human_made_too(
    tmp_path: Path, project: Path, pair: Pair
) -> None:
    added = MANY.replace("*** End Patch", "*** Add File: shop/new.py\n+theirs = 1\n*** End Patch")
    async with running(project, script(tmp_path, added, {"text": "Fine."}), watch=True) as here:
        blocks = await asked(here)
        (project / "shop/new.py").write_text("mine = 1\n")
        await here.until(lambda state: bool(newest(state).overlaps))
        here.submit(commands.Take(1, blocks=(blocks[RETURN],), taken=False))
        here.submit(commands.Accept(1))
        await here.seen(ev.Landed)
        assert (project / "shop/new.py").read_text() == "mine = 1\n"
        assert (project / "shop/prices.py").read_text() == ONLY_LOOP
        assert (project / "README.md").read_text() == "# The shop\n"
    assert pair.trees


async def test_words_are_withdrawn_that_were_meant(tmp_path: Path, project: Path, pair: Pair) -> None:
    slow = {"text": "Let me think about it for a long time.", "delay_ms": 60_000}
    async with running(project, script(tmp_path, slow)) as here:
        here.submit(commands.Ask("x"))
        await here.seen(ev.PromptSent)
        for text in ("first", "second", "third"):
            here.submit(commands.Steer(text))
        # Chosen from a list in which another one stood before it.
        here.submit(commands.Withdraw(2, "second"))
        here.submit(commands.Withdraw(0, "told long ago"))
        await here.until(lambda _: "told already" in notes(here))
        assert here.state.queued == ("first", "third")
    assert pair.trees == []


async def test_a_command_that_is_stopped_before_it_has_begun_says_so(tmp_path: Path, project: Path, pair: Pair) -> None:
    async with running(project, script(tmp_path, MANY)) as here:
        await here.until(lambda state: bool(state.project) and state.phase == "idle")
        here.submit(commands.Shell("1", "sleep 60"))
        here.submit(commands.Interrupt())
        ended = await here.seen(ev.ShellFinished)
        assert (ended.id, ended.killed) == ("1", "interrupted")
        assert [one.killed for one in here.state.chat if isinstance(one, Ran)] == ["interrupted"]
    assert pair.trees == []


async def test_who_comes_back_to_what_breaks_has_it_judged_and_is_told_again(
    tmp_path: Path, project: Path, pair: Pair
) -> None:
    async with running(project, script(tmp_path, MANY)) as here:
        blocks = await asked(here)
        here.submit(commands.Take(1, blocks=(blocks[LOOP], blocks[RETURN])))
        here.submit(commands.Land(1))
        await here.until(lambda state: "lands it anyway" in state.why)
        pair.go_on.clear()
        here.submit(commands.Take(1, blocks=(blocks[RETURN],), taken=None))
        here.submit(commands.Take(1, blocks=(blocks[RETURN],)))
        here.submit(commands.Land(1))
        await here.until(lambda state: "what you took is checked" in state.why or bool(here.all(ev.Decided)))
        pair.go_on.set()
        await here.until(
            lambda state: ("lands it anyway" in state.why and judged_part(state)) or bool(here.all(ev.Decided))
        )
        assert here.all(ev.Decided) == []
        assert (project / "shop/prices.py").read_text() == BEFORE
        here.submit(commands.Land(1))
        await here.seen(ev.Landed)
        assert (project / "README.md").read_text() == "# shop\n"


@pytest.mark.parametrize("mode", ["step", "until-green"])
async def test_a_project_without_any_check(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(build, "default_checks", lambda *_: ())
    async with running(project, script(tmp_path, MANY, {"text": "Fine."}, mode=mode)) as here:
        await asked(here)
        verdict = newest(here.state).verdict
        assert verdict is not None
        assert (verdict.tree, verdict.green, newest(here.state).part) == (newest(here.state).tree, False, None)
        asked_for = len(here.all(ev.DecisionAwaited))
        here.submit(commands.Accept(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert (project / "README.md").read_text() == "# The shop\n"
        # It is judged once, and whoever accepts is not asked over and over.
        assert len(here.all(ev.VerdictReached)) <= 2
        assert len(here.all(ev.DecisionAwaited)) <= asked_for + 1


class Early(Pair):
    """A judge that finds nothing at a quick look, and something when it has looked closely."""

    name = "mypy"

    async def run(self, candidate: Candidate, wish: Wish) -> CheckResult:
        """Judge a candidate."""
        if not candidate.changed:
            return CheckResult("mypy", "passed", candidate.tree, "no type errors")
        wish.partial(CheckResult("mypy", "passed", candidate.tree, "no type errors", early=True))
        await self.go_on.wait()
        wrong = Finding("mypy", "no int", "shop/prices.py", 3, "arg-type")
        return CheckResult("mypy", "failed", candidate.tree, "1 error", (wrong,))


@pytest.mark.parametrize("part", [False, True])
async def test_nothing_lands_on_an_early_word(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch, *, part: bool
) -> None:
    check = Early()
    check.go_on.clear()
    monkeypatch.setattr(build, "default_checks", lambda *_: (check,))
    async with running(project, script(tmp_path, MANY, {"text": "Fine."})) as here:
        blocks = await asked(here)
        assert "quick look" in here.state.why
        if part:
            here.submit(commands.Take(1, blocks=(blocks[LOOP],)))
        here.submit(commands.Land(1) if part else commands.Accept(1))
        await here.until(lambda state: "lands when it breaks nothing" in state.why or bool(here.all(ev.Decided)))
        if part:
            await here.until(lambda state: usable(newest(state).part) or bool(here.all(ev.Decided)))
        assert here.all(ev.Decided) == []
        check.go_on.set()
        await here.until(lambda state: "lands it anyway" in state.why or bool(here.all(ev.Decided)))
        assert here.all(ev.Decided) == []
        assert (project / "shop/prices.py").read_text() == BEFORE
        here.submit(commands.Land(1) if part else commands.Accept(1))
        await here.seen(ev.Landed)
