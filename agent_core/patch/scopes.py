"""What an ``@@`` line means: which lines of a file it names, and how far it reaches."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from agent_core.patch.document import Document
from agent_core.patch.levels import TYPOGRAPHIC, indent

_CLOSING = ("}", ")", "]", "{")
_FIRST_WORD = re.compile(r"\w+|[^\w\s]+")

# An ``@@`` line that stands at more places than this says nothing.
_MOST_ANCHORS = 500

# The line that a block begins with is looked for so far above.
_NEAR = 200

Reach = Callable[[Sequence[str], int], int]


def find_scopes(document: Document, anchors: Sequence[str], reach: Reach) -> list[tuple[int, int]] | str:
    """The ranges of lines that ``@@`` lines may mean, each inside one of the line before.

    Args:
        document: The file.
        anchors: The texts of the lines, outermost first; none mean the whole file.
        reach: How far such a line reaches.

    Returns:
        First and last line of every range, 0-based; or why there is none.
    """
    scopes = [(-1, document.length)]
    for anchor in anchors:
        places = _anchor_places(document, anchor)
        if len(places) > _MOST_ANCHORS:
            return f"the '@@' line {anchor!r} stands at more than {_MOST_ANCHORS} places. Give context lines instead."
        inner = [(at, reach(document.lines, at)) for at in places if any(s < at <= e for s, e in scopes)]
        # Text without indentation has no scopes to nest in; there the order of the lines has to do.
        inner = inner or [(at, document.length) for at in places if at > scopes[0][0]]
        if not inner:
            where = f", only before it (line {places[0] + 1})" if places else ""
            outer = " below the '@@' line before" if len(anchors) > 1 else ""
            return (
                f"the '@@' line {anchor!r} is not in the file{outer}{where}. "
                "Copy the line of the function or class from the file, or leave it out and give more context lines."
            )
        scopes = inner
    return scopes


def _anchor_places(document: Document, anchor: str) -> list[int]:
    """The lines an ``@@`` line names: the same text, else the same beginning, blanks at both ends apart."""
    wanted = TYPOGRAPHIC.key(anchor)
    places = document.find(TYPOGRAPHIC, [wanted])
    if places:
        return places
    start = wanted.rstrip(":({ ")
    return [
        at
        for at, key in enumerate(document.keys(TYPOGRAPHIC))
        if start and key.startswith(start) and not (key[len(start) : len(start) + 1].isalnum())
    ]


def _by_indent(lines: Sequence[str], at: int) -> int:
    """The last line that belongs to the line `at` by indentation; a line that only closes brackets belongs to it."""
    depth = len(indent(lines[at]))
    for index in range(at + 1, len(lines)):
        text = lines[index]
        if text.strip() and len(indent(text)) <= depth and not text.lstrip().startswith(_CLOSING):
            return index - 1
    return len(lines)


def _by_sibling(lines: Sequence[str], at: int) -> int:
    """The last line before one that begins as the line `at` does: the next heading, section or definition."""
    depth = indent(lines[at])
    start = _FIRST_WORD.match(lines[at], len(depth))
    for index in range(at + 1, len(lines)):
        found = _FIRST_WORD.match(lines[index], len(depth))
        if start and found and indent(lines[index]) == depth and found.group() == start.group():
            return index - 1
    return len(lines)


def _to_the_end(lines: Sequence[str], at: int) -> int:  # noqa: ARG001 - one of three that are called alike
    return len(lines)


# How far an ``@@`` line reaches, the closest reading first.
REACHES: tuple[Reach, ...] = (_by_indent, _by_sibling, _to_the_end)


def in_block(document: Document, header: str, scopes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The blocks that a line opens by indentation, inside of some ranges of lines.

    Args:
        document: The file.
        header: The line, whole; blanks at both ends do not count.
        scopes: The ranges.
    """
    places = document.find(TYPOGRAPHIC, [TYPOGRAPHIC.key(header)], _MOST_ANCHORS)
    if len(places) > _MOST_ANCHORS:
        return []
    return [(at, _by_indent(document.lines, at)) for at in places if any(s < at <= e for s, e in scopes)]


def in_scope(scopes: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """Whether the lines from `start` to before `end` are in one of the ranges, or cover the ``@@`` line itself."""
    return any(first < end and start <= last for first, last in scopes)


def outer_lines(lines: Sequence[str], at: int) -> tuple[str, ...]:
    """The lines whose blocks another one is in, by indentation, the innermost first.

    Args:
        lines: The lines of the file.
        at: Number of the line.

    Returns:
        Two of them, without blanks at their ends; empty where there is none near.
    """
    depth = next((len(indent(line)) for line in lines[at : at + _NEAR] if line.strip()), 0)
    found: list[str] = []
    for line in reversed(lines[max(at - _NEAR, 0) : at]):
        if line.strip() and len(indent(line)) < depth:
            depth = len(indent(line))
            found.append(line.strip())
    return (*found, "", "")[:2]
