"""The two sides of a failing comparison as a diff of their pretty forms, bounded.

Part of the plug-in `pairloop_pytest`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import difflib
import pprint
from typing import Any

from .values import mask

_MAX_LINES = 60
_MAX_LINE = 200
_MAX_ROWS = 1500
_MAX_NODES = 3000
_MAX_SIZE = 100_000
_WIDE = 70
_WINDOW = 50


def sides(left: Any, right: Any) -> list[str]:
    """Lines that show how two values differ: ``-`` stands before the left one's, ``+`` before the right one's.

    Empty where one line of each says it all, or where they are too large to be written out.
    """
    try:
        return _sides(left, right)
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException:  # noqa: BLE001 - a foreign __repr__ may raise anything
        return []


def _sides(left: Any, right: Any) -> list[str]:
    if not (_small(left) and _small(right)):
        return []
    if isinstance(left, str) and isinstance(right, str):
        first, second = left.splitlines(), right.splitlines()
        if len(first) <= 1 and len(second) <= 1:
            return _long_line(left, right) if max(len(left), len(right)) > _WIDE else []
        if first == second:
            # They differ in how their lines end.
            first, second = [repr(row) for row in left.splitlines(True)], [repr(row) for row in right.splitlines(True)]  # noqa: FBT003
    elif isinstance(left, (bytes, bytearray)) and isinstance(right, (bytes, bytearray)):
        return _long_line(repr(left), repr(right)) if max(len(left), len(right)) > _WIDE else []
    else:
        first, second = (pprint.pformat(side, width=100).splitlines() for side in (left, right))
        if len(first) == 1 and len(second) == 1 and max(len(first[0]), len(second[0])) <= _WIDE:
            return []
        if len(first) == 1 or len(second) == 1:
            first, second = (pprint.pformat(side, width=20).splitlines() for side in (left, right))
    if first == second or len(first) > _MAX_ROWS or len(second) > _MAX_ROWS:
        return []
    # Whole, as a secret may stand on more than one line.
    rows = list(difflib.unified_diff(first, second, lineterm="", n=2))[2:]
    return _bounded(mask("\n".join(rows)).splitlines())


def _bounded(rows: list[str]) -> list[str]:
    if len(rows) > _MAX_LINES:
        left_out = len(rows) - _MAX_LINES
        rows = [*rows[: _MAX_LINES - 10], "[... %d lines left out ...]" % left_out, *rows[-10:]]  # noqa: UP031 - old Pythons
    return [row if len(row) <= _MAX_LINE else row[: _MAX_LINE - 3] + "..." for row in rows]


def _long_line(left: str, right: str) -> list[str]:
    """The place where two long lines begin to differ."""
    left, right = mask(left), mask(right)
    if left == right:
        return []
    place = next(
        (index for index, (one, other) in enumerate(zip(left, right)) if one != other),  # noqa: B905 - old Pythons
        min(len(left), len(right)),
    )
    start, end = max(place - _WINDOW, 0), place + _WINDOW

    def window(side: str) -> str:
        return ("..." if start else "") + repr(side[start:end])[1:-1] + ("..." if end < len(side) else "")

    return [
        "they differ from character %d on (of %d and %d):" % (place, len(left), len(right)),  # noqa: UP031 - old Pythons
        "-" + window(left),
        "+" + window(right),
    ]


def _small(value: Any) -> bool:
    """Whether a value can be written out in bounded time: not many parts, and no long ones."""
    nodes = size = 0
    waiting = [value]
    while waiting:
        current = waiting.pop()
        nodes += 1
        if isinstance(current, (str, bytes, bytearray)):
            size += len(current)
        elif isinstance(current, (dict, list, tuple, set, frozenset)):
            if len(current) > _MAX_NODES:
                return False
            waiting.extend(current)
            if isinstance(current, dict):
                waiting.extend(current.values())
        if nodes > _MAX_NODES or size > _MAX_SIZE:
            return False
    return True
