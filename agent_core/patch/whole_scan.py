"""Splitting a model's words, while they stream, into prose and whole files; see `agent_core.patch.whole`."""

from __future__ import annotations

from agent_core.patch.patch_lines import closes_fence, fence_mark
from agent_core.patch.path_line import path_of_fence
from agent_core.patch.scan import Piece
from agent_core.patch.whole import path_above


class WholeScanner:
    """Takes a stream in pieces of any size and gives it out sorted, line by line.

    A path is held back until it is known whether a fence stands below it. All the pieces together are the stream.
    """

    def __init__(self) -> None:
        self._line = ""
        self._held: list[str] = []
        self._path = ""
        self._mark = ""
        self._file = False

    def feed(self, delta: str) -> tuple[Piece, ...]:
        """Take more of the stream; gives what is decided by it."""
        *whole, self._line = f"{self._line}{delta}".split("\n")
        return tuple(piece for line in whole for piece in self._take(f"{line}\n"))

    def close(self) -> tuple[Piece, ...]:
        """The stream ends; gives what was held back."""
        rest, self._line = self._line, ""
        pieces = [*self._take(rest)] if rest else []
        return (*pieces, *self._release())

    def _take(self, line: str) -> tuple[Piece, ...]:
        text = line.removesuffix("\n")
        if self._mark:
            kind = Piece("patch" if self._file else "words", line)
            if closes_fence(text, self._mark):
                self._mark = ""
            return (kind,)
        if mark := fence_mark(text):
            self._mark, self._file = mark, bool(path_of_fence(text) or self._path)
            return (*self._release(patch=self._file), Piece("patch" if self._file else "words", line))
        if path_above(text):
            before = self._release()
            self._held, self._path = [line], text
            return before
        if self._held and not text.strip():
            self._held.append(line)
            return ()
        return (*self._release(), Piece("words", line))

    def _release(self, *, patch: bool = False) -> tuple[Piece, ...]:
        held, self._held, self._path = "".join(self._held), [], ""
        return (Piece("patch" if patch else "words", held),) if held else ()
