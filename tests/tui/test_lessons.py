"""Lessons on the screen: one quiet line each, unfolded where somebody wants it; taught by a command."""

from __future__ import annotations

import pytest

from agent_core import events as ev
from agent_core.commands import Teach
from agent_core.memory.lessons import make_lesson
from tests.tui.driving import SIZES, running
from tests.tui.fake_session import FakeSession

LONG = f"pytest needs a server \x1b[31m[b]on port 5432[/b]: without it {'tests/test_db.py::test_rows, ' * 4}fails"
LESSON = make_lesson("env", ["pytest"], LONG, "session 20260301-1042")


def proposed(session: FakeSession) -> None:
    session.emit(ev.SessionStarted("s", "/p", "1"), ev.LessonProposed(LESSON))


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_a_lesson_is_a_line_that_says_what_became_of_it(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await driver.play(proposed)
        first = driver.text
        assert "Worth remembering? pytest needs" in first
        assert "▸" in first
        assert "session 20260301-1042" not in first
        assert "\x1b" not in first
        driver.session.emit(ev.LessonSettled(LESSON.id, kept=True, by="human", text="Start the server first."))
        await driver.drawn()
        text = driver.text
        assert ("Worth remembering?" in text, "★ Remembered for later sessions:" in text) == (False, True)
        driver.session.emit(ev.LessonsRecalled((LESSON,), "the task"))
        await driver.drawn()
        assert "★ A lesson of earlier sessions" in driver.text


async def test_teach_keeps_a_lesson_in_the_humans_words() -> None:
    async with running() as driver:
        await driver.play(proposed)
        await driver.press(*"/teach", "space", *"Use make", "enter")
        await driver.until(lambda: driver.session.commands)
        assert driver.session.commands == [Teach("Use make")]
