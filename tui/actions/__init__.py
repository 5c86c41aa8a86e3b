"""Every action of the screen, once: bindings, the line of keys, palette, help and README's table all come from here."""

from __future__ import annotations

from textual.binding import Binding

from tui.actions.chat import CHAT
from tui.actions.checks import CHECKS
from tui.actions.common import COMMON
from tui.actions.diff import DIFF
from tui.actions.model import Action, Focus, Place, Situation
from tui.actions.prompt import PROMPT
from tui.actions.search import SEARCH

Bindings = list[Binding | tuple[str, str] | tuple[str, str, str]]

ACTIONS: tuple[Action, ...] = (*COMMON, *DIFF, *CHECKS, *CHAT, *SEARCH, *PROMPT)
"""In the order in which help and the line of keys show them."""

BY_ID = {action.id: action for action in ACTIONS}

_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "escape": "esc",
    "pageup": "page up",
    "pagedown": "page down",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
}
PLACES: tuple[Place, ...] = ("diff", "checks", "chat", "prompt", "popup", "search", "panes", "everywhere")


def key_name(key: str) -> str:
    """A key as people write it."""
    name = _NAMES.get(key, key)
    return name.upper() if name[0] == "f" and name[1:].isdigit() else name.replace("ctrl+", "^")


def bindings(*places: Place) -> Bindings:
    """The bindings that act in some places.

    Those that act everywhere go before any widget's own. With them go those of what is open for a moment, and before
    them: `Situation.focus` says whether it is open.
    """
    if "everywhere" in places:
        places = ("popup", "search", *places)
    return [
        Binding(key, f"app.do('{action.id}')", action.label, show=False, priority=place in _FIRST)
        for place in places
        for action in ACTIONS
        for key in action.keys.get(place, ())
    ]


def applies(action: str, situation: Situation) -> bool:
    """Whether an action can be done now."""
    return BY_ID[action].when(situation)


def key_for(action: Action, focus: Focus) -> str:
    """The key to show for an action; empty when the focus has none for it."""
    keys = action.keys_in(focus)
    return key_name(keys[0]) if keys else ""


def markdown_table() -> str:
    """README's table of keys."""
    rows = ["| Keys | Where | What it does |", "|---|---|---|"]
    for action in ACTIONS:
        for place in PLACES:
            if keys := action.keys.get(place):
                names = ", ".join(f"`{key_name(key)}`" for key in keys)
                rows.append(f"| {names} | {_WHERE[place]} | {action.help} |")
    return "\n".join(rows) + "\n"


_FIRST = {"everywhere", "popup", "search"}
_WHERE: dict[Place, str] = {
    "popup": "list over the prompt",
    "search": "search",
    "diff": "diff",
    "checks": "checks",
    "chat": "chat",
    "prompt": "prompt",
    "panes": "any pane",
    "everywhere": "everywhere",
}
