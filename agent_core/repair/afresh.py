"""A search over files that change under it is left, and begun afresh over the files as they are then.

What was found in a tree that is no more says nothing true of the one that is there now.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import PurePosixPath

import msgspec

from agent_core.errors import PairloopError
from agent_core.repair.desk import Repairs
from agent_core.repair.model import Found, Progress, Wanted
from agent_core.workspace.tree import Snapshot

AGAIN = "Files have changed under the search: it begins again, over the files as they are now."
"""What is said where a search begins again."""
_LEFT = "Files have changed since the search began, so what it found says nothing of them."
_RESTLESS = "Files changed again and again while I looked, so nothing true can be said of them: ask again at rest."
# So many times as long as a search may take it takes in all; what is left then is worth no beginning.
_TIMES, _LEAST = 2.0, 0.2
# Between two looks at the files, where nobody tells of what is saved; in times of what one takes, and seconds at least.
_LOOKS, _LOOKS_LEAST = 20.0, 2.0
# What no program runs, and no test is about, as a rule: where one is, the checks say so of what is proposed.
_PROSE = frozenset({".md", ".rst"})
log = logging.getLogger(__name__)


class Afresh:
    """Leaves searches when the tree that they are about is another, and begins them again.

    Args:
        look: Gives the working tree as it is now.
        again: Called when a search begins again.
        told: Somebody calls `heard` when files change; else they are looked at now and then.
    """

    def __init__(self, look: Callable[[], Awaitable[Snapshot]], again: Callable[[], None], *, told: bool) -> None:
        self._look = look
        self._again = again
        self._told = told
        self._base: Snapshot | None = None
        self._leave = asyncio.Event()
        self._moved = False

    def about(self, base: Snapshot) -> None:
        """The search under way is about this working tree; if it was about another before, it is left."""
        if self._base is None:
            self._base = base
        else:
            self.heard(base)

    def heard(self, now: Snapshot) -> None:
        """The working tree is this one now."""
        if self._base is not None and moves(self._base, now):
            self.leave()

    def leave(self) -> None:
        """Leave the search under way, if there is one, as the working tree is another now."""
        if self._base is not None:
            self._moved = True
            self._leave.set()

    async def find(
        self, finder: Repairs, wanted: Wanted, tell: Callable[[Progress], None], enough: asyncio.Event
    ) -> Found:
        """Look for repairs; see `agent_core.repair.desk.Repairs`.

        Args:
            finder: Finds them; calls `about` for the tree in which it looks.
            wanted: What is to be repaired. Files that change for ever have it end after twice its seconds.
            tell: Told how it gets on.
            enough: Set from outside to have it end soon.

        Raises:
            SandboxError: A candidate could not be made.
        """
        began = time.monotonic()
        seconds, times = wanted.seconds, 0
        while True:
            times += 1
            found = await self._once(finder, msgspec.structs.replace(wanted, seconds=seconds), tell, enough)
            spent = time.monotonic() - began
            if not self._moved:
                return found if times == 1 else msgspec.structs.replace(found, seconds=spent)
            seconds = min(wanted.seconds, _TIMES * wanted.seconds - spent)
            if enough.is_set():
                return Found(word=_LEFT, tried=found.tried, seconds=spent, ended="stopped")
            if seconds < _LEAST * wanted.seconds:
                return Found(word=_RESTLESS, tried=found.tried, seconds=spent, ended="out of time")
            self._again()

    async def _once(
        self, finder: Repairs, wanted: Wanted, tell: Callable[[Progress], None], enough: asyncio.Event
    ) -> Found:
        self._begin()
        if enough.is_set():
            self._leave.set()
        helpers = [asyncio.create_task(self._passed_on(enough))]
        if not self._told:
            helpers.append(asyncio.create_task(self._watched()))
        try:
            found = await finder.find(wanted, tell, self._leave)
            # What was saved a moment ago nobody may have told yet.
            self.heard(await self._look())
            return found
        finally:
            self._base = None
            for one in helpers:
                one.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)

    def _begin(self) -> None:
        self._base, self._leave, self._moved = None, asyncio.Event(), False

    async def _passed_on(self, enough: asyncio.Event) -> None:
        await enough.wait()
        self._leave.set()

    async def _watched(self) -> None:
        """Look at the files now and then."""
        took = 0.0
        while True:
            await asyncio.sleep(max(_LOOKS * took, _LOOKS_LEAST))
            began = time.monotonic()
            try:
                self.heard(await self._look())
            except PairloopError as error:
                log.warning("the files could not be looked at while a repair is looked for: %s", error)
            took = time.monotonic() - began


def moves(before: Snapshot, now: Snapshot) -> bool:
    """Whether a tree differs from another in something that tests or repairs may have to do with.

    Args:
        before: A working tree.
        now: It later.
    """
    if before.tree == now.tree:
        return False
    differing = before.buckets.differing(now.buckets)
    return any(before.files.get(path) != now.files.get(path) for path in differing if not _is_aside(path))


def _is_aside(path: str) -> bool:
    """Whether a file is prose beside the program, or pairloop's own."""
    return path.startswith(".pairloop/") or ("test" not in path and PurePosixPath(path).suffix.lower() in _PROSE)
