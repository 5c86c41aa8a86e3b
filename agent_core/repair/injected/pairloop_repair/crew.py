"""Children that do one thing each and tell what came of it; none can stay, or disturb who waits for it.

Part of `pairloop_repair`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import resource
import secrets
import selectors
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

try:
    import ctypes

    _PRCTL = getattr(ctypes.CDLL(None), "prctl", None)
except (ImportError, OSError):
    _PRCTL = None

_DIE_WITH_PARENT = 1
_GROWTH = 1 << 30
_HIGH = 200
_READ = 65536
_LOOK_EVERY = 0.05
_MOST_UNREAD = 4_000_000
# A child that wants to run and gets no processor is not to blame for it, up to so many times its time.
_STARVED = 4.0

if TYPE_CHECKING:
    Record = dict[str, Any]
    # Key of a job, and what it said; or None and how it ended: ``done``, ``hung``, ``cpu`` or how it died, in words.
    Event = tuple[Any, Record | None, str]


class Tell:
    """Tells the parent; only in the process that it was made for, not in what that forks.

    Args:
        file: An open pipe.
        mark: What a line begins with, so that it is known for one of ours.

    Attributes:
        file: The pipe.
    """

    def __init__(self, file: int, mark: str) -> None:
        self._mark = mark
        # Tests replace functions of os: keep the real ones.
        self._os = (os.write, os.getpid)
        self._pid = os.getpid()
        self.file = file

    @property
    def mine(self) -> bool:
        """Whether this is still the process that tells."""
        return self._os[1]() == self._pid

    def __call__(self, **record: Any) -> None:
        """Tell something."""
        if not self.mine:
            return
        # On a line of its own, whatever a test has written here.
        data = ("\n" + self._mark + json.dumps(record) + "\n").encode("ascii")
        write = self._os[0]
        while data:
            data = data[write(self.file, data) :]

    def done(self) -> None:
        """Tell that nothing more is to be told: the parent ends this process."""
        self(done=True)


class Job:
    """Something to be done in a child.

    Args:
        key: By which its events are known.
        work: Does it; what it tells is heard by the parent. The child ends when it returns.
        seconds: How long it may take until it says how much longer it takes.
        cpu: Most seconds of processor time, None for any.
        memory: Whether it may take no more than 1 GB more than is taken now.
    """

    def __init__(
        self,
        key: Any,
        work: Callable[[Tell], None],
        seconds: float,
        *,
        cpu: int | None = None,
        memory: bool = True,
    ) -> None:
        self.key = key
        self.work = work
        self.seconds = seconds
        self.cpu = cpu
        self.memory = memory


class _Child:
    def __init__(self, job: Job, pid: int, file: int, mark: str, folder: str) -> None:
        self.job = job
        self.pid = pid
        self.file = file
        self.mark = mark.encode()
        self.folder = folder
        self.unread = b""
        self.open = True
        self.done = False
        self.late = False
        self.set_limit(job.seconds)

    def set_limit(self, seconds: float) -> None:
        self.start = _CLOCK()
        self.limit = seconds


# Tests replace the clock: keep the real one.
_CLOCK = time.monotonic


class Crew:
    """Children at work, each in a process group and a folder of its own.

    Args:
        folder: Where their folders are made.
        private: Open files that no child may have.

    Attributes:
        private: Likewise.
    """

    def __init__(self, folder: str, private: tuple[int, ...] = ()) -> None:
        self._folder = folder
        self.private = set(private)
        self._children: dict[Any, _Child] = {}
        self._selector = selectors.DefaultSelector()

    def __len__(self) -> int:
        """How many are at work."""
        return len(self._children)

    def start(self, job: Job) -> None:
        """Fork a child for a job."""
        folder = tempfile.mkdtemp(dir=self._folder)
        mark = secrets.token_hex(8) + " "
        ours, theirs = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._be_child(job, ours, theirs, mark, folder)
        os.close(theirs)
        with contextlib.suppress(OSError):
            # Also done by the child; whichever is first.
            os.setpgid(pid, pid)
        os.set_blocking(ours, False)
        child = self._children[job.key] = _Child(job, pid, ours, mark, folder)
        self._selector.register(ours, selectors.EVENT_READ, child)

    def _be_child(self, job: Job, ours: int, theirs: int, mark: str, folder: str) -> None:
        """What a child does, which never comes back from here."""
        tell: Tell | None = None
        try:
            os.setpgid(0, 0)
            die_with_parent()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.close(ours)
            for file in self.private:
                os.close(file)
            # What is open is known by low numbers to tests that close or count it.
            try:
                file = fcntl.fcntl(theirs, fcntl.F_DUPFD_CLOEXEC, _HIGH)
                os.close(theirs)
            except OSError:
                file = theirs
            tell = Tell(file, mark)
            # Those of its siblings are its parent's.
            self._selector.close()
            for child in self._children.values():
                os.close(child.file)
            self._children.clear()
            _own_place(folder)
            _limit(job)
            job.work(tell)
            tell.done()
        except BaseException as error:  # noqa: BLE001 - it ends here, whatever it was
            if tell is not None:
                with contextlib.suppress(BaseException):
                    memory = isinstance(error, MemoryError)
                    tell(memory=memory, broke=f"{type(error).__name__}: {error}"[:500])
        finally:
            _EXIT(0)

    def allow(self, key: Any, seconds: float) -> None:
        """Give a child so much time from now on."""
        if key in self._children:
            self._children[key].set_limit(seconds)

    def listen(self, file: int) -> None:
        """Have `wait` end when something can be read from a file of the caller's."""
        self._selector.register(file, selectors.EVENT_READ, None)

    def deaf(self, file: int) -> None:
        """Take that back."""
        self._selector.unregister(file)

    def wait(self, seconds: float) -> list[Event]:
        """Wait until something happens, at most so long; gives what did."""
        events: list[Event] = []
        seconds = min([seconds, _LOOK_EVERY] if self._children else [seconds])
        for key, _ in self._selector.select(max(seconds, 0)):
            if key.data is not None:
                events += self._read(key.data)
        for child in list(self._children.values()):
            events += self._looked_after(child)
        return events

    def _read(self, child: _Child) -> list[Event]:
        events: list[Event] = []
        while True:
            try:
                data = os.read(child.file, _READ)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self._shut(child)
                break
            *lines, child.unread = (child.unread + data).split(b"\n")
            child.unread = child.unread[-_MOST_UNREAD:]
            for line in lines:
                record = _record(line, child.mark)
                if record is None:
                    continue
                if record.get("done"):
                    child.done = True
                else:
                    events.append((child.job.key, record, ""))
        return events

    def _shut(self, child: _Child) -> None:
        if child.open:
            child.open = False
            self._selector.unregister(child.file)

    def _looked_after(self, child: _Child) -> list[Event]:
        """End a child that is done, dead or late."""
        pid, status = (0, 0) if child.done else _waited(child.pid)
        taken = _CLOCK() - child.start
        if not child.done and not pid and taken > child.limit:
            child.late = taken > _STARVED * child.limit or not _starved(child.pid)
        if not (child.done or pid or child.late):
            return []
        return self._end(child, pid, status)

    def _end(self, child: _Child, pid: int, status: int) -> list[Event]:
        # The group first, and what is left of it after its leader.
        with contextlib.suppress(OSError):
            os.killpg(child.pid, signal.SIGKILL)
        if not pid:
            with contextlib.suppress(OSError):
                os.kill(child.pid, signal.SIGKILL)
            with contextlib.suppress(OSError):
                _, status = os.waitpid(child.pid, 0)
        events = self._read(child) if child.open else []
        self._shut(child)
        os.close(child.file)
        del self._children[child.job.key]
        shutil.rmtree(child.folder, ignore_errors=True)
        how = "done" if child.done else "hung" if child.late else _death(status)
        return [*events, (child.job.key, None, how)]

    def stop(self) -> None:
        """End all that are at work, without a word."""
        for child in list(self._children.values()):
            self._end(child, 0, 0)


_EXIT = os._exit


def _waited(pid: int) -> tuple[int, int]:
    try:
        return os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        # Somebody else has waited for it.
        return pid, 0


def _record(line: bytes, mark: bytes) -> Record | None:
    """What a line says; None for one that is not ours."""
    if not line.startswith(mark):
        return None
    try:
        record = json.loads(line[len(mark) :])
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _death(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGXCPU:
            return "cpu"
        try:
            return "ended by " + signal.Signals(number).name
        except ValueError:
            return "ended by signal %d" % number  # noqa: UP031 - old Pythons
    return "ended with exit status %d before its time" % os.WEXITSTATUS(status)  # noqa: UP031 - old Pythons


def _starved(pid: int) -> bool:
    """Whether a process wants to run and has had little of the processor."""
    with contextlib.suppress(OSError, ValueError, IndexError), open("/proc/%d/stat" % pid) as file:  # noqa: PTH123, UP031 - old Pythons
        fields = file.read().rpartition(")")[2].split()
        used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return fields[0] == "R" and used < 1.0
    return False


def die_with_parent() -> None:
    """Have the system end this process when its parent dies, where it can."""
    if _PRCTL is not None and sys.platform == "linux":
        _PRCTL(_DIE_WITH_PARENT, signal.SIGKILL)


def _own_place(folder: str) -> None:
    """No input, no output, and a folder for temporary files."""
    null = os.open(os.devnull, os.O_RDWR)
    for file in (0, 1, 2):
        os.dup2(null, file)
    os.close(null)
    os.environ["TMPDIR"] = folder
    tempfile.tempdir = None


def _limit(job: Job) -> None:
    """Take the limits of a job upon oneself."""
    limits: list[tuple[int, int]] = [(resource.RLIMIT_CORE, 0)]
    if job.cpu is not None:
        limits.append((resource.RLIMIT_CPU, job.cpu))
    if job.memory and (now := _addresses()):
        limits.append((resource.RLIMIT_AS, now + _GROWTH))
    for what, most in limits:
        hard = resource.getrlimit(what)[1]
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _addresses() -> int:
    with contextlib.suppress(OSError, ValueError), open("/proc/self/statm") as file:  # noqa: PTH123 - quick
        return int(file.read().split()[0]) * resource.getpagesize()
    return 0
