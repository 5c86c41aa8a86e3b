"""`pairloop` as a process of its own."""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import msgspec

from agent_core.events import Entry
from tests.support.forked import Request

_PATIENCE = 110.0
_LIMIT = 16 * 1024 * 1024
_ROOT = Path(__file__).resolve().parents[2]
# What a Python reads once, as it starts.
_AT_START = ("PYTHON", "LC_", "LANG", "TZ")


class Process:
    """A running pairloop; see `pairloop`.

    Args:
        pid: Its id.
        out: What it prints.
        err: Likewise, its errors.
        ended: Waits for its end and gives its exit code; the same again when it has ended.
        close: Close the end at which `out` is read.
    """

    def __init__(
        self,
        pid: int,
        out: asyncio.StreamReader,
        err: asyncio.StreamReader,
        ended: Callable[[], Awaitable[int]],
        close: Callable[[], None],
    ) -> None:
        self._pid = pid
        self._out, self._err = out, err
        self._ended = ended
        self._code: int | None = None
        self.close_output = close
        """Read no further, as ``head`` does."""

    async def line(self) -> str:
        """The next line it prints; empty at the end."""
        async with asyncio.timeout(_PATIENCE):
            return (await self._out.readline()).decode()

    async def until(self, kind: str, **fields: Any) -> Entry | None:
        """Read JSON lines until an event of a kind with these fields; None when it ends before."""
        while line := await self.line():
            entry = msgspec.json.decode(line, type=Entry)
            if type(entry.event).__name__ == kind and all(getattr(entry.event, k) == v for k, v in fields.items()):
                return entry
        return None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self._pid, number)

    async def end(self) -> tuple[int, str, str]:
        """Wait for its end: exit code, and the rest of both streams."""
        async with asyncio.timeout(_PATIENCE):
            out, err = await asyncio.gather(self._out.read(), self._err.read())
            self._code = await self._ended()
        return self._code, out.decode(), err.decode()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._code is None:
            os.kill(self._pid, signal.SIGKILL)
            await self._ended()


class _Nursery:
    """The process that others are forked from; see `tests.support.forked`."""

    def __init__(self) -> None:
        self.begun_with = _at_start(os.environ)
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.forked", str(theirs.fileno())],
                cwd=_ROOT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                # Pipes, as its children's are: Python asks once of what kind they are. Nothing is written there.
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        atexit.register(self._close)

    def _close(self) -> None:
        self._socket.close()
        self._process.kill()
        self._process.communicate()

    def send(self, request: Request, descriptors: Sequence[int]) -> None:
        """Have a program run, with standard output, standard error, and where its id and its end are told."""
        if self._process.poll() is not None:
            assert self._process.stdout is not None
            message = f"no process can be forked any more: {self._process.stdout.read().decode()}"
            raise RuntimeError(message)
        socket.send_fds(self._socket, [msgspec.json.encode(request)], descriptors)


_nursery: list[_Nursery] = []


def _at_start(environ: Mapping[str, str]) -> Mapping[str, str]:
    return {name: value for name, value in environ.items() if name.startswith(_AT_START)}


async def _reader(fd: int) -> tuple[asyncio.StreamReader, asyncio.ReadTransport]:
    reader = asyncio.StreamReader(limit=_LIMIT)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(fd, "rb", 0)
    )
    return reader, transport


@asynccontextmanager
async def _forked(request: Request) -> AsyncIterator[Process]:
    pipes = [os.pipe() for _ in range(3)]
    try:
        _nursery[0].send(request, [write for _, write in pipes])
    finally:
        for _, write in pipes:
            os.close(write)
    (out, of_out), (err, of_err), (told, of_told) = [await _reader(read) for read, _ in pipes]
    code: list[int] = []

    async def ended() -> int:
        if not code:
            code.append(int(await told.readline()))
        return code[0]

    try:
        async with asyncio.timeout(_PATIENCE):
            pid = int(await told.readline())
        async with Process(pid, out, err, ended, of_out.close) as here:
            yield here
    finally:
        for transport in (of_out, of_err, of_told):
            transport.close()


@asynccontextmanager
async def _started(request: Request) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        request.module,
        *request.arguments,
        cwd=request.cwd,
        env=request.environ,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_LIMIT,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    # The transport is the one way to a read end that asyncio holds.
    close = process._transport.get_pipe_transport(1).close  # type: ignore[attr-defined]
    async with Process(process.pid, process.stdout, process.stderr, process.wait, close) as here:
        yield here


@asynccontextmanager
async def pairloop(
    arguments: Sequence[str],
    cwd: Path,
    environ: Mapping[str, str] | None = None,
    *,
    module: str = "tui",
    anew: bool = False,
) -> AsyncIterator[Process]:
    """Start pairloop, and see to it that it is gone afterwards.

    Args:
        arguments: What follows its name.
        cwd: The folder it is started in.
        environ: Variables beside those of this process.
        module: Another program of ours, as after ``python -m``.
        anew: Start Python, which then imports everything, rather than fork a process that has. Where it would begin
            in another way, with another encoding for one, it is started anyway.
    """
    request = Request(module, arguments, str(cwd), {**os.environ, **(environ or {})})
    if not anew and not _nursery:
        _nursery.append(_Nursery())
    way = _started if anew or _at_start(request.environ) != _nursery[0].begun_with else _forked
    async with way(request) as here:
        yield here


async def run_pairloop(
    arguments: Sequence[str], cwd: Path, environ: Mapping[str, str] | None = None, *, anew: bool = False
) -> tuple[int, str, str]:
    """Run pairloop to its end: exit code, standard output, standard error; see `pairloop`."""
    async with pairloop(arguments, cwd, environ, anew=anew) as process:
        return await process.end()
