"""What is said of a proposal that waits."""

from __future__ import annotations

from agent_core.commands.base import Command
from agent_core.review import Side


class Accept(Command, frozen=True):
    """Land the waiting proposal."""

    proposal: int


class Reject(Command, frozen=True):
    """Drop the waiting proposal; the partner tries again from the working tree.

    Attributes:
        reason: Told to the partner; may be empty.
    """

    proposal: int
    reason: str = ""


class Take(Command, frozen=True):
    """Say of parts of the waiting proposal whether they are to land; nothing lands before `Land`.

    Attributes:
        proposal: Its number.
        blocks: Ids of blocks.
        files: Paths of files as a whole: what has no blocks, such as a binary file or a mode.
        taken: What is said; None takes back what was said.
        lines: Which lines of the blocks, numbered as in `agent_core.patch.choices.BlockChoice`; None for all.
    """

    proposal: int
    blocks: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    taken: bool | None = True
    lines: tuple[int, ...] | None = None


class Comment(Command, frozen=True):
    """Say something about a block of the waiting proposal; the partner hears it with the decision.

    Attributes:
        proposal: Its number.
        block: Id of the block.
        text: The words; empty takes back what was said.
    """

    proposal: int
    block: str
    text: str


class Unmark(Command, frozen=True):
    """Take back the last `Take`, `Comment`, `Rewrite` or `Settle` on the waiting proposal."""

    proposal: int


class Rewrite(Command, frozen=True):
    """Put the human's own text in the place of what is proposed; it counts as taken, and is checked again.

    Attributes:
        proposal: Its number.
        path: The file, by its path after the patch.
        block: Id of the block whose new side is written anew; empty for the whole new text of the file.
        text: The new side: whole lines.
    """

    proposal: int
    path: str
    block: str
    text: str


class Settle(Command, frozen=True):
    """Say what is to stand at a place of the waiting proposal at which the human's own edits meet a block.

    To leave the block, so that theirs stays, is `Take`; so is to have it go over what they wrote there. Nothing lands
    before `Land`. To have it done anew is told the partner at once where nothing else is taken, and nothing else is
    open at such places; else with the decision.

    Attributes:
        proposal: Its number.
        block: Id of the block.
        side: What is to stand there.
        text: For the human's own side: whole lines in the place of both.
    """

    proposal: int
    block: str
    side: Side
    text: str = ""


class Land(Command, frozen=True):
    """Land what was taken of the waiting proposal, and send the rest back with what was said of it.

    Where nothing was taken it is all sent back.

    Attributes:
        proposal: Its number.
        reason: Words to the partner about all of it; may be empty.
    """

    proposal: int
    reason: str = ""


class Fix(Command, frozen=True):
    """Have the checks' tools mend what they safely can in the waiting proposal; it is checked again.

    Attributes:
        proposal: Its number.
    """

    proposal: int
