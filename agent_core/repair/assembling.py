"""Repairs of several parts put together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import msgspec

from agent_core.repair.hearing import trials_of
from agent_core.repair.hunt import Survivor
from agent_core.repair.lab import TrialLab
from agent_core.repair.model import Plan, joined

_LEAST = 5.0


def ordinary(one: Survivor) -> tuple[bool, float]:
    """What comes first where nothing is compared yet: what is clean, cheap and at a suspicious line."""
    return not one.clean, one.variant.cost - one.weight / 10


def choices(parts: Sequence[Sequence[Survivor]], most: int) -> list[Survivor]:
    """Repairs of everything, one of each part: the best of each first, then others of one part at a time.

    Args:
        parts: The repairs of each part, at least one each.
        most: How many choices are made.
    """
    ordered = [sorted(part, key=ordinary) for part in parts]
    best = [part[0] for part in ordered]
    made = [best]
    for number, part in enumerate(ordered):
        made += [[*best[:number], other, *best[number + 1 :]] for other in part[1:]]
    return [whole for choice in made[:most] if (whole := _together(choice)) is not None]


def common(parts: Sequence[Sequence[Survivor]]) -> list[Survivor]:
    """What is among the repairs of every part, so that each test has passed with it: repairs of everything.

    Args:
        parts: The repairs of each part, at least one each.
    """
    every = [{one.variant.edits: one for one in part} for part in parts]
    shared = [edits for edits in every[0] if all(edits in part for part in every)]
    found = [_together([part[edits] for part in every]) for edits in shared]
    most = {edits: max(part[edits].passed - len(part[edits].mends) for part in every) for edits in shared}
    made = [
        msgspec.structs.replace(one, passed=most[one.variant.edits] + len(one.mends))
        for one in found
        if one is not None
    ]
    return sorted(made, key=ordinary)


async def passing(
    lab: TrialLab, made: Sequence[Survivor], others: Sequence[str], seconds: float, numbers: Iterator[int]
) -> tuple[Survivor, ...]:
    """What of such choices passes all tests.

    Args:
        lab: Where they are tried.
        made: The choices.
        others: Tests that pass without them.
        seconds: How much time there is; some they get in any case.
        numbers: Gives what nothing else is numbered by there.
    """
    numbered = dict(zip(numbers, made, strict=False))
    plans = [
        Plan(number, one.variant.edits, tuple(dict.fromkeys((*one.mends, *others)))) for number, one in numbered.items()
    ]
    return tuple(
        [
            msgspec.structs.replace(numbered[trial.number], passed=trial.passed)
            async for trial in trials_of(lab, plans, asyncio.Event(), min(max(seconds, _LEAST), 2 * _LEAST))
            if trial.outcome == "passed"
        ]
    )


def _together(parts: Sequence[Survivor]) -> Survivor | None:
    """Repairs of several parts as one; None where they touch the same text. One that mends two parts stays one."""
    variant = parts[0].variant
    for other in dict.fromkeys(part.variant for part in parts[1:] if part.variant != parts[0].variant):
        both = joined(variant, other)
        if both is None:
            return None
        variant = both
    mends = tuple(dict.fromkeys(test for part in parts for test in part.mends))
    whole, objection = all(part.whole for part in parts), next((part.objection for part in parts if part.objection), "")
    return Survivor(variant, min(part.weight for part in parts), 0, whole, mends, objection)
