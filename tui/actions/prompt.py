"""Actions of the prompt."""

from __future__ import annotations

from tui.actions.model import Action, Situation


def _in_prompt(situation: Situation) -> bool:
    return situation.in_prompt


PROMPT: tuple[Action, ...] = (
    Action(
        "send",
        "send",
        "Give a task; while one runs or a proposal waits: say what should be different.",
        "Talk",
        {"prompt": ("enter",)},
        when=_in_prompt,
    ),
    Action(
        "newline",
        "newline",
        "Begin a new line.",
        "Talk",
        {"prompt": ("shift+enter", "ctrl+j")},
        when=_in_prompt,
        footer=False,
    ),
    Action(
        "scroll_up",
        "up",
        "Scroll the pane in front from within the prompt.",
        "Look",
        {"prompt": ("pageup",)},
        when=_in_prompt,
        footer=False,
    ),
    Action(
        "scroll_down",
        "down",
        "Scroll the pane in front from within the prompt.",
        "Look",
        {"prompt": ("pagedown",)},
        when=_in_prompt,
        footer=False,
    ),
)
"""In the order in which help and the line of keys show them."""
