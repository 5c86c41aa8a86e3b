"""Parts of a proposal beside what the human writes: their own text in its place, and their own edits at it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_core import commands
from agent_core import events as ev
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
    told,
)
from tests.support.running import running, stored
from tests.support.shop import make_shop


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop")


# -- a human's own text


async def test_a_block_rewritten_lands_as_the_human_wrote_it(tmp_path: Path, project: Path, pair: Pair) -> None:
    async with running(project, script(tmp_path, MANY, {"text": "Fine."})) as here:
        blocks = await asked(here)
        first = newest(here.state)
        here.submit(commands.Comment(1, blocks[LOOP], "good"))
        here.submit(commands.Rewrite(1, "README.md", blocks[TITLE], "# The very shop"))
        await here.until(lambda state: newest(state).tree != first.tree and state.waiting == 1)
        assert newest(here.state).note == "The human rewrote README.md."
        assert "line break was added" in notes(here)
        review = newest(here.state).review
        assert review.edited == (blocks[TITLE],)
        assert review.blocks[blocks[TITLE]].taken
        await here.until(judged_part)
        # Taken back, all is as it was, comments too.
        here.submit(commands.Unmark(1))
        await here.until(lambda state: newest(state).tree == first.tree)
        assert newest(here.state).patch == first.patch
        assert newest(here.state).note == ""
        assert newest(here.state).review.blocks.keys() == {blocks[LOOP]}
        # The whole file, then; its blocks count as taken.
        here.submit(commands.Rewrite(1, "shop/prices.py", "", ONLY_LOOP))
        await here.until(lambda state: newest(state).tree != first.tree and state.waiting == 1)
        here.submit(commands.Land(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert (project / "shop/prices.py").read_text() == ONLY_LOOP
        assert (project / "README.md").read_text() == "# shop\n"
        said = told(here)
        assert "Not taken:\n- README.md:1" in said
        assert "The human rewrote shop/prices.py, from your text to theirs:\n" in said
        assert "\n-    return result - result * discount // 10\n+    return result - result * discount // 100" in said
    assert stored(project, here.session.id) == here.state
    assert pair.trees


async def test_a_text_that_cannot_be_taken_changes_nothing(tmp_path: Path, project: Path, pair: Pair) -> None:
    (project / "README.md").write_bytes("# -*- coding: latin-1 -*-\n# shop é\n".encode("latin-1"))
    patch = "*** Begin Patch\n*** Update File: README.md\n@@\n-# shop é\n+# The shop\n*** End Patch"
    async with running(project, script(tmp_path, patch)) as here:
        blocks = await asked(here)
        here.submit(commands.Rewrite(1, "README.md", blocks[TITLE], "# 店\n"))
        await here.until(lambda _: "What you wrote was not taken" in notes(here))
        here.submit(commands.Rewrite(1, "README.md", "", "# -*- coding: latin-1 -*-\n# 店\n"))
        await here.until(lambda _: notes(here).count("What you wrote was not taken") == 2)
        here.submit(commands.Rewrite(1, "README.md", blocks[TITLE], "# shop é\n"))
        await here.until(lambda _: "nothing would be left" in notes(here))
        here.submit(commands.Rewrite(1, "shop/prices.py", "", "x\n"))
        await here.until(lambda _: "has no shop/prices.py" in notes(here))
        assert len(here.all(ev.ProposalMade)) == 1
        assert here.all(ev.Reviewed) == []
        assert here.state.waiting == 1
    assert pair.trees


# -- the human's own edits meet the proposal


async def test_a_stale_block_stays_the_humans_until_they_say_otherwise(
    tmp_path: Path, project: Path, pair: Pair
) -> None:
    prices, mine = project / "shop/prices.py", BEFORE.replace("// 100", "// 1000")
    async with running(project, script(tmp_path, MANY, {"text": "Fine."}), watch=True) as here:
        blocks = await asked(here)
        here.submit(commands.Take(1, blocks=(blocks[LOOP], blocks[RETURN])))
        await here.until(judged_part)
        prices.write_text(mine)
        await here.until(lambda state: bool(newest(state).overlaps))
        (overlap,) = newest(here.state).overlaps
        assert (overlap.block, overlap.path, overlap.start) == (blocks[RETURN], "shop/prices.py", 9)
        assert overlap.theirs == ("    return result - result * discount // 1000\n",)
        # That it was taken was said of another text.
        await here.until(lambda state: newest(state).review.blocks.keys() == {blocks[LOOP]} and judged_part(state))
        here.submit(commands.Land(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert prices.read_text() == mine.replace("prices[1:]", "prices")
        said = told(here)
        assert "They have:\n```\n    return result - result * discount // 1000\n```" in said
        assert "You want:\n```\n    return result - result * discount // 10\n```" in said
    assert pair.trees


async def test_a_stale_block_taken_on_purpose_goes_over_what_stands_there(
    tmp_path: Path, project: Path, pair: Pair
) -> None:
    prices, mine = project / "shop/prices.py", BEFORE.replace("// 100", "// 1000")
    async with running(project, script(tmp_path, MANY), watch=True) as here:
        blocks = await asked(here)
        prices.write_text(mine)
        await here.until(lambda state: bool(newest(state).overlaps))
        here.submit(commands.Take(1, blocks=(blocks[RETURN], blocks[TITLE])))
        here.submit(commands.Land(1))
        await here.seen(ev.Landed)
        assert prices.read_text() == BEFORE.replace("// 100", "// 10")
        assert (project / "README.md").read_text() == "# The shop\n"
        here.submit(commands.Interrupt())
        await here.seen(ev.TaskFinished)
        here.submit(commands.Undo())
        await here.until(lambda state: state.landings[0].stands == "undone")
        assert prices.read_text() == mine
    assert pair.trees


async def test_who_writes_a_file_anew_does_not_write_over_lines_they_were_not_shown(
    tmp_path: Path, project: Path, pair: Pair
) -> None:
    prices, mine = project / "shop/prices.py", BEFORE.replace("// 100", "// 1000")
    proposed = BEFORE.replace("prices[1:]", "prices").replace("// 100", "// 10")
    async with running(project, script(tmp_path, MANY, {"text": "Fine."}), watch=True) as here:
        blocks = await asked(here)
        prices.write_text(mine)
        await here.until(lambda state: bool(newest(state).overlaps))
        text = proposed.replace("in prices:", "in tuple(prices):")
        here.submit(commands.Rewrite(1, "shop/prices.py", "", text))
        await here.until(lambda state: bool(newest(state).review.edited))
        marks = newest(here.state).review.blocks
        assert blocks[RETURN] not in marks, "it stands over the human's own line"
        here.submit(commands.Land(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert prices.read_text() == mine.replace("prices[1:]", "tuple(prices)")
    assert pair.trees


async def test_overlaps_vanish_with_the_edits(tmp_path: Path, project: Path, pair: Pair) -> None:
    prices = project / "shop/prices.py"
    async with running(project, script(tmp_path, MANY), watch=True) as here:
        blocks = await asked(here)
        here.submit(commands.Take(1, blocks=(blocks[TITLE],)))
        await here.until(judged_part)
        prices.write_text(BEFORE.replace("// 100", "// 1000"))
        await here.until(lambda state: bool(newest(state).overlaps))
        prices.write_text(BEFORE)
        await here.until(lambda state: not newest(state).overlaps and judged_part(state) and state.waiting == 1)
        assert here.all(ev.Overlapped)[-1].overlaps == ()
        assert newest(here.state).review.blocks.keys() == {blocks[TITLE]}
        assert not newest(here.state).stale
    assert pair.trees


async def test_an_edit_beside_it_leaves_the_marks(tmp_path: Path, project: Path, pair: Pair) -> None:
    prices = project / "shop/prices.py"
    async with running(project, script(tmp_path, MANY, {"text": "Fine."}), watch=True) as here:
        blocks = await asked(here)
        here.submit(commands.Take(1, blocks=(blocks[LOOP],)))
        await here.until(judged_part)
        tree = newest(here.state).part_tree
        prices.write_text("# mine\n" + BEFORE)
        await here.until(lambda state: newest(state).part_tree != tree and judged_part(state))
        here.submit(commands.Land(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert prices.read_text() == "# mine\n" + ONLY_LOOP
    assert pair.trees
