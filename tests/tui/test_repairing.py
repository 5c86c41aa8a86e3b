"""Repairs found without a model, on the screen: a search of the built-in partner, a find beside a model."""

from __future__ import annotations

import pytest

from agent_core import events as ev
from agent_core.checks.model import Verdict
from agent_core.commands import EndSearch, Interrupt, Redo, SwitchRepairs, TakeRepair
from agent_core.conversation import PartnerInfo
from agent_core.patch.model import Patch
from tests.tui import scenes
from tests.tui.driving import MEDIUM, SIZES, WIDE, Driver, running
from tests.tui.fake_session import FakeSession

TRYING = ev.RepairProgressed(False, "trying", 214, 0, 0, "`<=` for `<` in prices.py:12", 6.0, 60.0)


def searching(session: FakeSession) -> None:
    """The built-in partner looks for a repair."""
    scenes.start(session)
    partner = PartnerInfo("offline", "the built-in partner (no model)")
    session.emit(
        ev.SettingsTold(partner, "step", "bubblewrap overlay, no network", ".venv/bin/python (.venv)"),
        ev.Asked(1, "fix"),
        ev.PromptSent(1, 1),
        ev.TextStreamed("I look for a change that makes tests/test_prices.py::test_discount pass.\n\n"),
        ev.RepairSought(beside=False, what="tests/test_prices.py::test_discount"),
        TRYING,
    )


def beside(session: FakeSession) -> None:
    """A model is at work, and a repair is looked for beside it."""
    scenes.start(session)
    scenes.ask(session)
    session.emit(
        ev.RepairSought(beside=True, what="2 failing tests"),
        ev.RepairProgressed(True, "trying", 88, 0, 0, "`<=` for `<` in prices.py:12", 2.0, 60.0),
    )


def find(session: FakeSession, number: int = 1) -> None:
    """Beside a model a repair was found."""
    beside(session)
    patch = Patch((scenes.file_patch(session, "shop/prices.py", scenes.OLD, scenes.RIGHT),))
    says = "`/` for `//` in `discount` (shop/prices.py:23), all 34 tests pass."
    session.emit(
        ev.RepairEnded(beside=True, found=1, tried=120, seconds=3.2),
        ev.RepairFound(number, says, patch, "", 34, "base", f"found{number}", whole=True),
    )


def _chat(driver: Driver) -> str:
    """The chat as running text, however its lines are broken."""
    return " ".join(driver.app.main.chat.plain_text.split())


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_a_search_shows_what_is_tried_how_much_and_for_how_long(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await driver.play(searching)
        said = driver.app.main.status.plain_text
        assert "trying repairs" in said
        assert "━" in said or "╸" in said
        assert "10%" in said
        assert "214 tried" in said
        assert "`<=` for `<` in prices.py:12" in said


async def test_esc_ends_a_search_with_what_it_has_and_then_for_good() -> None:
    async with running() as driver:
        await driver.play(searching)
        await driver.press("escape")
        assert driver.session.commands == [Interrupt()], "nothing is found yet"
        driver.session.commands.clear()
        driver.session.emit(ev.RepairProgressed(False, "trying", 300, 0, 2, "", 9.0, 60.0))
        await driver.drawn()
        assert "300 tried, 2 found · esc offers the best now" in driver.app.main.status.plain_text
        await driver.press("escape")
        assert driver.session.commands == [EndSearch()]
        assert "The search ends with the best it has found" in driver.app.main.status.plain_text
        driver.session.emit(ev.RepairHurried())
        await driver.drawn()
        await driver.press("escape")
        assert driver.session.commands == [EndSearch(), Interrupt()]


async def test_a_find_is_told_and_taken_by_a_key_and_by_name() -> None:
    async with running(WIDE) as driver:
        await driver.play(find)
        said = _chat(driver)
        assert "A repair of 2 failing tests is looked for without the model too." in said
        assert "◆ Found without a model: `/` for `//` in `discount` (shop/prices.py:23), all 34 tests pass." in said
        assert "a repair found" in driver.app.main.status.plain_text
        assert "F12\xa0take\xa0repair" in driver.rows()[-1], "the prompt has the focus, in which letters are text"
        await driver.press("f12")
        assert driver.session.commands == [TakeRepair(1)]
        driver.session.commands.clear()
        await driver.press("tab")
        assert "X\xa0take\xa0repair" in driver.rows()[-1]
        await driver.press("X")
        assert driver.session.commands == [TakeRepair(1)]
        driver.app.main.prompt.focus()
        await driver.press(*"/repair", "enter")
        await driver.until(lambda: len(driver.session.commands) == 2)
        assert driver.session.commands == [TakeRepair(1), TakeRepair(1)]


async def test_what_was_taken_back_leaves_its_key_to_a_find() -> None:
    async with running(WIDE) as driver:
        await driver.play(scenes.taken_back)
        assert "F12\xa0redo" in driver.rows()[-1]
        patch = driver.session.state.proposals[-1].patch
        driver.session.emit(ev.RepairFound(1, "It is right.", patch, "", 34, "base", "found"))
        await driver.drawn()
        assert "F12\xa0redo" not in driver.rows()[-1]
        await driver.press("f12")
        assert driver.session.commands == [TakeRepair(1)]
        await driver.press("tab", "U", "f12")
        assert driver.session.commands == [TakeRepair(1), Redo(1), TakeRepair(1)]


async def test_a_find_that_is_taken_is_marked_as_such() -> None:
    async with running(WIDE) as driver:
        await driver.play(find)
        patch = driver.session.state.repairs.finds[0].patch
        driver.session.emit(
            ev.ProposalMade(1, 1, "", patch, "base", "found1", "", by="repair"),
            ev.VerdictReached(1, Verdict("found1", "base", green=True, results=(), summary="green: fixes 2")),
            ev.DecisionAwaited(1, "all is green"),
        )
        await driver.drawn()
        driver.clock.pass_(1.0)
        assert "proposal 1  found without a model" in driver.text
        assert "Proposal 1 (found without a model): shop/prices.py" in _chat(driver)
        assert "a repair found" not in driver.app.main.status.plain_text
        assert not driver.app.check_action("do", ("take_repair",))


async def test_what_is_found_is_gone_with_the_files_it_was_found_in() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(find)
        driver.session.emit(ev.HumanEdited("shop/prices.py", "changed", "", "a", "b"))
        await driver.drawn()
        assert not driver.app.check_action("do", ("take_repair",))
        await driver.press("tab", "X")
        assert driver.session.commands == []


async def test_looking_beside_the_model_is_switched() -> None:
    async with running() as driver:
        await driver.play(beside)
        await driver.press("tab", "B")
        assert driver.session.commands == [SwitchRepairs()]
        driver.app.main.prompt.focus()
        await driver.press(*"/repairs off", "enter")
        await driver.until(lambda: len(driver.session.commands) == 2)
        assert driver.session.commands[1] == SwitchRepairs(on=False)
        driver.session.emit(ev.RepairsSwitched(on=False))
        await driver.drawn()
        assert "No repairs are looked for beside the model any more." in _chat(driver)


async def test_what_is_tried_is_nothing_that_a_terminal_obeys() -> None:
    async with running(WIDE) as driver:
        await driver.play(searching)
        driver.session.emit(ev.RepairProgressed(False, "trying", 1, 0, 0, "\x1b[31m[red]evil", 1.0, 60.0))
        await driver.drawn()
        assert "␛[31m[red]evil" in driver.app.main.status.plain_text
