"""Ends what takes too long while it is debugged: an expression, and in the end the whole run.

Part of the plug-in `pairloop_pytest`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import _thread
import contextlib
import os
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator

_EACH = 2.0
_LOOK_EVERY = 0.1
_ROUNDS = 100_000


class TakesTooLongError(BaseException):
    """An expression did not come to its end in time."""


class Watch:
    """Looks at the clock from a thread of its own, of which `threading` knows nothing: tests count threads.

    Args:
        seconds: The time for all.
        stuck: Called in that thread when it is over, with the main thread's frame and what was evaluated then.
    """

    def __init__(self, seconds: float, stuck: Callable[[types.FrameType | None, str], None]) -> None:
        # Tests replace the clock: keep the real one.
        self._clock = time.monotonic
        self._end = self._clock() + seconds
        self._stuck = stuck
        self._main = threading.main_thread().ident
        self._pid = os.getpid()
        # What each thread evaluates, and until when.
        self._doing: dict[int, tuple[float, str]] = {}
        self._given_up: dict[int, str] = {}
        self._lock = _thread.allocate_lock()
        self._never = _thread.allocate_lock()
        self._never.acquire()
        _thread.start_new_thread(self._look, ())

    @contextlib.contextmanager
    def within(self, what: str) -> Iterator[None]:
        """Around an evaluation.

        Raises:
            TakesTooLongError: It took too long. What waits inside of C is not interrupted, only the run is ended then.
        """
        ident = _thread.get_ident()
        with self._lock:
            self._doing[ident] = (self._clock() + _EACH, what)
        came = False
        try:
            yield
        except TakesTooLongError:
            came = True
            raise TakesTooLongError("did not come to an end within %d s" % _EACH) from None  # noqa: UP031 - old Pythons
        finally:
            try:
                self._over(ident, came=came)
            except TakesTooLongError:
                # It came to its end just when it was given up.
                self._over(ident, came=True)

    def _over(self, ident: int, *, came: bool) -> None:
        """An evaluation has ended: what would still be raised because of it comes up here, and nowhere else."""
        with self._lock:
            self._doing.pop(ident, None)
            late = self._given_up.pop(ident, None) is not None
        # Taking it back is no way: Python 3.11 may then go round in circles.
        for _ in range(_ROUNDS if late and not came else 0):
            pass

    def _look(self) -> None:
        while not self._never.acquire(timeout=_LOOK_EVERY):
            now = self._clock()
            with self._lock:
                for ident, (until, _) in list(self._doing.items()):
                    if until < now <= self._end:
                        self._given_up[ident] = self._doing.pop(ident)[1]
                        _raise_in(ident, TakesTooLongError)
            if now > self._end and os.getpid() == self._pid:
                frames = sys._current_frames()  # noqa: SLF001 - the way to another thread's frame
                main = self._main or 0
                self._stuck(frames.get(main), self._given_up.get(main, ""))
                return


def _raise_in(ident: int, error: type[BaseException]) -> None:
    """Raise an exception in another thread as soon as that runs Python."""
    try:
        import ctypes  # noqa: PLC0415 - not every Python has it

        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(error))
    except (ImportError, AttributeError):
        return
