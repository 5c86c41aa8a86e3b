"""Writing to whoever reads a command's output: JSON lines, and what happens when nobody reads any more."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, TextIO

import msgspec

from agent_core.text import printable, without_surrogates


class JsonWriter:
    """Writes one JSON object a line.

    Args:
        out: Where to.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._encoder = msgspec.json.Encoder()
        if isinstance(out, io.TextIOWrapper):
            # JSON is UTF-8, whatever the terminal is.
            out.reconfigure(encoding="utf-8")

    def write(self, value: Any) -> None:
        """Write one object."""
        try:
            line = self._encoder.encode(value)
        except UnicodeEncodeError:
            line = self._encoder.encode(without_surrogates(msgspec.to_builtins(value)))
        self._out.write(line.decode() + "\n")
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


def complain(*texts: str) -> None:
    """Tell a human what is wrong, on standard error: texts that are not empty, a line or more each."""
    said = [printable(text) for text in texts if text]
    if said:
        sys.stderr.write("pairloop: " + "\n".join(said) + "\n")
