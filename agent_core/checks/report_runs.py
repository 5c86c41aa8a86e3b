"""What cargo and ``go test -json`` tell while they go on: a line of JSON for each thing that happens."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

from agent_core.checks.reports import Report, ReportError, Said, number, pick, plain, severity

_MOST_DETAIL = 200


class CargoLines:
    """Reads ``cargo check`` and ``cargo test`` with ``--message-format=json``, and the test harness's own lines.

    See "External tools" in the Cargo book for the messages. Which crate's tests come next stands on standard error,
    so that has to be read along.
    """

    _CRATE = re.compile(r"\s*(?:Running .*[/\\(](?P<crate>[\w-]+)-[0-9a-f]{8,}\)|Doc-tests (?P<doc>\S+))")

    _TEST = re.compile(r"test (?P<name>\S.*?)(?: - should panic)? \.\.\. (?P<how>ok|FAILED|ignored)(?:[ ,<].*)?")
    _SECTION = re.compile(r"---- (?P<name>\S.*?) (?:stdout|stderr) ----")
    _PANIC = re.compile(r"thread .* panicked at (?:'(?P<said>.*)', )?(?P<path>[^:\s]+):(?P<line>\d+)")

    def __init__(self) -> None:
        self._report = Report()
        self._built: bool | None = None
        self._details: dict[str, list[str]] = defaultdict(list)
        self._failed: dict[str, None] = {}
        self._section: list[str] | None = None
        self._crate = "test"
        self._seen: set[Said] = set()

    @property
    def done(self) -> int:
        """Tests that have ended."""
        return self._report.total or 0

    def feed(self, line: str) -> None:
        """Look at one line of output."""
        line = plain(line).rstrip()
        if line.startswith('{"reason":'):
            self._message(line)
        elif found := self._TEST.fullmatch(line):
            self._report.total = (self._report.total or 0) + 1
            self._report.ran += found["how"] != "ignored"
            name = f"{self._crate}::{found['name']}"
            if found["how"] == "FAILED":
                self._failed[name] = None
            elif found["how"] == "ok":
                self._report.passed.append(name)
        elif found := self._SECTION.fullmatch(line):
            self._section = self._details[f"{self._crate}::{found['name']}"]
        elif found := self._CRATE.match(line):
            self._crate, self._section = found["crate"] or f"doc-tests {found['doc']}", None
        elif line in {"failures:", "successes:"} or line.startswith("test result:"):
            self._section = None
        elif line.startswith("running ") and line.endswith((" tests", " test")):
            self._report.total = self._report.total or 0
        elif self._section is not None and len(self._section) < _MOST_DETAIL:
            self._section.append(line)

    def _message(self, line: str) -> None:
        try:
            said = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ReportError("a message of cargo's is cut off") from error
        if said.get("reason") == "build-finished":
            self._built = bool(said.get("success"))
        if said.get("reason") != "compiler-message" or not isinstance(said.get("message"), dict):
            return
        message = said["message"]
        spans = [span for span in message.get("spans") or () if span.get("is_primary")]
        if not spans and str(message.get("message", "")).startswith(("aborting due to", "could not compile")):
            return
        path, line_number = (spans[0].get("file_name"), number(spans[0].get("line_start"))) if spans else (None, None)
        code, rendered = str(pick(message, "code.code") or ""), plain(str(message.get("rendered") or ""))
        one = Said(str(message.get("message")), path, line_number, code, _rust_level(message.get("level")), rendered)
        # The library is compiled as itself and for its tests, and complains each time.
        if one not in self._seen:
            self._seen.add(one)
            self._report.add(one)

    def finish(self) -> Report:
        """All that was said.

        Raises:
            ReportError: Cargo did not say how its build ended.
        """
        if self._built is None:
            raise ReportError("cargo did not come to its build")
        for name in self._failed:
            lines = [line for line in self._details.get(name, []) if line.strip()]
            panic = next((found for line in lines if (found := self._PANIC.match(line))), None)
            message = (panic["said"] if panic else "") or next(
                (line for line in lines if not self._PANIC.match(line)), "failed"
            )
            path, line = (panic["path"], number(panic["line"])) if panic else (None, None)
            self._report.add(Said(message, path, line, name, "error", "\n".join(lines)))
        return self._report


def _rust_level(level: object) -> str:
    return "error" if str(level).startswith("error") else severity(level)


class GoTestLines:
    """Reads ``go test -json``; see ``go doc test2json`` for its events.

    Args:
        module: The module's own path, which packages begin with; empty when not known.
    """

    _PLACE = re.compile(r"\s*(?P<file>[\w./-]+\.go):(?P<line>\d+)(?::\d+)?: ?(?P<said>.*)")

    def __init__(self, module: str) -> None:
        self._module = module
        self._report = Report(total=0)
        self._output: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._failed: dict[tuple[str, str], None] = {}
        self._events = 0
        self._noise = ""

    @property
    def done(self) -> int:
        """Tests that have ended."""
        return self._report.total or 0

    def feed(self, line: str) -> None:
        """Look at one line of output."""
        if not line.startswith("{"):
            self._noise = self._noise or line.strip()
            return
        try:
            event: dict[str, Any] = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ReportError("an event of go's is cut off") from error
        self._events += 1
        package = str(event.get("Package") or str(event.get("ImportPath") or "").partition(" ")[0])
        key, action = (package, str(event.get("Test") or "")), event.get("Action")
        if action in {"output", "build-output"}:
            lines = self._output[key]
            if len(lines) < _MOST_DETAIL:
                lines.append(plain(str(event.get("Output") or "")).rstrip("\n"))
        elif action == "fail":
            self._failed[key] = None
        if key[1] and action in {"pass", "fail", "skip"}:
            self._report.total = (self._report.total or 0) + 1
            self._report.ran += action != "skip"
            if action == "pass":
                self._report.passed.append(f"{package}::{key[1]}")

    def finish(self) -> Report:
        """All that was said.

        Raises:
            ReportError: There was not one event.
        """
        if not self._events:
            raise ReportError(f"go printed no event of a test: {self._noise}" if self._noise else "go printed nothing")
        for package, test in self._failed:
            inner = f"{test}/" if test else ""
            # A test fails with its sub-tests, a package with its tests: those say why.
            if not any(other != test and other.startswith(inner) for where, other in self._failed if where == package):
                self._add(package, test)
        return self._report

    def _add(self, package: str, test: str) -> None:
        lines = self._output[package, test]
        place = next((found for line in lines if (found := self._PLACE.match(line))), None)
        folder = package.removeprefix(self._module).strip("/") if self._module else ""
        path = None
        if place is not None:
            name = place["file"].removeprefix("./")
            path = name if "/" in name or not folder else f"{folder}/{name}"
        said = [line for line in lines if line.strip() and not line.strip().startswith(("=== ", "--- ", "FAIL", "# "))]
        message = (place["said"] if place else "") or (said[0].strip() if said else "failed")
        line = number(place["line"]) if place else None
        code = "::".join(part for part in (package, test) if part)
        self._report.add(Said(message, path, line, code, "error", "\n".join(lines)))
