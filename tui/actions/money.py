"""Actions about what is spent: the answers where a budget is used up, and what was spent so far."""

from __future__ import annotations

from tui.actions.model import Action, Situation


def _over(situation: Situation) -> bool:
    return situation.open and situation.state.budget is not None and not situation.writing


def _open(situation: Situation) -> bool:
    return situation.open and not situation.writing


MONEY: tuple[Action, ...] = (
    Action(
        "spend_more",
        "as much again",
        "Where a budget is used up: allow as much again, and go on.",
        "Decide",
        {"panes": ("y",), "everywhere": ("f2",)},
        when=_over,
    ),
    Action(
        "stop_spending",
        "spend no more",
        "Where a budget is used up: spend no more, and end the task.",
        "Decide",
        {"panes": ("n",), "everywhere": ("f3",)},
        when=_over,
    ),
    Action(
        "no_limit",
        "no limit",
        "Where a budget is used up: go on without one, in this task or session.",
        "Decide",
        {"panes": ("N",), "everywhere": ("f4",)},
        when=_over,
    ),
    Action(
        "usage",
        "usage",
        "What was spent: tokens and cost of the last step, the task, the session, by model.",
        "Look",
        {"panes": ("dollar_sign",)},
        when=_open,
        footer=False,
    ),
)
"""In the order in which help and the line of keys show them."""
