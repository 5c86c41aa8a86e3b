"""The few effects a landing has on the disk, one method for one system call, and how it looks at what is there.

They stand behind a class so that a test can end the process at every one of them.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec

from agent_core.errors import PatchRefusedError
from agent_core.workspace.paths import check_path

TEMP_PREFIX = ".pairloop-"
TEMP_SUFFIX = ".tmp"


def is_temp(name: str) -> bool:
    """Whether a file's name is that of a landing's temporary file, which is never part of a project."""
    return name.startswith(TEMP_PREFIX) and name.endswith(TEMP_SUFFIX)


class FileSystem:
    """Writes, renames and removals."""

    def create(self, path: Path) -> int:
        """Make a new file and give its descriptor; the process's umask counts."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)

    def write(self, descriptor: int, data: bytes) -> None:
        """Write all of some content."""
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def own(self, descriptor: int, user: int, group: int) -> None:
        """Give a file to somebody."""
        os.fchown(descriptor, user, group)

    def chmod(self, descriptor: int, mode: int) -> None:
        """Set a file's permissions."""
        os.fchmod(descriptor, mode)

    def sync(self, descriptor: int) -> None:
        """Wait until a file is on the disk."""
        os.fsync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Put one file in the place of another, or of none, in one step."""
        source.replace(target)

    def unlink(self, path: Path) -> None:
        """Remove a file."""
        path.unlink()

    def make_dir(self, path: Path) -> None:
        """Make one folder."""
        path.mkdir()

    def remove_dir(self, path: Path) -> None:
        """Remove an empty folder."""
        path.rmdir()

    def sync_dir(self, path: Path) -> None:
        """Wait until a folder's entries are on the disk."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class Standing(msgspec.Struct, frozen=True):
    """What stands at a path now.

    Attributes:
        data: A regular file's bytes; None when there is no file.
        mode: Its Git-style mode, 0 when there is none.
        obstacle: Why the path must not be written, such as ``is a symlink``; empty when it may be.
    """

    data: bytes | None
    mode: int
    obstacle: str = ""


def look(root: Path, path: str) -> Standing:
    """See what stands at a path of the project, never through a symlink."""
    try:
        check_path(root, path)
    except PatchRefusedError as error:
        return Standing(None, 0, str(error).removeprefix(f"{path}: "))
    try:
        descriptor = os.open(root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return Standing(None, 0)
    except OSError as error:
        return Standing(None, 0, f"cannot be read: {error.strerror}")
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        return Standing(file.read(), 0o100755 if mode & stat.S_IXUSR else 0o100644)


def permissions(existing: int | None, fresh: int, mode: int) -> int:
    """The permission bits a written file gets.

    Args:
        existing: Bits of the file it replaces, None when there is none.
        fresh: Bits of a newly made file under the process's umask.
        mode: The Git-style mode it should have.

    Returns:
        The bits there are, changed only where git's executable bit differs: it is given to all who may read.
    """
    bits = stat.S_IMODE(fresh if existing is None else existing)
    executable = bool(mode & 0o100)
    if executable == bool(bits & stat.S_IXUSR):
        return bits
    return bits | (bits & 0o444) >> 2 if executable else bits & ~0o111
