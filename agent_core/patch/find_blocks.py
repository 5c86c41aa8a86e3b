"""Where a SEARCH/REPLACE block begins and ends; its grammar is in `agent_core.patch.parse_blocks`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent_core.patch.patch_lines import LONGEST, closes_fence

_HEAD = re.compile(r"\s*(<{5,9})\s*SEARCH>?\s*:?\s*$")
_CROWDED = re.compile(r"<{5,9}\s*SEARCH\b")
_DIVIDER = re.compile(r"\s*(={5,9})\s*$")
_TAIL = re.compile(r"\s*(>{5,9})\s*REPLACE<?\s*$")


def is_crowded_head(text: str) -> bool:
    """Whether a line would begin a block, but for what stands behind ``SEARCH``."""
    return _CROWDED.match(text[:LONGEST]) is not None and not head_width(text)


def head_width(text: str) -> int:
    """How many marks a ``<<<<<<< SEARCH`` line has, 0 for another line."""
    return _width(_HEAD, text)


def divider_width(text: str) -> int:
    """How many marks a ``=======`` line has, 0 for another line."""
    return _width(_DIVIDER, text)


def tail_width(text: str) -> int:
    """How many marks a ``>>>>>>> REPLACE`` line has, 0 for another line."""
    return _width(_TAIL, text)


def _width(marker: re.Pattern[str], text: str) -> int:
    found = marker.match(text) if len(text) <= LONGEST else None
    return len(found.group(1)) if found else 0


class BlockLines:
    """Goes along with the lines of a block, its first one included, and knows the one that ends it.

    A block may hold an example of a block; then the inner one's markers have another length. Any length ends a block
    in which no such example has begun.
    """

    def __init__(self) -> None:
        self._width = 0
        self._inner: list[int] = []
        self.ended = False

    def take(self, text: str) -> tuple[int, bool]:
        """Take the next line.

        Returns:
            How many of the lines not yet decided upon are the block's; whether it ends with them.
        """
        if head := head_width(text):
            if self._width in {0, head}:
                self._width, self._inner = head, []
            else:
                self._inner.append(head)
        elif tail := tail_width(text):
            if tail in self._inner and tail != self._width:
                self._inner.remove(tail)
            else:
                self.ended = True
        return 1, self.ended

    def finish(self) -> int:
        """The text ends; how many of the lines not yet decided upon are the block's."""
        return 0


def cut_unclosed(texts: Sequence[str], mark: str) -> int | None:
    """Where a block ends that has lost its ``>>>>>>> REPLACE``: at the end of the fence it stands in.

    Args:
        texts: Its lines and everything after.
        mark: The marks that opened the fence; empty when there is none.

    Returns:
        Index of the line that closes the fence; None when it cannot be told.
    """
    heads = [at for at, text in enumerate(texts) if head_width(text)]
    dividers = [at for at, text in enumerate(texts) if divider_width(text) and at > heads[-1]] if heads else []
    if not dividers:
        return None
    closing = [at for at, text in enumerate(texts) if at > dividers[0] and closes_fence(text, mark)]
    return closing[0] if len(closing) == 1 else None
