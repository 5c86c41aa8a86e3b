"""Reports as tools really write them, and what is none."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_core.checks.report_json import read_json, read_json_lines
from agent_core.checks.report_junit import read_junit
from agent_core.checks.report_reading import Lines
from agent_core.checks.report_runs import CargoLines, GoTestLines
from agent_core.checks.report_sarif import read_sarif
from agent_core.checks.reports import GccLines, Report, ReportError, Said, by_pattern, plain
from agent_core.checks.settings import JsonKeys

NO_KEYS = JsonKeys()


def brief(report: Report) -> list[tuple[str | None, int | None, str, str, str]]:
    return [(one.path, one.line, one.code, one.severity, one.message) for one in report.said]


def fed(lines: Lines, text: str) -> Report:
    for line in text.splitlines():
        lines.feed(line)
    return lines.finish()


GCC = {
    "gcc": ("a.c:3:5: error: bad thing [-Werror=x]", ("a.c", 3, "-Werror=x", "error", "bad thing")),
    "fatal": ("a.c:3:5: fatal error: no.h: No such file", ("a.c", 3, "", "error", "no.h: No such file")),
    "warning": ("a.c:3: warning: hm [-Wunused]", ("a.c", 3, "-Wunused", "warning", "hm")),
    "note": ("a.c:3:5: note: declared here", ("a.c", 3, "", "note", "declared here")),
    "flake8": ("a.c:3:80: E501 line too long (81 > 79)", ("a.c", 3, "E501", "", "line too long (81 > 79)")),
    "pylint": ("a.c:1:0: C0114: No docstring (missing-doc)", ("a.c", 1, "C0114", "", "No docstring (missing-doc)")),
    "code in parentheses": ("a.c:1: no docstring (missing-doc)", ("a.c", 1, "missing-doc", "", "no docstring")),
    "a word in parentheses": ("a.c:1: calls f (again)", ("a.c", 1, "", "", "calls f (again)")),
    "shellcheck": ("a.c:2:3: warning: Quote this. [SC2086]", ("a.c", 2, "SC2086", "warning", "Quote this.")),
    "mypy": ('a.c:2: error: Name "x" is bad  [name-defined]', ("a.c", 2, "name-defined", "error", 'Name "x" is bad')),
    "go vet": ("./a.c:5:2: result of f call not used", ("./a.c", 5, "", "", "result of f call not used")),
    "tsc": ("src/(x)/a.ts(3,5): error TS2322: Not so.", ("src/(x)/a.ts", 3, "TS2322", "error", "Not so.")),
    "tsc, pretty": ("src/a.ts:3:5 - error TS2322: Not so.", ("src/a.ts", 3, "TS2322", "error", "Not so.")),
    "colours": ("\x1b[1ma.c:3:5: \x1b[31merror: \x1b[0mbad\x1b[K", ("a.c", 3, "", "error", "bad")),
    "spaces in the name": ("my file.c:3: error: bad", ("my file.c", 3, "", "error", "bad")),
}


@pytest.mark.parametrize(("line", "expected"), GCC.values(), ids=GCC.keys())
def test_lines_of_many_tools(line: str, expected: tuple[str, int, str, str, str]) -> None:
    assert brief(fed(GccLines({"a.c", "./a.c"}.__contains__), line)) == [expected]


@pytest.mark.parametrize(
    "line",
    [
        "12:30:45: started",
        "In file included from a.c:1:",
        "make: *** [Makefile:5: lint] Error 2",
        "http://localhost:80: listening",
        "other.c:3: not of the project, and no severity",
        "a.c:x: error: no line",
        "",
        ":::::",
    ],
)
def test_lines_that_only_look_so(line: str) -> None:
    assert brief(fed(GccLines({"a.c"}.__contains__), line)) == []


@pytest.mark.parametrize("line", [" " * 8000, "a:1:" + " " * 60000 + "]", "a(1" * 30000, "a:1:1" * 20000, "(" * 60000])
def test_strange_lines_take_no_time(line: str) -> None:
    start = time.process_time()
    fed(GccLines(lambda _name: True), "\n".join([line] * 5))
    assert time.process_time() - start < 1


def test_escape_sequences_are_taken_out() -> None:
    assert plain("\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x1b\\ \x1b(Bx") == "red link x"


JSON: dict[str, tuple[object, Sequence[tuple[str | None, int | None, str, str, str]]]] = {
    "eslint": (
        [
            {"filePath": "/p/ok.js", "messages": [], "errorCount": 0, "warningCount": 0},
            {
                "filePath": "/p/a.js",
                "messages": [
                    {"ruleId": "no-undef", "severity": 2, "message": "No x.", "line": 3, "column": 1},
                    {"ruleId": None, "fatal": True, "severity": 2, "message": "Parsing error", "line": 4},
                    {"ruleId": "eqeqeq", "severity": 1, "message": "Hm.", "line": 5},
                ],
                "source": "x",
                "suppressedMessages": [],
                "usedDeprecatedRules": [],
            },
        ],
        [
            ("/p/a.js", 3, "no-undef", "error", "No x."),
            ("/p/a.js", 4, "", "error", "Parsing error"),
            ("/p/a.js", 5, "eqeqeq", "warning", "Hm."),
        ],
    ),
    "ruff": (
        [{"filename": "a.py", "location": {"row": 2, "column": 1}, "code": "F401", "message": "unused", "fix": None}],
        [("a.py", 2, "F401", "", "unused")],
    ),
    "pyright": (
        {
            "version": "1.1",
            "generalDiagnostics": [
                {"file": "/p/a.py", "severity": "error", "message": "m", "rule": "r", "range": {"start": {"line": 6}}}
            ],
            "summary": {"errorCount": 1},
        },
        [("/p/a.py", 7, "r", "error", "m")],
    ),
    "pylint": (
        [{"type": "error", "module": "a", "path": "a.py", "line": 1, "symbol": "no-member", "message": "m"}],
        [("a.py", 1, "no-member", "error", "m")],
    ),
    "bandit": (
        {
            "errors": [],
            "results": [
                {"filename": "a.py", "line_number": 4, "test_id": "B1", "issue_text": "m", "issue_severity": "HIGH"}
            ],
        },
        [("a.py", 4, "B1", "error", "m")],
    ),
    "shellcheck": (
        [{"file": "a.sh", "line": 2, "level": "info", "code": 2086, "message": "Quote"}],
        [("a.sh", 2, "2086", "note", "Quote")],
    ),
    "stylelint": (
        [{"source": "a.css", "warnings": [{"line": 2, "rule": "r", "severity": "error", "text": "t"}]}],
        [("a.css", 2, "r", "error", "t")],
    ),
    "rubocop": (
        {
            "files": [
                {
                    "path": "a.rb",
                    "offenses": [
                        {"severity": "convention", "message": "m", "cop_name": "Style/X", "location": {"line": 9}}
                    ],
                }
            ]
        },
        [("a.rb", 9, "Style/X", "warning", "m")],
    ),
    "golangci": (
        {"Issues": [{"FromLinter": "errcheck", "Text": "t", "Pos": {"Filename": "a.go", "Line": 8}}]},
        [("a.go", 8, "errcheck", "", "t")],
    ),
    "semgrep": (
        {
            "errors": [],
            "results": [
                {"check_id": "c", "path": "a.py", "start": {"line": 3}, "extra": {"message": "m", "severity": "ERROR"}}
            ],
        },
        [("a.py", 3, "c", "error", "m")],
    ),
    "nothing": ([], []),
    "nothing in its list": ({"results": []}, []),
}


@pytest.mark.parametrize(("document", "expected"), JSON.values(), ids=JSON.keys())
def test_json_of_many_tools(document: object, expected: list[tuple[str | None, int | None, str, str, str]]) -> None:
    assert brief(read_json(json.dumps(document, indent=1), NO_KEYS)) == expected
    assert brief(read_json("banner\n> more\n" + json.dumps(document), NO_KEYS)) == expected


def test_json_lines_as_of_mypy() -> None:
    rows = [{"file": "a.py", "line": n, "message": "m", "hint": None, "code": "c", "severity": "error"} for n in (1, 2)]
    report = read_json("\n".join(map(json.dumps, rows)), NO_KEYS)
    assert [one.line for one in report.said] == [1, 2]
    assert [one.line for one in read_json(json.dumps(rows[0]) + "\n", NO_KEYS).said] == [1]
    text = "".join(f"{json.dumps(row)}\n" for row in rows)
    assert read_json_lines(text, NO_KEYS) == report
    assert read_json_lines("\n", NO_KEYS).said == []
    for bad in (text[:-5], f"noise\n{text}", "[]\n", "3\n", "{}\n"):
        with pytest.raises(ReportError):
            read_json_lines(bad, NO_KEYS)


def test_json_by_its_own_keys() -> None:
    keys = JsonKeys(items="data.bugs", path="at.f", line="at.l", code="k", message="what", severity="how")
    document = {"data": {"bugs": [{"at": {"f": "a", "l": "7"}, "k": 3, "what": "w", "how": "error", "message": "no"}]}}
    assert brief(read_json(json.dumps(document), keys)) == [("a", 7, "3", "error", "w")]
    with pytest.raises(ReportError, match=r"no list under 'data\.none'"):
        read_json(json.dumps(document), JsonKeys(items="data.none"))


JEST = {
    "numTotalTests": 3,
    "testResults": [
        {
            "name": "/p/a.test.js",
            "status": "failed",
            "message": "",
            "assertionResults": [
                {"fullName": "sum adds", "status": "passed", "failureMessages": []},
                {
                    "fullName": "sum fails",
                    "status": "failed",
                    "failureMessages": ["\x1b[31mError: no\x1b[0m\n  at x"],
                    "location": {"line": 5, "column": 3},
                },
                {"fullName": "sum waits", "status": "pending", "failureMessages": []},
            ],
        },
        {
            "name": "/p/b.test.js",
            "status": "failed",
            "message": "  \u25cf Test suite failed to run\n\nSyntaxError: x\nat y",
            "assertionResults": [],
        },
    ],
}


def test_jest() -> None:
    report = read_json(json.dumps(JEST), NO_KEYS)
    assert (report.total, report.ran, report.passed) == (3, 2, ["/p/a.test.js::sum adds"])
    assert brief(report) == [
        ("/p/a.test.js", 5, "/p/a.test.js::sum fails", "error", "Error: no"),
        ("/p/b.test.js", None, "/p/b.test.js", "error", "SyntaxError: x"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        *("", "  \n", "no JSON", "{", "[1", '[{"message": "a"}', '[{"message": "a"}] trailing', "[3]", '[{"line": 1}]'),
        *("null", "3", '{"a": 1}', "[" * 100_000, '{"message": "one"}\n{"message": "cut', "[NaN, {]", "9" * 5000),
        *('[{"message": "a"},\n', '{"results": {"a": 1}}', '{"message": "crashed"}'),
    ],
)
def test_no_json_report(text: str) -> None:
    with pytest.raises(ReportError):
        read_json(text, NO_KEYS)


@given(st.integers(1, len(json.dumps(JSON["eslint"][0])) - 1))
def test_a_report_cut_off_anywhere_is_none(length: int) -> None:
    with pytest.raises(ReportError):
        read_json(json.dumps(JSON["eslint"][0])[:length], NO_KEYS)


def sarif(*results: object, **run: object) -> str:
    rules = [{"id": "r1", "defaultConfiguration": {"level": "error"}, "messageStrings": {"m": {"text": "no {0}"}}}]
    driver = {"tool": {"driver": {"name": "t", "rules": rules}}, "results": list(results)}
    return json.dumps({"version": "2.1.0", "runs": [{**driver, **run}]})


def placed(uri: str, line: int = 3, **more: str) -> list[object]:
    return [{"physicalLocation": {"artifactLocation": {"uri": uri, **more}, "region": {"startLine": line}}}]


def test_sarif() -> None:
    text = sarif(
        {"ruleId": "r1", "message": {"text": "m"}, "locations": placed("src/a%20b.py")},
        {"ruleIndex": 0, "message": {"id": "m", "arguments": ["luck"]}, "locations": placed("file:///p/a.py")},
        {"ruleId": "r2", "level": "note", "message": {"markdown": "*m*"}},
        {"ruleId": "r2", "message": {"text": "m"}, "locations": placed("a.py", uriBaseId="%SRCROOT%")},
        {"ruleId": "r1", "message": {"text": "agreed"}, "suppressions": [{"kind": "inSource"}]},
        {"ruleId": "r1", "message": {"text": "fine"}, "kind": "pass"},
        originalUriBaseIds={"%SRCROOT%": {"uri": "file:///p/"}},
    )
    assert brief(read_sarif(text)) == [
        ("src/a b.py", 3, "r1", "error", "m"),
        ("/p/a.py", 3, "r1", "error", "no luck"),
        (None, None, "r2", "note", "*m*"),
        ("/p/a.py", 3, "r2", "warning", "m"),
    ]
    assert brief(read_sarif(sarif())) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "no SARIF log"),
        ('{"runs": []}', "no SARIF log"),
        ('{"runs": [{"tool": {}}]}', "without results"),
        (sarif(results=None), "without results"),
        (
            sarif(
                invocations=[
                    {"executionSuccessful": False, "toolExecutionNotifications": [{"message": {"text": "no rules"}}]}
                ]
            ),
            "it failed: no rules",
        ),
        (sarif()[:-1], "not all of it"),
    ],
)
def test_no_sarif_report(text: str, reason: str) -> None:
    with pytest.raises(ReportError, match=reason):
        read_sarif(text)


def test_junit() -> None:
    report = read_junit(
        b"""<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="s" tests="5" failures="1" errors="1">
 <testcase classname="pkg.test_a.TestX" name="one" file="pkg/test_a.py" line="4"/>
 <testcase classname="a" name="two"><failure message="" type="AssertionError">\n  assert 1 == 2\n&amp; more</failure>
  <error message="tear-down"/></testcase>
 <testcase classname="a" name="three"><error type="ImportError"/><system-out>noise</system-out></testcase>
 <testcase classname="a" name="four"><skipped message="later"/></testcase>
 <testsuite name="inner"><testcase name="five"/></testsuite>
</testsuite></testsuites>"""
    )
    assert (report.total, report.ran) == (5, 4)
    assert report.passed == ["pkg.test_a.TestX::one", "inner::five"]
    assert brief(report) == [
        (None, None, "a::two", "error", "assert 1 == 2"),
        (None, None, "a::three", "error", "ImportError"),
    ]
    assert report.said[0].detail == "assert 1 == 2\n& more"


BOMB = b"""<?xml version="1.0"?><!DOCTYPE testsuite [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<testsuite><testcase name="x"><failure>&b;</failure></testcase></testsuite>"""


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "nothing was printed"),
        (BOMB, "document type declaration"),
        (BOMB.decode().encode("utf-16"), "document type declaration"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite/>', "document type declaration"),
        (b"<testsuite><testcase/>", "not all of it"),
        (b"<testsuite/><testsuite/>", "not XML"),
        (b"<testsuite>\x00</testsuite>", "not XML"),
        (b"plain text", "not XML"),
        (b"<html><testcase/></html>", "no JUnit report"),
        (b'<testsuite tests="2" failures="2"><testcase name="a"/></testsuite>', "counts 2 failures and names none"),
    ],
)
def test_no_junit_report(data: bytes, reason: str) -> None:
    with pytest.raises(ReportError, match=reason):
        read_junit(data)


CARGO = (
    "\n".join(
        json.dumps(one)
        for one in (
            {"reason": "compiler-artifact", "target": {}},
            {
                "reason": "compiler-message",
                "message": {
                    "message": "mismatched types",
                    "level": "error",
                    "code": {"code": "E0308"},
                    "spans": [{"file_name": "src/lib.rs", "line_start": 3, "is_primary": True}],
                    "rendered": "error[E0308]: mismatched types\n",
                },
            },
            {"reason": "compiler-message", "message": {"message": "aborting due to 1 error", "level": "error"}},
            {"reason": "build-finished", "success": True},
        )
    )
    + """

     Running unittests src/lib.rs (target/debug/deps/shop-0123456789abcdef)

running 4 tests
test tests::ok ... ok
test tests::slow ... ignored, takes long
test tests::panics - should panic ... ok
test tests::bad ... FAILED

failures:

---- tests::bad stdout ----

thread 'tests::bad' (4711) panicked at src/lib.rs:12:9:
assertion `left == right` failed
  left: 3
 right: 4

failures:
    tests::bad

test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

   Doc-tests shop

running 1 test
test src/lib.rs - f (line 3) ... ok
"""
)


def test_cargo() -> None:
    report = fed(CargoLines(), CARGO)
    assert (report.total, report.ran, report.passed) == (
        5,
        4,
        ["shop::tests::ok", "shop::tests::panics", "doc-tests shop::src/lib.rs - f (line 3)"],
    )
    assert brief(report) == [
        ("src/lib.rs", 3, "E0308", "error", "mismatched types"),
        ("src/lib.rs", 12, "shop::tests::bad", "error", "assertion `left == right` failed"),
    ]
    assert "right: 4" in report.said[1].detail
    with pytest.raises(ReportError, match="did not come to its build"):
        fed(CargoLines(), "error: could not find Cargo.toml")
    with pytest.raises(ReportError, match="cut off"):
        fed(CargoLines(), CARGO[:100])


def event(action: str, test: str | None = None, output: str | None = None, package: str = "example.com/m/sub") -> str:
    said = {"Action": action, "Package": package, "Test": test, "Output": output}
    return json.dumps({key: value for key, value in said.items() if value is not None})


def test_go_test() -> None:
    lines = [
        event("start"),
        event("pass", "TestGood"),
        event("output", "TestBad", "=== RUN   TestBad\n"),
        event("output", "TestBad/inner", "    sub_test.go:9: got 3\n"),
        event("fail", "TestBad/inner"),
        event("fail", "TestBad"),
        event("skip", "TestLater"),
        event("output", None, "FAIL\texample.com/m/sub\t0.1s\n"),
        event("fail"),
        event("output", None, "# example.com/m\n", "example.com/m"),
        event("output", None, "./main.go:4:2: undefined: x\n", "example.com/m"),
        event("fail", None, None, "example.com/m"),
    ]
    report = fed(GoTestLines("example.com/m"), "\n".join(lines))
    assert (report.total, report.ran, report.passed) == (4, 3, ["example.com/m/sub::TestGood"])
    assert brief(report) == [
        ("sub/sub_test.go", 9, "example.com/m/sub::TestBad/inner", "error", "got 3"),
        ("main.go", 4, "example.com/m", "error", "undefined: x"),
    ]
    with pytest.raises(ReportError, match=r"no event of a test: go: updates to go\.mod needed"):
        fed(GoTestLines(""), "go: updates to go.mod needed")
    with pytest.raises(ReportError, match="cut off"):
        fed(GoTestLines(""), lines[0][:-2])


async def test_patterns() -> None:
    text = "\x1b[31ma.py\x1b[0m\n  3  bad  E1\r\n  4  worse  E2\nnothing\n"
    report = await by_pattern(text, r"^ +(?P<line>\d+)  (?P<message>\w+)  (?P<code>\w+)$")
    assert report.said == [Said("bad", None, 3, "E1"), Said("worse", None, 4, "E2")]
    assert (await by_pattern("", "(?P<message>x)")).said == []
    with pytest.raises(ReportError, match="more than 20000"):
        await by_pattern("x\n" * 20_001, "(?P<message>x)")
