"""Actions about who proposes."""

from __future__ import annotations

from tui.actions.model import Action, Situation


def _open(situation: Situation) -> bool:
    return situation.open and not situation.writing


PARTNERS: tuple[Action, ...] = (
    Action(
        "model",
        "partner",
        "Choose who proposes from the next request on: your partners, servers found here, and their models.",
        "Talk",
        {"panes": ("W",)},
        when=_open,
        footer=False,
    ),
)
"""In the order in which help and the line of keys show them."""
