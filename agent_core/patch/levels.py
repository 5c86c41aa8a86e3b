"""The levels at which lines count as alike, from exact to typographic, and a file's lines sorted by them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

_TYPOGRAPHIC = {
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-"),
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f"), '"'),
    **dict.fromkeys(map(ord, "\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"), " "),
}


class Shift(msgspec.Struct, frozen=True):
    """How the file's indentation differs from the hunk's, the same on every line.

    Attributes:
        add: The file has this in front.
        cut: The hunk has this in front.
    """

    add: str = ""
    cut: str = ""

    def apply(self, text: str) -> str | None:
        """A line of the hunk as it would stand in the file, None when it is indented too little for that."""
        if not text.strip():
            return text
        return self.add + text.removeprefix(self.cut) if text.startswith(self.cut) else None


class Level(msgspec.Struct, frozen=True):
    """A way of comparing.

    Attributes:
        key: Lines are alike when their keys are.
        plain: How indentation is read before it is compared.
        shifted: The indentation may differ, by the same on every line.
    """

    key: Callable[[str], str]
    plain: Callable[[str], str]
    shifted: bool


def _same(text: str) -> str:
    return text


def _typographic(text: str) -> str:
    return text.translate(_TYPOGRAPHIC)


LEVELS = (
    Level(_same, _same, shifted=False),
    Level(str.rstrip, _same, shifted=False),
    Level(str.strip, _same, shifted=True),
    Level(lambda text: _typographic(text).strip(), _typographic, shifted=True),
)


class Index:
    """The lines of a file by key, made for a level when it is first needed."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self._made: dict[int, tuple[list[str], dict[str, list[int]]]] = {}

    def at(self, level: int) -> tuple[list[str], dict[str, list[int]]]:
        """The key of every line, and the places of every key."""
        if level not in self._made:
            keys = list(map(LEVELS[level].key, self.lines))
            places: dict[str, list[int]] = {}
            for index, key in enumerate(keys):
                places.setdefault(key, []).append(index)
            self._made[level] = keys, places
        return self._made[level]


def indent(text: str) -> str:
    """The blanks a line begins with."""
    return text[: len(text) - len(text.lstrip())]


def find_shift(how: Level, there: Sequence[str], old: Sequence[str]) -> Shift | None:
    """The constant by which the indentation of two runs of lines differs.

    Args:
        how: The level at which they are alike.
        there: Lines of the file.
        old: Lines of the hunk.

    Returns:
        The constant; None when the lines differ by more than one.
    """
    pairs = [(indent(how.plain(a)), indent(how.plain(b))) for a, b in zip(there, old, strict=True) if a.strip()]
    if not pairs:
        return Shift()
    ours, theirs = pairs[0]
    if ours.endswith(theirs):
        shift = Shift(add=ours.removesuffix(theirs))
    elif theirs.endswith(ours):
        shift = Shift(cut=theirs.removesuffix(ours))
    else:
        return None
    return shift if all(shift.add + b == shift.cut + a for a, b in pairs) else None
