"""Hearing that something in the project changed. What changed is for a snapshot to say, by content."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path
from typing import Any

from agent_core.workspace.ignore import DEFAULT_IGNORED, Lister

_DEBOUNCE_MS = 50
_STEP_MS = 10


class Watcher:
    """Tells when paths of a project are touched, by anybody.

    Only folders that hold files which count are watched, one by one: dependencies and caches cost nothing. A new
    folder joins as soon as it is seen; since files may be in it before it is watched, look at the whole project
    (`Scanner.scan`) at every batch instead of trusting its paths to be all.

    Args:
        root: The project's folder.
        state: The project's state folder.
        on_note: Called with what the human should know, such as that the watcher has to poll.
        poll: Seconds between two batches where the system has no watches left. They are empty ones: pollers that
            compare times miss a second save within one second.
    """

    def __init__(
        self, root: Path, state: Path, on_note: Callable[[str], None] = lambda _note: None, *, poll: float = 2.0
    ) -> None:
        self._root = root
        self._prefix = f"{str(root).rstrip('/')}/"
        self._lister = Lister(root, state)
        self._on_note = on_note
        self._poll = poll
        self._polling = False
        self.watching = asyncio.Event()
        """Set once changes are being heard."""

    @property
    def polling(self) -> bool:
        """Whether it just asks for a look from time to time, since the system has no watches left."""
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

        # Left to ignore denied permissions, it ignores every other failure too: watches that cannot be had.
        return awatch(
            *sorted(folder for folder in folders if os.access(folder, os.R_OK | os.X_OK)),
            watch_filter=self._counts,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            stop_event=stop,
            recursive=False,
            ignore_permission_denied=False,
        )

    def _regroup(self, batch: set[tuple[Any, str]], watched: set[Path]) -> set[Path]:
        """Which folders to watch after a batch: new ones, and those that were made again, not those that are gone."""
        named = {self._root / self._relative(path) for _, path in batch}
        if replaced := {Path(path) for change, path in batch if change.name != "modified"} & watched - {self._root}:
            watched = {folder for folder in watched if replaced.isdisjoint((folder, *folder.parents))}
        found = set(watched)
        for folder in named - watched:
            if folder.is_dir() and not folder.is_symlink():
                for place, below, _ in os.walk(folder):
                    below[:] = [name for name in below if name not in DEFAULT_IGNORED]
                    found.add(Path(place))
        return found

    async def batches(self) -> AsyncIterator[frozenset[str]]:
        """Wait for changes, for ever.

        Yields:
            Relative paths that were touched. An empty batch means: look at everything, some may have been missed.
        """
        watched = await self._folders()
        again = False
        while not self._polling:
            stop = asyncio.Event()
            changes = self._watch(watched, stop)
            # Its first step sets up the watches before it waits.
            pending = asyncio.ensure_future(anext(changes))
            await asyncio.sleep(0)
            try:
                if not pending.done():
                    self.watching.set()
                    if again:
                        yield frozenset()
                while True:
                    # Not awaited itself: to cancel us would be to cancel it, and the library loses a cancellation that
                    # comes together with a change. We would then wait for ever.
                    await asyncio.wait([pending])
                    batch = pending.result()
                    after = await asyncio.to_thread(self._regroup, batch, watched)
                    # The next step is taken before the batch is handed out, so that nothing is missed meanwhile.
                    pending = asyncio.ensure_future(anext(changes))
                    yield frozenset(self._relative(path) for _, path in batch)
                    if not after <= watched or (watched - after and any(folder.is_dir() for folder in watched - after)):
                        break
                    watched = after
                watched = after
            except FileNotFoundError:
                # A folder went between being listed and being watched.
                if not await asyncio.to_thread(self._root.is_dir):
                    raise
                watched = await self._folders()
            except (OSError, RuntimeError) as error:
                self._polling = True
                reason = str(error).partition(" about ")[0].rstrip(".")
                self._on_note(f"File watches cannot be used ({reason}); a look is taken every {self._poll:g} seconds.")
            finally:
                stop.set()
                pending.cancel()
                await asyncio.wait([pending])
                await changes.aclose()
            again = True
        self.watching.set()
        while True:
            yield frozenset()
            await asyncio.sleep(self._poll)
