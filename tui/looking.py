"""The part of the app that shows things: panes, layouts, colours, help, and what one can find."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from textual.app import App

from tui.actions import BY_ID, applies
from tui.decisions import Decisions
from tui.layout import CHOICES, LAYOUTS, Choice
from tui.screens.main import MainScreen
from tui.settings import Settings

if TYPE_CHECKING:
    from tui.screens.choose import Entry
    from tui.widgets.lines import LinesView


class Looking(Decisions, App[None]):
    """What can be looked at, and how; the app inherits it."""

    main: MainScreen
    settings: Settings

    async def action_do(self, name: str) -> None:
        """Do an action of the registry, on whatever it is a method of."""
        action = BY_ID[name]
        target = self if action.target == "app" else self.main.part(action.target)
        done = getattr(target, f"action_{name}")()
        if inspect.isawaitable(done):
            await done

    async def do_if_still(self, name: str) -> None:
        """Do what was chosen from a list, if it can still be done: it may have been open for long."""
        if applies(name, self.main.situation):
            await self.action_do(name)
        else:
            self.say("That cannot be done any more.")

    # -- Panes

    def action_next_pane(self) -> None:
        """Move the focus on."""
        self.main.cycle(1)

    def action_previous_pane(self) -> None:
        """Move the focus back."""
        self.main.cycle(-1)

    def action_chat(self) -> None:
        """Show the chat."""
        self.main.go_to("chat")

    def action_diff(self) -> None:
        """Show the diff."""
        self.main.go_to("diff")

    def action_checks(self) -> None:
        """Show the checks."""
        self.main.go_to("checks")

    def action_scroll_up(self) -> None:
        """Scroll a question that is not seen whole, or else the pane in front."""
        self._to_scroll.scroll_page_up(animate=False)

    def action_scroll_down(self) -> None:
        """Scroll a question that is not seen whole, or else the pane in front."""
        self._to_scroll.scroll_page_down(animate=False)

    @property
    def _to_scroll(self) -> LinesView:
        return self.main.question if self.main.question.is_cut else self.main.pane

    def action_prompt(self) -> None:
        """Back to the prompt."""
        self.main.prompt.focus()

    # -- Layout and colours

    def action_layout(self) -> None:
        """On to the next layout."""
        real = CHOICES[1:]
        now = self.main.panes.layout_now
        self.take_layout(real[(real.index(now) + 1) % len(real)])

    def take_layout(self, choice: Choice) -> None:
        """Lay the panes out in another way, from now on."""
        self.main.panes.choose(choice)
        self.main.flash(f"layout: {choice}, {LAYOUTS[choice]}")

    def take_theme(self, name: str) -> None:
        """Take other colours, from now on."""
        self.theme = name
        self.settings.choose(theme=name)

    async def action_theme(self) -> None:
        """Choose the colours; what the cursor is on is tried on."""
        from tui.screens.palette import ThemeList  # noqa: PLC0415 - not needed to paint

        before = self.theme

        def done(entry: Entry | None) -> None:
            if entry is None:
                self.theme = before
            else:
                self.take_theme(entry.title)

        await self.push_screen(ThemeList(self), done)

    # -- Finding

    async def action_palette(self) -> None:
        """Find any action and do it."""
        from tui.screens.palette import Palette  # noqa: PLC0415 - not needed to paint

        def done(entry: Entry | None) -> None:
            if entry is not None and entry.do is not None:
                self.call_next(entry.do)

        await self.push_screen(Palette(self), done)

    async def action_help(self) -> None:
        """Show the help, what acts here first."""
        from tui.screens.help import HelpScreen  # noqa: PLC0415 - not needed to paint

        await self.push_screen(HelpScreen(self.main.situation.focus))

    async def action_usage(self) -> None:
        """Show what was spent."""
        from tui.screens.usage import UsageScreen  # noqa: PLC0415 - not needed to paint

        await self.push_screen(UsageScreen(self.state))

    async def action_jump(self) -> None:
        """Show a letter on every place one can go to."""
        from tui.screens.jump import Jumping, places  # noqa: PLC0415 - not needed to paint

        await self.push_screen(Jumping(places(self.main)), lambda place: place.go() if place else None)

    # -- The terminal

    def action_suspend(self) -> None:
        """Back to the shell for a while."""
        self.action_suspend_process()
