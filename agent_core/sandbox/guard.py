"""Watching what all processes of a run use together, and saying when it is too much.

Control groups would do it in the kernel, but only where a system has delegated one to the user; the process tree can be
read everywhere on Linux. A run that ends before the first look costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path

import msgspec

from agent_core.sandbox.limits import Limits, size_text

_PAUSE = 0.1
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Use(msgspec.Struct, frozen=True):
    """What a process and all its descendants use.

    Attributes:
        pids: The processes, parents first; no more than were asked for.
        memory: Bytes of memory that is theirs; what they share after a fork is counted in each of them.
    """

    pids: tuple[int, ...]
    memory: int


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - names are all that is wanted
            with contextlib.suppress(OSError):
                found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_bytes().split())
    return found


def _private(pid: int) -> int:
    """Bytes of a process that are no file's and no shared memory."""
    with contextlib.suppress(OSError, ValueError):
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_bytes().split()
        return (int(resident) - int(shared)) * _PAGE
    return 0


def _proportional(pid: int) -> int:
    """Bytes of a process, what it shares with others counted as its share."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    return _private(pid)


def use_of(pid: int, most: int) -> Use:
    """What a process and its descendants use now.

    Args:
        pid: The process.
        most: How many processes to look at; beyond that one knows enough.
    """
    pids = [pid]
    for found in pids:
        if len(pids) > most:
            break
        pids += _children(found)
    return Use(tuple(pids), sum(map(_private, pids)))


def _written(pid: int, tree: Path) -> int:
    """Bytes a process and its like have put into the overlays they see; 0 where it sees the system's own tree."""
    inside = Path(f"/proc/{pid}/root{tree}")
    with contextlib.suppress(OSError):
        if inside.stat().st_dev != tree.stat().st_dev:
            # An overlay tells the state of its upper layer, a tmpfs of the sandbox's own.
            state = os.statvfs(inside)
            return (state.f_blocks - state.f_bfree) * state.f_frsize
    return 0


async def _excess(pid: int, limits: Limits, tree: Path | None) -> str:
    use = use_of(pid, limits.processes)
    if len(use.pids) > limits.processes:
        return f"killed: more than {limits.processes:,} processes at a time"
    if tree is not None and _written(use.pids[-1], tree) > limits.disk:
        return f"killed: more than {size_text(limits.disk)} written"
    if use.memory <= limits.memory:
        return ""
    exact = await asyncio.to_thread(lambda: sum(map(_proportional, use.pids)))
    return f"killed: out of memory (limit {size_text(limits.memory)})" if exact > limits.memory else ""


async def watch(pid: int, limits: Limits, tree: Path | None = None) -> str:
    """Watch a process and its descendants; returns only when they use too much.

    Where the system shows no process tree (macOS) it never returns.

    Args:
        pid: The process.
        limits: What they may use.
        tree: A folder that is overlaid for them, if any: what they write to the overlays is counted.

    Returns:
        What was too much, for a human.
    """
    pause = _PAUSE
    while True:
        await asyncio.sleep(pause)
        start = time.monotonic()
        if reason := await _excess(pid, limits, tree):
            return reason
        # However many processes there are, looking at them takes a twentieth of a core at most.
        pause = max(_PAUSE, 20 * (time.monotonic() - start))
