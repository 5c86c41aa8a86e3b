"""Hearing that something in the project changed. What changed is for a snapshot to say, by content."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path
from typing import Any

from agent_core.workspace.ignore import DEFAULT_IGNORED, Lister, walk

_DEBOUNCE_MS = 50
_STEP_MS = 10
_POLL_MS = 500


class Watcher:
    """Tells when paths of a project are touched, by anybody.

    Only folders that hold files which count are watched, one by one: dependencies and caches cost nothing. A new
    folder joins as soon as it is seen; since files may be in it before it is watched, look at the whole project
    (`Scanner.scan`) at every batch instead of trusting its paths to be all.

    Args:
        root: The project's folder.
        state: The project's state folder.
        on_note: Called with what the human should know, such as that the watcher has to poll.
    """

    def __init__(self, root: Path, state: Path, on_note: Callable[[str], None] = lambda _note: None) -> None:
        self._root = root
        self._prefix = f"{str(root).rstrip('/')}/"
        self._lister = Lister(root, state)
        self._on_note = on_note
        self._polling = False
        self.watching = asyncio.Event()
        """Set once changes are being heard."""

    @property
    def polling(self) -> bool:
        """Whether it looks at the files in turn, since the system has no watches left."""
        return self._polling

    async def _folders(self) -> set[Path]:
        listing = await self._lister.files()
        return await asyncio.to_thread(self._parents, listing.paths)

    def _parents(self, paths: tuple[str, ...]) -> set[Path]:
        names = {""}
        for path in paths:
            folder = path.rpartition("/")[0]
            while folder not in names:
                names.add(folder)
                folder = folder.rpartition("/")[0]
        return {place for name in names if (place := self._root / name).is_dir() and not place.is_symlink()}

    def _counts(self, _change: object, path: str) -> bool:
        """Whether a touched path is worth a look, decided by its name alone."""
        return DEFAULT_IGNORED.isdisjoint(self._relative(path).split("/"))

    def _relative(self, path: str) -> str:
        return path[len(self._prefix) :] if path.startswith(self._prefix) else "."

    def _watch(self, folders: set[Path], stop: asyncio.Event) -> AsyncGenerator[set[tuple[Any, str]], None]:
        # Only where it is used: importing it costs a twelfth of a second.
        from watchfiles import awatch  # noqa: PLC0415

        return awatch(
            *sorted(folders),
            watch_filter=self._counts,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            stop_event=stop,
            force_polling=self._polling,
            poll_delay_ms=_POLL_MS,
            recursive=False,
            ignore_permission_denied=True,
        )

    def _new_folders(self, batch: frozenset[str], watched: set[Path]) -> set[Path]:
        """Folders named in a batch that are not watched yet, with those below them."""
        found: set[Path] = set()
        for name in batch:
            folder = self._root / name
            if folder in watched or folder.is_symlink() or not folder.is_dir():
                continue
            found.add(folder)
            for path in walk(self._root, name):
                found |= {self._root / parent for parent in Path(path).parents if (self._root / parent) not in watched}
            found |= {Path(place) for place, _, _ in os.walk(folder) if self._counts(None, place)}
        return found

    async def batches(self) -> AsyncIterator[frozenset[str]]:
        """Wait for changes, for ever.

        Yields:
            Relative paths that were touched. An empty batch means: look at everything, some may have been missed.
        """
        watched = await self._folders()
        again = False
        while True:
            stop = asyncio.Event()
            changes = self._watch(watched, stop)
            # Its first step sets up the watches before it waits.
            first = asyncio.ensure_future(anext(changes))
            await asyncio.sleep(0)
            try:
                if not first.done():
                    self.watching.set()
                    if again:
                        yield frozenset()
                grown: set[Path] = set()
                batch = await first
                while True:
                    paths = frozenset(map(self._relative, (path for _, path in batch)))
                    grown = await asyncio.to_thread(self._new_folders, paths, watched)
                    yield paths
                    if grown:
                        break
                    batch = await anext(changes)
                watched = {folder for folder in watched | grown if folder.is_dir()}
            except OSError as error:
                if self._polling or not watched:
                    raise
                self._polling = True
                self._on_note(f"The system has no file watches left ({error}); files are looked at twice a second.")
            finally:
                stop.set()
                first.cancel()
                with contextlib.suppress(BaseException):
                    await first
                await changes.aclose()
            again = True
