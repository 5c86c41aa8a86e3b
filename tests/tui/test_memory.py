"""The memory view: everything in it can be reached, rewritten, forgotten and had back, by keys and by mouse."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from textual.widgets import TextArea

from agent_core import events as ev
from agent_core.commands import Compact, DropLesson, KeepLesson, Memorize, Uncompact
from agent_core.conversation import UserItem
from agent_core.errors import PairloopError
from tests.tui import scenes
from tests.tui.driving import MEDIUM, NARROW, SIZES, Driver, running
from tests.tui.fake_session import FakeSession
from tui.screens.memory import MemoryScreen


@asynccontextmanager
async def remembering(
    size: tuple[int, int] = MEDIUM, scene: Callable[[FakeSession], None] = scenes.lived
) -> AsyncIterator[tuple[Driver, MemoryScreen]]:
    async with running(size) as driver:
        await driver.play(scene)
        await driver.press("tab", "m")
        screen = driver.app.screen
        assert isinstance(screen, MemoryScreen)
        await driver.until(lambda: any(row.lesson for row in screen.list.rows) or not driver.session.lessons.listed)
        await driver.settle()
        yield driver, screen


async def to(driver: Driver, screen: MemoryScreen, key: str) -> None:
    """Move the cursor to a row."""
    for _ in screen.list.rows:
        if screen.list.chosen is not None and screen.list.chosen.key == key:
            return
        await driver.press("down")
    raise AssertionError(f"there is no row {key}")


def shown(screen: MemoryScreen) -> str:
    """All that is drawn or can be scrolled to, with what stands at the right edge."""
    return "\n".join(line.whole + (line.right[0] if line.right else "") for line in screen.list.lines)


async def write(driver: Driver, text: str) -> None:
    """Replace what stands in the place to write, and hand it in."""
    area = driver.app.screen.query_one(TextArea)
    area.text = ""
    await driver.press(*("space" if letter == " " else letter for letter in text), "enter")


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_everything_is_there_grouped_and_can_be_unfolded(size: tuple[int, int]) -> None:
    async with remembering(size) as (driver, screen):
        text = shown(screen)
        parts = ["Lessons that wait", "What the partner has been told", "Your notes", "What you asked for"]
        parts += ["What you said on the way", "Decisions", "Attempts", "Patches that were refused", "Landings"]
        parts += ["Edits beside pairloop", "The checks now", "Lessons of this project"]
        places = [text.index(part) for part in parts]
        assert places == sorted(places)
        assert "prices are in cents …" in text
        assert "except in shop/pricing.py" not in text
        # The first thing is what waits for a word.
        assert screen.list.chosen is not None
        assert screen.list.chosen.lesson == scenes.PROPOSED
        await to(driver, screen, "attempt:1")
        await driver.press("enter")
        assert "against it: tests/test_pricing.py::test_ten_percent" in shown(screen)
        assert "why: test_ten_percent: the price is 100 times too high." in shown(screen)
        await driver.press("enter")
        assert "against it" not in shown(screen)
        await to(driver, screen, "context")
        await driver.press("space")
        assert "calls    read_file" in shown(screen)
        assert "answered 34 lines of code" in shown(screen)
        await driver.press("escape")
        assert driver.app.screen is driver.app.main


async def test_an_entry_is_rewritten_where_it_stands_and_what_came_of_it_is_shown() -> None:
    async with remembering(NARROW) as (driver, screen):
        await to(driver, screen, "said:1")
        await driver.press("e")
        assert driver.app.screen.query_one(TextArea).text == "leave the tests alone"
        # While it is written letters are text.
        await driver.press("end", "d", "q", "u", "escape")
        assert driver.session.commands == []
        assert not driver.app.screen.query(TextArea)
        await driver.press("e")
        await write(driver, "never touch tests")
        assert driver.session.commands == [Memorize("never touch tests", "said:1")]
        driver.session.emit(ev.MemoryKept("said:1", "never touch tests"))
        await driver.until(lambda: "in your words, not told yet" in shown(screen))
        assert "leave the tests alone" not in shown(screen)
        await driver.press("enter")
        assert "it was: leave the tests alone" in shown(screen)
        driver.session.commands.clear()
        await driver.press("u")
        assert driver.session.commands == [Memorize("", "said:1", back=True)]
        driver.session.emit(ev.MemoryKept("said:1", "", back=True))
        await driver.until(lambda: "in your words" not in shown(screen))
        assert "leave the tests alone" in shown(screen)
        driver.session.commands.clear()
        await driver.press("u")
        assert driver.session.commands == []
        assert "could be taken back" in driver.text


async def test_what_is_not_changed_or_is_empty_says_nothing() -> None:
    async with remembering() as (driver, screen):
        await to(driver, screen, "task:1")
        await driver.press("e", "enter")
        await driver.press("e")
        await write(driver, "")
        assert driver.session.commands == []
        assert "d forgets" in driver.text
        await to(driver, screen, "check:0")
        await driver.press("e")
        assert not driver.app.screen.query(TextArea)


async def test_a_note_of_ones_own_comes_under_the_cursor() -> None:
    async with remembering() as (driver, screen):
        await to(driver, screen, "task:1")
        await driver.press("n")
        await write(driver, "cents")
        assert driver.session.commands == [Memorize("cents")]
        driver.session.emit(ev.MemoryKept("note:2", "cents"))
        await driver.until(lambda: screen.list.chosen is not None and screen.list.chosen.key == "note:2")
        assert "Remembered: cents" in driver.text


async def test_forgetting_and_the_way_back() -> None:
    async with remembering() as (driver, screen):
        await to(driver, screen, "decision:1")
        await driver.press("d")
        assert driver.session.commands == [Memorize("", "decision:1")]
        driver.session.emit(ev.MemoryKept("decision:1", ""))
        await driver.until(lambda: "forgotten" in shown(screen))
        assert scenes.WORDS[:20] in shown(screen)
        driver.session.commands.clear()
        # Once is enough.
        await driver.press("d")
        assert driver.session.commands == []
        await driver.press("u")
        assert driver.session.commands == [Memorize("", "decision:1", back=True)]


async def test_lessons_are_kept_dropped_and_put_in_other_words() -> None:
    async with remembering() as (driver, screen):
        await driver.press("y")
        assert driver.session.commands == [KeepLesson("env-1")]
        driver.session.commands.clear()
        await driver.press("n")
        assert driver.session.commands == [DropLesson("env-1")]
        driver.session.commands.clear()
        await driver.press("e")
        await write(driver, "set it")
        assert driver.session.commands == [KeepLesson("env-1", "set it")]
        driver.session.commands.clear()
        driver.session.lessons.listed = (scenes.KEPT,)
        driver.session.emit(ev.LessonProposed(scenes.PROPOSED.lesson))
        await driver.until(lambda: "Lessons that wait" not in shown(screen))
        await to(driver, screen, "lesson:own-1")
        await driver.press("y")
        assert driver.session.commands == []
        await driver.press("d")
        assert driver.session.commands == [DropLesson("own-1")]


async def test_lessons_that_cannot_be_read_are_told_of_and_the_rest_is_there() -> None:
    def broken(session: FakeSession) -> None:
        scenes.lived(session)
        session.lessons.listed = ()
        session.lessons.error = PairloopError("The lessons cannot be read.", "Look at the disk.")

    async with remembering(scene=broken) as (driver, screen):
        await driver.until(lambda: "The lessons cannot be read. Look at the disk." in driver.text)
        assert "Decisions" in shown(screen)


async def test_the_conversation_is_summed_up_and_had_back() -> None:
    async with remembering() as (driver, screen):
        await driver.press("C")
        assert driver.session.commands == [Compact()]
        driver.session.commands.clear()
        driver.session.emit(ev.Compacted((UserItem("a summary"),), 4, 9000, 300, "asked"))
        await driver.until(lambda: "before it there were 4 items" in shown(screen))
        assert "As you wished" in driver.text
        await to(driver, screen, "compaction:1")
        await driver.press("u")
        assert driver.session.commands == [Uncompact()]
        driver.session.emit(ev.CompactionUndone())
        await driver.until(lambda: "Summary 1" not in shown(screen))


async def test_searching_finds_in_what_is_folded_too() -> None:
    async with remembering() as (driver, screen):
        await driver.press("slash", *"CENTS", "space", *"except", "enter")
        rows = [row.key for row in screen.list.rows if row.stops]
        assert rows == ["note:1"]
        await driver.press("slash", *"zzz")
        assert "nothing fits" in shown(screen)
        await driver.press("escape")
        assert "Decisions" in shown(screen)
        await driver.press("escape")
        assert driver.app.screen is driver.app.main


async def test_tab_goes_from_part_to_part_and_round() -> None:
    async with remembering() as (driver, screen):
        seen = []
        for _ in range(12):
            assert screen.list.chosen is not None
            seen.append(screen.list.chosen.key.split(":")[0])
            await driver.press("tab")
        kinds = ["lesson", "context", "note", "task", "said", "decision", "attempt", "refused", "landing", "edit"]
        assert seen == [*kinds, "check", "lesson"]
        await driver.press("shift+tab", "shift+tab")
        assert screen.list.chosen is not None
        assert screen.list.chosen.key == "check:0"
        await driver.press("end")
        assert screen.list.chosen.key == "lesson:own-1"
        await driver.press("home", "pagedown", "pageup", "up")
        assert screen.list.chosen.key == "lesson:own-1"


async def test_the_mouse_points_unfolds_and_leaves() -> None:
    async with remembering(MEDIUM) as (driver, screen):
        row = next(at for at, text in enumerate(driver.rows()) if "Proposal 1 was rejected" in text)
        place = (4, row - screen.list.region.y)
        await driver.pilot.click(screen.list, offset=place)
        await driver.settle()
        assert screen.list.chosen is not None
        assert screen.list.chosen.key == "decision:1"
        await driver.pilot.click(screen.list, offset=place, times=2)
        await driver.until(lambda: screen.list.unfolded == {"decision:1"})
        await driver.pilot.click(offset=(0, 0))
        await driver.until(lambda: driver.app.screen is driver.app.main)


async def test_what_is_remembered_is_shown_not_obeyed() -> None:
    def hostile(session: FakeSession) -> None:
        scenes.lived(session)
        session.emit(
            ev.MemoryKept("note:2", "[bold]no markup[/] \x1b]0;title\x07 \x1b[31mred"),
            ev.HumanEdited("[red]a.py", "changed", "+\x1b[2J[@click=app.quit]x[/]", None, "b"),
        )

    async with remembering(scene=hostile) as (driver, screen):
        assert "\x1b" not in shown(screen)
        assert "[bold]no markup[/]" in driver.text
        assert "[red]a.py" in shown(screen)
        await to(driver, screen, "note:2")
        await driver.press("e")
        assert "\x1b" not in driver.app.screen.query_one(TextArea).text


async def test_it_follows_what_happens_and_stays_where_it_is() -> None:
    async with remembering() as (driver, screen):
        await to(driver, screen, "landing:4")
        for number in range(30):
            driver.session.emit(ev.HumanEdited(f"f{number}.py", "added", "+x", None, "b"))
        await driver.until(lambda: "f29.py was added by you" in shown(screen))
        assert screen.list.chosen is not None
        assert screen.list.chosen.key == "landing:4"
        drawn = screen.list.lines[0]
        driver.session.emit(ev.TextStreamed("more"))
        await driver.settle()
        # What streams draws nothing here.
        assert screen.list.lines[0] is drawn


async def test_words_in_the_prompt_are_remembered() -> None:
    async with running() as driver:
        await driver.play(scenes.lived)
        prompt = driver.app.main.prompt
        prompt.focus()
        await driver.press(*"/remember cents", "enter")
        assert driver.session.commands == [Memorize("cents")]
        await driver.press(*"/remember", "enter")
        assert driver.session.commands == [Memorize("cents")]
        assert "What is to be remembered?" in driver.text
        await driver.press(*["backspace"] * 20, *"/memory", "enter")
        await driver.until(lambda: isinstance(driver.app.screen, MemoryScreen))
