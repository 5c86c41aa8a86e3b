"""Names that were perhaps meant where another one was written."""

from __future__ import annotations

from collections.abc import Iterable

_LONG = 40


def distance(one: str, other: str, most: int = 3) -> int:
    """How many letters have to be put in, left out, exchanged or swapped with their neighbour.

    That is the optimal string alignment distance, counted up to `most`: what is farther off is ``most + 1``.
    """
    if one == other:
        return 0
    if abs(len(one) - len(other)) > most or max(len(one), len(other)) > _LONG:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, there in enumerate(other, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != there))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == there:
                best = min(best, older[j - 2] + 1)
            row.append(best)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)


def _score(name: str, known: str) -> float | None:
    """How far a known name is from one that was written; None where nobody would take one for the other."""
    if name.lower() == known.lower():
        return 0.5
    plain, there = name.replace("_", "").lower(), known.replace("_", "").lower()
    if plain == there and plain:
        return 0.6
    words, others = name.lower().strip("_").split("_"), known.lower().strip("_").split("_")
    if len(words) > 1 and sorted(words) == sorted(others):
        return 1.0
    # A name of one letter is not a misspelt other one.
    most = 0 if min(len(name), len(known)) < 2 else 1 if len(name) <= 4 else 2 if len(name) <= 8 else 3
    far = min(distance(name, known, most), distance(name.lower(), known.lower(), most) + 1) if most else 1
    if far <= most and far < len(name):
        # The first letter is seldom wrong.
        return far + (0.5 if name[0] != known[0] else 0.0)
    shorter, longer = sorted((plain, there), key=len)
    if (
        len(shorter) >= 4
        and len(longer) - len(shorter) <= 4
        and (longer.startswith(shorter) or longer.endswith(shorter))
    ):
        return 2.5
    return None


def closest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The names that one was perhaps meant to be, the likeliest first.

    Args:
        name: What was written.
        known: What there is; the order decides between those that are equally close.
        count: The most to give.
    """
    scored = []
    for order, one in enumerate(dict.fromkeys(known)):
        if one != name and (score := _score(name, one)) is not None:
            scored.append((score, order, one))
    return [one for *_, one in sorted(scored)[:count]]
