"""Actions of the diff pane."""

from __future__ import annotations

from collections.abc import Callable

from agent_core.review import takes_any
from tui.actions.model import Action, Situation, unsaid


def _has(fact: str) -> Callable[[Situation], bool]:
    """In the diff, while it says something of itself."""

    def holds(situation: Situation) -> bool:
        return situation.focus == "diff" and f"diff.{fact}" in situation.facts

    return holds


def _in_diff(situation: Situation) -> bool:
    return situation.focus == "diff"


def _free(fact: str) -> Callable[[Situation], bool]:
    """Likewise, while no question has the first word on letters."""

    def holds(situation: Situation) -> bool:
        return not situation.asked and _has(fact)(situation)

    return holds


def _marking(situation: Situation) -> bool:
    """In the diff of a proposal that waits."""
    return situation.deciding and _has("blocks")(situation)


def _landing(situation: Situation) -> bool:
    # Its key is the diff's alone, as one looks at the parts there; by its name it can be done from everywhere.
    return situation.deciding and "diff.marked" in situation.facts


def _back(situation: Situation) -> str:
    proposal = situation.state.proposal
    return "" if proposal is not None and takes_any(proposal.patch, proposal.review) else "send back"


def _unmarking(situation: Situation) -> bool:
    return situation.deciding and _has("marks")(situation)


def _settling(situation: Situation) -> bool:
    """In the diff of a proposal that waits, at a block at whose place the human has written too."""
    return situation.deciding and _has("stale")(situation)


def _redoing(situation: Situation) -> bool:
    return situation.deciding and _has("collides")(situation)


def _if_stale(label: str) -> Callable[[Situation], str]:
    """What an action is called where the human has written too."""
    return lambda situation: label if _settling(situation) else ""


def _writing(situation: Situation) -> bool:
    return situation.writing


def _commenting(situation: Situation) -> bool:
    return situation.focus == "comment"


def _review(
    id: str,  # noqa: A002 - as in `Action`
    label: str,
    help: str,  # noqa: A002 - as in `Action`
    keys: tuple[str, ...],
    when: Callable[[Situation], bool] = _marking,
    *,
    footer: bool = True,
    words: Callable[[Situation], str] = unsaid,
) -> Action:
    return Action(id, label, help, "Review", {"diff": keys}, target="diff", when=when, footer=footer, words=words)


DIFF: tuple[Action, ...] = (
    _review(
        "take", "take", "Take the block, or the lines chosen: they are to land.", ("a",), words=_if_stale("partner's")
    ),
    _review(
        "leave",
        "leave",
        "Leave the block, or the lines chosen: they go back to the partner.",
        ("r",),
        words=_if_stale("yours"),
    ),
    _review(
        "take_both",
        "both",
        "Where you have written too: yours stays, and the block is to land below it.",
        ("b",),
        _settling,
    ),
    _review(
        "redo_block",
        "redo",
        "Where you have written too: yours stays, and the partner does its part anew over that.",
        ("o",),
        _redoing,
    ),
    _review(
        "toggle_block", "take, on", "Take the block or take that back, and on to the next.", ("space",), footer=False
    ),
    _review("take_file", "take file", "Take all of the file.", ("A",), footer=False),
    _review("leave_file", "leave file", "Leave all of the file.", ("R",), footer=False),
    _review(
        "land",
        "land taken",
        "Land what is taken, and send the rest back with what you said of it.",
        ("enter",),
        _landing,
        words=_back,
    ),
    _review("edit_block", "edit", "Write the new side of the block yourself.", ("e",), words=_if_stale("write it")),
    _review("edit_file", "editor", "Open the new file in $VISUAL or $EDITOR, at the line.", ("E",), footer=False),
    _review(
        "comment_block", "comment", "Say something about the block; the partner hears it with the decision.", ("c",)
    ),
    _review("unmark", "undo mark", "Take back what you marked, said or wrote last.", ("u",), _unmarking),
    _review("line_mode", "lines", "Go by line, or by block again.", ("L",), _has("shown")),
    _review("range", "range", "Begin a range at the cursor, or end it.", ("v",), _has("shown"), footer=False),
    _review("next_block", "down", "To the next block, or line.", ("down", "j"), _in_diff, footer=False),
    _review("previous_block", "up", "To the block before, or the line.", ("up", "k"), _in_diff, footer=False),
    _review("next_file", "next file", "To the next file.", ("n",), _free("files"), footer=False),
    _review("previous_file", "file before", "To the file before.", ("N",), _free("files"), footer=False),
    _review(
        "next_pending",
        "next open",
        "To the next block of which you have said nothing.",
        ("right_square_bracket",),
        footer=False,
    ),
    _review(
        "previous_pending",
        "open before",
        "To the block before of which you have said nothing.",
        ("left_square_bracket",),
        footer=False,
    ),
    _review("list_files", "files", "Show the list of files, or fold it.", ("F",), _has("files"), footer=False),
    _review(
        "beside", "beside", "Old and new side by side, or one below the other.", ("t",), _has("shown"), footer=False
    ),
    _review(
        "show_unchanged",
        "unfold",
        "Show the unchanged lines around the block, or fold them.",
        ("z",),
        _has("shown"),
        footer=False,
    ),
    _review(
        "show_all_unchanged",
        "unfold all",
        "Show all unchanged lines, or fold them.",
        ("Z",),
        _has("shown"),
        footer=False,
    ),
    _review(
        "wrap",
        "wrap",
        "Break long lines, or cut them and scroll with left and right.",
        ("w",),
        _has("shown"),
        footer=False,
    ),
    _review("code_right", "right", "Scroll long lines that are cut.", ("right",), _has("cut"), footer=False),
    _review("code_left", "left", "Scroll long lines back.", ("left",), _has("cut"), footer=False),
    Action(
        "write_save",
        "done",
        "Hand in what is written.",
        "Review",
        {"editor": ("ctrl+s",), "comment": ("enter", "ctrl+s")},
        target="diff",
        when=_writing,
    ),
    Action(
        "write_newline",
        "newline",
        "Begin a new line of the comment.",
        "Review",
        {"comment": ("shift+enter", "ctrl+j")},
        target="diff",
        when=_commenting,
        footer=False,
    ),
    Action(
        "write_leave",
        "leave",
        "Leave it; what is written is kept for the next time.",
        "Review",
        {"editor": ("escape",), "comment": ("escape",)},
        target="diff",
        when=_writing,
    ),
)
"""In the order in which help and the line of keys show them."""
