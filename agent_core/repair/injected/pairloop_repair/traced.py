"""Which lines of the project a test executes, and which functions run while all is imported.

Part of `pairloop_repair`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE

From Python 3.12 on by `sys.monitoring` (PEP 669), where a line costs something once a test; before by `sys.settrace`,
where a function in which a great many lines were run in a test is not looked at any longer in that test.
"""

from __future__ import annotations

import sys
import threading
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

_ENOUGH = 5000
if TYPE_CHECKING:
    from .shared import Places

    # Of a code object: its file, relative to the project, its name and its first line.
    Key = tuple[str, str, int]


class Lines:
    """Gathers the lines that are executed between `begin` and `end`.

    Args:
        places: Knows the project's own code.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._lines: dict[types.CodeType, set[int]] = {}
        self._count: dict[types.CodeType, int] = {}
        self._known: dict[types.CodeType, bool] = {}
        self._monitor = _monitor("pairloop repair")
        if self._monitor is not None:
            tool, monitoring = self._monitor
            monitoring.register_callback(tool, monitoring.events.PY_START, self._started)
            monitoring.register_callback(tool, monitoring.events.LINE, self._line)

    def begin(self) -> None:
        """Gather from now on."""
        self._lines, self._count = {}, {}
        if self._monitor is None:
            threading.settrace(self._call)
            sys.settrace(self._call)
        else:
            tool, monitoring = self._monitor
            monitoring.restart_events()
            monitoring.set_events(tool, monitoring.events.PY_START)

    def end(self) -> dict[str, list[int]]:
        """Gather no more; gives the lines by file, relative to the project."""
        if self._monitor is None:
            sys.settrace(None)
            threading.settrace(None)
        else:
            tool, monitoring = self._monitor
            monitoring.set_events(tool, 0)
        found: dict[str, set[int]] = {}
        for code, lines in self._lines.items():
            path = self._places.inside(code.co_filename)
            if path is not None:
                # A module begins at line 0.
                found.setdefault(path, set()).update(lines - {0})
        return {path: sorted(lines) for path, lines in found.items()}

    def _ours(self, code: types.CodeType) -> bool:
        known = self._known.get(code)
        if known is None:
            known = self._known[code] = self._places.inside(code.co_filename) is not None
        return known

    # -- sys.settrace

    def _call(self, frame: types.FrameType, event: str, arg: Any) -> Callable[..., Any] | None:
        del event, arg
        code = frame.f_code
        if not self._ours(code) or self._count.get(code, 0) > _ENOUGH:
            return None
        lines = self._lines.setdefault(code, set())
        count = self._count

        def local(frame: types.FrameType, event: str, arg: Any) -> Any:
            del arg
            if event == "line":
                lines.add(frame.f_lineno)
                so_far = count[code] = count.get(code, 0) + 1
                if so_far > _ENOUGH:
                    frame.f_trace_lines = False
            return local

        lines.add(frame.f_lineno)
        return local

    # -- sys.monitoring

    def _started(self, code: types.CodeType, offset: int) -> Any:
        del offset
        assert self._monitor is not None
        tool, monitoring = self._monitor
        if self._ours(code):
            self._lines.setdefault(code, set()).add(code.co_firstlineno)
            monitoring.set_local_events(tool, code, monitoring.events.LINE)
        return monitoring.DISABLE

    def _line(self, code: types.CodeType, line: int) -> Any:
        assert self._monitor is not None
        self._lines.setdefault(code, set()).add(line)
        return self._monitor[1].DISABLE


class Executed:
    """The functions of the project that run from its making on, until `stop`.

    Args:
        places: Knows the project's own code.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._codes: set[types.CodeType] = set()
        self._monitor = _monitor("pairloop repair")
        if self._monitor is None:
            sys.settrace(self._call)
        else:
            tool, monitoring = self._monitor
            monitoring.register_callback(tool, monitoring.events.PY_START, self._started)
            monitoring.set_events(tool, monitoring.events.PY_START)

    def _call(self, frame: types.FrameType, event: str, arg: Any) -> None:
        del event, arg
        self._codes.add(frame.f_code)

    def _started(self, code: types.CodeType, offset: int) -> Any:
        del offset
        self._codes.add(code)
        assert self._monitor is not None
        return self._monitor[1].DISABLE

    def stop(self) -> set[Key]:
        """Look no longer; gives those that have run."""
        if self._monitor is None:
            sys.settrace(None)
        else:
            tool, monitoring = self._monitor
            monitoring.set_events(tool, 0)
            monitoring.register_callback(tool, monitoring.events.PY_START, None)
            monitoring.free_tool_id(tool)
        return {key for code in self._codes if (key := key_of(code, self._places)) is not None}


def key_of(code: types.CodeType, places: Places) -> Key | None:
    """By what a code object of the project is known; None for others."""
    path = places.inside(code.co_filename)
    return None if path is None else (path, code.co_name, code.co_firstlineno)


def _monitor(name: str) -> tuple[int, Any] | None:
    """A number for a tool and `sys.monitoring`; None where there is none, or no number free."""
    monitoring: Any = getattr(sys, "monitoring", None)
    if monitoring is None:
        return None
    for number in (monitoring.PROFILER_ID, 3, 4, monitoring.OPTIMIZER_ID):
        if monitoring.get_tool(number) is None:
            monitoring.use_tool_id(number, name)
            return number, monitoring
    return None
