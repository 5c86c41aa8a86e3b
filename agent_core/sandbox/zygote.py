"""A warm process: a Python that has imported modules, and forks a shut-in command in milliseconds.

The server is `agent_core/sandbox/injected/pairloop_zygote`, run by the project's own Python. It is asked over a socket;
a request carries five open files: a channel of the run's own, what is wanted (see `Confinement.request`), and the
command's three streams. Over the channel come JSON messages: ``begun``, then ``ended`` with the exit status, or
``failed`` or ``stale`` with the reason why nothing ran. The channel's end says that every process of the run is gone;
closing our side of it kills them all.

What differs from a command that was started: all runs of one server share the seed of Python's string hashes, where
PYTHONHASHSEED is not set, and whatever state of chance modules made when they were imported (Python's own generator and
numpy's are seeded anew); ``/proc/self/cmdline`` is the server's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from agent_core.process import CAP, GRACE, Capture, Completed, carried_out, exit_of, run, wait_for
from agent_core.sandbox.channel import MESSAGE, Channel, Stream

_INJECTED = Path(__file__).with_name("injected")
_START_SECONDS = 60.0
_LIFE = 24 * 3600.0

# Nothing of the project's folder may be imported ahead, and nothing written beside our own files.
_BOOT = """
import sys
before, own = frozenset(sys.modules), sys.path[:1] == [""]
if own:
    del sys.path[0]
quiet, sys.dont_write_bytecode = sys.dont_write_bytecode, True
sys.path.insert(0, sys.argv[1])
from pairloop_zygote import server
sys.path.remove(sys.argv[1])
sys.dont_write_bytecode = quiet
server.main(before, own_folder=own)
"""


class Ground(msgspec.Struct, frozen=True):
    """What a server stands on; another one of these is another server.

    Attributes:
        python: The interpreter and its options.
        modules: What it imports, in this order.
        environment: Environment variables it starts with, sorted.
        project: The folder from which nothing may be imported ahead.
        user_namespace: See `Confinement`.
        network: See `Shelter`.
    """

    python: tuple[str, ...]
    modules: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    project: Path
    user_namespace: bool
    network: bool


class Refused(Exception):  # noqa: N818 - nothing is wrong: it is how things are here
    """No server can be had on this ground.

    Attributes:
        module: The module that must not be imported ahead; empty when it is something else.
        again: It may work another time.
    """

    def __init__(self, reason: str, module: str = "", *, again: bool = False) -> None:
        super().__init__(reason)
        self.module = module
        self.again = again


class Declined(msgspec.Struct, frozen=True):
    """A run that did not come to its end.

    Attributes:
        reason: Why, for a human.
        begun: The command had begun.
        stale: What was imported is no longer what is installed.
    """

    reason: str
    begun: bool = False
    stale: bool = False


class Zygote:
    """A server that has imported its modules; made by `start_zygote`.

    Attributes:
        ground: What it stands on.
        names: Top-level names of what it imported, what Python itself begins with left out.
        folders: Folders of the project on its import path.
        runs: How many there were.
    """

    def __init__(
        self,
        ground: Ground,
        control: socket.socket,
        task: asyncio.Task[Completed],
        names: frozenset[str],
        folders: tuple[str, ...],
    ) -> None:
        self.ground = ground
        self.names = names
        self.folders = folders
        self.runs = 0
        self._active = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._control = control
        self._task = task

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return not self._task.done()

    async def close(self) -> None:
        """End it, and every run of it."""
        self._control.close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def retire(self) -> None:
        """End it as soon as its last run has ended; nobody may ask for another one."""
        await self._idle.wait()
        await self.close()

    async def run(
        self,
        request: Mapping[str, Any],
        *,
        timeout: float,
        stdin: bytes = b"",
        on_line: Callable[[str], None] | None = None,
        guard: Callable[[int], Awaitable[str]] | None = None,
    ) -> Completed | Declined:
        """Run a command in a fork.

        Args:
            request: What `Confinement.request` gives, with ``argv`` (the interpreter and its options), ``code``,
                ``args`` and ``env``.
            timeout: Seconds after which all of it is killed.
            stdin: What it reads on standard input.
            on_line: Called with each line of standard output as it comes.
            guard: Awaited with the process id of the run's first process; see `agent_core.process.run`.

        Returns:
            How it ended, or why it did not. When the caller is cancelled, every process of the run is killed before
            the cancellation goes on.
        """
        self.runs += 1
        self._active += 1
        self._idle.clear()
        try:
            return await self._run(request, timeout, stdin, on_line, guard)
        finally:
            self._active -= 1
            if not self._active:
                self._idle.set()

    async def _run(
        self,
        request: Mapping[str, Any],
        timeout: float,
        stdin: bytes,
        on_line: Callable[[str], None] | None,
        guard: Callable[[int], Awaitable[str]] | None,
    ) -> Completed | Declined:
        start = time.monotonic()
        captures = Capture(CAP, on_line), Capture(CAP, None)
        async with contextlib.AsyncExitStack() as stack:
            try:
                channel, streams = await self._ask(stack, request, stdin, captures)
            except OSError as error:
                return Declined(f"the warm process cannot be asked: {error}")
            timed_out, killed = False, ""
            try:
                async with asyncio.timeout(timeout):
                    await channel.answered.wait()
                    killed = await exit_of(channel.gone, channel.pid, guard if channel.pid else None)
            except TimeoutError:
                timed_out = True
            finally:
                await carried_out(self._end(channel))
                for stream in streams:
                    await wait_for(stream.closed, GRACE)
        said = channel.said
        if "stale" in said:
            return Declined(f"{said['stale']} has changed since it was imported", stale=True)
        if "failed" in said:
            return Declined(said["failed"])
        if "ended" not in said and not timed_out and not killed:
            return Declined("the warm process has died", begun="begun" in said)
        out, err = (capture.result() for capture in captures)
        if killed:
            err += f"\n{killed}\n".encode()
        code = said.get("ended", -int(signal.SIGKILL))
        return Completed(code, out, err, time.monotonic() - start, timed_out, killed)

    async def _ask(
        self,
        stack: contextlib.AsyncExitStack,
        request: Mapping[str, Any],
        stdin: bytes,
        captures: Sequence[Capture],
    ) -> tuple[Channel, list[Stream]]:
        """Send a request; gives what is heard of it. Everything opened is closed with `stack`."""
        loop = asyncio.get_running_loop()
        with contextlib.ExitStack() as sent:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            sent.callback(theirs.close)
            channel = Channel(ours)
            stack.callback(channel.close)
            wanted = os.memfd_create("pairloop-request")
            sent.callback(os.close, wanted)
            os.write(wanted, json.dumps({**request, "piped": bool(stdin)}).encode())
            os.lseek(wanted, 0, os.SEEK_SET)
            if stdin:
                source, sink = os.pipe()
                transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(sink, "wb", 0))
                stack.callback(transport.close)
                transport.write(stdin)
                transport.write_eof()
            else:
                source = os.open(os.devnull, os.O_RDONLY)
            sent.callback(os.close, source)
            numbers = [theirs.fileno(), wanted, source]
            streams = []
            for capture in captures:
                source, sink = os.pipe()
                sent.callback(os.close, sink)
                reader, stream = await loop.connect_read_pipe(
                    lambda capture=capture: Stream(capture),  # type: ignore[misc]
                    os.fdopen(source, "rb", 0),
                )
                stack.callback(reader.close)
                streams.append(stream)
                numbers.append(sink)
            socket.send_fds(self._control, [b"run"], numbers)
        return channel, streams

    async def _end(self, channel: Channel) -> None:
        """Have what still runs killed, and wait until it is gone."""
        if channel.gone.is_set():
            return
        channel.kill()
        await wait_for(channel.gone, 4 * GRACE)
        if not channel.gone.is_set():
            # It does not answer: nothing of it may go on.
            await self.close()


async def start_zygote(ground: Ground, folder: Path) -> Zygote:
    """Start a server and wait until it has imported its modules.

    Args:
        ground: What it stands on.
        folder: An empty folder of its own, by its real path; it stays empty, and is removed when the server has ended.
            Removed earlier it would take the server's mounts with it.

    Raises:
        Refused: There can be none on this ground.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(0)
    argv = (*ground.python, "-c", _BOOT, str(_INJECTED), str(theirs.fileno()))
    # Relative entries of PYTHONPATH are those of the project. It ends when the socket does, at the latest when we do.
    serving = run(argv, cwd=ground.project, timeout=_LIFE, env=dict(ground.environment), files=(theirs.fileno(),))
    task = asyncio.create_task(serving)
    task.add_done_callback(lambda _: shutil.rmtree(folder, ignore_errors=True))
    try:
        answer = await _set_up(ground, folder, ours, task)
    except BaseException:
        ours.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
    finally:
        theirs.close()
    return Zygote(ground, ours, task, frozenset(answer["ready"]), tuple(answer["folders"]))


async def _set_up(
    ground: Ground, folder: Path, control: socket.socket, task: asyncio.Task[Completed]
) -> Mapping[str, Any]:
    """Tell a server what to import, and wait until it has."""
    loop = asyncio.get_running_loop()
    setup = {
        "folder": str(folder),
        "project": str(ground.project),
        "modules": ground.modules,
        "user": ground.user_namespace,
        "network": ground.network,
    }
    await loop.sock_sendall(control, json.dumps(setup).encode())
    reading = asyncio.ensure_future(loop.sock_recv(control, MESSAGE))
    try:
        await asyncio.wait((reading, task), timeout=_START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            answer: dict[str, Any] = json.loads(reading.result() or b"{}")
        else:
            answer = {}
    finally:
        reading.cancel()
    if "ready" in answer:
        return answer
    if "refused" in answer:
        raise Refused(answer["refused"], answer["module"], again=answer.get("again", False))
    if not task.done():
        raise Refused(f"it did not get ready within {_START_SECONDS:g} s")
    if task.cancelled() or task.exception() is not None:
        raise Refused("the interpreter cannot be started")
    raise Refused(f"the interpreter ended with status {task.result().code}")
