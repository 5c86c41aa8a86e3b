"""Keys: what they are called, and which the user has given to an action instead of its own."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import get_args

import msgspec
from textual.keys import Keys, _character_to_key

from tui.actions.model import Action, Focus, Place

Changes = Mapping[str, Sequence[str]]
"""By the id of an action, the keys that do it instead of its own, as people write them."""

_SHOWN = {_character_to_key(one): one for one in string.punctuation} | {
    "escape": "esc",
    "pageup": "page up",
    "pagedown": "page down",
}
_WRITTEN = {shown: key for key, shown in _SHOWN.items()} | {"return": "enter", "del": "delete"}
_MODIFIERS = ("ctrl", "alt", "shift", "super", "hyper", "meta")
_PRINTED = {_character_to_key(one) for one in string.punctuation + " "} | {"space"}
_BASES = {key.value.rpartition("+")[2] for key in Keys if not key.value.startswith("<")} | _PRINTED
# Without them nothing could be written.
_EDITING = {"backspace", "delete", "left", "right", "up", "down", "home", "end", "space"}
_WRITING: set[Place] = {"everywhere", "prompt", "popup", "search"}


def key_name(key: str) -> str:
    """A key as people write it."""
    modifiers, plus, base = key.rpartition("+")
    name = _SHOWN.get(base, base)
    name = name.upper() if name[0] == "f" and name[1:].isdigit() else name
    return f"{modifiers}{plus}{name}".replace("ctrl+", "^")


class UnusableKeys(ValueError):  # noqa: N818 - a sentence about them, for whoever knows the file they are in
    """Keys cannot be given to an action.

    Args:
        action: Its id.
        reason: Why not.
    """

    def __init__(self, action: str, reason: str) -> None:
        super().__init__(reason)
        self.action = action
        self.reason = reason


def _key(written: str) -> str:
    """The key that people mean; raises `ValueError` for none."""
    text = written.strip()
    text = f"ctrl+{text[1:]}" if len(text) == 2 and text[0] == "^" else text
    *modifiers, base = text.split("+") if len(text) > 1 and not text.endswith("+") else [text]
    base = _WRITTEN.get(base.lower(), base)
    modifiers = [one.strip().lower() for one in modifiers]
    if len(base) == 1:
        if modifiers == ["shift"] and base.isalpha():
            return base.upper()
        base = _character_to_key(base.lower() if modifiers else base)
    elif (base := base.lower().replace(" ", "")) not in _BASES:
        raise ValueError(written)
    if not base or not set(modifiers) <= set(_MODIFIERS):
        raise ValueError(written)
    return "+".join([*sorted(set(modifiers), key=_MODIFIERS.index), base])


def _is_text(key: str) -> bool:
    """Whether a key writes something where text is written."""
    return len(key) == 1 or key in _PRINTED


def _placed(action: Action, keys: Sequence[str]) -> dict[Place, tuple[str, ...]]:
    """Where each key acts: those that write something in panes only, the others wherever the action has a key."""
    found: dict[Place, tuple[str, ...]] = {}
    for written in keys:
        try:
            key = _key(written)
        except ValueError:
            reason = f"there is no key “{written}”; keys are written like a, A, ?, f2, ctrl+t, shift+f2, enter"
            raise UnusableKeys(action.id, reason) from None
        near: list[Place] = [place for place in action.keys if place not in _WRITING]
        places: list[Place]
        if _is_text(key):
            places = near or ["panes"] if near or "everywhere" in action.keys else []
        else:
            places = ["everywhere"] if "everywhere" in action.keys else list(action.keys)
        if not places or ("everywhere" in places and key in _EDITING):
            raise UnusableKeys(action.id, f"“{written}” is needed for writing")
        for place in places:
            found[place] = (*found.get(place, ()), key)
    return found


def remapped(actions: Sequence[Action], changes: Changes) -> dict[str, Action]:
    """The actions whose keys are the user's own, by id.

    Args:
        actions: All there are.
        changes: The keys that are wanted.

    Raises:
        UnusableKeys: There is no such action or key, or a key would do two things in the same place.
    """
    known = {action.id: action for action in actions}
    changed: dict[str, Action] = {}
    for name, keys in changes.items():
        if name not in known:
            raise UnusableKeys(name, "there is no action of that id; the help shows them all")
        if name == "quit" and not keys:
            raise UnusableKeys(name, "there has to be a way out")
        changed[name] = msgspec.structs.replace(known[name], keys=_placed(known[name], keys))
    for action in changed.values():
        for other in actions:
            if other.id != action.id and not _apart(known[action.id], other):
                _refuse_clash(action, changed.get(other.id, other))
    return changed


def _apart(one: Action, other: Action) -> bool:
    """Whether two actions never apply at the same time, as those do not that share a key by default."""
    return any(set(keys) & set(other.keys.get(place, ())) for place, keys in one.keys.items())


def _refuse_clash(action: Action, other: Action) -> None:
    focuses: tuple[Focus, ...] = get_args(Focus)
    for focus in focuses:
        if both := set(action.keys_in(focus)) & set(other.keys_in(focus)):
            key = key_name(min(both))
            reason = f"{key} is the key of {other.id} ({other.label}) there too: give one of them another key"
            raise UnusableKeys(action.id, reason)
