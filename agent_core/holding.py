"""Holding a landing up while git is in the midst of something: what is written then would end up in the wrong place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from agent_core.errors import LandingConflictError
from agent_core.events import LandingWaits
from agent_core.parts import Parts
from agent_core.workspace.git import operation_of
from agent_core.workspace.git_operation import how_to_end, operation_words

_AGAIN = 0.3
"""Seconds until it is looked again whether git is done."""


def keep_off(root: Path) -> None:
    """Refuse to write anything while git is in the midst of something.

    Args:
        root: The project's folder.

    Raises:
        LandingConflictError: It is; says what, and how it ends.
    """
    if (operation := operation_of(root)) is not None:
        raise LandingConflictError(
            f"Git is in the midst of {operation_words(operation)}; nothing was written.",
            hint=f"Bring that to an end ({how_to_end(operation)}), then try again.",
        )


class Holding:
    """Has the landing of the newest proposal wait until git is done.

    Args:
        parts: The session's parts.
        wake: Called when it is to be looked again.
    """

    def __init__(self, parts: Parts, wake: Callable[[], None]) -> None:
        self._parts = parts
        self._wake = wake
        self._timer: asyncio.TimerHandle | None = None

    async def holds(self, proposal: int) -> bool:
        """Whether what is to land has to wait; says so, and has it looked at again before long."""
        # Where nobody looks on, nobody would bring it to an end; it is refused then.
        root, followed = self._parts.workspace.root, self._parts.followed
        operation = await asyncio.to_thread(operation_of, root) if followed else None
        if operation is None:
            self.let_go()
            return False
        text = (
            f"Git is in the midst of {operation_words(operation)}: it lands by itself when that is over "
            f"({how_to_end(operation)})."
        )
        newest = self._parts.state().proposal
        if newest is None or newest.waits != text:
            self._parts.emit(LandingWaits(proposal, text))
        self._stop()
        self._timer = asyncio.get_running_loop().call_later(_AGAIN, self._wake)
        return True

    @property
    def held(self) -> bool:
        """Whether the newest proposal waits."""
        newest = self._parts.state().proposal
        return newest is not None and bool(newest.waits)

    def let_go(self) -> None:
        """Nothing waits any more."""
        self._stop()
        newest = self._parts.state().proposal
        if newest is not None and newest.waits:
            self._parts.emit(LandingWaits(newest.number, ""))

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
