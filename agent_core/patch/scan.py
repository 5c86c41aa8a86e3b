"""Splitting a model's words, while they stream, into prose and patches, so that a screen shows each in its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from agent_core.patch.patch_lines import LONGEST, Line
from agent_core.patch.walk import Tagged, Walker, may_matter


class Piece(NamedTuple):
    """Some more of a stream.

    Attributes:
        kind: Prose, or a patch with what is wrapped around it.
        text: What is new.
    """

    kind: Literal["words", "patch"]
    text: str


class Scanner:
    """Takes a stream in pieces of any size and gives it out sorted.

    Prose is given out as soon as the beginning of its line rules out everything else, a patch line by line. Held back
    are the lines that may begin a patch: a fence, a path, the header of a file. All the pieces together are the
    stream. Where a block's last line is missing, its end is only known at the end of the text: until then all of it
    counts as patch.
    """

    def __init__(self) -> None:
        self._walker = Walker()
        self._raw: dict[int, str] = {}
        self._number = 1
        self._line: list[str] = []
        # Of the line that has begun: it is words; the whole of it must be seen; how much of it has been given out.
        self._plain = False
        self._waits = False
        self._told = 0

    def feed(self, delta: str) -> tuple[Piece, ...]:
        """Take more of the stream; gives what is decided by it."""
        pieces: list[Piece] = []
        *whole, rest = delta.split("\n")
        for text in whole:
            self._line.append(text)
            pieces += self._end_line("\n")
        if rest:
            self._line.append(rest)
            pieces += self._begin_words()
        return _joined(pieces)

    def close(self) -> tuple[Piece, ...]:
        """The stream ends; gives what was held back."""
        pieces = self._end_line("") if self._line else []
        return _joined([*pieces, *self._pieces(self._walker.finish())])

    def _end_line(self, ending: str) -> list[Piece]:
        text = "".join(self._line)
        line = Line(self._number, text.removesuffix("\r") if ending else text, text.endswith("\r"))
        self._raw[self._number] = text[self._told :] + ending
        self._number += 1
        self._line, self._plain, self._waits, self._told = [], False, False, 0
        return self._pieces(self._walker.push(line))

    def _begin_words(self) -> list[Piece]:
        """Give out the beginning of a line that can be nothing but words."""
        if self._plain:
            text = self._line[-1]
            self._told += len(text)
            return [Piece("words", text)]
        if self._walker.inside or self._waits:
            return []
        text = "".join(self._line)
        self._line = [text]
        if may_matter(text) or (before := self._walker.expect_words()) is None:
            self._waits = len(text) > LONGEST
            return []
        self._plain, self._told = True, len(text)
        return [*self._pieces(before), Piece("words", text)]

    def _pieces(self, tagged: Sequence[Tagged]) -> list[Piece]:
        return [Piece("patch" if tag.region else "words", self._raw.pop(tag.line.number)) for tag in tagged]


def _joined(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Pieces with those of one kind that follow each other made one."""
    found: list[list[Piece]] = []
    for piece in pieces:
        if not piece.text:
            continue
        if found and found[-1][0].kind == piece.kind:
            found[-1].append(piece)
        else:
            found.append([piece])
    return tuple(Piece(run[0].kind, "".join(piece.text for piece in run)) for run in found)
