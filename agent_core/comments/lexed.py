"""The comments of a text, in any language: by Pygments' lexers, within bounds; else by their signs."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

from agent_core.comments.signs import LONGEST_LINE, Comment, by_signs, comment_at, known_by_signs

MOST_BYTES = 256 * 1024
"""Larger files are not looked into: nobody writes them by hand, and a lexer takes seconds for them."""

_BUDGET = 1.5  # seconds a lexer gets
_BLOCK_OPENERS = ("/*", "<!--", "{#", "{-", "(*", "--[", "<#", "#|", "#[", "=begin", "{{!")
log = logging.getLogger(__name__)


class _OutOfTimeError(Exception):
    """A lexer took too long."""


def comments(lines: list[str], path: str, wanted: list[int], *, budget: float = _BUDGET) -> list[Comment]:
    """The comments of a text, as far as they matter.

    Args:
        lines: The lines of the text, without their ends.
        path: The file; its name says which language it is.
        wanted: Numbers of the lines that may hold one that matters, ascending. Those that stand right above and below
            are found, too.
        budget: Seconds that a lexer gets.

    Returns:
        In order. By their signs alone, and each on one line, where no lexer knows the file or it takes too long.
    """
    if not wanted:
        return []
    hand_written = all(len(line) <= LONGEST_LINE for line in lines)
    if hand_written and not known_by_signs(path) and (lexer := _lexer(path)) is not None:
        try:
            return list(_lexed(lexer, lines, wanted[-1], time.monotonic() + budget))
        except _OutOfTimeError:
            log.warning("lexing %s took too long", path)
        except Exception:
            # Lexers meet half-written code, and some of them fail at it.
            log.exception("lexing %s failed", path)
    return by_signs(lines, path, _neighbours(lines, wanted))


def _neighbours(lines: list[str], wanted: list[int]) -> list[int]:
    """Some lines, and those above and below them up to the next blank line."""
    found = set(wanted)
    for number in wanted:
        for step in (-1, 1):
            at = number + step
            while 0 <= at < len(lines) and lines[at].strip() and at not in found:
                found.add(at)
                at += step
    return sorted(found)


def _lexer(path: str) -> Any:
    """The lexer for a file's name; None where there is none that knows comments."""
    # Only where it is used: importing it costs a tenth of a second.
    from pygments.lexers import get_lexer_for_filename  # type: ignore[import-untyped]  # noqa: PLC0415
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        lexer = get_lexer_for_filename(path.rpartition("/")[2])
    except ClassNotFound:
        return None
    return None if lexer.name in {"Text only", "Text output"} else lexer


def _lexed(lexer: Any, lines: list[str], last: int, deadline: float) -> Iterator[Comment]:
    """The comments that a lexer finds, to the end of those that follow a line without anything else between."""
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    at = 0
    for begin, end in _stretches(lexer, "\n".join(lines) + "\n", starts[last + 1], deadline):
        while starts[at + 1] <= begin:
            at += 1
        last = at
        while starts[last + 1] < end:
            last += 1
        column = begin - starts[at]
        if last == at or lines[at][column:].startswith(_BLOCK_OPENERS):
            yield comment_at(lines, at, column, last, end - starts[last])
            continue
        for number in range(at, last + 1):
            if text := lines[number].strip():
                first = column if number == at else lines[number].index(text)
                yield comment_at(lines, number, first, number, len(lines[number].rstrip()))


def _stretches(lexer: Any, text: str, needed: int, deadline: float) -> Iterator[tuple[int, int]]:
    """Where comments begin and end, joined where nothing stands between."""
    # Only where it is used, as above.
    from pygments.token import Comment as Kind  # type: ignore[import-untyped]  # noqa: PLC0415

    begin = end = -1
    for count, (index, kind, value) in enumerate(lexer.get_tokens_unprocessed(text)):
        if count % 256 == 0 and time.monotonic() > deadline:
            raise _OutOfTimeError
        if kind in Kind and kind not in Kind.Preproc and kind not in Kind.PreprocFile and kind not in Kind.Hashbang:
            if index != end and begin >= 0:
                yield _stripped(text, begin, end)
                begin = -1
            begin = index if begin < 0 else begin
            end = index + len(value)
        elif index >= needed and value.strip():
            break
    if begin >= 0:
        yield _stripped(text, begin, end)


def _stripped(text: str, begin: int, end: int) -> tuple[int, int]:
    """A stretch without the blanks at its ends: some lexers count the line's end in, or the blanks before."""
    inner = text[begin:end]
    return begin + len(inner) - len(inner.lstrip()), begin + len(inner.rstrip())
