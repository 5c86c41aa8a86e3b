"""What a change can affect, by imports and by what a run touched; and the report of a run as it is read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from agent_core.checks.affected import Affected, Touches, find_affected
from agent_core.checks.imports import ImportGraph
from agent_core.checks.pytest_report import PytestReport
from agent_core.file_modes import REGULAR
from agent_core.protocols import Candidate
from agent_core.workspace.tree import FileState, Snapshot, content_hash, tree_hash

FILES = {
    "conftest.py": "pytest_plugins = ['support.plugin']\n",
    "support/plugin.py": "import support.deep\n",
    "support/deep.py": "",
    "app/__init__.py": "",
    "app/main.py": "def f():\n    try:\n        from app import late\n    finally: pass\n",
    "app/late.py": "",
    "app/alone.py": "",
    "app/data.toml": "a = 1\n",
    "app/page.html": "",
    "tests/unit/conftest.py": "",
    "tests/unit/test_main.py": "match 1:\n    case 1:\n        import app.main\n",
    "tests/unit/test_other.py": "",
    "tests/test_pages.py": "",
}
UNIT = {"tests/unit/test_main.py"}


class Tree:
    """A tree in memory."""

    def __init__(self, files: dict[str, str]) -> None:
        self._files = files
        states = {path: FileState(content_hash(text.encode()), REGULAR) for path, text in files.items()}
        self.snapshot = Snapshot(tree_hash(states), states)

    def read(self, path: str) -> bytes | None:
        text = self._files.get(path)
        return None if text is None else text.encode()


def run_of(files: dict[str, str], reads: dict[str, tuple[str, ...]], opaque: tuple[str, ...] = ()) -> Touches:
    """What a whole run in a tree touched."""
    return Touches(
        {path: state.hash for path, state in Tree(files).snapshot.files.items()}, reads, opaque, complete=True
    )


def affected(changed: Sequence[str], touches: Touches | None = None, *, gone: Sequence[str] = ()) -> Affected:
    files = {path: text for path, text in FILES.items() if path not in gone}
    files |= {path: f"{files.get(path, '')}# new\n" for path in changed if path not in gone}
    return find_affected(cast("Candidate", Tree(files)), changed, touches or Touches())


def reached_tests(found: Affected) -> set[str] | None:
    return None if found.files is None else {path for path in found.files if path.startswith("tests/")}


RUN = run_of(FILES, {"app/late.py": ("app/data.toml",), "tests/test_pages.py": ("app/", "app/page.html")})


@pytest.mark.parametrize(
    ("changed", "touches", "tests"),
    [
        ((), None, set()),
        (("app/late.py",), None, UNIT),
        (("app/__init__.py",), None, UNIT),
        (("app/alone.py",), None, set()),
        (("tests/unit/test_other.py",), None, {"tests/unit/test_other.py"}),
        # A plug-in of the conftest's reaches all tests.
        (("support/deep.py",), None, {path for path in FILES if path.startswith("tests/")}),
        (("tests/unit/conftest.py",), None, None),
        (("pyproject.toml",), None, None),
        # Nobody knows who reads it; then somebody does; then it is known that nobody does.
        (("app/data.toml",), None, None),
        (("app/data.toml",), RUN, UNIT),
        (("app/page.html",), RUN, {"tests/test_pages.py"}),
        (("app/page.html", "app/late.py"), RUN, {*UNIT, "tests/test_pages.py"}),
        (("app/unread.txt",), RUN, None),
        # A new module is seen by who lists its folder.
        (("app/new.py",), RUN, {"tests/test_pages.py"}),
        (("app/new.py",), None, set()),
        (("app/alone.py",), run_of(FILES, {}, ("tests/unit/test_other.py",)), {"tests/unit/test_other.py"}),
        # Who reads the text of such a test does not depend on all that the test does.
        (
            ("app/alone.py",),
            run_of(FILES, {"app/late.py": ("tests/unit/test_other.py",)}, ("tests/unit/test_other.py",)),
            {"tests/unit/test_other.py"},
        ),
        # What no file's own code opens is everybody's.
        (("app/alone.py",), run_of(FILES, {"": ("app/alone.py",)}), None),
    ],
)
def test_what_a_change_can_affect(changed: tuple[str, ...], touches: Touches | None, tests: set[str] | None) -> None:
    assert reached_tests(affected(changed, touches)) == tests


def test_a_record_of_other_code_does_not_know_what_nobody_reads() -> None:
    touched = run_of({**FILES, "README.md": ""}, {})
    assert reached_tests(affected(("README.md",), touched)) == set()
    older = run_of({**FILES, "README.md": "", "app/late.py": "other = 1\n"}, {})
    assert reached_tests(affected(("README.md",), older)) is None
    # Code that is changed itself is run because of that.
    assert reached_tests(affected(("README.md", "app/late.py"), older)) == UNIT


def test_what_is_gone_affects_who_imported_it() -> None:
    assert reached_tests(affected(("app/late.py",), gone=("app/late.py",))) == UNIT


def test_what_nobody_reaches_is_named() -> None:
    assert affected(("app/alone.py", "app/late.py")).unreached == ("app/alone.py",)
    assert affected(("app/alone.py",), run_of(FILES, {}, ("tests/test_pages.py",))).unreached == ()


def test_reaching_is_the_other_side_of_reached() -> None:
    tree = Tree(FILES)
    graph = ImportGraph(FILES, tree.read)
    python = [path for path in FILES if path.endswith(".py")]
    for target in python:
        assert {path for path in python if target in graph.reached(path)} == graph.reaching((target,)) & set(python)
    assert graph.provides("app.main")
    assert graph.provides("test_main")
    assert not graph.provides("late_and_other")


def write(path: Path, *records: dict[str, Any]) -> None:
    with path.open("a") as file:
        for number, record in enumerate(records):
            file.write(json.dumps({"k": number, **record}) + "\n")


BEGINNING: tuple[dict[str, Any], ...] = (
    {"e": "start"},
    {"e": "collected", "n": 2, "stages": [["first", 1]], "why": "", "bound": False},
    {"e": "run", "id": "a"},
    {"e": "end", "id": "a", "outcome": "passed"},
    {"e": "stage", "name": "first"},
)


def test_a_report_tells_each_stage_as_it_was_then(tmp_path: Path) -> None:
    path = tmp_path / "report.jsonl"
    told: list[tuple[str, int]] = []
    report = PytestReport(path, lambda stage: told.append((stage, report.done)))
    write(path, *BEGINNING, {"e": "run", "id": "b"}, {"e": "end", "id": "b", "outcome": "failed"})
    report.read()
    assert told == [("first", 1)]
    assert (report.done, report.passed, report.damaged) == (2, ["a"], False)


def test_a_run_that_begins_anew_is_told_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "report.jsonl"
    report = PytestReport(path)
    write(path, *BEGINNING)
    report.read()
    # Its process died; another one was started.
    write(path, *BEGINNING)
    report.read()
    assert (report.done, report.passed, report.damaged) == (1, ["a"], False)


@pytest.mark.parametrize("line", ["{}", "[]", "noise", '{"k": 5}', '{"k": 7, "e": "finish", "exit": 0}', '{"k": "5"}'])
def test_what_is_no_record_or_out_of_turn_is_damage(tmp_path: Path, line: str) -> None:
    path = tmp_path / "report.jsonl"
    report = PytestReport(path)
    write(path, *BEGINNING)
    with path.open("a") as file:
        file.write(line + "\n")
    report.read()
    assert report.damaged
