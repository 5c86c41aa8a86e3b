"""The one clock of a search: however many stages it has, what is told of its time never goes back."""

from __future__ import annotations

import time

import msgspec

from agent_core.repair.model import Progress


class Clock:
    """Knows how much of a search's time is over.

    Args:
        seconds: How long it may take; what it waits for the checks is not taken from that.
    """

    def __init__(self, seconds: float) -> None:
        self._start = time.monotonic()
        self._limit = seconds
        self._until = self._start + seconds
        self._runs = False
        self._shown = 0.0

    @property
    def until(self) -> float:
        """When its time is over, by `time.monotonic`."""
        return self._until

    @property
    def over(self) -> bool:
        """Whether its time is over."""
        return time.monotonic() >= self._until

    @property
    def spent(self) -> float:
        """Seconds since its beginning, with all that it waited for."""
        return time.monotonic() - self._start

    def run(self) -> None:
        """What has to be known before anything is tried is known: how far it is can be told by the time from now on."""
        self._runs = True

    def put_off(self, seconds: float) -> None:
        """So much was waited for others."""
        self._until += seconds

    def stamped(self, progress: Progress) -> Progress:
        """A word on how it gets on, with its time; without a limit as long as nobody can say when it begins."""
        if not self._runs:
            return msgspec.structs.replace(progress, seconds=self.spent, limit=0.0)
        self._shown = max(self._shown, time.monotonic() - (self._until - self._limit))
        return msgspec.structs.replace(progress, seconds=min(self._shown, self._limit), limit=self._limit)
