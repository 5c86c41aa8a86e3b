"""From events to frames: however many events come, the panes are drawn at most once in a frame's time."""

from __future__ import annotations

from collections.abc import Callable

from agent_core.events import Entry
from agent_core.state import State

FRAME = 0.05


class Bridge:
    """Listens to a session and draws its newest state, paced.

    Args:
        draw: Draws a state.
        later: Calls something after so many seconds, in the app's own context.
        clock: Gives seconds; monotonic.
    """

    def __init__(
        self,
        draw: Callable[[State], None],
        later: Callable[[float, Callable[[], None]], object],
        clock: Callable[[], float],
    ) -> None:
        self._draw = draw
        self._later = later
        self._clock = clock
        self._newest: State | None = None
        self._scheduled = False
        self._last = 0.0
        self.frames = 0
        """How many frames have been drawn."""

    def listen(self, entry: Entry, state: State) -> None:  # noqa: ARG002 - the session's listener signature
        """Take an event; cheap, whatever the rate."""
        self.show(state)

    def show(self, state: State) -> None:
        """Have a state drawn in the next frame."""
        self._newest = state
        if not self._scheduled:
            self._scheduled = True
            self._later(max(FRAME - (self._clock() - self._last), 0.001), self.frame)

    def frame(self) -> None:
        """Draw what is newest, if it has not been drawn."""
        self._scheduled = False
        state, self._newest = self._newest, None
        if state is not None:
            self._last = self._clock()
            self.frames += 1
            self._draw(state)
