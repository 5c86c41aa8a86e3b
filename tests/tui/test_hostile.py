"""Hostile text in every pane: nothing of it is obeyed, all of it is shown, and nothing takes for ever."""

from __future__ import annotations

import time

import pytest
from rich.cells import cell_len

from agent_core import events as ev
from agent_core.checks.model import CheckResult, Finding, Verdict
from agent_core.conversation import PartnerInfo, Usage
from agent_core.patch.model import Patch
from agent_core.text import printable
from tests.tui import scenes
from tests.tui.driving import NARROW, SIZES, Driver, running
from tests.tui.fake_session import FakeSession

HOSTILE = {
    "escape": ("\x1b[2J\x1b]0;owned\x07\x9b31m", "␛[2J␛]0;owned␇�31m"),
    "markup": ("[bold]x[/] [@click=app.quit]y[/] \\[z", "[bold]x[/] [@click=app.quit]y[/] \\[z"),
    "right to left": ("abc\u202ecba\u2066", "abc�cba�"),
    "emoji": ("👩‍👩‍👧 ❤️ 🇩🇪", "👩‍👩‍👧 ❤️ 🇩🇪"),
    "wide": ("中文字符", "中文字符"),
    "zero width": ("e\u0301 a\u200bb", "e\u0301 a\ufffdb"),
    "return": ("over\rwritten", "over␍written"),
    "surrogate": ("a\ud800b", "a\ufffdb"),
}


def _everywhere(session: FakeSession, text: str) -> None:
    """Put a text wherever untrusted text can come from."""
    session.emit(
        ev.SessionStarted("s", text, "0"),
        ev.SettingsTold(PartnerInfo("chat", text, text), "step", text, text),
        ev.Asked(1, text),
        ev.PromptSent(1, 1),
        ev.ToolStarted("c1", text, text),
        ev.ToolFinished("c1", False, text),
        ev.PatchRejected("c2", text),
        ev.HumanEdited(text, "changed", text, None, None),
        ev.Noted("error", text, text),
        ev.AnswerFinished(f"{text}\n```\n{text}\n```\n- {text}", Usage()),
    )
    old = f"x = 1\n{text}\n".replace("\ud800", "?")
    patch = Patch(
        (
            scenes.file_patch(
                session, f"{text}.py".replace("/", "_"), old, f"y = 2\n{text}{text}\n".replace("\ud800", "?")
            ),
        )
    )
    finding = Finding("pytest", text, text, 1, text, text, f"{text}\n{text}")
    results = (
        CheckResult("pytest", "failed", "t", text, (finding,), 1, 1.0),
        CheckResult(text, "error", "t", text, output=text),
    )
    verdict = Verdict("t", "b", False, results, (finding,), (finding,), (finding,), (finding,), text)
    session.emit(
        ev.ProposalMade(1, 1, "c", patch, "b", "t", "", text),
        *(ev.CheckFinished("candidate", result) for result in results),
        ev.CheckStarted(text, "baseline", "b"),
        ev.VerdictReached(1, verdict),
        ev.Diagnosed(1, text, text),
        ev.DecisionAwaited(1, text),
    )


async def _all_rows(driver: Driver) -> list[str]:
    rows: list[str] = []
    for key in ("f5", "f6", "f7"):
        await driver.press(key)
        pane = driver.app.main.pane
        for place in range(0, pane.max_scroll_y + 1, max(pane.size.height - 1, 1)):
            pane.scroll_to(y=place, animate=False)
            await driver.drawn()
            rows += driver.rows()
    return rows


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_text_is_shown_and_not_obeyed(name: str) -> None:
    text, shown = HOSTILE[name]
    async with running(NARROW) as driver:
        _everywhere(driver.session, text)
        await driver.drawn()
        rows = await _all_rows(driver)
        assert all(printable(row) == row for row in rows)
        assert all(cell_len(row) == NARROW[0] for row in rows)
        main = driver.app.main
        for pane in (main.chat, main.diff, main.checks, main.question, main.status):
            assert shown in pane.plain_text
        driver.session.emit(ev.Decided(1, "steer", "human"), ev.ApprovalAsked("c9", text))
        await driver.drawn()
        assert shown in main.question.plain_text


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_lines_without_end_do_not_hang(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        began = time.process_time()
        _everywhere(driver.session, "x" * 100_000)
        await driver.drawn()
        driver.session.emit(ev.TextStreamed("文" * 100_000), ev.ReasoningStreamed("y" * 100_000))
        await driver.drawn()
        driver.session.emit(ev.PatchStreamed("c", "+" + "z" * 100_000))
        await driver.drawn()
        assert "more characters" in driver.app.main.chat.plain_text
        # It takes about a tenth of this; a quadratic step would take hundreds of times as long.
        assert time.process_time() - began < 10
