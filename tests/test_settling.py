"""Where the human's edits meet a proposal: they say what is to stand there, and exactly that is judged and lands."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.review import Mark
from agent_core.rewriting import YOURS
from agent_core.state import State
from agent_core.workspace.disk import FileSystem
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
from tests.support.running import Running, running
from tests.support.shop import make_shop

MINE = BEFORE.replace("discount // 100", "discount // 1000")
MY_LINE, OLD_LINE = (f"    return result - result * discount // {number}\n" for number in (1000, 100))
THEIR_LINE = "    return result - result * discount // 10\n"
ANEW = """*** Begin Patch
*** Update File: shop/prices.py
@@ def total(prices: list[int], discount: int = 0) -> int:
-    return result - result * discount // 1000
+    return result - result * discount // 1001
*** End Patch"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop")


async def met(here: Running, project: Path) -> dict[str, str]:
    """A proposal waits at one of whose blocks the human has written; its blocks by their first new line."""
    blocks = await asked(here)
    (project / "shop/prices.py").write_text(MINE)
    await here.until(lambda state: bool(newest(state).overlaps))
    return blocks


@pytest.mark.parametrize(
    ("command", "stands"),
    [
        (lambda block: commands.Take(1, (block,), taken=False), MY_LINE),
        (lambda block: commands.Take(1, (block,)), THEIR_LINE),
        (lambda block: commands.Settle(1, block, "partner"), THEIR_LINE),
        (lambda block: commands.Settle(1, block, "both"), MY_LINE + THEIR_LINE),
        (lambda block: commands.Settle(1, block, "own", "    return 3"), "    return 3\n"),
        (lambda block: commands.Take(1, (block,), lines=(0, 1)), THEIR_LINE),
        (lambda block: commands.Take(1, (block,), lines=(1,)), MY_LINE + THEIR_LINE),
    ],
    ids=["mine", "taken", "partner", "both", "own", "every line", "some lines"],
)
async def test_what_was_picked_is_judged_and_lands(
    tmp_path: Path, project: Path, pair: Pair, command: Callable[[str], commands.AnyCommand], stands: str
) -> None:
    async with running(project, script(tmp_path, MANY, {"text": "Fine."}), watch=True) as here:
        blocks = await met(here, project)
        here.submit(commands.Take(1, (blocks[LOOP], blocks[TITLE])))
        here.submit(command(blocks[RETURN]))
        await here.until(lambda state: len(newest(state).reviews) == 2 and judged_part(state))
        assert newest(here.state).part_trouble == ""
        assert (project / "shop/prices.py").read_text() == MINE
        here.submit(commands.Land(1))
        await here.seen(ev.Landed)
        assert (project / "shop/prices.py").read_text() == ONLY_LOOP.replace(OLD_LINE, stands)
        # The verdict was about exactly what landed.
        assert pair.trees[-1] == newest(here.state).part_tree


async def test_a_pick_is_taken_back_and_void_where_the_human_writes_on(
    tmp_path: Path, project: Path, pair: Pair
) -> None:
    async with running(project, script(tmp_path, MANY), watch=True) as here:
        blocks = await met(here, project)
        stale = blocks[RETURN]
        here.submit(commands.Settle(1, stale, "both"))
        await here.until(lambda state: stale in newest(state).review.blocks)
        here.submit(commands.Unmark(1))
        await here.until(lambda state: stale not in newest(state).review.blocks)
        here.submit(commands.Settle(1, stale, "own", f"{YOURS}\n    return 3\n"))
        await here.until(lambda _: "which only tells both sides apart" in notes(here))
        assert not newest(here.state).review
        here.submit(commands.Settle(1, stale, "own", "    return 3\n"))
        await here.until(lambda state: newest(state).review.blocks.get(stale, Mark()).text != "")
        (project / "shop/prices.py").write_text(MINE.replace("1000", "2000"))
        await here.until(lambda state: newest(state).review.blocks[stale].taken is None)
        # What they wrote waits for them; it is not to land over what they had not seen.
        assert newest(here.state).review.blocks[stale].text == "    return 3\n"
        here.submit(commands.Settle(1, stale, "both"))
        await here.until(lambda state: newest(state).review.blocks[stale].taken is True)
        # Taken back in the editor, both is no answer any more.
        (project / "shop/prices.py").write_text(BEFORE)
        await here.until(lambda state: not newest(state).overlaps)
        assert newest(here.state).review.blocks.get(stale, Mark()).taken is None
    assert pair.trees


async def test_done_anew_the_partner_goes_on_from_the_rest_over_the_humans_text(
    tmp_path: Path, project: Path, pair: Pair
) -> None:
    async with running(project, script(tmp_path, MANY, ANEW), watch=True) as here:
        blocks = await met(here, project)
        here.submit(commands.Settle(1, blocks[RETURN], "redo"))
        await here.until(lambda state: state.waiting == 2)
        words = str(here.state.items)
        assert "Redo what collides with my edits, over my text as it is now." in words
        assert "Redo it over their text." in words
        assert MY_LINE.strip() in words
        assert "Your draft is over their text now and holds what does not collide with it" in words
        assert (project / "shop/prices.py").read_text() == MINE
        assert not newest(here.state).stale
        here.submit(commands.Accept(2))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        expected = ONLY_LOOP.replace("// 100", "// 1001")
        assert (project / "shop/prices.py").read_text() == expected
        assert (project / "README.md").read_text() == "# The shop\n"
    assert pair.trees


async def test_the_rest_lands_while_a_place_is_done_anew(tmp_path: Path, project: Path, pair: Pair) -> None:
    async with running(project, script(tmp_path, MANY, ANEW), watch=True) as here:
        blocks = await met(here, project)
        here.submit(commands.Take(1, (blocks[LOOP], blocks[TITLE])))
        here.submit(commands.Settle(1, blocks[RETURN], "redo"))
        await here.until(lambda state: len(newest(state).reviews) == 2 and judged_part(state))
        assert here.state.waiting == 1
        here.submit(commands.Land(1))
        await here.until(lambda state: state.waiting == 2)
        assert (project / "shop/prices.py").read_text() == MINE.replace("prices[1:]", "prices")
        assert "Redo it over their text." in str(here.state.items)
    assert pair.trees


async def test_carried_over_is_said_once_and_a_burst_of_saves_is_checked_together(
    tmp_path: Path, project: Path, pair: Pair
) -> None:
    async with running(project, script(tmp_path, MANY), watch=True) as here:
        await asked(here)
        seen = len(pair.trees)
        for number in range(12):
            (project / "shop/prices.py").write_text(f"# mine {number}\n{BEFORE}")
            await here.seen(ev.HumanEdited, number + 1)
        final = "# mine 11\n" + BEFORE
        # On a busy machine a save may be seen between its file's emptying and its writing: an overlap that passes.
        await here.until(lambda state: newest(state).carried and not newest(state).overlaps)
        await here.until(lambda state: state.waiting == 1 and (v := newest(state).verdict) is not None and v.complete)
        assert (project / "shop/prices.py").read_text() == final
        assert len(pair.trees) - seen <= 4
        assert notes(here).count("carried over to your edits") == 1


def _in_place(path: Path, text: str) -> None:
    path.write_text(text)


def _by_rename(path: Path, text: str) -> None:
    """As VS Code's atomic saves, JetBrains and `sed -i`."""
    new = path.with_name(f".{path.name}.tmp")
    new.write_text(text)
    new.replace(path)


def _by_backup(path: Path, text: str) -> None:
    """As vim: the old file is moved away, the new one written anew."""
    old = path.with_name(f"{path.name}~")
    path.replace(old)
    path.write_text(text)
    old.unlink()


SAVES = (_in_place, _by_rename, _by_backup)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> threading.Lock:
    """Held, no file is put in the place of another; it is where it was, or where it is to be."""
    lock = threading.Lock()
    for name in ("replace", "exchange", "place"):
        real = getattr(FileSystem, name)

        def locked(self: FileSystem, one: Path, other: Path, real: Callable[..., object] = real) -> object:
            with lock:
                return real(self, one, other)

        monkeypatch.setattr(FileSystem, name, locked)
    return lock


@pytest.mark.parametrize("seed", range(2))
async def test_a_save_and_a_landing_that_meet_lose_neither(
    tmp_path: Path, project: Path, pair: Pair, at_once: threading.Lock, seed: int
) -> None:
    dice = random.Random(seed)
    rounds = 15
    prices = project / "shop/prices.py"
    turns = [
        f"*** Begin Patch\n*** Update File: shop/prices.py\n@@\n-# end {number}\n+# end {number + 1}\n*** End Patch"
        for number in range(rounds)
    ]
    prices.write_text(f"# top 0\n{BEFORE}\n# end 0\n")
    async with running(project, script(tmp_path, *turns), watch=True) as here:
        for number in range(rounds):
            # The partner's patch fits only what the landing before has left.
            here.submit(commands.Ask(f"round {number}"))
            await here.until(lambda state, n=number + 1: state.waiting == n)  # type: ignore[misc]
            if dice.random() < 0.5:
                block = newest(here.state).patch.files[0].blocks[0].id
                here.submit(commands.Take(number + 1, (block,)))
                here.submit(commands.Land(number + 1))
            else:
                here.submit(commands.Accept(number + 1))
            for _ in range(dice.randrange(40)):
                await asyncio.sleep(0)
            # What an editor writes is what it has read, with the human's line changed; whoever writes in between the
            # two is lost by the editor.
            save = dice.choice(SAVES)
            with at_once:
                lines = prices.read_text().split("\n")
                lines[0] = f"# top {number + 1}"
                save(prices, "\n".join(lines))
            await _landed(here, number)
            assert prices.read_text() == f"# top {number + 1}\n{BEFORE}\n# end {number + 1}\n"
    assert len(here.all(ev.Landed)) == rounds
    assert pair.trees


async def _landed(here: Running, number: int) -> None:
    """Wait until a round has landed; asked again, or told that files changed meanwhile, the human says it again."""

    def over(state: State) -> bool:
        return state.task is None and len(here.all(ev.TaskFinished)) == number + 1

    async with asyncio.timeout(30):
        while not over(here.state):
            told = len(here.all(ev.Noted)) + len(here.all(ev.LandingConflicted))
            asked_again = len(here.all(ev.DecisionAwaited))
            await here.until(
                lambda state, told=told, again=asked_again: (
                    over(state)  # type: ignore[misc]
                    or len(here.all(ev.Noted)) + len(here.all(ev.LandingConflicted)) > told
                    or len(here.all(ev.DecisionAwaited)) > again
                )
            )
            if here.state.waiting == number + 1 and not over(here.state):
                here.submit(commands.Accept(number + 1))


async def test_an_undo_that_meets_the_humans_lines_names_the_landing(tmp_path: Path, project: Path, pair: Pair) -> None:
    async with running(project, script(tmp_path, MANY), watch=True) as here:
        await asked(here)
        here.submit(commands.Accept(1))
        await here.seen(ev.TaskFinished)
        (project / "README.md").write_text("# Mine\n")
        await here.seen(ev.HumanEdited)
        here.submit(commands.Undo(0))
        conflict = await here.seen(ev.LandingConflicted)
        assert conflict.message == (
            "Landing 1 (test_total fails; mend it) can't be taken back over newer changes; nothing was written."
        )
        assert conflict.conflicts == ("README.md:1: was changed here too",)
        assert (project / "README.md").read_text() == "# Mine\n"
    assert pair.trees
