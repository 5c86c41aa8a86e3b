"""The words of an answer while they come, sorted into words and calls; see `agent_core.partners.text_calls`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator

from agent_core.conversation import Chunk, TextDelta, ToolCallDelta
from agent_core.partners.builtin_patch import PATCH_TOOL
from agent_core.partners.call_ids import make_call_id
from agent_core.partners.streamed_calls import StreamedCalls
from agent_core.patch.scan import Piece, Scanner
from agent_core.patch.whole_scan import WholeScanner


def patch_id(turn: int, number: int) -> str:
    """The id of a written patch: it is known before the patch is whole, so the text of that is no part of it.

    Args:
        turn: Length of the conversation before the answer.
        number: How many patches stand before it in the answer.
    """
    return make_call_id(turn, number, PATCH_TOOL)


class StreamedWords:
    """The words of an answer while they come: what of them is a patch is told as the first call of ``apply_patch``.

    Args:
        turn: Length of the conversation before the answer.
        tools: Names of the tools on offer; without ``apply_patch`` all of the words are words.
        whole: Whole files are asked for: a path and a fence below it are one.
    """

    def __init__(self, turn: int, tools: Collection[str], *, whole: bool = False) -> None:
        self._turn = turn
        self._scanner: Scanner | WholeScanner | None = None
        if PATCH_TOOL in tools:
            self._scanner = WholeScanner() if whole else Scanner()
        self._calls = StreamedCalls(tools)
        self._hidden = ""  # calls of other tools as they were written
        self._ids: list[str] = []
        self._scanned = ""  # the id of the patches that are no JSON
        self._written: dict[int, str] = {}  # the ids of JSON calls

    @property
    def has_patch(self) -> bool:
        """Whether a patch was told."""
        return bool(self._ids)

    def feed(self, text: str) -> Iterator[Chunk]:
        """Take some more words."""
        if self._scanner is None:
            yield TextDelta(text)
            return
        for kind, some in self._calls.feed(text):
            if kind == "words":
                yield from self._told(self._scanner.feed(some))
                continue
            if kind == "call":
                self._hidden += some
                continue
            if (number := self._calls.count) not in self._written:
                self._written[number] = self._next_id()
            yield ToolCallDelta(self._written[number], PATCH_TOOL, some)

    @property
    def hides(self) -> bool:
        """Whether some of the answer is hidden, as calls of other tools."""
        return bool(self._hidden)

    def close(self) -> Iterator[Chunk]:
        """From now on nothing is a patch; gives what was held back."""
        scanner, self._scanner = self._scanner, None
        if scanner is not None:
            for kind, text in self._calls.close():
                if kind == "words":
                    yield from self._told(scanner.feed(text))
                elif kind == "patch":
                    yield ToolCallDelta(self._written[self._calls.count], PATCH_TOOL, text)
                else:
                    self._hidden += text
            yield from self._told(scanner.close())
            if self._scanned:
                yield ToolCallDelta(self._scanned, PATCH_TOOL, '"}')

    def revealed(self) -> Iterator[Chunk]:
        """What was taken for calls of other tools, as words: it is none, or stands beside a real call."""
        hidden, self._hidden = self._hidden, ""
        if hidden:
            yield TextDelta(hidden)

    def _next_id(self) -> str:
        self._ids.append(patch_id(self._turn, len(self._ids)))
        return self._ids[-1]

    def _told(self, pieces: Iterable[Piece]) -> Iterator[Chunk]:
        for kind, text in pieces:
            if kind == "words":
                yield TextDelta(text)
            else:
                opening = "" if self._scanned else '{"patch": "'
                self._scanned = self._scanned or self._next_id()
                written = json.dumps(text, ensure_ascii=False)[1:-1]
                yield ToolCallDelta(self._scanned, PATCH_TOOL, opening + written)
