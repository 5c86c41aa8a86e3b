"""The loop's corners, with a script for a partner: what it refuses, when it stops, what it leaves whole."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.chat_entries import ToolUse
from agent_core.conversation import ToolResultItem, UserItem
from agent_core.prompt.replies import unanswered
from agent_core.state import State
from tests.support.running import Running, flags, running
from tests.support.shop import MENDED, NEW_FILE, QUICK, RIGHT_AT_ONCE, make_shop, tree

ALL = ("syntax", "ruff", *QUICK)


def tool(name: str, **arguments: Any) -> dict[str, Any]:
    return {"calls": [{"name": name, "arguments": arguments}]}


def patch(text: str) -> dict[str, Any]:
    return tool("apply_patch", patch=text)


def say(text: str) -> dict[str, Any]:
    return {"text": text}


def settings(tmp_path: Path, *turns: dict[str, Any], mode: str = "step", **loop: Any) -> dict[str, Any]:
    """A script of these turns, no checks but the quick ones."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"turns": turns}))
    made = flags(mode, off=ALL[1:], partner={"script": str(script)})
    made["loop"] |= loop
    return made


def results(state: State) -> list[str]:
    return [item.output for item in state.items if isinstance(item, ToolResultItem)]


def oks(state: State) -> list[bool]:
    return [item.ok for item in state.items if isinstance(item, ToolResultItem)]


def calls(*turns: dict[str, Any]) -> dict[str, Any]:
    """Several turns as one answer."""
    return {"calls": [one for turn in turns for one in turn["calls"]]}


async def finished(here: Running) -> ev.TaskFinished:
    done = await here.seen(ev.TaskFinished)
    # However it ends: no call without an answer, and nothing that seems to run.
    assert unanswered(here.state.items) == ()
    assert all(entry.ok is not None for entry in here.state.chat if isinstance(entry, ToolUse))
    assert (here.state.phase, here.state.live, here.state.waiting) == ("idle", "", 0)
    return done


async def test_tools_that_fail_are_answered_so_that_the_partner_can_go_on(tmp_path: Path) -> None:
    turns = [
        tool("delete_everything"),
        {"calls": [{"name": "read_file", "arguments": "{not json"}, {"name": "search", "arguments": {"pattern": "("}}]},
        tool("read_file", path="shop/price.py"),
        say("I see."),
    ]
    async with running(make_shop(tmp_path / "shop"), settings(tmp_path, *turns)) as here:
        here.submit(commands.Ask("look around"))
        assert (await finished(here)).outcome == "answered"
        unknown, broken, regex, missing = results(here.state)
        assert "There is no tool 'delete_everything'. The tools are: list_files, read_file, search" in unknown
        assert "The arguments do not fit" in broken
        assert "The search failed" in regex
        assert "Did you mean shop/prices.py" in missing
        assert [done.ok for done in here.all(ev.ToolFinished)] == [False] * 4
        assert oks(here.state) == [False] * 4


HOSTILE = ["../outside.py", "/tmp/outside.py", ".git/hooks/pre-commit", "way/out.py", "shop/../../outside.py"]


async def test_patches_out_of_the_project_are_refused_and_six_in_a_row_end_it(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    (project / "way").symlink_to(tmp_path)
    before = tree(tmp_path)
    turns = [patch(NEW_FILE.replace("shop/notes.py", path)) for path in HOSTILE]
    turns += [patch(MISSED), say("?")]
    made = settings(tmp_path, *turns)
    (tmp_path / "script.json").rename(tmp_path / "shop.json")
    made["partner"] = {"script": str(tmp_path / "shop.json")}
    async with running(project, made) as here:
        here.submit(commands.Ask("break out"))
        done = await finished(here)
        assert (done.outcome, done.text) == ("not_green", "Stopped: 6 patches in a row could not be applied.")
        rejected = here.all(ev.PatchRejected)
        assert len(rejected) == 6
        for path, event in zip(HOSTILE, rejected, strict=False):
            assert path in event.message
        assert here.all(ev.ProposalMade) == []
        assert all(text.startswith("The patch was refused, nothing changed.") for text in results(here.state))
        assert oks(here.state) == [False] * 6
    (tmp_path / "shop.json").unlink()
    assert tree(tmp_path) == before


async def test_endless_looking_around_is_stopped(tmp_path: Path) -> None:
    turns = [tool("list_files")] * 10
    async with running(make_shop(tmp_path / "shop"), settings(tmp_path, *turns, max_steps=3)) as here:
        here.submit(commands.Ask("look"))
        done = await finished(here)
        assert (done.outcome, here.state.steps) == ("not_green", 3)
        assert "3 requests" in done.text


async def test_several_patches_in_one_answer_are_one_proposal(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    both = calls(patch(RIGHT_AT_ONCE), tool("list_files"), patch(NEW_FILE))
    async with running(project, settings(tmp_path, both)) as here:
        here.submit(commands.Ask("mend it, and take notes"))
        await here.until(lambda state: state.waiting == 1)
        (made,) = here.all(ev.ProposalMade)
        assert made.patch.paths == ("shop/notes.py", "shop/prices.py")
        assert "Taken into the draft" in results(here.state)[1]
        here.submit(commands.Accept(1))
        assert (await finished(here)).outcome == "landed"
        assert (project / "shop/prices.py").read_text() == MENDED
        assert (project / "shop/notes.py").exists()


MISSED = "*** Begin Patch\n*** Update File: shop/prices.py\n@@\n-no such line\n+x\n*** End Patch"


@pytest.mark.parametrize("order", [(NEW_FILE, MISSED), (MISSED, NEW_FILE)])
async def test_a_refused_patch_holds_back_the_others_of_its_answer(tmp_path: Path, order: tuple[str, ...]) -> None:
    project = make_shop(tmp_path / "shop")
    turns = [calls(*map(patch, order)), tool("read_file", path="shop/notes.py"), patch(RIGHT_AT_ONCE)]
    async with running(project, settings(tmp_path, *turns)) as here:
        here.submit(commands.Ask("mend it, and take notes"))
        await here.until(lambda state: state.waiting == 1)
        (made,) = here.all(ev.ProposalMade)
        # No proposal of the half: the first is of both, and the draft was kept for it.
        assert made.patch.paths == ("shop/notes.py", "shop/prices.py")
        assert (made.number, made.attempt, len(here.all(ev.PatchRejected))) == (1, 1, 1)
        taken, refused, read = results(here.state)
        assert "another patch of your answer was refused" in taken
        assert "hunk 1" in refused
        assert "send this one alone" in refused
        assert '"""Notes."""' in read
        assert oks(here.state) == [True, False, True]
        here.submit(commands.Accept(1))
        assert (await finished(here)).outcome == "landed"
        assert (project / "shop/prices.py").read_text() == MENDED


async def test_what_was_held_back_is_proposed_when_nothing_more_comes(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    turns = [calls(patch(NEW_FILE), patch(MISSED)), say("That is all I can do."), say("Well.")]
    async with running(project, settings(tmp_path, *turns)) as here:
        here.submit(commands.Ask("take notes"))
        await here.until(lambda state: state.waiting == 1)
        (made,) = here.all(ev.ProposalMade)
        assert made.patch.paths == ("shop/notes.py",)
        assert made.note == "A patch that came with it was refused and has not come again."
        here.submit(commands.Steer("not even a try?"))
        await here.until(lambda state: state.waiting == 1 and state.steps == 3)
        # Its call was answered long ago: the verdict goes with the human's words.
        told = [item.text for item in here.state.items if isinstance(item, UserItem)][-1]
        assert told.startswith("[Proposal 1 was checked: ")
        assert told.endswith("not even a try?")
        here.submit(commands.Accept(1))
        assert (await finished(here)).outcome == "landed"
        assert (project / "shop/notes.py").exists()
        assert (project / "shop/prices.py").read_text() != MENDED


async def test_a_patch_that_is_there_already_is_no_attempt_and_no_refusal(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    again = [patch(RIGHT_AT_ONCE)] * 7
    async with running(project, settings(tmp_path, patch(RIGHT_AT_ONCE), *again, say("It is done."))) as here:
        here.submit(commands.Ask("mend it"))
        await here.until(lambda state: state.waiting == 1)
        here.submit(commands.Steer("are you sure?"))
        await here.until(lambda state: state.waiting == 1 and state.steps == 9)
        assert [(made.number, made.attempt) for made in here.all(ev.ProposalMade)][-1] == (1, 1)
        told = results(here.state)[1:]
        assert len(told) == 7
        assert all("applied already" in text and "say so in words" in text for text in told)
        assert oks(here.state) == [True] * 8
        assert [event.already for event in here.all(ev.PatchRejected)] == [True] * 7
        here.submit(commands.Accept(1))
        assert (await finished(here)).outcome == "landed"
        assert (project / "shop/prices.py").read_text() == MENDED
        # And in the files it is there as well.
        here.submit(commands.Ask("once more"))
        assert (await here.seen(ev.TaskFinished, 2)).outcome in {"answered", "failed"}


async def test_a_draft_that_is_lost_on_the_way_takes_its_patches_along(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    prices = project / "shop/prices.py"
    turns = [calls(patch(RIGHT_AT_ONCE), tool("run_command", command="true"), patch(NEW_FILE)), say("I stop here.")]
    async with running(project, settings(tmp_path, *turns)) as here:
        here.submit(commands.Ask("mend it"))
        asked = await here.seen(ev.ApprovalAsked)
        theirs = prices.read_text().replace("prices[1:]", "prices[2:]")
        prices.write_text(theirs)
        here.submit(commands.Approve(asked.call_id, allowed=True))
        assert (await finished(here)).outcome == "answered"
        lost, refused = results(here.state)[1:]
        assert "the draft is gone" in lost
        assert "the file has 'for price in prices[2:]:', the proposal 'for price in prices:'" in refused
        assert oks(here.state) == [True, False, False]
        assert here.all(ev.ProposalMade) == []
        assert prices.read_text() == theirs


async def test_patches_of_one_answer_do_not_replace_each_other(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    other = RIGHT_AT_ONCE.replace("+    for price in prices:", "+    for price in list(prices):")
    assert other != RIGHT_AT_ONCE
    turns = [calls(patch(RIGHT_AT_ONCE), patch(other)), patch(NEW_FILE)]
    async with running(project, settings(tmp_path, *turns)) as here:
        here.submit(commands.Ask("mend it"))
        await here.until(lambda state: state.waiting == 1)
        # The second fits the working tree only; it is refused, and the first stays for what comes next.
        assert oks(here.state) == [True, False]
        (made,) = here.all(ev.ProposalMade)
        assert made.patch.paths == ("shop/notes.py", "shop/prices.py")
        here.submit(commands.Accept(1))
        assert (await finished(here)).outcome == "landed"
        assert (project / "shop/prices.py").read_text() == MENDED


async def test_the_same_patch_twice_in_an_answer_is_one(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    async with running(project, settings(tmp_path, calls(patch(NEW_FILE), patch(NEW_FILE)))) as here:
        here.submit(commands.Ask("note it"))
        await here.until(lambda state: state.waiting == 1)
        assert "so nothing was done" in results(here.state)[0]
        here.submit(commands.Accept(1))
        assert (await finished(here)).outcome == "landed"


async def test_a_command_is_asked_about_under_its_own_call(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    turns = [calls(patch(NEW_FILE), tool("run_command", command="cat shop/notes.py"))]
    async with running(project, settings(tmp_path, *turns)) as here:
        here.submit(commands.Ask("note it"))
        asked = await here.seen(ev.ApprovalAsked)
        started = await here.seen(ev.ToolStarted)
        assert (asked.call_id, started.name) == (started.call_id, "run_command")
        here.submit(commands.Approve(asked.call_id, allowed=True))
        await here.until(lambda state: state.waiting == 1)
        assert '"""Notes."""' in results(here.state)[0]
        here.submit(commands.Accept(1))
        assert (await finished(here)).outcome == "landed"


async def test_asking_for_the_checks(tmp_path: Path) -> None:
    broken = NEW_FILE.replace('"""Notes."""', "def (:").replace("notes", "broken")
    turns = [tool("run_checks"), patch(broken), tool("run_checks"), say("Well.")]
    async with running(make_shop(tmp_path / "shop"), settings(tmp_path, *turns)) as here:
        here.submit(commands.Ask("check"))
        await here.until(lambda state: state.waiting == 1)
        here.submit(commands.Steer("have a look yourself"))
        await here.until(lambda state: state.waiting == 1 and len(results(state)) == 3)
        assert "syntax" in results(here.state)[0]
        assert results(here.state)[2].startswith("Your draft against the working tree: ")
        assert "shop/broken.py" in results(here.state)[2]
        here.submit(commands.Interrupt())
        assert (await finished(here)).outcome == "interrupted"


async def test_interrupting_a_command_ends_it(tmp_path: Path) -> None:
    turns = [tool("run_command", command="echo begun; sleep 60"), say("Ended.")]
    project = make_shop(tmp_path / "shop")
    async with running(project, settings(tmp_path, *turns)) as here:
        here.submit(commands.Ask("run it"))
        asked = await here.seen(ev.ApprovalAsked)
        here.submit(commands.Approve(asked.call_id, allowed=True))
        await here.seen(ev.ApprovalGiven)
        here.submit(commands.Interrupt())
        assert (await finished(here)).outcome == "interrupted"
        assert [entry.summary for entry in here.state.chat if isinstance(entry, ToolUse)] == ["interrupted"]
        here.submit(commands.Ask("and now?"))
        assert (await here.seen(ev.TaskFinished, 2)).outcome == "answered"


@pytest.mark.parametrize(("kind", "calls"), [("auth", 1), ("refused", 1)])
async def test_a_partner_that_fails_ends_the_task_with_its_reason(tmp_path: Path, kind: str, calls: int) -> None:
    turn = {"error": {"kind": kind, "message": "Not today.", "times": 9}, "text": "never"}
    async with running(make_shop(tmp_path / "shop"), settings(tmp_path, turn)) as here:
        here.submit(commands.Ask("x"))
        done = await finished(here)
        assert (done.outcome, done.kind, done.text) == ("failed", kind, "Not today.")
        assert len(here.all(ev.PromptSent)) == calls
        # The session goes on.
        here.submit(commands.Ask("y"))
        await here.seen(ev.TaskFinished, 2)
        assert [task.outcome for task in here.state.tasks] == ["failed", "failed"]


async def test_decisions_that_come_twice_or_too_late_are_said_to_be_void(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    async with running(project, settings(tmp_path, patch(RIGHT_AT_ONCE))) as here:
        here.submit(commands.Accept(1))
        note = await here.seen(ev.Noted)
        assert note.text == "Proposal 1 does not wait for a decision now."
        here.submit(commands.Undo())
        await here.until(lambda state: any("no landing to undo" in str(entry) for entry in state.chat))
        here.submit(commands.Ask("mend"))
        await here.until(lambda state: state.waiting == 1)
        here.submit(commands.Accept(2))
        here.submit(commands.Accept(1))
        await finished(here)
        here.submit(commands.Reject(1, "too late"))
        await here.until(lambda state: "Proposal 1 does not wait" in str(state.chat[-1]))
        assert (project / "shop/prices.py").read_text() == MENDED
        assert [event.decision for event in here.all(ev.Decided)] == ["accept"]


async def test_choosing_auto_while_a_green_proposal_waits_lands_it(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    async with running(project, settings(tmp_path, patch(RIGHT_AT_ONCE))) as here:
        here.submit(commands.Ask("mend"))
        await here.until(lambda state: state.waiting == 1)
        here.submit(commands.SetMode("auto"))
        assert (await finished(here)).outcome == "landed"
        assert [(event.decision, event.by) for event in here.all(ev.Decided)] == [("accept", "mode")]
        assert (project / "shop/prices.py").read_text() == MENDED


@pytest.mark.skipif(sys.platform != "linux", reason="file names are Unicode elsewhere")
async def test_names_that_are_no_unicode_break_nothing(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    odd = project / os.fsdecode(b"gr\xf6\xdfe.py")
    odd.write_text("SIZE = 1\n")
    turns = [tool("list_files"), tool("search", pattern="SIZE"), patch(RIGHT_AT_ONCE)]
    async with running(project, settings(tmp_path, *turns)) as here:
        here.submit(commands.Ask("mend"))
        await here.until(lambda state: state.waiting == 1)
        assert "gr\ufffd\ufffde.py" in results(here.state)[0]
        assert "gr\ufffd\ufffde.py:1:SIZE = 1" in results(here.state)[1]
        odd.write_text("SIZE = 1\nSIZE = 2\n")
        here.submit(commands.Accept(1))
        assert (await finished(here)).outcome == "landed"
        assert (project / "shop/prices.py").read_text() == MENDED
        here.submit(commands.Undo())
        await here.until(lambda state: state.landings[-1].undoes == 1 and state.landings[-1].stands == "landed")
        here.submit(commands.Ask("look"))
        await here.seen(ev.TaskFinished, 2)
        (edit,) = here.all(ev.HumanEdited)
        assert (edit.path, edit.kind) == ("gr\ufffd\ufffde.py", "changed")
        assert "+SIZE = 2" in edit.diff
