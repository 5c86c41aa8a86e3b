"""The few effects a landing has on the disk, one method for one system call, and how it looks at what is there.

They stand behind a class so that a test can end the process at every one of them.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import os
import stat
import sys
from collections.abc import Callable, Collection
from pathlib import Path

import msgspec

from agent_core.errors import PatchRefusedError
from agent_core.file_modes import EXECUTABLE, REGULAR
from agent_core.patch.paths import check_path

TEMP_PREFIX = ".pairloop-"
TEMP_SUFFIX = ".tmp"

# From linux/fs.h and fcntl.h: what the folder is that a relative path starts from, and what renameat2 is to do.
_HERE = -100
_NO_REPLACE = 1
_EXCHANGE = 2
_CANNOT = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP})
# What a file has besides content, owner and mode, and an editor would keep.
_KEPT = ("user.", "system.posix_acl_access")


def is_temp(name: str) -> bool:
    """Whether a file's name is that of a landing's temporary file, which is never part of a project."""
    return name.startswith(TEMP_PREFIX) and name.endswith(TEMP_SUFFIX)


@functools.cache
def _renameat2() -> Callable[..., int] | None:
    """The C library's renameat2, which other systems than Linux and old libraries have not."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        function: Callable[..., int] = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return None
    return function


def _rename(source: Path, target: Path, how: int) -> bool:
    """Rename in a special way; False where system or file system cannot do it.

    Raises:
        OSError: It failed.
    """
    function = _renameat2()
    if function is None:
        return False
    if function(_HERE, os.fsencode(source), _HERE, os.fsencode(target), how) == 0:
        return True
    code = ctypes.get_errno()
    if code in _CANNOT:
        return False
    raise OSError(code, os.strerror(code), str(source), None, str(target))


class FileSystem:
    """Writes, renames and removals."""

    def create(self, path: Path, mode: int) -> int:
        """Make a new file and give its descriptor; the process's umask counts."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)

    def write(self, descriptor: int, data: bytes) -> None:
        """Write all of some content."""
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def own(self, descriptor: int, user: int, group: int) -> None:
        """Give a file to somebody."""
        os.fchown(descriptor, user, group)

    def attributes(self, descriptor: int, source: Path) -> None:
        """Give a file what another one has besides content, owner and mode, as far as the file systems have it."""
        if sys.platform.startswith("linux"):
            with contextlib.suppress(OSError):
                for name in os.listxattr(source, follow_symlinks=False):
                    if name.startswith(_KEPT):
                        os.setxattr(descriptor, name, os.getxattr(source, name, follow_symlinks=False))

    def chmod(self, descriptor: int, mode: int) -> None:
        """Set a file's permissions."""
        os.fchmod(descriptor, mode)

    def sync(self, descriptor: int) -> None:
        """Wait until a file is on the disk."""
        os.fsync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Put one file in the place of another, or of none, in one step."""
        source.replace(target)

    def exchange(self, one: Path, other: Path) -> bool:
        """Let two files change places in one step; False where that is not to be had."""
        return _rename(one, other, _EXCHANGE)

    def place(self, source: Path, target: Path) -> None:
        """Rename a file to a name that nothing has; where it can't be had in one step, after a look.

        Raises:
            FileExistsError: There is something of that name.
        """
        if _rename(source, target, _NO_REPLACE):
            return
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        source.rename(target)

    def unlink(self, path: Path) -> None:
        """Remove a file."""
        path.unlink()

    def make_dir(self, path: Path, bits: int | None = None) -> None:
        """Make one folder; with these permission bits where it had some before."""
        path.mkdir()
        if bits is not None:
            path.chmod(bits)

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
        bits: All its permission bits.
    """

    data: bytes | None
    mode: int
    obstacle: str = ""
    bits: int = 0


def look(root: Path, path: str, gone: Collection[str] = ()) -> Standing:
    """See what stands at a path of the project, never through a symlink.

    Args:
        root: The project's folder.
        path: The path.
        gone: Files that are removed together with what is to be done here: one of them in the place of a folder, or a
            folder of nothing but them, is no obstacle.
    """
    try:
        check_path(root, path, gone)
    except PatchRefusedError as error:
        return Standing(None, 0, error.message.removeprefix(f"{path}: "))
    try:
        descriptor = os.open(root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return Standing(None, 0)
    except OSError as error:
        return Standing(None, 0, f"cannot be read: {error.strerror}")
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            return Standing(None, 0)
        data = read_all(descriptor)
    except OSError as error:
        return Standing(None, 0, f"cannot be read: {error.strerror}")
    finally:
        os.close(descriptor)
    return Standing(data, EXECUTABLE if mode & stat.S_IXUSR else REGULAR, bits=stat.S_IMODE(mode))


def read_all(descriptor: int) -> bytes:
    """The rest of an open file."""
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        return file.read()


def regular(path: Path) -> tuple[bytes, int] | None:
    """A regular file's content and permission bits; None where there is something else, or nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        mode = os.fstat(descriptor).st_mode
        return (read_all(descriptor), stat.S_IMODE(mode)) if stat.S_ISREG(mode) else None
    finally:
        os.close(descriptor)


def is_folder(path: Path) -> bool:
    """Whether there is a folder, no link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def cannot_be(path: Path) -> bool:
    """Whether there can be no file: there is a folder of that name, or a file in the place of a folder above."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except NotADirectoryError:
        return True
    except OSError:
        return False


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
