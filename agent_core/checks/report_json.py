"""Findings out of JSON, whatever a tool calls its parts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from agent_core.checks.reports import Report, ReportError, Said, first_line, number, pick, plain, severity
from agent_core.checks.settings import JsonKeys

# How eslint, ruff, mypy, pyright, pylint, bandit, shellcheck, stylelint, rubocop, golangci-lint, semgrep, biome,
# hadolint, jest and others name what a finding has. The first that is there is taken.
_ITEMS: tuple[str, ...] = (
    "generalDiagnostics",
    "diagnostics",
    "results",
    "Issues",
    "issues",
    "findings",
    "messages",
    "violations",
)
_ITEMS += ("offenses", "warnings", "errors", "files", "testResults", "assertionResults", "vulnerabilities")
_PATHS: tuple[str, ...] = (
    "filePath",
    "file_path",
    "filename",
    "file_name",
    "fileName",
    "file",
    "File",
    "path",
    "source",
    "Pos.Filename",
)
_PATHS += ("location.path", "location.path.file", "location.file", "uri")
_LINES: tuple[str, ...] = (
    "line",
    "Line",
    "location.row",
    "line_number",
    "lineNumber",
    "location.line",
    "location.start.line",
)
_LINES += ("start.line", "startLine", "start_line", "Pos.Line", "location.lines.begin", "range.start.line")
_CODES: tuple[str, ...] = (
    "ruleId",
    "rule_id",
    "code.code",
    "code",
    "rule.id",
    "rule",
    "check_id",
    "check_name",
    "symbol",
    "cop_name",
)
_CODES += ("test_id", "FromLinter", "category", "id", "name")
_MESSAGES = ("message.text", "message", "msg", "Text", "text", "issue_text", "extra.message", "description", "title")
_SEVERITIES = ("severity", "Severity", "level", "issue_severity", "extra.severity", "type", "kind")


def read_json(text: str, keys: JsonKeys) -> Report:
    """Findings out of JSON: a list of objects, an object with such a list, or one object a line.

    Args:
        text: What the tool printed; lines before the JSON are passed over.
        keys: Where what is, as far as it is said.

    Raises:
        ReportError: It is not JSON, not all of it, or no list of findings.
    """
    report = Report()
    data = loaded(text)
    if keys.items:
        data = pick(data, keys.items)
        if not isinstance(data, list):
            raise ReportError(f"there is no list under {keys.items!r}")
    if isinstance(data, dict) and isinstance(data.get("testResults"), list):
        _jest(data["testResults"], report)
        return report
    _collect(data, keys, report, "")
    return report


def read_json_lines(text: str, keys: JsonKeys) -> Report:
    """Findings out of JSON with one object a line; no line is no finding.

    Raises:
        ReportError: A line is no object.
    """
    rows = []
    for count, line in enumerate(plain(text).splitlines(), 1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise ReportError(f"line {count} is not JSON, or not all of it: {line[:80]}") from error
    report = Report()
    _collect(rows, keys, report, "")
    return report


def loaded(text: str) -> Any:
    """A JSON document, or the list of objects that stand one a line; lines before it are passed over.

    Raises:
        ReportError: It is not JSON, or not all of it.
    """
    text = plain(text).removeprefix("\ufeff").strip()
    if not text:
        raise ReportError("nothing was printed")
    lines = text.splitlines(keepends=True)
    begins = next((index for index, line in enumerate(lines) if line.lstrip()[:1] in {"[", "{"}), None)
    if begins is None:
        raise ReportError("it is not JSON")
    body = "".join(lines[begins:])
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ReportError("it is nested too deeply") from error
    except json.JSONDecodeError as error:
        rows = [line for line in body.splitlines() if line.strip()]
        try:
            found = [json.loads(line) for line in rows] if len(rows) > 1 else []
        except (json.JSONDecodeError, RecursionError):
            found = []
        if found and all(isinstance(one, dict) for one in found):
            return found
        raise ReportError(f"it is not JSON, or not all of it: {error}") from error
    except ValueError as error:
        raise ReportError(f"it is no JSON that can be read: {error}") from error


def _collect(data: Any, keys: JsonKeys, report: Report, path: str) -> None:
    """Add what a list of objects says, `path` being the file they are about where they name none."""
    below = _below(data)
    if below is None and isinstance(data, dict) and _text(data, _PATHS) and _text(data, _MESSAGES):
        # One object a line, and one line.
        below = [data]
    if below is None:
        raise ReportError("there is no list of findings in it; `keys` can say where it is")
    for count, one in enumerate(below, 1):
        if not isinstance(one, dict):
            raise ReportError(f"entry {count} is not an object")
        own = _text(one, (keys.path,) if keys.path else _PATHS) or path
        message = _text(one, (keys.message,) if keys.message else _MESSAGES)
        inner = None if keys.message else _below(one)
        if inner is not None and (not message or own != path):
            _collect(inner, keys, report, own)
        elif message:
            report.add(_one(one, keys, message, own))
        else:
            raise ReportError(f"entry {count} says nothing: no message in it; `keys` can say where it is")


def _below(data: Any) -> list[Any] | None:
    """The list of findings in a document or in a file's entry, None when there is none."""
    if isinstance(data, list):
        return data
    if not isinstance(data, dict):
        return None
    lists = [data[key] for key in _ITEMS if isinstance(data.get(key), list)]
    # Where there are several, such as bandit's errors and results, all of them count.
    return [one for part in lists for one in part] if lists else None


def _one(item: Mapping[str, Any], keys: JsonKeys, message: str, path: str) -> Said:
    line = next((found for key in ((keys.line,) if keys.line else _LINES) if (found := number(pick(item, key)))), None)
    start = pick(item, "range.start.line")
    if not keys.line and "range" in item and "line" not in item and isinstance(start, int):
        # The language server protocol, and pyright with it, counts from 0.
        line = start + 1
    code = _text(item, (keys.code,) if keys.code else _CODES)
    words = (pick(item, key) for key in ((keys.severity,) if keys.severity else _SEVERITIES))
    word = next((severity(found) for found in words if severity(found)), "")
    return Said(message, path or None, line, code if code != path else "", word)


def _text(item: Mapping[str, Any], names: Sequence[str]) -> str:
    for name in names:
        found = pick(item, name)
        if isinstance(found, str | int) and not isinstance(found, bool) and str(found).strip():
            return str(found)
    return ""


def _jest(suites: Sequence[Any], report: Report) -> None:
    """What jest (and vitest) says of its tests with ``--json``."""
    report.total = 0
    for suite in suites:
        tests = suite.get("assertionResults") if isinstance(suite, dict) else None
        if not isinstance(tests, list):
            raise ReportError("a test file has no list of tests")
        path, broken = _text(suite, ("name",)), suite.get("status") == "failed"
        for test in tests:
            status, name = test["status"], _text(test, ("fullName", "title"))
            identity = f"{path}::{name}"
            report.total += 1
            if status == "failed":
                broken = False
                words = [str(word) for word in test.get("failureMessages") or ()]
                detail = plain("\n".join(words))
                line = number(pick(test, "location.line"))
                report.add(Said(first_line(detail) or "failed", path or None, line, identity, "error", detail))
            elif status == "passed":
                report.passed.append(identity)
            report.ran += status in {"passed", "failed"}
        if broken:
            detail = plain(_text(suite, ("message",)))
            # Above the reason jest says that there is one.
            report.add(
                Said(
                    first_line(re.sub(r"^\s*\u25cf.*\n", "", detail)) or "could not be run",
                    path or None,
                    None,
                    path,
                    "error",
                    detail,
                )
            )
