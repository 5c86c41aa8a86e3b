"""What tools print line by line: as findings. Documents are read in `report_json` and its like."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from agent_core.process import run

MOST = 20_000
"""More findings than this are no report but an accident."""

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-~])")
_ERRORS = frozenset({"error", "fatal", "fatal error", "critical", "high", "blocker", "major", "failure", "failed", "2"})
_WARNINGS = frozenset({"warning", "warn", "medium", "moderate", "minor", "low", "style", "refactor", "convention", "1"})


class ReportError(Exception):
    """What was printed is no report: it is garbage, or its end is missing. Says what is wrong with it."""


class Said(msgspec.Struct, frozen=True):
    """One thing a tool said, in its own words.

    Attributes:
        message: What is wrong.
        path: The file, as the tool names it; None when it names none.
        line: Line, counted from 1.
        code: Rule, or the id of a test.
        severity: ``error``, ``warning``, ``note``; empty where the tool does not say.
        detail: More about it.
    """

    message: str
    path: str | None = None
    line: int | None = None
    code: str = ""
    severity: str = ""
    detail: str = ""


class Report(msgspec.Struct):
    """What one run of a tool said.

    Attributes:
        said: The findings, warnings and notes included.
        total: Tests that were there; None where it is no run of tests.
        ran: Of them, those that were not skipped.
        passed: Ids of the tests that passed.
    """

    said: list[Said] = []
    total: int | None = None
    ran: int = 0
    passed: list[str] = []

    def add(self, one: Said) -> None:
        """Take one more.

        Raises:
            ReportError: There are too many.
        """
        if len(self.said) >= MOST:
            raise ReportError(f"more than {MOST} findings")
        self.said.append(one)


def plain(text: str) -> str:
    """A text without the escape sequences that colour it."""
    return _ANSI.sub("", text) if "\x1b" in text else text


def severity(word: object) -> str:
    """A tool's word (or number) for how bad something is, as ``error``, ``warning``, ``note``, or empty for none."""
    if isinstance(word, bool) or not isinstance(word, str | int) or word == "":
        return ""
    text = str(word).lower()
    return "error" if text in _ERRORS else "warning" if text in _WARNINGS else "note"


def number(value: object) -> int | None:
    """A line number out of what stands in its place; None for what is none."""
    if isinstance(value, str) and len(value) < 10 and value.isascii() and value.isdecimal():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**9 else None


_WORDS = "(?:fatal )?error|warning|warn|note|info|help|style|refactor|convention"
_BEHIND = rf"(?:(?P<severity>{_WORDS})\b[ \t]*(?P<before>[A-Za-z]{{0,12}}\d{{1,6}})?:[ \t]*)"
# path:line[:column]: [severity:] message [code], and tsc's "path:line:column - error TS1: message".
_GCC = re.compile(
    r"(?P<path>[^\s:][^:\n]{0,400}):(?P<line>\d{1,9})(?::-?\d{1,9}){0,3}(?::| -)[ \t]*"
    + _BEHIND
    + r"?(?P<message>\S.*)"
)
# path(line[,column]): severity CODE: message, as of tsc and MSVC.
_MSVC = re.compile(
    r"(?P<path>\S[^\n]{0,400}?)\((?P<line>\d{1,9})(?:,\d{1,9}){0,3}\)[ \t]?:[ \t]*" + _BEHIND + r"(?P<message>\S.*)"
)
_CODE = re.compile(r"-?[A-Za-z][\w=+./:@-]{1,60}")
_CODE_BEFORE = re.compile(r"(?P<code>[A-Z]{1,6}\d{2,6}):?[ \t]+(?=\S)")
_LONGEST = 8000
PATTERN_SECONDS = 20.0
"""How long a pattern may look for its matches."""


class GccLines:
    """Reads ``path:line[:column]: [severity:] message [code]`` out of what a tool prints, and tsc's like.

    A line that names no severity counts only when it names a file of the project: times of day have colons too.

    Args:
        known: Whether a file, as the tool names it, is one of the project.
    """

    def __init__(self, known: Callable[[str], bool]) -> None:
        self._known = known
        self._report = Report()

    def feed(self, line: str) -> None:
        """Look at one line of output."""
        line = plain(line[:_LONGEST]).rstrip()
        found = _GCC.match(line) or _MSVC.match(line)
        if found is None or not (found["severity"] or self._known(found["path"])):
            return
        message, code = _parted(found["message"])
        code = found["before"] or code
        self._report.add(Said(message, found["path"], number(found["line"]), code, severity(found["severity"])))

    def finish(self) -> Report:
        """All that was said."""
        return self._report


def _parted(message: str) -> tuple[str, str]:
    """A message without its code, and that: ``[code]`` or ``(some-code)`` at the end, ``E501`` at the beginning."""
    if before := _CODE_BEFORE.match(message):
        return message[before.end() :], before["code"]
    if message.endswith(("]", ")")):
        opening = message.rfind("[" if message[-1] == "]" else "(")
        code = message[opening + 1 : -1]
        if opening > 0 and _CODE.fullmatch(code) and (message[-1] == "]" or "-" in code):
            return message[:opening].rstrip(), code
    return message, ""


# Runs apart, with a time limit: a pattern may come with a project, and some never come to an end.
_MATCH = r"""
import json, re, sys
asked = json.load(sys.stdin)
names = ("path", "line", "code", "message", "severity")
for match in re.finditer(asked["pattern"], asked["text"], re.MULTILINE):
    groups = match.groupdict()
    sys.stdout.write(json.dumps([groups.get(name) for name in names]) + "\n")
"""


async def by_pattern(text: str, pattern: str) -> Report:
    """What a regular expression finds in a tool's output, ``^`` and ``$`` matching at every line.

    Args:
        text: The output.
        pattern: With groups named path, line, code, message, severity.

    Raises:
        ReportError: It takes too long, or finds too much.
    """
    asked = msgspec.json.encode({"pattern": pattern, "text": plain(text).replace("\r\n", "\n")})
    argv = (sys.executable, "-I", "-S", "-c", _MATCH)
    done = await run(argv, cwd=Path("/"), timeout=PATTERN_SECONDS, stdin=asked, cap=40_000_000)
    if done.timed_out:
        raise ReportError(f"the pattern is not done with the output after {PATTERN_SECONDS:g} s")
    if done.code:
        raise ReportError(f"the pattern cannot be used: {done.stderr.decode('utf-8', 'replace').strip()[-200:]}")
    report = Report()
    for row in done.stdout.splitlines():
        try:
            path, line, code, message, word = msgspec.json.decode(row, type=list[str | None])
        except (ValueError, msgspec.DecodeError) as error:
            raise ReportError("the pattern finds far too much") from error
        report.add(Said(message or "", path or None, number(line), code or "", severity(word)))
    return report


def pick(value: Any, dotted: str) -> Any:
    """What a dotted key (``location.row``) leads to in nested objects, None when to nothing."""
    for key in dotted.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def first_line(text: str) -> str:
    """The first line with anything on it, empty when there is none."""
    return next((line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()), "")
