"""What was rejected is not proposed again unnoticed, and what the human notes down reaches the partner."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.conversation import Item, ToolResultItem, UserItem
from agent_core.memory.recollection import memory_of
from agent_core.state import State
from tests.support.running import Running, flags, running, stored
from tests.support.shop import NEW_FILE, QUICK, RIGHT_AT_ONCE, make_shop

OTHER = NEW_FILE.replace("shop/notes.py", "shop/other.py")


def patch(*texts: str) -> dict[str, Any]:
    return {"calls": [{"name": "apply_patch", "arguments": {"patch": text}} for text in texts]}


def settings(tmp_path: Path, *turns: dict[str, Any], mode: str = "step") -> dict[str, Any]:
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"turns": turns}))
    return flags(mode, off=("ruff", *QUICK), partner={"script": str(script)})


def told(items: tuple[Item, ...]) -> str:
    return "\n".join(
        item.output if isinstance(item, ToolResultItem) else item.text
        for item in items
        if isinstance(item, ToolResultItem | UserItem)
    )


async def waiting(here: Running, number: int) -> State:
    return await here.until(lambda state: state.waiting == number)


async def test_what_was_rejected_is_refused_once_and_shown_as_such_when_it_comes_again(tmp_path: Path) -> None:
    turns = [patch(NEW_FILE), patch(NEW_FILE), patch(NEW_FILE), {"text": "well"}]
    async with running(make_shop(tmp_path / "shop"), settings(tmp_path, *turns)) as here:
        here.submit(commands.Ask("take notes"))
        await waiting(here, 1)
        here.submit(commands.Reject(1, "notes belong into the README"))
        state = await waiting(here, 2)
        (refused,) = here.all(ev.PatchRejected)
        fact = "Proposed before as proposal 1, which was rejected: notes belong into the README."
        assert refused.message.startswith(fact)
        assert fact in told(state.items)
        # Nobody's time was spent on it, and the one that came again all the same says what it is.
        assert [made.number for made in here.all(ev.ProposalMade)] == [1, 2]
        assert state.proposal is not None
        assert state.proposal.note == fact
        here.submit(commands.Reject(2))
        await here.seen(ev.TaskFinished)


async def test_more_around_what_was_rejected_does_not_hide_it(tmp_path: Path) -> None:
    turns = [patch(NEW_FILE), patch(OTHER, NEW_FILE), {"text": "well"}]
    async with running(make_shop(tmp_path / "shop"), settings(tmp_path, *turns)) as here:
        here.submit(commands.Ask("take notes"))
        await waiting(here, 1)
        here.submit(commands.Reject(1, "no"))
        state = await waiting(here, 2)
        assert len(here.all(ev.PatchRejected)) == 1
        assert state.proposal is not None
        assert state.proposal.patch.paths == ("shop/other.py",)
        assert "Proposed before" not in state.proposal.note
        here.submit(commands.Interrupt())
        await here.seen(ev.TaskFinished)


async def test_who_says_something_after_the_rejection_may_want_it_after_all(tmp_path: Path) -> None:
    asks = {"calls": [{"name": "run_command", "arguments": {"command": "true"}}]}
    turns = [patch(NEW_FILE), asks, patch(NEW_FILE), {"text": "well"}]
    async with running(make_shop(tmp_path / "shop"), settings(tmp_path, *turns)) as here:
        here.submit(commands.Ask("take notes"))
        await waiting(here, 1)
        here.submit(commands.Reject(1, "no"))
        approval = await here.seen(ev.ApprovalAsked)
        here.submit(commands.Steer("or do it all the same"))
        here.submit(commands.Approve(approval.call_id, allowed=False))
        state = await waiting(here, 2)
        assert here.all(ev.PatchRejected) == []
        assert state.proposal is not None
        assert "which was rejected: no" in state.proposal.note
        here.submit(commands.Interrupt())
        await here.seen(ev.TaskFinished)


async def test_a_part_that_was_left_is_known_again_and_the_rest_is_free(tmp_path: Path) -> None:
    turns = [patch(NEW_FILE, OTHER), patch(OTHER), {"text": "then not"}]
    async with running(make_shop(tmp_path / "shop"), settings(tmp_path, *turns)) as here:
        here.submit(commands.Ask("take notes"))
        state = await waiting(here, 1)
        assert state.proposal is not None
        notes = next(file for file in state.proposal.patch.files if file.path == "shop/notes.py")
        here.submit(commands.Take(1, blocks=tuple(block.id for block in notes.blocks)))
        here.submit(commands.Land(1, "one is enough"))
        await here.seen(ev.TaskFinished)
        (refused,) = here.all(ev.PatchRejected)
        assert "a part of proposal 1 that was not taken: one is enough" in refused.message


@pytest.mark.parametrize("reason", ["", "no notes"])
async def test_who_asks_anew_after_a_rejection_without_a_word_gets_it_at_once(tmp_path: Path, reason: str) -> None:
    turns = [patch(NEW_FILE), {"text": "well"}]
    async with running(make_shop(tmp_path / "shop"), settings(tmp_path, *turns, *turns, *turns)) as here:
        here.submit(commands.Ask("take notes"))
        await waiting(here, 1)
        here.submit(commands.Reject(1, reason))
        await here.seen(ev.TaskFinished)
        here.submit(commands.Ask("take notes"))
        if reason:
            # What they gave a reason for is held against it, once.
            await here.seen(ev.TaskFinished, 2)
            here.submit(commands.Ask("take notes"))
        state = await waiting(here, 2)
        assert len(here.all(ev.PatchRejected)) == bool(reason)
        assert state.proposal is not None
        assert "Proposed before as proposal 1, which was rejected" in state.proposal.note
        here.submit(commands.Interrupt())
        await here.seen(ev.TaskFinished, 3 if reason else 2)


@pytest.mark.parametrize("forget", [False, True])
async def test_nothing_that_was_rejected_lands_by_itself(tmp_path: Path, forget: bool) -> None:
    project = make_shop(tmp_path / "shop")
    turns = [patch(NEW_FILE), {"text": "well"}, patch(NEW_FILE), patch(NEW_FILE), {"text": "that is it"}]
    async with running(project, settings(tmp_path, *turns)) as here:
        here.submit(commands.Ask("take notes"))
        await waiting(here, 1)
        here.submit(commands.Reject(1, "no"))
        await here.seen(ev.TaskFinished)
        if forget:
            here.submit(commands.Memorize("", "decision:1"))
        here.submit(commands.SetMode("auto"))
        here.submit(commands.Ask("take notes by yourself"))
        done = await here.seen(ev.TaskFinished, 2)
        # What the human has had forgotten does not stand against it any more.
        assert done.outcome == ("landed" if forget else "not_green")
        assert (project / "shop/notes.py").exists() is forget
        assert ("you did not want" in done.text) is not forget


async def test_what_is_written_into_the_memory_reaches_the_partner_at_its_next_step_and_changes_nothing_before(
    tmp_path: Path,
) -> None:
    project = make_shop(tmp_path / "shop")
    turns = [patch(RIGHT_AT_ONCE), {"text": "done"}, {"text": "again"}]
    async with running(project, settings(tmp_path, *turns)) as here:
        here.submit(commands.Ask("mend it"))
        before = (await waiting(here, 1)).items
        here.submit(commands.Memorize("prices are in cents"))
        here.submit(commands.Memorize("mend the discount, nothing else", "task:1"))
        here.submit(commands.Memorize("never told"))
        here.submit(commands.Memorize("", "note:2"))
        here.submit(commands.Memorize("x", "task:7"))
        await here.until(lambda state: any("no entry task:7" in getattr(one, "text", "") for one in state.chat))
        assert here.state.items == before
        here.submit(commands.Steer("go on"))
        await here.seen(ev.DecisionAwaited, 2)
        here.submit(commands.Accept(1))
        await here.seen(ev.TaskFinished)
        assert here.state.items[: len(before)] == before
        new = told(here.state.items[len(before) :])
        assert "- Remember: prices are in cents" in new
        assert "- Remember this: mend the discount, nothing else\n  instead of: mend it" in new
        assert "never told" not in new
        step = len(here.state.items)
        here.submit(commands.Ask("and now?"))
        await here.seen(ev.TaskFinished, 2)
        assert "prices are in cents" not in told(here.state.items[step:])
        session, state = here.session.id, here.state
    # The journal gives the same memory again.
    assert memory_of(stored(project, session)).entries == memory_of(state).entries
