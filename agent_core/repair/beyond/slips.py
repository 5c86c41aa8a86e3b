"""A slip of the pen: what could be put right in a broken text, and how ordinary it is to get that wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from agent_core.repair.beyond.bench import Bench

Change = tuple[int, int, str]
"""Where it begins, where it ends, what stands there instead: indices into the text."""


class Slip(NamedTuple):
    """Something that could be put right.

    Attributes:
        cost: How unusual a slip it is, from 1.0 upwards.
        says: What is done about it, as a human would say it.
        changes: What is changed in the text; they do not overlap.
    """

    cost: float
    says: str
    changes: tuple[Change, ...]

    def on(self, text: str) -> str:
        """The text with it put right."""
        parts: list[str] = []
        at = 0
        for start, end, said in sorted(self.changes):
            parts += (text[at:start], said)
            at = end
        return "".join((*parts, text[at:]))


Slips = Callable[[Bench], Iterator[Slip]]
"""Gives slips of one kind that may have been made where a text cannot be parsed."""


def put(cost: float, index: int, text: str, says: str = "") -> Slip:
    """A text put in."""
    return Slip(cost, says or f"{text.strip()} put in", ((index, index, text),))


def exchange(cost: float, start: int, end: int, text: str, says: str) -> Slip:
    """A text in the place of another one."""
    return Slip(cost, says, ((start, end, text),))
