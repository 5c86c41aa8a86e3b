"""What comes back from a run in a warm process: its messages, and what it prints."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from typing import Any

from agent_core.process import Capture

MESSAGE = 1 << 18
_PASSED_CREDENTIALS = 16


class Stream(asyncio.Protocol):
    """Hands what comes through a pipe to a capture."""

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self.closed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Take what came next."""
        self.capture.feed(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own signature
        """There is no more."""
        self.closed.set()


class Channel:
    """Our side of a run's channel.

    Attributes:
        said: What was told so far.
        pid: The first process of the run, 0 before it has said something.
        answered: Set when anything was told, or nothing more will be.
        gone: Set when every process of the run is gone.
    """

    def __init__(self, ours: socket.socket) -> None:
        ours.settimeout(0)
        # With each message comes who sent it: the first process of the run, as we know it.
        ours.setsockopt(socket.SOL_SOCKET, _PASSED_CREDENTIALS, 1)
        self._socket = ours
        self.said: dict[str, Any] = {}
        self.pid = 0
        self.answered = asyncio.Event()
        self.gone = asyncio.Event()
        asyncio.get_running_loop().add_reader(ours, self._read)

    def _read(self) -> None:
        try:
            data, more, _, _ = self._socket.recvmsg(MESSAGE, socket.CMSG_SPACE(12))
        except BlockingIOError:
            return
        except OSError:
            data, more = b"", []
        if not data:
            asyncio.get_running_loop().remove_reader(self._socket)
            self.answered.set()
            self.gone.set()
            return
        self.said.update(json.loads(data))
        for _, _, credentials in more:
            self.pid = struct.unpack("3i", credentials)[0]
        self.answered.set()

    def kill(self) -> None:
        """Have every process of the run killed."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Hear no more."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
