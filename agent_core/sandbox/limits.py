"""What a command may use up: memory, processes, disk; and how it is held to that.

Two means work together. Resource limits are set by the kernel's own books, at once and exactly, but for one process
each: so a process that asks for too much gets a ``MemoryError``, a fork bomb an ``EAGAIN``. What all processes of a run
use together is watched from outside (`agent_core.sandbox.guard`), and a run that goes beyond is ended. A command is
also the first that the kernel kills when the whole machine runs out of memory, before anything of the human's.

Memory is limited by RLIMIT_DATA (since Linux 4.7 it counts what is private and writable), not by RLIMIT_AS: Node, Go
and Java reserve far more addresses than they use.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

MB = 1 << 20
GB = 1 << 30

PATIENT = 5
"""How nice a command is that nobody waits for."""

Resource = Literal["RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_CORE", "RLIMIT_NOFILE", "RLIMIT_NPROC"]

_UNITS = {"": 1, "K": 1 << 10, "M": MB, "G": GB, "T": 1 << 40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(%|[KMGT]?)(?:i?B)?", re.IGNORECASE)

# Less than this and an interpreter does not start.
_LEAST_MEMORY = 64 * MB
_LEAST_DISK = 1 * MB

# No test-suite opens so many; without a limit one process could fill the system's table.
_OPEN_FILES = 65_536

# The options of the shell's own `ulimit`, the second one where the first is refused, and the bytes of one unit as POSIX
# has them. Dash and BusyBox have -p where others have -u. The soft limit of open files stays unless it is above.
_ULIMIT: dict[Resource, tuple[tuple[str, ...], int]] = {
    "RLIMIT_DATA": (("-d",), 1024),
    "RLIMIT_FSIZE": (("-f",), 512),
    "RLIMIT_CORE": (("-c",), 512),
    "RLIMIT_NOFILE": (("-H -n", "-n"), 1),
    "RLIMIT_NPROC": (("-u", "-p"), 1),
}


class Limits(msgspec.Struct, frozen=True):
    """What one run of a command may use.

    Attributes:
        memory: Bytes of memory of all its processes together, and of each alone.
        processes: Processes at a time.
        disk: Bytes in each private temporary folder, and in one file.
    """

    memory: int
    processes: int
    disk: int

    @property
    def text(self) -> str:
        """For a human, in a few words."""
        return f"{size_text(self.memory)} memory, {self.processes:,} processes"


def size_text(size: int) -> str:
    """A number of bytes for a human, such as ``4 GB``."""
    for name, unit in (("GB", GB), ("MB", MB)):
        if size >= unit:
            return f"{size / unit:.1f}".removesuffix(".0") + f" {name}"
    return f"{size / 1024:.0f} KB"


def parse_size(text: str, whole: int) -> int:
    """A size such as ``4 GB``, ``512M`` or ``80%`` in bytes.

    Args:
        text: The size.
        whole: What percentages are of.

    Raises:
        ValueError: It is no size, or nothing could run with so little.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f'{text!r} is no size; write "4 GB", "512 MB" or "80%"')
    number, unit = float(found.group(1)), found.group(2).upper()
    if unit == "%":
        if not 0 < number <= 100:
            raise ValueError(f"{text!r}: a share is more than 0% and at most 100%")
        return int(whole * number / 100)
    return int(number * _UNITS[unit])


def parse_limits(memory: str, processes: int, disk: str) -> Limits:
    """The limits as the configuration has them; percentages are of this machine's memory.

    Raises:
        ValueError: A size cannot be read or is too small for anything to run.
    """
    whole = machine_memory()
    limits = Limits(parse_size(memory, whole), processes, parse_size(disk, whole))
    for name, text, size, least in (
        ("memory", memory, limits.memory, _LEAST_MEMORY),
        ("disk", disk, limits.disk, _LEAST_DISK),
    ):
        if size < least:
            raise ValueError(f"{name} = {text!r} is too little to run anything; at least {size_text(least)}")
    return limits


def machine_memory() -> int:
    """Bytes of memory this machine has, or the container we are in."""
    sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            sizes.append(int((Path("/sys/fs/cgroup") / name).read_text()))
    return min(sizes)


def _tasks_of(user: int) -> int:
    """How many processes and threads a user has, where the system shows it."""
    count = 0
    with contextlib.suppress(OSError):
        for entry in os.scandir("/proc"):
            with contextlib.suppress(OSError):
                if entry.name.isdecimal() and entry.stat().st_uid == user:
                    count += len(os.listdir(f"{entry.path}/task"))  # noqa: PTH208 - names are all that is wanted
    return count


def resource_limits(limits: Limits, *, own_users: bool) -> dict[Resource, int]:
    """The resource limits of each process of a run: hard ones, to which soft ones above them come down.

    What is already limited more strictly is left as it is.

    Args:
        limits: What a run may use.
        own_users: It has a user namespace of its own, in which only its own processes are counted. The kernel holds
            root to no number of processes, wherever it is.
    """
    wanted: dict[Resource, int] = {
        "RLIMIT_DATA": limits.memory,
        "RLIMIT_FSIZE": limits.disk,
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": _OPEN_FILES,
    }
    if own_users:
        wanted["RLIMIT_NPROC"] = limits.processes
    elif sys.platform == "linux":
        wanted["RLIMIT_NPROC"] = limits.processes + _tasks_of(os.geteuid())
    found: dict[Resource, int] = {}
    for name, value in wanted.items():
        hard = resource.getrlimit(getattr(resource, name))[1]
        if hard == resource.RLIM_INFINITY or value < hard:
            found[name] = value
    return found


def with_limits(argv: Sequence[str], resources: dict[Resource, int]) -> tuple[str, ...]:
    """The command that takes limits upon itself and then becomes another command.

    Args:
        argv: The other command.
        resources: As `resource_limits` gives them.
    """
    lines = ["{ echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null"]
    for name, value in resources.items():
        options, unit = _ULIMIT[name]
        lines.append(" || ".join(f"ulimit {option} {value // unit} 2>/dev/null" for option in options))
    return ("/bin/sh", "-c", "; ".join((*lines, 'exec "$@"')), "sh", *argv)


def with_patience(argv: Sequence[str], nice: int) -> tuple[str, ...]:
    """The command that lets others go first, and then becomes another command.

    Args:
        argv: The other command.
        nice: By how much, as nice(1) has it; the disk goes by it, too.
    """
    # Where Linux groups processes by session, niceness counts within a group only, and the group has one of its own.
    group = f"{{ echo {nice} >/proc/self/autogroup; }} 2>/dev/null"
    script = f'{group}; command -v nice >/dev/null && exec nice -n {nice} "$@"; exec "$@"'
    return ("/bin/sh", "-c", script, "sh", *argv)
