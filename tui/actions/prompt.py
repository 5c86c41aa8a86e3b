"""Actions of the prompt."""

from __future__ import annotations

from tui.actions.model import Action, Situation


def _in_prompt(situation: Situation) -> bool:
    return situation.in_prompt


def _writing(situation: Situation) -> bool:
    return situation.focus == "prompt"


def _choosing(situation: Situation) -> bool:
    return situation.focus == "popup"


def _queued(situation: Situation) -> bool:
    return situation.focus == "prompt" and bool(situation.state.queued)


PROMPT: tuple[Action, ...] = (
    Action(
        "send",
        "send",
        "Give a task; while one runs or a proposal waits: say what should be different.",
        "Talk",
        {"prompt": ("enter",)},
        when=_writing,
    ),
    Action(
        "newline",
        "newline",
        "Begin a new line; a backslash and enter do it too.",
        "Talk",
        {"prompt": ("shift+enter", "ctrl+j")},
        when=_in_prompt,
        footer=False,
    ),
    Action(
        "earlier",
        "earlier",
        "From the first line back to what was sent before; in the empty prompt take back what still waits.",
        "Talk",
        {"prompt": ("up",)},
        target="prompt",
        when=_writing,
        footer=False,
    ),
    Action(
        "later",
        "later",
        "From the last line on to what was sent later, and to what was being written.",
        "Talk",
        {"prompt": ("down",)},
        target="prompt",
        when=_writing,
        footer=False,
    ),
    Action(
        "recall",
        "recall",
        "Search in everything sent before in this project, for what is in the prompt.",
        "Talk",
        {"prompt": ("ctrl+r",)},
        target="prompt",
        when=_writing,
        footer=False,
    ),
    Action(
        "queue",
        "what waits",
        "Choose among the messages that the partner has not heard yet, to edit one or to drop it.",
        "Talk",
        {"prompt": ("ctrl+up",)},
        target="prompt",
        when=_queued,
    ),
    Action(
        "compose",
        "editor",
        "Write in your own editor, pasted chips in full.",
        "Talk",
        {"prompt": ("ctrl+g",)},
        target="prompt",
        when=_in_prompt,
        footer=False,
    ),
    Action(
        "unfold",
        "unfold",
        "Put the chip at the cursor (a long paste, a finding) into the text in full.",
        "Talk",
        {"prompt": ("ctrl+f",)},
        target="prompt",
        when=_in_prompt,
        footer=False,
    ),
    Action(
        "undo_writing",
        "undo writing",
        "Take back what was written last.",
        "Talk",
        {"prompt": ("ctrl+underscore",)},
        target="prompt",
        when=_in_prompt,
        footer=False,
    ),
    Action(
        "redo_writing",
        "redo writing",
        "Write again what was taken back.",
        "Talk",
        {"prompt": ("ctrl+y",)},
        target="prompt",
        when=_in_prompt,
        footer=False,
    ),
    Action(
        "popup_accept",
        "take",
        "Take what is offered.",
        "Talk",
        {"popup": ("tab",)},
        target="prompt",
        when=_choosing,
    ),
    Action(
        "popup_send",
        "take and send",
        "Take what is offered, and send it where it is a command.",
        "Talk",
        {"popup": ("enter",)},
        target="prompt",
        when=_choosing,
        footer=False,
    ),
    Action(
        "popup_next",
        "next",
        "To the next one that is offered.",
        "Talk",
        {"popup": ("down", "ctrl+n")},
        target="prompt",
        when=_choosing,
        footer=False,
    ),
    Action(
        "popup_previous",
        "one before",
        "To the one before.",
        "Talk",
        {"popup": ("up",)},
        target="prompt",
        when=_choosing,
        footer=False,
    ),
    Action(
        "popup_drop",
        "drop",
        "Withdraw the waiting message that is meant.",
        "Talk",
        {"popup": ("delete",)},
        target="prompt",
        when=_choosing,
        footer=False,
    ),
    Action(
        "popup_close",
        "close",
        "Close the list of what is offered.",
        "Talk",
        {"popup": ("escape",)},
        target="prompt",
        when=_choosing,
    ),
    Action(
        "scroll_up",
        "up",
        "Scroll the pane in front, or a long question, from within the prompt.",
        "Look",
        {"prompt": ("pageup",)},
        when=_in_prompt,
        footer=False,
    ),
    Action(
        "scroll_down",
        "down",
        "Scroll the pane in front, or a long question, from within the prompt.",
        "Look",
        {"prompt": ("pagedown",)},
        when=_in_prompt,
        footer=False,
    ),
)
"""In the order in which help and the line of keys show them."""
