"""Messages on the line: one JSON object a line, and nothing that comes along it ends the talk."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

MOST = 50_000_000
"""Bytes of the longest line that is read; one that is longer is left out, and said to be."""
_PARSE, _INVALID = -32700, -32600
log = logging.getLogger(__name__)


class Wire:
    """JSON-RPC messages over byte streams; what `acp` calls a transport.

    Args:
        reader: What the editor says; made with a limit of `MOST`.
        writer: What it is told.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._closed = False
        self._gone = asyncio.Event()

    async def send(self, message: dict[str, Any]) -> None:
        """Write a message. It is on its way before anything else runs: messages keep their order.

        Raises:
            ConnectionError: The editor is gone.
        """
        if self._closed:
            raise ConnectionError("The editor is gone.")
        # What refuses a message may quote any of it.
        self._writer.write(json.dumps(message, separators=(",", ":"), default=str).encode() + b"\n")
        try:
            await self._writer.drain()
        except OSError as error:
            self._closed = True
            self._gone.set()
            raise ConnectionError("The editor is gone.") from error

    async def receive(self) -> dict[str, Any] | None:
        """The next message that is one; None when the editor is gone."""
        while True:
            line = await self._next()
            if line is None:
                return None
            if not line.strip():
                continue
            try:
                message = json.loads(line)
            except (ValueError, RecursionError) as error:
                await self._refuse(_PARSE, f"This line is no JSON: {error}.")
                continue
            if wrong := _wrong(message):
                await self._refuse(_INVALID, wrong)
                continue
            return dict(message)

    async def close(self) -> None:
        """Write nothing more."""
        self._closed = True

    async def _next(self) -> bytes | None:
        """A line; None at the end, or when nobody reads any more what is written."""
        reading = asyncio.ensure_future(self._line())
        gone = asyncio.ensure_future(self._gone.wait())
        try:
            await asyncio.wait({reading, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            if not reading.done():
                reading.cancel()
        return reading.result() if reading.done() and not reading.cancelled() else None

    async def _line(self) -> bytes | None:
        too_long = False
        while True:
            try:
                line = await self._reader.readuntil(b"\n")
            except asyncio.IncompleteReadError as error:
                return error.partial or None
            except asyncio.LimitOverrunError as error:
                too_long = True
                await self._reader.readexactly(error.consumed)
                continue
            except OSError:
                return None
            if not too_long:
                return line
            too_long = False
            await self._refuse(_INVALID, f"A message may have {MOST:,} bytes at most; this one was left out.")

    async def _refuse(self, code: int, words: str) -> None:
        log.warning("from the editor: %s", words)
        try:
            await self.send({"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": words}})
        except ConnectionError:
            return


def _wrong(message: object) -> str:
    """Why this is no message; empty when it is one."""
    if not isinstance(message, dict):
        return "A message is one JSON object; batches are no part of the protocol."
    if "id" in message and not isinstance(message["id"], str | int | float | None):
        return "The id of a message is a number or a text."
    if "method" in message:
        return "" if isinstance(message["method"], str) else "The method of a message is a text."
    if "id" not in message:
        return "A message names a method, or answers one."
    if not isinstance(message.get("error") or {}, dict):
        return "An error is an object."
    return ""
