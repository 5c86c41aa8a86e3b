"""Code in the chat: plain while it is being written, coloured when it is whole and somebody looks at it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from textual.cache import LRUCache

from tui.panes.highlight import Spans, highlight_code
from tui.widgets.lines import Line, Piece, Span, clean


class CodeBlock:
    """A fenced block.

    Attributes:
        language: What stands after the fence; may be empty.
        source: Its lines as they were written.
        closed: It is whole.
        spans: Its colours by line, None before they have been made.
    """

    __slots__ = ("closed", "language", "source", "spans", "wanted")

    def __init__(self, language: str) -> None:
        self.language = language
        self.source: list[str] = []
        self.closed = False
        self.spans: Spans | None = None
        self.wanted: Callable[[CodeBlock], None] | None = None
        """Called, once, when a row of the closed block is drawn and has no colours yet."""

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.source)


class CodeLine(Line):
    """A line of a fenced block.

    Args:
        block: The block.
        index: Which line of it.
        lead: What stands before every row.
    """

    __slots__ = ("_block", "_index")

    def __init__(self, block: CodeBlock, index: int, lead: Sequence[Piece]) -> None:
        super().__init__(((clean(block.source[index]), ""),), lead=lead, hang=lead, base="code-row", words=False)
        self._block = block
        self._index = index

    def styled(self) -> Sequence[Span]:
        """Its colours, if they have been made; asks for them otherwise."""
        block = self._block
        if block.spans is None:
            if block.closed and block.language and block.wanted is not None:
                wanted, block.wanted = block.wanted, None
                wanted(block)
            return self.spans
        return block.spans[self._index] if self._index < len(block.spans) else self.spans


class Painter:
    """Makes the colours of blocks in a thread; what was painted once is remembered, however often it is rendered.

    Args:
        run: Starts something in the background.
        done: Called when there are new colours to be drawn.
    """

    def __init__(self, run: Callable[[Awaitable[None]], object], done: Callable[[], None]) -> None:
        self._run = run
        self._done = done
        self._known: LRUCache[tuple[str, str], Spans] = LRUCache(256)
        self._waiting: list[CodeBlock] = []
        self._busy = False

    @property
    def busy(self) -> bool:
        """Whether there are colours still to be made."""
        return self._busy

    def adopt(self, blocks: Sequence[CodeBlock]) -> None:
        """Have blocks coloured when they are looked at; at once where their colours are known."""
        for block in blocks:
            if block.spans is None and block.closed and block.language:
                block.spans = self._known.get((block.language, block.text))
                block.wanted = self._want

    def _want(self, block: CodeBlock) -> None:
        self._waiting.append(block)
        if not self._busy:
            self._busy = True
            self._run(self._paint())

    async def _paint(self) -> None:
        try:
            while self._waiting:
                block = self._waiting.pop()
                key = (block.language, block.text)
                spans = self._known.get(key)
                if spans is None:
                    spans = await asyncio.to_thread(highlight_code, *key)
                    self._known[key] = spans
                block.spans = spans
        finally:
            self._busy = False
            self._done()
