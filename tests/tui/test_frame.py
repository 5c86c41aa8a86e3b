"""The frame: palette, jump mode, help, themes, layouts and sizes, other keys, parts in the question, the terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.geometry import Size
from textual.screen import Screen

from agent_core import events as ev
from agent_core.checks.model import Verdict
from agent_core.commands import Accept, SetMode
from agent_core.review import ANYWAY, Review, between, marked
from agent_core.screen_settings import ScreenConfig
from tests.tui import scenes
from tests.tui.driving import MEDIUM, NARROW, SIZES, WIDE, Driver, running
from tests.tui.fake_session import FakeEngine, FakeSession, Summary
from tui.actions import ACTIONS, applies, use_keys
from tui.screens.choose import Chooser, Entry, fitting
from tui.screens.help import HelpScreen, help_lines
from tui.screens.jump import Jumping, places
from tui.settings import Settings
from tui.widgets.wrap import expand_tabs


def front(driver: Driver) -> Screen[Any]:
    return driver.app.screen


def sizes(driver: Driver) -> list[Size]:
    return [pane.outer_size for pane in driver.app.main.panes.panes]


# -- The palette


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_the_palette_has_every_action_that_applies_and_no_other(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        for scene in (scenes.start, scenes.green, scenes.landed, scenes.approval):
            driver.session.reset()
            await driver.play(scene)
            situation = driver.app.main.situation
            await driver.press("ctrl+p")
            chooser = front(driver)
            assert isinstance(chooser, Chooser)
            shown = [entry.detail for entry in chooser.list.entries]
            for action in ACTIONS:
                assert (action.help in shown) == (applies(action.id, situation) and action.id != "palette"), action.id
            await driver.press("escape")
            assert front(driver) is driver.app.main


async def test_a_few_letters_and_enter_do_an_action() -> None:
    async with running() as driver:
        await driver.play(scenes.green)
        await driver.press("ctrl+p", *"accept")
        assert "▸  accept all" in driver.text
        assert "F2" in driver.text
        await driver.press("enter")
        assert driver.session.commands == [Accept(2)]
        await driver.press("ctrl+p", *"until", "enter")
        assert driver.session.commands[1:] == [SetMode("until-green")]
        await driver.press("ctrl+p", *"layout ta", "enter")
        assert driver.app.main.panes.shows_one
        await driver.press("ctrl+p", *"theme: nord", "enter")
        assert driver.app.theme == "nord"
        await driver.press("ctrl+p", *"no such thing at all")
        assert "nothing fits" in driver.text
        await driver.press("enter")
        assert isinstance(front(driver), Chooser)
        await driver.press("ctrl+p")
        assert front(driver) is driver.app.main


async def test_the_palette_works_by_mouse_and_moves_by_keys() -> None:
    async with running() as driver:
        await driver.play(scenes.start)
        await driver.press("ctrl+p", "up")
        chooser = front(driver)
        assert isinstance(chooser, Chooser)
        assert chooser.list.chosen is chooser.list.entries[-1]
        await driver.press("down", "pagedown", "pageup")
        assert chooser.list.chosen is chooser.list.entries[0]
        wanted = next(at for at, entry in enumerate(chooser.list.entries) if entry.title == "help")
        await driver.pilot.click(chooser.list, offset=(6, wanted))
        await driver.until(lambda: isinstance(front(driver), HelpScreen))
        await driver.press("escape", "ctrl+p")
        await driver.pilot.click(None, offset=(1, 39))
        await driver.until(lambda: front(driver) is driver.app.main)


def test_what_fits_best_comes_first() -> None:
    entries = [Entry(title, detail) for title, detail in (("undo", "take back"), ("take", ""), ("mistake", ""))]
    assert [entry.title for entry in fitting("take", entries)] == ["take", "mistake", "undo"]
    assert [entry.title for entry in fitting("tke", entries)] == ["take", "mistake"]
    assert fitting("", entries) == entries
    assert fitting("xyz", entries) == []


# -- Themes


async def test_themes_are_tried_on_and_kept_only_when_chosen(tmp_path: Path) -> None:
    settings = Settings(ScreenConfig(), path=tmp_path / "screen.json")
    async with running(settings=settings) as driver:
        app = driver.app
        await driver.play(scenes.green)
        await driver.press("tab", "T", "down")
        assert app.theme == "light"
        assert "proposal 2" in driver.text  # what it would look like can be seen
        await driver.press("escape")
        assert app.theme == "dark"
        await driver.press("T", *"high")
        assert app.theme == "high-contrast"
        await driver.press("down", "enter")
        assert app.theme == "high-contrast-light"
    assert Settings(ScreenConfig(), path=tmp_path / "screen.json").screen.theme == "high-contrast-light"


# -- Layouts and sizes


async def test_layouts_go_round_and_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "screen.json"
    async with running(WIDE, settings=Settings(path=path)) as driver:
        main = driver.app.main
        await driver.play(scenes.green)
        assert main.chat.region.height == main.diff.region.height == main.checks.region.height
        await driver.press("f10")
        assert main.checks.region.y == main.diff.region.bottom
        await driver.press("f10")
        assert main.panes.facts == {"panes.one"}
        assert main.tabs.display
        assert not main.checks.display
        await driver.press("f10")
        assert main.panes.facts == {"panes.columns"}
        await driver.press("f10")
    async with running(WIDE, settings=Settings(path=path)) as driver:
        assert driver.app.main.panes.layout_now == "stacked"
        await driver.pilot.resize_terminal(*NARROW)
        await driver.settle()
        assert "panes.narrow" in driver.app.main.panes.facts
        await driver.press("f10")
        assert Settings(path=path).screen.layout == "stacked"


@pytest.mark.parametrize("size", [MEDIUM, WIDE], ids="{0[0]}x{0[1]}".format)
async def test_a_pane_is_zoomed_and_comes_back(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        main = driver.app.main
        await driver.play(scenes.green)
        before = driver.rows()
        await driver.press("f6")
        focused = driver.rows()
        await driver.press("0")
        assert main.diff.outer_size.width == size[0]
        assert not main.chat.display
        assert main.focused is main.diff
        await driver.press("3")
        await driver.until(lambda: main.focused is main.checks)
        assert not main.diff.display
        await driver.press("f6", "f11")
        await driver.until(lambda: main.focused is main.diff)
        assert driver.rows() == focused
        await driver.press("i")
        assert [row.rstrip() for row in driver.rows()[:-2]] == [row.rstrip() for row in before[:-2]]


async def test_sizes_change_by_keys_and_are_kept_for_their_size_class(tmp_path: Path) -> None:
    path = tmp_path / "screen.json"
    async with running(WIDE, settings=Settings(path=path)) as driver:
        await driver.play(scenes.green)
        usual = sizes(driver)
        await driver.press("f6", "greater_than_sign", "ctrl+right")
        chat, diff, checks = sizes(driver)
        assert (diff.width, checks.width, chat) == (usual[1].width + 8, usual[2].width - 8, usual[0])
        await driver.press("f7", "less_than_sign")
        assert sizes(driver)[2].width == usual[2].width - 12
        changed = sizes(driver)
        await driver.press("plus", "minus")  # there is nothing above or below
        assert sizes(driver) == changed
    async with running(WIDE, settings=Settings(path=path)) as driver:
        await driver.play(scenes.green)
        assert sizes(driver) == changed
        await driver.pilot.resize_terminal(*MEDIUM)
        await driver.settle()
        stacked = sizes(driver)
        await driver.press("f6", "plus")
        assert sizes(driver)[1].height == stacked[1].height + 2
        await driver.press("f7", "plus", "plus")
        assert sizes(driver)[1].height == stacked[1].height - 2
        await driver.press("equals_sign")
        assert sizes(driver) == stacked
        await driver.pilot.resize_terminal(*WIDE)
        await driver.settle()
        assert sizes(driver) == changed


async def test_no_pane_is_squeezed_away() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(scenes.green)
        await driver.press("f6", *["greater_than_sign"] * 40, *["plus"] * 40)
        assert sizes(driver)[0].width == 24
        assert sizes(driver)[2].height == 5


@pytest.mark.parametrize(
    ("size", "pane", "by", "changed"),
    [(WIDE, 0, (10, 0), 0), (WIDE, 1, (-12, 0), 1), (MEDIUM, 0, (6, 0), 0), (MEDIUM, 1, (0, 4), 1)],
)
async def test_borders_are_dragged(size: tuple[int, int], pane: int, by: tuple[int, int], changed: int) -> None:
    async with running(size) as driver:
        await driver.play(scenes.green)
        before = sizes(driver)
        region = driver.app.main.panes.panes[pane].region
        # The lower border where it moves up and down, the right one where it moves sideways.
        at = (region.x + 5, region.bottom - 1) if by[1] else (region.right - 1, region.y + 5)
        await driver.pilot.mouse_down(offset=at)
        await driver.pilot.hover(offset=(at[0] + by[0], at[1] + by[1]))
        await driver.pilot.mouse_up(offset=(at[0] + by[0], at[1] + by[1]))
        await driver.settle()
        after = sizes(driver)[changed]
        assert (after.width - before[changed].width, after.height - before[changed].height) == by
        assert not driver.app.main.selections
        # Let go of, it stays.
        await driver.pilot.hover(offset=(3, 3))
        await driver.settle()
        assert sizes(driver)[changed] == after


# -- Jump mode


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize(("letter", "name"), [("c", "chat"), ("d", "diff"), ("k", "checks"), ("p", "prompt")])
async def test_a_letter_leads_to_a_pane(size: tuple[int, int], letter: str, name: str) -> None:
    async with running(size) as driver:
        main = driver.app.main
        await driver.play(scenes.green)
        await driver.press("f6" if name != "diff" else "f5", "ctrl+o")
        assert isinstance(front(driver), Jumping)
        assert f" {letter} " in driver.text
        await driver.press(letter)
        assert front(driver) is main
        await driver.until(lambda: getattr(main.focused, "id", "") == name)
        assert driver.session.commands == []


async def test_jump_mode_leads_to_what_is_seen_and_leaves_by_any_other_key() -> None:
    async with running(MEDIUM) as driver:
        main = driver.app.main
        await driver.play(scenes.green)
        found = places(main)
        assert len({place.letter for place in found}) == len(found) > 4
        await driver.press("ctrl+o", "escape")
        assert front(driver) is main
        assert main.focused is main.prompt
        place = next(place for place in found if main.diff.region.contains_point(place.at) and place.letter != "d")
        await driver.press("ctrl+o", place.letter)
        await driver.until(lambda: main.focused is main.diff)
        await driver.press("ctrl+o")
        at = next(place.at for place in found if place.letter == "k")
        await driver.pilot.click(None, offset=(at.x + 1, at.y))
        await driver.until(lambda: main.focused is main.checks)


# -- Help


def test_help_tells_of_comments_in_the_code() -> None:
    shown = [line.whole for line in help_lines()]
    assert any(line.strip().startswith("AI!") and "a task" in line for line in shown)
    assert any(line.strip().startswith("AI?") and "a question" in line for line in shown)


async def test_help_begins_with_what_acts_here_and_can_be_searched() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.green)
        await driver.press("f6", "question_mark")
        shown = driver.text
        assert "In the diff" in shown
        assert shown.index("In the diff") < shown.index("Decide")
        await driver.press("slash", *"leave. the session", "enter")
        assert "1 of 1" in driver.text
        assert "The session is kept and can be resumed." in driver.text
        await driver.press("escape")
        assert isinstance(front(driver), HelpScreen)
        await driver.press("escape")
        assert front(driver) is driver.app.main


# -- Keys of the user's own


async def test_other_keys_do_an_action_and_are_shown_everywhere() -> None:
    settings = Settings(keys={"accept": ("f13", "Y"), "help": ("ctrl+b",)})
    try:
        async with running(settings=settings) as driver:
            await driver.play(scenes.green)
            assert "F13 accept all" in driver.app.main.question.plain_text.replace("\u00a0", " ")
            assert "F13 accept all" in driver.app.main.keys.plain_text.replace("\u00a0", " ")
            assert any("Y F13" in line.whole for line in help_lines())
            await driver.press("f2", "Y")
            assert driver.session.commands == []
            assert driver.app.main.prompt.text == "Y"
            await driver.press("f13")
            assert driver.session.commands == [Accept(2)]
            await driver.press("tab", "Y")
            assert driver.session.commands == [Accept(2), Accept(2)]
            await driver.press("f1")
            assert front(driver) is driver.app.main
            await driver.press("ctrl+b")
            assert isinstance(front(driver), HelpScreen)
            await driver.press("escape", "ctrl+p", *"accept all")
            assert "Y F13" in driver.text
    finally:
        use_keys({})


# -- The line of keys, and the question about parts


@pytest.mark.parametrize("scene", [scenes.start, scenes.green, scenes.red, scenes.landed, scenes.approval])
@pytest.mark.parametrize("keys", [(), ("f5",), ("f6",), ("f7",)])
async def test_the_line_of_keys_takes_two_rows_and_always_says_where_to_find_more(
    scene: Callable[[FakeSession], None], keys: tuple[str, ...]
) -> None:
    async with running(NARROW) as driver:
        await driver.play(scene)
        if keys:
            await driver.press(*keys, "tab", "shift+tab")
        bar = driver.app.main.keys
        assert bar.size.height <= 2
        shown = expand_tabs(bar.plain_text.replace("\u00a0", " "))
        for words in ("^p all", "help", "^q quit"):
            assert words in shown


def _part(session: FakeSession, *, green: bool | None, taken: int = 1, left: int = 0) -> None:
    proposal = session.state.proposals[-1]
    blocks = [block.id for file in proposal.patch.files for block in file.blocks]
    review = marked(Review(), blocks[:taken], taken=True)
    review = marked(review, blocks[taken : taken + left], taken=False)
    session.emit(ev.Reviewed(proposal.number, between(proposal.review, review), part_tree="p1" if taken else ""))
    if green is not None:
        summary = "green: breaks nothing" if green else "red: 1 broken"
        session.emit(ev.VerdictReached(proposal.number, Verdict("p1", "t0", green, (), summary=summary)))


async def test_the_question_tells_of_the_parts_that_would_land() -> None:
    async with running() as driver:
        question = driver.app.main.question
        await driver.play(scenes.green)
        _part(driver.session, green=None)
        await driver.drawn()
        assert "1 of 2 taken · being checked" in question.plain_text
        _part(driver.session, green=True, left=1)
        await driver.drawn()
        assert "✓ 1 of 2 taken, 1 left out · green: breaks nothing" in question.plain_text
        # There are no others that could be accepted.
        assert "F2\u00a0land\u00a0taken" in question.plain_text
        _part(driver.session, green=False)
        await driver.drawn()
        assert "✗ 1 of 2 taken · red: 1 broken" in question.plain_text
        # What was to land breaks something, and it was only told so.
        number = driver.session.state.waiting
        driver.session.emit(ev.DecisionAwaited(number, f"What you took breaks f821 by itself; Land {ANYWAY}"))
        await driver.drawn()
        assert "✗ 1 of 2 taken · What you took breaks f821 by itself; Land again lands it anyway" in question.plain_text
        driver.session.emit(ev.DecisionAwaited(number, "what you took: red: 1 broken"))
        await driver.drawn()
        assert "✗ 1 of 2 taken · red: 1 broken" in question.plain_text
        _part(driver.session, green=None, taken=0, left=2)
        await driver.drawn()
        assert "0 of 2 taken, 2 left out; nothing of it would land" in question.plain_text


@pytest.mark.parametrize(("size", "below"), [((80, 24), True), ((70, 24), True), ((80, 19), False)])
async def test_a_long_question_has_its_keys_below_it(size: tuple[int, int], below: bool) -> None:
    async with running(size) as driver:
        await driver.play(scenes.green)
        _part(driver.session, green=True, left=1)
        proposal = driver.session.state.proposal
        assert proposal is not None
        told = Verdict("p1", "t0", True, (), summary="green: " + "very " * 5)
        driver.session.emit(ev.VerdictReached(proposal.number, told))
        await driver.drawn()
        rows = driver.app.main.question.plain_text.replace("\u00a0", " ").split("\n")
        assert "green: very very" in rows[0]
        assert len(rows) == (2 if below else 1)
        if below:
            assert "F6 to the diff" in rows[1]
            assert "reject" in rows[1]
            assert driver.app.main.question.size.height == 2


async def test_what_turns_out_bad_under_the_finger_does_not_land() -> None:
    async with running() as driver:
        await driver.play(scenes.green)
        _part(driver.session, green=True)
        await driver.drawn()
        driver.clock.pass_(1.0)
        _part(driver.session, green=False)
        await driver.drawn()
        await driver.press("f2")
        assert driver.session.commands == []
        assert "only just appeared" in driver.text
        driver.clock.pass_(0.6)
        await driver.press("f2")
        assert driver.session.commands == [Accept(2)]


# -- The terminal


async def test_the_terminal_s_focus_moves_none_on_the_screen() -> None:
    async with running() as driver:
        app = driver.app
        await driver.play(scenes.green)
        await driver.press("f6", "slash", *"price")
        before = driver.rows()
        app.post_message(events.AppBlur())
        await driver.until(lambda: not app.app_focus)
        assert app.main.focused is app.main.diff
        assert app.main.diff.searching
        assert driver.rows() == before
        app.post_message(events.AppFocus())
        await driver.until(lambda: app.app_focus)
        assert driver.rows() == before


async def test_keys_of_the_frame_work_before_there_is_a_session() -> None:
    engine = FakeEngine(FakeSession(), Summary())
    async with running(engine=engine, opened=False) as driver:
        await driver.until(lambda: driver.app.main.offer)
        await driver.press("ctrl+p", *"stacked", "enter", "ctrl+o", "d")
        await driver.until(lambda: driver.app.main.focused is driver.app.main.diff)
        assert engine.opened == []
