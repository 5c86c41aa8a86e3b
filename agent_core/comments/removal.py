"""Taking comments that were requests out of a file, found by what they say."""

from __future__ import annotations

from collections.abc import Iterable

from agent_core.comments.find import Request, may_hold, request_of, requests
from agent_core.events import Marker


def without(data: bytes, path: str, markers: Iterable[Marker]) -> tuple[bytes, tuple[Marker, ...]]:
    """The content of a file without some requests.

    A comment that is alone on its lines goes with them, and with the blank lines that only kept it apart; of a line
    that holds code only the comment goes. What does not read any more as it did when it was asked stays.

    Args:
        data: The content.
        path: The file.
        markers: The requests.

    Returns:
        The content, the same where none was found; and which were.
    """
    if not may_hold(data):
        return data, ()
    left = requests(data, path)
    taken: list[Request] = []
    found: list[Marker] = []
    for marker in markers:
        parts = [part for one in left if (part := _part(one, marker)) is not None]
        if not parts:
            continue
        nearest = min(parts, key=lambda one: abs(one.comments[0].line + 1 - marker.line))
        left = [one for one in left if one.comments[0].line > _last(nearest) or _last(one) < nearest.comments[0].line]
        taken.append(nearest)
        found.append(marker)
    if not taken:
        return data, ()
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    for one in sorted(taken, key=lambda one: one.comments[0].line, reverse=True):
        _cut(lines, one)
    return "\n".join(lines).encode("utf-8", "surrogateescape"), tuple(found)


def _part(request: Request, marker: Marker) -> Request | None:
    """The comments of a request that say what a marker said; None where none do."""
    wanted = tuple(marker.text.split("\n"))
    for first in range(len(request.comments)):
        words: tuple[str, ...] = ()
        for last in range(first, len(request.comments)):
            if any(first <= at <= last for at in request.marked):
                part = request_of(request.comments[first : last + 1])
                if (part.words, part.kind) == (wanted, marker.kind):
                    return part
            words = (*words, *request.comments[last].words)
            if len(words) > len(wanted):
                break
    return None


def _last(request: Request) -> int:
    comment = request.comments[-1]
    return comment.line + comment.count - 1


def _cut(lines: list[str], request: Request) -> None:
    """Take a request out of the lines of a text."""
    begin, end = request.comments[0].line, _last(request) + 1
    comment = request.comments[0]
    before, after = lines[begin][: comment.start], lines[end - 1][request.comments[-1].end :]
    if before.endswith("{") and after.startswith("}"):
        # All that is in a pair of braces, as comments between tags are written.
        before, after = before[:-1], after[1:]
    if (before + after).strip():
        tail = "\r" if after.endswith("\r") else ""
        joined = f"{before}{after.lstrip()}" if after.strip() else before.rstrip() + tail
        lines[begin:end] = [joined]
        return
    above, below = _blank(lines, begin - 1, -1), _blank(lines, end, 1)
    at_top, at_bottom = begin - above == 0, end + below >= len(lines)
    if at_bottom and not at_top:
        # The text ends as it did, with or without an end of its last line.
        rest = [""] if lines[-1] == "" else []
        lines[begin - above :] = rest
        if not rest:
            lines[-1] = lines[-1].removesuffix("\r")
        return
    lines[begin : end + (below if at_top else min(above, below))] = []


def _blank(lines: list[str], at: int, step: int) -> int:
    """How many blank lines there are from one on."""
    count = 0
    while 0 <= at < len(lines) and not lines[at].strip():
        count, at = count + 1, at + step
    return count
