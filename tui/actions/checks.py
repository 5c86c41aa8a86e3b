"""Actions of the check log pane."""

from __future__ import annotations

from tui.actions.model import Action, Situation


def _here(situation: Situation) -> bool:
    return "checks.rows" in situation.facts and situation.focus == "checks"


def _free(situation: Situation) -> bool:
    # Then n is the answer to a question.
    return _here(situation) and not situation.asked


def _attempts(situation: Situation) -> bool:
    return "checks.attempts" in situation.facts and situation.focus == "checks"


CHECKS: tuple[Action, ...] = (
    Action(
        "log_go",
        "to the diff",
        "Show the finding's line in the diff; unfold what leads nowhere.",
        "Checks",
        {"checks": ("enter",)},
        target="checks",
        when=_here,
    ),
    Action(
        "log_toggle",
        "fold",
        "Fold or unfold what the cursor is on: a group, a cause, all that lies behind a finding.",
        "Checks",
        {"checks": ("space",)},
        target="checks",
        when=_here,
    ),
    Action(
        "log_refer",
        "tell partner",
        "Put the finding into the prompt, to be sent with your words.",
        "Checks",
        {"checks": ("f",)},
        target="checks",
        when=_here,
    ),
    Action(
        "log_edit",
        "editor",
        "Open the file in your editor, at the finding's line.",
        "Checks",
        {"checks": ("o",)},
        target="checks",
        when=_here,
    ),
    Action(
        "log_copy",
        "copy",
        "Copy the finding with all that lies behind it.",
        "Checks",
        {"checks": ("c",)},
        target="checks",
        when=_here,
        footer=False,
    ),
    Action(
        "log_toggle_all",
        "all",
        "Unfold all there is, or fold it again.",
        "Checks",
        {"checks": ("Z",)},
        target="checks",
        when=_here,
        footer=False,
    ),
    Action(
        "log_up",
        "up",
        "Up a line.",
        "Checks",
        {"checks": ("up", "k")},
        target="checks",
        when=_here,
        footer=False,
    ),
    Action(
        "log_down",
        "down",
        "Down a line.",
        "Checks",
        {"checks": ("down", "j")},
        target="checks",
        when=_here,
        footer=False,
    ),
    Action(
        "log_fold",
        "fold",
        "Fold it, or go to what it is in.",
        "Checks",
        {"checks": ("left", "h")},
        target="checks",
        when=_here,
        footer=False,
    ),
    Action(
        "log_unfold",
        "unfold",
        "Unfold it, or go into it.",
        "Checks",
        {"checks": ("right", "l")},
        target="checks",
        when=_here,
        footer=False,
    ),
    Action(
        "finding_after",
        "next",
        "To the next finding.",
        "Checks",
        {"checks": ("n",)},
        target="checks",
        when=_free,
        footer=False,
    ),
    Action(
        "finding_before",
        "one before",
        "To the finding before.",
        "Checks",
        {"checks": ("N",)},
        target="checks",
        when=_here,
        footer=False,
    ),
    Action(
        "attempt_before",
        "attempt before",
        "Look at the attempt before this one.",
        "Checks",
        {"checks": ("left_square_bracket",)},
        target="checks",
        when=_attempts,
    ),
    Action(
        "attempt_after",
        "attempt after",
        "Look at the attempt after this one.",
        "Checks",
        {"checks": ("right_square_bracket",)},
        target="checks",
        when=_attempts,
        footer=False,
    ),
)
"""In the order in which help and the line of keys show them."""
