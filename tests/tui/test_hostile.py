"""Hostile text in every pane: nothing of it is obeyed, all of it is shown, and nothing takes for ever."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from agent_core import events as ev
from agent_core.chat_entries import ChatEntry, Edit, Notice, Ran, Said, ToolUse
from agent_core.checks.model import CheckResult, Finding, Verdict
from agent_core.conversation import PartnerInfo, Usage
from agent_core.patch.model import Patch
from agent_core.review import Mark, Remarked
from agent_core.text import printable
from agent_core.workspace.git import GitStatus
from tests.tui import scenes
from tests.tui.driving import NARROW, SIZES, WIDE, Driver, running
from tests.tui.fake_session import FakeEngine, FakeSession, Summary
from tui import notify
from tui.palette import Palette
from tui.panes.chat_lines import draw, thought
from tui.panes.written import WrittenPatch
from tui.widgets.ansi import Ansi
from tui.widgets.lines import Line

HOSTILE = {
    "control sequence": ("\x1b[2J\x1b[?1049l\x9b2J", "␛[2J␛[?1049l�2J"),
    "title": ("\x1b]0;owned\x07\x1b]0;owned\x1b\\\x9d0;owned\x9c", "␛]0;owned␇␛]0;owned␛\\�0;owned�"),
    "link": ("\x1b]8;;http://x\x07y\x1b]8;;\x07", "␛]8;;http://x␇y␛]8;;␇"),
    "clipboard": ("\x1b]52;c;b3duZWQ=\x07", "␛]52;c;b3duZWQ=␇"),
    "device": ("\x1bP+q544e\x1b\\\x90q\x9c", "␛P+q544e␛\\�q�"),
    "application": ("\x1b_Gf=100;AAAA\x1b\\\x9fG\x9c\x1b^x\x1b\\", "␛_Gf=100;AAAA␛\\�G�␛^x␛\\"),
    "nothing": ("a\x00b\x7fc\x85d\x08e\x0cf", "a␀b␡c�d␈e␌f"),
    "markup": ("[bold]x[/] [@click=app.quit]y[/] \\[z [link=http://x]l[/]", "[bold]x[/] [@click=app.quit]y[/] \\[z"),
    "right to left": ("abc\u202ecba\u2066\u200f", "abc�cba��"),
    "emoji": ("👩‍👩‍👧 ❤️ 🇩🇪 👍🏽", "👩‍👩‍👧 ❤️ 🇩🇪 👍🏽"),
    "wide": ("中文字符", "中文字符"),
    "combining": ("e\u0301" + "\u0323" * 30 + " a\u200bb", "e\u0301" + "\u0323" * 30 + " a\ufffdb"),
    "tabs": ("a\tb\t\tc", "a   b"),
    "return": ("over\rwritten", "over␍written"),
    "separators": ("a\u2028b\u2029c", "a�b�c"),
    "surrogate": ("a\ud800b\udcff", "a\ufffdb\ufffd"),
}

_OURS = re.compile(r"\x1b\[[0-9;:]*m|\x1b\[[0-9]+;[0-9]+H|\n")
"""What a screen is drawn with: styles, and going to a cell."""


def _sent(driver: Driver) -> str:
    """What is written to the terminal for the whole screen."""
    update: Any = driver.app.screen._compositor.render_update(full=True)
    return str(update.render_segments(driver.app.console))


def _check(driver: Driver) -> None:
    """Nothing but what we draw with is sent, and every row is as wide as the screen."""
    rest = _OURS.sub("", _sent(driver))
    assert printable(rest) == rest
    assert "\t" not in rest
    width, height = driver.app.size
    for strip in driver.app.screen._compositor.render_strips()[:height]:
        assert cell_len("".join(segment.text for segment in strip)) == width


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


async def _look_everywhere(driver: Driver) -> None:
    for key in ("f5", "f6", "f7"):
        await driver.press(key)
        pane = driver.app.main.pane
        for place in range(0, pane.max_scroll_y + 1, max(pane.size.height - 1, 1)):
            pane.scroll_to(y=place, animate=False)
            await driver.drawn()
            _check(driver)


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_text_is_shown_and_not_obeyed(name: str) -> None:
    text, shown = HOSTILE[name]
    async with running(NARROW) as driver:
        _everywhere(driver.session, text)
        await driver.drawn()
        await _look_everywhere(driver)
        main = driver.app.main
        for pane in (main.chat, main.diff, main.checks, main.question, main.status):
            assert shown in pane.plain_text
        driver.session.emit(ev.Decided(1, "steer", "human"), ev.ApprovalAsked("c9", text))
        await driver.drawn()
        assert shown in main.question.plain_text
        _check(driver)


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_text_while_it_streams_and_where_one_writes(name: str) -> None:
    text, shown = HOSTILE[name]
    session = FakeSession()
    session.paths = (f"{text}.py", f"a/{text}/b.py")
    async with running(WIDE, engine=FakeEngine(session)) as driver:
        main = driver.app.main
        await driver.play(scenes.red)
        session.surroundings.change(GitStatus(text, dirty=3))
        block = session.state.proposals[-1].patch.files[0].blocks[0].id
        session.emit(
            ev.Reviewed(1, Remarked({block: Mark(True, None, text)}), "t9", text),
            ev.ShellStarted("s1", text),
            ev.ShellFinished("s1", 1, f"{text}\n{text}", 0.1, text),
            ev.Steered(text),
        )
        await driver.drawn()
        _check(driver)
        for view in (main.chat, main.diff, main.prompt.strip):
            assert shown in view.plain_text
        assert f"git {shown[:9]}" in main.status.plain_text
        await driver.press("@")
        _check(driver)
        await driver.press("escape")
        driver.app.main.flash(text)
        _check(driver)
        session.emit(
            ev.Decided(1, "steer", "human", text),
            ev.ReasoningStreamed(text),
            ev.PatchStreamed("c", f"*** Begin Patch\n*** Update File: {text}\n@@ {text}\n-{text}\n+{text}\n+{text}"),
        )
        await driver.drawn()
        _check(driver)
        session.emit(ev.TextStreamed(f"# {text}\n|{text}|b|\n|--|--|\n|c|{text}|\n```{text}\n{text}\n"))
        await driver.drawn()
        _check(driver)


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_title_of_a_session_is_offered_and_not_obeyed(name: str) -> None:
    text, shown = HOSTILE[name]
    async with running(engine=FakeEngine(FakeSession(), Summary(title=text)), opened=False) as driver:
        await driver.until(lambda: driver.app.main.offer)
        _check(driver)
        assert shown.split()[0] in driver.app.main.question.plain_text


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(
    "environ", [{"TERM_PROGRAM": "iTerm.app"}, {"VTE_VERSION": "7600"}, {"TERM": "xterm", "TMUX": "x"}]
)
def test_a_notification_ends_where_it_should(name: str, environ: dict[str, str]) -> None:
    plain, hostile = notify.sequence("x", environ), notify.sequence(HOSTILE[name][0], environ)
    controls = re.compile("[\\x00-\\x1f\\x7f-\\x9f]")
    assert controls.findall(hostile) == controls.findall(plain)


TEXT = st.text(
    st.characters() | st.sampled_from("\x1b\x9b\x07[]mH;?\t\r\n`*_#|->0123\u200d\ufe0f\u0301中👩"), max_size=60
)


@settings(max_examples=150)
@given(TEXT, st.integers(12, 60))
def test_whatever_is_said_is_drawn_safely_and_fits(text: str, width: int) -> None:
    entries: list[ChatEntry] = [
        Said("partner", text),
        Said("human", text),
        ToolUse("c", text, True, text),
        Edit(text, "changed", text),
        Notice("error", text, text),
        Ran("s", text, 1, text, 0.1, text),
    ]
    lines = [line for entry in entries for line in draw(entry, unfolded=True).lines]
    lines += thought(text, unfolded=True)
    lines += [Line(Ansi().pieces(line)) for line in text.split("\n")]
    written = WrittenPatch()
    written.update(f"*** Begin Patch\n*** Update File: {text}\n@@\n-{text}\n+{text}\n")
    lines += written.lines
    palette = Palette({})
    for line in lines:
        for row in range(len(line.rows(width))):
            strip = line.strip(row, width, palette)
            assert not any(printable(segment.text) != segment.text or "\t" in segment.text for segment in strip)
            assert sum(cell_len(segment.text) for segment in strip) == width


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
