"""A pytest plug-in that reports what happens as JSON lines, with evidence for every failure.

Injected with ``-p pairloop_pytest`` from a folder at the end of sys.path; nothing is installed into the project's
environment. Works with pytest 7 and later on Python 3.8 and later, so: standard library only, and no syntax of later
versions. The environment variable PAIRLOOP_PYTEST_REPORT names the file to append to. Records have their kind under
``e``:

    start; collected n; run id; end id, outcome; failed id, phase, error...; collect_error id, error...; finish exit
"""

from __future__ import annotations

import json
import linecache
import os
import re
import reprlib
import sys
import types
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

_MAX_FRAMES = 12
_FRAMES_WITH_LOCALS = 3
_MAX_LOCALS = 20
_MAX_REPR = 200
_MAX_TEXT = 4000
_MAX_CAPTURED = 2000
_MAX_DETAILED = 300
_SECRET = re.compile(
    r"(?i)(passw|secret|credential|private_?key|api_?key|access_?key|authorization|(^|_)(token|pwd|auth)s?$)"
)
_SECRET_ITEM = re.compile(
    r"(?i)((['\"])[^'\"]*(?:passw|secret|token|credential|api_?key|access_?key|private_?key)[^'\"]*\2\s*[:,]\s*)"
    r"(b?(['\"]).*?\4)"
)
_SECRET_SHAPE = re.compile(
    r"\b(?:sk-[\w-]{16,}|gh[pousr]_\w{20,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|eyJ[\w-]{20,}\.[\w.-]+)"
)


def _cut(text: str, limit: int) -> str:
    """The head and the tail of a text that is longer than a limit."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return text[:half] + "\n[... %d characters left out ...]\n" % (len(text) - 2 * half) + text[-half:]  # noqa: UP031 - old Pythons


class _Repr(reprlib.Repr):
    """Short representations that never raise."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = _MAX_REPR
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdeque = self.maxarray = 12
        self.maxdict = 12
        self.maxlevel = 4

    def show(self, name: str, value: Any) -> str:
        """A bounded representation, with what looks like a secret masked."""
        if _SECRET.search(name) and isinstance(value, (str, bytes)) and value:
            return "'***'"
        try:
            text = self.repr(value)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - a foreign __repr__ may raise anything
            return "<repr raised " + type(error).__name__ + ">"
        text = _SECRET_ITEM.sub(r"\1'***'", _SECRET_SHAPE.sub("***", text))
        return text if len(text) <= _MAX_REPR else text[: _MAX_REPR - 3] + "..."


class Reporter:
    """Writes the records; only in the process it was made in, and only where tests are not dealt out further."""

    def __init__(self, report: str, *, worker: bool = False) -> None:
        self._report = report
        self._root = str(Path.cwd())
        self._real_root = os.path.realpath(self._root)
        self._repr = _Repr()
        self._pid = os.getpid()
        # Tests replace functions of os (fake file systems) while reports are written: keep the real ones.
        self._os = (os.open, os.write, os.close, os.getpid)
        self._detailed = 0
        self._outcomes: dict[str, str] = {}
        self._worker = worker
        self._write(e="start", pytest=pytest.__version__, python=sys.version.split()[0])

    def _write(self, **record: Any) -> None:
        opened, write, close, getpid = self._os
        if self._worker or getpid() != self._pid:
            return
        data = (json.dumps(record) + "\n").encode("ascii")
        file = opened(self._report, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            while data:
                data = data[write(file, data) :]
        finally:
            close(file)

    # -- evidence --------------------------------------------------------------------------------------------------

    def _in_project(self, filename: str) -> str | None:
        """The path relative to the project of a file of its own code, None for any other file."""
        for root in (self._root, self._real_root):
            if filename.startswith(root + os.sep):
                break
        else:
            return None
        inside = filename[len(root) + 1 :]
        parts = Path(inside).parts
        if (
            "site-packages" in parts
            or "dist-packages" in parts
            or filename.startswith(sys.prefix + os.sep) != (root.startswith(sys.prefix + os.sep))
        ):
            return None
        return inside.replace(os.sep, "/")

    def _frames(self, traceback: types.TracebackType | None) -> list[dict[str, Any]]:
        """The frames of the project's own code, outermost first; the innermost with their variables."""
        places: list[tuple[str, int, types.FrameType]] = []
        while traceback is not None:
            path = self._in_project(traceback.tb_frame.f_code.co_filename)
            if path is not None:
                places.append((path, traceback.tb_lineno, traceback.tb_frame))
            traceback = traceback.tb_next
        if len(places) > _MAX_FRAMES:
            places = places[:2] + places[2 - _MAX_FRAMES :]
        frames: list[dict[str, Any]] = []
        for number, (path, line, frame) in enumerate(places):
            filename = frame.f_code.co_filename
            source = linecache.getline(filename, line).strip()[:_MAX_REPR]
            shown: list[list[str]] = []
            if number >= len(places) - _FRAMES_WITH_LOCALS and self._detailed <= _MAX_DETAILED:
                shown = self._locals(frame)
            frames.append(
                {"path": path, "line": line, "function": frame.f_code.co_name, "source": source, "locals": shown}
            )
        return frames

    def _locals(self, frame: types.FrameType) -> list[list[str]]:
        shown = []
        for name, value in frame.f_locals.items():
            if name.startswith(("@py_", "__")) or isinstance(value, (types.ModuleType, types.FunctionType, type)):
                continue
            shown.append([name, self._repr.show(name, value)])
            if len(shown) == _MAX_LOCALS:
                break
        return shown

    def error(self, value: BaseException) -> dict[str, Any]:
        """An exception with its frames, and those it came from."""
        self._detailed += 1
        chain: list[dict[str, Any]] = []
        seen = set()
        current: BaseException | None = value
        while current is not None and id(current) not in seen and len(chain) < 3:
            seen.add(id(current))
            try:
                message = str(current)
            except Exception as broken:  # noqa: BLE001 - a foreign __str__ may raise anything
                message = "<str raised " + type(broken).__name__ + ">"
            chain.append(
                {
                    "type": type(current).__name__,
                    "message": _SECRET_SHAPE.sub("***", _cut(message, _MAX_TEXT)),
                    "frames": self._frames(current.__traceback__),
                }
            )
            if isinstance(current, SyntaxError) and current.filename:
                path = self._in_project(current.filename)
                if path is not None:
                    source = (current.text or "").strip()
                    place: dict[str, Any] = {
                        "path": path,
                        "line": current.lineno,
                        "function": "",
                        "source": source,
                        "locals": [],
                    }
                    chain[-1]["frames"].append(place)
            context = None if current.__suppress_context__ else current.__context__
            current = current.__cause__ or context
        return {"chain": chain}

    # -- what happens ----------------------------------------------------------------------------------------------

    def collected(self, count: int) -> None:
        """So many tests will run."""
        self._write(e="collected", n=count)

    def running(self, nodeid: str) -> None:
        """A test begins."""
        self._outcomes[nodeid] = ""
        self._write(e="run", id=nodeid)

    def ended(self, nodeid: str) -> None:
        """A test is over."""
        self._write(e="end", id=nodeid, outcome=self._outcomes.pop(nodeid, ""))

    def reported(self, report: Any) -> None:
        """A phase of a test is over."""
        nodeid = report.nodeid
        if report.failed:
            self._outcomes[nodeid] = "failed"
            self._write(e="failed", phase=str(report.when), **self._evidence(report))
        elif report.skipped and self._outcomes.get(nodeid) != "failed":
            self._outcomes[nodeid] = "xfailed" if hasattr(report, "wasxfail") else "skipped"
        elif report.passed and report.when == "call" and not self._outcomes.get(nodeid):
            self._outcomes[nodeid] = "passed"

    def not_collected(self, report: Any) -> None:
        """A file or folder could not be collected."""
        self._write(e="collect_error", **self._evidence(report))

    def _evidence(self, report: Any) -> dict[str, Any]:
        error = getattr(report, "pairloop", None) or {"chain": []}
        captured = [
            [str(title), _SECRET_SHAPE.sub("***", _cut(str(text), _MAX_CAPTURED))]
            for title, text in getattr(report, "sections", ())
            if str(title).startswith("Captured") and text
        ]
        has_frames = any(link["frames"] for link in error["chain"])
        told = "" if has_frames else _cut(str(getattr(report, "longreprtext", "") or ""), _MAX_TEXT)
        location = getattr(report, "location", None) or (None, None, "")
        return {
            "id": report.nodeid,
            "path": str(location[0] or report.nodeid.split("::")[0]).replace(os.sep, "/"),
            "line": location[1] + 1 if isinstance(location[1], int) else None,
            "chain": error["chain"],
            "captured": captured,
            "told": told,
        }

    def finished(self, status: int) -> None:
        """The session came to its end."""
        self._write(e="finish", exit=status)


def _begin() -> Reporter | None:
    """Start reporting where that is asked for, and leave no trace of it in the environment of what the tests start."""
    path = os.environ.pop("PAIRLOOP_PYTEST_REPORT", None)
    return None if path is None else Reporter(path)


# A worker of pytest-xdist does not write (the variable is gone when it starts): it adds evidence to its reports.
_REPORTER = _begin()
_EVIDENCE = _REPORTER


def _reporter() -> Reporter:
    """Whoever gathers evidence here: the reporter, or in a worker a mute one."""
    global _EVIDENCE  # noqa: PLW0603 - made at the first failure of a worker
    if _EVIDENCE is None:
        _EVIDENCE = Reporter(os.devnull, worker=True)
    return _EVIDENCE


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(call: Any) -> Generator[None, Any, None]:
    """Attach the evidence to the report, while the frames are alive; under xdist it travels with it."""
    outcome = yield
    if call.excinfo is None or outcome.excinfo is not None:
        return
    report = outcome.get_result()
    if report.failed:
        report.pairloop = _reporter().error(call.excinfo.value)


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, None]:
    """Likewise for what cannot be collected."""
    outcome = yield
    if outcome.excinfo is not None:
        return
    report = outcome.get_result()
    call = getattr(report, "call", None)
    if report.failed and call is not None and call.excinfo is not None:
        value = call.excinfo.value
        # What pytest raises in place of the real error says it in words only.
        if type(value).__name__ == "CollectError" and value.__cause__ is not None:
            value = value.__cause__
        report.pairloop = _reporter().error(value)


def pytest_collection_finish(session: Any) -> None:
    """Tell how many tests there are."""
    if _REPORTER is not None:
        _REPORTER.collected(len(session.items))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(ids: Any) -> None:
    """Tell how many tests there are, under xdist."""
    if _REPORTER is not None:
        _REPORTER.collected(len(ids))


def pytest_runtest_logstart(nodeid: str) -> None:
    """Tell which test runs."""
    if _REPORTER is not None:
        _REPORTER.running(nodeid)


def pytest_runtest_logfinish(nodeid: str) -> None:
    """Tell that it has run."""
    if _REPORTER is not None:
        _REPORTER.ended(nodeid)


def pytest_runtest_logreport(report: Any) -> None:
    """Tell how a phase of it went."""
    if _REPORTER is not None:
        _REPORTER.reported(report)


def pytest_collectreport(report: Any) -> None:
    """Tell what cannot be collected."""
    if _REPORTER is not None and report.failed:
        _REPORTER.not_collected(report)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(exitstatus: Any) -> None:
    """Tell that the session came to its end."""
    if _REPORTER is not None:
        _REPORTER.finished(int(exitstatus))
