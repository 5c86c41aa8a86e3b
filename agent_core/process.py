"""Running other programs: always with a timeout, a process group of its own, and a kill."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from agent_core.descendants import Descendants
from agent_core.keys.known import KNOWN

_CHUNK = 65536
GRACE = 0.5
_LAST_WAIT = 5.0
CAP = 4_000_000


class Completed(msgspec.Struct, frozen=True):
    """How a program ended.

    Attributes:
        code: Exit status; negative for a signal.
        stdout: What it printed, at most the cap (head and tail, with the cut named).
        stderr: Likewise.
        seconds: Wall time.
        timed_out: It was killed because its time was up.
        killed: Why its guard had it killed, for a human, and then the last line of `stderr`; empty when it did not.
    """

    code: int
    stdout: bytes
    stderr: bytes
    seconds: float
    timed_out: bool = False
    killed: str = ""

    @property
    def text(self) -> str:
        """Standard output, then standard error, as text."""
        return (self.stdout + self.stderr).decode("utf-8", "replace")


class Capture:
    """Keeps the head and the tail of a stream of any length in bounded memory.

    Args:
        cap: Most bytes kept; the middle is left out beyond.
        on_line: Called with each line as it comes; of one that is too long to be kept with its end, and a word that
            its beginning is left out.
    """

    def __init__(self, cap: int, on_line: Callable[[str], None] | None) -> None:
        self._half = max(cap // 2, 1)
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0
        self._on_line = on_line
        self._partial = bytearray()
        self._unsaid = 0  # bytes of the line so far that are left out

    def feed(self, data: bytes) -> None:
        """Take what came next."""
        room = self._half - len(self._head)
        self._head += data[:room] if room > 0 else b""
        self._tail += data[max(room, 0) :]
        if len(self._tail) > 2 * self._half:
            self._dropped += len(self._tail) - self._half
            del self._tail[: -self._half]
        if self._on_line is not None:
            self._lines(data)

    def _lines(self, data: bytes) -> None:
        assert self._on_line is not None
        self._partial += data
        *whole, rest = bytes(self._partial).split(b"\n")
        for line in whole:
            self._say(line)
        self._unsaid += max(len(rest) - _CHUNK, 0)
        self._partial = bytearray(rest[-_CHUNK:])

    def _say(self, line: bytes) -> None:
        assert self._on_line is not None
        cut = f"[... {self._unsaid} bytes left out ...] " if self._unsaid else ""
        self._unsaid = 0
        self._on_line(f"{cut}{line.decode('utf-8', 'replace')}")

    def result(self) -> bytes:
        """What is kept, once nothing more comes."""
        if self._on_line is not None and self._partial:
            self._say(bytes(self._partial))
            self._partial.clear()
        if len(self._tail) > self._half:
            self._dropped += len(self._tail) - self._half
            del self._tail[: -self._half]
        cut = f"\n[... {self._dropped} bytes left out ...]\n".encode() if self._dropped else b""
        return bytes(self._head) + cut + bytes(self._tail)


def _signal_group(pid: int, number: signal.Signals) -> None:
    """Signal a process group that may be gone already."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


class _Pipes(asyncio.SubprocessProtocol):
    """Collects both streams, and kills what the program leaves behind the moment it exits."""

    def __init__(self, cap: int, on_line: Callable[[str], None] | None) -> None:
        self.captures = {1: Capture(cap, on_line), 2: Capture(cap, None)}
        self.exited = asyncio.Event()
        self.closed = asyncio.Event()
        self.pid = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self.pid = transport.get_pid()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.captures[fd].feed(data)

    def process_exited(self) -> None:
        # Children left behind would hold the pipes open and go on working on a tree that is gone.
        _signal_group(self.pid, signal.SIGKILL)
        self.exited.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own signature
        self.closed.set()


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, at most so long."""
    # Not asyncio's own: until Python 3.12 it loses a cancellation that comes together with the event.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


async def exit_of(gone: asyncio.Event, pid: int, guard: Callable[[int], Awaitable[str]] | None) -> str:
    """Wait until a program has exited, or its guard wants it killed.

    Args:
        gone: Set when it has exited.
        pid: Its process id.
        guard: See `run`.

    Returns:
        Why the guard wants it killed; empty when it has exited.
    """
    if guard is None:
        await gone.wait()
        return ""
    exited = asyncio.ensure_future(gone.wait())
    watching = asyncio.ensure_future(guard(pid))
    try:
        await asyncio.wait((exited, watching), return_when=asyncio.FIRST_COMPLETED)
        return "" if exited.done() else watching.result()
    finally:
        exited.cancel()
        watching.cancel()


async def _end(pipes: _Pipes, *, ask: bool) -> None:
    """Ask the whole group to stop, then make it; made to hurry, as when the loop is closed, it makes it at once."""
    descendants = None if pipes.exited.is_set() else Descendants(pipes.pid)
    try:
        if ask and not pipes.exited.is_set():
            _signal_group(pipes.pid, signal.SIGTERM)
            await wait_for(pipes.exited, GRACE)
    finally:
        if not pipes.exited.is_set():
            _signal_group(pipes.pid, signal.SIGKILL)
        if descendants is not None:
            descendants.kill()
    if not pipes.exited.is_set():
        # What the kernel itself holds on to, as at a dead network disk, must not hold us.
        await wait_for(pipes.exited, _LAST_WAIT)


async def carried_out(ending: Coroutine[Any, Any, None]) -> None:
    """Carry out what ends something; a cancellation meanwhile is handed on to it, and leaves nothing of it behind.

    Args:
        ending: Does what must be done without waiting when it is cancelled.
    """
    task = asyncio.ensure_future(ending)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        task.cancel()
        # A task of its own that nobody waits for would outlive its caller, and the event loop.
        await asyncio.wait([task])
        raise


_Started = tuple[asyncio.SubprocessTransport, _Pipes]


async def _started(start: Coroutine[Any, Any, _Started]) -> _Started:
    """Start a program; a cancellation meanwhile goes on once it is started and its group is killed.

    asyncio itself would kill the program alone and not what it has started, and can wait for ever.
    """
    starting = asyncio.ensure_future(start)
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        # A start takes milliseconds; being cancelled again does not shorten it.
        while not starting.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([starting])
        if not starting.cancelled() and starting.exception() is None:
            transport, pipes = starting.result()
            try:
                await carried_out(_end(pipes, ask=False))
            finally:
                transport.close()
        raise


async def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    timeout: float,
    env: Mapping[str, str] | None = None,
    stdin: bytes | int = b"",
    stdout: int = asyncio.subprocess.PIPE,
    cap: int = CAP,
    on_line: Callable[[str], None] | None = None,
    guard: Callable[[int], Awaitable[str]] | None = None,
    files: Sequence[int] = (),
) -> Completed:
    """Run a program to its end, or to its timeout.

    Args:
        argv: The program and its arguments; no shell is involved.
        cwd: Its working directory.
        timeout: Seconds after which its process group gets SIGTERM, then SIGKILL.
        env: Its whole environment; None for this process's own without the partners' keys.
        stdin: What it reads on standard input; a number: the open file that it gets as such.
        stdout: The open file that it gets as its standard output, which then is not collected.
        cap: Most bytes kept of each stream; the middle is left out beyond.
        on_line: Called with each line of standard output as it comes.
        guard: Awaited with the program's process id while it runs; what it returns is why the group is killed at once.
        files: Open files that it inherits, under the same numbers.

    Returns:
        How it ended. When the caller is cancelled the group is killed before the cancellation goes on.

    Raises:
        FileNotFoundError: There is no such program.
        OSError: It cannot be started.
    """
    start = time.monotonic()
    given, text = (stdin, b"") if isinstance(stdin, int) else (None, stdin)
    transport, pipes = await _started(
        asyncio.get_running_loop().subprocess_exec(
            lambda: _Pipes(cap, on_line),
            *argv,
            cwd=cwd,
            env=KNOWN.without(os.environ) if env is None else dict(env),
            stdin=given if given is not None else asyncio.subprocess.PIPE if text else asyncio.subprocess.DEVNULL,
            stdout=stdout,
            start_new_session=True,
            pass_fds=tuple(files),
        )
    )
    timed_out, killed = False, ""
    try:
        if text:
            writer = transport.get_pipe_transport(0)
            assert isinstance(writer, asyncio.WriteTransport)
            writer.write(text)
            writer.write_eof()
        async with asyncio.timeout(timeout):
            killed = await exit_of(pipes.exited, pipes.pid, guard)
    except TimeoutError:
        timed_out = True
    finally:
        try:
            await carried_out(_end(pipes, ask=not killed))
            # What a process outside the group may still hold open is not waited for.
            await wait_for(pipes.closed, GRACE)
        finally:
            transport.close()
    code = transport.get_returncode()
    out, err = (capture.result() for capture in pipes.captures.values())
    if killed:
        err += f"\n{killed}\n".encode()
    seconds = time.monotonic() - start
    return Completed(code if code is not None else -int(signal.SIGKILL), out, err, seconds, timed_out, killed)


async def in_foreground(argv: Sequence[str], *, cwd: Path) -> int:
    """Run a program that has the terminal to itself, such as the human's editor, for as long as they like.

    It gets this process's environment without the partners' keys. It stays in this process's group, so that the shell
    stops and goes on with both. What the terminal sends to the group to interrupt the program does not interrupt this
    process.

    Args:
        argv: The program and its arguments; no shell is involved.
        cwd: Its working directory.

    Returns:
        Its exit status; negative for a signal. When the caller is cancelled it is ended first.

    Raises:
        FileNotFoundError: There is no such program.
        OSError: It cannot be started.
    """
    # A handler, not SIG_IGN, which the program would inherit; only the main thread may set one, and only it gets any.
    mine = threading.current_thread() is threading.main_thread()
    numbers = (signal.SIGINT, signal.SIGQUIT) if mine else ()
    before = {number: signal.signal(number, lambda *_: None) for number in numbers}
    try:
        running = await asyncio.create_subprocess_exec(*argv, cwd=cwd, env=KNOWN.without(os.environ))
        try:
            return await running.wait()
        finally:
            if running.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    running.terminate()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(GRACE):
                        await running.wait()
            if running.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    running.kill()
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def run_blocking(argv: Sequence[str], *, cwd: Path, timeout: float, env: Mapping[str, str] | None = None) -> Completed:
    """`run` for code that has no event loop, or must not wait on the one it is in.

    It works in a thread of its own, so that it can also be called below a running loop; that loop stands still
    meanwhile, so keep it to commands of a few milliseconds.

    Raises:
        FileNotFoundError: There is no such program.
        OSError: It cannot be started.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(run(argv, cwd=cwd, timeout=timeout, env=env))).result()
