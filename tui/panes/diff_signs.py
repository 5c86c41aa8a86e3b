"""How a block and a file of a proposal stand, as a sign and a colour, and what is said next to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent_core.patch.model import Block, FilePatch
from agent_core.review import Mark, Review
from agent_core.state import ProposalState
from tui.widgets.lines import Line, Piece, clean

_NAMED = 3

SIGNS: Mapping[str, tuple[str, str, str]] = {
    "pending": ("○", "accent", "a block that waits for your word"),
    "taken": ("✓", "good", "a block that is to land"),
    "left": ("⊘", "bad", "a block (or a line) that goes back to the partner"),
    "partial": ("◐", "good", "a block of which some lines are to land"),
    "edited": ("✎", "primary", "a block that you rewrote; it is to land as you wrote it"),
    "both": ("⊕", "good", "a block that is to land below what you wrote at its place since"),
    "redo": ("↻", "warn", "a block that the partner does anew over what you wrote since"),
    "stale": ("!", "warn", "a block where you have changed the file since"),
}
"""State of a block: its sign, the sign's style, and what the help says of it."""

Notes = Mapping[str, Sequence[Line]]
_PAD = "     "


def state_of(block: Block, review: Review) -> str:
    """How a block stands; a key of `SIGNS`."""
    mark = review.blocks.get(block.id, Mark())
    if mark.taken is None:
        return "pending"
    if not mark.taken:
        return "redo" if mark.side == "redo" else "left"
    if mark.side != "partner":
        return "both" if mark.side == "both" else "edited"
    if mark.lines is not None:
        return "partial"
    return "edited" if block.id in review.edited else "taken"


def states_of(file: FilePatch, review: Review) -> list[str]:
    """How the blocks of a file stand, or the file itself where it has none."""
    if file.blocks:
        return [state_of(block, review) for block in file.blocks]
    taken = review.files.get(file.path)
    return ["pending" if taken is None else "taken" if taken else "left"]


def file_state(states: Sequence[str]) -> str:
    """How a file stands of which these are the blocks' states."""
    alike = {"edited": "taken", "both": "taken", "redo": "left"}
    kinds = {alike.get(state, state) for state in states}
    if len(kinds) == 1:
        return kinds.pop()
    return "pending" if kinds == {"pending", "left"} else "partial"


def file_words(states: Sequence[str]) -> str:
    """How many blocks of a file are to land, in a word or two."""
    taken = sum(state not in {"pending", "left", "redo"} for state in states)
    if len(states) == 1:
        return {"pending": "", "left": "left", "redo": "left"}.get(states[0], "taken")
    if all(state in {"left", "redo"} for state in states):
        return "left"
    return f"{taken} of {len(states)}" if any(state != "pending" for state in states) else ""


def _note(sign: str, style: str, text: str, body: str = "") -> Line:
    lead = ((_PAD, ""), (f"{sign} ", style))
    return Line(((clean(text), body or style),), lead=lead, hang=((_PAD + "  ", ""),))


def _found_out(proposal: ProposalState) -> dict[str, list[Line]]:
    """What was found out about the blocks by leaving them out."""
    broken = proposal.verdict.broken if proposal.verdict is not None else ()
    names = {finding.fingerprint: finding.code or finding.message for finding in broken}
    failures: dict[str, list[str]] = {}
    for blame in proposal.blames:
        for block in blame.blocks:
            failures.setdefault(block, []).append(names.get(blame.finding, blame.check))
    notes: dict[str, list[Line]] = {}
    for block, found in failures.items():
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        notes[block] = [_note("✗", "bad", f"blamed: breaks {', '.join(found[:_NAMED])}{more}")]
    for block in proposal.unneeded:
        notes.setdefault(block, []).append(_note("·", "dim", "no check needs this"))
    return notes


def notes_above(proposal: ProposalState) -> tuple[Notes, Notes]:
    """What stands above blocks, by their ids, and what below the headers of files, by their paths."""
    blocks = _found_out(proposal)
    files: dict[str, list[Line]] = {}
    for overlap in proposal.overlaps:
        if overlap.reason:
            files.setdefault(overlap.path, []).append(_note("!", "warn", overlap.reason))
    return blocks, files


def notes_below(review: Review, drafts: Mapping[str, str]) -> Notes:
    """What stands below blocks: the human's comments, and what they began to write.

    Args:
        review: What was marked.
        drafts: By the block's id what is said of a text that was not handed in.
    """
    notes: dict[str, list[Line]] = {}
    for block, mark in review.blocks.items():
        if mark.comment:
            texts = mark.comment.rstrip("\n").split("\n")
            notes[block] = [_note("“" if at == 0 else " ", "human", text, "text") for at, text in enumerate(texts)]
    for block, words in drafts.items():
        notes.setdefault(block, []).append(_note("✎", "warn", words))
    return notes


def counts(added: int, removed: int) -> list[Piece]:
    """``+3 -1`` in colours."""
    return [(f"+{added}", "good"), (" ", ""), (f"-{removed}", "bad")]
