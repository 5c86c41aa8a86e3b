"""Parts of a proposal taken: a patch with several blocks, a judge that knows at once, and what is asked of both."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from agent_core import commands
from agent_core import events as ev
from agent_core.checks.model import CheckResult, Finding, Wish
from agent_core.conversation import ToolResultItem, UserItem
from agent_core.protocols import Candidate
from agent_core.state import ProposalState, State
from tests.support.running import Running, flags
from tests.support.shop import PRICES

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


BROKEN = Finding("pytest", "assert 1 == 2", "tests/test_far.py", 3, "tests/test_far.py::test_far")


def newest(state: State) -> ProposalState:
    assert state.proposal is not None
    return state.proposal


def ids(state: State) -> dict[str, str]:
    """The blocks' ids by their first new line."""
    return {block.added[0].strip(): block.id for file in newest(state).patch.files for block in file.blocks}


def told(here: Running) -> str:
    """What the partner was told of the part that landed; once."""
    every = [one for one in here.state.items if isinstance(one, UserItem | ToolResultItem)]
    texts = [one.text if isinstance(one, UserItem) else one.output for one in every]
    (words,) = [text for text in texts if "the human took a part" in text]
    return words


def judged_part(state: State) -> bool:
    part = newest(state).part
    return part is not None and part.complete and part.tree == newest(state).part_tree


async def asked(here: Running, text: str = "test_total fails; mend it") -> dict[str, str]:
    here.submit(commands.Ask(text))
    await here.until(lambda state: state.waiting == 1)
    return ids(here.state)


# -- a judge that knows at once


class Pair:
    """A judge for whom the return is wrong as long as the title is the old one; it can be made to wait."""

    name = "pytest"

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.cancelled = 0
        self.trees: list[str] = []

    async def run(self, candidate: Candidate, wish: Wish) -> CheckResult:
        """Judge a candidate."""
        if candidate.changed and wish.only is None:
            self.trees.append(candidate.tree)
            try:
                await self.go_on.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        prices, title = candidate.read("shop/prices.py") or b"", candidate.read("README.md") or b""
        if b"discount // 10\n" in prices and b"# The" not in title:
            return CheckResult("pytest", "failed", candidate.tree, "1 failed", (BROKEN,), total=1)
        return CheckResult("pytest", "passed", candidate.tree, "1 passed", total=1, passed=(BROKEN.code,))


def script(tmp_path: Path, *turns: str | dict[str, Any], mode: str = "step") -> dict[str, Any]:
    """A partner that sends these patches, and other turns as they are."""
    made = [
        {"calls": [{"name": "apply_patch", "arguments": {"patch": turn}}]} if isinstance(turn, str) else turn
        for turn in turns
    ]
    path = tmp_path / "script.json"
    path.write_text(json.dumps({"turns": made}))
    return flags(mode, partner={"script": str(path)})


def notes(here: Running) -> str:
    return "\n".join(one.text for one in here.all(ev.Noted))
