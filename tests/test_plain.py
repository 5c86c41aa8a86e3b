"""The plain line mode in the process: questions and answers, blocks, commands, lessons."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from agent_core import events as ev
from agent_core.commands import AnyCommand, Ask, Interrupt, Reject, Withdraw
from agent_core.fold import fold
from tests.support.part_taking import judged_part
from tests.support.plain_talk import TWO_PARTS, Sends, patch_turn, script_of, talking
from tests.support.shop import MENDED, PRICES, RIGHT_AT_ONCE, WRONG, make_quick_shop, tree
from tests.test_resume import write_script
from tui.plain import orders


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_quick_shop(tmp_path / "shop")


async def test_an_answer_from_before_the_question_is_none(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    before = tree(project)
    async with talking(project, script) as talk:
        await talk.told("Type a task")
        talk.type("mend total\n")
        await talk.told("Proposal 1 waits for your decision")
        # Within the grace: whoever types this cannot have read the question.
        talk.type("1\n")
        await talk.told("That was typed before question 1, so it is not taken as an answer: 1")
        await talk.told("1 accept all of it")
        talk.type("keep it short\n")
        await talk.told("It is kept, and goes along when you reject or go on.")
        assert talk.here.state.waiting == 1
        assert tree(project) == before
        talk.answer("2")
        await talk.told("Why?")
        talk.type("too long\n")
        await talk.told("Rejected proposal 1")
        assert talk.here.state.proposals[0].reason == "keep it short\n\ntoo long"
        assert tree(project) == before


async def test_blocks_are_chosen_one_after_the_other(project: Path, tmp_path: Path) -> None:
    script = script_of(tmp_path / "script.json", patch_turn(TWO_PARTS), {"text": "As you like."})
    async with talking(project, script) as talk:
        await talk.told("Type a task")
        talk.type("mend total\n")
        told = await talk.told("Type a number")
        assert "Block 2 of 2, line 7." in told
        talk.answer("4")
        await talk.told("Do you take block 1?")
        talk.type("c no notes, please\n")
        await talk.told("you said of it: no notes, please")
        await talk.told("Do you take block 1?")
        talk.type("n\n")
        await talk.told("Do you take block 2?")
        # Both at once: the second was typed before its question.
        talk.type("y\n\n")
        await talk.told("That was typed before")
        await talk.told("Taken: 2. Left: 1. 1 comment. Press enter")
        assert tree(project)["shop/prices.py"] != MENDED.encode()
        talk.answer("")
        await talk.told("Landed 1 of 2 parts of proposal 1 as landing 1: shop/prices.py")
        await talk.told("As you like.")
        await talk.told("Type undo to take landing 1 back.")
        assert (project / "shop/prices.py").read_text() == MENDED
        assert not (project / "shop/notes.py").exists()
        assert "no notes, please" in str(talk.here.state.items)
        talk.type("undo\n")
        await talk.told("Took back landing 1")
        assert (project / "shop/prices.py").read_text() == PRICES.lstrip("\n")


async def test_what_is_to_stand_where_the_human_has_written_too(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    mine = PRICES.lstrip("\n").replace("prices[1:]", "prices[2:]")
    async with talking(project, script, watch=True) as talk:
        await talk.told("Type a task")
        talk.type("mend total\n")
        await talk.told("Type a number")
        (project / "shop/prices.py").write_text(mine)
        await talk.here.until(lambda state: bool(state.proposal and state.proposal.overlaps))
        await talk.told("Type a number")
        talk.answer("blocks")
        told = await talk.told("What is to stand there? You have written there, too. Type n to keep yours")
        assert "from line 7, what you wrote:\n|     for price in prices[2:]:" in told
        talk.type("t\n")
        await talk.told("Taken: 1.")
        talk.answer("")
        await talk.told("Land")
        await talk.here.until(lambda state: judged_part(state) or state.task is None)
        assert talk.here.state.proposal is not None
        (mark,) = talk.here.state.proposal.review.blocks.values()
        assert (mark.taken, mark.side) == (True, "both")
        part = talk.here.state.proposal.part
        assert part is not None
        # What both come to is no Python, and that is said of exactly that before anything lands.
        assert part.broken
        assert (project / "shop/prices.py").read_text() == mine


async def test_single_lines_and_what_was_said_last(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    async with talking(project, script) as talk:
        await talk.told("Type a task")
        talk.type("mend total\n")
        await talk.told("Type a number")
        talk.answer("blocks")
        await talk.told("Do you take block 1?")
        talk.type("l\n")
        told = await talk.told("Type numbers such as")
        assert "1 removes:     for price in prices[1:]:\n2 adds:     for price in prices:" in told
        talk.type("9\n")
        await talk.told("These are no numbers from 1 to 2.")
        await talk.told("Do you take block 1?")
        talk.type("l\n")
        await talk.told("Type numbers such as")
        talk.type("2\n")
        await talk.told("Taken: 1.")
        assert [mark.lines for mark in talk.here.state.proposals[0].review.blocks.values()] == [(1,)]
        talk.type("q\n")
        await talk.told("9 land what is taken, 1 of 1 block")
        talk.answer("10")
        await talk.told("waits for your decision")
        assert not talk.here.state.proposals[0].review


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_command_of_the_partners_is_told_to_the_letter(project: Path, tmp_path: Path, allowed: bool) -> None:
    command = "echo \x1b[2Jone\necho two"
    asks = {"text": "May I?", "calls": [{"name": "run_command", "arguments": {"command": command}}]}
    script = script_of(tmp_path / "script.json", asks, {"text": "Thanks."})
    async with talking(project, script) as talk:
        await talk.told("Type a task")
        talk.type("run it\n")
        told = await talk.told("2 do not allow it")
        assert "The command, 2 lines:\necho \u241b[2Jone\necho two\n1 allow it to run" in told
        talk.type("1\n")
        await talk.told("That was typed before question 1")
        assert talk.here.state.approval is not None
        talk.type("be quick\n")
        await talk.told("The partner hears that at its next step.")
        talk.answer("1" if allowed else "deny")
        await talk.told("It is allowed." if allowed else "It is not allowed.")
        await talk.told("Thanks.")
        assert ("exit status 0" in str(talk.here.state.items)) is allowed


async def test_what_the_verdict_turns_to_is_not_decided_by_an_older_answer(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    async with talking(project, script) as talk:
        await talk.told("Type a task")
        talk.type("mend total\n")
        await talk.told("Type a number")
        # A check that ends late: what was green so far is not any more.
        state = talk.here.state
        verdict = state.proposals[0].verdict
        assert verdict is not None
        red = msgspec.structs.replace(verdict, green=not verdict.green)
        event = ev.VerdictReached(1, red)
        talk.talk.told(ev.Entry(99, 0.0, event), fold(state, event))
        await talk.told("Question 2. Proposal 1 still waits; its verdict is another now.")
        talk.now += 0.1
        talk.type("1\n")
        await talk.told("That was typed before question 2")
        assert talk.here.state.waiting == 1


async def test_a_dialog_ends_with_its_proposal(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    async with talking(project, script) as talk:
        await talk.told("Type a task")
        talk.type("mend total\n")
        await talk.told("Type a number")
        talk.answer("4")
        await talk.told("Do you take block 1?")
        talk.here.submit(Interrupt())
        await talk.told("Proposal 1 does not wait any more.")
        await talk.told("Type a task")
        talk.type("y\n")
        await talk.told("Task 2 begins.")


async def test_many_edits_at_once_are_one_sentence(project: Path, tmp_path: Path) -> None:
    script = script_of(tmp_path / "script.json", {"text": "Hello."}, {"text": "Nothing to do."})
    async with talking(project, script) as talk:
        await talk.told("Type a task")
        talk.type("hello\n")
        await talk.told("Type a task")
        for number in range(40):
            (project / f"new{number:02}.txt").write_text("x\n")
        talk.type("look\n")
        await talk.told("Nothing to do.")
        assert "Someone added new00.txt, new01.txt, new02.txt, new03.txt, new04.txt and 35 other files." in talk.all
        assert talk.all.count("Someone added") == 1


async def test_what_looks_mistyped_is_not_said_before_it_is_typed_again(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE, WRONG)
    async with talking(project, script) as talk:
        await talk.told("Type a task")
        talk.here.submit(Ask("mend total"))
        await talk.told("Type a number")
        talk.answer("acept")
        await talk.told("Did you mean accept?")
        assert talk.here.state.waiting == 1
        talk.type("acept\n")
        await talk.told("Going on from proposal 1: acept")


async def test_fix_is_said_to_the_partner_where_no_proposal_waits(project: Path, tmp_path: Path) -> None:
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE, WRONG)
    async with talking(project, script) as talk:
        await talk.told("Type a task")
        talk.type("fix\n")
        await talk.told("Type a number")
        assert talk.here.state.tasks[-1].text == "fix"


async def test_words_are_taken_back_by_the_number_they_were_told_under(project: Path, tmp_path: Path) -> None:
    async with talking(project, script_of(tmp_path / "script.json")) as talked:
        talk = talked.talk
        sent: list[AnyCommand] = []
        here = Sends(talk._session, sent, ("first", "second"))
        talk._session = here  # type: ignore[assignment]  # as much of one as is asked
        talk._obey(orders.Order("withdraw", 2))
        talk._obey(orders.Order("status"))
        here.state = msgspec.structs.replace(here.state, queued=("second",))
        talk._obey(orders.Order("withdraw", 2))
        talk._obey(orders.Order("withdraw", 3))
        await talked.told("No words wait under the number 3.")
    assert sent == [Withdraw(1, "second")] * 2


async def test_a_lesson_is_told_by_number_and_kept(project: Path, tmp_path: Path) -> None:
    turns = [patch_turn(WRONG), {"text": "I see."}]
    async with talking(project, script_of(tmp_path / "script.json", *turns)) as talked:
        talked.here.submit(Ask("mend it"))
        await talked.told("1 accept all of it")
        talked.here.submit(Reject(1, "we never add one to a price"))
        await talked.told("Worth remembering, lesson 1? We never add one to a price.")
        # Which of them comes first, the words or the lesson, nobody knows.
        await talked.here.seen(ev.TaskFinished)
        talked.answer("keep 2")
        await talked.told("There is no lesson 2.")
        talked.answer("keep 1")
        await talked.told("It is remembered for later sessions.")
        talked.answer("lessons")
        await talked.told("1, kept: We never add one to a price. From what you said when you rejected proposal 1")
        talked.answer("drop 1")
        await talked.told("It is not remembered.")
        assert [one.stands for one in talked.here.state.lessons] == ["dropped"]


async def test_a_command_is_run_and_its_output_shared(project: Path, tmp_path: Path) -> None:
    script = script_of(tmp_path / "script.json", {"text": "I see."})
    async with talking(project, script) as talk:
        await talk.told("Type a task")
        talk.type("!printf 'a\\033[31mb'; touch here\n")
        told = await talk.told("End of the output, exit status 0.")
        assert "a\u241b[31mb" in told
        assert not (project / "here").exists()
        talk.type("share\n")
        await talk.told("It goes along")
        talk.type("what is this?\n")
        await talk.told("I see.")
        assert "Output of `printf" in talk.here.state.tasks[0].text
