"""The wait before a request is sent again, and the human who does not want to wait."""

from __future__ import annotations

from collections.abc import Callable


class Waits:
    """Knows how to end the wait that is under way, if there is one."""

    def __init__(self) -> None:
        self._hurry: Callable[[], None] | None = None

    def begin(self, hurry: Callable[[], None]) -> None:
        """A wait has begun.

        Args:
            hurry: Ends it.
        """
        self._hurry = hurry

    def over(self) -> None:
        """The wait is over: something came, or nobody waits any more."""
        self._hurry = None

    def hurry(self) -> bool:
        """End the wait now; gives whether there was one."""
        hurry, self._hurry = self._hurry, None
        if hurry is None:
            return False
        hurry()
        return True
