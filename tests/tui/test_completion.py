"""What is offered over the prompt: files, findings, commands."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from agent_core.commands import Accept, Ask, Interrupt, Redo, SetMode, Steer, Undo
from tests.tui import scenes
from tests.tui.driving import SIZES, Driver, running
from tests.tui.fake_session import FakeSession
from tui.prompt.fuzzy import PathIndex
from tui.prompt.offers import Asked, asked_at
from tui.slash import commands
from tui.widgets.prompt import Prompt

Scene = Callable[[FakeSession], None]
PATHS = ("shop/pricing.py", "shop/store.py", "shop/print.py", "tests/test_pricing.py", "README.md")


def _busy(session: FakeSession) -> None:
    scenes.start(session)
    scenes.ask(session)


def _prompt(driver: Driver) -> Prompt:
    return driver.app.main.prompt


async def test_files_are_completed() -> None:
    async with running() as driver:
        driver.session.paths = PATHS
        await driver.play(_busy)
        prompt = _prompt(driver)
        await driver.press(*"look at @pri")
        await driver.until(lambda: prompt.choosing)
        assert [choice.label for choice in prompt.choices][:2] == ["shop/print.py", "shop/pricing.py"]
        assert "▸ shop/print.py" in driver.text
        await driver.press("down", "tab")
        assert prompt.text == "look at @shop/pricing.py "
        assert not prompt.choosing
        assert driver.app.main.focused is prompt
        await driver.press(*"now", "enter")
        assert driver.session.commands == [Steer("look at @shop/pricing.py now")]


async def test_who_is_quicker_than_the_search_gets_what_fits_what_they_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running() as driver:
        driver.session.paths = PATHS
        await driver.play(_busy)
        prompt = _prompt(driver)
        await driver.press(*"@pri")
        await driver.until(lambda: prompt.choosing)
        assert prompt.choices[0].label == "shop/print.py"

        async def search_for_ever(_asked: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(prompt, "_offer_files", search_for_ever)
        await driver.press(*"ci", "tab")
        assert prompt.text == "@shop/pricing.py "


async def test_tab_behind_a_file_that_is_all_there_leads_no_further_words_to_a_pane() -> None:
    async with running() as driver:
        driver.session.paths = PATHS
        await driver.play(_busy)
        prompt = _prompt(driver)
        await driver.press(*"see @shop/pricing.py")
        await driver.until(lambda: prompt._complete)
        assert not prompt.choosing
        await driver.press("tab", *"now")
        assert prompt.text == "see @shop/pricing.py now"
        await driver.press("tab")
        assert driver.app.main.focused is driver.app.main.chat


async def test_tab_takes_a_file_whose_list_has_not_opened_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running() as driver:
        driver.session.paths = PATHS
        await driver.play(_busy)
        prompt = _prompt(driver)

        async def search_for_ever(_asked: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(prompt, "_offer_files", search_for_ever)
        await driver.press(*"@pric", "tab", *"it")
        assert prompt.text == "@shop/pricing.py it"
        await driver.press(*" @nothing-of-that-name", "tab")
        assert driver.app.main.focused is driver.app.main.chat


async def test_escape_closes_the_list_first_and_only_then_stops() -> None:
    async with running() as driver:
        driver.session.paths = PATHS
        await driver.play(_busy)
        prompt = _prompt(driver)
        await driver.press(*"@pri")
        await driver.until(lambda: prompt.choosing)
        await driver.press("escape")
        assert not driver.app.main.prompt.choosing
        assert driver.session.commands == []
        await driver.press("c")
        assert not driver.app.main.prompt.choosing
        await driver.press("escape")
        assert driver.session.commands == [Interrupt()]
        assert prompt.text == "@pric"


async def test_an_address_is_no_file_and_tab_moves_on() -> None:
    async with running() as driver:
        driver.session.paths = PATHS
        await driver.play(scenes.start)
        await driver.press(*"me@pri")
        await driver.settle()
        assert not _prompt(driver).choosing
        await driver.press("tab")
        assert driver.app.main.focused is driver.app.main.chat


async def test_findings_become_chips_with_all_that_is_known_of_them() -> None:
    async with running() as driver:
        await driver.play(scenes.red)
        await driver.press(*"mend @!ten_perc", "enter")
        prompt = _prompt(driver)
        assert prompt.text.replace("\u00a0", " ") == "mend [pytest tests/test_pricing.py:14] "
        await driver.press("enter")
        (command,) = driver.session.commands
        assert isinstance(command, Steer)
        assert "test_ten_percent" in command.text
        assert "AssertionError: assert Decimal('1799.10')" in command.text


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_the_list_floats_over_the_panes_and_moves_none_of_them(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await driver.play(scenes.red)
        main = driver.app.main
        before = [pane.region for pane in (main.chat, main.diff, main.checks, main.prompt)]
        await driver.press("/")
        popup = main.prompt.popup
        await driver.until(lambda: popup.region.height)
        await driver.settle()
        assert [pane.region for pane in (main.chat, main.diff, main.checks, main.prompt)] == before
        assert popup.region.bottom == main.prompt.region.y
        assert popup.region.height <= 8


async def test_a_click_takes_a_choice() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        await driver.press(*"/mode", "space")
        prompt = _prompt(driver)
        await driver.until(lambda: prompt.popup.region.height == 3)
        await driver.pilot.click(prompt.popup, offset=(4, 1))
        await driver.settle()
        assert prompt.text == "/mode until-green "


def test_which_word_is_asked_for() -> None:
    assert asked_at("see @a/b", 8, first=True) == Asked("files", 4, "a/b")
    assert asked_at("see (@!x", 8, first=False) == Asked("findings", 5, "x")
    assert asked_at("/un", 3, first=True) == Asked("commands", 0, "un")
    assert asked_at("/undo 1", 7, first=True) == Asked("arguments", 6, "1", "undo")
    assert asked_at("/un", 3, first=False) is None
    assert asked_at("//un", 4, first=True) is None
    assert asked_at("a@b", 3, first=True) is None
    assert asked_at("see @a b", 8, first=True) is None


def test_the_file_one_means_comes_first() -> None:
    paths = [
        "agent_core/session.py",
        "agent_core/sessions/other.py",
        "tests/test_session.py",
        "docs/seen_as_one.md",
        "tui/screens/main.py",
    ]
    index = PathIndex(paths)
    assert index.search("session")[:3] == [
        "agent_core/session.py",
        "tests/test_session.py",
        "agent_core/sessions/other.py",
    ]
    assert index.search("tscm") == ["tui/screens/main.py"]
    assert index.search("SESSION", first=["tests/test_session.py"])[0] == "agent_core/session.py"
    assert index.search("nothing-like-it") == []
    assert index.search("", first=["tui/screens/main.py"])[0] == "tui/screens/main.py"
    assert len(index.search("", most=2)) == 2


def test_a_hundred_thousand_paths_are_searched_at_once() -> None:
    paths = [f"pkg{n % 97}/module_{n % 1013}/file_{n}_{(n * 7919) % 10007}.py" for n in range(100_000)]
    index = PathIndex(paths)
    for needle in ("f", "file_99", "pkmofi77", "zzz"):
        took = []
        for _ in range(5):
            start = time.process_time()
            index.search(needle)
            took.append(time.process_time() - start)
        assert min(took) < 0.2, needle  # a busy machine is slow, not wrong


# -- Commands with a slash


@pytest.mark.parametrize(
    ("typed", "scene", "command"),
    [
        ("/undo", scenes.landed, Undo(1)),
        ("/undo 1", scenes.landed, Undo(1)),
        ("/redo 1", scenes.taken_back, Redo(1)),
        ("/mode auto", scenes.start, SetMode("auto")),
        ("/stop", _busy, Interrupt()),
        ("//home is a path", scenes.start, Ask("/home is a path")),
        (" /home is a path", scenes.start, Ask("/home is a path")),
    ],
)
async def test_commands_do_what_the_keys_do(typed: str, scene: Scene, command: object) -> None:
    async with running() as driver:
        await driver.play(scene)
        await driver.press(*typed, "enter")
        assert driver.session.commands == [command]
        assert _prompt(driver).text == ""


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("/udno", "There is no command /udno. Did you mean /undo?"),
        ("/undo x", "is not the number of a landing"),
        ("/undo 7", "There is no landing 7"),
        ("/mode loud", "There is no mode"),
        ("/help me", "/help takes nothing after it"),
        ("/undo", "/undo cannot be done now"),
    ],
)
async def test_what_cannot_be_done_is_said_and_kept(typed: str, said: str) -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        _prompt(driver).insert(typed)
        await driver.press("escape", "enter")
        await driver.until(lambda: said in driver.text)
        assert driver.session.commands == []
        assert _prompt(driver).text == typed


async def test_the_list_of_commands_has_those_that_apply_and_enter_does_the_one_that_is_meant() -> None:
    async with running() as driver:
        await driver.play(scenes.landed)
        await driver.press("/")
        labels = [choice.label for choice in _prompt(driver).choices]
        assert "/undo" in labels
        assert "/accept" not in labels
        await driver.press(*"und", "enter")
        assert driver.session.commands == [Undo(1)]


async def test_a_slash_alone_does_nothing_by_enter() -> None:
    async with running() as driver:
        await driver.play(scenes.green)
        await driver.press("/", "enter")
        assert driver.session.commands == []
        assert _prompt(driver).text == "/accept "
        await driver.press("enter")
        assert driver.session.commands == [Accept(2)]


def test_every_command_is_told_of() -> None:
    found = commands()
    assert {"undo", "redo", "mode", "model", "help", "quit", "accept", "stop"} <= found.keys()
    assert all(slash.help for slash in found.values())
    assert not {"send", "popup-close", "search-next"} & found.keys()
