"""Replacing stretches of a text, told as blocks that keep their names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from agent_core.patch.line_diff import changed_ranges
from agent_core.patch.model import Block, BlockNames


class Splice(msgspec.Struct, frozen=True):
    """One stretch of a text, and what becomes of it.

    Attributes:
        at: 0-based line of the text before at which it stands.
        old: Its lines.
        new: What stands there afterwards.
        id: Name of the block it is; empty where it is cut into blocks by what differs.
    """

    at: int
    old: tuple[str, ...]
    new: tuple[str, ...]
    id: str = ""

    def trimmed(self, name: str) -> Splice:
        """The same as one block of that name, without the lines it leaves alone at its head and its end."""
        ranges = changed_ranges(self.old, self.new)
        if not ranges:
            return Splice(self.at, self.old, self.new)
        (a, _, c, _), (_, b, _, d) = ranges[0], ranges[-1]
        return Splice(self.at + a, self.old[a:b], self.new[c:d], name)


def spliced(lines: Sequence[str], splices: Iterable[Splice]) -> list[str]:
    """A text with stretches replaced.

    Args:
        lines: The text before.
        splices: From top to bottom.
    """
    out: list[str] = []
    at = 0
    for splice in splices:
        out += lines[at : splice.at]
        out += splice.new
        at = splice.at + len(splice.old)
    out += lines[at:]
    return out


def blocks_of(path: str, splices: Sequence[Splice]) -> tuple[Block, ...]:
    """The blocks that the splices of a file make.

    Args:
        path: Path of the file after the patch.
        splices: From top to bottom.
    """
    names = BlockNames(path, (splice.id for splice in splices if splice.id))
    blocks = []
    shift = 0
    for splice in splices:
        old, new = splice.old, splice.new
        ranges = [(0, len(old), 0, len(new))] if splice.id else changed_ranges(old, new)
        for a, b, c, d in ranges:
            name = splice.id or names.name(old[a:b], new[c:d])
            blocks.append(Block(name, splice.at + a + 1, splice.at + shift + c + 1, old[a:b], new[c:d]))
        shift += len(new) - len(old)
    return tuple(blocks)
