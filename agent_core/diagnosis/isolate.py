"""Finding the parts of a change that make something fail, by trying the change with parts left out. Pure.

The algorithm is Zeller and Hildebrandt's general delta debugging (dd, "Simplifying and Isolating Failure-Inducing
Input", IEEE TSE 28(2), 2002): between a set of parts with which it does not fail and a larger one with which it does,
it narrows the difference. Sets that come to no answer, such as a caller without what it calls, are evidence for
neither. It is repeated where what it finds does not fail alone, until the parts found together do; and among the rest,
where that fails too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

Answer = Literal["fails", "passes", "open"]
Parts = frozenset[str]
Try = Callable[[Parts], Awaitable[Answer]]


class OutOfBudgetError(Exception):
    """No more trials are allowed."""


async def isolate(parts: Sequence[str], attempt: Try) -> tuple[str, ...]:
    """The parts that make it fail.

    Args:
        parts: All parts, in order; with all of them it fails, with none it does not.
        attempt: Tries some of them.

    Returns:
        The fewest that were found, in order: without them it did not fail. A part that only holds another one up is not
        among them.

    Raises:
        OutOfBudgetError: As `attempt` does, before they were found.
    """
    rest = frozenset(parts)
    while True:
        rest -= await _cause(parts, rest, attempt)
        if not rest or await attempt(rest) != "fails":
            return tuple(part for part in parts if part not in rest)


async def _cause(parts: Sequence[str], every: Parts, attempt: Try) -> Parts:
    """One cause: parts that fail together, as few as were found."""
    found: Parts = frozenset()
    while True:
        passing, failing = await _narrowed(parts, found, every, attempt)
        found |= failing - passing
        # It fails alone; or comes to nothing, because the others hold it up.
        if found == every or await attempt(found) != "passes":
            break
    for part in [part for part in parts if part in found] if len(found) > 1 else ():
        # What came in beside another cause may turn out to be no part of this one.
        if await attempt(found - {part}) == "fails":
            found -= {part}
    return found


async def _narrowed(parts: Sequence[str], passing: Parts, failing: Parts, attempt: Try) -> tuple[Parts, Parts]:
    """A set with which it passes and a larger one with which it fails, as close together as can be."""
    grain = 2
    while len(failing - passing) > 1:
        pieces = _split([part for part in parts if part in failing - passing], grain)
        step = await _step(pieces, passing, failing, grain, attempt)
        if step is not None:
            passing, failing, grain = step
        elif grain < len(failing - passing):
            grain = min(2 * grain, len(failing - passing))
        else:
            break
    return passing, failing


async def _step(
    pieces: Sequence[Parts], passing: Parts, failing: Parts, grain: int, attempt: Try
) -> tuple[Parts, Parts, int] | None:
    """The first trial that brings the two sets closer; None when no piece does."""
    for piece in pieces:
        if await attempt(passing | piece) == "fails":
            return passing, passing | piece, 2
        if await attempt(failing - piece) == "passes":
            return failing - piece, failing, 2
    for piece in pieces:
        if await attempt(passing | piece) == "passes":
            return passing | piece, failing, max(grain - 1, 2)
        if await attempt(failing - piece) == "fails":
            return passing, failing - piece, max(grain - 1, 2)
    return None


def _split(parts: Sequence[str], count: int) -> list[Parts]:
    """Neighbours stay together: what belongs together stands close together in a patch."""
    size, rest = divmod(len(parts), count)
    pieces, start = [], 0
    for index in range(count):
        end = start + size + (index < rest)
        pieces.append(frozenset(parts[start:end]))
        start = end
    return [piece for piece in pieces if piece]


async def idle_parts(parts: Sequence[str], every: Sequence[str], good: Callable[[Parts], Awaitable[bool]]) -> Parts:
    """The parts that can be left out together.

    Args:
        parts: Those that may be left out, in order.
        every: All parts.
        good: Tries some of all parts: whether it is as good as with all of them.

    Returns:
        Those of which it is known when `good` raises `OutOfBudgetError`, or when there is nothing more to try.
    """
    out: Parts = frozenset()
    waiting = [list(parts)] if parts else []
    try:
        while waiting:
            group = waiting.pop(0)
            if await good(frozenset(every) - out - frozenset(group)):
                out |= frozenset(group)
            elif len(group) > 1:
                middle = len(group) // 2
                waiting[:0] = [group[:middle], group[middle:]]
    except OutOfBudgetError:
        pass
    return out
