"""Writing to whoever reads a command's output: JSON lines, and what happens when nobody reads any more."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TextIO

import msgspec

from agent_core.text import printable, without_surrogates

_ENDS = re.compile("[\u0085\u2028\u2029]")
"""What JSON may hold as it is, and readers of lines, such as Node's and Python's, take for the end of one."""


class JsonLine:
    """Makes one JSON object a line."""

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder()

    def __call__(self, value: Any) -> str:
        """One object as it is written, with the end of its line."""
        try:
            line = self._encoder.encode(value)
        except UnicodeEncodeError:
            line = self._encoder.encode(without_surrogates(msgspec.to_builtins(value)))
        # It stands within strings only.
        return _ENDS.sub(lambda end: f"\\u{ord(end[0]):04x}", line.decode()) + "\n"


class JsonWriter:
    """Writes one JSON object a line.

    Args:
        out: Where to.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.line = JsonLine()
        """Makes a line, as it is written."""
        if isinstance(out, io.TextIOWrapper):
            # JSON is UTF-8, whatever the terminal is.
            out.reconfigure(encoding="utf-8")

    def write(self, value: Any) -> None:
        """Write one object."""
        self._out.write(self.line(value))
        self._out.flush()


def _nobody() -> None:
    """Nobody reads any more what has been done all the same."""


@contextlib.contextmanager
def reader(out: TextIO, gone: Callable[[], None] = _nobody) -> Iterator[None]:
    """Around writing: finds out when that goes nowhere, and says why if there is more to it than a closed pipe.

    Args:
        out: What is written to.
        gone: Called when nobody reads any more; nothing else happens then.
    """
    try:
        yield
        out.flush()
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"pairloop: the output cannot be written: {error.strerror or error}.\n")
        with contextlib.suppress(OSError):
            # What is still buffered must go somewhere, or Python complains at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
        gone()


def write_out(texts: Iterable[str]) -> bool:
    """Write to standard output; each text is out before the next is made, as its reader may want no more.

    Args:
        texts: What to write, line ends included.

    Returns:
        Whether all of it could be written. Where it could not, a human has been told why.
    """
    written = True

    def unread() -> None:
        nonlocal written
        written = False

    out = sys.stdout
    with reader(out, unread):
        for text in texts:
            out.write(text)
            out.flush()
    return written


def complain(*texts: str) -> None:
    """Tell a human what is wrong, on standard error: texts that are not empty, a line or more each."""
    said = [printable(text) for text in texts if text]
    if said:
        sys.stderr.write("pairloop: " + "\n".join(said) + "\n")


def complain_of_conflict(message: str, conflicts: Iterable[str], hint: str) -> None:
    """Tell a human, on standard error, what is in the way of a landing: each place that the message does not name."""
    complain(message, *(f"  {place}" for place in conflicts if place not in message), hint)
