"""One pytest session in this process, collected as the test check collects it; its tests are run by whoever made it.

Part of `pairloop_repair`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from .shared import Places, Plan

# As `agent_core.checks.pytest_run` has it, but for the capturing: a file that captures would be shared by all forks.
_OPTIONS = ("-q", "--color=no", "--tb=no", "--maxfail=0", "--continue-on-collection-errors", "--capture=sys")
# What well-known plug-ins would do beside: deal tests out, run them in processes, again or many times.
_OFF: tuple[tuple[str, object], ...] = (
    ("numprocesses", None),
    ("maxprocesses", None),
    ("tx", []),
    ("dist", "no"),
    ("forked", False),
    ("reruns", 0),
    ("count", 1),
    ("benchmark_disable", True),
    ("benchmark_skip", False),
)


def places_here() -> Places:
    """What knows the code of the project in whose folder we are."""
    return Places(str(Path.cwd()))


class Session:
    """A plug-in of pytest that takes over the running of the tests.

    Args:
        folder: A private folder.
        body: Called with this once all is collected.
        only: Ids of the only tests that are needed, None for all: the files of the others are not looked at.

    Attributes:
        items: The tests, in their order.
        faults: What could not be collected: id -> report.
        seen: Called with an exception while its traceback is alive, gives what is kept of it.
        evidence: What that gave for the last failing phase.
        unloaded: The ``conftest.py`` that could not be imported, so that nothing could be collected: its path, and what
            `seen` gave; None where all could be.
    """

    def __init__(
        self,
        folder: str,
        body: Callable[[Session], None],
        only: Iterable[str] | None = None,
    ) -> None:
        self._folder = folder
        self._body = body
        self.places = places_here()
        self._plan = Plan(self._written(only), self.places.root)
        self._rootdir = self.places.root
        self._reports: list[Any] = []
        self.items: list[Any] = []
        self._by_id: dict[str, list[Any]] = {}
        self.faults: dict[str, tuple[Any, Any]] = {}
        self._files: set[str] = set()
        self.seen: Callable[[BaseException], Any] = lambda _: None
        self.evidence: Any = None
        self.unloaded: tuple[str, Any] | None = None
        self.config: Any = None

    def _written(self, only: Iterable[str] | None) -> str | None:
        if only is None or any(_is_conftest(name) or self._is_folder(name) for name in only):
            # What stands for tests nobody has seen.
            return None
        path = os.path.join(self._folder, "only-%d.json" % os.getpid())  # noqa: PTH118, UP031 - old Pythons
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - likewise
            json.dump({"only": sorted(only)}, file)
        return path

    def _is_folder(self, name: str) -> bool:
        return "::" not in name and Path(self.places.root, name).is_dir()

    def run(self) -> int:
        """Collect, and have the body called; gives pytest's exit status where it was not."""
        cache = os.path.join(self._folder, "cache-%d" % os.getpid())  # noqa: PTH118, UP031 - old Pythons
        return int(pytest.main([*_OPTIONS, "-o", "cache_dir=" + cache], plugins=[self]))

    # -- what pytest calls

    @pytest.hookimpl(hookwrapper=True)
    def pytest_load_initial_conftests(self, early_config: Any) -> Generator[None, Any, None]:
        """Measure no coverage: it would take its time, and the tracing."""
        if getattr(early_config.known_args_namespace, "cov_source", None):
            early_config.known_args_namespace.cov_source = []
        outcome = yield
        error: Any = outcome.excinfo[1] if outcome.excinfo is not None else None
        if type(error).__name__ == "ConftestImportFailure":
            # Before pytest 8 the error itself is in an `excinfo` of its own.
            cause = getattr(error, "cause", None) or error.excinfo[1]
            path = os.path.relpath(str(error.path), self.places.root).replace(os.sep, "/")
            self.unloaded = (path, self.seen(cause))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_cmdline_main(self, config: Any) -> Generator[None, Any, None]:
        """Run the tests here and once."""
        for name, value in _OFF:
            if hasattr(config.option, name):
                setattr(config.option, name, value)
        self.config = config
        self._rootdir = str(config.rootpath)
        yield

    def pytest_ignore_collect(self, collection_path: Any) -> bool | None:
        """Pass over files of which nothing is needed."""
        return True if self._plan.unwanted(str(collection_path), self._rootdir) else None

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self, collector: Any) -> Generator[None, Any, None]:
        """Keep what cannot be collected."""
        outcome = yield
        if outcome.excinfo is not None:
            return
        report = outcome.get_result()
        call = getattr(report, "call", None)
        if report.failed:
            error: Any = call.excinfo.value if call is not None and call.excinfo is not None else None
            # What pytest raises in place of the real error says it in words only.
            if type(error).__name__ == "CollectError" and error.__cause__ is not None:
                error = error.__cause__
            self.faults[report.nodeid] = (report, self.seen(error) if error is not None else None)
        elif report.passed and isinstance(collector, pytest.File) and not isinstance(collector, pytest.Package):
            self._files.add(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> bool:
        """Hand over."""
        self.items = list(session.items)
        for item in self.items:
            self._by_id.setdefault(item.nodeid, []).append(item)
        self._body(self)
        return True

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, call: Any) -> Generator[None, Any, None]:
        """Look at an exception while its frames are alive."""
        outcome = yield
        if call.excinfo is None or outcome.excinfo is not None:
            return
        if outcome.get_result().failed and self.evidence is None:
            self.evidence = self.seen(call.excinfo.value)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep how a phase went."""
        self._reports.append(report)

    # -- what the body calls

    def find(self, test: str) -> list[Any]:
        """The tests that an id stands for: one, or those of a class, a file or a folder."""
        # A plan may name all tests there are, and each trial looks for all that its plan names.
        found = self._by_id.get(test)
        if found:
            return list(found)
        if _is_conftest(test):
            folder = test.rpartition("/")[0]
            return [item for item in self.items if not folder or item.nodeid.startswith(folder + "/")]
        ends = ("::", "[") if "::" in test else ("::", "/")
        return [item for item in self.items if item.nodeid.startswith(tuple(test + end for end in ends))]

    def is_empty(self, test: str) -> bool:
        """Whether an id is that of a file that was collected, and no test is in it."""
        return test in self._files and test not in self.faults and not self._by_id.get(test)

    def run_test(self, item: Any, following: Any) -> tuple[str, str]:
        """Run a test; gives what came of it and, in short, why.

        Args:
            item: The test.
            following: The one that will be run next, for whose sake fixtures are kept; None for none.
        """
        self._reports, self.evidence = [], None
        try:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        except (Exception, pytest.exit.Exception, KeyboardInterrupt, SystemExit, GeneratorExit) as error:  # noqa: BLE001 - a test's or a plug-in's, of any kind
            self.evidence = self.evidence or self.seen(error)
            return "error", type(error).__name__ + ": " + str(error)[:300]
        return _outcome(self._reports)

    @staticmethod
    def threads() -> int:
        """How many threads there are beside this one."""
        try:
            return len(os.listdir("/proc/self/task")) - 1  # noqa: PTH208 - names are all that is wanted
        except OSError:
            return threading.active_count() - 1

    def own_folder(self, folder: str) -> None:
        """Have ``tmp_path`` and its like be made in a folder of this process's own."""
        factory = getattr(self.config, "_tmp_path_factory", None)
        if factory is not None and hasattr(factory, "_basetemp") and hasattr(factory, "_given_basetemp"):
            factory._given_basetemp = Path(folder, "basetemp")  # noqa: SLF001 - the only way after it was configured
            factory._basetemp = None  # noqa: SLF001 - likewise


def _is_conftest(test: str) -> bool:
    """Whether an id is that of a ``conftest.py``, which stands for all tests that need it."""
    return test.rpartition("/")[2] == "conftest.py"


def _outcome(reports: list[Any]) -> tuple[str, str]:
    for report in reports:
        if report.failed:
            return "failed" if report.when == "call" else "error", _why(report)
    for report in reports:
        if report.skipped:
            return "skipped", ""
    if any(report.when == "call" for report in reports):
        return "passed", ""
    return "error", "it came to no result"


def _why(report: Any) -> str:
    """The first line of what a failure says."""
    crash = getattr(getattr(report, "longrepr", None), "reprcrash", None)
    message = str(getattr(crash, "message", "") or getattr(report, "longrepr", "") or "")
    return message.partition("\n")[0][:300]
