"""The test check: the project's own pytest, with a plug-in of ours that tells what happens."""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent_core.checks.model import CheckResult, Finding, Outcome, Wish
from agent_core.checks.pytest_report import PytestReport
from agent_core.checks.tool import ending, finding, last_line, result, run_tool
from agent_core.process import Completed
from agent_core.protocols import Candidate
from agent_core.workspace.interpreter import Interpreter

_PLUGIN = Path(__file__).with_name("pytest_plugin") / "pairloop_pytest.py"
_LOOK_EVERY = 0.2
_ABSENT = 97
# As ``python -m pytest``, with the plug-in's folder at the end of the path; PYTHONPATH is left to the candidate.
_START = f"""
import importlib.util, os, runpy, sys
sys.path[:1] = [os.getcwd()]
sys.path.append(sys.argv.pop(1))
if importlib.util.find_spec("pytest") is None:
    sys.exit({_ABSENT})
runpy.run_module("pytest", run_name="__main__", alter_sys=True)
"""
_TELLING = re.compile(
    r"(?:INTERNALERROR> |\S+: error: |E  +|(?=ERROR(?!: usage)|FAIL |!!|Fatal Python error|Exit: ))(.*\S.*)"
)
_TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py$|(^|/)tests?/.*\.py$")


def has_tests(candidate: Candidate) -> bool:
    """Whether the project shows any sign of tests for pytest: test files, or a configuration of it."""
    files = candidate.snapshot.files
    if any(_TEST_FILE.search(path) for path in files) or "pytest.ini" in files or ".pytest.ini" in files:
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
    """Runs all tests of the project.

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
        """Judge a candidate; see `agent_core.protocols.Check`."""
        if not has_tests(candidate):
            return result(self.name, candidate, "no_tests", "the project has no tests")
        folder = candidate.cache / "pytest"
        # Commands may write to the cache. We write here from outside of the sandbox, so never through a link of theirs.
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            folder.unlink()
        folder.mkdir(parents=True, exist_ok=True)
        # A folder of its own for each run: a straggler of the last one may still write into its own.
        run = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
        try:
            report = PytestReport(run / "report.jsonl")
            done = await self._spawn(candidate, run, report, wish.progress)
            return self._judge(candidate, report, done)
        finally:
            shutil.rmtree(run, ignore_errors=True)

    async def _spawn(
        self, candidate: Candidate, run: Path, report: PytestReport, on_progress: Callable[[int, int], None]
    ) -> Completed:
        """Run pytest, and read the report as it grows."""
        # A copy of the plug-in beside the report: that is readable in every sandbox. A new one each time, as the tests
        # of an earlier run may have changed theirs or left compiled code for it.
        plugin = run / "plugin"
        plugin.mkdir()
        shutil.copyfile(_PLUGIN, plugin / _PLUGIN.name)
        env = {"PAIRLOOP_PYTEST_REPORT": str(run / "report.jsonl")}
        # After the project's own addopts these win: all tests run, whatever failed first. A cache that is empty
        # instead of none: plug-ins and options such as --ff keep working, and nothing is left out because of it.
        argv: tuple[str, ...] = (str(self.interpreter.python), "-c", _START, str(plugin), "-p", "pairloop_pytest")
        argv += ("-q", "--color=no", "--tb=no", "--maxfail=0", "--continue-on-collection-errors")
        argv += ("-o", f"cache_dir={run / 'cache'}")
        last = (-1, -1)

        def look() -> None:
            nonlocal last
            while report.read():
                pass
            if (report.done, report.total) != last and report.total:
                last = (report.done, report.total)
                on_progress(*last)

        async def watch() -> None:
            while True:
                await asyncio.sleep(_LOOK_EVERY)
                look()

        watcher = asyncio.create_task(watch())
        try:
            done = await run_tool(candidate, argv, timeout=self.timeout, env=env)
        finally:
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)
        look()
        return done

    def _judge(self, candidate: Candidate, report: PytestReport, done: Completed) -> CheckResult:
        outcome, summary = self._outcome(report, done)
        findings: tuple[Finding, ...] = ()
        if outcome == "failed":
            findings = report.findings
            if not findings:
                findings = (finding(self.name, summary, code="exit-status", detail=done.text[-2000:]),)
        return result(self.name, candidate, outcome, summary, findings=findings, total=report.ran, done=done)

    def _outcome(  # noqa: PLR0911 - one return an outcome
        self, report: PytestReport, done: Completed
    ) -> tuple[Outcome, str]:
        """What the exit status and the report say together; where they disagree it is never a pass."""
        during = f" while running {names}" if (names := report.running_names()) else ""
        passed = report.outcomes["passed"] + report.outcomes["xfailed"]
        if done.timed_out:
            return "timeout", f"not finished after {self.timeout:g} s{during}; {report.summary()} before"
        if not report.started and done.code in {_ABSENT, 127}:
            return "missing", self._how_to_install(done)
        if done.code in {3, 4}:
            return "error", f"pytest could not run the tests: {_reason(done)}"
        if not report.finished or done.code not in {0, 1, 2, 5}:
            return "error", f"pytest {ending(done.code)}{during} and did not finish: {_reason(done)}"
        if report.findings:
            return "failed", report.summary()
        if done.code == 2:
            return "error", f"pytest was interrupted: {_reason(done)}"
        if done.code == 1:
            return "failed", f"pytest failed though no test did: {_reason(done)}"
        if not report.done:
            return "no_tests", "no tests were collected"
        if not passed:
            return "no_tests", f"no test really ran: {report.summary()}"
        return "passed", report.summary()

    def _how_to_install(self, done: Completed) -> str:
        if done.code == 127:
            return f"{self.interpreter.python} cannot be started: {last_line(done)}"
        return (
            f"pytest is not installed in {self.interpreter.found}; install it with "
            f"`{self.interpreter.python} -m pip install pytest` or `uv pip install pytest`"
        )


def _reason(done: Completed) -> str:
    """The line in which pytest says what is wrong."""
    lines = [line.strip() for line in done.text.splitlines() if line.strip()]
    for line in reversed(lines):
        if found := _TELLING.match(line):
            return found.group(1).strip(" !")
    return last_line(done)
