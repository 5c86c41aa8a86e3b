r"""Which old line of a block a new line stands for, and the block with only some of its lines taken.

``git add -p`` and lazygit say what a partly taken block is: a removed line that is not taken stays, an added one that
is not taken does not come. They put what stays before what comes. Here a new line comes where the line it stands for
was, so that the third of five replaced lines, taken alone, is the third line afterwards.

Lines are paired in order, so that as much as possible is alike (the recurrence of Needleman and Wunsch, 1970, without a
price for gaps); where old and new lines are as many, the first stands for the first unless likeness says otherwise.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

Pair = tuple[int, int]

_WORD = re.compile(r"\w+|[^\w\s]")
_MOST_PAIRS = 10_000
_ALIKE = 0.6
_SAME_PLACE = 0.3


def pairs(removed: Sequence[str], added: Sequence[str]) -> list[Pair]:
    """Which removed line stands for which added one.

    Args:
        removed: Old lines.
        added: New lines.

    Returns:
        Pairs of places, both rising. Lines without a counterpart are in none.
    """
    count, others = len(removed), len(added)
    if count * others > _MOST_PAIRS:
        return [(at, at) for at in range(count)] if count == others else []
    if not count or not others:
        return []
    words = [Counter(_WORD.findall(line)) for line in removed]
    other_words = [Counter(_WORD.findall(line)) for line in added]
    worth = [[0.0] * (others + 1) for _ in range(count + 1)]
    alike = [
        [
            max(_likeness(mine, other), _SAME_PLACE if count == others and row == column else 0.0)
            for column, other in enumerate(other_words)
        ]
        for row, mine in enumerate(words)
    ]
    for row in range(count - 1, -1, -1):
        for column in range(others - 1, -1, -1):
            together = alike[row][column] and alike[row][column] + worth[row + 1][column + 1]
            worth[row][column] = max(worth[row + 1][column], worth[row][column + 1], together)
    found: list[Pair] = []
    row = column = 0
    while row < count and column < others:
        here = alike[row][column]
        if here and worth[row][column] == here + worth[row + 1][column + 1]:
            found.append((row, column))
            row, column = row + 1, column + 1
        elif worth[row][column] == worth[row + 1][column]:
            row += 1
        else:
            column += 1
    return found


def _likeness(one: Counter[str], other: Counter[str]) -> float:
    """How much two lines have in common: Dice's coefficient of their words and signs, 0 below a threshold."""
    total = one.total() + other.total()
    found = 2 * (one & other).total() / total if total else 0.0
    return found if found >= _ALIKE else 0.0


def weave(removed: Sequence[str], added: Sequence[str], taken: Collection[int]) -> list[str]:
    """What a block makes of its place when only some of its lines are taken.

    Args:
        removed: Old lines.
        added: New lines.
        taken: Places of those taken, removed lines first, then added ones.
    """
    count = len(removed)
    out: list[str] = []
    row = column = 0
    for to_row, to_column in [*pairs(removed, added), (count, len(added))]:
        # What has no counterpart: first what stays, then what comes, as git has it.
        out += [removed[at] for at in range(row, to_row) if at not in taken]
        out += [added[at] for at in range(column, to_column) if count + at in taken]
        if to_row < count:
            out += [removed[to_row]] * (to_row not in taken)
            out += [added[to_column]] * (count + to_column in taken)
        row, column = to_row + 1, to_column + 1
    return out
