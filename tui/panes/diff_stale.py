"""A place of a proposal at which the human has written too: what they have there now, and what the partner proposes.

Both are shown, one below the other or side by side; the text that both started from is folded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agent_core.patch.model import Block
from agent_core.review import Mark, Overlap, Review
from agent_core.state import ProposalState
from tui.actions import BY_ID, key_for
from tui.panes.diff_words import Row, beside
from tui.widgets.lines import Line, Piece, clean

_MOST_THEIRS = 20
_PAD = "     "
_CHOICES = (
    ("leave", "yours"),
    ("take", "the partner's"),
    ("take_both", "both"),
    ("edit_block", "write it"),
    ("redo_block", "redo it"),
)


class Stale(NamedTuple):
    """A stale block.

    Attributes:
        overlap: Where it meets what the human wrote.
        mark: What they said of it.
        asks: They can say what is to stand there.
    """

    overlap: Overlap
    mark: Mark
    asks: bool

    @property
    def lines(self) -> Sequence[str]:
        """What the human has there now."""
        return self.overlap.theirs


Stales = Mapping[str, Stale]
"""By the block's id."""


def stale_blocks(proposal: ProposalState, *, waits: bool) -> dict[str, Stale]:
    """The stale blocks of a proposal.

    Args:
        proposal: The proposal.
        waits: It waits for the human's word.
    """
    blocks = proposal.review.blocks
    return {one.block: Stale(one, blocks.get(one.block, Mark()), waits) for one in proposal.overlaps if one.block}


def settled_as(mark: Mark) -> str:
    """What is to stand at the place of a stale block; empty where that has not been said."""
    if mark.taken is None:
        return ""
    if not mark.taken:
        return "redo" if mark.side == "redo" else "yours"
    return mark.side


def open_places(proposal: ProposalState) -> int:
    """At how many stale blocks nothing has been said of which side is to stand there."""
    review: Review = proposal.review
    return sum(not settled_as(review.blocks.get(one.block, Mark())) for one in proposal.overlaps if one.block)


def rows_of(stale: Stale, block: Block, *, both: bool, quick: bool) -> Sequence[Row]:
    """The rows of a stale block: of the human's lines and the partner's, or of the partner's.

    Args:
        stale: What is to be known of it.
        block: The block.
        both: Both sides stand beside each other.
        quick: There is too much to compare.
    """
    if both:
        return beside(stale.lines, block.added, quick=quick)
    return [(None, at) for at in range(len(block.added))]


def lines_above(stale: Stale, block: Block, *, both: bool, opened: bool) -> list[Line]:
    """What stands above what the partner proposes: what is to be said, and what the human has there.

    Args:
        stale: What is to be known of it.
        block: The block.
        both: Both sides stand beside each other.
        opened: All of it is shown, the text that both started from included.
    """
    found = [_headline(stale)]
    if stale.asks and not settled_as(stale.mark):
        found.append(_choices())
    found += _base(block, opened=opened)
    if both and block.added:
        found.append(_note("", "faint", "left: yours, in the file now · right: the partner's"))
        return found
    found += _theirs(stale, opened=opened)
    if block.added:
        found.append(_note("", "faint", "the partner's:"))
    else:
        found.append(_note("", "faint", "the partner takes out what was here"))
    return found


def _headline(stale: Stale) -> Line:
    said = {
        "": ("!", "warn", "stale: you have written here since; what is to stand here?"),
        "yours": ("⊘", "bad", "yours stays; the partner's goes back"),
        "partner": ("✓", "good", "the partner's is to land, over what you wrote here"),
        "both": ("⊕", "good", "both are to land, the partner's below yours"),
        "own": ("✎", "primary", "what you wrote for this place is to land"),
        "redo": ("↻", "warn", "yours stays; the partner is asked to do its part anew over it"),
    }
    sign, style, text = said[settled_as(stale.mark)]
    return _note(sign, style, text)


def _choices() -> Line:
    """The keys that say it."""
    pieces: list[Piece] = []
    for name, label in _CHOICES:
        key = key_for(BY_ID[name], "diff")
        if key:
            pieces += [("  " if pieces else "", ""), (key, "strong"), (f" {label}", "dim")]
    return Line(pieces, lead=((_PAD + "  ", ""),), hang=((_PAD + "  ", ""),))


def _base(block: Block, *, opened: bool) -> list[Line]:
    count = len(block.removed)
    if not count:
        return []
    many = f"{count} line{'s' if count != 1 else ''}"
    if not opened:
        key = key_for(BY_ID["show_unchanged"], "diff")
        return [_note("", "faint", f"⋯ {many} as before both{f': {key} shows' if key else ''}")]
    found = [_note("", "faint", "as before both:")]
    return [
        *found,
        *(_code(text, number, "-", "del-row") for number, text in enumerate(block.removed, block.old_start)),
    ]


def _theirs(stale: Stale, *, opened: bool) -> list[Line]:
    lines, start = stale.lines, stale.overlap.start
    if not lines:
        return [_note("", "faint", "yours: you have removed what was here")]
    shown = lines if opened else lines[:_MOST_THEIRS]
    found = [_note("", "faint", "yours, in the file now:")]
    found += [_code(text, number, "✎", "") for number, text in enumerate(shown, start)]
    many = len(lines) - len(shown)
    return [*found, _note("⋯", "faint", f"{many} more")] if many else found


def lines_below(stale: Stale) -> list[Line]:
    """What the human wrote for the place themselves."""
    text = stale.mark.text
    if not text:
        return []
    words = "you wrote instead:" if stale.mark.taken else "what you wrote here before you changed the file again:"
    lines = text.removesuffix("\n").split("\n")
    found = [_note("", "faint", words), *(_code(line, 0, "✎", "") for line in lines[:_MOST_THEIRS])]
    many = len(lines) - _MOST_THEIRS
    return [*found, _note("⋯", "faint", f"{many} more")] if many > 0 else found


def _code(text: str, number: int, sign: str, base: str) -> Line:
    style = "bad" if sign == "-" else "human"
    lead = ((f"{number or '':>6} ", "faint"), (f"{sign} ", style))
    return Line(((clean(text.rstrip("\r\n")), "human" if sign == "✎" else ""),), lead=lead, base=base, words=False)


def _note(sign: str, style: str, text: str) -> Line:
    lead = ((_PAD, ""), (f"{sign} " if sign else "  ", style))
    return Line(((clean(text), style),), lead=lead, hang=((_PAD + "  ", ""),))
