"""What the loop does beyond trying again: blame, mending, noticing that nothing moves, and stopping in time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.conversation import Item, ToolResultItem, UserItem
from tests.support.running import flags, running
from tests.support.shop import NEW_FILE, RIGHT_AT_ONCE, make_shop

RULES = ("syntax", "mypy", "pytest")
UNTIDY = """*** Begin Patch
*** Add File: shop/notes.py
+import os
+
+NOTE = "empty"
*** End Patch"""
TWO_BLOCKS = """*** Begin Patch
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


def patch(text: str) -> dict[str, Any]:
    return {"calls": [{"name": "apply_patch", "arguments": {"patch": text}}]}


def settings(
    tmp_path: Path, *turns: dict[str, Any], mode: str = "step", off: tuple[str, ...] = RULES, **loop: Any
) -> dict[str, Any]:
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"turns": turns}))
    made = flags(mode, off=off, partner={"script": str(script), "max_retries": 2})
    made["loop"] |= loop
    return made


def told(items: tuple[Item, ...]) -> str:
    """What the partner was told last."""
    item = items[-1]
    assert isinstance(item, UserItem | ToolResultItem)
    return item.text if isinstance(item, UserItem) else item.output


async def test_one_key_has_ruff_mend_the_proposal(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    async with running(project, settings(tmp_path, patch(UNTIDY))) as here:
        here.submit(commands.Ask("take notes"))
        state = await here.until(lambda state: state.waiting == 1)
        assert state.proposal is not None
        assert [finding.code for finding in state.proposal.fixable] == ["F401"]
        here.submit(commands.Fix(1))
        await here.until(lambda state: state.proposal is not None and state.proposal.green and state.waiting == 1)
        first, second = here.all(ev.ProposalMade)
        assert (second.number, second.attempt, second.call_id) == (first.number, first.attempt, first.call_id)
        assert second.tree != first.tree
        assert "ruff mended (F401) in shop/notes.py" in second.note
        assert not (project / "shop/notes.py").exists()
        here.submit(commands.Fix(1))
        await here.until(lambda state: "nothing in proposal 1 that can be mended" in str(state.chat[-1]))
        here.submit(commands.Accept(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert (project / "shop/notes.py").read_text() == '\nNOTE = "empty"\n'
        assert "At the human's wish ruff mended" in told(here.state.items)
        # It waits no more.
        here.submit(commands.Fix(1))
        await here.until(lambda state: "does not wait" in str(state.chat[-1]))


async def test_the_block_to_blame_is_found_while_the_human_looks_and_told_to_the_partner(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    made = settings(tmp_path, patch(TWO_BLOCKS), off=("syntax", "ruff", "mypy"))
    async with running(project, made) as here:
        here.submit(commands.Ask("test_total fails; mend it"))
        blamed = await here.seen(ev.Blamed)
        proposal = here.state.proposal
        assert proposal is not None
        blocks = {block.added[0].strip(): block.id for file in proposal.patch.files for block in file.blocks}
        assert [blame.blocks for blame in blamed.blames] == [(blocks["return result - result * discount // 10"],)]
        assert blamed.unneeded == (blocks["# The shop"],)
        assert (proposal.blames, proposal.unneeded) == (blamed.blames, blamed.unneeded)
        here.submit(commands.Steer("mend that"))
        await here.seen(ev.PromptSent, 2)
        words = next(item.output for item in here.state.items if isinstance(item, ToolResultItem))
        assert "broken by the change at shop/prices.py:9 ('return result - result * discount // 10')" in words
        assert "No check needs the change at README.md:1" in words


async def test_a_partner_that_stands_still_is_told_and_so_is_the_human_after_the_second_time(tmp_path: Path) -> None:
    again = [UNTIDY.replace("empty", word) for word in ("one", "two", "three")]
    turns = [patch(UNTIDY), *(patch(f"{text}") for text in again)]
    async with running(make_shop(tmp_path / "shop"), settings(tmp_path, *turns, mode="until-green")) as here:
        here.submit(commands.Ask("take notes"))
        note = await here.seen(ev.Noted)
        assert note.text.startswith("The partner does not get on. Attempts 1, 2 failed in exactly this way")
        assert "Steer it" in note.hint
        assert len([one for one in here.all(ev.VerdictReached) if one.verdict.complete]) == 3
        outputs = [item.output for item in here.state.items if isinstance(item, ToolResultItem)]
        assert "failed in exactly this way" not in outputs[0]
        assert "Attempt 1 failed in exactly this way" in outputs[1]
        await here.judged(4)
        assert len(here.all(ev.Noted)) == 1
        here.submit(commands.Interrupt())
        await here.seen(ev.TaskFinished)


MISSED = "*** Begin Patch\n*** Update File: shop/prices.py\n@@\n-no such line\n+x\n*** End Patch"


async def test_the_same_refused_patch_again_and_again_ends_it_early(tmp_path: Path) -> None:
    turns = [patch(MISSED)] * 9
    made = settings(tmp_path, *turns)
    made["partner"]["format"] = "envelope"
    async with running(make_shop(tmp_path / "shop"), made) as here:
        here.submit(commands.Ask("mend it"))
        done = await here.seen(ev.TaskFinished)
        assert (done.outcome, here.state.steps) == ("not_green", 3)
        assert done.text.startswith("Stopped: the partner sends the same patch again and again, which is refused: ")


async def test_what_cannot_be_applied_has_a_budget_of_its_own(tmp_path: Path) -> None:
    turns = [patch(MISSED.replace("such", f"such{number}")) for number in range(9)]
    made = settings(tmp_path, *turns, max_refusals=2, max_attempts=9)
    async with running(make_shop(tmp_path / "shop"), made) as here:
        here.submit(commands.Ask("mend it"))
        done = await here.seen(ev.TaskFinished)
        assert done.text == "Stopped: 2 patches in a row could not be applied."
        assert here.state.steps == 2


@pytest.mark.parametrize("most", [0, 1])
async def test_requests_that_break_off_have_one_too(tmp_path: Path, most: int) -> None:
    broken = {"error": {"kind": "server", "message": "Overloaded.", "times": 1}}
    turns = [broken | {"calls": [{"name": "list_files", "arguments": {}}]}, broken | patch(NEW_FILE)]
    made = settings(tmp_path, *turns, max_broken_requests=most)
    async with running(make_shop(tmp_path / "shop"), made) as here:
        here.submit(commands.Ask("take notes"))
        done = await here.seen(ev.TaskFinished)
        assert (done.outcome, done.kind) == ("failed", "unreachable")
        assert f"more than {most} requests of this task broke off, at last: Overloaded." in done.text
        assert len(here.all(ev.AnswerVoided)) == most
        # The next task has its own.
        here.submit(commands.Ask("again"))
        await here.seen(ev.AnswerFinished, most + 1)


async def test_attempts_that_fail_have_theirs(tmp_path: Path) -> None:
    turns = [patch(UNTIDY.replace("empty", str(number)).replace("os", f"os{number}")) for number in range(4)]
    made = settings(tmp_path, *turns, mode="auto", max_attempts=2)
    async with running(make_shop(tmp_path / "shop"), made) as here:
        here.submit(commands.Ask("take notes"))
        done = await here.seen(ev.TaskFinished)
        assert done.text.startswith("Not green after 2 attempts: breaks ")


async def test_one_patch_that_fits_is_no_reason_to_stop(tmp_path: Path) -> None:
    turns = [patch(MISSED), patch(MISSED), patch(RIGHT_AT_ONCE)]
    async with running(make_shop(tmp_path / "shop"), settings(tmp_path, *turns)) as here:
        here.submit(commands.Ask("mend it"))
        await here.until(lambda state: state.waiting == 1)
        here.submit(commands.Accept(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
