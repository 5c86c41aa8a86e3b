"""Deciding on parts of a proposal: what is taken is judged, lands, and the partner hears of it and of the rest."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.chat_entries import Notice, Said
from agent_core.conversation import ToolResultItem
from agent_core.landings import Landings
from tests.support.part_taking import (
    AGAIN,
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
    told,
)
from tests.support.running import running, stored
from tests.support.shop import make_shop


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop")


async def test_a_part_lands_and_the_rest_goes_back_with_the_reasons(tmp_path: Path, project: Path, pair: Pair) -> None:
    async with running(project, script(tmp_path, MANY, AGAIN)) as here:
        blocks = await asked(here)
        here.submit(commands.Take(1, blocks=(blocks[LOOP],)))
        here.submit(commands.Take(1, blocks=(blocks[RETURN],), taken=False))
        here.submit(commands.Comment(1, blocks[RETURN], "percent means a hundredth"))
        await here.until(judged_part)
        part = newest(here.state).part
        assert part is not None
        assert part.green
        assert part.tree == newest(here.state).part_tree != newest(here.state).tree
        # Nothing lands by marking.
        assert (project / "shop/prices.py").read_text() == BEFORE
        here.submit(commands.Land(1, "the title is fine as it was"))
        await here.until(lambda state: state.waiting == 2)
        assert (project / "shop/prices.py").read_text() == ONLY_LOOP
        assert (project / "README.md").read_text() == "# shop\n"
        decided = here.all(ev.Decided)[0]
        assert (decided.decision, decided.taken, decided.of) == ("accept", 1, 3)
        assert newest(here.state).base_tree == part.tree
        words = next(item.output for item in here.state.items if isinstance(item, ToolResultItem))
        assert "Of proposal 1 the human took a part" in words
        assert "On shop/prices.py:9 ('+return result - result * discount // 10') they say: percent means" in words
        assert "+# The shop" in words
        assert "They say of all of it: the title is fine as it was" in words
        here.submit(commands.Accept(2))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert (project / "README.md").read_text() == "# Shop\n"
        here.submit(commands.Undo(1))
        await here.until(lambda state: state.landings[0].stands == "undone")
        assert (project / "shop/prices.py").read_text() == BEFORE
        assert (project / "README.md").read_text() == "# Shop\n"
    assert stored(project, here.session.id) == here.state
    assert pair.trees


async def test_what_breaks_by_itself_is_asked_about_once_more(tmp_path: Path, project: Path, pair: Pair) -> None:
    async with running(project, script(tmp_path, MANY, {"text": "As you like."})) as here:
        blocks = await asked(here)
        assert newest(here.state).green
        here.submit(commands.Take(1, blocks=(blocks[LOOP], blocks[RETURN])))
        here.submit(commands.Land(1))
        await here.until(lambda state: "Land again" in state.why)
        assert (
            here.state.why == "What you took breaks tests/test_far.py::test_far by itself; Land again lands it anyway"
        )
        assert (project / "shop/prices.py").read_text() == BEFORE
        # Other marks are another question.
        here.submit(commands.Take(1, blocks=(blocks[RETURN],), taken=None))
        await here.until(lambda state: judged_part(state) and "Land again" not in state.why)
        here.submit(commands.Unmark(1))
        await here.until(lambda state: judged_part(state) and "Land again" in state.why)
        here.submit(commands.Land(1))
        done = await here.seen(ev.TaskFinished)
        assert done.outcome == "landed"
        assert (project / "README.md").read_text() == "# shop\n"
        assert RETURN in (project / "shop/prices.py").read_text()
        assert "breaks 1" in told(here)
    assert pair.trees


async def test_marks_that_come_faster_than_they_can_be_checked(tmp_path: Path, project: Path, pair: Pair) -> None:
    async with running(project, script(tmp_path, MANY)) as here:
        blocks = await asked(here)
        pair.trees.clear()
        pair.go_on.clear()
        here.submit(commands.Take(1, blocks=(blocks[LOOP],)))
        await here.until(lambda _: bool(pair.trees))
        for name in (RETURN, TITLE, LOOP):
            here.submit(commands.Take(1, blocks=(blocks[name],), taken=name != LOOP))
        await here.until(lambda state: len(newest(state).reviews) == 4)
        pair.go_on.set()
        await here.until(judged_part)
        # The first run was given up, and of the marks in between nothing was checked.
        assert pair.cancelled == 1
        assert len(pair.trees) == 2
        assert pair.trees[-1] == newest(here.state).part_tree
        # All of it taken is the whole, and that has been judged.
        here.submit(commands.Take(1, blocks=(blocks[LOOP],)))
        await here.until(lambda state: state.why == "green: nothing broken" or newest(state).part_tree == "")
        verdict = newest(here.state).verdict
        assert verdict is not None
        await here.until(lambda state: state.why == verdict.summary)
        assert [check.tree for check in here.state.checks if check.where == "candidate"] == [newest(here.state).tree]
        here.submit(commands.Land(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert here.all(ev.Decided)[-1].of == 0
        assert len(pair.trees) == 2


async def test_accept_lands_everything_that_was_not_left(tmp_path: Path, project: Path, pair: Pair) -> None:
    async with running(project, script(tmp_path, MANY, {"text": "Fine."})) as here:
        blocks = await asked(here)
        here.submit(commands.Take(1, blocks=(blocks[RETURN],), taken=False))
        here.submit(commands.Accept(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert (here.all(ev.Decided)[0].taken, here.all(ev.Decided)[0].of) == (2, 3)
        assert (project / "shop/prices.py").read_text() == ONLY_LOOP
        assert (project / "README.md").read_text() == "# The shop\n"
    assert pair.trees


async def test_some_lines_of_a_block(tmp_path: Path, project: Path, pair: Pair) -> None:
    two = "*** Begin Patch\n*** Update File: README.md\n@@\n-# shop\n+# The shop\n+More.\n*** End Patch"
    async with running(project, script(tmp_path, two, {"text": "Fine."})) as here:
        blocks = await asked(here)
        here.submit(commands.Take(1, blocks=(blocks[TITLE],), lines=(7,)))
        await here.until(lambda _: "no such line" in notes(here))
        here.submit(commands.Take(1, blocks=(blocks[TITLE],), lines=(0, 1)))
        here.submit(commands.Land(1))
        await here.seen(ev.TaskFinished)
        assert (project / "README.md").read_text() == "# The shop\n"
        assert "2 of its 3 changed lines" in told(here)
        assert "+More." in told(here)
    assert pair.trees


@pytest.mark.parametrize(
    ("marks", "decision", "words"),
    [
        ((), "", ""),
        (("comment",), "steer", "The draft stays"),
        (("comment", "leave"), "reject", "Your draft is gone"),
    ],
)
async def test_landing_nothing(
    tmp_path: Path, project: Path, pair: Pair, marks: tuple[str, ...], decision: str, words: str
) -> None:
    async with running(project, script(tmp_path, MANY, {"text": "Hm."})) as here:
        blocks = await asked(here)
        for mark in marks:
            here.submit(
                commands.Comment(1, blocks[TITLE], "no article, please")
                if mark == "comment"
                else commands.Take(1, blocks=(blocks[LOOP],), taken=False)
            )
        here.submit(commands.Land(1))
        if not decision:
            await here.until(lambda _: "Nothing is taken of proposal 1" in notes(here))
            assert here.state.waiting == 1
            return
        assert (await here.seen(ev.Decided)).decision == decision
        await here.seen(ev.PromptSent, 2)
        said = next(item.output for item in here.state.items if isinstance(item, ToolResultItem))
        assert words in said
        assert ("Of it they would leave:\n- shop/prices.py:7" in said) == ("leave" in marks)
        assert "On README.md:1 ('+# The shop') they say: no article, please" in said
    assert (project / "shop/prices.py").read_text() == BEFORE
    assert pair.trees


async def test_comments_go_along_when_all_of_it_lands(tmp_path: Path, project: Path, pair: Pair) -> None:
    async with running(project, script(tmp_path, MANY, {"text": "Thank you."})) as here:
        blocks = await asked(here)
        here.submit(commands.Comment(1, blocks[TITLE], "nice"))
        here.submit(commands.Accept(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        said = next(item.output for item in here.state.items if isinstance(item, ToolResultItem))
        assert "they say: nice" in said
        assert Said("partner", "Thank you.") in here.state.chat
    assert pair.trees


@pytest.mark.parametrize("mode", ["until-green", "auto"])
async def test_a_mode_does_not_decide_on_what_the_human_has_begun_to_decide_on(
    tmp_path: Path, project: Path, pair: Pair, mode: ev.Mode
) -> None:
    async with running(project, script(tmp_path, MANY, {"text": "Fine."})) as here:
        blocks = await asked(here)
        here.submit(commands.Take(1, blocks=(blocks[LOOP],)))
        await here.until(judged_part)
        here.submit(commands.SetMode(mode))
        here.submit(commands.Land(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert [(one.by, one.of) for one in here.all(ev.Decided)] == [("human", 3)]
        assert (project / "shop/prices.py").read_text() == ONLY_LOOP
    assert pair.trees


async def test_what_is_not_there_cannot_be_marked(tmp_path: Path, project: Path, pair: Pair) -> None:
    async with running(project, script(tmp_path, MANY)) as here:
        await asked(here)
        here.submit(commands.Take(1, blocks=("nowhere",)))
        await here.until(lambda _: "has no block nowhere any more" in notes(here))
        here.submit(commands.Comment(1, "nowhere", "x"))
        here.submit(commands.Unmark(1))
        await here.until(lambda _: "nothing marked" in notes(here))
        here.submit(commands.Take(2, blocks=("any",)))
        await here.until(lambda _: "Proposal 2 does not wait" in notes(here))
        assert here.all(ev.Reviewed) == []
    assert pair.trees


# -- ends


async def test_marks_are_there_when_the_session_is_resumed(tmp_path: Path, project: Path, pair: Pair) -> None:
    made = script(tmp_path, MANY, {"text": "Fine."})
    async with running(project, made) as here:
        blocks = await asked(here)
        here.submit(commands.Take(1, blocks=(blocks[LOOP],)))
        here.submit(commands.Rewrite(1, "README.md", blocks[TITLE], "# Mine\n"))
        await here.until(lambda state: len(newest(state).reviews) == 2 and judged_part(state))
        before, session = newest(here.state), here.session.id
    async with running(project, made, resume=session) as here:
        # What is decided before it is asked again is void.
        await here.seen(ev.DecisionAwaited)
        await here.until(judged_part)
        assert newest(here.state).review == before.review
        assert newest(here.state).part_tree == before.part_tree
        here.submit(commands.Unmark(1))
        here.submit(commands.Land(1))
        await here.seen(ev.Landed)
        assert (project / "shop/prices.py").read_text() == ONLY_LOOP
        assert (project / "README.md").read_text() == "# shop\n"
    assert pair.trees


@pytest.mark.parametrize("moment", ["decided", "landed"])
async def test_cut_off_while_a_part_lands(
    tmp_path: Path, project: Path, pair: Pair, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = script(tmp_path, MANY, {"text": "Fine."})
    reached = asyncio.Event()

    async def hang(*_: object) -> str:
        reached.set()
        await asyncio.Event().wait()
        return ""

    async with running(project, made) as here:
        blocks = await asked(here)
        here.submit(commands.Take(1, blocks=(blocks[LOOP],)))
        here.submit(commands.Comment(1, blocks[TITLE], "no article"))
        await here.until(judged_part)
        session = here.session.id
        with monkeypatch.context() as patched:
            if moment == "decided":
                patched.setattr(Landings, "land", hang)
            else:
                land = Landings.land

                async def land_and_hang(self: Landings, *arguments: Any) -> str:
                    await land(self, *arguments)
                    return await hang()

                patched.setattr(Landings, "land", land_and_hang)
            here.submit(commands.Land(1))
            async with asyncio.timeout(30):
                await reached.wait()
            here.submit(commands.Quit())
            await here.until(lambda _: True)
    async with running(project, made, resume=session) as here:
        if moment == "decided":
            # Decided is not landed: it is asked again, and the marks are there.
            await here.until(lambda state: state.waiting == 1 and judged_part(state))
            assert (project / "shop/prices.py").read_text() == BEFORE
            assert newest(here.state).review.blocks.keys() == {blocks[LOOP], blocks[TITLE]}
            return
        await here.until(lambda state: state.task is None)
        assert (project / "shop/prices.py").read_text() == ONLY_LOOP
        last = here.state.chat[-1]
        assert isinstance(last, Notice)
        assert last.text.startswith("What you took of proposal 1 has landed (1 of 3 parts).")
        assert "they say: no article" in told(here)
    assert pair.trees


async def test_interrupted_after_a_part_has_landed(tmp_path: Path, project: Path, pair: Pair) -> None:
    slow = {"text": "Let me think about it for a long time.", "delay_ms": 60_000}
    async with running(project, script(tmp_path, MANY, slow)) as here:
        blocks = await asked(here)
        here.submit(commands.Take(1, blocks=(blocks[LOOP],)))
        here.submit(commands.Land(1))
        await here.seen(ev.PromptSent, 2)
        here.submit(commands.Steer("first"))
        here.submit(commands.Steer("second"))
        here.submit(commands.Withdraw(0))
        here.submit(commands.Withdraw(5))
        await here.seen(ev.Withdrawn)
        await here.until(lambda _: "told already" in notes(here))
        assert here.state.queued == ("second",)
        assert Said("human", "first") not in here.state.chat
        here.submit(commands.Interrupt())
        done = await here.seen(ev.TaskFinished)
        assert done.outcome == "interrupted"
        assert done.text.startswith("What you took of proposal 1 has landed")
        assert told(here)
    assert pair.trees
