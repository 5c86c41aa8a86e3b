"""Comments found by their signs alone, line by line: for files that no lexer knows, or that cost one too long."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import PurePosixPath

import msgspec

LONGEST_LINE = 4000
"""Longer lines were not written by hand: nothing is looked for in them."""

_HASH, _SLASHES, _DASHES, _SEMICOLON, _PERCENT = "#+", "//+!?", "--+", ";+", "%+"
_BLOCKS = {r"/\*+!?": r"\*+/", "<!--+": "--+>", r"\{#": r"#\}"}
_C_LIKE = (_SLASHES, r"/\*+!?")
_COMMON = (_HASH, *_C_LIKE, _DASHES, _SEMICOLON, _PERCENT, "<!--+")
_BY_SUFFIX = {
    # Text between tags may hold a single apostrophe, which lexers of plain JavaScript take for an open string.
    ".jsx": _C_LIKE,
    ".tsx": _C_LIKE,
    ".vue": (*_C_LIKE, "<!--+"),
    ".svelte": (*_C_LIKE, "<!--+"),
    ".astro": (*_C_LIKE, "<!--+"),
    # Elsewhere in these a number sign is a heading, and a semicolon a semicolon.
    ".md": ("<!--+",),
    ".mdx": ("<!--+", r"/\*+!?"),
    ".markdown": ("<!--+",),
    # Names that several languages share.
    ".pl": (_HASH,),
    ".r": (_HASH,),
    ".m": (*_C_LIKE, _PERCENT),
    ".bat": (r"(?i:rem)(?=\s)", "::"),
    ".cmd": (r"(?i:rem)(?=\s)", "::"),
}

_OPEN = re.compile(
    r"\s*(?:#+[!:|]?|//+[!/]?|/\*+!?|<!--+|--+\[\[|--+\|?|;+|%+|\{#-?|\{-|\(\*+|<#|\"|'|!+|\*+|::|\\\"|\.\.(?=\s)"
    r"|(?:rem|dnl)\b)",
    re.IGNORECASE,
)
_CLOSE = re.compile(r"(?:\*+/|--+>|-?#\}|\*+\)|-\}|\]\]|#>)\s*$")


class Comment(msgspec.Struct, frozen=True):
    """A comment, as it stands in a text.

    Attributes:
        line: 0-based number of its first line.
        count: How many lines it has.
        start: Where it begins in its first line.
        end: Where it ends in its last line.
        words: What it says, without its signs, a line each.
        alone: Nothing else stands on its lines.
    """

    line: int
    count: int
    start: int
    end: int
    words: tuple[str, ...]
    alone: bool


def comment_at(lines: list[str], line: int, start: int, last: int, end: int) -> Comment:
    """The comment that has a place in a text.

    Args:
        lines: The lines of the text, without their ends.
        line: Number of the first line.
        start: Where it begins in that.
        last: Number of the last line.
        end: Where it ends in that.
    """
    alone = not lines[line][:start].strip() and not lines[last][end:].strip()
    raw = [lines[line][start : end if last == line else None], *lines[line + 1 : last]]
    if last > line:
        raw.append(lines[last][:end])
    raw[-1] = _CLOSE.sub("", raw[-1])
    words = [" ".join(raw[0][opened.end() if (opened := _OPEN.match(raw[0])) else 0 :].split())]
    words += [" ".join(text.strip().lstrip("*").split()) for text in raw[1:]]
    return Comment(line, last - line + 1, start, end, tuple(words), alone)


def known_by_signs(path: str) -> bool:
    """Whether a file's comments are better found by their signs than by a lexer."""
    return PurePosixPath(path).suffix.lower() in _BY_SUFFIX


def by_signs(lines: list[str], path: str, wanted: Iterable[int]) -> list[Comment]:
    """The comments that begin on some lines, each on one line.

    A sign counts at the beginning of a line and behind a blank, where every quotation mark before it has its partner.

    Args:
        lines: The lines of the text, without their ends.
        path: The file; its ending says which signs there are.
        wanted: Numbers of the lines, ascending.
    """
    pattern = _pattern(PurePosixPath(path).suffix.lower())
    found = []
    for number in wanted:
        text = lines[number]
        if len(text) > LONGEST_LINE:
            continue
        sign = next((one for one in pattern.finditer(text) if _outside(text[: one.start()])), None)
        if sign is None:
            continue
        close = next((end for begin, end in _BLOCKS.items() if re.fullmatch(begin, sign.group())), None)
        end = len(text.rstrip())
        if close is not None:
            closed = re.compile(close).search(text, sign.end())
            if closed is None:
                continue
            end = closed.end()
        found.append(comment_at(lines, number, sign.start(), number, end))
    return found


@lru_cache(maxsize=32)
def _pattern(suffix: str) -> re.Pattern[str]:
    signs = _BY_SUFFIX.get(suffix, _COMMON)
    # In templates a comment may be all that is in a pair of braces.
    return re.compile(rf"(?:(?<![^\s{{])|^)(?:{'|'.join(signs)})")


def _outside(before: str) -> bool:
    """Whether a place of a line is outside of strings, by what stands before it.

    In braces it is, whatever stands before them: an apostrophe in the text of a template has no partner.
    """
    if before.endswith("{"):
        return True
    plain = before.replace("\\\\", "").replace("\\'", "").replace('\\"', "")
    return not any(plain.count(mark) % 2 for mark in "\"'`")
