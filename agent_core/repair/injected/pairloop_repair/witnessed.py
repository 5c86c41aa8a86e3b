"""What is kept of an exception while its frames are alive: where it went through, and what names held there.

Part of `pairloop_repair`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import contextlib
import signal
import types
from collections.abc import Iterator
from typing import Any

from .shared import Places, Show, masked_cut

_MESSAGE = 500
_TEXT = 200
_MOST_FRAMES, _FIRST_FRAMES = 20, 4
_MOST_VALUES = 20
_MOST_OF_SELF = 10
_MOST_LINKS = 4
_SHOWING = 1.0


class Hung(BaseException):
    """A test, or a call, did not come to its end in time."""


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Around something that may take so long.

    Raises:
        Hung: It took longer. Only what runs Python, or waits, is interrupted.
    """

    def end(number: int, frame: types.FrameType | None) -> None:
        del number, frame
        raise Hung("it did not come to an end within %.1f s" % seconds)  # noqa: UP031 - old Pythons

    before = signal.signal(signal.SIGALRM, end)
    # Again and again: what catches everything must not swallow it for good.
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before if before is not None else signal.SIG_DFL)


class Witness:
    """Tells of exceptions.

    Args:
        places: Knows the project's own code.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._show = Show()

    def tell(self, error: BaseException) -> dict[str, Any]:
        """Type, message and frames of an exception and of those it came from, the innermost frame last."""
        told: dict[str, Any] = {"error": type(error).__name__, "message": _message(error), "frames": []}
        timer = signal.getitimer(signal.ITIMER_REAL)
        try:
            # Foreign code shows values, and may take its time.
            with at_most(_SHOWING):
                for link in _links(error):
                    told["frames"] += self._frames(link)
        except Hung:
            pass
        finally:
            if timer[0]:
                signal.setitimer(signal.ITIMER_REAL, *timer)
        told["frames"] = self._show.hide(told["frames"][:_MOST_FRAMES])
        told["hung"] = isinstance(error, Hung)
        return told

    def _frames(self, error: BaseException) -> list[dict[str, Any]]:
        places: list[tuple[str, int, types.FrameType]] = []
        at = error.__traceback__
        while at is not None:
            path = self._places.inside(at.tb_frame.f_code.co_filename)
            if path is not None:
                places.append((path, at.tb_lineno, at.tb_frame))
            at = at.tb_next
        if len(places) > _MOST_FRAMES:
            places = places[:_FIRST_FRAMES] + places[_FIRST_FRAMES - _MOST_FRAMES :]
        frames = [
            {"path": path, "line": line, "function": frame.f_code.co_name, "values": self._values(frame)}
            for path, line, frame in places
        ]
        if isinstance(error, SyntaxError) and error.filename and (path := self._places.inside(error.filename)):
            frames.append({"path": path, "line": error.lineno or 1, "function": "", "values": []})
        return frames

    def _values(self, frame: types.FrameType) -> list[list[str]]:
        """(name, type, text) each."""
        found: list[list[str]] = []
        own: list[list[str]] = []
        for name, value in list(frame.f_locals.items()):
            if name.startswith(("@py_", "__")) or isinstance(value, (types.ModuleType, types.FunctionType, type)):
                continue
            if len(found) < _MOST_VALUES:
                found.append(self._value(name, value))
            if name == "self":
                with contextlib.suppress(Exception):
                    for attribute, held in list(vars(value).items())[:_MOST_OF_SELF]:
                        own.append(self._value("self." + attribute, held))
        return [*found, *own]

    def _value(self, name: str, value: Any) -> list[str]:
        text = self._show.show(name, value)
        return [name, type(value).__name__, text if len(text) <= _TEXT else text[: _TEXT - 3] + "..."]


def _message(error: BaseException) -> str:
    try:
        return masked_cut(str(error), 2 * _MESSAGE)[:_MESSAGE]
    except Exception as broken:  # noqa: BLE001 - a foreign __str__ may raise anything
        return "<str raised " + type(broken).__name__ + ">"


def _links(error: BaseException) -> Iterator[BaseException]:
    """An exception and those it came from, each once."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen and len(seen) < _MOST_LINKS:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
