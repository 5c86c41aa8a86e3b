"""Commands of one's own in the prompt: offered, sent as the task they stand for; what there is told."""

from __future__ import annotations

from agent_core.commands import Ask, Steer, Tell
from agent_core.custom_commands import CustomCommand
from tests.tui import scenes
from tests.tui.driving import running
from tests.tui.fake_session import FakeSession

REVIEW = CustomCommand("review", "Look it over", "[path]", "Review $1 with care.", own=False)
TIDY = CustomCommand("tidy", "Tidy \x1b[31mup", "", "Tidy up.", own=True)


def _known(session: FakeSession) -> None:
    scenes.start(session)
    session.custom.known = {"review": REVIEW, "tidy": TIDY, "undo": TIDY}


async def test_a_command_of_ones_own_is_offered_and_its_task_is_sent() -> None:
    async with running() as driver:
        await driver.play(_known)
        prompt = driver.app.main.prompt
        await driver.press(*"/rev")
        await driver.until(lambda: prompt.choosing)
        (choice,) = prompt.choices
        assert (choice.label, choice.detail) == ("/review [path]", "Look it over  (of this project)")
        await driver.press("tab", *"shop", "enter")
        await driver.until(lambda: bool(driver.session.commands))
        assert driver.session.commands == [Ask("Review shop with care.")]


async def test_one_that_takes_nothing_is_sent_at_once_and_steers_what_runs() -> None:
    async with running() as driver:
        await driver.play(_known)
        await driver.play(scenes.ask)
        await driver.press(*"/tid")
        await driver.until(lambda: driver.app.main.prompt.choosing)
        assert "\x1b" not in driver.text
        await driver.press("enter")
        await driver.until(lambda: bool(driver.session.commands))
        assert driver.session.commands == [Steer("Tidy up.")]


async def test_what_is_built_in_comes_first_and_what_is_mistyped_finds_ones_own() -> None:
    async with running() as driver:
        await driver.play(_known)
        await driver.press(*"/undo 9", "enter")
        await driver.until(lambda: "There is no landing 9" in driver.text)
        await driver.press("ctrl+u", *"/reviw shop", "escape", "enter")
        await driver.until(lambda: "Did you mean /review?" in driver.text)
        assert driver.session.commands == []


async def test_servers_skills_and_commands_are_told_on_demand() -> None:
    async with running() as driver:
        await driver.play(_known)
        for name in ("mcp", "skills", "commands"):
            await driver.press(*f"/{name}", "enter")
        await driver.until(lambda: len(driver.session.commands) == 3)
        assert driver.session.commands == [Tell("mcp"), Tell("skills"), Tell("commands")]
