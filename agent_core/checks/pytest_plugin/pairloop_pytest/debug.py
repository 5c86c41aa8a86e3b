"""A second plug-in, for debugging: what expressions are worth at some lines, and where a test failed or hangs.

Part of the plug-in `pairloop_pytest`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE

Loaded with ``-p pairloop_pytest.debug``. The variable PAIRLOOP_PYTEST_DEBUG names a JSON file: ``report`` is
the file to append to, ``breakpoints`` have ``path``, ``line`` and ``condition``, ``expressions`` are texts, and after
``seconds`` the run is ended. Records have their kind under ``e``:

    point n, line, moved, function, error; tests ids; hit n, count, ...frame; failure values; stuck doing, ...frame;
    counts of; lost

It traces with `sys.settrace`, on which the standard library's own `bdb` stands as well: frames whose file holds no
breakpoint cost one look-up each.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import types
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Optional, Tuple  # noqa: UP035 - old Pythons

import pytest

from .evidence import Evidence, Places
from .lines import code_lines, find_place, is_inner
from .watch import TakesTooLongError, Watch

_MAX_HITS = 5
_MAX_EARLY = 2
_MAX_ALL = 30
_MAX_STACK = 10
_MAX_IDS = 1000
_MAX_BYTES = 300_000
_MAX_SCOPES = 60

Local = Callable[[types.FrameType, str, Any], Any]
Key = Tuple[str, int, str]  # noqa: UP006 - old Pythons. Of a code object: its file, first line and name


class Expression:
    """Something to be evaluated.

    Args:
        text: What the partner wrote.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.code: Optional[types.CodeType] = None  # noqa: UP045 - old Pythons
        self.error = ""
        try:
            self.code = compile(text.strip(), "<expression>", "eval", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            self.error = "is no expression: " + str(error)

    def value(self, frame: types.FrameType) -> Any:
        """Its value in a frame; comprehensions in it see the frame's variables too."""
        if self.code is None:
            raise SyntaxError(self.error)
        return eval(self.code, {**frame.f_globals, **frame.f_locals})  # noqa: S307 - what this is for


class Point:
    """A breakpoint, and how often it was hit.

    Args:
        number: Its place among all.
        path: Its file, relative to the project.
        condition: When it counts; None for always.
    """

    def __init__(self, number: int, path: str, condition: str | None) -> None:
        self.number = number
        self.path = path
        self.condition = None if condition is None else Expression(condition)
        self.line = self.end = 0
        self.inner = False
        self.reached = self.hits = self.early = 0
        self.error = ""


class Debugger:
    """Stops at lines, writes down what is seen there, and goes on.

    Args:
        plan: See the module.
        places: Knows the project's own code.
    """

    def __init__(self, plan: dict[str, Any], places: Places) -> None:
        self._report = plan["report"]
        self._places = places
        self._evidence = Evidence(places)
        self._expressions = [Expression(text) for text in plan["expressions"]]
        # Tests replace functions of os (fake file systems) while records are written: keep the real ones.
        self._os = (os.open, os.write, os.close, os.getpid)
        self._pid = os.getpid()
        self._written = self._hits = 0
        self._lock = threading.RLock()
        # What ran of each function that a breakpoint is in.
        self._ran: dict[Key, set[int]] = {}
        self._files: dict[str, str | None] = {}
        self._known: dict[Key, dict[int, list[Point]]] = {}
        self.test = ""
        self._points = [self._resolved(number, one) for number, one in enumerate(plan["breakpoints"])]
        self._wanted = {point.path for point in self._points if point.line}
        self._watch = Watch(plan["seconds"], self._stuck)

    # -- what is written

    def write(self, **record: Any) -> None:
        """Append a record; a process that a test has forked off has nothing to say."""
        opened, write, close, getpid = self._os
        if getpid() != self._pid:
            return
        data = (json.dumps(self._evidence.hide(record)) + "\n").encode("ascii")
        with self._lock:
            self._written += len(data)
            if self._written > _MAX_BYTES and record["e"] == "hit":
                return
            file = opened(self._report, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                while data:
                    data = data[write(file, data) :]
            finally:
                close(file)

    def _resolved(self, number: int, asked: dict[str, Any]) -> Point:
        point = Point(number, asked["path"], asked["condition"])
        try:
            place = find_place((Path(self._places.root) / point.path).read_bytes(), asked["line"])
        except (OSError, SyntaxError, ValueError, RecursionError) as error:
            self.write(e="point", n=number, line=asked["line"], moved="", function="", error=str(error))
            return point
        point.line, point.end, point.inner = place.line, place.end, place.inner
        self.write(e="point", n=number, line=place.line, moved=place.moved, function=place.function, error="")
        return point

    def finish(self) -> None:
        """Say how often each breakpoint was hit, and what ran near those that were not."""
        counts = []
        for point in self._points:
            keys = [key for key, lines in self._known.items() if point in lines.get(point.line, ())]
            ran = {line for key in keys for line in self._ran.get(key, ())}
            before = max((line for line in ran if line < point.line), default=0)
            after = min((line for line in ran if line > point.line), default=0)
            counts.append([point.reached, point.hits, point.error, before, after])
        self.write(e="counts", of=counts)

    # -- tracing

    def start(self) -> None:
        """Trace what this thread and those that it starts run from now on."""
        if self._wanted:
            threading.settrace(self.trace)
            sys.settrace(self.trace)

    def stop(self) -> None:
        """Trace no more; tell when somebody else had taken the trace over."""
        if not self._wanted:
            return
        if sys.gettrace() != self.trace:
            self.write(e="lost")
        sys.settrace(None)
        threading.settrace(None)

    def trace(self, frame: types.FrameType, event: str, arg: Any) -> Local | None:
        """A frame begins; see `sys.settrace`."""
        del event, arg
        code = frame.f_code
        filename = code.co_filename
        try:
            path = self._files[filename]
        except KeyError:
            path = self._places.inside(filename)
            path = self._files[filename] = path if path in self._wanted else None
        if path is None:
            return None
        key = (filename, code.co_firstlineno, code.co_name)
        lines = self._known.get(key)
        if lines is None:
            lines = self._known[key] = self._points_in(code, path)
        if not lines:
            return None
        ran = self._ran.setdefault(key, set())
        before = 0

        def local(frame: types.FrameType, event: str, arg: Any) -> Any:  # noqa: ARG001 - the interpreter's own signature
            nonlocal before
            if event == "line":
                line = frame.f_lineno
                ran.add(line)
                for point in lines.get(line, ()):
                    # The lines of one statement lead back to its first.
                    if not point.line < before <= point.end:
                        self._reached(point, frame)
                before = line
            return local

        return local

    def _points_in(self, code: types.CodeType, path: str) -> dict[int, list[Point]]:
        lines = code_lines(code)
        found: dict[int, list[Point]] = {}
        for point in self._points:
            if point.path == path and point.line in lines and (point.inner or not is_inner(code)):
                found.setdefault(point.line, []).append(point)
        return found

    def _reached(self, point: Point, frame: types.FrameType) -> None:
        point.reached += 1
        try:
            if point.condition is not None:
                with self._watch.within(point.condition.text):
                    if not point.condition.value(frame):
                        return
        except (Exception, TakesTooLongError) as error:  # noqa: BLE001 - a foreign expression may raise anything
            point.error = _raised(error, point.condition)
            return
        point.hits += 1
        if not self.test:
            point.early += 1
        shown = point.hits - point.early if self.test else point.early
        if shown > (_MAX_HITS if self.test else _MAX_EARLY) or self._hits >= _MAX_ALL:
            return
        self._hits += 1
        thread = threading.current_thread()
        self.write(
            e="hit",
            n=point.number,
            count=point.hits,
            test=self.test,
            thread="" if thread is threading.main_thread() else thread.name,
            values=[[one.text, self._told(one, frame)] for one in self._expressions],
            **self._seen(frame, variables=not self._expressions),
        )

    # -- what is seen

    def _seen(self, frame: types.FrameType, *, variables: bool) -> dict[str, Any]:
        """A frame with its variables, and the project's own code that led there, innermost first."""
        shown: list[list[str]] = []
        try:
            with self._watch.within("the local variables"):
                shown = self._evidence.variables(frame) if variables else []
        except TakesTooLongError as error:
            shown = [["(all)", str(error)]]
        stack, current = [], frame  # type: list[str], Optional[types.FrameType]
        while current is not None and len(stack) < _MAX_STACK:
            path = self._places.inside(current.f_code.co_filename)
            if path is not None:
                stack.append(path + ":" + str(current.f_lineno) + " in " + current.f_code.co_name)
            current = current.f_back
        return {"locals": shown, "stack": stack}

    def _told(self, expression: Expression, frame: types.FrameType) -> str:
        try:
            return self._shown(expression, frame)
        except BaseException as error:  # noqa: BLE001 - a foreign expression may raise anything
            return _raised(error, expression)

    def _shown(self, expression: Expression, frame: types.FrameType) -> str:
        with self._watch.within(expression.text):
            return self._evidence.show(expression.text, expression.value(frame))

    def failed(self, error: BaseException) -> None:
        """Evaluate the expressions where a test failed: in the innermost frame that knows all their names."""
        scopes: list[types.FrameType] = []
        current: BaseException | None = error
        seen = set()
        while current is not None and id(current) not in seen and len(scopes) < _MAX_SCOPES:
            seen.add(id(current))
            here, traceback = [], current.__traceback__
            while traceback is not None:
                if self._places.inside(traceback.tb_frame.f_code.co_filename) is not None:
                    here.append(traceback.tb_frame)
                traceback = traceback.tb_next
            scopes += reversed(here)
            current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
        if scopes and self._expressions:
            self.write(e="failure", values=[self._post_mortem(one, scopes) for one in self._expressions])

    def _post_mortem(self, expression: Expression, scopes: list[types.FrameType]) -> list[str]:
        told = ""
        for frame in scopes:
            try:
                shown = self._shown(expression, frame)
            except NameError as error:
                told = told or _raised(error, expression)
            except BaseException as error:  # noqa: BLE001 - a foreign expression may raise anything
                return [expression.text, _raised(error, expression), frame.f_code.co_name]
            else:
                return [expression.text, shown, frame.f_code.co_name]
        return [expression.text, told, scopes[0].f_code.co_name]

    def _stuck(self, frame: types.FrameType | None, doing: str) -> None:
        """The time is up: tell where it hangs, and end."""
        seen = {"locals": [], "stack": []} if frame is None else self._seen_outside(frame)
        self.write(e="stuck", doing=doing, test=self.test, **seen)
        self.finish()
        os._exit(1)

    def _seen_outside(self, frame: types.FrameType) -> dict[str, Any]:
        """The innermost frame of the project's own code, as `_seen`."""
        current: types.FrameType | None = frame
        while current is not None and self._places.inside(current.f_code.co_filename) is None:
            current = current.f_back
        return self._seen(current or frame, variables=current is not None)


def _raised(error: BaseException, expression: Expression | None) -> str:
    if isinstance(error, TakesTooLongError):
        return str(error)
    if expression is not None and expression.code is None:
        return expression.error
    try:
        return "raised " + type(error).__name__ + ": " + str(error)[:300]
    except Exception:  # noqa: BLE001 - a foreign __str__ may raise anything
        return "raised " + type(error).__name__


def _begin() -> Debugger:
    plan = json.loads(Path(os.environ.pop("PAIRLOOP_PYTEST_DEBUG")).read_text("utf-8"))
    return Debugger(plan, Places(str(Path.cwd())))


_DEBUGGER = _begin()
# Modules are imported, and what stands in them is run, before any test begins.
_DEBUGGER.start()


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[Any]) -> Generator[None, Any, None]:
    """Tell which tests there are, for somebody who named none of them."""
    _DEBUGGER.write(e="tests", ids=[item.nodeid for item in items[:_MAX_IDS]])
    yield


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: Any) -> Generator[None, Any, None]:
    """Trace a test with its fixtures."""
    _DEBUGGER.test = item.nodeid
    # Something that measures coverage may have put itself in between.
    _DEBUGGER.start()
    yield
    _DEBUGGER.stop()
    _DEBUGGER.test = ""


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(call: Any) -> Generator[None, Any, None]:
    """Look at a failure while its frames are alive."""
    outcome = yield
    if call.excinfo is not None and outcome.excinfo is None and outcome.get_result().failed:
        _DEBUGGER.failed(call.excinfo.value)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Add up."""
    _DEBUGGER.finish()
