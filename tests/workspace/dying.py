"""A landing whose process ends at a chosen step: run as a program, for the crash tests.

Reads a list of `Death` as JSON, lets each happen in a process of its own, and prints their exit codes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from agent_core.errors import LandingConflictError
from agent_core.events import FileLanding
from agent_core.journal import SqliteJournal
from agent_core.workspace.disk import FileSystem
from agent_core.workspace.landing import Lander

KILLED = 9
T = TypeVar("T")


class Death(msgspec.Struct, frozen=True):
    """What is done, where, and after how many system calls it ends; a negative step is never reached."""

    root: Path
    journal: Path
    files: tuple[FileLanding, ...]
    action: Literal["write", "recover"]
    step: int
    plain: bool = False


class SteppingFileSystem(FileSystem):
    """Calls something before every step; a write counts twice, before and in the middle of it.

    It does not wait for the disk, which the death of a process does not need.
    With `plain` it is a file system without special renames.
    """

    def __init__(self, before: Callable[[], None], *, plain: bool = False) -> None:
        self.before = before
        self.plain = plain

    def create(self, path: Path, mode: int) -> int:
        self.before()
        return super().create(path, mode)

    def write(self, descriptor: int, data: bytes) -> None:
        self.before()
        super().write(descriptor, data[: len(data) // 2])
        self.before()
        super().write(descriptor, data[len(data) // 2 :])

    def own(self, descriptor: int, user: int, group: int) -> None:
        self.before()
        super().own(descriptor, user, group)

    def attributes(self, descriptor: int, source: Path) -> None:
        self.before()
        super().attributes(descriptor, source)

    def chmod(self, descriptor: int, mode: int) -> None:
        self.before()
        super().chmod(descriptor, mode)

    def sync(self, descriptor: int) -> None:
        self.before()

    def replace(self, source: Path, target: Path) -> None:
        self.before()
        super().replace(source, target)

    def exchange(self, one: Path, other: Path) -> bool:
        self.before()
        return not self.plain and super().exchange(one, other)

    def place(self, source: Path, target: Path) -> None:
        self.before()
        if not self.plain:
            super().place(source, target)
        elif target.exists():
            raise FileExistsError(target)
        else:
            source.rename(target)

    def unlink(self, path: Path) -> None:
        self.before()
        super().unlink(path)

    def make_dir(self, path: Path, bits: int | None = None) -> None:
        self.before()
        super().make_dir(path, bits)

    def remove_dir(self, path: Path) -> None:
        self.before()
        super().remove_dir(path)

    def sync_dir(self, path: Path) -> None:
        self.before()


def die_after(steps: int) -> Callable[[], None]:
    """Ends the process, as kill -9 would, when it is called once more than so often."""
    left = steps

    def before() -> None:
        nonlocal left
        if left == 0:
            os._exit(KILLED)
        left -= 1

    return before


def happen(death: Death) -> None:
    """Do it in this process."""
    journal = SqliteJournal(death.journal)
    disk = SteppingFileSystem(die_after(death.step), plain=death.plain)
    lander = Lander(death.root, journal, death.root.parent / "lock", disk=disk)
    if death.action == "recover":
        lander.recover(death.files)
    else:
        lander.write(death.files)


def main() -> None:
    """Let each of them happen in a child of its own."""
    codes = []
    for death in msgspec.json.decode(sys.stdin.buffer.read(), type=list[Death], dec_hook=_path):
        child = os.fork()
        if not child:
            code = 1
            try:
                happen(death)
                code = 0
            except LandingConflictError:
                code = 4
            finally:
                os._exit(code)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    print(msgspec.json.encode(codes).decode())


def _path(kind: type[T], value: object) -> T:
    return kind(value)  # type: ignore[call-arg]  # only paths are asked for


if __name__ == "__main__":
    main()
