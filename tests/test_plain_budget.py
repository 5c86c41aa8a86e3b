"""Budgets and what was spent, as sentences and numbered questions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.plain_talk import script_of, talking
from tests.support.shop import make_shop

LOOK: dict[str, Any] = {"calls": [{"name": "list_files", "arguments": {}}]}


async def test_a_budget_is_asked_about_and_what_was_spent_is_told(tmp_path: Path, private_home: Path) -> None:
    config = private_home / "config" / "pairloop" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("[budget]\nsession_tokens = 1\n")
    turns = [LOOK, LOOK, LOOK, {"text": "Done."}]
    async with talking(make_shop(tmp_path / "shop"), script_of(tmp_path / "script.json", *turns)) as talking_:
        await talking_.told("Type a task")
        talking_.answer("usage")
        await talking_.told("Nothing was spent yet.")
        talking_.answer("no limit")
        await talking_.told("No budget is used up.")
        talking_.answer("look around")
        await talking_.told("The budget of this session is used up:")
        await talking_.told("3 go on without a limit")
        # What was typed before the question was there is no answer to it.
        talking_.type("1\n")
        await talking_.told("it is not taken as an answer")
        talking_.answer("1")
        await talking_.told("The budget of this session was raised to")
        await talking_.told("The budget of this session is used up:")
        await talking_.told("3 go on without a limit")
        talking_.answer("usage")
        told = await talking_.told("by now, as you wished.")
        assert "last step" in told
        talking_.answer("spend no more")
        await talking_.told("Stopped: the budget of this session is used up")
        talking_.answer("look again")
        await talking_.told("3 go on without a limit")
        talking_.answer("3")
        await talking_.told("Done.")
