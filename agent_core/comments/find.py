"""Comments with a marker: ``AI!`` (do it) or ``AI?`` (answer) at their beginning or end, and what belongs to them.

As users of Aider know them. A plain ``AI`` asks for nothing by itself: it is context for those that do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from agent_core.comments.lexed import MOST_BYTES, comments
from agent_core.comments.signs import Comment
from agent_core.events import Marker

_BYTES = re.compile(rb"(?<![A-Za-z0-9_])ai[!?]", re.IGNORECASE)
_PLAIN_BYTES = re.compile(rb"(?<![A-Za-z0-9_])ai(?![A-Za-z0-9_])", re.IGNORECASE)
_TEXT = re.compile(r"(?<!\w)ai[!?]", re.IGNORECASE)
_PLAIN_TEXT = re.compile(r"(?<!\w)ai(?!\w)", re.IGNORECASE)

# Not in the midst of a word, and not the code that was commented out: `# ai != 3`, `// ai?.close()`.
_BEGINS = re.compile(r"ai(!+|\?+)[:,]?(?=\s|$)\s*", re.IGNORECASE)
_ENDS = re.compile(r"(?:^|(?<=[\s.,;:()\[\]\u2013\u2014-]))ai(!+|\?+)$", re.IGNORECASE)
_PLAIN_BEGINS = re.compile(r"ai[:,.]?(?=\s|$)\s*", re.IGNORECASE)
_PLAIN_ENDS = re.compile(r"(?:^|(?<=\s))ai[.:]?$", re.IGNORECASE)

_DASHES = " -([\u2013\u2014"

Sign = Literal["!", "?", ""]


class Request(msgspec.Struct, frozen=True):
    """A comment, or comments in a row, with a marker.

    Attributes:
        kind: ``do`` where any of them says so.
        comments: All that belong to it.
        words: What they say, a text a line, the markers taken out.
        marked: Which of `comments` carry a marker.
    """

    kind: Literal["do", "answer"]
    comments: tuple[Comment, ...]
    words: tuple[str, ...]
    marked: tuple[int, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """What it says and wants, wherever it stands."""
        return (self.kind, *self.words)

    def marker(self, path: str, file: str) -> Marker:
        """It as an event names it.

        Args:
            path: The file.
            file: Hash of its content.
        """
        last = self.comments[-1]
        line = self.comments[0].line
        count = last.line + last.count - line
        return Marker(path, line + 1, count, "\n".join(self.words), self.kind, file)


def may_hold(data: bytes | None) -> bool:
    """Whether some content is worth a closer look: it is small enough, and has a marker's letters in it."""
    return data is not None and len(data) <= MOST_BYTES and _BYTES.search(data) is not None


def may_hold_plain(data: bytes | None) -> bool:
    """Whether some content may hold comments with a plain ``AI``, likewise."""
    return data is not None and len(data) <= MOST_BYTES and _PLAIN_BYTES.search(data) is not None


def lines_of(data: bytes) -> list[str]:
    """The lines of some content, without their ends; every byte of it comes back, see `data_of`."""
    return [line.removesuffix("\r") for line in data.decode("utf-8", "surrogateescape").split("\n")]


def sign(words: str) -> tuple[Sign, str]:
    """The marker of a comment's line, and what it says without it.

    Args:
        words: The line, without the comment's signs.

    Returns:
        ``!`` or ``?``; empty where there is none.
    """
    for pattern in (_BEGINS, _ENDS):
        if (found := pattern.match(words) if pattern is _BEGINS else pattern.search(words)) is not None:
            rest = words[found.end() :] if pattern is _BEGINS else words[: found.start()].rstrip(_DASHES)
            return ("!" if found.group(1)[0] == "!" else "?"), rest.strip()
    return "", words


def plain(words: str) -> str | None:
    """What a comment says that is marked with a plain ``AI``; None for any other."""
    if (found := _PLAIN_BEGINS.match(words)) is not None:
        return words[found.end() :].strip()
    if (found := _PLAIN_ENDS.search(words)) is not None:
        return words[: found.start()].strip()
    return None


def requests(data: bytes, path: str) -> list[Request]:
    """The requests in a file.

    A comment that shares its lines with code stands for itself. Of comments in a row, those below one that begins with
    a marker belong to it, and all of them to one that ends with it or is nothing else.

    Args:
        data: Its content.
        path: The file.
    """
    lines = lines_of(data)
    found = comments(lines, path, [number for number, line in enumerate(lines) if _TEXT.search(line)])
    result = []
    for run in _runs(found):
        signs = [_signs(one) for one in run]
        marked = [at for at, one in enumerate(signs) if one]
        if not marked:
            continue
        first = marked[0]
        while first > 0 and (not _opens(run[marked[0]]) or plain(run[first - 1].words[0]) is not None):
            first -= 1
        result.append(request_of(run[first:]))
    return result


def request_of(run: Sequence[Comment]) -> Request:
    """What some comments in a row ask for, at least one of which carries a marker."""
    signs = [_signs(one) for one in run]
    words = tuple(_bare(line) for one in run for line in one.words)
    kind: Literal["do", "answer"] = "do" if any("!" in one for one in signs) else "answer"
    return Request(kind, tuple(run), words, tuple(at for at, one in enumerate(signs) if one))


def plain_comments(data: bytes, path: str, most: int) -> list[tuple[int, str]]:
    """The comments of a file with a plain ``AI``: the line's number from 1, and what it says.

    Args:
        data: Its content.
        path: The file.
        most: How many at most.
    """
    lines = lines_of(data)
    found = comments(lines, path, [number for number, line in enumerate(lines) if _PLAIN_TEXT.search(line)])
    said = ((one.line + 1, plain(" ".join(one.words).strip())) for one in found)
    return [(line, words) for line, words in said if words][:most]


def _runs(found: Iterable[Comment]) -> list[list[Comment]]:
    """Comments that stand right below each other, alone on their lines and equally far in."""
    runs: list[list[Comment]] = []
    for one in found:
        before = runs[-1][-1] if runs else None
        # A block of several lines stands for itself.
        joins = before is not None and before.alone and one.alone and before.count == one.count == 1
        if joins and before is not None and before.line + 1 == one.line and one.start == before.start:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _signs(comment: Comment) -> set[str]:
    """The markers of a comment; one that has several lines has them at its own beginning and end."""
    ends = {comment.words[0], next((text for text in reversed(comment.words) if text), "")}
    if comment.count > 1:
        # A block that opens or closes on a line of its own.
        ends.add(next((text for text in comment.words if text), ""))
    return {found for text in ends if (found := sign(text)[0])}


def _opens(comment: Comment) -> bool:
    """Whether a comment begins with its marker, and goes on behind it."""
    text = next((line for line in comment.words if line), "")
    found = _BEGINS.match(text)
    return found is not None and found.end() < len(text)


def _bare(words: str) -> str:
    """What a line says, without a marker of either kind."""
    found, rest = sign(words)
    if found:
        return rest
    said = plain(words)
    return words if said is None else said
