"""What the partner wants to do, asks and plans, on the screen: answered by keys, by words, never by accident."""

from __future__ import annotations

import pytest

from agent_core import events as ev
from agent_core.commands import Answer, Approve, EndTool, ForgetRule, Steer
from agent_core.permission_book import KnownRule
from tests.tui import scenes
from tests.tui.driving import NARROW, SIZES, running
from tests.tui.fake_session import FakeSession

RULE, WIDER = "run pytest -x tests/test_prices.py", "run pytest *"


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("f2",), Approve("c9", True)),
        (("f4",), Approve("c9", True, RULE)),
        (("f12",), Approve("c9", True, WIDER)),
        (("f3",), Approve("c9", False)),
        (("tab", "y"), Approve("c9", True)),
        (("tab", "a"), Approve("c9", True, RULE)),
        (("tab", "A"), Approve("c9", True, WIDER)),
        (("tab", "n"), Approve("c9", False)),
        ((*"use make", "enter"), Approve("c9", False, reason="use make")),
    ],
)
async def test_a_wish_is_answered_once_for_good_or_with_words(keys: tuple[str, ...], answer: Approve) -> None:
    async with running() as driver:
        await driver.play(scenes.narrow_approval)
        await driver.press(*keys)
        assert driver.session.commands == [answer]


@pytest.mark.parametrize("size", SIZES)
async def test_the_rules_that_would_be_kept_are_told(size: tuple[int, int]) -> None:
    async with running(size=size) as driver:
        await driver.play(scenes.narrow_approval)
        for words in (f"F4 always: {RULE}", f"F12 always: {WIDER}", "F2 allow once", "F3 deny"):
            assert words in driver.text.replace("\u00a0", " ")


async def test_no_rule_is_offered_where_there_is_none() -> None:
    async with running() as driver:
        await driver.play(scenes.approval)
        assert "always" not in driver.text
        await driver.press("f4", "f12", "tab", "a", "A")
        assert driver.session.commands == []


async def test_what_has_only_just_appeared_takes_no_key_and_no_words() -> None:
    async with running() as driver:
        for scene in (scenes.narrow_approval, scenes.question):
            driver.session.reset()
            scene(driver.session)
            await driver.drawn()
            await driver.press("f2", "f4", "f12", "f3", *"2", "enter")
            assert driver.session.commands == []
            assert driver.app.main.prompt.text == "2"
            driver.app.main.prompt.clear()
            driver.clock.pass_(1.0)


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("2", "enter"), "Count as 100 percent"),
        (("tab", "1"), "Raise ValueError, as a negative one does"),
        (("tab", "3"), "Stay as it is"),
        ((*"ask me", "enter"), "ask me"),
        (("9", "enter"), "9"),
        (("f3",), ""),
        (("tab", "n"), ""),
    ],
)
async def test_a_question_is_answered_by_number_by_words_or_not(keys: tuple[str, ...], answer: str) -> None:
    async with running() as driver:
        await driver.play(scenes.question)
        await driver.press(*keys)
        assert driver.session.commands == [Answer("c2", answer)]


async def test_digits_go_to_panes_where_they_answer_nothing() -> None:
    async with running(size=NARROW) as driver:
        await driver.play(scenes.question)
        await driver.press("tab", "4")
        assert driver.session.commands == []
        driver.session.emit(ev.QuestionAnswered("c2", "no"))
        await driver.drawn()
        await driver.press("2")
        assert driver.app.main.front == "diff"
        assert driver.session.commands == []


async def test_words_that_were_begun_before_a_question_answer_it_only_when_meant() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        await driver.press(*"keep it small")
        await driver.play(scenes.question)
        await driver.press("enter")
        assert driver.session.commands == []
        assert "enter again answers the partner's question with it" in driver.text
        assert driver.app.main.prompt.text == "keep it small"
        await driver.press("enter")
        assert driver.session.commands == [Answer("c2", "keep it small")]
        driver.session.emit(ev.QuestionAnswered("c2", "keep it small"))
        await driver.drawn()
        await driver.press(*"and now", "enter")
        assert driver.session.commands[1:] == [Steer("and now")]


async def test_an_option_is_clicked() -> None:
    async with running() as driver:
        await driver.play(scenes.question)
        row = next(at for at, line in enumerate(driver.rows()) if "Count as 100 percent" in line)
        await driver.pilot.click(offset=(8, row))
        await driver.settle()
        assert driver.session.commands == [Answer("c2", "Count as 100 percent")]


async def test_a_running_command_shows_its_last_lines_and_is_ended_alone() -> None:
    async with running(size=NARROW) as driver:
        await driver.play(scenes.long_command)
        assert "test_11 PASSED" in driver.text
        assert "test_1 PASSED" not in driver.text
        assert "From now on not asked before: “run pytest *”" in driver.text
        await driver.press("ctrl+t")
        assert driver.session.commands == [EndTool()]
        driver.session.emit(ev.ToolFinished("c9", ok=False, summary="ended by the human after 3 s"))
        await driver.drawn()
        assert "PASSED" not in driver.text
        await driver.press("ctrl+t")
        assert driver.session.commands == [EndTool()]


def hostile(session: FakeSession) -> None:
    """Everything that a partner writes may be meant to be obeyed."""
    scenes.start(session)
    scenes.ask(session)
    evil = "[red]x[/] \x1b[2J\u202e@app.quit"
    session.emit(
        ev.ToolStarted("c1", "run_command", f"run {evil}"),
        ev.ToolPrinted("c1", f"{evil}\n"),
        ev.PlanUpdated((ev.PlanStep(evil, "doing"),)),
        ev.QuestionAsked("c2", f"{evil}\n{evil}", (evil, "b")),
    )


async def test_what_the_partner_writes_is_shown_and_not_obeyed() -> None:
    async with running() as driver:
        await driver.play(hostile)
        assert "\x1b" not in driver.text
        assert "\u202e" not in driver.text
        assert driver.text.count("[red]x[/] ␛[2J") >= 4
        assert driver.app.failures == []


async def test_the_rules_are_looked_at_and_kept_ones_forgotten() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        driver.session.known_rules = (
            KnownRule("allow", WIDER, kept=True),
            KnownRule("deny", "run rm *"),
        )
        await driver.press("tab", "P")
        await driver.until(lambda: "run pytest *" in driver.text)
        assert "kept for this project" in driver.text
        assert "✗ run rm *" in driver.text
        await driver.press("down", "enter")
        assert driver.session.commands == []
        assert "That rule is in a configuration file" in driver.text
        await driver.press("P")
        await driver.until(lambda: "kept for this project" in driver.text)
        await driver.press("enter")
        assert driver.session.commands == [ForgetRule(WIDER)]
