"""A pytest plug-in that reports what happens as JSON lines, and runs the tests that matter most first.

PYTEST_DONT_REWRITE

Injected with ``-p pairloop_pytest`` from a folder at the end of sys.path; nothing is installed into the project's
environment. Works with pytest 7 and later on Python 3.8 and later, so: standard library only, and no syntax of later
versions. The environment variable PAIRLOOP_PYTEST_REPORT names the file to append to, PAIRLOOP_PYTEST_PLAN that of
the plan (see `plan`). Records have their kind under ``e`` and their number under ``k``, from 0 on:

    start; collected n, stages, why, bound; unmatched ids; run id; end id, outcome; failed id, phase, error...;
    collect_error id, error...; stage name; internal error...; reads of, paths; touched; warm modules; finish exit
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from .evidence import Evidence, Places
from .plan import Plan, keeps_order
from .touched import Touched
from .values import masked_cut

_MAX_TEXT = 4000
_MAX_CAPTURED = 2000
_MAX_UNMATCHED = 100


class Reporter:
    """Writes the records, in the process it was made in.

    Args:
        report: The file to append to.
        evidence: Gathers what is told of failures.
        places: Knows the project's own code.
    """

    def __init__(self, report: str, evidence: Evidence, places: Places) -> None:
        self._report = report
        self.evidence = evidence
        self._places = places
        self._pid = os.getpid()
        # Tests replace functions of os (fake file systems) while reports are written: keep the real ones.
        self._os = (os.open, os.write, os.close, os.getpid)
        self._number = 0
        self._outcomes: dict[str, str] = {}
        self.rootdir = places.root
        self.write(e="start", pytest=pytest.__version__, python=sys.version.split()[0])

    def write(self, **record: Any) -> None:
        """Append a record; a process that a test has forked off has nothing to say."""
        opened, write, close, getpid = self._os
        if getpid() != self._pid:
            return
        data = (json.dumps(dict(record, k=self._number)) + "\n").encode("ascii")
        self._number += 1
        file = opened(self._report, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            while data:
                data = data[write(file, data) :]
        finally:
            close(file)

    def running(self, nodeid: str) -> None:
        """A test begins."""
        self._outcomes[nodeid] = ""
        self.write(e="run", id=nodeid)

    def ended(self, nodeid: str) -> None:
        """A test is over; said again of the same one it means nothing."""
        if nodeid in self._outcomes:
            self.write(e="end", id=nodeid, outcome=self._outcomes.pop(nodeid))

    def reported(self, report: Any) -> None:
        """A phase of a test is over."""
        nodeid = report.nodeid
        if report.failed:
            self._outcomes[nodeid] = "failed"
            self.write(e="failed", phase=str(report.when), **self._evidence(report))
        elif report.skipped and self._outcomes.get(nodeid) != "failed":
            self._outcomes[nodeid] = "xfailed" if hasattr(report, "wasxfail") else "skipped"
        elif report.passed and report.when == "call" and not self._outcomes.get(nodeid):
            self._outcomes[nodeid] = "passed"

    def not_collected(self, report: Any) -> None:
        """A file or folder could not be collected."""
        self.write(e="collect_error", **self._evidence(report))

    def _evidence(self, report: Any) -> dict[str, Any]:
        error = getattr(report, "pairloop", None) or {"chain": [], "fixture": ""}
        captured = [
            [str(title), self.evidence.hide(masked_cut(str(text), _MAX_CAPTURED))]
            for title, text in getattr(report, "sections", ())
            if str(title).startswith("Captured") and text
        ]
        has_frames = any(link["frames"] for link in error["chain"])
        longrepr = "" if has_frames else str(getattr(report, "longreprtext", "") or "")
        location = getattr(report, "location", None) or (None, None, "")
        return {
            "id": report.nodeid,
            "path": self._relative(str(location[0] or report.nodeid.split("::")[0])),
            "line": location[1] + 1 if isinstance(location[1], int) else None,
            "chain": error["chain"],
            "fixture": error["fixture"],
            "captured": captured,
            "told": self.evidence.hide(masked_cut(longrepr, _MAX_TEXT)),
        }

    def _relative(self, name: str) -> str:
        """A path as pytest has it, relative to its root, relative to the project."""
        return os.path.relpath(os.path.join(self.rootdir, name), self._places.root).replace(os.sep, "/")  # noqa: PTH118 - as pytest names its files


def _begin() -> tuple[Reporter | None, Plan]:
    """Start reporting where that is asked for, and leave no trace of it in the environment of what the tests start."""
    report = os.environ.pop("PAIRLOOP_PYTEST_REPORT", None)
    plan = os.environ.pop("PAIRLOOP_PYTEST_PLAN", None)
    if report is None:
        return None, Plan(None, _PLACES.root)
    return Reporter(report, _EVIDENCE, _PLACES), Plan(plan, _PLACES.root)


_PLACES = Places(str(Path.cwd()))
_EVIDENCE = Evidence(_PLACES)
# A worker of pytest-xdist does not write (the variables are gone when it starts): it adds evidence to its reports.
_REPORTER, _PLAN = _begin()
_TOUCHED = Touched(_PLACES) if _REPORTER is not None and not _PLAN.part else None
_STAGE_ENDS: dict[int, str] = {}
_EXIT = os._exit


def _dealt_out(config: Any) -> bool:
    """Whether pytest-xdist deals the tests out to workers."""
    return getattr(config.option, "dist", "no") != "no" or bool(getattr(config.option, "tx", None))


# -- which tests run -------------------------------------------------------------------------------------------------


@pytest.hookimpl(hookwrapper=True)
def pytest_cmdline_main(config: Any) -> Generator[None, Any, None]:
    """Run a few tests here, not in workers that know nothing of the plan."""
    if _PLAN.part:
        for name, value in (("numprocesses", None), ("maxprocesses", None), ("tx", []), ("dist", "no")):
            if hasattr(config.option, name):
                setattr(config.option, name, value)
    yield


def pytest_configure(config: Any) -> None:
    """Remember what pytest's paths are relative to."""
    if _REPORTER is not None:
        _REPORTER.rootdir = str(config.rootpath)


def pytest_ignore_collect(collection_path: Path, config: Any) -> bool | None:
    """Pass over files that hold none of the tests that alone are wanted."""
    return True if _PLAN.unwanted(str(collection_path), str(config.rootpath)) else None


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: Any, items: list[Any]) -> Generator[None, Any, None]:
    """Leave out, last of all, what is not wanted."""
    yield
    chosen, rest = _PLAN.chosen(items)
    if rest:
        items[:] = chosen
        config.hook.pytest_deselected(items=rest)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: Any) -> None:
    """Put the tests into stages, and tell how many there are."""
    if _REPORTER is None or _dealt_out(session.config):
        return
    stages: list[tuple[str, int]] = []
    why = ""
    bound = keeps_order(session.items)
    if _PLAN.staged:
        if bound:
            why = "its tests have to keep their order"
        else:
            session.items[:], stages = _PLAN.staging(session.items)
    for stage, count in stages:
        _STAGE_ENDS[id(session.items[count - 1])] = stage
    if _PLAN.only is not None and _PLAN.only.unmatched:
        _REPORTER.write(e="unmatched", ids=_PLAN.only.unmatched[:_MAX_UNMATCHED])
    _REPORTER.write(e="collected", n=len(session.items), stages=stages, why=why, bound=bound)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(ids: Any) -> None:
    """Tell how many tests there are, under xdist."""
    if _REPORTER is not None:
        why = "pytest-xdist deals its tests out" if _PLAN.staged else ""
        _REPORTER.write(e="collected", n=len(ids), stages=[], why=why, bound=True)


# -- what happens ----------------------------------------------------------------------------------------------------


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(call: Any) -> Generator[None, Any, None]:
    """Attach the evidence to the report, while the frames are alive; under xdist it travels with it."""
    outcome = yield
    if call.excinfo is None or outcome.excinfo is not None:
        return
    report = outcome.get_result()
    if report.failed:
        report.pairloop = _EVIDENCE.error(call.excinfo.value)


def pytest_assertrepr_compare(op: str, left: Any, right: Any) -> None:
    """Keep how two values differ that an assertion finds different; how it is said is left to others."""
    _EVIDENCE.compared(op, left, right)


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector: Any) -> Generator[None, Any, None]:
    """Likewise for what cannot be collected."""
    before = _here(collector)
    outcome = yield
    if _TOUCHED is not None:
        _TOUCHED.current = before
    if outcome.excinfo is not None:
        return
    report = outcome.get_result()
    call = getattr(report, "call", None)
    if report.failed and call is not None and call.excinfo is not None:
        value = call.excinfo.value
        # What pytest raises in place of the real error says it in words only.
        if type(value).__name__ == "CollectError" and value.__cause__ is not None:
            value = value.__cause__
        report.pairloop = _EVIDENCE.error(value)


def _here(node: Any) -> str:
    """From now on what is touched is put down to the file of a node; gives what it was put down to before."""
    if _TOUCHED is None:
        return ""
    before, path = _TOUCHED.current, str(getattr(node, "path", ""))
    _TOUCHED.current = _PLACES.inside(path) or "" if os.path.splitext(path)[1] else before  # noqa: PTH122 - a folder's name may have a point too, to no harm
    return before


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: Any) -> Generator[None, Any, None]:
    """Around a test: what it touches is its file's, and with it a stage may end."""
    _EVIDENCE.clear()
    before = _here(item)
    yield
    if _TOUCHED is not None:
        _TOUCHED.current = before
    if _REPORTER is not None:
        # Whoever runs tests in their own way may forget to say so.
        _REPORTER.ended(item.nodeid)
        if id(item) in _STAGE_ENDS:
            _REPORTER.write(e="stage", name=_STAGE_ENDS.pop(id(item)))


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


def pytest_internalerror(excinfo: Any) -> None:
    """Tell what pytest breaks off for: an error of its own, of a plug-in's, or somebody who leaves."""
    if _REPORTER is not None:
        _REPORTER.write(e="internal", **_EVIDENCE.error(excinfo.value))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(exitstatus: Any) -> None:
    """Tell that the session came to its end."""
    if _REPORTER is None:
        return
    if _TOUCHED is not None:
        for record in _TOUCHED.stop():
            _REPORTER.write(**record)
    _REPORTER.write(e="finish", exit=int(exitstatus))
    if _PLAN.ahead:
        # All is told. Who waits for it waits no longer for summaries that nobody reads.
        _EXIT(int(exitstatus))
