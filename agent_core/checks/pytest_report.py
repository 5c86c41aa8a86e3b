"""Reads what the pytest plug-in writes: as it grows for progress and stages, and in the end as findings."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from agent_core.checks.affected import Touches
from agent_core.checks.model import Finding, Stage
from agent_core.checks.pytest_evidence import and_then, failure, told_of
from agent_core.small_files import open_regular
from agent_core.text import printable

_MAX_FINDINGS = 5000
_MAX_READ = 4_000_000
_MAX_REPORT = 400_000_000
_MAX_ID = 500


class PytestReport:
    """What is known of a test run so far.

    Args:
        path: The file that the plug-in writes.
        on_stage: Called when a stage but the last has ended, with all that was told before its end taken in.

    Attributes:
        started: pytest began, with our plug-in in it.
        finished: Its session came to an end.
        exit: The exit status that its session ended with.
        damaged: Some of the report is missing, or was written by somebody else.
        total: Tests collected.
        running: Node ids of the tests that have begun and not ended.
        outcomes: How many tests ended how: ``passed``, ``failed``, ``skipped``, ``xfailed``, ``unknown``.
        passed: Ids of the tests that passed.
        uncollected: How many files could not be collected.
        unmatched: Ids that alone were wanted and are no tests.
        bound: The tests cannot be put into stages.
        one_stage: Why the tests could not be put into stages; empty when they could.
        internal: What pytest broke off for; empty when it did not.
    """

    def __init__(self, path: Path, on_stage: Callable[[Stage], None] | None = None) -> None:
        self._path = path
        self._on_stage = on_stage
        self._offset = 0
        self._rest = b""
        self._begin()

    def _begin(self) -> None:
        """Know nothing: a run begins, also when its process died and another one began anew."""
        self._next = 0
        self.started = False
        self.finished = False
        self.exit = 0
        self.damaged = False
        self.total = 0
        self.running: dict[str, None] = {}
        self.outcomes: Counter[str] = Counter()
        self.passed: list[str] = []
        self.uncollected = 0
        self.unmatched: tuple[str, ...] = ()
        self.bound = False
        self.one_stage = ""
        self.internal = ""
        self._findings: dict[str, Finding] = {}
        self._reads: dict[str, tuple[str, ...]] = {}
        self._opaque: tuple[str, ...] = ()
        self._modules: tuple[str, ...] = ()
        self._complete = False

    @property
    def done(self) -> int:
        """How many tests have ended."""
        return self.outcomes.total()

    @property
    def ran(self) -> int:
        """How many tests really judged something: neither skipped nor expected to fail."""
        return self.done - self.outcomes["skipped"] - self.outcomes["xfailed"]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What failed, one finding a test or uncollected file, in the order it came."""
        return tuple(self._findings.values())

    @property
    def touches(self) -> Touches | None:
        """What the tests touched, None when that is not known."""
        if not self.finished or self.damaged:
            return None
        # What broke off might have touched anything.
        failing = {key.partition("::")[0] for key in self._findings}
        opaque = tuple(sorted({*self._opaque, *failing}))
        return Touches(
            reads=self._reads, opaque=opaque, complete=self._complete, modules=self._modules, bound=self.bound
        )

    def read(self) -> bool:
        """Take in what was written since the last time.

        Returns:
            Whether there may be more to read at once.
        """
        try:
            # The tests could put something else in its place: a pipe to wait at for ever, a link to another file.
            file = open_regular(self._path)
        except OSError:
            return False
        with file:
            file.seek(self._offset)
            data = file.read(_MAX_READ)
        self._offset += len(data)
        *lines, rest = (self._rest + data).split(b"\n")
        # No record is as long: what is written without end is not kept.
        self._rest = rest[-_MAX_READ:]
        for line in lines:
            # Tests are foreign code and could write here too; what is no record of ours is passed over.
            try:
                record = json.loads(line)
                if record["k"] == 0 and record["e"] == "start":
                    self._begin()
                self._count(int(record["k"]))
                self._take(record)
            except (ValueError, KeyError, TypeError, AttributeError, IndexError):
                self.damaged = True
        return len(data) == _MAX_READ and self._offset < _MAX_REPORT

    def _count(self, number: int) -> None:
        """Records are numbered: one that is missing or comes twice is noticed."""
        if number != self._next:
            self.damaged = True
        self._next = number + 1

    def _take(self, record: dict[str, Any]) -> None:
        match record["e"]:
            case "run":
                self.running[str(record["id"])] = None
            case "end":
                self._ended(str(record["id"]), str(record["outcome"] or "unknown"))
            case "failed":
                self._add(str(record["id"]), failure(record, phase=str(record["phase"])))
            case "collect_error":
                self.uncollected += 1
                self._add(str(record["id"]), failure(record, phase="collect"))
            case "stage":
                if self._on_stage is not None and record["name"] in {"first", "affected"}:
                    self._on_stage(record["name"])
            case _:
                self._take_rare(record)

    def _take_rare(self, record: dict[str, Any]) -> None:
        match record["e"]:
            case "start":
                self.started = True
            case "collected":
                self.total = max(self.total, int(record["n"]))
                self.one_stage = printable(str(record["why"]))
                self.bound = bool(record["bound"])
            case "unmatched":
                self.unmatched = tuple(printable(str(name)) for name in record["ids"])
            case "internal":
                self.internal = told_of(record)
            case "reads":
                self._reads[str(record["of"])] = tuple(str(path) for path in record["paths"])
            case "touched":
                self._opaque = tuple(str(path) for path in record["opaque"])
                self._complete = bool(record["complete"])
            case "warm":
                self._modules = tuple(str(name) for name in record["modules"])
            case "finish":
                self.finished = True
                self.exit = int(record["exit"])

    def _ended(self, nodeid: str, outcome: str) -> None:
        self.running.pop(nodeid, None)
        self.outcomes[outcome] += 1
        if outcome == "passed":
            # As a finding names it.
            self.passed.append(printable(nodeid)[:_MAX_ID])

    def _add(self, key: str, new: Finding) -> None:
        """One finding a test: a failing teardown after a failing test goes into its detail."""
        old = self._findings.get(key)
        if old is None and len(self._findings) >= _MAX_FINDINGS:
            return
        self._findings[key] = new if old is None else and_then(old, new)

    def missing(self) -> tuple[str, ...]:
        """Ids that alone were wanted and are no tests, without those in files that can't be collected."""
        return tuple(name for name in self.unmatched if name.partition("::")[0] not in self._findings)

    def summary(self) -> str:
        """Such as ``2 failed, 15 passed, 1 skipped``."""
        parts = [
            f"{self.outcomes[kind]} {kind}"
            for kind in ("failed", "passed", "skipped", "xfailed")
            if self.outcomes[kind]
        ]
        if self.outcomes["unknown"]:
            parts.append(f"{self.outcomes['unknown']} without a result")
        if self.uncollected:
            files = "file" if self.uncollected == 1 else "files"
            parts.insert(0, f"{self.uncollected} {files} cannot be collected")
        return ", ".join(parts) or "nothing ran"

    def running_names(self) -> str:
        """The tests under way, for a human; empty when there are none."""
        return some_names(self.running)


def some_names(names: Iterable[str]) -> str:
    """A few names, and how many more there are."""
    told = list(names)
    more = f" and {len(told) - 3} more" if len(told) > 3 else ""
    return ", ".join(told[:3]) + more
