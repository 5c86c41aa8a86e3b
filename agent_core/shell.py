"""The human's own commands: run in the sandbox on the working tree as it is, beside whatever the partner does."""

from __future__ import annotations

import asyncio
import logging
import time

from agent_core import events as ev
from agent_core.errors import PairloopError
from agent_core.parts import Parts
from agent_core.process import Capture, Completed

_SECONDS = 120.0
_KEPT = 64_000  # bytes of output, head and tail
# Both streams in the order in which they were written. The line is an argument, so that nothing of it is read twice.
_BOTH = 'exec 2>&1; eval "$1"'
log = logging.getLogger(__name__)


class Shells:
    """Runs the human's commands, several at a time.

    Args:
        parts: The session's parts.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str, line: str, group: asyncio.TaskGroup) -> None:
        """Run a command line; what comes of it is in the events.

        Args:
            name: Names the run; one that is taken by another that still runs is refused.
            line: The command line, for ``sh``.
            group: What the run is a part of.
        """
        if not line.strip():
            return
        if name in self._running:
            self._parts.emit(ev.Noted("warning", f"A command of the name {name!r} runs already."))
            return
        self._parts.emit(ev.ShellStarted(name, line))
        task = self._running[name] = group.create_task(self._run(name, line))
        task.add_done_callback(lambda _: self._running.pop(name, None))

    async def stop(self) -> None:
        """End all that run, and wait until they are gone."""
        # One that is stopped before it has begun could not say so.
        await asyncio.sleep(0)
        tasks = tuple(self._running.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _run(self, name: str, line: str) -> None:
        kept, start = Capture(_KEPT, None), time.monotonic()
        code, killed = -1, ""
        try:
            done = await self._carry_out(line, kept)
            code, killed = done.code, done.killed
            if done.timed_out:
                killed = f"its {_SECONDS:.0f} s were up"
        except asyncio.CancelledError:
            killed = "interrupted"
            raise
        except PairloopError as error:
            kept.feed(f"{error}\n".encode())
            killed = "it could not be run"
        except Exception as error:
            log.exception("a command of the human's own failed")
            kept.feed(f"{type(error).__name__}: {error}\n".encode())
            killed = "it could not be run"
        finally:
            output = kept.result().decode("utf-8", "replace")
            self._parts.emit(ev.ShellFinished(name, code, output, time.monotonic() - start, killed))

    async def _carry_out(self, line: str, kept: Capture) -> Completed:
        workspace = self._parts.workspace
        base = await self._parts.look()
        candidate = await workspace.candidate(base, {}, cache="tools")
        try:
            return await candidate.run(
                ("sh", "-c", _BOTH, "sh", line),
                timeout=_SECONDS,
                on_line=lambda text: kept.feed(f"{text}\n".encode("utf-8", "replace")),
            )
        finally:
            await candidate.close()
