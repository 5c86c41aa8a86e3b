"""What happened to the project while a session was closed: kept when it ends, told when it goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping

from agent_core import events as ev
from agent_core.attribution import MOST_EDITS, Attribution
from agent_core.hearing import Hearing
from agent_core.last_seen import LastSeen, Seen, files_of, put
from agent_core.state import State
from agent_core.workspace.edits import EditTracker
from agent_core.workspace.git_state import GitState
from agent_core.workspace.tree import Snapshot

_FIRST = 5.0
_AT_MOST = 30.0
"""Seconds between two times that the whole tree is kept while the session goes on, against a sudden end."""


class Meanwhile:
    """Keeps what a session saw last, and tells what has changed since.

    Args:
        kept: Where it is kept; None to keep nothing.
        tracker: Knows the tree as it is.
        attribution: Knows where git stands, and what others have landed.
        hearing: Tells.
        entries: Gives the session's events.
    """

    def __init__(
        self,
        kept: LastSeen | None,
        tracker: EditTracker,
        attribution: Attribution,
        hearing: Hearing,
        entries: Callable[[], Iterable[ev.Entry]],
    ) -> None:
        self._kept = kept
        self._tracker = tracker
        self._attribution = attribution
        self._hearing = hearing
        self._entries = entries
        self._seq = 0
        self._newest = 0
        self._writing = threading.Lock()
        self._begun: dict[int, ev.LandingStarted] = {}
        self._landed: dict[str, str | None] = {}
        self._changed = asyncio.Event()

    def listen(self, entry: ev.Entry, state: State) -> None:  # noqa: ARG002 - the session's listener signature
        """Take an event."""
        self._seq = entry.seq
        match entry.event:
            case ev.LandingStarted() as started:
                self._begun[started.landing] = started
            case ev.Landed(number) if number in self._begun:
                self._landed |= {file.path: file.after for file in self._begun.pop(number).files}
            case _:
                pass
        if isinstance(entry.event, ev.HumanEdited | ev.FilesEdited | ev.BranchChanged | ev.Landed):
            self._changed.set()

    async def begin(self, *, resumed: bool) -> None:
        """Take up where the session was left: tell what has changed since, and whose that is as far as it is known."""
        seen = await asyncio.to_thread(self._kept.load) if self._kept is not None and resumed else None
        await self._attribution.start(seen.landing if seen is not None else 0)
        await self._attribution.moves.start(seen.git if seen is not None else None)
        if seen is not None:
            await self._hearing.catch_up(await asyncio.to_thread(self._changes, seen))

    async def run(self) -> None:
        """Keep the tree from time to time, until cancelled."""
        self._changed.set()
        await asyncio.sleep(_FIRST)
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self.keep()
            await asyncio.sleep(_AT_MOST)

    async def keep(self) -> None:
        """Keep the tree as it is known to be now."""
        if self._kept is None:
            return
        async with self._hearing.at_rest():
            # What has landed and no look has seen yet.
            landed = {
                file.path: file.after
                for file in self._tracker.expected
                if file.path in self._landed and self._landed[file.path] == file.after
            }
            now = self._seq, self._attribution.next_landing, self._tracker.seen, self._attribution.moves.state
        await asyncio.to_thread(self._keep, landed, *now)

    def _keep(
        self, landed: Mapping[str, str | None], seq: int, landing: int, tree: Snapshot, git: GitState | None
    ) -> None:
        files = files_of(tree)
        for path, digest in landed.items():
            put(files, path, digest)
        with self._writing:
            # One that was begun before, and given up, may still be at it.
            if self._kept is not None and seq >= self._newest:
                self._newest = seq
                self._kept.keep(Seen(seq, landing, files, git))

    def _changes(self, seen: Seen) -> list[ev.HumanEdited]:
        now = files_of(self._tracker.seen)
        files = seen.with_events(self._entries())
        paths = [path for path in sorted(files.keys() | now.keys()) if files.get(path) != now.get(path)]
        # Those that are told by their names alone need no diff.
        shown = len(paths) <= MOST_EDITS
        return [self._attribution.edit(path, files.get(path), now.get(path), shown=shown) for path in paths]
