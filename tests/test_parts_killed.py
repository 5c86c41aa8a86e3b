"""Killed between a mark and the next word: what is there again is true, and nothing is landed twice or half."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.journal import SqliteJournal
from agent_core.places import project_state
from tests.support.command_line import pairloop
from tests.support.doomed import OFF
from tests.support.part_taking import BEFORE, LOOP, MANY, ONLY_LOOP, newest, told
from tests.support.running import Running, flags, running, stored
from tests.support.shop import make_shop, tree

_ROOT = Path(__file__).parents[1]


async def killed(tmp_path: Path, kind: str, count: int) -> tuple[Path, str]:
    """A project in which a session has died; and the partner's script."""
    project = make_shop(tmp_path / "shop")
    script = tmp_path / "script.json"
    turns = [{"calls": [{"name": "apply_patch", "arguments": {"patch": MANY}}]}, {"text": "Fine."}]
    script.write_text(json.dumps({"turns": turns}))
    arguments = [str(project), str(script), kind, str(count)]
    async with pairloop(arguments, _ROOT, module="tests.support.doomed") as process:
        code, _, errors = await process.end()
    assert code == -signal.SIGKILL, errors
    return project, str(script)


async def land_again(here: Running) -> None:
    """Take what the dead session was to take, and land it."""
    # What is decided before it is asked again is void.
    await here.seen(ev.DecisionAwaited)
    (loop,) = [one.id for file in newest(here.state).patch.files for one in file.blocks if LOOP in one.added[0]]
    here.submit(commands.Take(1, blocks=(loop,)))
    here.submit(commands.Land(1))
    await here.seen(ev.TaskFinished)


@pytest.mark.parametrize(
    ("kind", "count", "rewritten", "landed"),
    [
        ("Reviewed", 1, False, False),
        # A rewriting is there with all that belongs to it or not at all.
        ("Reviewed", 2, False, False),
        ("ProposalMade", 2, False, False),
        ("Decided", 1, True, False),
        ("LandingStarted", 1, True, False),
        ("Landed", 1, True, True),
        ("ItemsAppended", 3, True, True),
    ],
)
async def test_killed(tmp_path: Path, kind: str, count: int, rewritten: bool, landed: bool) -> None:
    project, script = await killed(tmp_path, kind, count)
    prices, readme = project / "shop/prices.py", project / "README.md"
    assert (prices.read_text(), readme.read_text()) == ((ONLY_LOOP, "# Mine\n") if landed else (BEFORE, "# shop\n")), (
        "nothing but what was landed, and all of that"
    )
    settings = flags(off=OFF, partner={"script": script})
    async with running(project, settings, resume=_session(project)) as here:
        proposal = newest(here.state)
        review = proposal.review
        assert bool(review.rewritten) == bool(review.edited) == ("human rewrote" in proposal.note) == rewritten
        names = {block.id for file in proposal.patch.files for block in file.blocks}
        assert review.blocks.keys() <= names
        # What was meant to land, and was said so for good, is completed.
        if not landed and kind != "LandingStarted":
            await land_again(here)
            assert prices.read_text() == ONLY_LOOP
            assert readme.read_text() == ("# Mine\n" if rewritten else "# shop\n")
            assert ("The human rewrote README.md" in told(here)) == rewritten
        else:
            await here.until(lambda state: state.task is None)
            assert (prices.read_text(), readme.read_text()) == (ONLY_LOOP, "# Mine\n")
            assert told(here)
        before = tree(project)
        assert len([one for one in here.state.landings if one.stands == "landed"]) == 1
        here.submit(commands.Undo())
        await here.until(lambda state: state.landings[-1].stands == "landed" and bool(state.landings[-1].undoes))
        assert (prices.read_text(), readme.read_text()) == (BEFORE, "# shop\n")
        assert tree(project).keys() == before.keys()
    assert stored(project, here.session.id) == here.state


def _session(project: Path) -> str:
    journal = SqliteJournal(project_state(project) / "journal.db")
    try:
        return journal.sessions()[0].id
    finally:
        journal.close()
