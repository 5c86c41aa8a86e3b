"""Notifications: which sequence, nothing in it that is obeyed, once a decision, and only when they would be missed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events

from agent_core import events as ev
from agent_core.screen_settings import ScreenConfig
from tests.tui import scenes
from tests.tui.driving import Driver, running
from tests.tui.fake_session import FakeSession
from tui.notify import MOST, Notifier, sequence
from tui.settings import Settings

NINE, SEVEN, BELL = "\x1b]9;pairloop: ready\x1b\\", "\x1b]777;notify;pairloop;ready\x1b\\", "\x07"


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, BELL),
        ({"TERM": "xterm-256color"}, BELL),
        ({"TERM_PROGRAM": "iTerm.app"}, NINE),
        ({"TERM_PROGRAM": "WezTerm"}, NINE),
        ({"TERM_PROGRAM": "ghostty"}, NINE),
        ({"TERM": "xterm-kitty"}, NINE),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, NINE),
        ({"TERM": "foot-extra"}, SEVEN),
        ({"TERM": "rxvt-unicode-256color"}, SEVEN),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, SEVEN + BELL),
        ({"TERM": "xterm-256color", "VTE_VERSION": "4205"}, BELL),
        ({"TERM": "xterm-256color", "VTE_VERSION": "new"}, BELL),
        ({"TERM": "screen", "STY": "1.a", "KITTY_WINDOW_ID": "1"}, BELL),
        ({"TERM": "tmux-256color", "TMUX": "/x,1,0", "TERM_PROGRAM": "tmux"}, BELL),
        (
            {"TERM": "tmux-256color", "TMUX": "/x,1,0", "WEZTERM_PANE": "0"},
            "\x1bPtmux;\x1b\x1b]9;pairloop: ready\x1b\x1b\\\x1b\\\x07",
        ),
    ],
)
def test_each_terminal_gets_what_it_knows(environ: dict[str, str], wanted: str) -> None:
    assert sequence("ready", environ) == wanted


@given(st.text(max_size=400))
def test_nothing_in_the_text_is_obeyed(text: str) -> None:
    nine = sequence(text, {"TERM_PROGRAM": "ghostty"})
    found = re.fullmatch("\x1b\\]9;pairloop: ([^\x00-\x1f\x7f-\x9f]*)\x1b\\\\", nine)
    assert found is not None
    assert len(found.group(1)) <= MOST
    seven = sequence(text, {"TERM": "foot"})
    assert re.fullmatch("\x1b\\]777;notify;pairloop;[^;\x00-\x1f\x7f-\x9f]*\x1b\\\\", seven)


def _heard(*scenes_: object, wanted: bool = True) -> tuple[FakeSession, Notifier, list[str]]:
    written: list[str] = []
    session = FakeSession()
    scenes.start(session)
    notifier = Notifier(lambda: wanted, written.append, {"TERM_PROGRAM": "ghostty"})
    notifier.hear(session.state)
    session.subscribe(lambda _, state: notifier.hear(state))
    return session, notifier, written


def test_a_decision_is_told_once() -> None:
    session, _, written = _heard()
    scenes.red(session)
    assert [text for text in written if "Proposal 1 is red: 1 broken" in text] == written
    assert len(written) == 1
    # The proposal is carried over the human's edit, and asks again.
    session.emit(ev.HumanEdited("README.md", "changed", "", None, None))
    scenes.propose(session, 1, scenes.WRONG)
    scenes.judge(session, 1, green=False)
    assert len(written) == 1


def test_the_end_of_a_task_is_told_unless_the_human_has_ended_it() -> None:
    session, _, written = _heard()
    scenes.ask(session)
    session.emit(ev.TaskFinished(1, "answered", "It is done.\nMore of it."))
    assert written == ["\x1b]9;pairloop: Answered: It is done.\x1b\\"]
    session.emit(ev.Asked(2, "more"), ev.TaskFinished(2, "interrupted", "Stopped."))
    assert len(written) == 1


def test_a_command_that_asks_is_told() -> None:
    session, _, written = _heard()
    scenes.ask(session)
    session.emit(ev.ApprovalAsked("c9", "rm -rf build\x07"))
    assert written == ["\x1b]9;pairloop: May this run? rm -rf build␇\x1b\\"]


def test_what_was_seen_is_not_told_later() -> None:
    session, notifier, written = _heard(wanted=False)
    scenes.red(session)
    assert written == []
    notifier._wanted = lambda: True
    session.emit(ev.Noted("info", "x"))
    assert written == []


def test_what_an_earlier_session_has_left_is_not_told() -> None:
    written: list[str] = []
    session = FakeSession()
    scenes.red(session)
    notifier = Notifier(lambda: True, written.append, {})
    notifier.hear(session.state)
    assert written == []


async def _unfocused(driver: Driver, written: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert driver.app._driver is not None
    monkeypatch.setattr(driver.app._driver, "write", written.append)
    driver.app.post_message(events.AppBlur())
    await driver.until(lambda: not driver.app.app_focus)


async def test_the_app_tells_only_who_looks_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM_PROGRAM", "ghostty")
    written: list[str] = []
    async with running() as driver:
        await driver.play(scenes.red)
        await _unfocused(driver, written, monkeypatch)
        await driver.play(scenes.green)
        assert [text for text in written if "\x1b]9;pairloop: Proposal 2 is green" in text] == written
        assert len(written) == 1
        looks = driver.session.surroundings.looks
        driver.app.post_message(events.AppFocus())
        await driver.until(lambda: driver.session.surroundings.looks > looks)
        monkeypatch.undo()


async def test_notifications_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    async with running() as driver:
        driver.app.settings = Settings(ScreenConfig(notify=False))
        await driver.play(scenes.start)
        await _unfocused(driver, written, monkeypatch)
        await driver.play(scenes.red)
        assert written == []
        monkeypatch.undo()
