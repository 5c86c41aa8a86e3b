"""A program under a pseudo-terminal, and how long it takes until it has drawn something; for the benchmarks."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

_TAIL = 100_000


class Terminal:
    """A program that runs under a pseudo-terminal of its own, as a context manager that ends it.

    Args:
        argv: The program.
        environ: Its environment.
        size: Columns and rows.
        heard: Called with everything it writes.
        folder: Where it is started; None for here.
    """

    def __init__(
        self,
        argv: Sequence[str],
        environ: Mapping[str, str],
        size: tuple[int, int] = (120, 40),
        heard: Callable[[bytes], None] | None = None,
        folder: Path | None = None,
    ) -> None:
        self._argv = list(argv)
        self._heard = heard
        self.started = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            if folder is not None:
                os.chdir(folder)
            os.execvpe(self._argv[0], self._argv, dict(environ))
        columns, rows = size
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.seen = b""
        """What it wrote last, since `forget`."""
        self.amount = 0
        """How many bytes it has written."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)

    def send(self, keys: str) -> None:
        """Press keys."""
        os.write(self._fd, keys.encode())

    def signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def forget(self) -> None:
        """Look only at what it writes from now on."""
        self.drain(0)
        self.seen = b""

    def drain(self, seconds: float) -> None:
        """Take what it writes for so long.

        Raises:
            TimeoutError: It has ended.
        """
        end = time.perf_counter() + seconds
        while self._take(end - time.perf_counter()) or time.perf_counter() < end:
            pass

    def _take(self, patience: float) -> bool:
        if not select.select([self._fd], [], [], max(patience, 0))[0]:
            return False
        try:
            data = os.read(self._fd, 65536)
        except OSError as error:
            message = f"{self._argv} ended: {self.seen[-2000:]!r}"
            raise TimeoutError(message) from error
        self.amount += len(data)
        if self._heard is not None:
            self._heard(data)
        self.seen = (self.seen + data)[-_TAIL:]
        return True

    def until(self, mark: str, limit: float = 60.0) -> float:
        """Wait until it has written something.

        Args:
            mark: What it has to write.
            limit: Seconds after which it is given up.

        Returns:
            The moment, by `time.perf_counter`.

        Raises:
            TimeoutError: It did not write the mark, or has ended.
        """
        wanted = mark.encode()
        end = time.perf_counter() + limit
        while wanted not in self.seen:
            if not self._take(end - time.perf_counter()) and time.perf_counter() >= end:
                message = f"{self._argv} did not draw {mark!r} within {limit} s: {self.seen[-2000:]!r}"
                raise TimeoutError(message)
        return time.perf_counter()

    def cpu(self) -> float:
        """Seconds of processor time that its threads have used so far, its children's apart."""
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def memory(self) -> tuple[float, float]:
        """Its megabytes: its share of what it has in memory (PSS), and all of it (RSS); its children's apart."""
        found = {}
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()[1:]:
            name, amount = line.split(":")
            found[name] = int(amount.split()[0]) / 1024
        return found["Pss"], found["Rss"]
