"""Joining the pieces of a stream, so that one event carries what came within a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_MOMENT = 0.04


class Paced:
    """Hands text on at most once a moment (40 ms); the first piece at once.

    Args:
        hand_on: Called with the text joined so far.
        moment: Seconds that a moment is.
    """

    def __init__(self, hand_on: Callable[[str], None], moment: float = _MOMENT) -> None:
        self._hand_on = hand_on
        self._moment = moment
        self._held: list[str] = []
        self._timer: asyncio.TimerHandle | None = None

    def feed(self, text: str) -> None:
        """Take a piece."""
        if not text:
            return
        self._held.append(text)
        if self._timer is None:
            self._release()
            self._timer = asyncio.get_running_loop().call_later(self._moment, self._moment_over)

    def flush(self) -> None:
        """Hand on what is held, now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._release()

    def drop(self) -> None:
        """Hand nothing on any more: what is held is not wanted."""
        self._held.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _moment_over(self) -> None:
        self._timer = None
        if self._held:
            self._release()
            self._timer = asyncio.get_running_loop().call_later(self._moment, self._moment_over)

    def _release(self) -> None:
        if self._held:
            text = "".join(self._held)
            self._held.clear()
            self._hand_on(text)
