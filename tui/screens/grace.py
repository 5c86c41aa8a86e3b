"""How new a question is: what has only just appeared is answered by no key, so that typing never approves."""

from __future__ import annotations

from collections.abc import Callable

from agent_core.state import State
from tui.screens.asking import landing_mood, mood

GRACE = 0.5
"""Seconds after a question appears in which no key answers it."""
PAUSE = 0.2
"""Seconds without a key after one that was refused: more than there are between those of a key held down."""
CUTS_OFF = "The partner is at work here, and would be cut off. {} again if you mean it."
"""Said before another session takes the place of one that is busy; the key is named."""
TOO_EARLY = "That has only just appeared: look first, then press again."
_AGAIN = 3.0


class Grace:
    """How long what is asked has been there.

    Args:
        clock: Gives seconds; monotonic.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until = 0.0
        self._landing_until = 0.0
        self._warned = (("", 0), 0.0)  # on which action it was said what it means, and until when that counts

    def meet(self, old: State, new: State) -> None:
        """Something else is true now: there may be another question."""
        approves = any(
            one is not None and one != before
            for one, before in ((new.approval, old.approval), (new.question, old.question))
        )
        over = new.budget is not None and new.budget != old.budget
        # A proposal that looked well and does not any more is another question.
        worse = bool(new.waiting) and mood(new.proposal) == "bad" != mood(old.proposal)
        if approves or over or worse or (new.waiting and new.waiting != old.waiting):
            self.begin()
        if landing_mood(new.proposal) == "bad" != landing_mood(old.proposal):
            self._landing_until = self._clock() + GRACE

    def begin(self) -> None:
        """A question has appeared."""
        self._until = self._clock() + GRACE

    def is_new(self, *, landing: bool = False) -> bool:
        """Whether what is asked has only just appeared.

        Args:
            landing: It is about landing what is taken, of which it may just have turned out that it is bad.
        """
        return self._clock() < max(self._until, self._landing_until if landing else 0.0)

    def refused(self) -> None:
        """A key has come too early: while it is held down, or typing goes on, the same keys answer nothing either."""
        now = self._clock()
        if now < self._until:
            self._until = max(self._until, now + PAUSE)
        if now < self._landing_until:
            self._landing_until = max(self._landing_until, now + PAUSE)

    def insists(self, action: str, waiting: int) -> bool:
        """Whether somebody wants something far-reaching for the second time within a moment.

        Args:
            action: Id of the action.
            waiting: The number of the proposal that waits.
        """
        before, until = self._warned
        if before == (action, waiting) and self._clock() < until:
            return True
        self._warned = ((action, waiting), self._clock() + _AGAIN)
        return False
