"""Deciding on parts of a proposal: what is taken is judged, lands, and the partner hears of it and of the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.conversation import Item, ToolResultItem, UserItem
from agent_core.state import Notice, ProposalState, Said, State
from tests.support.running import Running, flags, running, stored
from tests.support.shop import PRICES, make_shop, tree

MANY = """*** Begin Patch
*** Update File: shop/prices.py
@@ def total(prices: list[int], discount: int = 0) -> int:
-    for price in prices[1:]:
+    for price in prices:
         result += price
-    return result - result * discount // 100
+    return result - result * discount // 10
*** Update File: README.md
@@
-# shop
+# The shop
*** End Patch"""
AGAIN = """*** Begin Patch
*** Update File: README.md
@@
-# shop
+# Shop
*** End Patch"""
LOOP, RETURN, TITLE = "for price in prices:", "return result - result * discount // 10", "# The shop"
BEFORE = PRICES.lstrip("\n")
ONLY_LOOP = BEFORE.replace("prices[1:]", "prices")


def settings(tmp_path: Path, *turns: str | dict[str, Any], mode: str = "step", off: tuple[str, ...]) -> dict[str, Any]:
    """A script of patches, and of other turns as they are."""
    script = tmp_path / "script.json"
    made = [
        {"calls": [{"name": "apply_patch", "arguments": {"patch": turn}}]} if isinstance(turn, str) else turn
        for turn in turns
    ]
    script.write_text(json.dumps({"turns": made}))
    return flags(mode, off=off, partner={"script": str(script)})


QUICK = ("mypy", "pytest", "ruff")
SLOW = ("mypy", "syntax", "ruff")


def newest(state: State) -> ProposalState:
    assert state.proposal is not None
    return state.proposal


def ids(state: State) -> dict[str, str]:
    """The blocks' ids by their first new line."""
    return {block.added[0].strip(): block.id for file in newest(state).patch.files for block in file.blocks}


def told(items: tuple[Item, ...]) -> str:
    """What the partner was told last."""
    item = next(one for one in reversed(items) if isinstance(one, UserItem | ToolResultItem))
    return item.text if isinstance(item, UserItem) else item.output


async def asked(here: Running, text: str = "test_total fails; mend it") -> dict[str, str]:
    here.submit(commands.Ask(text))
    await here.until(lambda state: state.waiting == 1)
    return ids(here.state)


async def test_a_part_lands_and_the_rest_goes_back_with_the_reasons(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    made = settings(tmp_path, MANY, AGAIN, off=SLOW)
    async with running(project, made) as here:
        blocks = await asked(here)
        here.submit(commands.Take(1, blocks=(blocks[LOOP],)))
        here.submit(commands.Take(1, blocks=(blocks[RETURN],), taken=False))
        here.submit(commands.Comment(1, blocks[RETURN], "percent means a hundredth"))
        await here.until(lambda state: newest(state).part is not None and newest(state).part.complete)
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
