"""Tests and their failures out of JUnit's XML, which most test runners write."""

from __future__ import annotations

from xml.parsers import expat

from agent_core.checks.reports import Report, ReportError, Said, first_line, number, plain


class _Junit:
    """Takes in the elements of a JUnit report; there is no schema, but everybody means the same."""

    def __init__(self) -> None:
        self.report = Report(total=0)
        self.declared = 0
        self._open: list[str] = []
        self._suite = ""
        self._case: dict[str, str] | None = None
        self._state = ""
        self._said: tuple[str, str] = ("", "")
        self._text: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        name = tag.rpartition(":")[2]
        if not self._open and name not in {"testsuites", "testsuite"}:
            raise ReportError(f"it is XML, but no JUnit report: it begins with <{name}>")
        if name == "testsuite":
            self._suite = attributes.get("name", "")
        if name == "testsuite" and "testsuite" not in self._open:
            counts = (number(attributes.get(key)) or 0 for key in ("failures", "errors"))
            self.declared += sum(counts)
        elif name == "testcase":
            self._case, self._state = attributes, "passed"
        elif name in {"failure", "error", "rerunFailure", "skipped"}:
            self._text = []
            self._said = (attributes.get("message", ""), attributes.get("type", ""))
        self._open.append(name)

    def data(self, text: str) -> None:
        """Text of an element."""
        if self._open and self._open[-1] in {"failure", "error"} and len(self._text) < 10_000:
            self._text.append(text)

    def end(self, tag: str) -> None:
        """An element ends."""
        name = tag.rpartition(":")[2]
        self._open.pop()
        if name == "skipped" and self._state == "passed":
            self._state = "skipped"
        elif name in {"failure", "error"}:
            self._failed()
        elif name == "testcase" and self._case is not None:
            self.report.total = (self.report.total or 0) + 1
            self.report.ran += self._state != "skipped"
            if self._state == "passed":
                self.report.passed.append(self._identity())
            self._case, self._state = None, ""

    def _failed(self) -> None:
        if self._state == "failed":
            # A test with a failure and an error, as of its tear-down, is one test.
            return
        self._state = "failed"
        case = self._case or {}
        detail = plain("".join(self._text)).strip()
        message = self._said[0] or first_line(detail) or self._said[1] or "failed"
        path, line = case.get("file"), number(case.get("line"))
        self.report.add(Said(plain(message), path, line, self._identity(), "error", detail))

    def _identity(self) -> str:
        case = self._case or {}
        group = case.get("classname") or case.get("file") or self._suite or "test"
        return f"{group}::{case.get('name', '')}" if self._case is not None else group


def read_junit(data: bytes) -> Report:
    """Tests and their failures out of a JUnit report.

    Raises:
        ReportError: It is not XML, no JUnit report, or not all of it; or it declares entities, which none needs.
    """

    def refuse(*_declared: object) -> None:
        # Entities, by which XML reads files and fills memories, come with a DTD.
        raise ReportError("it has a document type declaration, which a report of tests does not need")

    junit = _Junit()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = junit.start
    parser.EndElementHandler = junit.end
    parser.CharacterDataHandler = junit.data
    parser.StartDoctypeDeclHandler = refuse
    if not data.strip():
        raise ReportError("nothing was printed")
    try:
        parser.Parse(data.lstrip(), True)  # noqa: FBT003 - expat knows it by its place only
    except expat.ExpatError as error:
        raise ReportError(f"it is not XML, or not all of it: {error}") from error
    if junit.declared and not junit.report.said:
        raise ReportError(f"it counts {junit.declared} failures and names none")
    return junit.report
