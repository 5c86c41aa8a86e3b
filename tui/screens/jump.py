"""Jump mode: a letter on every place one can go to, and one key leads there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from textual import events
from textual.app import ComposeResult
from textual.geometry import Offset
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.panes.pane import Pane
from tui.screens.main import MainScreen

_LETTERS = "asfghjlwertyuoqizxvbnmASDFGHJKLQWERTYUIOPZXCVBNM"
_RIGHT = Offset(1, 0)
_OWN = {"chat": "c", "diff": "d", "checks": "k", "prompt": "p"}


class Place(msgspec.Struct, frozen=True):
    """Somewhere one can go.

    Attributes:
        letter: The key that leads there.
        at: Where its label stands on the screen.
        go: Goes there.
    """

    letter: str
    at: Offset
    go: Callable[[], None]


def places(main: MainScreen) -> list[Place]:
    """Every place one can go to now: panes, the prompt, and what is seen of what they hold."""
    found = [Place(_OWN["prompt"], main.prompt.region.offset + _RIGHT, _to_prompt(main))]
    letters = iter(_LETTERS)
    for pane in main.panes.panes:
        name = pane.id or ""
        shown = pane.display and pane.region.area > 0
        tab = main.tabs.cell_of(name)
        at = main.tabs.region.offset + Offset(tab, 0) if main.panes.shows_one else pane.region.offset + _RIGHT
        found.append(Place(_OWN[name], at, _to_pane(main, name)))
        if shown:
            for row, index in pane.marked_rows():
                letter = next(letters, "")
                if letter:
                    at = pane.content_region.offset + Offset(0, row)
                    found.append(Place(letter, at, _to_line(main, pane, index)))
    return found


def _to_prompt(main: MainScreen) -> Callable[[], None]:
    def go() -> None:
        main.prompt.focus()

    return go


def _to_pane(main: MainScreen, name: str) -> Callable[[], None]:
    def go() -> None:
        main.bring(name)
        main.focus_front()

    return go


def _to_line(main: MainScreen, pane: Pane, index: int) -> Callable[[], None]:
    def go() -> None:
        main.bring(pane.id or "")
        main.focus_front()
        pane.found(index)

    return go


class Jumping(ModalScreen[Place | None]):
    """Lies over the screen with a letter on every place, until a key is pressed.

    Args:
        found: The places.
    """

    DEFAULT_CSS = """
    Jumping { background: transparent; }
    Jumping Static { position: absolute; width: auto; height: 1; padding: 0 1; text-style: bold;
        background: $accent; color: $background; }
    Jumping Static:ansi { color: ansi_default; background: ansi_default; text-style: bold reverse; }
    """

    def __init__(self, found: Sequence[Place]) -> None:
        super().__init__()
        self._places = found

    def compose(self) -> ComposeResult:
        """A label for each place."""
        for place in self._places:
            label = Static(place.letter, markup=False)
            label.styles.offset = (place.at.x, place.at.y)
            yield label

    def on_key(self, event: events.Key) -> None:
        """A letter leads to its place; whatever else is pressed leads nowhere."""
        event.stop()
        wanted = event.character or ""
        self.dismiss(next((place for place in self._places if place.letter == wanted), None))

    def on_click(self, event: events.Click) -> None:
        """A label can be clicked, too."""
        event.stop()
        at = event.screen_offset
        hit = (place for place in self._places if place.at.y == at.y and place.at.x <= at.x < place.at.x + 3)
        self.dismiss(next(hit, None))
