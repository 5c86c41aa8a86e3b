"""What the command palette and the list of themes hold."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from agent_core.events import Mode
from tui.actions import ACTIONS, applies, in_force
from tui.actions.keys import key_name
from tui.actions.model import Action, Focus
from tui.layout import CHOICES, LAYOUTS
from tui.screens.choose import Chooser, Entry
from tui.themes import THEMES

if TYPE_CHECKING:
    from tui.looking import Looking

_MODES: tuple[tuple[Mode, str], ...] = (
    ("step", "you are asked at every proposal"),
    ("until-green", "you are asked when it is green, or gives up"),
    ("auto", "what is green lands without asking"),
)


def _keys(action: Action, focus: Focus) -> str:
    """The keys that do an action here, or elsewhere where none does it here."""
    now = in_force(action)
    keys = now.keys_in(focus) or tuple(key for found in now.keys.values() for key in found)
    return " ".join(key_name(key) for key in dict.fromkeys(keys))


def _weight(action: Action, focus: Focus) -> int:
    """What only the focused place can do comes first; what is done by typing anyway, last."""
    if focus == "prompt" and focus in action.keys:
        return 2
    return 0 if focus in action.keys else 1


def everything(app: Looking) -> list[Entry]:
    """Every action that applies now, and the modes, layouts and themes there are."""
    situation = app.main.situation
    ranked = sorted(ACTIONS, key=lambda action: _weight(action, situation.focus))
    entries = [
        Entry(
            action.label_in(situation),
            action.help,
            _keys(action, situation.focus),
            do=partial(app.do_if_still, action.id),
        )
        for action in ranked
        if action.id != "palette" and applies(action.id, situation)
    ]
    if applies("mode", situation):
        entries += [
            Entry(f"mode: {mode}", words, current=app.state.mode == mode, do=partial(app.set_mode, mode))
            for mode, words in _MODES
        ]
    if applies("layout", situation):
        chosen = app.settings.screen.layout
        entries += [
            Entry(f"layout: {name}", LAYOUTS[name], current=name == chosen, do=partial(app.take_layout, name))
            for name in CHOICES
        ]
    if applies("theme", situation):
        entries += [
            Entry(f"theme: {name}", current=name == app.theme, do=partial(app.take_theme, name)) for name in THEMES
        ]
    return entries


class Palette(Chooser):
    """Everything there is to do.

    Args:
        app: What does it.
    """

    def __init__(self, app: Looking) -> None:
        super().__init__(everything(app), "what is to be done?")


class ThemeList(Chooser):
    """The themes; the one under the cursor is tried on.

    Args:
        app: What wears it.
    """

    def __init__(self, app: Looking) -> None:
        def try_on(name: str) -> None:
            app.theme = name

        entries = [
            Entry(name, "dark" if theme.dark else "light", current=name == app.theme, try_on=partial(try_on, name))
            for name, theme in THEMES.items()
        ]
        super().__init__(entries, "theme", aside=True)
