"""Debugging a test: the values at some lines, and where it failed or hangs."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from agent_core.checks.affected import TEST_FILE
from agent_core.checks.pytest_report import PytestReport
from agent_core.checks.pytest_run import ABSENT, DEBUG_REPORT, TOO_OLD, run_pytest
from agent_core.conversation import ToolSpec
from agent_core.tools.base import ToolError, ToolOutput, View, make_spec, read_arguments
from agent_core.tools.debug_report import Breakpoint, DebugReport, report_of
from agent_core.tools.files import clean, closest
from agent_core.workspace.layering import read_below

_SECONDS = 60.0
# For starting, and for telling in the end where it hangs.
_MORE_SECONDS = 15.0
_MOST_POINTS = 10
_MOST_EXPRESSIONS = 12
_FOLDER = "debug"
_POINT = re.compile(
    r"\s*(?P<path>\S.*?)(?::|#L|,? line )(?P<line>\d+)(?::\d+)?\s*(?:[,;]?\s*if\s+(?P<condition>\S.*))?$"
)
_STRINGS = {"type": "array", "items": {"type": "string"}}


class _DebugArguments(msgspec.Struct):
    test: str
    breakpoints: list[Any] | str = ""
    expressions: list[Any] | str = ""


class Debug:
    """The tool ``debug``."""

    looks = False
    spec: ToolSpec = make_spec(
        "debug",
        "Run one test on the project with your draft in it, and see values: at each breakpoint ('path:line' or "
        "'path:line if condition') those of the expressions, or all local variables if there are none; and the same "
        "where the test fails.",
        {
            "test": {"type": "string", "description": "Its id, such as tests/test_a.py::test_b."},
            "breakpoints": _STRINGS,
            "expressions": _STRINGS,
        },
        ("test",),
    )

    def title(self, arguments: str) -> str:
        """What a call does, for the human."""
        try:
            wanted = read_arguments(_DebugArguments, arguments)
        except ToolError:
            return "debug"
        points = ", ".join(str(one) for one in _items(wanted.breakpoints))
        return " ".join(f"debug {wanted.test}{f' at {points}' if points else ''}".split())

    async def run(self, arguments: str, view: View) -> ToolOutput:
        """Run the test, and tell what was seen."""
        wanted = read_arguments(_DebugArguments, arguments)
        points = _breakpoints(wanted.breakpoints, view)
        expressions = [str(one).strip() for one in _items(wanted.expressions) if str(one).strip()]
        if len(expressions) > _MOST_EXPRESSIONS:
            raise ToolError(f"{len(expressions)} expressions are too many.", f"Give at most {_MOST_EXPRESSIONS}.")
        test = _test_id(wanted.test, view)
        candidate = await view.candidate()
        try:
            parent = candidate.cache / _FOLDER
            if parent.is_symlink():
                parent.unlink()
            parent.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
            try:
                tests = PytestReport(folder / "report.jsonl")
                what = {"breakpoints": msgspec.to_builtins(points), "expressions": expressions, "seconds": _SECONDS}
                done = await run_pytest(
                    candidate,
                    view.interpreter,
                    folder,
                    tests,
                    timeout=_SECONDS + _MORE_SECONDS,
                    on_progress=lambda _done, _total: None,
                    only=[test],
                    debug=what,
                )
                seen = DebugReport(points, read_below(folder, DEBUG_REPORT) or b"")
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            await candidate.close()
        if not tests.started and done.code in {ABSENT, TOO_OLD, 127}:
            raise ToolError("The project's Python has no pytest 7 or newer, so no test can be debugged.")
        if test in tests.unmatched and not tests.done and not tests.findings:
            raise ToolError(f"There is no test {test!r}.", _close_tests(test, seen.tests))
        return report_of(test, tests, seen, done)


def _items(given: list[Any] | str) -> list[Any]:
    """What was given as a list, as the JSON of one, or as text with one on each line."""
    if isinstance(given, list):
        return given
    if given.lstrip().startswith("["):
        try:
            decoded = json.loads(given)
        except ValueError:
            decoded = None
        if isinstance(decoded, list):
            return decoded
    return [line for line in given.splitlines() if line.strip()]


def _breakpoints(given: list[Any] | str, view: View) -> tuple[Breakpoint, ...]:
    found = tuple(_breakpoint(one, view) for one in _items(given))
    if len(found) > _MOST_POINTS:
        raise ToolError(f"{len(found)} breakpoints are too many.", f"Give at most {_MOST_POINTS}.")
    return found


def _breakpoint(given: Any, view: View) -> Breakpoint:
    """One breakpoint, as a text or as an object with its parts.

    Raises:
        ToolError: It cannot be read, or its file is not there.
    """
    if isinstance(given, dict):
        path = given.get("path") or given.get("file") or ""
        condition = given.get("condition") or given.get("if")
        given = f"{path}:{given.get('line', '')}" + (f" if {condition}" if condition else "")
    match = _POINT.match(str(given))
    if match is None or int(match["line"]) < 1:
        raise ToolError(f"{given!r} is no breakpoint.", "Write path:line, or path:line if condition.")
    path = clean(match["path"].strip("`'\""))
    if path not in view.paths():
        raise ToolError(f"There is no file {path!r} in the project.", closest(path, view.paths()))
    return Breakpoint(path, int(match["line"]), match["condition"])


def _test_id(given: str, view: View) -> str:
    """The id of the test that is meant: a name without its file will do when only one file has it.

    Raises:
        ToolError: There is no such file or name, or several.
    """
    given = given.strip().strip("`'\"")
    given = re.sub(r"^(?:(?:python\S*\s+-m\s+)?pytest\s+)", "", given)
    name, colons, rest = given.partition("::")
    path, paths = clean(name), view.paths()
    if not path:
        raise ToolError("No test is named.", "Write path::name, as in the verdict.")
    if path.endswith((".py", ".txt", ".md", ".rst")) or "/" in path:
        # Ids are relative to pytest's own root, which may be a folder of the project.
        if not any(one == path or one.endswith(f"/{path}") or one.startswith(f"{path}/") for one in paths):
            raise ToolError(f"There is no test file {path!r}.", closest(path, paths))
        return f"{path}{colons}{rest}"
    plain = re.escape(given.partition("[")[0].rsplit("::", 1)[-1].rsplit(".", 1)[-1])
    definition = re.compile(rb"^(?P<indent>[ \t]*)(?:async +)?(?:def|class) +" + plain.encode() + rb"\b", re.MULTILINE)
    files = [one for one in paths if TEST_FILE.search(one)]
    having = [(one, match) for one in files if (match := definition.search(view.read(one) or b""))]
    if len(having) == 1 and (not having[0][1]["indent"] or colons):
        return f"{having[0][0]}::{given}"
    if having:
        raise ToolError(f"{given!r} is no full id.", f"Write path::Class::name; it is in {_some(having)}.")
    raise ToolError(f"No test file has {given!r}.", "Write path::name, as in the verdict.")


def _some(having: Sequence[tuple[str, Any]]) -> str:
    more = f" and {len(having) - 5} more" if len(having) > 5 else ""
    return ", ".join(path for path, _ in having[:5]) + more


def _close_tests(test: str, known: Sequence[str]) -> str:
    """Tests that may have been meant: the same name, else a similar one."""
    name = test.rsplit("::", 1)[-1].partition("[")[0]
    same = [one for one in known if one.rsplit("::", 1)[-1].partition("[")[0] == name]
    if not same:
        import difflib  # noqa: PLC0415 - only where it is needed

        same = difflib.get_close_matches(test, known, n=5, cutoff=0.5) or list(known)
    if not same:
        return "There are no tests in that file."
    return f"Did you mean {', '.join(same[:5])}?"
