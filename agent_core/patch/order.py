"""What the hunks of one file say about each other's places: by their line numbers, their order, and their overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from agent_core.patch.operations import Hunk
from agent_core.patch.place import SIMILARITY, Place, Spot, Unplaced, span

Found = list[list[Spot] | Unplaced]

# So many hunks of known places, from top to bottom, show that a patch is written in that order.
_ENOUGH = 2


def changes_nothing(hunk: Hunk) -> bool:
    """Whether a hunk only says what stands above the next."""
    return all(line.sign == " " for line in hunk.lines)


def by_number(hunks: Sequence[Hunk], found: Found) -> Found:
    """Leave only the spot at a hunk's line number, where the hunk has one and a spot is there.

    A line number counts from where the hunks that can stand in only one place say it does: when these are all off
    by the same, or those directly above and below are, so is it.

    Args:
        hunks: The hunks.
        found: The spots of each of them.
    """
    drifts = {
        at: spots[0].start + 1 - hunk.old_start
        for at, (hunk, spots) in enumerate(zip(hunks, found, strict=True))
        if isinstance(spots, list) and len(spots) == 1 and hunk.old_start is not None
    }
    narrowed: Found = []
    for at, (hunk, spots) in enumerate(zip(hunks, found, strict=True)):
        drift = _drift(drifts, at) if isinstance(spots, list) and len(spots) > 1 else None
        if isinstance(spots, Unplaced) or drift is None or hunk.old_start is None:
            narrowed.append(spots)
        else:
            wanted = hunk.old_start - 1 + drift
            narrowed.append([spot for spot in spots if spot.start == wanted] or spots)
    return narrowed


def _drift(drifts: dict[int, int], at: int) -> int | None:
    """By how much a hunk's line number is off; None when the others do not agree."""
    if len(set(drifts.values())) <= 1:
        return next(iter(drifts.values()), 0)
    above = max((other for other in drifts if other < at), default=None)
    below = min((other for other in drifts if other > at), default=None)
    if above is None or below is None or drifts[above] != drifts[below]:
        return None
    return drifts[above]


def by_order(hunks: Sequence[Hunk], found: Found, *, ordered: bool) -> Found:
    """Leave only the spots that fit in with those of the other hunks.

    Hunks that are promised to stand from top to bottom narrow each other down; so do those of one SEARCH/REPLACE
    block. Without that promise the order counts only when it leaves every hunk one spot, and enough of them have one
    anyhow, from top to bottom. Equal hunks that are as many as their spots take one each in any case.

    Args:
        hunks: The hunks.
        found: The spots of each of them.
        ordered: They are promised to stand from top to bottom.
    """
    found = found if ordered else _shared_out(hunks, _in_blocks(hunks, found))
    placed = [at for at, spots in enumerate(found) if isinstance(spots, list) and not changes_nothing(hunks[at])]
    narrowed = _narrowed(found, placed)
    if ordered:
        return narrowed
    alone, left = (sum(_is_one(spots[at]) for at in placed) for spots in (found, narrowed))
    return narrowed if alone >= _ENOUGH and left == len(placed) else found


def _is_one(spots: list[Spot] | Unplaced) -> bool:
    return isinstance(spots, list) and len(spots) == 1


def _in_blocks(hunks: Sequence[Hunk], found: Found) -> Found:
    """Leave only the spots at which the hunks of one block, which has one number, stand from top to bottom."""
    for _, group in groupby(range(len(hunks)), key=lambda at: hunks[at].number):
        placed = [at for at in group if isinstance(found[at], list)]
        if len(placed) > 1:
            found = _narrowed(found, placed)
    return found


def _narrowed(found: Found, placed: Sequence[int]) -> Found:
    """Leave only the spots at which some of the hunks stand from top to bottom; all of them when there are none."""
    chosen = _in_order([spots for at in placed if isinstance(spots := found[at], list)])
    narrowed = list(found)
    for at, spots in zip(placed, chosen, strict=True):
        narrowed[at] = spots or narrowed[at]
    return narrowed


def _shared_out(hunks: Sequence[Hunk], found: Found) -> Found:
    """Give equal hunks one spot each, where there are as many spots as hunks."""
    equal: dict[object, list[int]] = {}
    for at, (hunk, spots) in enumerate(zip(hunks, found, strict=True)):
        if isinstance(spots, list) and len(spots) > 1:
            equal.setdefault((hunk.lines, tuple(spot.start for spot in spots)), []).append(at)
    shared = list(found)
    for numbers in equal.values():
        spots = found[numbers[0]]
        if isinstance(spots, list) and len(spots) == len(numbers):
            for at, spot in zip(numbers, spots, strict=True):
                shared[at] = [spot]
    return shared


def _in_order(found: Sequence[list[Spot]]) -> list[list[Spot]]:
    """Leave only the spots that fit in with all other hunks when the hunks go from top to bottom.

    A spot stays when it can be reached from a spot of every hunk before and goes on to one of every hunk
    after. When no order fits at all, every list comes back empty.
    """
    forward: list[list[Spot]] = []
    for spots in found:
        fits = spots
        if forward:
            # The spots of one hunk go from top to bottom, so the first of them leaves the most room.
            fits = [spot for spot in spots if forward[-1] and _follows(spot, forward[-1][0])]
        forward.append(fits)
    kept: list[list[Spot]] = []
    for spots in reversed(forward):
        fits = [spot for spot in spots if not kept or (kept[-1] and _follows(kept[-1][-1], spot))]
        kept.append(fits)
    kept.reverse()
    return kept if all(kept) else [[] for _ in found]


def _follows(spot: Spot, other: Spot) -> bool:
    """Whether what is changed at a spot stands below what is at another; context may begin in any order.

    Of two that only add, and at the same point, the one with more context above it comes first.
    """
    if spot.core == other.core and spot.core[0] == spot.core[1]:
        return spot.start > other.start
    return spot.core[0] >= other.core[1]


def without_overlaps(answers: Sequence[Place | Unplaced], *, ordered: bool) -> tuple[Place | Unplaced, ...]:
    """Refuse a hunk that changes a line another one changes too, the later of the two.

    Args:
        answers: One a hunk.
        ordered: The hunks are promised to stand from top to bottom.
    """
    checked = list(answers)
    if ordered:
        for number in range(len(checked)):
            checked[number] = _against_order(answers, number)
    placed = sorted(
        (answer.core, number) for number, answer in enumerate(checked) if isinstance(answer, Place) and answer.edits
    )
    owner: tuple[tuple[int, int], int] | None = None
    for core, number in placed:
        if owner is not None and _collide(checked, owner, (core, number)):
            early, late = sorted((owner[1], number))
            checked[late] = Unplaced(
                f"changes the same lines as hunk {early + 1} (line {core[0] + 1} of the file). "
                "Join the two into one hunk."
            )
            if late == number:
                continue
        owner = core, number
    return tuple(checked)


def _collide(
    answers: Sequence[Place | Unplaced], one: tuple[tuple[int, int], int], other: tuple[tuple[int, int], int]
) -> bool:
    """Whether two changes, the upper one first, touch the same lines or leave open which comes first."""
    (core, number), (next_core, next_number) = one, other
    if next_core[0] < core[1]:
        return True
    if core != next_core:
        return False
    # Both only add, and at the same point: the one with more context above it is meant to come first.
    first, second = answers[number], answers[next_number]
    return isinstance(first, Place) and isinstance(second, Place) and first.start >= second.start


def _against_order(answers: Sequence[Place | Unplaced], number: int) -> Place | Unplaced:
    """A place by similarity counts only where the order of the hunks has it."""
    answer = answers[number]
    if isinstance(answer, Place) and answer.level == SIMILARITY:
        for at, other in enumerate(answers):
            if isinstance(other, Place) and at != number and (other.core[0] < answer.core[0]) != (at < number):
                return Unplaced(
                    f"its lines are not in the file. Those at {span(answer.start + 1, answer.end)} are like them, but "
                    f"stand {'above' if at < number else 'below'} hunk {at + 1}. Copy the lines from the file."
                )
    return answer
