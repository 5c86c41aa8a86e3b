"""Reads what the pytest plug-in writes: as it grows for progress, and in the end as findings."""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from pathlib import Path
from typing import Any

from agent_core.checks.model import Finding
from agent_core.checks.tool import finding, one_line

_MAX_FINDINGS = 5000
_MAX_READ = 4_000_000
_MAX_REPORT = 400_000_000


class PytestReport:
    """What is known of a test run so far.

    Attributes:
        started: pytest began, with our plug-in in it.
        finished: Its session came to an end.
        total: Tests collected.
        running: Node ids of the tests that have begun and not ended.
        outcomes: How many tests ended how: ``passed``, ``failed``, ``skipped``, ``xfailed``.
        uncollected: How many files could not be collected.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._rest = b""
        self.started = False
        self.finished = False
        self.total = 0
        self.running: dict[str, None] = {}
        self.outcomes: Counter[str] = Counter()
        self.uncollected = 0
        self._findings: dict[str, Finding] = {}

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

    def read(self) -> bool:
        """Take in what was written since the last time.

        Returns:
            Whether there may be more to read at once.
        """
        try:
            # The tests could put something else in its place: a pipe to wait at for ever, a link to another file.
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return False
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return False
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
                self._take(record)
            except (ValueError, KeyError, TypeError, AttributeError, IndexError):
                continue
        return len(data) == _MAX_READ and self._offset < _MAX_REPORT

    def _take(self, record: dict[str, Any]) -> None:
        match record["e"]:
            case "start":
                self.started = True
            case "collected":
                self.total = max(self.total, int(record["n"]))
            case "run":
                self.running[str(record["id"])] = None
            case "end":
                self.running.pop(str(record["id"]), None)
                self.outcomes[str(record["outcome"] or "unknown")] += 1
            case "failed":
                self._add(str(record["id"]), _failure(record, phase=str(record["phase"])))
            case "collect_error":
                self.uncollected += 1
                self._add(str(record["id"]), _failure(record, phase="collect"))
            case "finish":
                self.finished = True

    def _add(self, key: str, new: Finding) -> None:
        """One finding a test: a failing teardown after a failing test goes into its detail."""
        old = self._findings.get(key)
        if old is not None:
            new = finding(
                "pytest",
                old.message,
                path=old.path,
                line=old.line,
                code=old.code,
                text=old.text,
                detail=f"{old.detail}\n\nand then {new.message}\n{new.detail}",
            )
        elif len(self._findings) >= _MAX_FINDINGS:
            return
        self._findings[key] = new

    def summary(self) -> str:
        """Such as ``2 failed, 15 passed, 1 skipped``."""
        parts = [
            f"{self.outcomes[kind]} {kind}"
            for kind in ("failed", "passed", "skipped", "xfailed")
            if self.outcomes[kind]
        ]
        if self.uncollected:
            files = "file" if self.uncollected == 1 else "files"
            parts.insert(0, f"{self.uncollected} {files} cannot be collected")
        return ", ".join(parts) or "nothing ran"

    def running_names(self) -> str:
        """The tests under way, for a human; empty when there are none."""
        names = list(self.running)
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        return ", ".join(names[:3]) + more


def _failure(record: dict[str, Any], phase: str) -> Finding:
    """A finding of a record: placed at the innermost frame of the project's own code."""
    chain = record["chain"]
    path, line, text = record["path"] or None, record["line"], ""
    frames: list[dict[str, Any]] = next((link["frames"] for link in chain if link["frames"]), [])
    if frames:
        path, line, text = frames[-1]["path"], frames[-1]["line"], frames[-1]["source"]
    if chain:
        first = chain[0]["message"].strip().split("\n")[0] or text
        message = f"{chain[0]['type']}: {first}" if first else chain[0]["type"]
    else:
        told = [row for row in record["told"].splitlines() if row.strip()]
        message = told[-1] if told else "failed without saying why"
    if phase in {"setup", "teardown"}:
        message = f"{message} (in {phase})"
    return finding(
        "pytest",
        one_line(message),
        path=path,
        line=line,
        code=record["id"],
        text=text,
        detail=_detail(record, chain),
    )


def _detail(record: dict[str, Any], chain: list[dict[str, Any]]) -> str:
    """Frames with their variables, the whole message, captured output."""
    parts = []
    for number, link in enumerate(chain):
        if number:
            parts.append("which came from:")
        for frame in link["frames"]:
            place = f"{frame['path']}:{frame['line']}"
            parts.append(f"{place} in {frame['function']}" if frame["function"] else place)
            parts.append(f"    {frame['source']}")
            parts.extend(f"      {name} = {value}" for name, value in frame["locals"])
        message = link["message"].strip()
        parts.append(f"{link['type']}: {message}" if message else link["type"])
    if record["told"]:
        parts.append(record["told"].strip())
    for title, text in record["captured"]:
        parts.append(f"--- {title} ---\n{text.strip()}")
    return "\n".join(parts)
