"""Every action of the screen, once: bindings, the line of keys, palette, help and README's table all come from here."""

from __future__ import annotations

from textual.binding import Binding, BindingsMap
from textual.dom import DOMNode

from tui.actions.chat import CHAT
from tui.actions.checks import CHECKS
from tui.actions.common import COMMON, DECISIONS
from tui.actions.consent import CONSENT
from tui.actions.diff import DIFF
from tui.actions.frame import FRAME
from tui.actions.keys import Changes, key_name, remapped
from tui.actions.model import Action, Focus, Place, Situation
from tui.actions.money import MONEY
from tui.actions.partners import PARTNERS
from tui.actions.prompt import PROMPT
from tui.actions.repairs import REPAIRS
from tui.actions.search import SEARCH

Bindings = list[Binding | tuple[str, str] | tuple[str, str, str]]

ACTIONS: tuple[Action, ...] = (
    *DECISIONS,
    *CONSENT,
    *REPAIRS,
    *COMMON,
    *PARTNERS,
    *MONEY,
    *DIFF,
    *CHECKS,
    *CHAT,
    *SEARCH,
    *FRAME,
    *PROMPT,
)
"""In the order in which help and the line of keys show them; of two that a key could do, the first is done."""

BY_ID = {action.id: action for action in ACTIONS}

PLACES: tuple[Place, ...] = (
    "diff",
    "editor",
    "comment",
    "checks",
    "chat",
    "prompt",
    "popup",
    "search",
    "panes",
    "everywhere",
)


_changed: dict[str, Action] = {}


def use_keys(changes: Changes) -> None:
    """Have other keys do some actions, in the whole process; all others have their own again.

    Args:
        changes: By the id of an action, the keys that do it instead of its own.

    Raises:
        UnusableKeys: They cannot be used; nothing changes.
    """
    found = remapped(ACTIONS, changes)
    _changed.clear()
    _changed.update(found)


def in_force(action: Action) -> Action:
    """An action with the keys that do it now."""
    return _changed.get(action.id, action)


def bind(node: DOMNode, *places: Place) -> None:
    """Give a node of the screen the keys that act in some places now; it keeps those it has of its own.

    Args:
        node: The app, a pane or the prompt.
        places: The places, the nearest first: of two actions on a key the nearer one is asked first.
    """
    own = [
        (key, binding)
        for key, found in node._bindings.key_to_bindings.items()  # noqa: SLF001 - Textual binds classes only
        for binding in found
    ]
    node._bindings = BindingsMap(bindings(*places))  # noqa: SLF001 - as above
    for key, binding in own:
        node._bindings.key_to_bindings.setdefault(key, []).append(binding)  # noqa: SLF001 - as above


def bindings(*places: Place) -> Bindings:
    """The bindings that act in some places; those that act everywhere go before any widget's own."""
    return [
        Binding(key, f"app.do('{action.id}')", action.label, show=False, priority=place == "everywhere")
        for place in places
        for action in ACTIONS
        for key in in_force(action).keys.get(place, ())
    ]


def momentary(key: str, place: Place) -> str:
    """What Textual calls the action of a key while something is open for a moment: a search, a list over the prompt.

    No bindings of their own, as a key that acts before any widget's would overtake what was typed before it.
    """
    return next((f"app.do('{action.id}')" for action in ACTIONS if key in in_force(action).keys.get(place, ())), "")


def applies(action: str, situation: Situation) -> bool:
    """Whether an action can be done now."""
    return BY_ID[action].when(situation)


def key_for(action: Action, focus: Focus) -> str:
    """The key to show for an action; empty when the focus has none for it."""
    keys = in_force(action).keys_in(focus)
    return key_name(keys[0]) if keys else ""


def markdown_table() -> str:
    """README's tables of keys, one a place: those that actions have by themselves."""
    shared = [action for action in ACTIONS if action.keys.get("everywhere") or action.keys.get("panes")]
    rows = [
        "**Everywhere, and letters in any pane**\n",
        "| Everywhere | In a pane | What it does |",
        "|---|---|---|",
        *(f"| {_names(one, 'everywhere')} | {_names(one, 'panes')} | {one.help} |" for one in shared),
    ]
    for place, title in _TITLES.items():
        rows += [f"\n**{title}**\n", "| Keys | What it does |", "|---|---|"]
        rows += [f"| {_names(one, place)} | {one.help} |" for one in ACTIONS if one.keys.get(place)]
    return "\n".join(rows) + "\n"


def _names(action: Action, place: Place) -> str:
    return ", ".join(f"`{key_name(key)}`" for key in action.keys.get(place, ()))


_TITLES: dict[Place, str] = {
    "diff": "In the diff",
    "editor": "While you rewrite a block",
    "comment": "While you comment on a block",
    "checks": "In the checks",
    "chat": "In the chat",
    "search": "While you search",
    "prompt": "In the prompt",
    "popup": "In the list over the prompt",
}
