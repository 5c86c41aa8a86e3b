"""A place at which two sides meet, made what somebody has chosen: one side, both, or a text of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from agent_core.patch.splice import Splice


class Settled(msgspec.Struct, frozen=True):
    """What somebody wants in the place of a block that collides.

    Attributes:
        both: What stands there now stays, and the patch's lines come after it.
        text: Lines that somebody wrote instead of both sides; None where they did not.
        start: Where these go: 1-based line of the newer text at which `theirs` begins.
        theirs: The lines there that they wrote them for.
    """

    both: bool = False
    text: tuple[str, ...] | None = None
    start: int = 0
    theirs: tuple[str, ...] = ()


PATCHS = Settled()
"""The place becomes what the patch makes of it, and what stands there now goes."""
Wishes = Mapping[str, Settled]
"""By the block's id."""


def settle(
    wish: Settled, name: str, at: int, sides: tuple[Sequence[str], Sequence[str]], current: Sequence[str]
) -> Splice | None:
    """What becomes of a place.

    Args:
        wish: What is wanted there.
        name: Name of the block.
        at: 0-based line of the newer text at which the place begins.
        sides: What stands there now, and what the patch makes of it.
        current: All lines of the newer text.

    Returns:
        The way there; None where somebody wrote a text for a place that is another by now.
    """
    theirs, ours = sides
    if wish.text is None:
        return Splice(at, tuple(theirs), both_of(theirs, ours) if wish.both else tuple(ours), name)
    first, last = wish.start - 1, wish.start - 1 + len(wish.theirs)
    inside = first <= at and at + len(theirs) <= last
    if not inside or tuple(current[first:last]) != wish.theirs:
        return None
    return Splice(first, wish.theirs, wish.text, name)


def both_of(theirs: Sequence[str], ours: Sequence[str]) -> tuple[str, ...]:
    """Both sides of a place, one after the other; what they have in common at its head and its end is there once.

    Args:
        theirs: What comes first.
        ours: What comes after it.
    """
    most = min(len(theirs), len(ours))
    head = next((at for at in range(most) if theirs[at] != ours[at]), most)
    most -= head
    tail = next((at for at in range(most) if theirs[-1 - at] != ours[-1 - at]), most)
    end = len(theirs) - tail
    first, second = list(theirs[:end]), list(ours[head : len(ours) - tail])
    if second and first and not first[-1].endswith("\n"):
        # It ended the file, and does not any more.
        first[-1] += "\r\n" if second[0].endswith("\r\n") else "\n"
    return (*first, *second, *theirs[end:])
