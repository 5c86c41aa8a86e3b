"""The processes that a process has started, and those that they have: also those that left its group.

A sandbox gives what runs in it a session of its own and asks the kernel to end it together with the sandbox. Between
the two there is a moment at which nothing would.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

_MOST = 10_000


class Descendants:
    """The descendants that a process has now, held so that nobody else can be taken for one of them later.

    Where the system does not tell (anywhere but on Linux) there are none.

    Args:
        pid: The process.
    """

    def __init__(self, pid: int) -> None:
        self._handles: list[int] = []
        if sys.platform != "linux":
            return
        left = _children(pid)
        while left and len(self._handles) < _MOST:
            child = left.pop()
            with contextlib.suppress(OSError):
                self._handles.append(os.pidfd_open(child))
                left += _children(child)

    def kill(self) -> None:
        """Kill those that are still there, and let go of all."""
        while self._handles:
            handle = self._handles.pop()
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            os.close(handle)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            # One that ends meanwhile hides no children of the others.
            with contextlib.suppress(OSError):
                found += map(int, (thread / "children").read_text("ascii").split())
    return found
