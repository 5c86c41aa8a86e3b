"""Layouts, focus, tabs, the prompt, and what is said where."""

from __future__ import annotations

import pytest
from textual.widget import Widget

from agent_core import events as ev
from agent_core.checks.model import CheckResult
from agent_core.commands import Accept, Ask, Fix, Reject
from tests.tui import scenes
from tests.tui.driving import MEDIUM, NARROW, SIZES, WIDE, running
from tui.prompt.titles import ASK, DECIDE, REASON, STEER


async def test_wide_shows_three_panes_side_by_side() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.green)
        main = driver.app.main
        chat, diff, checks = main.chat.region, main.diff.region, main.checks.region
        assert chat.y == diff.y == checks.y
        assert chat.height == diff.height == checks.height
        assert chat.right == diff.x
        assert diff.right == checks.x
        assert checks.width < diff.width
        assert not main.tabs.display


async def test_medium_puts_diff_over_checks() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(scenes.green)
        main = driver.app.main
        assert main.diff.region.x == main.checks.region.x == main.chat.region.right
        assert main.checks.region.y == main.diff.region.bottom
        assert main.chat.region.height == main.diff.region.height + main.checks.region.height


async def test_narrow_shows_one_pane_and_marks_news_on_the_tabs() -> None:
    async with running(NARROW) as driver:
        main = driver.app.main
        await driver.play(scenes.start)
        await driver.play(scenes.ask)
        assert [pane.display for pane in (main.chat, main.diff, main.checks)] == [True, False, False]
        scenes.propose(driver.session, 1, scenes.WRONG)
        await driver.drawn()
        assert "2 diff •" in driver.rows()[0]
        assert "3 checks ◌" in driver.rows()[0]
        await driver.press("f6")
        assert main.diff.display
        assert not main.chat.display
        assert "2 diff •" not in driver.rows()[0]
        assert main.focused is main.prompt
        # There is nothing to uncover any more: whoever presses it again means the pane.
        await driver.press("f6")
        await driver.until(lambda: main.focused is main.diff)
        await driver.press("i")
        await driver.pilot.click(main.tabs, offset=(2, 0))
        await driver.settle()
        assert main.chat.display


async def test_narrow_brings_the_diff_to_the_front_when_a_decision_waits() -> None:
    async with running(NARROW) as driver:
        main = driver.app.main
        await driver.press(*"half a word")
        scenes.red(driver.session)
        await driver.drawn()
        await driver.until(lambda: "proposal 1" in driver.text)
        assert main.diff.display
        assert main.focused is main.prompt
        assert main.prompt.text == "half a word"
        assert "return price * (100 - percent)" in driver.text


async def test_a_focused_pane_that_gives_way_hands_its_focus_on() -> None:
    async with running(NARROW) as driver:
        main = driver.app.main
        await driver.play(scenes.start)
        await driver.press("tab")
        assert main.focused is main.chat
        await driver.play(scenes.red)
        await driver.until(lambda: main.focused is main.diff)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_the_focus_goes_round(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        main = driver.app.main
        await driver.play(scenes.green)
        stops = [main.chat, main.diff, main.checks, main.prompt]
        if main.panes.shows_one:
            assert main.pane is main.diff
            stops = [main.diff, main.checks, main.chat, main.prompt]  # what is seen comes first
        for stop in stops:
            await driver.press("tab")
            await driver.until(lambda stop=stop: main.focused is stop)  # type: ignore[misc]
            assert stop.display
        for stop in reversed(stops[:3]):
            await driver.press("shift+tab")
            await driver.until(lambda stop=stop: main.focused is stop)  # type: ignore[misc]
        await driver.press("3")
        await driver.until(lambda: main.focused is main.checks)
        await driver.press("i")
        assert main.focused is main.prompt


async def test_growing_and_shrinking_keeps_everything_usable() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.green)
        for size in (NARROW, MEDIUM, (40, 12), WIDE):
            await driver.pilot.resize_terminal(*size)
            await driver.drawn()
            assert "green" in driver.text
            assert driver.app.main.prompt.region.height >= 1
            assert driver.app.main.prompt.region.bottom <= size[1]


@pytest.mark.parametrize("small", [(60, 15), (40, 12)])
async def test_nothing_is_left_of_a_size_that_was(small: tuple[int, int]) -> None:
    async with running(MEDIUM) as driver:
        await driver.play(scenes.red)
        driver.app.main.prompt.insert("a long draft " * 40)
        await driver.drawn()
        before = driver.rows()
        await driver.pilot.resize_terminal(*small)
        await driver.drawn()
        assert "^q" in driver.text
        await driver.pilot.resize_terminal(*MEDIUM)
        await driver.drawn()
        assert driver.rows() == before


@pytest.mark.parametrize("key", ["ctrl+j", "shift+enter"])
async def test_the_prompt_grows_to_eight_lines_and_sends_them(key: str) -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        prompt = driver.app.main.prompt
        heights = []
        for number in range(10):
            await driver.press(str(number), key)
            await driver.drawn()
            heights.append(prompt.content_size.height)
        assert heights[0] == 2
        assert heights[-1] == 8
        await driver.press("x", "enter")
        assert driver.session.commands == [Ask("\n".join("0123456789x"))]
        assert prompt.text == ""


async def test_enter_in_an_empty_prompt_sends_nothing() -> None:
    async with running() as driver:
        await driver.play(scenes.red)
        await driver.press("enter", "space", "enter")
        assert driver.session.commands == []


async def test_a_large_paste_is_text_and_nothing_else() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        text = "a\x1b[31m[bold]b[/]\n" * 200
        driver.app.main.prompt.insert(text)
        await driver.press("enter")
        assert driver.session.commands == [Ask(text.strip())]


async def test_the_prompt_says_what_enter_does() -> None:
    async with running() as driver:
        prompt = driver.app.main.prompt
        assert prompt.placeholder == ASK
        await driver.play(scenes.start)
        await driver.play(scenes.ask)
        assert prompt.placeholder == STEER
        await driver.play(scenes.red)
        assert prompt.placeholder == DECIDE
        await driver.press("f3")
        assert prompt.placeholder == REASON
        await driver.press("escape")
        assert prompt.placeholder == DECIDE


async def test_a_reason_does_not_cost_the_draft() -> None:
    async with running() as driver:
        await driver.play(scenes.red)
        prompt = driver.app.main.prompt
        await driver.press(*"draft", "f3")
        assert prompt.text == ""
        await driver.press(*"why", "escape")
        assert driver.session.commands == []
        assert prompt.text == "draft\nwhy"
        await driver.press("f3", *"bad", "enter")
        assert driver.session.commands == [Reject(1, "bad")]
        assert prompt.text == "draft\nwhy"


async def test_a_reason_for_a_proposal_that_no_longer_waits_is_not_sent() -> None:
    async with running() as driver:
        await driver.play(scenes.red)
        await driver.press("f3", *"why")
        driver.session.emit(ev.Decided(1, "steer", "mode"))
        await driver.drawn()
        assert not driver.app.main.prompt.asks_reason
        assert driver.app.main.prompt.text == "why"
        assert driver.session.commands == []


async def test_page_keys_scroll_the_pane_in_front_from_the_prompt() -> None:
    async with running(NARROW) as driver:
        await driver.play(scenes.start)
        driver.session.emit(ev.AnswerFinished("\n".join(f"line {n}" for n in range(200)), driver.session.state.usage))
        await driver.drawn()
        assert "line 199" in driver.text
        await driver.press("pageup", "pageup")
        assert "line 199" not in driver.text
        await driver.press("pagedown", "pagedown")
        assert "line 199" in driver.text
        assert driver.app.main.focused is driver.app.main.prompt


async def test_the_chat_follows_its_end_only_while_the_end_is_shown() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        chat = driver.app.main.chat
        lines = "\n".join(f"line {n}" for n in range(100))
        driver.session.emit(ev.TextStreamed(lines))
        await driver.drawn()
        assert chat.scroll_offset.y == chat.max_scroll_y
        driver.session.emit(ev.TextStreamed("\nmore\nand more"))
        await driver.drawn()
        assert "and more" in driver.text
        await driver.press("pageup")
        place = chat.scroll_offset.y
        driver.session.emit(ev.TextStreamed("\nunseen" * 50))
        await driver.drawn()
        assert chat.scroll_offset.y == place
        assert "unseen" not in driver.text


async def test_the_status_line_says_what_goes_on() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.green)
        row = driver.app.main.status.plain_text
        for words in ("waits for you", "gpt-6.2-sol", "step", "attempt 2", "7.3k in (76% cached)", "bubblewrap"):
            assert words in row
        driver.session.emit(ev.Decided(2, "steer", "human"), ev.PromptSent(9, 1))
        await driver.drawn()
        driver.clock.pass_(65)
        driver.app.main.draw_bars()
        assert "thinking 65 s" in driver.app.main.status.plain_text
        driver.session.emit(ev.AnswerVoided("It broke.", 4.0))
        await driver.drawn()
        assert "! waiting 4 s to ask again ·" in driver.app.main.status.plain_text
        # It is counted down, and what waits anew is counted anew; the line of keys has what ends it.
        driver.clock.pass_(1.4)
        driver.app.main.draw_bars()
        assert "waiting 3 s to ask again ·" in driver.app.main.status.plain_text
        assert "F4 ask now" in driver.app.main.keys.plain_text.replace("\u00a0", " ")
        driver.session.emit(ev.AnswerVoided("It broke.", 300.0, 2, 4))
        await driver.drawn()
        assert "waiting 5:00 to ask again (2 of 4) ·" in driver.app.main.status.plain_text
        driver.session.emit(ev.RetryHurried())
        await driver.drawn()
        assert "thinking" in driver.app.main.status.plain_text
        for number in range(3):
            driver.session.emit(ev.AnswerVoided("Offline: it cannot be reached.", 5.0, number + 1, 0, offline=True))
        await driver.drawn()
        assert "! offline, waiting 5 s to ask again ·" in driver.app.main.status.plain_text
        driver.clock.pass_(5)
        driver.app.main.draw_bars()
        assert "! asking again ·" in driver.app.main.status.plain_text
        assert driver.app.main.chat.plain_text.count("Offline: it cannot be reached.") == 1


async def test_checks_show_their_state_counts_and_time() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.start)
        await driver.play(scenes.ask)
        scenes.propose(driver.session, 1, scenes.RIGHT)
        await driver.drawn()
        driver.clock.pass_(3.2)
        driver.app.main.checks.tick()
        text = driver.app.main.checks.plain_text
        assert "✓ syntax" in text
        assert "◌ mypy     running" in text
        assert "12/31" in text
        await driver.until(lambda: "3.2 s" in driver.text)
        driver.session.emit(
            ev.CheckFinished("candidate", CheckResult("pytest", "no_tests", "t1", "collected nothing")),
            ev.CheckFinished("candidate", CheckResult("mypy", "error", "t1", "", output="boom [red]\x1b[0m")),
        )
        await driver.drawn()
        text = driver.app.main.checks.plain_text
        assert "? pytest   no tests collected: not judged" in text
        assert "? mypy     did not run: not judged" in text
        assert "│ boom [red]\n" in text


async def test_a_check_without_a_patch_to_look_at_is_not_doubted() -> None:
    async with running(WIDE) as driver:
        driver.session.emit(
            ev.CheckFinished("baseline", CheckResult("mypy", "skipped", "t", "")),
            ev.CheckFinished("baseline", CheckResult("pytest", "timeout", "t", "")),
            ev.CheckFinished("baseline", CheckResult("ruff", "passed", "t", "")),
        )
        await driver.drawn()
        assert "before  pytest ?   ruff ✓" in driver.app.main.checks.plain_text


async def test_what_is_well_so_far_has_no_tick_anywhere() -> None:
    async with running(NARROW) as driver:
        await driver.play(scenes.so_far)
        main = driver.app.main
        assert "? green so far" in main.question.plain_text
        assert "3 checks ◌" in driver.rows()[0]
        assert "◌ green so far, waits for you" in main.diff.plain_text
        text = main.checks.plain_text
        assert "attempts   ◌1  ◌◌" in text.replace("\u00a0", " ")
        assert "◌ affected: 14 of 31 passed" in text
        assert "◌ early  nothing found" in text
        assert "◌ green so far: breaks nothing" in text
        # Those two have said their last word.
        assert text.count("✓") == 2
        assert "◌ green so far" in main.chat.plain_text
        assert "✓ green" not in main.chat.plain_text


async def test_a_tick_goes_when_the_tree_does() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.green)
        assert "✓ pytest   31 passed" in driver.app.main.checks.plain_text
        driver.session.emit(ev.HumanEdited("shop/pricing.py", "changed", "", None, None))
        await driver.drawn()
        text = driver.app.main.checks.plain_text
        assert "✓" not in text.replace("fixed", "").split("before")[0]
        assert "! pytest   stale  31 passed" in text
        assert "! green: breaks nothing, 1 fixed  stale" in driver.app.main.chat.plain_text


async def test_a_proposal_that_turns_red_while_it_waits_is_not_accepted_by_a_key_on_its_way() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.so_far)
        driver.clock.pass_(5)
        scenes.judge(driver.session, 1, green=False)
        await driver.drawn()
        await driver.press("f2")
        assert driver.session.commands == []
        driver.clock.pass_(1)
        await driver.press("f2")
        assert driver.session.commands == [Accept(1)]


async def test_blocks_say_what_was_found_out_about_them() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.blamed)
        rows = driver.app.main.diff.plain_text.split("\n")
        blame = next(row for row in rows if "blamed" in row)
        assert blame.strip() == "✗ blamed: breaks tests/a.py::test_cents"
        assert "return price - price * percent // 100" in rows[rows.index(blame) + 1]
        idle = next(row for row in rows if "no check needs this" in row)
        assert "if percent < 0:" in rows[rows.index(idle) + 1]
        text = driver.app.main.checks.plain_text
        assert "~ 1 came and went when run again (flaky)" in text
        assert "cached" in driver.text
        assert "x Remove unused import: `os`" in text


async def test_what_tools_can_mend_is_one_key_away() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.blamed)
        driver.clock.pass_(5)
        assert "mend" not in driver.app.main.keys.plain_text
        await driver.press("f7")
        assert "x\u00a0mend" in driver.app.main.keys.plain_text
        await driver.press("x")
        assert driver.session.commands == [Fix(1)]
        scenes.judge(driver.session, 1, green=False)
        await driver.drawn()
        assert "x\u00a0mend" not in driver.app.main.keys.plain_text


async def test_a_human_edit_makes_the_verdict_stale_on_screen() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.red)
        driver.session.emit(ev.HumanEdited("shop/pricing.py", "changed", "", None, None))
        await driver.drawn()
        assert "stale: files have changed since" in driver.text
        assert "this verdict is about the tree as it was" in " ".join(driver.app.main.checks.plain_text.split())


async def test_green_is_not_said_of_a_tree_that_is_no_more() -> None:
    async with running(NARROW) as driver:
        await driver.play(scenes.green)
        assert "checks ✓" in driver.text
        assert "✓ Proposal 2 is green" in driver.app.main.question.plain_text
        driver.session.emit(
            ev.HumanEdited("shop/pricing.py", "changed", "", None, None),
            ev.DecisionAwaited(2, "it collides with your own edits"),
        )
        await driver.drawn()
        assert "checks !" in driver.text
        assert "✗ it collides with your own edits" in driver.app.main.question.plain_text
        assert "✓2" not in driver.app.main.checks.plain_text


async def test_attempts_are_a_strip_of_red_and_green() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.green)
        assert "attempts   ✗1  ·✗   ✓2  ·✓   waits for you" in driver.text.replace("\u00a0", " ")


async def test_what_became_of_a_proposal_stands_above_it() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.landed)
        assert "✓ landed" in driver.app.main.diff.plain_text
        driver.session.emit(ev.LandingStarted(2, 0, 1, ()), ev.Landed(2))
        await driver.drawn()
        assert "↶ taken back" in driver.app.main.diff.plain_text
        assert driver.app.main.diff.plain_text.count("return price * (100 - percent) / 100") == 1


async def test_many_events_are_few_frames() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        before = driver.app._bridge.frames
        for number in range(2000):
            driver.session.emit(ev.TextStreamed(f"{number} "))
        await driver.until(lambda: driver.app.main.state is driver.session.state)
        assert driver.app._bridge.frames - before == 1
        await driver.until(lambda: "1999" in driver.text)


async def test_text_can_be_selected_with_the_mouse_and_copied() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        driver.session.emit(ev.AnswerFinished("first line of it\nsecond 中文 line\nthird", driver.session.state.usage))
        await driver.drawn()
        chat = driver.app.main.chat
        await driver.pilot.mouse_down(chat, offset=(2 + 6, 1))
        await driver.pilot.hover(chat, offset=(2 + 9, 2))
        await driver.settle()
        assert "second 中文 line" in driver.text
        await driver.pilot.mouse_up(chat, offset=(2 + 9, 2))
        await driver.settle()
        await driver.press("ctrl+c")
        assert driver.app.clipboard.startswith("line of it\nsecond")
        assert "third" not in driver.app.clipboard


async def test_a_machine_that_is_busy_as_a_frame_is_awaited_freezes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running() as driver:
        chat = driver.app.main.chat
        scenes.start(driver.session)
        driver.session.emit(ev.TextStreamed("Seen. "))
        await driver.until(lambda: "Seen." in chat.plain_text)
        await driver.until(lambda: not any(timer.name.startswith("set_timer") for timer in driver.app._timers))
        passed = iter(range(0, 1_000_000, 10))
        # As a timer of Textual's sees it, ten seconds go by between two of its looks at the clock.
        monkeypatch.setattr("textual._time.get_time", lambda: float(next(passed)))
        driver.session.emit(ev.TextStreamed("This too."))
        await driver.until(lambda: "This too." in chat.plain_text, seconds=5)


async def test_a_focus_that_moves_draws_where_it_was_and_is_and_the_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running() as driver:
        assert driver.app.main.focused is driver.app.main.prompt
        await driver.play(scenes.red)
        main, drawn = driver.app.main, set[Widget]()

        def refresh(widget: Widget, *_: object, **__: object) -> Widget:
            drawn.add(widget)
            return widget

        monkeypatch.setattr(Widget, "refresh", refresh)
        main.chat.focus()
        await driver.until(lambda: main.chat.has_focus and not main.prompt.has_focus)
        assert {main.chat, main.prompt, main.keys} <= drawn
        assert not {main, main.diff, main.checks} & drawn
