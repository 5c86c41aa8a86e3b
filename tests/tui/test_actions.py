"""The registry of actions, and every action by its keys at three sizes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from agent_core import events as ev
from agent_core.commands import (
    Accept,
    AnyCommand,
    Approve,
    Ask,
    Interrupt,
    Quit,
    Redo,
    Reject,
    RetryNow,
    SetMode,
    Steer,
    Undo,
)
from agent_core.events import Mode
from agent_core.fold import fold
from agent_core.state import State
from tests.tui import scenes
from tests.tui.driving import NARROW, SIZES, running
from tests.tui.fake_session import FakeSession
from tui import actions
from tui.actions import ACTIONS, PLACES, applies, markdown_table
from tui.actions.keys import key_name
from tui.actions.model import Focus, Situation
from tui.app import PairloopApp
from tui.panes.chat import ChatPane
from tui.panes.checks import ChecksPane
from tui.panes.diff import DiffPane
from tui.screens.arrangement import Arrangement
from tui.screens.help import help_lines
from tui.screens.main import MainScreen
from tui.widgets.prompt import Prompt

Scene = Callable[[FakeSession], None]


def _busy(session: FakeSession) -> None:
    scenes.start(session)
    scenes.ask(session)


def _retrying(session: FakeSession) -> None:
    _busy(session)
    session.emit(ev.AnswerVoided("Too many requests.", 12.0, 2, 4))


def _states() -> list[State]:
    states = []
    for scene in (scenes.start, _busy, scenes.red, scenes.green, scenes.landed, scenes.approval):
        session = FakeSession()
        scene(session)
        states.append(session.state)
    return [State(), *states]


def test_every_action_can_be_done_and_is_named_once() -> None:
    owners = {
        "app": PairloopApp,
        "main": MainScreen,
        "panes": Arrangement,
        "chat": ChatPane,
        "diff": DiffPane,
        "checks": ChecksPane,
        "prompt": Prompt,
    }
    assert all(callable(getattr(owners[action.target], f"action_{action.id}")) for action in ACTIONS)
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)
    assert all(any(action.keys.values()) for action in ACTIONS)


FACTS = {
    "chat": ("chat.entries", "chat.folds", "chat.code"),
    "diff": (
        "diff.shown",
        "diff.blocks",
        "diff.marked",
        "diff.marks",
        "diff.stale",
        "diff.collides",
        "diff.files",
        "diff.cut",
    ),
    "checks": ("checks.rows", "checks.attempts"),
}
PANES_FACTS = ({"panes.one", "panes.narrow"}, {"panes.one"}, {"panes.columns", "colours"}, {"panes.stacked", "colours"})


def test_every_fact_that_an_action_asks_for_is_known_here() -> None:
    """Or else `test_no_key_means_two_things_at_a_time` would look at fewer situations than there are."""
    package = Path(actions.__path__[0])
    asked = {fact for path in package.glob("*.py") for fact in re.findall(r'"([a-z]+\.[a-z]+)"', path.read_text())}
    asked |= {f"diff.{word}" for word in re.findall(r'_(?:has|free)\("([a-z]+)"\)', (package / "diff.py").read_text())}
    known = {fact for facts in FACTS.values() for fact in facts} | set[str]().union(*PANES_FACTS)
    assert asked <= known, asked - known


def _pane_facts(focus: Focus) -> list[frozenset[str]]:
    own = FACTS.get(focus, ())
    return [
        frozenset(fact for fact, holds in zip(own, chosen, strict=True) if holds)
        for chosen in itertools.product((True, False), repeat=len(own))
    ]


@pytest.mark.parametrize("focus", get_args(Focus))
def test_no_key_means_two_things_at_a_time(focus: Focus) -> None:
    reachable = [(action, action.keys_in(focus)) for action in ACTIONS if action.keys_in(focus)]
    for state, offered, reason in itertools.product(_states(), (True, False), (True, False)):
        # There is no session, and so no state, while an earlier one is offered; a reason is asked of what waits.
        if (offered and state != State()) or (reason and not state.waiting):
            continue
        for own, around in itertools.product(_pane_facts(focus), PANES_FACTS):
            facts = own | around
            situation = Situation(state, offered=offered, reason=reason, focus=focus, open=not offered, facts=facts)
            keys: dict[str, str] = {}
            for action, own_keys in reachable:
                if not action.when(situation):
                    continue
                for key in own_keys:
                    assert key not in keys, f"{key} is {keys[key]} and {action.id}: {sorted(facts)}"
                    keys[key] = action.id


def test_no_letter_decides_from_within_the_prompt() -> None:
    for action in ACTIONS:
        if action.group == "Decide":
            assert all(len(key) > 1 for key in action.keys_in("prompt"))


def test_help_and_the_table_name_every_action_and_key() -> None:
    table, shown = markdown_table(), "\n".join(line.whole for line in help_lines())
    for action in ACTIONS:
        assert action.help in table
        assert action.help in shown
        for key in (key for place in PLACES for key in action.keys.get(place, ())):
            assert f"`{key_name(key)}`" in table
            assert key_name(key) in shown
            # A sign is shown as what is printed on its key.
            assert "_" not in key_name(key).removesuffix("_")


CASES: list[tuple[str, Scene, tuple[str, ...], AnyCommand]] = [
    ("accept from the prompt", scenes.green, ("f2",), Accept(2)),
    ("accept from a pane", scenes.green, ("tab", "f2"), Accept(2)),
    ("go on from the prompt", scenes.red, ("f4",), Steer()),
    ("go on from a pane", scenes.red, ("shift+tab", "g"), Steer()),
    ("reject without a reason", scenes.red, ("f3", "enter"), Reject(1, "")),
    ("reject with a reason", scenes.red, ("tab", "f3", "n", "o", "enter"), Reject(1, "no")),
    ("undo from the prompt", scenes.landed, ("f8",), Undo(1)),
    ("undo from a pane", scenes.landed, ("tab", "u"), Undo(1)),
    ("redo from the prompt", scenes.taken_back, ("f12",), Redo(1)),
    ("redo from a pane", scenes.taken_back, ("tab", "U"), Redo(1)),
    ("allow from the prompt", scenes.approval, ("f2",), Approve("c9", True)),
    ("allow from a pane", scenes.approval, ("tab", "y"), Approve("c9", True)),
    ("deny from the prompt", scenes.approval, ("f3",), Approve("c9", False)),
    ("deny from a pane", scenes.approval, ("tab", "n"), Approve("c9", False)),
    ("interrupt from the prompt", _busy, ("escape",), Interrupt()),
    ("interrupt from a pane", _busy, ("tab", "escape"), Interrupt()),
    ("ask now from the prompt", _retrying, ("f4",), RetryNow()),
    ("ask now from a pane", _retrying, ("tab", "g"), RetryNow()),
    ("mode from the prompt", scenes.start, ("f9",), SetMode("until-green")),
    ("mode from a pane", scenes.start, ("tab", "M"), SetMode("until-green")),
    ("ask", scenes.start, ("h", "i", "enter"), Ask("hi")),
    ("steer while it works", _busy, ("h", "i", "enter"), Steer("hi")),
    ("decide by words", scenes.red, ("h", "i", "enter"), Steer("hi")),
    ("quit", scenes.start, ("ctrl+q",), Quit()),
]


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_keys_hand_in_commands(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        for name, scene, keys, command in CASES:
            driver.session.reset()
            await driver.play(scene)
            await driver.press(*keys)
            assert driver.session.commands == [command], name
            driver.app.main.prompt.focus()
            await driver.until(lambda: driver.app.main.situation.in_prompt)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_keys_that_do_not_apply_do_nothing(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await driver.play(scenes.start)
        await driver.press("f2", "f3", "f4", "f8", "f12", "escape", "tab", "a", "r", "g", "u", "U", "y", "n", "escape")
        assert driver.session.commands == []
        assert driver.app.main.prompt.text == ""


async def test_letters_typed_into_the_prompt_decide_nothing() -> None:
    async with running() as driver:
        await driver.play(scenes.green)
        await driver.press(*"argyunm1")
        assert driver.session.commands == []
        assert driver.app.main.prompt.text == "argyunm1"


@pytest.mark.parametrize(
    ("scene", "key"),
    [
        (scenes.green, "f2"),
        (scenes.approval, "f2"),
        (scenes.red, "f3"),
        (scenes.red, "f4"),
        (scenes.red, "escape"),
        (scenes.approval, "f3"),
    ],
)
async def test_what_has_only_just_appeared_takes_no_answer(scene: Scene, key: str) -> None:
    async with running() as driver:
        scene(driver.session)
        await driver.drawn()
        driver.clock.pass_(0.4)
        await driver.press(key)
        assert driver.session.commands == []
        assert not driver.app.main.prompt.asks_reason
        assert "only just appeared" in driver.text
        driver.clock.pass_(0.2)
        await driver.press(key)
        if key == "escape":
            assert "gives up" in driver.text
            await driver.press(key)
        assert driver.session.commands or driver.app.main.prompt.asks_reason


async def test_words_that_were_being_typed_do_not_send_back_what_has_only_just_appeared() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        scenes.ask(driver.session)
        await driver.drawn()
        await driver.press(*"and None too")
        scenes.propose(driver.session, 1, scenes.WRONG)
        scenes.judge(driver.session, 1, green=False)
        await driver.drawn()
        await driver.press("enter")
        assert driver.session.commands == []
        assert driver.app.main.prompt.text == "and None too"
        assert "only just appeared" in driver.text
        driver.clock.pass_(1)
        await driver.press("enter")
        assert driver.session.commands == [Steer("and None too")]


async def test_a_key_that_is_held_down_answers_nothing() -> None:
    async with running() as driver:
        scenes.green(driver.session)
        await driver.drawn()
        for _ in range(10):
            driver.clock.pass_(0.1)
            await driver.press("f2")
        assert driver.session.commands == []
        driver.clock.pass_(0.3)
        await driver.press("f2")
        assert driver.session.commands == [Accept(2)]


@pytest.mark.parametrize("scene", [scenes.red, scenes.green])
async def test_a_proposal_that_waits_is_given_up_only_by_who_insists(scene: Scene) -> None:
    async with running() as driver:
        await driver.play(scene)
        driver.session.commands.clear()
        await driver.press("escape")
        assert driver.session.commands == []
        assert "gives up the task, and proposal" in driver.text
        driver.clock.pass_(3.5)
        await driver.press("escape")
        assert driver.session.commands == [], "that was long ago"
        await driver.press("escape")
        assert driver.session.commands == [Interrupt()]


async def test_taking_marks_back_does_not_run_on_into_a_landing() -> None:
    async with running() as driver:
        await driver.play(scenes.landed)
        driver.session.emit(ev.Asked(2, "more"))
        scenes.propose(driver.session, 3, scenes.WRONG)
        scenes.judge(driver.session, 3, green=False)
        await driver.drawn()
        driver.clock.pass_(1)
        await driver.press("f6", "u")
        assert driver.app.main.focused is driver.app.main.diff
        assert driver.session.commands == []
        assert "u again takes landing 1 back" in driver.text
        await driver.press("u")
        assert driver.session.commands == [Undo(1)]


async def test_what_came_but_is_not_drawn_yet_is_not_dismissed_or_rejected() -> None:
    async with running() as driver:
        await driver.play(scenes.red)
        driver.app.action_reject()
        driver.app.main.prompt.text = "too slow"
        # Another proposal is drawn between the key and what it asks for.
        driver.app.main.prompt.send()
        driver.session.emit(ev.Decided(1, "reject", "mode"))
        scenes.propose(driver.session, 2, scenes.WRONG)
        scenes.judge(driver.session, 2, green=False)
        driver.app.action_interrupt()
        assert driver.app.main.state.waiting == 1
        driver.app._bridge.frame()
        assert driver.app.main.state.waiting == 2
        await driver.settle()
        assert driver.session.commands == []
        assert driver.app.main.prompt.text == "too slow"


async def test_each_new_question_has_its_own_grace() -> None:
    async with running() as driver:
        await driver.play(scenes.red)
        driver.session.emit(ev.Decided(1, "steer", "human"))
        scenes.propose(driver.session, 2, scenes.RIGHT)
        scenes.judge(driver.session, 2, green=True)
        await driver.drawn()
        await driver.press("f2")
        assert driver.session.commands == []


async def test_the_mode_goes_round() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        for mode in ("until-green", "auto", "step"):
            await driver.press("f9")
            command = driver.session.commands[-1]
            assert command == SetMode(mode)
            assert isinstance(command, SetMode)
            driver.session.emit(ev.ModeChanged(command.mode))
            await driver.drawn()


@pytest.mark.parametrize("scene", [scenes.red, scenes.green])
async def test_no_mode_decides_on_what_waits_in_passing(scene: Callable[[FakeSession], None]) -> None:
    async with running() as driver:
        await driver.play(scene)
        driver.session.emit(ev.ModeChanged("until-green"))
        await driver.drawn()
        await driver.press("f9")
        assert driver.session.commands == [SetMode("step")]
        assert "Auto would decide on what waits" in driver.text


@pytest.mark.parametrize(("scene", "mode"), [(scenes.red, "step"), (scenes.green, "until-green")])
async def test_no_mode_sends_back_what_waits_in_passing(scene: Callable[[FakeSession], None], mode: Mode) -> None:
    async with running() as driver:
        await driver.play(scene)
        await driver.press("f9")
        assert driver.session.commands == [SetMode(mode)]
        assert ("Until-green would decide on what waits" in driver.text) is (mode == "step")


async def test_help_opens_over_the_panes_and_closes() -> None:
    async with running() as driver:
        await driver.play(scenes.green)
        await driver.press("f1")
        assert "what the" not in driver.text
        assert "Land the waiting proposal" in driver.text
        await driver.press("f2", "f9", "escape")
        assert driver.session.commands == []
        assert driver.app.screen is driver.app.main
        await driver.press("tab", "question_mark")
        assert driver.app.screen is not driver.app.main
        await driver.press("q")
        assert driver.app.screen is driver.app.main


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_the_line_of_keys_names_what_applies_and_can_be_clicked(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await driver.play(scenes.green)
        keys = driver.app.main.keys
        shown = keys.plain_text.replace("\u00a0", " ")
        for words in ("F2 accept all", "F3 reject all", "F4 go on", "esc stop", "tab panes", "F1 help", "^q quit"):
            assert words in shown
        await driver.pilot.click(keys, offset=(shown.index("F2 accept") + 4, 0))
        await driver.settle()
        assert driver.session.commands == [Accept(2)]
        await driver.press("tab")
        for words in ("F2 accept all", "F3 reject all", "g go on", "i prompt", "? help"):
            assert words in keys.plain_text.replace("\u00a0", " ")


async def test_an_approval_shows_the_command_verbatim() -> None:
    async with running(NARROW) as driver:
        await driver.play(scenes.approval)
        command = "echo '[red]x[/]' \x1b[31m\n" + "\n".join(f"line {number}" for number in range(30))
        driver.session.emit(ev.ApprovalAsked("c10", command))
        await driver.drawn()
        question = driver.app.main.question
        assert "echo '[red]x[/]' ␛[31m" in question.plain_text
        assert "line 29" in question.plain_text
        assert "[red]x[/]" in driver.text
        assert question.size.height <= 10
        assert "rows, page down shows the rest:" in driver.text
        for _ in range(5):
            await driver.press("pagedown")
        assert "line 29" in driver.text


async def test_no_character_of_a_command_is_hidden_by_the_scrollbar() -> None:
    async with running(NARROW) as driver:
        await driver.play(scenes.approval)
        command = " ".join(f"echo {number:03}" for number in range(300))
        driver.session.emit(ev.ApprovalAsked("c10", command, "run", "run echo *", "run *"))
        await driver.drawn()
        shown = "".join(row[3:79] for row in driver.rows() if row.startswith(" │ "))
        assert len(shown) > 200
        assert command.startswith(shown)
        # The answers are seen whatever there is to read.
        assert "always: run *" in driver.text


def test_situations_are_told_apart_by_state() -> None:
    state = fold(State(), ev.ModeChanged("auto"))
    assert not applies("accept", Situation(state))
    assert applies("accept", Situation(msgspec.structs.replace(state, waiting=1)))
