"""From events to frames: however many events come, the panes are drawn at most once in a frame's time."""

from __future__ import annotations

from collections.abc import Callable

from agent_core.events import Entry
from agent_core.state import State

FRAME = 0.05
SLOWEST = 0.4
"""Seconds between two frames: at the least, and at the most when drawing takes long."""
_SHARE = 3.0
_KEY = 0.03
"""Seconds in which what a key did is drawn before anything else."""


class Bridge:
    """Listens to a session and draws its newest state, paced.

    Where drawing takes long, or the terminal is slow to take it, the frames become fewer: two thirds of the time are
    left for keys. What was typed is drawn first.

    Args:
        draw: Draws a state.
        later: Calls something after so many seconds, in the app's own context.
        clock: Gives seconds; monotonic.
        painted: Calls something when what was drawn has been painted.
    """

    def __init__(
        self,
        draw: Callable[[State], None],
        later: Callable[[float, Callable[[], None]], object],
        clock: Callable[[], float],
        painted: Callable[[Callable[[], None]], object],
    ) -> None:
        self._draw = draw
        self._later = later
        self._clock = clock
        self._painted = painted
        self._newest: State | None = None
        self._scheduled = False
        self._last = 0.0
        self._cost = 0.0  # seconds a frame takes, as it was of late
        self._key_at = -1.0
        self.frames = 0
        """How many frames have been drawn."""

    @property
    def pause(self) -> float:
        """Seconds between the beginnings of two frames."""
        return min(max(FRAME, self._cost * _SHARE), SLOWEST)

    def listen(self, entry: Entry, state: State) -> None:  # noqa: ARG002 - the session's listener signature
        """Take an event; cheap, whatever the rate."""
        self.show(state)

    def key(self) -> None:
        """A key was pressed: what it does is drawn before the next frame."""
        self._key_at = self._clock()

    def show(self, state: State) -> None:
        """Have a state drawn in the next frame."""
        self._newest = state
        if not self._scheduled:
            self._schedule(max(self.pause - (self._clock() - self._last), 0.001))

    def _schedule(self, seconds: float) -> None:
        self._scheduled = True
        self._later(seconds, self._turn)

    def _turn(self) -> None:
        """The time has come, unless a key came first; one that is held down keeps no frame away for ever."""
        now = self._clock()
        wait = self._key_at + _KEY - now
        if 0 < wait <= _KEY and now - self._last < SLOWEST:
            self._schedule(wait)
            return
        self.frame()

    def frame(self) -> None:
        """Draw what is newest, if it has not been drawn."""
        self._scheduled = False
        state, self._newest = self._newest, None
        if state is not None:
            self._last = self._clock()
            self.frames += 1
            self._draw(state)
            self._painted(self._note_cost)

    def _note_cost(self) -> None:
        self._cost = (self._cost + self._clock() - self._last) / 2
