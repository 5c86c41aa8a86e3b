r"""The levels at which a hunk's lines count as the file's, from exact to differing in all their blanks.

Every level is a key: two lines are alike when their keys are. Beyond the last one there is only similarity
(`agent_core.patch.similar`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

import msgspec

# What editors, word processors and models put in the place of plain characters, by the plain ones.
_TYPOGRAPHIC = {
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d",
    "'": "\u2018\u2019\u201a\u201b\u2032",
    '"': "\u201c\u201d\u201e\u201f\u2033",
    " ": "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\r",
    "...": "\u2026",
    "": "\u00ad\u200b\u2060\ufeff",
}
_PLAIN = {odd: plain for plain, odds in _TYPOGRAPHIC.items() for odd in odds}

_ODD = re.compile(r"[^\x00-\x7f]|\r")

# Words, single signs, and string literals as a whole: blanks between these say nothing, blanks in them do.
_TOKEN = re.compile(r"""\"(?:\\.|[^"\\])*\"|'(?:\\.|[^'\\])*'|\w+|[^\w\s]""")

LONG = 4_000
"""Lines with more characters are compared as a whole."""

_MOST_QUOTES = 400

Indents = Literal["same", "shifted", "mapped", "free"]


class Level(msgspec.Struct, frozen=True):
    """A way of comparing lines.

    Attributes:
        name: What it is called when a human is told how a hunk was placed.
        view: Which copy of the file's text it searches; levels may share one.
        key: A line as it counts at this level.
        indents: How the hunk's indentation may differ from the file's: not at all, by a constant, in its unit, or
            from line to line.
    """

    name: str
    view: Literal["exact", "ends", "strip", "typographic", "spaceless"]
    key: Callable[[str], str]
    indents: Indents


def typographic(text: str) -> str:
    r"""A text with plain quotes, dashes and blanks for typographic ones; a ``\r`` in it is a blank."""
    if text.isascii() and "\r" not in text:
        return text
    for odd in set(_ODD.findall(text)) & _PLAIN.keys():
        text = text.replace(odd, _PLAIN[odd])
    return text


def tokens(line: str) -> list[str]:
    """What a line says, whatever blanks stand between: words, signs, string literals.

    A line of data rather than code is one token: to look for the ends of its quotes takes the square of its length.
    """
    if len(line) > LONG or line.count('"') + line.count("'") > _MOST_QUOTES:
        return [typographic(line).strip()]
    return _TOKEN.findall(typographic(line))


def spaceless(line: str) -> str:
    """A line without blanks; lines of the same tokens are the same in this."""
    return "".join(line.split())


def _same(line: str) -> str:
    return line


def _plain_stripped(line: str) -> str:
    return typographic(line).strip()


def _plain_spaceless(line: str) -> str:
    return spaceless(typographic(line))


EXACT = Level("exact", "exact", _same, "same")
LINE_ENDS = Level("blanks at line ends", "ends", str.rstrip, "same")
SHIFTED = Level("shifted indentation", "strip", str.strip, "shifted")
REINDENTED = Level("other indentation", "strip", str.strip, "mapped")
TYPOGRAPHIC = Level("typography", "typographic", _plain_stripped, "mapped")
SPACELESS = Level("blanks", "spaceless", _plain_spaceless, "free")

# The strictest first; the first that matches anywhere counts.
LEVELS = (EXACT, LINE_ENDS, SHIFTED, REINDENTED, TYPOGRAPHIC, SPACELESS)


def indent(text: str) -> str:
    """The blanks a line begins with."""
    return text[: len(text) - len(text.lstrip())]
