"""Actions about repairs that are found without a model."""

from __future__ import annotations

from tui.actions.model import Action, Situation


def _found(situation: Situation) -> bool:
    free = not situation.asked and not situation.reason and not situation.writing
    return situation.open and free and situation.state.repairs.find is not None


def _open(situation: Situation) -> bool:
    return situation.open and not situation.writing


REPAIRS: tuple[Action, ...] = (
    Action(
        "take_repair",
        "take repair",
        "Have the repair proposed that was found without the model; what the model is at is ended.",
        "Decide",
        {"panes": ("X",), "everywhere": ("f12",)},
        when=_found,
    ),
    Action(
        "repairs",
        "repairs",
        "Have repairs looked for beside the model while tests fail, or no more.",
        "Talk",
        {"panes": ("B",)},
        when=_open,
        footer=False,
    ),
)
"""In the order in which help and the line of keys show them."""
