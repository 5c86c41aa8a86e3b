"""The check log on screen: the cursor, folding, and what can be done with a finding, by keys and by mouse."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from agent_core import events as ev
from agent_core.checks.model import CheckResult, Finding
from agent_core.review import Mark, Remarked
from tests.tui import scenes
from tests.tui.driving import NARROW, SIZES, WIDE, Driver, running
from tui.panes.checks import ChecksPane
from tui.panes.checks_lines import attempts_line
from tui.widgets.lines import Line


def log_of(driver: Driver) -> ChecksPane:
    return driver.app.main.checks


def pointed(driver: Driver) -> str:
    row = log_of(driver).row
    return row.line.whole.strip() if row is not None else ""


async def point_at(driver: Driver, text: str) -> None:
    """Move the cursor from the top down to a line with some text in it."""
    log_of(driver).point_at(0)
    for _ in range(80):
        if text in pointed(driver):
            return
        await driver.press("down")
    raise AssertionError(f"{text} is not in {log_of(driver).plain_text}")


async def open_log(driver: Driver) -> None:
    await driver.press("f7")
    await driver.until(lambda: driver.app.main.pane is log_of(driver))
    log_of(driver).focus()
    await driver.until(lambda: log_of(driver).has_focus)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_the_cursor_goes_over_all_there_is_and_is_seen(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await driver.play(scenes.red)
        await open_log(driver)
        log = log_of(driver)
        assert pointed(driver).startswith("✓ syntax")
        seen = [pointed(driver)]
        for _ in range(60):
            await driver.press("j")
            if pointed(driver) == seen[-1]:
                break
            seen.append(pointed(driver))
            top = log._starts[log._at] - round(log.scroll_y)
            assert 0 <= top < log.size.height
        assert seen == [row.line.whole.strip() for row in log.rows if row.key]
        for _ in seen:
            await driver.press("k")
        assert pointed(driver) == seen[0]
        await driver.press("n")
        assert pointed(driver).startswith("▸ before")
        await driver.press("n", "n", "N")
        assert "broken by this patch" in pointed(driver)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_groups_and_evidence_fold_by_keys(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await driver.play(scenes.red)
        await open_log(driver)
        log = log_of(driver)
        assert "var-annotated" not in log.plain_text
        await point_at(driver, "was there before")
        await driver.press("space")
        assert "var-annotated" in log.plain_text
        await driver.press("left")
        assert "var-annotated" not in log.plain_text
        await driver.press("right", "right")
        assert "var-annotated" in pointed(driver)
        await driver.press("h")
        assert "was there before" in pointed(driver)
        await driver.press("Z")
        assert "▸" not in log.plain_text
        assert "was there before" in pointed(driver)
        await driver.press("Z")
        assert "var-annotated" not in log.plain_text


async def test_what_is_folded_is_so_for_the_next_proposal_but_not_its_findings() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.red)
        await open_log(driver)
        await point_at(driver, "was there before")
        await driver.press("space")
        driver.session.emit(ev.Decided(1, "steer", "human"))
        scenes.propose(driver.session, 2, scenes.WRONG)
        scenes.judge(driver.session, 2, green=False)
        await driver.drawn()
        assert "var-annotated" in log_of(driver).plain_text


async def test_enter_shows_the_line_in_the_diff_or_says_that_it_is_not_there() -> None:
    async with running(NARROW) as driver:
        await driver.play(scenes.blamed)
        await open_log(driver)
        await point_at(driver, "shop/pricing.py:3")
        await driver.press("enter")
        main = driver.app.main
        await driver.until(lambda: main.diff.has_focus)
        assert main.diff.display
        await open_log(driver)
        await point_at(driver, "tests/a.py:9")
        await driver.press("enter")
        assert main.focused is log_of(driver)
        assert "tests/a.py is not in the diff" in driver.text


async def test_enter_unfolds_what_leads_nowhere() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.red)
        await open_log(driver)
        await point_at(driver, "was there before")
        await driver.press("enter")
        assert "var-annotated" in log_of(driver).plain_text


async def test_a_finding_goes_into_the_prompt_and_nowhere_else() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.red)
        await open_log(driver)
        await point_at(driver, "test_ten_percent")
        await driver.press("f")
        prompt = driver.app.main.prompt
        await driver.until(lambda: prompt.has_focus)
        assert "pytest\u00a0tests/test_pricing.py:14" in prompt.text
        assert "AssertionError" in prompt.expanded
        assert driver.session.commands == []
        await open_log(driver)
        await driver.press("N", "N")
        before = prompt.text
        await driver.press("f")
        assert prompt.text == before
        assert "There is no finding here" in driver.text


async def test_a_finding_can_be_copied() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.red)
        await open_log(driver)
        await point_at(driver, "test_ten_percent")
        await driver.press("c")
        assert "assert Decimal('1799.10') == Decimal('17.99')" in driver.app.clipboard
        assert "def test_ten_percent" in driver.app.clipboard


async def test_o_opens_the_file_in_the_editor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opened: list[tuple[Path, int]] = []

    async def fake(_app: object, path: Path, *, line: int = 0) -> None:
        opened.append((path, line))

    monkeypatch.setattr("tui.editor.open_file", fake)
    file = tmp_path / "shop" / "pricing.py"
    file.parent.mkdir()
    file.write_text(scenes.OLD)
    async with running(WIDE) as driver:
        await driver.play(scenes.blamed)
        driver.session.emit(ev.SessionStarted("s1", str(tmp_path), "0"))
        await driver.drawn()
        await open_log(driver)
        await point_at(driver, "tests/a.py:9")
        await driver.press("o")
        assert "tests/a.py is not among your files" in driver.text
        await point_at(driver, "shop/pricing.py:3")
        await driver.press("o")
        await driver.until(lambda: opened)
        assert opened == [(file, 3)]


async def test_a_place_outside_of_the_project_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("")
    (tmp_path / "project").mkdir()
    async with running(WIDE) as driver:
        await driver.play(scenes.start)
        detail = "../outside.py:1 in here\nstop"
        one = Finding("pytest", "x", "../outside.py", 1, "a.py::t", detail=detail)
        driver.session.emit(
            ev.SessionStarted("s1", str(tmp_path / "project"), "0"),
            ev.CheckFinished("baseline", CheckResult("pytest", "failed", "t0", "1 failed", (one,), 1)),
        )
        await driver.drawn()
        await open_log(driver)
        await driver.press("space", "down", "o")
        assert "is not in the project" in driver.text


async def test_attempts_are_looked_at_by_keys_and_by_mouse() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.green)
        await open_log(driver)
        log = log_of(driver)
        assert "attempt before" in driver.app.main.keys.plain_text.replace("\u00a0", " ")
        await driver.press("[")
        assert "attempt 1, sent back: divide by 100" in log.plain_text
        assert "✗ red: 1 broken, 1 target not fixed" in log.plain_text
        assert "attempt 1 of 2" in str(log.border_title)
        await driver.press("[")
        assert "That was the first attempt." in driver.text
        await driver.press("]")
        assert "✓ green: breaks nothing, 1 fixed" in log.plain_text
        at = log.lines[0].text.index("✗1")
        await driver.pilot.click(log, offset=(at + 2, 1))
        await driver.until(lambda: "attempt 1, sent back" in log.plain_text)
        strip = attempts_line(driver.session.state.proposals, 2, 1).text
        assert "▸✗1" in strip


async def test_a_new_proposal_shows_itself_unless_somebody_reads_an_earlier_attempt() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.green)
        await open_log(driver)
        await driver.press("[")
        driver.session.emit(ev.Decided(2, "steer", "human"))
        scenes.propose(driver.session, 3, scenes.RIGHT)
        await driver.drawn()
        assert "attempt 1, sent back" in log_of(driver).plain_text
        await driver.press("i")
        driver.session.emit(ev.Decided(3, "steer", "human"))
        scenes.propose(driver.session, 4, scenes.RIGHT)
        await driver.drawn()
        assert "12/31" in log_of(driver).plain_text


async def test_a_click_folds_and_points() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.red)
        log = log_of(driver)
        at = next(at for at, row in enumerate(log.rows) if "was there before" in row.line.whole)
        await driver.pilot.click(log, offset=(4, log._starts[at] + 1))
        await driver.until(lambda: "var-annotated" in log.plain_text)
        at = next(at for at, row in enumerate(log.rows) if "test_ten_percent" in row.line.whole)
        await driver.pilot.click(log, offset=(20, log._starts[at] + 1))
        await driver.until(lambda: "test_ten_percent" in pointed(driver))


async def test_jump_mode_leads_to_checks_and_findings() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.red)
        log = log_of(driver)
        heads = [log.rows[index].line.whole.split()[1] for _, index in log.marked_rows()]
        assert heads == ["before", "✗", "tests/test_pricing.py:14", "●", "tests/test_pricing.py:9", "·"]
        log.found(log.marked_rows()[2][1])
        assert "test_ten_percent" in pointed(driver)


async def test_a_second_redraws_only_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.start)
        await driver.play(scenes.ask)
        scenes.propose(driver.session, 1, scenes.RIGHT)
        await driver.drawn()
        log = log_of(driver)
        replaced: list[int] = []
        replace = log.replace_line

        def noted(index: int, line: Line) -> None:
            replaced.append(index)
            replace(index, line)

        def refused(lines: Sequence[Line], keep: int = 0) -> None:
            pytest.fail(f"all of it was drawn: {lines}, {keep}")

        monkeypatch.setattr(log, "replace_line", noted)
        monkeypatch.setattr(log, "set_lines", refused)
        driver.clock.pass_(3)
        log.tick()
        assert [log.rows[index].key for index in replaced] == ["check:mypy", "check:pytest"]
        replaced.clear()
        log.tick()
        assert replaced == []
        monkeypatch.undo()


def _ticks(driver: Driver) -> bool:
    timer = driver.app.main._timer
    assert timer is not None
    return timer._active.is_set()


async def test_checks_behind_a_decision_go_on_showing_their_time() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.so_far)
        assert log_of(driver).runs
        assert _ticks(driver)
        scenes.judge(driver.session, 1, green=True)
        await driver.drawn()
        driver.clock.pass_(10)
        driver.app.main.draw_bars()
        assert not _ticks(driver)


async def test_the_verdict_of_what_was_taken_takes_the_place_of_that_of_the_whole() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.blamed)
        one = driver.session.state.proposals[-1].patch.files[0].blocks[0]
        changes = Remarked({one.id: Mark(taken=True)})
        driver.session.emit(ev.Reviewed(1, changes, part_tree="p1"), ev.CheckStarted("pytest", "candidate", "p1"))
        await driver.drawn()
        text = log_of(driver).plain_text
        assert "of the 1 of 2 parts you took:" in text
        assert "◌ pytest" in text
        assert "broken by this patch" not in text
        driver.session.emit(ev.Reviewed(1, Remarked({one.id: None}), back=True))
        await driver.drawn()
        text = log_of(driver).plain_text
        assert "parts you took" not in text
        assert "2 broken by this patch" in text
