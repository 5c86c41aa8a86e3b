"""The line to a server that is a program: JSON messages, one a line, over its standard input and output.

The `mcp` package has one too, but its programs outlive a loop that is ended in a hurry, and its reader holds a line of
any length. Here programs are run as all others are: in a group of their own that is killed at the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agent_core.process import Completed, carried_out, run
from agent_core.text import printable

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

log = logging.getLogger(__name__)
MOST_MESSAGE = 32_000_000
"""Bytes of the longest message that is read."""
_STDERR = 32_000
_GOODBYE = 0.3
"""Seconds that a server has to leave by itself, once its input is closed."""


class Program:
    """A program that is talked to.

    Args:
        argv: The program and its arguments.
        cwd: Its working directory.
        env: Its whole environment.
    """

    def __init__(self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> None:
        self._argv, self._cwd, self._env = argv, cwd, env
        self._files = contextlib.ExitStack()
        self._started = asyncio.Event()
        self._running: asyncio.Future[Completed] | None = None
        self._heard: asyncio.ReadTransport | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reader = asyncio.StreamReader(limit=MOST_MESSAGE)

    async def start(self) -> None:
        """Start it.

        Raises:
            OSError: It cannot be started.
        """
        loop = asyncio.get_running_loop()
        from_program, theirs_out = os.pipe()
        theirs_in, to_program = os.pipe()
        reading = self._files.enter_context(os.fdopen(from_program, "rb", buffering=0))
        writing = self._files.enter_context(os.fdopen(to_program, "wb", buffering=0))
        try:
            self._heard, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(self._reader), reading)
            pipe, flow = await loop.connect_write_pipe(
                lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), writing
            )
            self._writer = asyncio.StreamWriter(pipe, flow, None, loop)
            self._running = asyncio.ensure_future(
                run(
                    self._argv,
                    cwd=self._cwd,
                    timeout=float("inf"),
                    env=self._env,
                    stdin=theirs_in,
                    stdout=theirs_out,
                    cap=_STDERR,
                    guard=self._guard,
                )
            )
            begun = asyncio.ensure_future(self._started.wait())
            try:
                await asyncio.wait([self._running, begun], return_when=asyncio.FIRST_COMPLETED)
            finally:
                begun.cancel()
        finally:
            # From now on only the program has them: where nobody has them any more, it has ended.
            os.close(theirs_in)
            os.close(theirs_out)
        if self._running.done():
            self._running.result()

    async def _guard(self, _pid: int) -> str:
        """It runs; nothing but its own end or a cancellation ends it."""
        self._started.set()
        await asyncio.Event().wait()
        return ""

    async def lines(self) -> AsyncGenerator[bytes]:
        """What it says, line by line, until it says no more.

        Raises:
            ValueError: A line is longer than anybody would want to keep.
        """
        while line := await self._reader.readline():
            yield line

    async def say(self, line: bytes) -> None:
        """Say something to it.

        Raises:
            OSError: It has closed its ears.
        """
        assert self._writer is not None, "start was called"
        self._writer.write(line)
        await self._writer.drain()

    async def last_words(self) -> str:
        """How it ended, if it has: its exit status and the last line of its complaints."""
        if self._running is None:
            return ""
        await asyncio.wait([self._running], timeout=_GOODBYE)
        if not self._running.done() or self._running.cancelled() or self._running.exception() is not None:
            return "it says no more"
        done = self._running.result()
        if done.stderr:
            log.info("%s ended and had said:\n%s", self._argv[0], printable(done.stderr.decode("utf-8", "replace")))
        if done.code < 0:
            return f"signal {-done.code}"
        how = f"exit status {done.code}"
        complaints = [line.strip() for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
        return f"{how}: {complaints[-1].rstrip('.')}" if complaints else how

    async def close(self) -> None:
        """End it: it is told by the end of its input, then made to."""
        if self._writer is not None:
            self._writer.close()
        try:
            if self._running is not None:
                await asyncio.wait([self._running], timeout=_GOODBYE)
        finally:
            if self._running is not None:
                self._running.cancel()
                await asyncio.wait([self._running])
            # What it started may hold the other ends open. The loop has to forget ours before they are closed: it would
            # take the next file with the same number for one that it looks at already.
            if self._heard is not None:
                self._heard.close()
            if self._writer is not None and self._writer.transport.get_write_buffer_size():
                self._writer.transport.abort()
            self._files.close()


@asynccontextmanager
async def stdio_line(program: Program, ended: Callable[[str], None]) -> AsyncGenerator[TransportStreams]:
    """Start a program and talk to it; it is ended with the context.

    Args:
        program: The program.
        ended: Called when it says no more, with why.

    Raises:
        OSError: It cannot be started.
    """
    import anyio  # noqa: PLC0415 - not needed where there are no servers
    from mcp.shared.message import SessionMessage  # noqa: PLC0415
    from mcp_types import jsonrpc_message_adapter  # noqa: PLC0415

    heard, read = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write, said = anyio.create_memory_object_stream[SessionMessage](0)

    async def listen() -> None:
        why = ""
        async with heard:
            try:
                async for line in program.lines():
                    try:
                        message = jsonrpc_message_adapter.validate_json(line, by_name=False)
                    except ValueError:
                        continue  # what programs print beside what they say
                    await heard.send(SessionMessage(message))
            except ValueError:
                why = "it sent a message that is too long"
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                return  # nobody listens any more
            ended(why or await program.last_words())

    async def speak() -> None:
        async with said:
            try:
                async for message in said:
                    await program.say(
                        message.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"
                    )
            except OSError:
                # Whoever waits for an answer gets none. How it ended is told first: what they do then ends `listen`.
                ended(await program.last_words())
                await heard.aclose()

    try:
        await program.start()
        async with anyio.create_task_group() as group:
            group.start_soon(listen)
            group.start_soon(speak)
            try:
                yield read, write
            finally:
                group.cancel_scope.cancel()
    finally:
        for stream in (heard, read, write, said):
            stream.close()
        await carried_out(program.close())
