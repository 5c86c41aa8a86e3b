"""Actions of the chat pane."""

from __future__ import annotations

from tui.actions.model import Action, Situation


def _has_entries(situation: Situation) -> bool:
    return situation.focus == "chat" and "chat.entries" in situation.facts


def _folds(situation: Situation) -> bool:
    return situation.focus == "chat" and "chat.folds" in situation.facts


def _code(situation: Situation) -> bool:
    return situation.focus == "chat" and "chat.code" in situation.facts


CHAT: tuple[Action, ...] = (
    Action(
        "entry_up",
        "up",
        "To the entry before; a long one is gone through first.",
        "Look",
        {"chat": ("up",)},
        target="chat",
        when=_has_entries,
        footer=False,
    ),
    Action(
        "entry_down",
        "down",
        "To the entry after; behind the last one the chat follows its end again.",
        "Look",
        {"chat": ("down",)},
        target="chat",
        when=_has_entries,
        footer=False,
    ),
    Action(
        "unfold_entry",
        "unfold",
        "Show all of an entry, such as the diff of an edit or the output of a command, or fold it again.",
        "Look",
        {"chat": ("enter", "space")},
        target="chat",
        when=_folds,
    ),
    Action(
        "human_before",
        "you before",
        "To what you said before.",
        "Look",
        {"chat": ("left_square_bracket",)},
        target="chat",
        when=_has_entries,
        footer=False,
    ),
    Action(
        "human_after",
        "you after",
        "To what you said next.",
        "Look",
        {"chat": ("right_square_bracket",)},
        target="chat",
        when=_has_entries,
        footer=False,
    ),
    Action(
        "copy_entry",
        "copy",
        "Copy an entry: the one at the cursor, or else the partner's last words.",
        "Look",
        {"chat": ("c",)},
        target="chat",
        when=_has_entries,
    ),
    Action(
        "copy_code",
        "copy code",
        "Copy a block of code of the entry; once more for the next one.",
        "Look",
        {"chat": ("C",)},
        target="chat",
        when=_code,
    ),
)
"""In the order in which help and the line of keys show them."""
