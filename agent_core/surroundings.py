"""What a session stands in: the branch and how much differs from the last commit, and whether saves are heard."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

from agent_core import events as ev
from agent_core.state import State
from agent_core.workspace.git import GitStatus, status

Heard = Literal["", "watched", "polled", "lost"]
"""How the human's saves are heard: not (yet), at once, by a look from time to time, or only before each step."""

AT_MOST = 1.0
"""Seconds between two looks at the repository."""
_UNTIL_HEARD = 20
"""So many times it is looked whether saves are heard by now."""
_STILL_HEARD = 5.0
"""Seconds after which it is looked whether they are heard still: whoever hears them may fail at any time."""

log = logging.getLogger(__name__)


class Surroundings:
    """Looks at the repository when something has happened that can have changed it, and never more often than it may.

    Args:
        root: The project's folder.
        heard: Says how saves are heard now.
        ask: What tells where the repository stands; None where there is none.
        at_most: Seconds between two looks.
        still: Seconds between two looks at whether saves are heard.
    """

    def __init__(
        self,
        root: Path,
        heard: Callable[[], Heard],
        *,
        ask: Callable[[Path], Awaitable[GitStatus | None]] = status,
        at_most: float = AT_MOST,
        still: float = _STILL_HEARD,
    ) -> None:
        self._root = root
        self._heard = heard
        self._ask = ask
        self._at_most = at_most
        self._still = still
        self._told: Callable[[], None] | None = None
        self._git: GitStatus | None = None
        self._wanted = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    @property
    def git(self) -> GitStatus | None:
        """Where the repository stood at the last look; None where there is none."""
        return self._git

    @property
    def heard(self) -> Heard:
        """How the human's saves are heard."""
        return self._heard()

    def follow(self, told: Callable[[], None]) -> Callable[[], None]:
        """Have somebody told of every change, and take the first look; to be called on the event loop.

        Returns:
            Ends it; nothing looks any more.
        """
        self._told = told
        self._wanted.set()
        self._looking = asyncio.get_running_loop().create_task(self._look_whenever_wanted())
        return self._end

    def look(self) -> None:
        """Have a look soon: somebody has come back who may have committed meanwhile."""
        self._wanted.set()

    def listen(self, entry: ev.Entry, state: State) -> None:  # noqa: ARG002 - the session's listener signature
        """Take an event; those that can have changed anything lead to a look."""
        if isinstance(entry.event, ev.MOVES):
            self._wanted.set()

    def _end(self) -> None:
        self._told = None
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def _look_whenever_wanted(self) -> None:
        before: tuple[GitStatus | None, Heard] = (None, "")
        left = _UNTIL_HEARD
        while True:
            if self._wanted.is_set():
                self._wanted.clear()
                await self._ask_git()
            now = (self._git, self.heard)
            if self._told is not None and now != before:
                self._told()
            before = now
            await asyncio.sleep(self._at_most)
            if not self.heard and left:
                left -= 1
            elif self.heard == before[1]:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._still):
                        await self._wanted.wait()

    async def _ask_git(self) -> None:
        try:
            self._git = await self._ask(self._root)
        except Exception:
            # It is a line on the screen: what keeps git from answering must not cost the session.
            log.exception("the repository could not be looked at")
            self._git = None
