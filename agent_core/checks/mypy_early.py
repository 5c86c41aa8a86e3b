"""An early word about types: a long-lived process holds the project's types, and is asked what a change does to them.

It answers several times sooner than an exact run, and differs from it by an error now and then: what it says is never
more than early, see `CheckResult.early`. It is mypy's own daemon in a sandbox (`agent_core/checks/mypy_server`), over
the working tree as it was when it was started, and is told of every file that the asked tree has otherwise. Wherever
it can't be had there is no early word; the exact run does not depend on it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from agent_core.checks.tool import last_line, one_line
from agent_core.errors import first_cause
from agent_core.file_modes import SYMLINK
from agent_core.protocols import Candidate, Workspace
from agent_core.workspace.tree import Snapshot

log = logging.getLogger(__name__)

SLOW = 0.4
"""Seconds of an exact run below which nothing can be gained."""

SERVER = Path(__file__).with_name("mypy_server") / "serve.py"
CONFIGURATION = ("mypy.ini", ".mypy.ini", "pyproject.toml", "setup.cfg")
"""Where mypy finds its settings, in this order."""

_CACHE = "early"
_ABSENT = 97
_SOURCES = (".py", ".pyi")
_MOST_CHANGES = 50
_MOST_LINES = 20_000
_MOST_FAILURES = 3
# Questions in a row that were about another command line: a patch may change it, and so may a landing.
_MOST_STRANGE = 3
_LIFE = 24 * 3600.0
_IDLE_SECONDS = 900.0
_PATIENCE = 60.0

Change = tuple[str | None, bool]
"""A file's content (base64; None for none), and whether it is in the tree that is held."""

_numbers = itertools.count(1)


class Setup(msgspec.Struct, frozen=True):
    """How mypy is started for a project.

    Attributes:
        starts: Interpreter and flags, those to be tried next where that interpreter has no mypy after it.
        env: Environment variables to add.
    """

    starts: tuple[tuple[str, tuple[str, ...]], ...]
    env: tuple[tuple[str, str], ...] = ()


class EarlyTypes:
    """Gives early words about the candidates of one project.

    Args:
        workspace: The project.
        quiet: Entered and left before types are read, which keeps a processor busy as long as a run without a cache.

    Attributes:
        reason: Why there was nobody to ask, the last time that was so; empty before.
    """

    def __init__(self, workspace: Workspace, quiet: Callable[[], contextlib.AbstractAsyncContextManager[None]]) -> None:
        self._workspace = workspace
        self._quiet = quiet
        self._held: _Held | None = None
        self._task: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._settled = asyncio.Event()
        self._idle: asyncio.TimerHandle | None = None
        self._failures = 0
        self._strange = 0
        self._closed = False
        self.reason = ""

    @property
    def ready(self) -> bool:
        """Whether there is somebody to ask."""
        return self._held is not None

    def begin(self, setup: Setup) -> None:
        """Have somebody to ask, some time from now; to be called after an exact run that took long."""
        if self._closed or self._task is not None or self._failures >= _MOST_FAILURES:
            return
        self._settled.clear()
        self._task = asyncio.create_task(self._hold(setup))
        self._ending.add(self._task)
        self._task.add_done_callback(self._gone)

    async def ask(self, candidate: Candidate, setup: Setup) -> list[str] | None:
        """What mypy would say about a candidate, line by line; None where nobody can tell.

        When the caller is cancelled, what works on the answer is killed.
        """
        held = self._held
        if held is None:
            return None
        difference = await asyncio.to_thread(_Difference, held.candidate.snapshot, candidate)
        self._strange = 0 if setup == held.setup else self._strange + 1
        if difference.outdated or self._strange >= _MOST_STRANGE:
            # The next slow run begins anew, over the tree of then.
            self._give_up("too much is other than when the types were read")
            return None
        if self._strange or not difference.tellable:
            return None
        self._rest()
        return await held.ask(await asyncio.to_thread(difference.changes))

    async def settled(self) -> bool:
        """Wait until what was begun is ready, or given up; whether there is somebody to ask."""
        if self._task is not None:
            await self._settled.wait()
        return self.ready

    async def close(self) -> None:
        """End it."""
        self._closed = True
        self._give_up("it is closed")
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def _hold(self, setup: Setup) -> None:
        """Read the types and answer, until cancelled or for as long as that works."""
        async with self._quiet():
            pass
        base, touched = await self._workspace.snapshot(), self._workspace.touched
        candidate = await self._workspace.candidate(base, {}, cache=_CACHE)
        held = _Held(candidate, setup)
        try:
            async with asyncio.TaskGroup() as group:
                run = group.create_task(held.run())
                group.create_task(self._announce(held, run, touched))
        except BaseExceptionGroup as errors:
            raise first_cause(errors) from errors
        finally:
            if self._held is held:
                self._held = None
            await candidate.close()

    async def _announce(self, held: _Held, run: asyncio.Task[str], touched: int) -> None:
        """Let it be asked as soon as it is ready, unless it has read other files than it was to."""
        ready = asyncio.ensure_future(held.ready.wait())
        try:
            await asyncio.wait((ready, run), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if run.done():
            self._failed(run.result())
        elif (await self._workspace.snapshot()).tree != held.candidate.tree or self._workspace.touched != touched:
            self._give_up("the files were changed while their types were read")
        else:
            self._held = held
            self._rest()
            self._settled.set()
            # From here on its end is a failure of its own.
            await asyncio.wait([run])
            self._failed(run.result())

    def _failed(self, reason: str) -> None:
        self._failures += 1
        if reason != self.reason:
            log.warning("There is no early word about types: %s", reason)
        self.reason = reason

    def _give_up(self, reason: str) -> None:
        self._held = None
        if self._idle is not None:
            self._idle.cancel()
        if self._task is not None:
            self.reason = reason
            self._task.cancel()
            self._task = None
        self._settled.set()

    def _rest(self) -> None:
        """Give it up when nobody asks for long."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._give_up, "nobody asked for long")

    def _gone(self, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(str(error))
        if self._task is task:
            self._task = None
            self._settled.set()


class _Held:
    """The process that holds the types of a tree.

    Attributes:
        candidate: The tree.
        setup: How it was started.
        ready: Set when it can be asked.
    """

    def __init__(self, candidate: Candidate, setup: Setup) -> None:
        self.candidate = candidate
        self.setup = setup
        self.ready = asyncio.Event()
        self._answers: dict[int, tuple[list[str], asyncio.Future[list[str] | None]]] = {}
        self._refused = ""
        self._pipe: asyncio.WriteTransport | None = None

    async def run(self) -> str:
        """Run it to its end; gives why it ended."""
        done = None
        try:
            for python, flags in self.setup.starts:
                async with self._piped() as pipe:
                    done = await self.candidate.run(
                        (python, str(SERVER), str(pipe), *flags),
                        timeout=_LIFE,
                        env=dict(self.setup.env),
                        on_line=self._hear,
                    )
                if done.code != _ABSENT:
                    break
        finally:
            for _, answer in self._answers.values():
                if not answer.done():
                    answer.set_result(None)
        return self._refused or (last_line(done) if done is not None else "there is no interpreter")

    async def ask(self, changes: Mapping[str, Change]) -> list[str] | None:
        """What it says about the tree with some files changed; None for nothing."""
        pipe = self._pipe
        if pipe is None:
            return None
        number = next(_numbers)
        answer: asyncio.Future[list[str] | None] = asyncio.get_running_loop().create_future()
        self._answers[number] = ([], answer)
        try:
            pipe.write(f"ask {number} {json.dumps(changes)}\n".encode())
            async with asyncio.timeout(_PATIENCE):
                return await answer
        except TimeoutError:
            return None
        finally:
            del self._answers[number]
            if answer.cancelled() or not answer.done():
                pipe.write(f"drop {number}\n".encode())

    @contextlib.asynccontextmanager
    async def _piped(self) -> AsyncIterator[Path]:
        """The named pipe through which it is asked."""
        pipe = self.candidate.cache / f"{os.getpid()}-{next(_numbers)}"
        with contextlib.ExitStack() as stack:
            pipe.unlink(missing_ok=True)
            os.mkfifo(pipe, 0o600)
            stack.callback(pipe.unlink, missing_ok=True)
            flags = os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
            # Open for reading, too, it can be opened for writing before the process has come to read it.
            stack.callback(os.close, os.open(pipe, os.O_RDWR | flags))
            writing = os.fdopen(os.open(pipe, os.O_WRONLY | flags), "wb", 0)
            transport, _ = await asyncio.get_running_loop().connect_write_pipe(asyncio.BaseProtocol, writing)
            stack.callback(transport.abort)
            self._pipe = transport
            try:
                yield pipe
            finally:
                self._pipe = None

    def _hear(self, line: str) -> None:
        """Take in a line that the process prints; what is none of its own is nothing."""
        try:
            said = json.loads(line)
            if "ready" in said:
                self.ready.set()
            elif "refused" in said:
                self._refused = one_line(str(said["refused"]))
            elif "of" in said and len(self._answers[said["of"]][0]) < _MOST_LINES:
                self._answers[said["of"]][0].append(str(said["line"]))
            elif "end" in said:
                lines, answer = self._answers[said["end"]]
                if not answer.done():
                    answer.set_result(None if "none" in said or len(lines) >= _MOST_LINES else lines)
        except (ValueError, KeyError, TypeError):
            # Also the end of an answer that nobody waits for any more.
            return


class _Difference:
    """What mypy would read otherwise in a candidate than in the tree that is held.

    Attributes:
        tellable: It can be told: no settings, no links, not too many files.
        outdated: So much of it is no change of the candidate's that it will not be tellable in other candidates either.
    """

    def __init__(self, held: Snapshot, candidate: Candidate) -> None:
        self._old, self._new = held.files, candidate.snapshot.files
        self._read = candidate.read
        paths = [path for path in {*self._old, *self._new} if self._old.get(path) != self._new.get(path)]
        self._paths = [path for path in paths if path.endswith(_SOURCES) or path in CONFIGURATION]
        own = frozenset(candidate.changed)
        self.tellable = self._is_tellable(self._paths)
        self.outdated = not self._is_tellable([path for path in self._paths if path not in own])

    def _is_tellable(self, paths: Sequence[str]) -> bool:
        files = [state for path in paths for state in (self._old.get(path), self._new.get(path)) if state is not None]
        links = any(state.mode == SYMLINK for state in files)
        return len(paths) <= _MOST_CHANGES and not links and not any(path in CONFIGURATION for path in paths)

    def changes(self) -> dict[str, Change]:
        """The files, as they are told."""
        found: dict[str, Change] = {}
        for path in self._paths:
            data = self._read(path) if path in self._new else None
            found[path] = (None if data is None else base64.b64encode(data).decode(), path in self._old)
        return found
