"""The status line: what it says, and what goes first where room is short."""

from __future__ import annotations

import msgspec
import pytest
from rich.cells import cell_len

from agent_core import events as ev
from agent_core.commands import Compact, Uncompact
from agent_core.conversation import PartnerInfo, Usage, UserItem
from agent_core.spent import cost_text
from agent_core.workspace.git import GitStatus
from tests.tui import scenes
from tests.tui.driving import MEDIUM, NARROW, SIZES, WIDE, Driver, running
from tui.widgets.status import context_piece, git_text, tokens_text


def said(driver: Driver) -> str:
    return driver.app.main.status.plain_text


def words(driver: Driver) -> str:
    """The screen as running text, however its lines are broken."""
    return " ".join(driver.app.main.chat.plain_text.split())


@pytest.mark.parametrize(
    ("git", "text"),
    [
        (None, ""),
        (GitStatus("main"), "git main"),
        (GitStatus("main", dirty=3), "git main ±3"),
        (GitStatus("1a2b3c4d", detached=True), "git at 1a2b3c4d"),
        (GitStatus("topic", dirty=3, operation="rebase"), "git topic|REBASE ±3"),
        (GitStatus("main", empty=True, dirty=1), "git main without a commit ±1"),
        (GitStatus("a" * 80), f"git {'a' * 31}…"),
        (GitStatus("\x1b[31mred"), "git ␛[31mred"),
    ],
)
def test_the_branch_is_said_in_a_few_cells(git: GitStatus | None, text: str) -> None:
    assert git_text(git) == text


def test_tokens_are_short_and_name_what_came_from_the_cache() -> None:
    assert tokens_text(Usage()) == ""
    assert tokens_text(Usage(840, 0, 12)) == "840 in 12 out"
    assert tokens_text(Usage(8400, 6300, 1200)) == "8.4k in (75% cached) 1.2k out"
    assert tokens_text(Usage(1_284_000, 0, 0)) == "1284k in 0 out"


def test_money_is_said_where_it_is_known() -> None:
    assert cost_text(Usage(840)) == ""
    assert cost_text(Usage(840, cost=0.0)) == "$0.000"
    assert cost_text(Usage(840, cost=0.0421)) == "$0.042"
    assert cost_text(Usage(840, cost=0.0099)) == "$0.0099"
    assert cost_text(Usage(840, cost=0.000123)) == "$0.00012"
    assert cost_text(Usage(840, cost=1e-12)) == "$0.000"
    assert cost_text(Usage(840, cost=12.345)) == "$12.35"


async def test_what_the_session_has_cost_is_in_the_status_line() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.green)
        assert "$" not in said(driver)
        driver.session.emit(ev.AnswerFinished("", Usage(100, cost=0.25)), ev.AnswerFinished("", Usage(100, cost=0.5)))
        await driver.until(lambda: "$0.750" in said(driver))


async def test_where_the_session_is_and_how_full_its_context() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.green)
        assert "context 2.6k ·" in said(driver)
        assert "git" not in said(driver)
        driver.session.surroundings.change(GitStatus("main", dirty=3))
        assert "git main ±3" in said(driver)
        assert "saves heard" in said(driver)
        driver.session.surroundings.change(GitStatus("main"), "lost")
        assert "! saves heard only before each step · git main ·" in said(driver)
        partner = PartnerInfo("chat", "small", "small", window=4000)
        driver.session.emit(ev.SettingsTold(partner, "step", "bubblewrap", "python"))
        await driver.drawn()
        assert "context 2.6k (65%) ·" in said(driver)
        state = driver.session.state
        full = msgspec.structs.replace(state, last_usage=Usage(3900))
        assert context_piece(full) == ("! context 3.9k (97%)", "warn")


async def test_the_rear_ones_go_first_and_nothing_takes_a_second_row() -> None:
    shown: list[int] = []
    for size in (NARROW, MEDIUM, WIDE):
        async with running(size) as driver:
            await driver.play(scenes.green)
            driver.session.surroundings.change(GitStatus("功能/" * 8, dirty=12))
            text = said(driver)
            assert "waits for you" in text
            assert "gpt-6.2-sol" in text
            assert cell_len(text) <= size[0]
            assert driver.app.main.status.size.height == 1
            shown.append(text.count(" · "))
    assert shown == sorted(set(shown))


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_long_work_has_a_bar_and_a_second_more_lays_out_nothing(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(size) as driver:
        await driver.play(scenes.start)
        await driver.play(scenes.ask)
        scenes.propose(driver.session, 1, scenes.RIGHT)
        await driver.drawn()
        assert "━" in said(driver)
        assert "60%" in said(driver)
        laid_out: list[object] = []
        monkeypatch.setattr(driver.app.main, "_refresh_layout", lambda *args, **_named: laid_out.append(args))
        driver.clock.pass_(7)
        driver.app.main._tick()
        driver.session.emit(ev.CheckProgressed("pytest", "candidate", 31, 31))
        await driver.drawn()
        assert "75%" in said(driver)
        assert "checking 7.0 s" in said(driver)
        assert not laid_out
        driver.app.main.refresh(layout=True)
        await driver.until(lambda: laid_out)
        monkeypatch.undo()
        scenes.judge(driver.session, 1, green=True)
        await driver.drawn()
        assert "━" not in said(driver)


async def test_what_waits_to_be_told_is_counted() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.start)
        await driver.play(scenes.ask)
        driver.session.emit(ev.Steered("one"), ev.Steered("two"))
        await driver.drawn()
        assert "2 waiting to be told" in said(driver)


async def test_the_context_counts_what_came_since_the_last_answer_and_less_after_a_compaction() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.green)
        emit = driver.session.emit
        emit(ev.SettingsTold(PartnerInfo("chat", "small", "small", window=4000), "step", "bubblewrap", "python"))
        emit(ev.ItemsAppended((UserItem("first"),)), ev.PromptSent(9, 1), ev.AnswerFinished("", Usage(2000)))
        await driver.until(lambda: "context 2.0k (50%) ·" in said(driver))
        emit(ev.ItemsAppended((UserItem("x" * 6000),)))
        await driver.until(lambda: "! context 3.5k (87%) ·" in said(driver))
        items = driver.session.state.items
        emit(ev.Compacted((UserItem("short"),), len(items), 3504, 900, "full", summed=len(items), by="partner"))
        await driver.until(lambda: "context 900 (22%) ·" in said(driver))
        assert f"the oldest {len(items)} items of the conversation are a summary now, by the partner" in words(driver)
        assert "About 3,504 tokens became 900." in words(driver)
        emit(ev.CompactionUndone())
        await driver.until(lambda: "! context 3.5k (87%) ·" in said(driver))


async def test_a_compaction_is_asked_for_and_taken_back_by_name() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.green)
        driver.app.main.prompt.focus()
        await driver.press(*"/uncompact", "enter")
        await driver.until(lambda: "no summary" in said(driver))
        assert driver.session.commands == []
        driver.session.emit(ev.ItemsAppended((UserItem("first"),)), ev.Compacted((), 0, 0, 0, "asked", summed=1))
        await driver.drawn()
        for name in ("compact", "uncompact"):
            driver.app.main.prompt.text = ""
            await driver.press(*f"/{name}", "enter")
        await driver.until(lambda: driver.session.commands == [Compact(), Uncompact()])
