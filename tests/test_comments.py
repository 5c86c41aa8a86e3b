"""Comments in the code as commands: the real watcher, the real loop, a partner that plays a script."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.conversation import AssistantItem, UserItem
from agent_core.prompt import replies
from agent_core.state import State
from tests.projects import git
from tests.support.running import Running, flags, running
from tests.support.shop import MENDED, PRICES, QUICK, RIGHT_AT_ONCE, make_shop
from tests.test_resume import write_script

BEFORE = PRICES.lstrip("\n")
LOOP = "    for price in prices[1:]:\n"
ASKING = BEFORE.replace(LOOP, f"    # AI! sum up all of them\n{LOOP}")
WORDS = "Because it begins with the second price."


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop")


def script(tmp_path: Path, *answers: str) -> Path:
    """A partner that answers with patches, or in words."""
    turns: list[dict[str, Any]] = [
        {"calls": [{"name": "apply_patch", "arguments": {"patch": one}}]} if one.startswith("***") else {"text": one}
        for one in answers
    ]
    path = tmp_path / "script.json"
    path.write_text(json.dumps({"name": "test", "turns": turns}))
    return path


def settings(path: Path, mode: str = "step", **more: Any) -> dict[str, Any]:
    return flags(mode, off=QUICK, partner={"script": str(path)}, **more)


def save(path: Path, text: str) -> None:
    """As vim does: the old file goes out of the way, another one takes its place."""
    backup = path.with_name(f"{path.name}~")
    path.rename(backup)
    path.write_text(text)
    backup.unlink()


async def ready(here: Running) -> None:
    """Wait until saves are heard."""
    async with asyncio.timeout(20):
        while here.session.surroundings.heard != "watched":  # noqa: ASYNC110 - no event says so
            # The watcher tells nobody that it is up.
            await asyncio.sleep(0.01)


async def nothing_asked(here: Running, path: Path) -> None:
    """Wait until a later save has been heard and looked at, and see that no comment was taken up."""
    heard, asked = len(here.all(ev.HumanEdited)), len(here.all(ev.Asked))
    # Another name each time: what comes back as it was is no edit.
    number = asked + len(here.all(ev.Steered))
    other = path.with_name(f"other_{number}.py")
    other.write_text(f"# AI? is anybody there, for the {number}th time\n")
    await here.until(lambda _: len(here.all(ev.Asked)) > asked or bool(here.state.queued))
    last = here.all(ev.Asked)[-1] if len(here.all(ev.Asked)) > asked else here.all(ev.Steered)[-1]
    assert [marker.path for marker in last.markers] == [f"shop/{other.name}"]
    assert len(here.all(ev.HumanEdited)) > heard
    await here.until(lambda state: state.task is None or state.waiting > 0)
    other.unlink()


def told(state: State) -> Sequence[str]:
    return [item.text for item in state.items if isinstance(item, UserItem)]


async def test_a_comment_becomes_a_task_and_goes_with_what_lands(tmp_path: Path, project: Path) -> None:
    prices = project / "shop/prices.py"
    (project / "README.md").write_text("# shop\n<!-- AI: totals are in cents -->\n")
    async with running(project, settings(script(tmp_path, RIGHT_AT_ONCE)), watch=True) as here:
        await ready(here)
        save(prices, ASKING)
        asked = await here.seen(ev.Asked)
        assert asked.text == "sum up all of them\n\u21b3 AI! shop/prices.py:7"
        (marker,) = asked.markers
        assert (marker.path, marker.line, marker.count, marker.kind) == ("shop/prices.py", 7, 1, "do")
        await here.until(lambda state: state.waiting == 1)
        words = told(here.state)[0]
        assert "shop/prices.py:7: sum up all of them" in words
        assert "[The code around, as it is now:]\nshop/prices.py:\n```\n" in words
        assert "    # AI! sum up all of them\n    for price in prices[1:]:" in words
        assert "README.md:2: totals are in cents" in words
        # That the human saved the file it says by itself: told once more, small models take it for what is wanted.
        assert [text for text in told(here.state) if "changed files in their editor" in text] == []
        proposal = here.state.proposals[-1]
        assert "-    # AI! sum up all of them" in proposal.diff
        assert proposal.note == "The comment that asked for it goes with it: shop/prices.py:7."
        # Saved again while it waits it is not asked for again.
        save(prices, f"{ASKING}\n")
        await nothing_asked(here, prices)
        assert prices.read_text() == f"{ASKING}\n"


async def test_accepted_it_is_gone_in_one(tmp_path: Path, project: Path) -> None:
    prices = project / "shop/prices.py"
    path = script(tmp_path, RIGHT_AT_ONCE, *["I am."] * 4)
    async with running(project, settings(path), watch=True) as here:
        await ready(here)
        save(prices, ASKING)
        await here.until(lambda state: state.waiting == 1)
        here.submit(commands.Accept(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert prices.read_text() == MENDED
        # Taken back by pairloop it is there again, and asks for nothing; nor does an editor that still had it open.
        here.submit(commands.Undo())
        await here.until(lambda state: state.landings[0].stands == "undone")
        assert prices.read_text() == ASKING
        here.submit(commands.Redo())
        await here.until(lambda state: state.landings[0].stands == "landed")
        await nothing_asked(here, prices)
        save(prices, ASKING)
        await nothing_asked(here, prices)
        session = here.session.id
    # Nor after a resume: neither what is there, nor what an editor still had open.
    prices.write_text(MENDED)
    async with running(project, settings(path), watch=True, resume=session) as here:
        await ready(here)
        save(prices, ASKING)
        await nothing_asked(here, prices)


async def test_what_was_there_and_what_git_brings_asks_for_nothing(tmp_path: Path, project: Path) -> None:
    prices = project / "shop/prices.py"
    prices.write_text(ASKING)
    async with running(project, settings(script(tmp_path, *["I am."] * 5)), watch=True) as here:
        await ready(here)
        save(prices, f"import os\n\n{ASKING}")
        await nothing_asked(here, prices)
        git(project, "checkout", "-q", "--", ".")
        git(project, "checkout", "-q", "-b", "other")
        await nothing_asked(here, prices)
        save(prices, ASKING.replace("sum up", "add up"))
        assert (await here.seen(ev.Asked, 3)).markers[0].text == "add up all of them"
        await here.seen(ev.TaskFinished, 3)
        git(project, "commit", "-qam", "asks")
        git(project, "checkout", "-q", "-")
        await nothing_asked(here, prices)
        git(project, "checkout", "-q", "other")
        await nothing_asked(here, prices)
        assert "add up" in prices.read_text()
        assert len(here.all(ev.Asked)) == 5


async def test_a_question_is_answered_without_a_change(tmp_path: Path, project: Path) -> None:
    prices = project / "shop/prices.py"
    text = BEFORE.replace(LOOP, "    for price in prices[1:]:  # why from the second? AI?\n")
    path = script(tmp_path, RIGHT_AT_ONCE, WORDS)
    async with running(project, settings(path, "auto"), watch=True) as here:
        await ready(here)
        save(prices, text)
        assert (await here.seen(ev.Asked)).text == "why from the second?\n\u21b3 AI? shop/prices.py:7"
        finished = await here.seen(ev.TaskFinished)
        assert finished.outcome == "answered"
        assert "Answer in words" in told(here.state)[0]
        # A patch for it is not even proposed, so that no mode can land it.
        assert here.all(ev.ProposalMade) == []
        assert "they want an answer in words" in here.all(ev.PatchRejected)[0].message
        assert prices.read_text() == text


async def test_a_question_beside_a_proposal_asks_for_no_patch_and_leaves_it_waiting(
    tmp_path: Path, project: Path
) -> None:
    answer = "One would send an *** Update File: of it."
    path = script(tmp_path, RIGHT_AT_ONCE, answer, "This is too much.")
    async with running(project, settings(path), watch=True) as here:
        await ready(here)
        here.submit(commands.Ask("sum up all of them"))
        await here.until(lambda state: state.waiting == 1)
        (project / "shop/notes.py").write_text("# AI? why is the first one left out\n")
        await here.until(lambda state: bool(here.all(ev.Decided)) and state.waiting == 1)
        assert replies.not_a_call("envelope") not in told(here.state)
        assert [item.text for item in here.state.items if isinstance(item, AssistantItem)][-1] == answer
    assert (project / "shop/prices.py").read_text() == BEFORE


async def test_while_a_task_runs_it_steers(tmp_path: Path, project: Path) -> None:
    tests = project / "tests/test_prices.py"
    path = script(tmp_path, RIGHT_AT_ONCE, "Seen.")
    async with running(project, settings(path), watch=True) as here:
        await ready(here)
        here.submit(commands.Ask("mend total"))
        await here.until(lambda state: state.waiting == 1)
        save(tests, f"# AI! one more for negative prices\n{tests.read_text()}")
        steered = await here.seen(ev.Steered)
        assert [marker.path for marker in steered.markers] == ["tests/test_prices.py"]
        decided = await here.seen(ev.Decided)
        assert (decided.decision, decided.by) == ("steer", "human")
        await here.until(lambda state: state.steps == 2 and state.waiting == 1)
        assert any("tests/test_prices.py:1: one more for negative prices" in words for words in told(here.state))
        assert here.state.queued == ()
        task = here.state.task
        assert task is not None
        assert task.markers == steered.markers


async def test_rejected_the_comment_stays_until_it_is_changed(tmp_path: Path, project: Path) -> None:
    prices = project / "shop/prices.py"
    path = script(tmp_path, RIGHT_AT_ONCE, "As you wish.", RIGHT_AT_ONCE)
    async with running(project, settings(path), watch=True) as here:
        await ready(here)
        save(prices, ASKING)
        await here.until(lambda state: state.waiting == 1)
        here.submit(commands.Reject(1, "not now"))
        assert (await here.seen(ev.TaskFinished)).outcome == "answered"
        assert prices.read_text() == ASKING
        save(prices, f"{ASKING}\n\nLIMIT = 3\n")
        await here.until(lambda _: len(here.all(ev.HumanEdited)) == 2)
        assert len(here.all(ev.Asked)) == 1
        save(prices, ASKING.replace("sum up", "really sum up"))
        assert (await here.seen(ev.Asked, 2)).markers[0].text == "really sum up all of them"


async def test_one_that_is_changed_while_its_proposal_waits_is_left(tmp_path: Path, project: Path) -> None:
    prices = project / "shop/prices.py"
    changed = BEFORE.replace("LIMIT", "").replace('"""Prices."""\n', '"""Prices."""\n\n# all of it\n')
    asking = f"{BEFORE}\n\n# AI! sum up all of them in total\n"
    assert changed
    async with running(project, settings(script(tmp_path, RIGHT_AT_ONCE)), watch=True) as here:
        await ready(here)
        save(prices, asking)
        await here.until(lambda state: state.waiting == 1)
        assert "sum up all" in here.state.proposals[-1].diff
        save(prices, f"{BEFORE}\n\n# sum up all of them in total, some day\n")
        await here.until(lambda state: state.waiting == 1 and len(here.all(ev.ProposalMade)) == 2)
        assert here.state.proposals[-1].overlaps == ()
        assert "sum up all" not in here.state.proposals[-1].diff
        here.submit(commands.Accept(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert prices.read_text() == f"{MENDED}\n\n# sum up all of them in total, some day\n"


async def test_stashed_and_popped_while_its_proposal_waits_it_still_goes_with_it(tmp_path: Path, project: Path) -> None:
    prices = project / "shop/prices.py"
    async with running(project, settings(script(tmp_path, RIGHT_AT_ONCE)), watch=True) as here:
        await ready(here)
        save(prices, ASKING)
        await here.until(lambda state: state.waiting == 1)
        for count, (move, base) in enumerate((("push", BEFORE), ("pop", ASKING)), 2):
            git(project, "stash", move)
            assert prices.read_text() == base
            await here.seen(ev.ProposalMade, count)
            await here.until(lambda state: state.waiting == 1)
        here.submit(commands.Accept(1))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert prices.read_text() == MENDED


async def test_a_partner_that_takes_it_out_itself(tmp_path: Path, project: Path) -> None:
    prices = project / "shop/prices.py"
    patch = RIGHT_AT_ONCE.replace("-    for price", "-    # AI! sum up all of them\n-    for price", 1)
    async with running(project, settings(script(tmp_path, patch), "auto"), watch=True) as here:
        await ready(here)
        save(prices, ASKING)
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert prices.read_text() == MENDED
        assert here.state.proposals[-1].note == ""


async def test_what_the_partner_has_not_been_told_of_stays_out_of_its_proposal(tmp_path: Path, project: Path) -> None:
    prices, tests = project / "shop/prices.py", project / "tests/test_prices.py"
    path = write_script(tmp_path / "script.json", RIGHT_AT_ONCE, delay_ms=1500)
    async with running(project, settings(path), watch=True) as here:
        await ready(here)
        save(prices, ASKING)
        await here.until(lambda state: state.steps == 1)
        save(tests, f"# AI! one more\n{tests.read_text()}")
        await here.seen(ev.Steered)
        assert not here.state.proposals
        await here.until(lambda state: state.waiting == 1)
        assert [file.path for file in here.state.proposals[0].patch.files] == ["shop/prices.py"]
        assert here.state.proposals[0].note == "The comment that asked for it goes with it: shop/prices.py:7."


async def test_said_too_late_it_is_the_next_task(tmp_path: Path, project: Path) -> None:
    prices, tests = project / "shop/prices.py", project / "tests/test_prices.py"
    path = write_script(tmp_path / "script.json", RIGHT_AT_ONCE, delay_ms=1500)
    async with running(project, settings(path, "auto"), watch=True) as here:
        await ready(here)
        save(prices, ASKING)
        await here.until(lambda state: state.steps == 2)
        save(tests, f"# AI! one more\n{tests.read_text()}")
        await here.seen(ev.Steered)
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        asked = await here.seen(ev.Asked, 2)
        assert [marker.path for marker in asked.markers] == ["tests/test_prices.py"]
        assert here.state.queued == ()
        assert [marker.path for marker in here.state.tasks[0].markers] == ["shop/prices.py"]


async def test_switched_off(tmp_path: Path, project: Path) -> None:
    prices = project / "shop/prices.py"
    path = script(tmp_path, "I am.")
    async with running(project, settings(path, watch={"comments": False}), watch=True) as here:
        await ready(here)
        save(prices, ASKING)
        await here.seen(ev.HumanEdited)
        here.submit(commands.Ask("are you there"))
        await here.seen(ev.TaskFinished)
        assert [asked.text for asked in here.all(ev.Asked)] == ["are you there"]


async def test_secrets_in_comments_are_kept_from_the_partner(tmp_path: Path, project: Path) -> None:
    prices = project / "shop/prices.py"
    secret = "sk-" + "a1B2" * 10
    async with running(project, settings(script(tmp_path, WORDS)), watch=True) as here:
        await ready(here)
        save(prices, ASKING.replace("sum up", f"use {secret} to sum up"))
        assert "use [secret] to sum up" in (await here.seen(ev.Asked)).text
        await here.seen(ev.TaskFinished)
        assert secret not in "".join(told(here.state))
