"""The test check: the project's own pytest, with a plug-in of ours that tells what happens."""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from agent_core.checks.affected import (
    FOLDER,
    TEST_FILE,
    Affected,
    Touches,
    find_affected,
    keep_imports,
    keep_touches,
    load_imports,
    load_touches,
)
from agent_core.checks.model import CheckResult, Finding, Outcome, Stage, Wish
from agent_core.checks.pytest_ahead import Told, run_ahead, worth_running_ahead
from agent_core.checks.pytest_report import PytestReport, some_names
from agent_core.checks.pytest_run import ABSENT, OLDEST, REPORT, TOO_OLD, run_pytest
from agent_core.checks.tool import HEAD_START, ending, finding, last_line, result
from agent_core.process import Completed
from agent_core.protocols import Candidate
from agent_core.workspace.interpreter import Interpreter
from agent_core.workspace.leftovers import kept_folder, run_folder

log = logging.getLogger(__name__)
_TELLING = re.compile(
    r"(?:INTERNALERROR> |\S+: error: |E  +|(?=ERROR(?!: usage)|FAIL |!!|Fatal Python error|Exit: ))(.*\S.*)"
)
_NOBODY = Affected(frozenset())


def has_tests(candidate: Candidate) -> bool:
    """Whether the project shows any sign of tests for pytest: test files, or a configuration of it."""
    files = candidate.snapshot.files
    if any(TEST_FILE.search(path) for path in files) or "pytest.ini" in files or ".pytest.ini" in files:
        return True
    for name, mark in (("tox.ini", b"[pytest]"), ("setup.cfg", b"[tool:pytest]")):
        if mark in (candidate.read(name) or b""):
            return True
    try:
        data = tomllib.loads((candidate.read("pyproject.toml") or b"").decode("utf-8", "replace"))
    except tomllib.TOMLDecodeError:
        # pytest says what is wrong with it.
        return True
    return "pytest" in data.get("tool", {})


@dataclass(frozen=True)
class PytestCheck:
    """Runs the tests of the project: all of them, in stages where something is wanted first, or only some.

    Attributes:
        interpreter: The project's Python, whose pytest is taken.
        timeout: Seconds it may take.
    """

    interpreter: Interpreter
    timeout: float = 600.0

    @property
    def name(self) -> str:
        """Short name."""
        return "pytest"

    async def run(self, candidate: Candidate, wish: Wish) -> CheckResult:
        """Judge a candidate; see `agent_core.protocols.Check`.

        Files with tests of ``wish.first`` come first, then those that ``wish.changed`` can affect, then the rest; whole
        files are moved, and inside a stage nothing is. With ``wish.only`` the tests run in their natural order;
        an id that is no test any more makes it an error, which still carries what the others did.
        """
        if not has_tests(candidate):
            return result(self.name, candidate, "no_tests", "the project has no tests")
        if wish.only is not None and not wish.only:
            return result(self.name, candidate, "no_tests", "no test was asked for")
        # A folder of its own for each run: a straggler of the last one may still write into its own.
        run = run_folder(candidate.cache, FOLDER)
        try:
            touches, affected = await asyncio.to_thread(_affected, candidate, wish)
            ahead = worth_running_ahead(candidate, wish, affected, touches)
            return await self._run(candidate, run, wish, affected, ahead=ahead)
        finally:
            shutil.rmtree(run, ignore_errors=True)

    async def _run(
        self, candidate: Candidate, run: Path, wish: Wish, affected: Affected, *, ahead: bool
    ) -> CheckResult:
        told = Told(wish.partial)

        def staged(stage: Stage) -> None:
            if (said := self._so_far(candidate, report, stage)) is not None:
                told.whole(said)

        async def run_first() -> None:
            first = await run_ahead(candidate, self.interpreter, run / "ahead", wish, affected) if ahead else None
            if first is not None and (said := self._so_far(candidate, *first)) is not None:
                told.ahead(said)

        report = PytestReport(run / REPORT, staged)
        running = asyncio.create_task(run_first())
        # For the next run, while this one goes on.
        learning = asyncio.create_task(asyncio.to_thread(keep_imports, run.parent, candidate))
        try:
            await asyncio.wait([running], timeout=HEAD_START)
            done = await run_pytest(
                candidate,
                self.interpreter,
                run,
                report,
                timeout=self.timeout,
                on_progress=wish.progress,
                first=wish.first,
                affected=affected.files or (),
                only=wish.only,
            )
            await asyncio.wait([learning])
            for extra in (running, learning):
                if extra.done() and not extra.cancelled() and (error := extra.exception()) is not None:
                    # What they would have been good for is not worth the verdict of a run that came to its end.
                    log.warning("pytest is judged without an extra", exc_info=error)
        finally:
            for task in (running, learning):
                task.cancel()
            await asyncio.gather(running, return_exceptions=True)
        if wish.only is None and (touches := report.touches) is not None:
            await asyncio.to_thread(keep_touches, kept_folder(candidate.cache, FOLDER), candidate, touches)
        said = self._judge(candidate, report, done, affected)
        if other := told.unlike(said):
            summary = f"{said.summary}; otherwise when run without the rest: {some_names(other)}"
            said = msgspec.structs.replace(said, summary=summary)
        return said

    def _so_far(self, candidate: Candidate, report: PytestReport, stage: Stage) -> CheckResult | None:
        """What is known at the end of a stage; None when nothing is, as all of it was skipped."""
        passed = report.outcomes["passed"] + report.outcomes["xfailed"]
        if report.damaged or not (passed or report.findings):
            return None
        outcome: Outcome = "failed" if report.findings else "passed"
        told = report.summary()
        alone = told == f"{report.done} passed"
        summary = f"{report.done} of {report.total} passed" if alone else f"{told} of {report.total}"
        if report.done == report.total:
            # It ran by itself: how many there are in all is not known yet.
            summary = told
        said = result(self.name, candidate, outcome, f"{stage}: {summary}", findings=report.findings, total=report.ran)
        return msgspec.structs.replace(said, stage=stage, passed=tuple(report.passed))

    def _judge(self, candidate: Candidate, report: PytestReport, done: Completed, affected: Affected) -> CheckResult:
        outcome, summary = self._outcome(report, done)
        findings: tuple[Finding, ...] = ()
        passed: tuple[str, ...] = ()
        if outcome == "failed":
            findings = report.findings
            if not findings:
                findings = (finding(self.name, summary, code="exit-status", detail=done.text[-2000:]),)
        elif report.unmatched:
            findings = report.findings
        if outcome in {"passed", "failed"} or report.unmatched:
            passed = tuple(report.passed)
        if outcome in {"passed", "failed"}:
            if report.one_stage:
                summary += f", in one stage: {report.one_stage}"
            if affected.unreached:
                summary += f"; no test is known to reach {some_names(affected.unreached)}"
        said = result(self.name, candidate, outcome, summary, findings=findings, total=report.ran, done=done)
        return msgspec.structs.replace(said, passed=passed)

    def _outcome(  # noqa: PLR0911 - one return an outcome
        self, report: PytestReport, done: Completed
    ) -> tuple[Outcome, str]:
        """What the exit status and the report say together; where they disagree it is never a pass."""
        during = f" while running {names}" if (names := report.running_names()) else ""
        if done.timed_out and report.finished:
            return "timeout", f"its tests came to an end ({report.summary()}), pytest not within {self.timeout:g} s"
        if done.timed_out:
            return "timeout", f"not finished after {self.timeout:g} s{during}; {report.summary()} before"
        if not report.started and done.code in {ABSENT, TOO_OLD, 127}:
            return "error" if done.code == TOO_OLD else "missing", self._what_is_missing(done)
        if done.code in {3, 4}:
            return "error", f"pytest could not run the tests: {report.internal or _reason(done)}"
        if not report.started and done.code in {0, 1, 2, 5}:
            return "error", f"pytest ran without telling what happens: {_reason(done)}"
        if not report.finished or done.code not in {0, 1, 2, 5}:
            return "error", f"pytest {ending(done.code)}{during} and did not finish: {_reason(done)}"
        if report.damaged:
            return "error", "something else wrote to the report of the test run, so that it tells nothing"
        if missing := report.missing():
            return "error", f"not collected, so nothing is known of it: {some_names(missing)}; {report.summary()}"
        if report.findings:
            return "failed", report.summary()
        return self._without_failure(report, done)

    def _without_failure(  # noqa: PLR0911 - one return an outcome
        self, report: PytestReport, done: Completed
    ) -> tuple[Outcome, str]:
        """What a run that came to its end without a failing test is worth."""
        if done.code == 2:
            return "error", f"pytest was interrupted: {_reason(done)}"
        if done.code == 1:
            return "failed", f"pytest failed though no test did: {_reason(done)}"
        if report.exit not in {0, 5}:
            return "error", f"pytest came to exit status {report.exit}, but its process {ending(done.code)}"
        if not report.done and report.total:
            collected = "1 test was" if report.total == 1 else f"{report.total} tests were"
            return "no_tests", f"{collected} collected and none was run"
        if not report.done:
            return "no_tests", "no tests were collected"
        if report.done < report.total:
            return "error", f"only {report.done} of {report.total} tests were run: {report.summary()}"
        if report.outcomes["unknown"]:
            return "error", f"not every test came to a result: {report.summary()}"
        if not report.outcomes["passed"] + report.outcomes["xfailed"]:
            return "no_tests", f"no test really ran: {report.summary()}"
        return "passed", report.summary()

    def _what_is_missing(self, done: Completed) -> str:
        python = self.interpreter.python
        if done.code == 127:
            return f"{python} cannot be started: {last_line(done)}"
        if done.code == TOO_OLD:
            what = f"{last_line(done)}: the tests are run by pytest {OLDEST} or newer; update it with"
            return f"{what} `{python} -m pip install -U pytest` or `uv pip install -U pytest`"
        return (
            f"pytest is not installed in {self.interpreter.found}; install it with "
            f"`{python} -m pip install pytest` or `uv pip install pytest`"
        )


def _affected(candidate: Candidate, wish: Wish) -> tuple[Touches, Affected]:
    """What the last run touched, and what to run before the rest: what the change can affect."""
    touches = load_touches(candidate.cache)
    if wish.only is not None or not wish.changed:
        return touches, _NOBODY
    load_imports(candidate.cache)
    return touches, find_affected(candidate, wish.changed, touches)


def _reason(done: Completed) -> str:
    """The line in which pytest says what is wrong."""
    lines = [line.strip() for line in done.text.splitlines() if line.strip()]
    for line in reversed(lines):
        if found := _TELLING.match(line):
            return found.group(1).strip(" !")
    return last_line(done)
