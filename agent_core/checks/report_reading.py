"""Reading what a command said: the lines as they come, or the whole report at the end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from agent_core.checks.report_json import read_json, read_json_lines
from agent_core.checks.report_junit import read_junit
from agent_core.checks.report_runs import CargoLines, GoTestLines
from agent_core.checks.report_sarif import read_sarif
from agent_core.checks.reports import GccLines, Report, ReportError, by_pattern
from agent_core.checks.settings import CommandConfig, Parse
from agent_core.checks.tool import Sources
from agent_core.protocols import Candidate
from agent_core.small_files import NotRegularError, open_regular

_T = TypeVar("_T")

_MOST_REPORT = 64_000_000
_LINE_BY_LINE: frozenset[Parse] = frozenset({"gcc", "cargo", "go-test"})


class Lines(Protocol):
    """Reads a tool's output while it comes."""

    def feed(self, line: str) -> None:
        """Look at one line; raises `ReportError` when it is none of a report."""

    def finish(self) -> Report:
        """All that was said; raises `ReportError` when that is not whole."""


class Stream:
    """Hands lines on, and keeps the first trouble for later: they come from the event loop, which must not hear it."""

    def __init__(self, lines: Lines, progress: Callable[[int, int], None]) -> None:
        self._lines = lines
        self._progress = progress
        self._trouble: ReportError | None = None

    def feed(self, line: str) -> None:
        """Look at one line."""
        if self._trouble is None:
            try:
                _guarded(lambda: self._lines.feed(line))
            except ReportError as error:
                self._trouble = error
            if done := getattr(self._lines, "done", 0):
                self._progress(done, 0)

    def finish(self) -> Report:
        """All that was said, or the trouble."""
        if self._trouble is not None:
            raise self._trouble
        return _guarded(self._lines.finish)


def stream_of(parse: Parse, candidate: Candidate, progress: Callable[[int, int], None]) -> Stream | None:
    """What takes the lines of a tool that is read line by line; None for one that is not.

    Args:
        parse: How it is read.
        candidate: Whose files it is about.
        progress: Told how many tests have ended.
    """
    if parse not in _LINE_BY_LINE:
        return None
    if parse == "cargo":
        return Stream(CargoLines(), progress)
    if parse == "go-test":
        module = re.search(rb"^module\s+(\S+)", candidate.read("go.mod") or b"", re.MULTILINE)
        return Stream(GoTestLines(module[1].decode("utf-8", "replace").strip('"') if module else ""), progress)
    sources = Sources(candidate)
    return Stream(GccLines(lambda name: sources.relative(name) in candidate.snapshot.files), progress)


async def read_whole(command: CommandConfig, stream: Stream | None, data: bytes) -> Report:
    """Read a report that is there as a whole.

    Args:
        command: How it is read.
        stream: What takes its lines, where it is read by lines.
        data: The report.

    Raises:
        ReportError: It is none.
    """
    text = data.decode("utf-8", "replace")
    if stream is not None:
        for line in text.splitlines():
            stream.feed(line)
        return stream.finish()
    if command.parse == "regex":
        return await by_pattern(text, command.pattern)
    readers: dict[Parse | None, Callable[[], Report]] = {
        "junit": lambda: read_junit(data),
        "sarif": lambda: read_sarif(text),
        "json": lambda: read_json(text, command.keys),
        "json-lines": lambda: read_json_lines(text, command.keys),
    }
    return await asyncio.to_thread(_guarded, readers.get(command.parse, Report))


def written(file: Path, name: str) -> bytes:
    """What a command wrote as its report.

    Raises:
        ReportError: It wrote none, or something else than a file of some size.
    """
    try:
        # Commands are foreign code: a link of theirs is not followed, and at a pipe is not waited.
        report = open_regular(file)
    except NotRegularError as error:
        raise ReportError(f"{name} is not a file") from error
    except OSError as error:
        raise ReportError(f"it did not write {name}") from error
    with report:
        data = report.read(_MOST_REPORT + 1)
    if len(data) > _MOST_REPORT:
        raise ReportError(f"{name} is larger than {_MOST_REPORT // 10**6} MB")
    return data


def _guarded(read: Callable[[], _T]) -> _T:
    """Read a report; one that is built otherwise than its format says is no report."""
    try:
        return read()
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError) as error:
        raise ReportError(f"it is built otherwise than such a report is ({type(error).__name__}: {error})") from error
