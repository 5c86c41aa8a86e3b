"""Lines in, lines out: on a terminal or on pipes, without moving a cursor and without losing what is typed."""

from __future__ import annotations

import asyncio
import codecs
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

import msgspec

from agent_core.output import reader
from agent_core.text import printable, shortened

MOST_CHARS = 2_000
"""Most characters of one line that are written; how many were left out is said."""
_CHUNK = 65_536


class Typed(msgspec.Struct, frozen=True):
    """A line that was typed.

    Attributes:
        text: The line, without its end.
        at: When it arrived, by the console's clock.
    """

    text: str
    at: float


class Console:
    """Reads lines on the event loop and writes lines that are safe to show.

    Args:
        source: File descriptor that is read.
        out: What is written to.
        gone: Called when nobody reads what is written any more.
        clock: Gives seconds; monotonic.
    """

    def __init__(
        self, source: int, out: TextIO, gone: Callable[[], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.clock = clock
        self.spoke_at = clock()
        """When the last line was written."""
        self._source = source
        self._out = out
        self._gone = gone
        self._decoder: codecs.IncrementalDecoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun = ""
        self._lines: asyncio.Queue[Typed | None] = asyncio.Queue()
        self._reading = False
        self._polled: asyncio.Handle | None = None
        self._given_away = False
        self._unread = False
        self._held: list[str] = []

    @property
    def is_terminal(self) -> bool:
        """Whether somebody types, rather than a program that writes to a pipe."""
        return os.isatty(self._source)

    # -- in

    def start(self) -> None:
        """Begin to read."""
        loop = asyncio.get_running_loop()
        self._reading = True
        mode = os.fstat(self._source).st_mode
        if stat.S_ISREG(mode) or (stat.S_ISCHR(mode) and not self.is_terminal):
            # No selector waits for these, and there is never anything to wait for.
            self._polled = loop.call_soon(self._poll)
        else:
            loop.add_reader(self._source, self._read)

    def stop(self) -> None:
        """Read no further."""
        if not self._reading:
            return
        self._reading = False
        if self._polled is not None:
            self._polled.cancel()
        asyncio.get_running_loop().remove_reader(self._source)

    async def line(self) -> Typed | None:
        """The next line; None when there will be no more for now: at the end of a pipe, or after ctrl+d."""
        return await self._lines.get()

    def _poll(self) -> None:
        self._read()
        if self._reading:
            self._polled = asyncio.get_running_loop().call_soon(self._poll)

    def _read(self) -> None:
        try:
            data = os.read(self._source, _CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""  # the terminal is gone
        now = self.clock()
        text = self._begun + self._decoder.decode(data, final=not data)
        *whole, self._begun = text.split("\n")
        if not data and self._begun:
            whole.append(self._begun)
            self._begun = ""
        for line in whole:
            self._lines.put_nowait(Typed(line.removesuffix("\r"), now))
        if not data:
            self._lines.put_nowait(None)
            self.stop()

    # -- out

    def say(self, *texts: str) -> None:
        """Write texts, each on a line (or several) of its own; nothing in them is obeyed by a terminal."""
        self.spoke_at = self.clock()
        lines = [shown(line) for text in texts for line in text.split("\n")]
        if self._given_away:
            self._held += lines
            return
        if self._unread:
            return
        with reader(self._out, self._nobody_reads):
            self._out.write("".join(f"{line}\n" for line in lines))

    def _nobody_reads(self) -> None:
        self._unread = True
        self._gone()

    @contextmanager
    def given_away(self) -> Iterator[None]:
        """While the terminal is another program's: nothing is read, and what is said waits."""
        reading = self._reading
        self.stop()
        self._given_away = True
        try:
            yield
        finally:
            self._given_away = False
            if reading:
                self.start()
            held, self._held = self._held, []
            if held:
                self.say(*held)


def shown(line: str) -> str:
    """A line as it may be written: visible, and not endless."""
    return printable(shortened(line, MOST_CHARS)).rstrip().replace("\n", " ")
