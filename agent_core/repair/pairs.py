"""Two changes at once, for what no single one mends."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent_core.repair.model import Variant, joined

_MOST_SINGLES = 64
_ELSEWHERE = 0.3


@dataclass(frozen=True)
class Tried:
    """A variant that was tried and mends not all.

    Attributes:
        variant: The variant.
        weight: How soon it was due, the higher the sooner.
        gain: By how much it is raised as it made something better, or another than it was; 1 for nothing.
        function: What its function is known by.
        mends: Tests that fail without it and pass with it, as far as that is known.
    """

    variant: Variant
    weight: float
    gain: float
    function: object
    mends: frozenset[str] = frozenset()


def pairs_of(tried: Sequence[Tried]) -> Iterator[Variant]:
    """Pairs of variants, the most promising first.

    Those come first that made some tests pass, with one another where they are not the same tests; then those of one
    function.

    Args:
        tried: What was tried, in any order.
    """
    best = sorted(tried, key=lambda one: -one.weight * one.gain)[:_MOST_SINGLES]
    weighed = [
        (_weight(one, other), number, one, other) for number, (one, other) in enumerate(itertools.combinations(best, 2))
    ]
    for _, _, one, other in sorted(weighed, key=lambda row: (-row[0], row[1])):
        pair = joined(one.variant, other.variant)
        if pair is not None:
            yield pair


def _weight(one: Tried, other: Tried) -> float:
    weight = one.weight * one.gain * other.weight * other.gain
    if one.mends and other.mends:
        # Together they mend more than each; or the same, so that one of the two is in vain.
        weight *= 4 if one.mends - other.mends and other.mends - one.mends else 1
    if one.function != other.function:
        weight *= _ELSEWHERE
    if one.variant.line == other.variant.line and one.variant.template == other.variant.template:
        weight *= _ELSEWHERE
    return weight
