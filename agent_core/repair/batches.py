"""How many variants are tried in one go: by what it takes to start trying, and what each takes."""

from __future__ import annotations

import time

# How long a batch takes, at least, and in times of what it takes to start one; how many variants are in it.
_SECONDS, _STARTING = 1.0, 5.0
_SIZE = (6, 400)


class Batches:
    """Learns what trying takes from each batch that was tried."""

    def __init__(self) -> None:
        self._starting = 0.5
        self._each = 0.1
        self._begun = self._first = 0.0
        self._ended = 0

    @property
    def size(self) -> int:
        """How many are to be in the next one."""
        least, most = _SIZE
        seconds = max(_SECONDS, _STARTING * self._starting)
        return int(min(max(seconds / max(self._each, 0.001), least), most))

    @property
    def starting(self) -> float:
        """Seconds until the first of a batch has ended."""
        return self._starting

    @property
    def ended(self) -> int:
        """How many of the batch have ended."""
        return self._ended

    def begin(self) -> None:
        """A batch begins to be tried."""
        self._begun, self._ended = time.monotonic(), 0

    def end_one(self) -> None:
        """One of it has ended."""
        self._ended += 1
        if self._ended == 1:
            self._first = time.monotonic()

    def end(self) -> None:
        """All of it that will has ended."""
        if self._ended > 1:
            self._starting = self._first - self._begun
            self._each = (time.monotonic() - self._first) / (self._ended - 1)
