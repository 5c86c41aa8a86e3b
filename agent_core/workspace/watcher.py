"""Hearing that something in the project changed. What changed is for a snapshot to say, by content."""

from __future__ import annotations

import asyncio
import contextlib
import stat
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path
from typing import Any

from agent_core.errors import PairloopError
from agent_core.workspace.ignore import DEFAULT_IGNORED
from agent_core.workspace.watched import GIT, Ground, Watched, is_rule, tells

_DEBOUNCE_MS = 50
# Shorter steps are heard sooner, and cost more while nothing happens.
_STEP_MS = 15
_LEISURE = 0.5
_LATEST = 5.0
"""Seconds of quiet after which a look at everything is asked for that is owed, and seconds it may wait for them."""
_BURST = 200
"""Of more names at once than these some may have been lost on the way."""
_SHARE = 20
"""A look is asked for so much less often than it takes, where there is nothing to go by but looking."""
_AWAY = 0.5
"""Seconds between two looks whether the project's folder is back."""


class Watcher:
    """Tells when paths of a project are touched, by anybody.

    Only folders that hold files which count, or may, are watched, one by one: dependencies and caches cost nothing. A
    new folder joins as soon as it is seen. Where something may have been missed, or other files count from now on, a
    look at everything is asked for when it is quiet again.

    Args:
        root: The project's folder.
        state: The project's state folder.
        on_note: Called with what the human should know, such as that the watcher has to poll.
        poll: Seconds between two batches where the system has no watches left. They are empty ones: pollers that
            compare times miss a second save within one second. On a project where a look takes long they are rarer.
        leisure: Seconds of quiet before a look at everything.
    """

    def __init__(
        self,
        root: Path,
        state: Path,
        on_note: Callable[[str], None] = lambda _note: None,
        *,
        poll: float = 2.0,
        leisure: float = _LEISURE,
    ) -> None:
        self._root = root
        self._watched = Watched(root, state)
        self._on_note = on_note
        self._poll = poll
        self._leisure = leisure
        self._polling = False
        self._prefixes: tuple[tuple[str, str, bool], ...] = ()
        self._owed = 0.0
        self._known: tuple[int, int] | None = None
        self._next: Ground | None = None
        self.watching = asyncio.Event()
        """Set while changes are being heard."""

    @property
    def polling(self) -> bool:
        """Whether it just asks for a look from time to time, since the system has no watches left."""
        return self._polling

    async def batches(self) -> AsyncIterator[frozenset[str]]:
        """Wait for changes, for ever.

        Yields:
            Relative paths that were touched; what git keeps as ``.git/HEAD`` and the like, wherever it lies. An empty
            batch means: look at everything, some may have been missed.

        Raises:
            SandboxError: git cannot list the files.
        """
        ground: Ground | None = None
        again = False
        while not self._polling:
            # All of it is taken stock of anew where what was watched is no more.
            ground = ground or await self._stock()
            async with contextlib.aclosing(self._listen(ground, again=again)) as heard:
                async for batch in heard:
                    yield batch
            ground, again = self._next, True
        self.watching.set()
        while True:
            asked = time.monotonic()
            yield frozenset()
            await asyncio.sleep(max(self._poll, _SHARE * (time.monotonic() - asked)))
            if await asyncio.to_thread(self._identity) is None:
                await self._come_back()

    async def _listen(self, ground: Ground, *, again: bool) -> AsyncGenerator[frozenset[str], None]:
        """Hear changes until something else is to be watched."""
        self._next = None
        stop = asyncio.Event()
        changes = self._watch(ground, stop)
        # Its first step sets up the watches before it waits.
        pending = asyncio.ensure_future(anext(changes))
        await asyncio.sleep(0)
        try:
            if not pending.done():
                self.watching.set()
                # What happened before is not heard.
                self._owed = time.monotonic() - (_LATEST if again else 0)
            while True:
                # Not awaited itself: to cancel us would be to cancel it, and the library loses a cancellation that
                # comes together with a change. We would then wait for ever.
                await asyncio.wait([pending], timeout=self._until_owed())
                if not pending.done():
                    self._owed = 0.0
                    yield frozenset()
                    continue
                batch = pending.result()
                away = any(change.name != "modified" and self._relative(path) == "." for change, path in batch)
                # One that was away for a moment is not watched any more.
                if away or await asyncio.to_thread(self._identity) != self._known:
                    return
                after = await self._regrouped(batch, ground)
                # The next step is taken before the batch is handed out, so that nothing is missed meanwhile.
                pending = asyncio.ensure_future(anext(changes))
                names = frozenset(self._relative(path) for _, path in batch)
                if len(names) > _BURST or any(map(is_rule, names)):
                    self._owe()
                yield names
                if after is not None:
                    self._next = after
                    return
        except FileNotFoundError:
            # A folder went between being listed and being watched.
            return
        except (OSError, RuntimeError) as error:
            self._polling = True
            self._on_note(_no_watches(error, self._poll))
        finally:
            stop.set()
            pending.cancel()
            await asyncio.wait([pending])
            await changes.aclose()

    # -- what is watched

    def _watch(self, ground: Ground, stop: asyncio.Event) -> AsyncGenerator[set[tuple[Any, str]], None]:
        # Only where it is used: importing it costs a twelfth of a second.
        from watchfiles import awatch  # noqa: PLC0415

        git = [(f"{folder}/", f"{GIT}{name}", True) for folder, name in ground.git]
        # The longest first, as git's own folders lie in the project's.
        self._prefixes = tuple(
            sorted([*git, (f"{str(self._root).rstrip('/')}/", "", False)], key=lambda one: -len(one[0]))
        )
        # Left to ignore denied permissions, it ignores every other failure too: watches that cannot be had.
        return awatch(
            *ground.places,
            watch_filter=self._counts,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            stop_event=stop,
            recursive=False,
            ignore_permission_denied=False,
        )

    def _place(self, path: str) -> tuple[str, bool]:
        """A path as batches name it, and whether it is git's; the project's folder itself is a dot."""
        for prefix, name, gits in self._prefixes:
            if path.startswith(prefix):
                return f"{name}{path[len(prefix) :]}", gits
        return ".", False

    def _counts(self, _change: object, path: str) -> bool:
        """Whether a touched path is worth a look, decided by its name alone."""
        name, gits = self._place(path)
        if gits:
            return tells(name.removeprefix(GIT))
        # What is heard lies in a folder that is watched: files count there, whatever the folder is called.
        return name.rpartition("/")[2] not in DEFAULT_IGNORED or name == ".git"

    def _relative(self, path: str) -> str:
        return self._place(path)[0]

    async def _regrouped(self, batch: set[tuple[Any, str]], ground: Ground) -> Ground | None:
        """What to watch after a batch, with new folders, and those that were made again; None where it is the same."""
        changed = {
            self._root / name for _, path in batch if (name := self._relative(path)) and not name.startswith(GIT)
        }
        moved = {Path(path) for change, path in batch if change.name != "modified"}
        if self._root / ".git" in moved:
            # A repository was made, or removed: other files count.
            self._owe()
            return await self._watched.all()
        watched = ground.folders
        if replaced := moved & watched - {self._root}:
            watched = frozenset(folder for folder in watched if replaced.isdisjoint((folder, *folder.parents)))
        come = await asyncio.to_thread(
            lambda: [one for one in changed - watched if one.is_dir() and not one.is_symlink()]
        )
        if not come:
            # Those that are gone cost nothing.
            return None
        return Ground(watched | await self._watched.new(come), ground.git)

    # -- looks at everything

    def _owe(self) -> None:
        """Have a look at everything asked for when it is quiet."""
        self._owed = self._owed or time.monotonic()

    def _until_owed(self) -> float | None:
        """Seconds to wait for a change before everything is to be looked at; None for ever."""
        if not self._owed:
            return None
        return max(min(self._leisure, self._owed + _LATEST - time.monotonic()), 0.0)

    # -- a folder that is gone

    def _identity(self) -> tuple[int, int] | None:
        """Which folder the project's is; None where there is none."""
        try:
            info = self._root.stat()
        except OSError:
            return None
        return (info.st_dev, info.st_ino) if stat.S_ISDIR(info.st_mode) else None

    async def _stock(self) -> Ground:
        """Everything there is to watch, once the project's folder is there."""
        while True:
            self._known = await asyncio.to_thread(self._identity)
            if self._known is None:
                await self._come_back()
                continue
            try:
                return await self._watched.all()
            except (PairloopError, OSError):
                if await asyncio.to_thread(self._identity) is not None:
                    raise

    async def _come_back(self) -> None:
        """Wait until the project's folder is there again."""
        self.watching.clear()
        self._on_note(
            f"The project's folder {self._root} is gone: moved, renamed or removed. Nothing is read or written until it"
            " is back there; to work on it elsewhere, start pairloop there."
        )
        while await asyncio.to_thread(self._identity) is None:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(_AWAY)
        self._on_note(f"The project's folder {self._root} is back.")
        if self._polling:
            self.watching.set()


def _no_watches(error: Exception, poll: float) -> str:
    reason = str(error).partition(" about ")[0].rstrip(".")
    return (
        f"File watches cannot be used ({reason}); a look is taken every {poll:g} seconds. On Linux"
        " fs.inotify.max_user_watches and max_user_instances are the limits to raise."
    )
