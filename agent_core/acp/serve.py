"""``pairloop acp`` as a process: standard input and output, signals, an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any, cast

from acp import Agent, run_agent

from agent_core.acp.agent import PairloopAgent
from agent_core.acp.wire import MOST, Wire
from agent_core.output import complain


async def serve(flags: Mapping[str, Any], environ: Mapping[str, str]) -> int:
    """Serve the editor that started this process, until it closes the line.

    Args:
        flags: Settings from the command line, as nested tables.
        environ: The environment.

    Returns:
        The exit code: 0 when the editor is gone, 2 when there is none.
    """
    try:
        wire = await _wire()
    except ValueError:
        complain("acp talks through pipes: it is for an editor to start. `pairloop acp --help` says how.")
        return 2
    agent = PairloopAgent(flags, environ)
    # Methods are found by name: what an agent does not offer, it leaves out.
    serving = asyncio.ensure_future(run_agent(cast("Agent", agent), wire, use_unstable_protocol=True))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, serving.cancel)
    try:
        await asyncio.wait({serving})
        if not serving.cancelled() and (error := serving.exception()) is not None:
            raise error
    finally:
        await agent.close()
    return 0


async def _wire() -> Wire:
    """The line to the editor. Whatever else writes to standard output writes to standard error from now on.

    Raises:
        ValueError: Standard input or output is a file.
    """
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=MOST)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    sys.stdout.flush()
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # Of a protocol for writing alone there is none in public.
    heard = asyncio.StreamReaderProtocol(asyncio.StreamReader())
    transport, protocol = await loop.connect_write_pipe(lambda: heard, out)
    return Wire(reader, asyncio.StreamWriter(transport, protocol, None, loop))
