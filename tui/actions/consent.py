"""Actions that answer what the partner wants to do, or asks."""

from __future__ import annotations

from agent_core.chat_entries import ToolUse
from tui.actions.model import Action, Situation


def _approving(situation: Situation) -> bool:
    return situation.state.approval is not None


def _keepable(situation: Situation) -> bool:
    return situation.state.approval is not None and bool(situation.state.approval.rule)


def _widenable(situation: Situation) -> bool:
    return situation.state.approval is not None and bool(situation.state.approval.wider)


def _asked(situation: Situation) -> bool:
    return situation.state.question is not None


def _first(situation: Situation) -> bool:
    return _options(situation) > 0


def _second(situation: Situation) -> bool:
    return _options(situation) > 1


def _third(situation: Situation) -> bool:
    return _options(situation) > 2


def _fourth(situation: Situation) -> bool:
    return _options(situation) > 3


def _options(situation: Situation) -> int:
    question = situation.state.question
    return len(question.options) if question is not None else 0


def _runs(situation: Situation) -> bool:
    state = situation.state
    if state.task is None or state.phase != "tools":
        return False
    return any(isinstance(one, ToolUse) and one.ok is None and not one.looks for one in state.chat[-8:])


def _open(situation: Situation) -> bool:
    return situation.open


CONSENT: tuple[Action, ...] = (
    Action(
        "allow",
        "allow",
        "Let the partner do what it asks for, this once.",
        "Decide",
        {"panes": ("y",), "everywhere": ("f2",)},
        when=_approving,
    ),
    Action(
        "allow_always",
        "always",
        "Allow exactly this, now and from now on in this project.",
        "Decide",
        {"panes": ("a",), "everywhere": ("f4",)},
        when=_keepable,
    ),
    Action(
        "allow_wider",
        "always the like",
        "Allow this and what is like it, now and from now on in this project; the question says what that is.",
        "Decide",
        {"panes": ("A",), "everywhere": ("f12",)},
        when=_widenable,
    ),
    Action(
        "deny",
        "deny",
        "Do not let the partner do it; words sent from the prompt do the same, and tell it what to do instead.",
        "Decide",
        {"panes": ("n",), "everywhere": ("f3",)},
        when=_approving,
    ),
    Action(
        "answer_1",
        "first answer",
        "Answer the partner's question with the first of its options; in the prompt: 1 and enter.",
        "Decide",
        {"panes": ("1",)},
        when=_first,
        footer=False,
    ),
    Action(
        "answer_2",
        "second answer",
        "Answer with the second.",
        "Decide",
        {"panes": ("2",)},
        when=_second,
        footer=False,
    ),
    Action(
        "answer_3",
        "third answer",
        "Answer with the third.",
        "Decide",
        {"panes": ("3",)},
        when=_third,
        footer=False,
    ),
    Action(
        "answer_4",
        "fourth answer",
        "Answer with the fourth.",
        "Decide",
        {"panes": ("4",)},
        when=_fourth,
        footer=False,
    ),
    Action(
        "leave_open",
        "you decide",
        "Leave the partner's question to the partner.",
        "Decide",
        {"panes": ("n",), "everywhere": ("f3",)},
        when=_asked,
    ),
    Action(
        "end_tool",
        "end it",
        "End the command that the partner runs, and not the task: it goes on with what was printed.",
        "Talk",
        {"everywhere": ("ctrl+t",)},
        when=_runs,
    ),
    Action(
        "permissions",
        "permissions",
        "Look at the rules on what the partner may do without asking; a kept one can be forgotten.",
        "pairloop",
        {"panes": ("P",)},
        when=_open,
        footer=False,
    ),
)
"""In the order in which help and the line of keys show them; those of options come before what their keys else do."""
