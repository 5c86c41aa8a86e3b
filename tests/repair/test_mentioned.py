"""Of a table that all tests import those entries are suspected that failing tests name."""

from __future__ import annotations

import pytest

from agent_core.repair.localise import localise
from agent_core.repair.mentioned import mentioned
from agent_core.repair.model import TestRun
from agent_core.repair.project import Project

TABLE = """\
SIZES = {
    "small": dict(
        width=10,
        height=20,
    ),
    "large": dict(
        width=40,
        height=70,
    ),
    "huge": dict(
        width=90,
        height=180,
    ),
}


def area(name):
    size = SIZES[name]
    return size["width"] * size["height"]
"""
TESTS = """\
import pytest
from sizes import area


def test_small():
    assert area("small") == 200


def test_large():
    assert area("large") == 3200


@pytest.mark.parametrize("name", ["small", "huge"])
def test_any(name):
    assert area(name)
"""
FILES = {"sizes.py": TABLE, "test_sizes.py": TESTS}
LINES = {"sizes.py": (18, 19)}


def run_of(test: str, outcome: str = "passed") -> TestRun:
    return TestRun(f"test_sizes.py::{test}", "failed" if outcome == "failed" else "passed", 0.01, LINES)


@pytest.fixture
def project() -> Project:
    return Project(FILES, lambda path: FILES[path].encode())


def test_the_entry_that_a_failing_test_names_is_suspected(project: Project) -> None:
    found = mentioned(
        [run_of("test_large", "failed")], [run_of("test_small"), run_of("test_any[huge]")], project, FILES
    )
    assert dict(found) == {("sizes.py", line): 1.0 for line in (6, 7, 8)}


def test_parameters_name_entries_too_and_passing_tests_speak_for_them(project: Project) -> None:
    found = mentioned([run_of("test_any[small]", "failed")], [run_of("test_small")], project, FILES)
    assert found["sizes.py", 3] == pytest.approx(0.7, abs=0.01)
    assert ("sizes.py", 7) not in found


def test_lines_of_the_entry_come_before_others_of_the_table(project: Project) -> None:
    suspects = localise(
        [run_of("test_large", "failed")], [run_of("test_small"), run_of("test_any[huge]")], project, "sizes.py".__eq__
    )
    assert {(one.path, one.line) for one in suspects[:5]} >= {("sizes.py", 7), ("sizes.py", 8)}
