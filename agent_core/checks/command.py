"""Commands of the project's own as judges: run in the candidate, their findings read, their troubles told."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shlex
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from agent_core.checks.globs import matching
from agent_core.checks.model import CheckResult, Finding, Outcome, Wish
from agent_core.checks.report_reading import read_whole, stream_of, written
from agent_core.checks.reports import Report, ReportError, Said, plain
from agent_core.checks.settings import CommandConfig
from agent_core.checks.tool import Sources, changed_files, ending, finding, last_line, result, run_tool
from agent_core.process import Completed
from agent_core.protocols import Candidate

FILES = "{files}"
_LONGEST_COMMAND = 100_000
# What is kept of a stream by `agent_core.process.run`.
_MOST_OUTPUT = 4_000_000
_TAIL = 4000

# A report left by an earlier run in the human's own tree is never taken for this run's; what is written in the tree is
# gone afterwards, so it is brought out. Findings that stand on two streams are read as one, in their order.
_WRAP = """
report=$1 out=$2 together=$3
shift 3
[ -z "$report" ] || rm -f -- "$report"
if [ -n "$together" ]; then "$@" 2>&1; else "$@"; fi
code=$?
[ -z "$report" ] || [ ! -f "$report" ] || cat -- "$report" >"$out"
exit "$code"
"""
# What tools that start other tools say when there is nothing to start.
_ABSENT = re.compile(rb"^make(\[\d+\])?: \*\*\* \[.*\] Error 127\r?$", re.MULTILINE)
_NO_TARGET = re.compile(
    rb"^(make(\[\d+\])?: \*\*\* No rule to make target .*|npm (?:error|ERR!) Missing script: .*"
    rb"|error: Justfile does not contain recipe .*)$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class CommandCheck:
    """Runs a command and reads what it says.

    Attributes:
        name: Short name.
        command: What is run when, and how it is read.
        timeout: Seconds it may take.
        env: Variables added to its environment; ``{cache}`` in a value is a folder that outlives the run.
        hint: How to get the tool where it is missing.
        wanted: Whether a changed file matches; None: as the candidate's own changes say.
        files: What ``{files}`` stands for; None likewise.
    """

    name: str
    command: CommandConfig
    timeout: float = 600.0
    env: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    wanted: bool | None = None
    files: tuple[str, ...] | None = None

    def bound(self, candidate: Candidate, paths: Sequence[str]) -> CommandCheck:
        """The same check as for these changed paths; itself where changes do not matter to it."""
        if not self.command.when and not self._takes_files:
            return self
        chosen = matching(self.command.when, paths) if self.command.when else tuple(paths)
        files = changed_files(candidate, chosen, ("",)) if self._takes_files else None
        return replace(self, wanted=bool(chosen), files=files)

    async def run(self, candidate: Candidate, wish: Wish) -> CheckResult:
        """Judge a candidate; see `agent_core.protocols.Check`."""
        if self.wanted is None:
            changed = candidate.changed if wish.changed is None else wish.changed
            # Where nothing is changed, and nobody says what is, all of the tree is looked at.
            everything = wish.changed is None and not changed
            bound = self.bound(candidate, sorted(candidate.snapshot.files) if everything else changed)
            if bound is not self:
                return await bound.run(candidate, wish)
        if self.wanted is False:
            return result(self.name, candidate, "skipped", f"no changed file matches {', '.join(self.command.when)}")
        if self._takes_files and not self.files:
            return result(self.name, candidate, "skipped", "no changed file is there")
        argv = self._argv()
        if sum(len(part) for part in argv) > _LONGEST_COMMAND:
            return result(self.name, candidate, "error", f"{len(self.files or ())} files are too many for one command")
        wish.progress(0, 0)
        with _folder(candidate, self.name) as folder:
            try:
                report, done = await self._spawn(candidate, wish, argv, folder)
            except OSError as error:
                return result(self.name, candidate, "error", f"its report cannot be had: {error}")
        return self._judged(candidate, report, done)

    @property
    def _takes_files(self) -> bool:
        run = self.command.run
        return FILES in run

    def _argv(self) -> tuple[str, ...]:
        files = tuple(f"./{path}" if path.startswith("-") else path for path in self.files or ())
        run = self.command.run
        if isinstance(run, str):
            return ("/bin/sh", "-c", run.replace(FILES, shlex.join(files)) if files else run)
        return tuple(part for item in run for part in (files if item == FILES else (item,)))

    async def _spawn(
        self, candidate: Candidate, wish: Wish, argv: tuple[str, ...], folder: Path
    ) -> tuple[Report | ReportError, Completed]:
        parse, report, out = self.command.parse or "none", self.command.report, folder / "report"
        together = "1" if parse in {"gcc", "regex", "cargo"} and not report else ""
        if report or together:
            argv = ("/bin/sh", "-c", _WRAP, "sh", report, str(out), together, *argv)
        stream = stream_of(parse, candidate, wish.progress)
        listener = stream.feed if stream is not None and not report else None
        env = {"NO_COLOR": "1", **{key: value.replace("{cache}", str(candidate.cache)) for key, value in self.env}}
        done = await run_tool(candidate, argv, timeout=self.timeout, env=env, on_line=listener)
        try:
            if stream is not None and not report:
                return stream.finish(), done
            if report:
                data = await asyncio.to_thread(written, out, report)
            elif parse == "none" or len(done.stdout) < _MOST_OUTPUT:
                data = done.stdout
            else:
                most = f"{_MOST_OUTPUT // 10**6} MB"
                raise ReportError(f"it printed more than {most}; let it write a file, and name that with `report`")
            return await read_whole(self.command, stream, data), done
        except ReportError as error:
            return error, done

    def _judged(self, candidate: Candidate, report: Report | ReportError, done: Completed) -> CheckResult:
        code = _status(done)
        if (trouble := self._trouble(report, done, code)) is not None:
            return result(self.name, candidate, *trouble, done=done)
        assert isinstance(report, Report)
        fine = code in self.command.ok_codes
        errors = [one for one in report.said if self._counts(one, fine=fine)]
        found = _Findings(self.name, candidate, dotted=self.command.parse == "junit")
        total, passed = report.total or 0, tuple(map(found.identity, report.passed))
        if report.total is not None and not report.ran and not errors:
            why = f"all tests are skipped ({total})" if total else "not one test was found"
            why += "" if fine else f", and it {ending(code)}: {last_line(done)}"
            return result(self.name, candidate, "no_tests", why, done=done)
        warnings = sum(one.severity == "warning" for one in report.said) if not self.command.warnings else 0
        also = f", {warnings} warning{'s' * (warnings > 1)}" if warnings else ""
        if errors:
            findings = [found.make(one) for one in errors]
            summary = _summary(findings, report)
            return _tested(
                result(self.name, candidate, "failed", summary, findings=findings, total=total, done=done), passed
            )
        if fine:
            summary = (
                f"{report.ran} test{'s' * (report.ran != 1)} passed" if report.total else "exit status " + str(code)
            )
            summary = summary if report.total or self.command.parse in {None, "none"} else "nothing found"
            return _tested(result(self.name, candidate, "passed", summary + also, total=total, done=done), passed)
        summary = ending(code).removeprefix("ended with ") + also
        tail = plain(done.text)[-_TAIL:].strip()
        findings = [finding(self.name, summary, detail=tail)]
        return _tested(
            result(self.name, candidate, "failed", summary, findings=findings, total=total, done=done), passed
        )

    def _counts(self, one: Said, *, fine: bool) -> bool:
        """Whether a finding is one to mend, rather than a remark."""
        if one.severity == "warning":
            return self.command.warnings
        # Where a tool is content, a line that merely looks like a finding and claims nothing is none.
        return one.severity == "error" or (not one.severity and not (fine and self.command.parse == "gcc"))

    def _trouble(self, report: Report | ReportError, done: Completed, code: int) -> tuple[Outcome, str] | None:
        """Why this run is no judgement, None when it is one."""
        if done.timed_out:
            return "timeout", f"not finished after {self.timeout:g} s"
        if code < 0 or done.killed:
            return "error", f"it was {done.killed}" if done.killed else f"it {ending(code)}"
        printed = b"" if code in self.command.ok_codes else done.stdout + b"\n" + done.stderr
        if code in {126, 127} or _ABSENT.search(printed):
            hint = self.hint or "Install what it needs"
            return (
                "missing",
                f"it cannot be run: {last_line(done)}. {hint}, or set on = false under [checks.{self.name}].",
            )
        if absent := _NO_TARGET.search(printed):
            return "error", absent[0].decode("utf-8", "replace")
        if isinstance(report, ReportError):
            return "error", f"it {ending(code)} and its report cannot be used: {report}; {last_line(done)}"
        return None


class _Findings:
    """Makes findings of what a tool said, with the project's own names for files and tests.

    Args:
        check: The check's name.
        candidate: Whose files they are about.
        dotted: Tests are named by their module, with dots.
    """

    def __init__(self, check: str, candidate: Candidate, *, dotted: bool) -> None:
        self._check = check
        self._dotted = dotted
        self._files = candidate.snapshot.files
        self._sources = Sources(candidate)

    def make(self, one: Said) -> Finding:
        """A finding."""
        code = self.identity(one.code)
        path = self._sources.relative(one.path) if one.path else None
        file = code.partition("::")[0]
        path = file if path is None and file in self._files else path
        line = one.line
        if line is None and path and (place := re.search(rf"(?<![\w.-]){re.escape(path)}:(\d{{1,7}})\b", one.detail)):
            # Test runners name the file, and the line in what they print.
            line = int(place[1])
        return finding(
            self._check,
            plain(one.message),
            path=path,
            line=line,
            code=code,
            text=self._sources.line(path, line),
            detail=plain(one.detail),
            near=self._sources.near(path, line),
        )

    def identity(self, code: str) -> str:
        """The id of a test that begins with its file, where a file of the project is meant; else the code as it is."""
        first, separator, rest = code.partition("::")
        first = self._sources.relative(first)
        if not separator or first in self._files or not self._dotted:
            return first + separator + rest
        # pytest, unittest and others name the module with dots, and the class behind it.
        parts = first.split(".")
        for length in range(len(parts), 0, -1):
            path = "/".join(parts[:length]) + ".py"
            if path in self._files:
                return "::".join([path, *parts[length:], rest])
        return code


def _status(done: Completed) -> int:
    """The exit status, negative for a signal, also where a shell stood between."""
    number = done.code - 128
    return -number if number in {int(member) for member in signal.Signals} else done.code


def _tested(judged: CheckResult, passed: tuple[str, ...]) -> CheckResult:
    return msgspec.structs.replace(judged, passed=passed) if passed else judged


def _summary(findings: Sequence[Finding], report: Report) -> str:
    if report.total:
        return f"{len(findings)} failed, {len(report.passed)} passed"
    files = len({one.path for one in findings if one.path is not None})
    return f"{len(findings)} found" + (f" in {files} file{'s' * (files > 1)}" if files else "")


@contextlib.contextmanager
def _folder(candidate: Candidate, name: str) -> Iterator[Path]:
    """A folder for one run's report, which the command can write to."""
    parent = candidate.cache / f"command-{name}"
    # Commands may write to the cache, and put a link there that leads elsewhere.
    if parent.is_symlink() or (parent.exists() and not parent.is_dir()):
        parent.unlink()
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
