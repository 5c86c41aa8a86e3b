"""Small files that are read and written whole: pairloop's own records, and what others may have put in their place."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import BinaryIO

_PRIVATE = 0o600


class NotRegularError(OSError):
    """Something else than a file is in its place."""


def open_regular(path: Path, *, follow: bool = False) -> BinaryIO:
    """Open a plain file to read it: a link is not followed, and at a pipe nobody waits.

    Args:
        path: The file, which may be anything by now.
        follow: A link may lead to it.

    Raises:
        NotRegularError: It is something else than a file.
        OSError: It cannot be opened.
    """
    links = 0 if follow else os.O_NOFOLLOW
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | links)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotRegularError(f"{path} is no file")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def put_in_place(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a file for its owner's eyes only, so that at no time there is half of it.

    Args:
        path: The file; its folder is there.
        data: All of what it is to hold.
        durable: Wait until a power cut cannot lose it.

    Raises:
        OSError: It cannot be written; what was there stays.
    """
    # A name of its own: two processes may write the same file at the same moment.
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
