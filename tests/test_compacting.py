"""Compaction: what is replaced, what stays, and that nothing of the human's is forgotten by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.conversation import Item, ToolCallItem, ToolResultItem, UserItem
from agent_core.item_text import item_text
from agent_core.prompt.compaction import SUMMARY_HEAD, is_summary
from agent_core.prompt.replies import unanswered
from agent_core.state import Notice, State
from tests.support.model_server import ModelServer, call, error, text
from tests.support.running import Running, flags, running, server_settings, stored
from tests.support.shop import QUICK, make_shop

ALL_BUT_SYNTAX = ("ruff", *QUICK)
TRIES = ("prices[2:]", "prices[3:]", "prices[4:]", "prices[5:]", "prices[6:]")
REASONS = (
    "slicing is not wanted at all",
    "no magic numbers, please",
    "that drops four prices",
    "we never skip items silently",
    "use the whole list instead",
)
SUMMARY = "The human wants total to count every price. It was tried to slice prices in other ways."


def patch(loop: str) -> dict[str, Any]:
    lines = [
        "*** Begin Patch",
        "*** Update File: shop/prices.py",
        "@@",
        "-    for price in prices[1:]:",
        f"+    for price in {loop}:",
        "*** End Patch",
    ]
    words = f"I loop over {loop} now. " + "This is how I came to it, in many words. " * 60
    return {"text": words, "calls": [{"name": "apply_patch", "arguments": {"patch": lines}}]}


def script(tmp_path: Path, *turns: dict[str, Any], summary: str = SUMMARY, window: int = 0) -> dict[str, Any]:
    """Settings of a script, with what it answers when it is asked for a summary."""
    path = tmp_path / "script.json"
    asides = [{"expect": "Sum up a part of a conversation", "text": summary}] if summary else []
    path.write_text(json.dumps({"turns": turns, "asides": asides}))
    return flags(off=ALL_BUT_SYNTAX, partner={"script": str(path), "context_window": window})


def said(items: tuple[Item, ...]) -> str:
    return "\n".join(map(item_text, items))


def told(state: State) -> str:
    return "\n".join(f"{one.text} {one.hint}" for one in state.chat if isinstance(one, Notice))


async def rejected(here: Running, count: int = len(REASONS)) -> None:
    """Have so many proposals made and rejected; the next one waits."""
    here.submit(commands.Ask("mend total in shop/prices.py"))
    for number, reason in enumerate(REASONS[:count], 1):
        await here.until(lambda state, number=number: state.waiting == number)  # type: ignore[misc]
        here.submit(commands.Reject(number, reason))
    await here.until(lambda state: state.waiting == count + 1)


async def test_after_a_compaction_the_partner_still_knows_each_rejected_approach(tmp_path: Path) -> None:
    turns = [*map(patch, (*TRIES, "prices[7:]", "prices"))]
    async with running(make_shop(tmp_path / "shop"), script(tmp_path, *turns)) as here:
        await rejected(here)
        before = here.state.items
        here.submit(commands.Compact())
        done = await here.seen(ev.Compacted)
        assert (done.why, done.by) == ("asked", "partner")
        assert done.usage.input > 0
        here.submit(commands.Reject(6, "and not like this"))
        await here.until(lambda state: state.waiting == 7)
        sent = here.state.items[: here.all(ev.PromptSent)[-1].items]
    assert len(sent) < len(before)
    assert sent[0] == before[0]
    assert is_summary(sent[1])
    assert SUMMARY in said(sent)
    for reason, loop in zip(REASONS, TRIES, strict=True):
        assert reason in said(sent)
        assert loop in said(before)
    assert "and not like this" in said(sent)
    assert unanswered(sent) == ()
