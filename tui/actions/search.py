"""Actions of the search that every pane has."""

from __future__ import annotations

from tui.actions.model import Action, Situation


def _in_a_pane(situation: Situation) -> bool:
    return not situation.in_prompt and situation.focus != "search"


def _searching(situation: Situation) -> bool:
    return situation.focus == "search"


SEARCH: tuple[Action, ...] = (
    Action(
        "search",
        "search",
        "Search in this pane; capitals are told apart only where you write one.",
        "Look",
        {"panes": ("slash",)},
        target="main",
        when=_in_a_pane,
    ),
    Action(
        "search_next",
        "next",
        "To the next place found; in an empty search, what was searched for last.",
        "Look",
        {"search": ("enter", "down")},
        target="main",
        when=_searching,
    ),
    Action(
        "search_previous",
        "one before",
        "To the place found before this one.",
        "Look",
        {"search": ("up", "shift+enter")},
        target="main",
        when=_searching,
    ),
    Action(
        "search_close",
        "close",
        "End the search and stay where it has led.",
        "Look",
        {"search": ("escape",)},
        target="main",
        when=_searching,
    ),
)
"""In the order in which help and the line of keys show them."""
