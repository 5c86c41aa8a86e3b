"""The three panes on the screen: side by side, stacked or one at a time, and as large as the human made them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message

from tui.layout import (
    DEFAULT,
    LEAST_HEIGHT,
    LEAST_WIDTH,
    Choice,
    Layout,
    Shares,
    layout_for,
    moved,
    size_class,
    usable,
)
from tui.panes.pane import Pane
from tui.settings import Settings

_STEP_WIDTH, _STEP_HEIGHT = 4, 2


class Arrangement(Container):
    """Lays out the panes; what it is told and dragged to is kept.

    Args:
        panes: Chat, diff and checks.
        settings: Which layout is wanted, and where sizes are kept.
    """

    DEFAULT_CSS = """
    Arrangement { height: 1fr; layout: grid; }
    Arrangement.-columns { grid-size: 3 1; grid-rows: 1fr; }
    Arrangement.-stacked { grid-size: 2 2; }
    Arrangement.-stacked #chat { row-span: 2; }
    Arrangement.-one { grid-size: 1 1; grid-rows: 1fr; grid-columns: 1fr; }
    Arrangement.-one Pane { display: none; border: none; row-span: 1; }
    Arrangement.-one Pane.-front { display: block; }
    """
    _LAYOUTS: ClassVar[tuple[Layout, ...]] = ("columns", "stacked")

    class Changed(Message):
        """The panes are laid out in another way."""

    def __init__(self, panes: Sequence[Pane], settings: Settings) -> None:
        super().__init__(id="panes")
        self.panes = panes
        self.front = panes[0].id or ""
        """The pane in front: the one shown where only one is."""
        self.zoomed = False
        """One pane has all the room for the moment, whatever the layout."""
        self._settings = settings
        self._shown: Layout = "tabs"
        self._shares = DEFAULT["tabs"]
        self._applied: Shares | None = None
        self._kept_as = ""
        # Whether it goes sideways, which border it is, where it was taken hold of, and the sizes then.
        self._drag: tuple[bool, int, int, tuple[tuple[int, ...], tuple[int, ...]]] | None = None

    def compose(self) -> ComposeResult:
        """The panes, laid out for the screen there is before they cost anything."""
        self.fit(self.app.size.width)
        yield from self.panes

    @property
    def pane(self) -> Pane:
        """The pane in front."""
        return next(pane for pane in self.panes if pane.id == self.front)

    @property
    def shows_one(self) -> bool:
        """Whether one pane is shown at a time."""
        return self.zoomed or self._shown == "tabs"

    @property
    def layout_now(self) -> Layout:
        """The layout there is, zoomed or not."""
        return self._shown

    @property
    def facts(self) -> frozenset[str]:
        """What it says of itself for `tui.actions.model.Situation`."""
        facts = {"panes.one"} if self.shows_one else {f"panes.{self._shown}"}
        return frozenset(facts | ({"panes.narrow"} if size_class(self.app.size.width) == "narrow" else set()))

    # -- Which layout

    def fit(self, width: int) -> None:
        """Lay out for a screen of so many columns; costs nothing where that changes nothing.

        Args:
            width: Columns of the whole screen.
        """
        choice: Choice = self._settings.screen.layout
        shown = layout_for(width, choice)
        name = f"{size_class(width)} {shown}"
        if name != self._kept_as:
            self._kept_as, self._shown = name, shown
            self._shares = usable(self._settings.shares(name), shown)
        self._apply()

    def choose(self, choice: Choice) -> None:
        """Take another layout, from now on."""
        self._settings.choose(layout=choice)
        self.zoomed = False
        self.fit(self.app.size.width)
        self.post_message(self.Changed())

    def _apply(self) -> None:
        one = self.shows_one
        self.set_class(one, "-one")
        for layout in self._LAYOUTS:
            self.set_class(not one and layout == self._shown, f"-{layout}")
        for pane in self.panes:
            pane.set_class(pane.id == self.front, "-front")
        shares = DEFAULT["tabs"] if one else self._shares
        if shares != self._applied:
            self._applied = shares
            self.styles.grid_columns = " ".join(f"{value:g}fr" for value in shares.columns)
            self.styles.grid_rows = " ".join(f"{value:g}fr" for value in shares.rows)

    def bring(self, name: str) -> None:
        """Bring a pane to the front."""
        if name != self.front:
            self.front = name
            self._apply()

    def action_zoom(self) -> None:
        """Give the pane in front all the room, or take it back."""
        self.zoomed = not self.zoomed
        self._apply()
        self.post_message(self.Changed())

    # -- Sizes

    def action_wider(self) -> None:
        """Make the pane in front wider."""
        self._grow(_STEP_WIDTH, sideways=True)

    def action_narrower(self) -> None:
        """Make the pane in front narrower."""
        self._grow(-_STEP_WIDTH, sideways=True)

    def action_taller(self) -> None:
        """Make the pane in front taller."""
        self._grow(_STEP_HEIGHT, sideways=False)

    def action_shorter(self) -> None:
        """Make the pane in front shorter."""
        self._grow(-_STEP_HEIGHT, sideways=False)

    def action_usual_sizes(self) -> None:
        """Make the panes as large as they are by default."""
        self._shares = DEFAULT[self._shown]
        self._settings.keep_shares(self._kept_as, None)
        self._apply()

    def _grow(self, by: int, *, sideways: bool) -> None:
        if self.shows_one:
            return
        at = [pane.id for pane in self.panes].index(self.front)
        if self._shown == "stacked":
            # The chat has the left column for itself; diff and checks share the right one.
            if not sideways and at == 0:
                return
            at = min(at, 1) if sideways else at - 1
        last = len(self._shares.columns if sideways else self._shares.rows) - 1
        border, by = (at - 1, -by) if at == last else (at, by)
        self._set(self._moved(border, by, sideways=sideways), keep=True)

    def _sizes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """How many cells the columns and rows have."""
        chat, diff, checks = (pane.region for pane in self.panes)
        if self._shown == "columns":
            return (chat.width, diff.width, checks.width), (chat.height,)
        return (chat.width, diff.width), (diff.height, checks.height)

    def _moved(self, border: int, by: int, *, sideways: bool) -> Shares:
        """What there is after a border has been moved from where it was when it was taken hold of, or is now."""
        columns, rows = self._drag[3] if self._drag is not None else self._sizes()
        if sideways:
            return Shares(moved(columns, border, by, LEAST_WIDTH), self._shares.rows)
        return Shares(self._shares.columns, moved(rows, border, by, LEAST_HEIGHT))

    def _set(self, shares: Shares, *, keep: bool) -> None:
        if shares != self._shares:
            self._shares = shares
            self._apply()
        if keep:
            self._settings.keep_shares(self._kept_as, self._shares)

    # -- Borders dragged with the mouse

    def _border_at(self, x: int, y: int) -> tuple[bool, int] | None:
        """Which border is at a place of the screen: whether it is moved sideways, and which pane it is behind."""
        if self.shows_one:
            return None
        chat, diff, checks = (pane.region for pane in self.panes)
        if x in {chat.right - 1, diff.x}:
            return True, 0
        if self._shown == "columns":
            return (True, 1) if x in {diff.right - 1, checks.x} else None
        return (False, 0) if y in {diff.bottom - 1, checks.y} and x >= diff.x else None

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of a border."""
        found = self._border_at(event.screen_x, event.screen_y)
        if found is None or event.button != 1:
            return
        sideways, border = found
        event.stop()
        self.screen.clear_selection()
        self._drag = (sideways, border, event.screen_x if sideways else event.screen_y, self._sizes())
        self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Move the border that is held."""
        if self._drag is None:
            return
        event.stop()
        sideways, border, start, _ = self._drag
        at = event.screen_x if sideways else event.screen_y
        self._set(self._moved(border, at - start, sideways=sideways), keep=False)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let go of it."""
        if self._drag is not None:
            event.stop()
            self._drag = None
            self.release_mouse()
            self._set(self._shares, keep=True)
