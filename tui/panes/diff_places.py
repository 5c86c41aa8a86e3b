"""What a diff is laid out of, and how high its lines are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from agent_core.patch.model import Block
from tui.panes.diff_words import Row
from tui.widgets.lines import MAX_CHARS, Line, clean
from tui.widgets.wrap import breaks, expand_tabs

Fold = tuple[str, int]
"""An unchanged region: the file's path, and the 1-based old line at which it begins."""


class Stop(NamedTuple):
    """A place the cursor can be at: a block, or a file that has none.

    Attributes:
        id: Tells it from the others, and stays when the proposal changes elsewhere.
        file: Which file.
        block: Which of its blocks, -1 for the file as a whole.
        first: Index of its first line.
        length: How many lines it has.
    """

    id: str
    file: int
    block: int
    first: int
    length: int


class Section(NamedTuple):
    """Some lines that are made in the same way.

    Attributes:
        file: Which file they are of.
        line: The one line, where it is there already.
        block: Which block they are of, -1 for unchanged lines.
        start: The first unchanged line, on the old side.
        shift: How many lines farther down they are on the new side.
        rows: Of a block side by side: the places of what stands in each row.
        fold: What a line stands for that is shown when it is opened.
        is_header: It is the line above a file.
    """

    file: int
    line: Line | None = None
    block: int = -1
    start: int = 0
    shift: int = 0
    rows: Sequence[Row] = ()
    fold: Fold | None = None
    is_header: bool = False


def base_fold(block: Block) -> Fold:
    """What stands for the text that both sides of a stale block started from."""
    return f"/{block.id}", block.old_start


def row_of(section: Section, at: int, removed: int) -> Row:
    """The places of what stands in a row that is not side by side."""
    if section.rows:
        return section.rows[at]
    return (at, None) if at < removed else (None, at - removed)


def height(line: str, room: int) -> int:
    """How many rows a line takes, without its ending.

    Args:
        line: The line as it is in the file.
        room: Cells of a row.
    """
    count = len(line)
    if 4 * count <= room:  # a tab takes four cells, anything else at most two
        return 1
    if line.isascii() and count <= MAX_CHARS:
        return -(-len(expand_tabs(line)) // room)
    return len(breaks(clean(line), room, words=False))
