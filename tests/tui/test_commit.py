"""The message of a commit: asked for, gone over, handed in or left."""

from __future__ import annotations

import pytest

from agent_core import commands
from agent_core import events as ev
from tests.tui import scenes
from tests.tui.driving import MEDIUM, SIZES, Driver, running
from tui.actions import applies
from tui.screens.commit import CommitScreen

DRAFT = "Round discounts to the nearest cent\n\nHalf a cent was lost on each."


async def opened(app: Driver, *keys: str) -> CommitScreen:
    """The dialog, with the draft asked for."""
    await app.press(*keys)
    await app.until(lambda: isinstance(app.app.screen, CommitScreen))
    screen = app.app.screen
    assert isinstance(screen, CommitScreen)
    await app.until(lambda: app.session.commands)
    assert app.session.commands[-1] == commands.DraftCommit(1)
    return screen


async def closed(app: Driver) -> None:
    await app.until(lambda: app.app.screen is app.app.main)


@pytest.mark.parametrize("size", SIZES)
async def test_the_draft_is_shown_gone_over_and_handed_in(size: tuple[int, int]) -> None:
    async with running(size) as app:
        await app.play(scenes.landed)
        await app.press("tab", "2")
        screen = await opened(app, "c")
        assert "the partner is writing" in app.text
        app.session.emit(ev.CommitDrafted(1, DRAFT, also=()))
        await app.settle()
        assert screen.message.text == DRAFT
        for words in ("commit landing 1", "Round discounts", "shop/pricing.py", "35 of 72", "enter commit"):
            assert words in app.text
        # It has only just appeared; a key held down is none that was meant either.
        await app.press("enter")
        assert app.app.screen is screen
        app.clock.pass_(1.0)
        await app.press("!", "enter")
        await closed(app)
        assert app.session.commands[-1] == commands.Commit(1, f"!{DRAFT}")
        app.session.emit(ev.Committed(1, "abcdef1234567890", DRAFT, "main"))
        await app.drawn()
        assert not applies("commit", app.app.main.situation)
        assert "Committed landing 1 as abcdef12 on main" in "\n".join(
            entry.text for entry in app.session.state.chat if hasattr(entry, "text")
        )


async def test_what_is_left_is_kept_and_gone_on_with() -> None:
    async with running(MEDIUM) as app:
        await app.play(scenes.landed)
        await app.press("tab")
        screen = await opened(app, "K")
        # Whoever writes before the partner has: their words stay.
        await app.press("M", "i", "n", "e", "shift+enter")
        app.session.emit(ev.CommitDrafted(1, DRAFT))
        await app.settle()
        assert screen.message.text == "Mine\n"
        await app.press("escape")
        await closed(app)
        assert app.session.commands[-1] == commands.Commit(1, "")
        screen = await opened(app, "K")
        assert screen.message.text == "Mine\n"
        app.clock.pass_(1.0)
        await app.press("ctrl+s")
        await closed(app)
        assert app.session.commands[-1] == commands.Commit(1, "Mine")


async def test_why_it_cannot_be_committed_is_told_there() -> None:
    async with running(MEDIUM) as app:
        await app.play(scenes.landed)
        await app.press("tab")
        screen = await opened(app, "K")
        await app.press("enter")
        assert app.app.screen is screen
        assert "There is no message yet." in app.text
        trouble = "git is in the midst of a [red]rebase[/red]: nothing was committed."
        app.session.emit(ev.CommitDrafted(1, "", trouble=trouble, hint="End it."))
        await app.settle()
        assert trouble in app.text
        await app.press("escape")
        await closed(app)


async def test_it_is_clicked_and_closes_when_somebody_else_commits() -> None:
    async with running(MEDIUM) as app:
        await app.play(scenes.landed)
        await app.press("tab")
        screen = await opened(app, "K")
        app.session.emit(ev.CommitDrafted(1, DRAFT, also=(7,)))
        app.clock.pass_(1.0)
        await app.settle()
        assert "with landing 7, on which it builds" in app.text
        await app.pilot.click(screen._keys, offset=(3, 0))
        await closed(app)
        assert app.session.commands[-1] == commands.Commit(1, DRAFT)
        await opened(app, "K")
        app.session.emit(ev.Committed(1, "abcdef1234567890", DRAFT, ""))
        await closed(app)


async def test_in_the_diff_c_stays_the_comments_while_a_proposal_waits() -> None:
    async with running(MEDIUM) as app:
        await app.play(scenes.landed)
        await app.play(lambda session: scenes.propose(session, 2, scenes.OLD))
        app.session.emit(ev.DecisionAwaited(2, "look"))
        await app.drawn()
        app.clock.pass_(1.0)
        await app.press("tab", "2")
        assert not applies("commit", app.app.main.situation)
        await app.press("c")
        assert app.app.screen is app.app.main
        assert app.session.commands == []


async def test_it_can_be_had_by_its_name() -> None:
    async with running(MEDIUM) as app:
        await app.play(scenes.landed)
        await app.press(*"/commit", "enter")
        await app.until(lambda: isinstance(app.app.screen, CommitScreen))
