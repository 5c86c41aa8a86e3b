"""What the debugger saw, for the partner."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from agent_core.checks.pytest_report import PytestReport
from agent_core.checks.tool import ending, last_line
from agent_core.process import Completed
from agent_core.text import cap_text, estimate_tokens, printable
from agent_core.tools.base import ToolOutput

_TOKENS = 4000
# The end of the test with its evidence; the rest is for what was seen on the way.
_END_TOKENS = 1500
_LONG = 400


class Breakpoint(msgspec.Struct, frozen=True):
    """A line to stop at.

    Attributes:
        path: Its file.
        line: As it was asked for.
        condition: When to stop there; None for always.
    """

    path: str
    line: int
    condition: str | None = None


class DebugReport:
    """What `pairloop_pytest.debug` wrote; what tests may have written there, too, is passed over.

    Args:
        points: The breakpoints, in the order they were given.
        data: The report.

    Attributes:
        tests: Ids of the tests that there are in the file.
    """

    def __init__(self, points: Sequence[Breakpoint], data: bytes) -> None:
        self.points = points
        self.tests: tuple[str, ...] = ()
        self._places: dict[int, dict[str, Any]] = {}
        self._hits: dict[int, list[str]] = {}
        self._counts: list[list[Any]] = []
        self.failure = ""
        self.stuck = ""
        self.lost = False
        for line in data.splitlines():
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError, IndexError):
                continue

    def _take(self, record: dict[str, Any]) -> None:
        match record["e"]:
            case "point":
                self._places[int(record["n"])] = record
            case "tests":
                self.tests = tuple(printable(str(name)) for name in record["ids"])
            case "hit":
                self._hits.setdefault(int(record["n"]), []).append(_hit(record))
            case "failure":
                rows = [f"    {_row(text, value)}  (in {_short(where)})" for text, value, where in record["values"]]
                self.failure = "\n".join(["Where it fails:", *rows])
            case "stuck":
                doing = f" while evaluating {_short(record['doing'])}" if record["doing"] else ""
                self.stuck = "\n".join([f"It hangs{doing}, here:", *_frame(record, first=True)])
            case "counts":
                self._counts = list(record["of"])
            case "lost":
                self.lost = True

    def parts(self) -> list[str]:
        """What was seen, breakpoint by breakpoint."""
        return [self._point(number, point) for number, point in enumerate(self.points)]

    def reached(self) -> int:
        """How many of the breakpoints were hit."""
        return sum(1 for number in range(len(self.points)) if self._hits.get(number))

    def _point(self, number: int, point: Breakpoint) -> str:
        place = self._places.get(number)
        asked = f"{point.path}:{point.line}"
        if place is None:
            return f"{asked}: not known, the run did not begin"
        if place["error"]:
            return f"{asked}: no breakpoint is possible: {_short(place['error'])}"
        head = asked
        if place["line"] != point.line:
            head = f"{point.path}:{int(place['line'])} (for line {point.line}: {_short(place['moved'])})"
        if point.condition is not None:
            head += f" if {_short(point.condition)}"
        hits = self._hits.get(number, [])
        reached, count, error, before, after = self._count(number, len(hits))
        if error:
            head += f"; the condition {_short(error)}"
        if not reached:
            return f"{head}: never reached. {self._near(place, before, after)}"
        if not hits:
            never = "the condition could not be evaluated" if error else "the condition was never true"
            return f"{head}: reached {_times(reached)}, and {'nothing could be told of it' if count else never}"
        of = f", reached {_times(reached)}" if point.condition is not None else ""
        told = f"{head}: hit {_times(count)}{of}"
        if count > len(hits):
            told += f", {len(hits)} of them shown; a condition chooses others"
        return "\n".join([f"{told}.", *hits])

    def _count(self, number: int, hits: int) -> tuple[int, int, str, int, int]:
        if number >= len(self._counts):
            return hits, hits, "", 0, 0
        reached, count, error, before, after = self._counts[number]
        return int(reached), int(count), str(error), int(before), int(after)

    def _near(self, place: dict[str, Any], before: int, after: int) -> str:
        """What did run of the function that a line is in."""
        function = _short(place["function"])
        if not before and not after:
            return "Its module was not run." if function == "<module>" else f"{function} was not called."
        lines = [f"line {line}" for line in (before, after) if line]
        return f"In {function} the nearest lines that ran: {' and '.join(lines)}."


def report_of(test: str, tests: PytestReport, seen: DebugReport, done: Completed) -> ToolOutput:
    """Everything in the order that tells most: how it ended, what was seen at the lines, the evidence of the failure.

    Args:
        test: The test.
        tests: What pytest told.
        seen: What the debugger told.
        done: How the process ended.
    """
    how = _how(tests, seen, done)
    head = f"{test} {how}."
    details = [finding.detail for finding in tests.findings[:1] if finding.detail]
    end = [cap_text(part, _END_TOKENS) for part in (seen.stuck, seen.failure, *details) if part]
    left = _TOKENS - sum(estimate_tokens(part) for part in (head, *end))
    parts = [head]
    if seen.lost:
        parts.append("Something in the test took over tracing: not every stop at a breakpoint was seen.")
    points = seen.parts()
    for number, part in enumerate(points):
        # Each may take an equal share of what is left.
        shown = cap_text(part, max(left // (len(points) - number), 60))
        left -= estimate_tokens(shown)
        parts.append(shown)
    summary = how if not points else f"{how}; {seen.reached()} of {len(points)} breakpoints hit"
    return ToolOutput(cap_text("\n\n".join([*parts, *end]), _TOKENS), summary.split("\n")[0], ok=tests.finished)


def _how(tests: PytestReport, seen: DebugReport, done: Completed) -> str:
    """How it ended, in a few words."""
    if seen.stuck or done.timed_out:
        return f"did not end within {done.seconds:.0f} s and was stopped"
    if tests.findings:
        first = tests.findings[0]
        more = f" (and {len(tests.findings) - 1} more)" if len(tests.findings) > 1 else ""
        what = "fails" if tests.done else "cannot be collected"
        return f"{what}: {first.message}{f' at {first.place}' if first.place else ''}{more}"
    if not tests.finished or tests.internal:
        return f"did not end: pytest {ending(done.code)}: {tests.internal or last_line(done)}"
    if not tests.done:
        return f"was not run: {last_line(done)}"
    outcomes = tests.outcomes
    if outcomes["passed"] == tests.done:
        return "passes" if tests.done == 1 else f"passes ({tests.done} tests)"
    return f"ends with {tests.summary()}"


def _hit(record: dict[str, Any]) -> str:
    thread = f", thread {_short(record['thread'])}" if record["thread"] else ""
    early = "" if record["test"] else ", before the test began"
    return "\n".join([f"  hit {int(record['count'])}{thread}{early}:", *_frame(record, first=False)])


def _frame(record: dict[str, Any], *, first: bool) -> list[str]:
    """Values, then who called whom.

    Args:
        record: Of the frame.
        first: Whether the frame itself is to be named too.
    """
    stack = [_short(place) for place in record["stack"]]
    rows = [f"    {stack[0]}"] if first and stack else []
    rows += [f"      {_row(name, value)}" for name, value in (*record.get("values", ()), *record["locals"])]
    if not record.get("values") and not record["locals"]:
        rows.append("      (no local variables)")
    if len(stack) > 1:
        rows.append(f"      called from {' < '.join(stack[1:])}")
    return rows


def _row(name: Any, value: Any) -> str:
    return f"{_short(name)} = {_short(value)}"


def _short(text: Any) -> str:
    line = " ".join(printable(str(text)).split("\n"))
    return line if len(line) <= _LONG else f"{line[: _LONG - 1]}…"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
