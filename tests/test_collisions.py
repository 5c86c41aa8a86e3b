"""A proposal under which the human wrote: what is asked, and whose verdict is shown."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.state import State
from agent_core.workspace.disk import FileSystem
from tests.support.running import Running, flags, running
from tests.support.shop import MENDED, PRICES, QUICK, RIGHT_AT_ONCE, make_shop
from tests.test_resume import write_script

COLLIDES = "it collides with your own edits"
THEIRS = PRICES.lstrip("\n").replace("prices[1:]", "prices[2:]")


def settings(script: Path) -> dict[str, object]:
    return flags("step", off=QUICK, partner={"script": str(script)})


def read_only(_disk: FileSystem, _source: Path, target: Path) -> None:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(target))


async def asked(here: Running) -> None:
    here.submit(commands.Ask("mend total"))
    await here.until(lambda state: state.waiting == 1)


def is_stale(here: Running) -> bool:
    assert here.state.proposal is not None
    return here.state.proposal.stale


async def test_a_verdict_does_not_outlive_the_text_it_is_about(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    prices = project / "shop/prices.py"
    before = prices.read_text()
    async with running(project, settings(write_script(tmp_path / "script.json", RIGHT_AT_ONCE)), watch=True) as here:
        await asked(here)
        verdict = here.state.why
        assert verdict != COLLIDES
        prices.write_text(THEIRS)
        await here.until(lambda state: state.why == COLLIDES)
        assert is_stale(here)
        notes = [one for one in here.all(ev.Noted) if "overlap" in one.text]
        sides = "the file has 'for price in prices[2:]:', the proposal 'for price in prices:'"
        assert [one.hint for one in notes] == [f"shop/prices.py:7: {sides}"]
        # Written on at the same place it is no news, but that one sees what stands there.
        prices.write_text(THEIRS.replace("prices[2:]", "prices[3:]"))
        await here.until(lambda state: "prices[3:]" in str(state.proposal and state.proposal.overlaps))
        here.submit(commands.Accept(1))
        await here.until(lambda state: state.why == f"nothing landed: {COLLIDES}")
        assert [one for one in here.all(ev.Noted) if "overlap" in one.text] == notes

        # Taken back by the human, it can land again; that is said only after it was checked again.
        checked = len(here.all(ev.VerdictReached))
        prices.write_text(before)
        await here.until(lambda state: state.waiting == 1 and state.why == verdict)
        assert len(here.all(ev.VerdictReached)) == checked + 1
        assert not is_stale(here)
        here.submit(commands.Accept(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
    assert prices.read_text() == MENDED


async def test_resumed_over_edits_that_overlap(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    prices = project / "shop/prices.py"
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    async with running(project, settings(script)) as here:
        await asked(here)
        session = here.session.id
    prices.write_text(THEIRS)
    async with running(project, settings(script), resume=session) as here:
        await here.until(lambda state: state.why == COLLIDES)
        assert here.all(ev.CheckStarted) == [one for one in here.all(ev.CheckStarted) if one.where == "baseline"]
        assert is_stale(here)
        here.submit(commands.Accept(1))
        await here.seen(ev.LandingConflicted)
    assert [edit.path for edit in here.all(ev.HumanEdited)] == ["shop/prices.py"]
    assert prices.read_text() == THEIRS


async def test_resumed_over_edits_beside_it_shows_what_was_checked(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    prices = project / "shop/prices.py"
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    async with running(project, settings(script)) as here:
        await asked(here)
        session = here.session.id
    prices.write_text("# mine\n" + prices.read_text())
    async with running(project, settings(script), resume=session) as here:
        await here.judged()
        await here.until(lambda state: state.waiting == 1)
        assert [edit.path for edit in here.all(ev.HumanEdited)] == ["shop/prices.py"]
        proposal = here.all(ev.ProposalMade)[-1]
        assert (proposal.number, proposal.attempt) == (1, 1)
        assert "@@ -5,6 +5,6 @@" in proposal.diff
        assert {check.result.tree for check in here.all(ev.CheckFinished) if check.where == "candidate"} == {
            proposal.tree
        }


async def test_resumed_it_is_asked_about_only_when_it_was_checked_again(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    async with running(project, settings(script)) as here:
        await asked(here)
        session = here.session.id
    async with running(project, settings(script), resume=session) as here:
        waiting: list[int] = []

        def look(entry: ev.Entry, state: State) -> None:
            if isinstance(entry.event, ev.CheckStarted | ev.CheckFinished) and entry.event.where == "candidate":
                waiting.append(state.waiting)

        here.session.subscribe(look)
        await here.seen(ev.DecisionAwaited)
        assert set(waiting) == {0}
        here.submit(commands.Accept(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"


async def test_what_cannot_be_written_is_not_blamed_on_the_human(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    prices = project / "shop/prices.py"
    async with running(project, settings(write_script(tmp_path / "script.json", RIGHT_AT_ONCE))) as here:
        await asked(here)
        before = prices.read_bytes()
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(FileSystem, "replace", read_only)
            here.submit(commands.Accept(1))
            await here.seen(ev.DecisionAwaited, 2)
        assert "Read-only file system" in here.state.why
        assert "edits" not in here.state.why
        assert here.state.proposal is not None
        assert not here.state.proposal.green
        assert prices.read_bytes() == before
        here.submit(commands.Accept(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"


async def test_the_partners_side_that_breaks_something_is_asked_about_though_it_comes_to_the_same_tree(
    tmp_path: Path,
) -> None:
    project = make_shop(tmp_path / "shop")
    prices = project / "shop/prices.py"
    before = prices.read_text()
    loop = "    for price in prices[1:]:\n"
    broken = loop.replace(":\n", "\n")
    patch = f"*** Begin Patch\n*** Update File: shop/prices.py\n@@\n-{loop}+{broken}*** End Patch"
    async with running(project, settings(write_script(tmp_path / "script.json", patch)), watch=True) as here:
        await asked(here)
        prices.write_text(before.replace(loop, loop.replace("1:", "2:")))
        await here.until(lambda state: state.why == COLLIDES)
        proposal = here.state.proposals[0]
        here.submit(commands.Settle(1, proposal.overlaps[0].block, "partner"))
        await here.until(lambda state: state.proposals[0].part is not None and state.proposals[0].part.complete)
        assert here.state.proposals[0].part_tree == proposal.tree
        here.submit(commands.Land(1))
        await here.until(lambda state: state.why.endswith("Land again lands it anyway"))
        here.submit(commands.Land(1))
        await here.seen(ev.Landed)
    assert prices.read_text() == before.replace(loop, broken)
