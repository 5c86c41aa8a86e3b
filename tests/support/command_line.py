"""`pairloop` as a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import msgspec

from agent_core.events import Entry

_PATIENCE = 110.0


class Process:
    """A running pairloop; see `pairloop`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def line(self) -> str:
        """The next line it prints; empty at the end."""
        assert self._process.stdout is not None
        async with asyncio.timeout(_PATIENCE):
            return (await self._process.stdout.readline()).decode()

    async def until(self, kind: str, **fields: Any) -> Entry | None:
        """Read JSON lines until an event of a kind with these fields; None when it ends before."""
        while line := await self.line():
            entry = msgspec.json.decode(line, type=Entry)
            if type(entry.event).__name__ == kind and all(getattr(entry.event, k) == v for k, v in fields.items()):
                return entry
        return None

    def close_output(self) -> None:
        """Read no further, as ``head`` does."""
        # The transport is the one way to a read end that asyncio holds.
        transport = self._process._transport.get_pipe_transport(1)  # type: ignore[attr-defined]
        transport.close()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def end(self) -> tuple[int, str, str]:
        """Wait for its end: exit code, and the rest of both streams."""
        async with asyncio.timeout(_PATIENCE):
            out, err = await self._process.communicate()
        return self._process.returncode or 0, out.decode(), err.decode()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def pairloop(
    arguments: Sequence[str], cwd: Path, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Process]:
    """Start pairloop, and see to it that it is gone afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tui",
        *arguments,
        cwd=cwd,
        env={**os.environ, **(environ or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=16 * 1024 * 1024,
    )
    async with Process(process) as here:
        yield here


async def run_pairloop(
    arguments: Sequence[str], cwd: Path, environ: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Run pairloop to its end: exit code, standard output, standard error."""
    async with pairloop(arguments, cwd, environ) as process:
        return await process.end()
