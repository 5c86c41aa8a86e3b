"""The life of the app: typed before ready, resuming, failing to open, unexpected errors, quitting."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent_core import events as ev
from agent_core.commands import Ask, Quit
from agent_core.errors import ConfigError
from tests.tui import scenes
from tests.tui.driving import NARROW, running
from tests.tui.fake_session import Clock, FakeEngine, FakeSession, Summary
from tui import life, opening, subcommands
from tui.__main__ import main
from tui.app import PairloopApp
from tui.trouble import ago

HEAVY = (
    *("openai", "httpx", "httpx2", "pydantic", "anyio", "mcp", "acp", "keyring", "yaml", "tree_sitter_python"),
    *("git", "watchfiles", "pygments.lexers", "agent_core.session", "agent_core.build", "tui.screens.help"),
)


LATE = (
    *("argparse", "tomllib", "json", "hashlib", "shlex", "secrets"),
    *("agent_core.config", "tui.subcommands", "tui.command_line", "tui.slash", "tui.editor", "tui.panes.written"),
    *("agent_core.workspace.tree", "tui.panes.checks_tree", "tui.widgets.ansi", "tui.widgets.small"),
)


def test_nothing_heavy_is_imported_before_the_first_paint(tmp_path: Path) -> None:
    late = (*HEAVY, *LATE)
    code = f"""
import sys
import tui.__main__, tui.opening, tui.app
def look(self):
    print([name for name in {late!r} if name in sys.modules])
tui.app.PairloopApp.run = lambda self, **_: look(self)
tui.opening.sys.stdin = tui.opening.sys.stdout = type("T", (), {{
    "isatty": lambda self: True, "write": sys.stdout.write, "flush": sys.stdout.flush}})()
sys.exit(tui.__main__.main([]))
"""
    environ = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "TERM": "xterm"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environ)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[]", "")


def test_without_arguments_it_does_what_no_option_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    def opened(project: Path | None, flags: object, *, plain: bool = False, finished: bool = False) -> int:
        asked.append((project, flags, plain, finished))
        return 7

    monkeypatch.setattr(opening, "open_here", opened)
    monkeypatch.setattr(subcommands, "open_here", opened)
    assert (main([]), subcommands.carry_out([])) == (7, 7)
    gc.enable()
    assert asked[0] == asked[1]


async def test_what_is_sent_before_the_session_is_open_is_kept_and_sent() -> None:
    engine = FakeEngine(FakeSession())
    engine.gate.clear()
    async with running(engine=engine, opened=False) as driver:
        await driver.press(*"mend", "enter", *"now")
        await driver.until(lambda: "kept, and sent" in driver.text)
        assert "mend" in driver.text
        engine.gate.set()
        await driver.until(lambda: driver.session.commands)
        assert driver.session.commands == [Ask("mend")]
        assert driver.app.main.prompt.text == "now"
        await driver.until(lambda: "kept, and sent" not in driver.text)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("y", "enter"), "old"),
        (("N", "enter"), None),
        (("f2",), "old"),
        (("f3",), None),
        (("tab", "y"), "old"),
        (("tab", "n"), None),
    ],
)
async def test_an_earlier_session_is_offered(keys: Sequence[str], expected: str | None) -> None:
    engine = FakeEngine(FakeSession(), Summary())
    async with running(NARROW, engine=engine, opened=False) as driver:
        await driver.until(lambda: "make the discount right" in driver.text)
        driver.clock.pass_(1.0)
        await driver.press(*keys)
        await driver.until(lambda: driver.app.main.is_open)
        assert engine.opened == [expected]
        assert "make the discount right" not in driver.text
        assert driver.app.main.prompt.text == ""


async def test_an_offer_does_not_take_what_is_being_typed() -> None:
    engine = FakeEngine(FakeSession(), Summary())
    async with running(engine=engine, opened=False) as driver:
        await driver.until(lambda: driver.app.main.offer)
        assert "y↵ resume" in driver.app.main.question.plain_text.replace("\u00a0", " ")
        await driver.press("y", "enter")
        # Sent within the grace period: it answers nothing, and it is not lost either.
        assert driver.app.main.prompt.text == "y"
        assert "only just appeared" in driver.text
        await driver.press("backspace")
        driver.clock.pass_(1.0)
        await driver.press(*"no longer", "enter")
        assert engine.opened == []
        assert "no longer" in driver.text
        await driver.press("y", "enter")
        await driver.until(lambda: driver.session.commands)
        assert engine.opened == ["old"]
        assert driver.session.commands == [Ask("no longer")]
        assert driver.app.main.prompt.text == ""


async def test_an_error_at_opening_is_told_with_its_hint_and_leaves_a_usable_screen() -> None:
    error = ConfigError("pairloop.toml:3: loop.mode: no such mode.", "README lists all settings.")
    async with running(engine=FakeEngine(FakeSession(), error=error), opened=False) as driver:
        await driver.until(lambda: "no such mode" in driver.text)
        assert "README lists all settings." in driver.text
        await driver.press("f9", "escape", *"still here")
        assert driver.app.main.prompt.text == "still here"
        assert "no session" in driver.text
        await driver.press("ctrl+q")
        await driver.until(lambda: not driver.app.is_running)


async def test_what_is_missing_for_a_session_may_come_and_enter_tries_again() -> None:
    engine = FakeEngine(FakeSession(), error=ConfigError("There is no partner yet", "Set a key"))
    async with running(engine=engine, opened=False) as driver:
        await driver.until(
            lambda: "Set a key. When that is done, send your task here." in driver.app.main.chat.plain_text
        )
        await driver.press(*"mend", "enter")
        await driver.until(lambda: driver.app.main.prompt.text == "mend")
        assert driver.app.main.chat.plain_text.count("There is no partner yet") == 2
        assert "no session" in driver.text
        assert "kept, and sent" not in driver.text
        engine.error = None
        await driver.press("enter")
        await driver.until(lambda: driver.session.commands)
        assert driver.session.commands == [Ask("mend")]
        assert driver.app.main.is_open
        assert not driver.app.main.prompt.text


async def test_an_unexpected_error_is_a_sentence_on_screen_and_a_traceback_in_the_log(private_home: Path) -> None:
    session = FakeSession()
    app = PairloopApp(lambda: FakeEngine(session), clock=Clock())
    async with app.run_test() as pilot:
        while not app.main.is_open:
            await pilot.pause()
        logging.getLogger("agent_core.session").error("task 1 failed")
        session.break_(ValueError("the moon is full"))
        while "the moon is full" not in app.main.chat.plain_text:
            await pilot.pause()
        assert "Traceback" not in app.main.chat.plain_text
    log = (private_home / "state" / "pairloop.log").read_text()
    assert "Traceback" in log
    assert "ValueError: the moon is full" in log
    assert "agent_core.session: task 1 failed" in log
    assert not any(str(private_home) in getattr(one, "baseFilename", "") for one in logging.getLogger().handlers)


async def test_an_error_in_an_action_or_a_frame_does_not_end_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    session = FakeSession()
    app = PairloopApp(lambda: FakeEngine(session), clock=Clock())
    async with app.run_test() as pilot:
        while not app.main.is_open:
            await pilot.pause()

        def broken(*_: object) -> None:
            message = "no way through"
            raise RuntimeError(message)

        with monkeypatch.context() as patch:
            patch.setattr(app.main.checks, "show", broken)
            scenes.start(session)
            while not app.failures:
                await pilot.pause()
        monkeypatch.setattr(app, "action_mode", broken)
        await pilot.press("f9")
        while len(app.failures) < 2:
            await pilot.pause()
        assert app.main.chat.plain_text.count("no way through") == 2
        await pilot.press("h", "i", "enter")
        while not session.commands:
            await pilot.pause()
        assert session.commands == [Ask("hi")]


async def test_what_cannot_go_on_ends_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], private_home: Path
) -> None:
    app = PairloopApp(lambda: FakeEngine(FakeSession()), clock=Clock())

    def broken(_: object) -> None:
        message = "no way to draw"
        raise RuntimeError(message)

    async def break_it() -> None:
        async with app.run_test() as pilot:
            while not app.main.is_open:
                await pilot.pause()
            monkeypatch.setattr(app.main.chat, "render_lines", broken)
            app.main.chat.refresh()
            while app.is_running:
                await pilot.pause()

    with pytest.raises(RuntimeError, match="no way to draw"):  # the test driver raises it; a user sees the sentence
        await break_it()
    assert app.return_code == 1
    written = "".join(capsys.readouterr())
    assert "pairloop has to stop: RuntimeError" in written
    assert "Traceback" not in written
    assert "no way to draw" in (private_home / "state" / "pairloop.log").read_text()


async def test_quitting_waits_for_the_session() -> None:
    async with running() as driver:
        await driver.press("ctrl+q")
        await driver.until(lambda: not driver.app.is_running)
        assert driver.session.commands == [Quit()]
        assert driver.app.return_code == 0


async def test_quitting_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(life, "QUIT_WAIT", 0.05)
    async with running() as driver:
        driver.session.stubborn = True
        await driver.press("ctrl+q")
        await driver.until(lambda: not driver.app.is_running)
        assert driver.session.commands == [Quit()]


async def test_quitting_before_there_is_a_session() -> None:
    engine = FakeEngine(FakeSession(), Summary())
    async with running(engine=engine, opened=False) as driver:
        await driver.until(lambda: driver.app.main.offer)
        await driver.press("ctrl+q")
        await driver.until(lambda: not driver.app.is_running)
        assert engine.opened == []


async def test_another_session_takes_the_place_of_the_one_that_runs() -> None:
    other = FakeSession()
    scenes.start(other)
    engine = FakeEngine(FakeSession())
    engine.later.append(other)
    async with running(engine=engine) as driver:
        await driver.play(scenes.red)
        driver.app.switch("another")
        await driver.until(lambda: driver.app.session is other)
        assert driver.session.commands == [Quit()]
        assert engine.opened == [None, "another"]
        driver.session = other
        await driver.drawn()
        assert "Proposal 1" not in driver.text
        await driver.press(*"hi", "enter")
        assert other.commands == [Ask("hi")]


async def test_a_session_that_cannot_be_opened_leads_back_to_the_one_before() -> None:
    session = FakeSession()
    scenes.start(session)
    engine = FakeEngine(session)
    async with running(engine=engine) as driver:
        engine.error = ConfigError("That session is open elsewhere.")
        engine.later.append(FakeSession(session.events))
        driver.app.switch("another")
        await driver.until(lambda: "open elsewhere" in driver.text and driver.app.main.is_open)
        assert engine.opened == [None, "s1"]


async def test_ctrl_c_says_how_to_leave() -> None:
    async with running() as driver:
        await driver.press("tab", "ctrl+c")
        assert "ctrl+q leaves" in driver.text


async def test_a_resumed_state_is_drawn_at_once() -> None:
    session = FakeSession()
    scenes.red(session)
    session.emit(ev.SessionResumed("0.1.0"))
    async with running(engine=FakeEngine(session)) as driver:
        await driver.drawn()
        assert "Session resumed" in driver.text
        assert "red, waits for you" in driver.text


async def test_a_draft_stands_in_the_prompt() -> None:
    app = PairloopApp(lambda: FakeEngine(FakeSession()), draft="mend it")
    async with app.run_test() as pilot:
        await pilot.press("!")
        assert app.main.prompt.text == "mend it!"
        assert "stands below: enter sends it" in " ".join(app.main.chat.empty_words)


def test_how_long_ago() -> None:
    assert [ago(seconds) for seconds in (5, 70, 7300, 200_000)] == [
        "just now",
        "1 minute ago",
        "2 hours ago",
        "2 days ago",
    ]


async def test_an_error_in_the_background_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> None:
        raise ValueError("not a history")

    monkeypatch.setattr("tui.widgets.prompt._history_of", broken)
    async with running() as driver:
        await driver.play(scenes.start)
        await driver.until(lambda: driver.app.failures, 10)
        words = " ".join(line.text for line in driver.app.main.chat.lines)
        assert "What you wrote before cannot be recalled: ValueError: not a history" in words
        driver.app.failures.clear()
