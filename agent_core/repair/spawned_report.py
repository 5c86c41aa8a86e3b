"""What pytest tells of each test as it runs, as `TestRun`: for the tests of a lab that starts a process each time."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from agent_core.checks.pytest_report import PytestReport
from agent_core.repair.model import Frame, RunOutcome, TestRun, Value
from agent_core.text import printable, shortened

_LONG_MESSAGE = 1000
_LONG_VALUE = 200
_OBJECT = re.compile(r"<?(?:[\w.]*\.)?([A-Za-z_]\w*)[ (]")


class RunsReport(PytestReport):
    """Keeps every test's run.

    Args:
        path: The file that the plug-in writes.
        hear: Called with each run as it ends.

    Attributes:
        runs: Those that have ended, in their order; files that cannot be collected among them.
    """

    def __init__(self, path: Path, hear: Callable[[TestRun], None] = lambda _: None) -> None:
        self.runs: list[TestRun] = []
        self._hear = hear
        self._failures: dict[str, TestRun] = {}
        self._ended_now: list[TestRun] = []
        self._since = time.monotonic()
        super().__init__(path)

    def read(self) -> bool:
        """Take in what was written since the last time; how long it took is shared out among what ended meanwhile."""
        more = super().read()
        now = time.monotonic()
        if self._ended_now:
            share = (now - self._since) / len(self._ended_now)
            for run in self._ended_now:
                timed = msgspec.structs.replace(run, seconds=share)
                self.runs.append(timed)
                self._hear(timed)
            self._ended_now.clear()
            self._since = now
        return more

    def hung(self) -> Iterator[TestRun]:
        """Those that began and did not end."""
        waited = time.monotonic() - self._since
        for test in self.running:
            yield TestRun(test, "hung", waited, error="Timeout", message="did not come to its end")

    def _take(self, record: dict[str, Any]) -> None:
        super()._take(record)
        match record["e"]:
            case "start":
                self.runs, self._failures, self._since = [], {}, time.monotonic()
                self._ended_now = []
            case "collected":
                # What collecting took is no test's.
                self._since = time.monotonic()
            case "failed" if record["id"] not in self._failures:
                outcome: RunOutcome = "failed" if record["phase"] == "call" else "error"
                self._failures[record["id"]] = _failed(record, outcome)
            case "collect_error":
                self._ended_now.append(_failed(record, "error"))
            case "end":
                self._ended_now.append(self._run(str(record["id"]), str(record["outcome"])))

    def _run(self, test: str, outcome: str) -> TestRun:
        if test in self._failures:
            return self._failures.pop(test)
        # What is expected to fail tells nothing of a variant, as little as what is left out.
        return TestRun(test, "passed" if outcome == "passed" else "skipped", 0.0)


def _failed(record: dict[str, Any], outcome: RunOutcome) -> TestRun:
    chain: list[dict[str, Any]] = record["chain"]
    error = str(chain[0]["type"]) if chain else ""
    told = str(chain[0]["message"]) if chain else str(record["told"])
    # The causes come first: the exception that the test ended with is the innermost.
    frames = tuple(_frame(one) for link in reversed(chain) for one in _frames(link) if one["line"])
    message = shortened(printable(told), _LONG_MESSAGE)
    return TestRun(str(record["id"]), outcome, 0.0, error=error, message=message, frames=frames)


def _frames(link: dict[str, Any]) -> list[dict[str, Any]]:
    """The frames of an exception, of a group those of the first in it that has any."""
    inner = (found for chain in link.get("group") or () for one in chain if (found := _frames(one)))
    return next(inner, None) or list(link["frames"])


def _frame(told: dict[str, Any]) -> Frame:
    values = tuple(
        Value(str(name), kind_of(str(text)), shortened(str(text), _LONG_VALUE)) for name, text in told["locals"]
    )
    return Frame(str(told["path"]), int(told["line"]), str(told["function"]), values)


def kind_of(text: str) -> str:
    """The name of a value's type, by its representation; empty where that does not tell."""
    try:
        return type(ast.literal_eval(text)).__name__
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        pass
    # A representation that was shortened still begins as it did.
    for start, kind in (("[", "list"), ("{", "dict"), ("(", "tuple"), ("'", "str"), ('"', "str"), ("b'", "bytes")):
        if text.startswith(start):
            return kind
    match = _OBJECT.match(text)
    return match.group(1) if match else ""
