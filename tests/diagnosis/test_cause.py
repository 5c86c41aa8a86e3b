"""Failures are put together by what they share, and beside them what other tools say of the same thing."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agent_core.checks.model import CheckResult, Finding, Wish
from agent_core.checks.pytest import PytestCheck
from agent_core.checks.ruff import RuffCheck
from agent_core.config_tables import Config
from agent_core.diagnosis.cause import beside, grouped
from agent_core.diagnosis.listing import listing
from agent_core.workspace.project import open_project
from tests.projects import make_project


def red(node: str, message: str = "KeyError: 'name'", path: str = "users.py", line: int | None = 41) -> Finding:
    return Finding("pytest", message, path, line, node)


def says(check: str, message: str, path: str = "users.py", line: int = 41, code: str = "") -> Finding:
    return Finding(check, message, path, line, code)


def test_one_line_and_one_exception_are_one_cause_whatever_the_values() -> None:
    tests = [red(f"t.py::test[{n}]", f"KeyError: 'k{n}'") for n in range(17)]
    (cause,) = grouped(tests)
    assert cause.title == "17 tests fail with KeyError: 'k0' or the like at users.py:41"
    assert cause.names.splitlines()[-1] == "  ... and 9 more"
    numbers = [red("t.py::a", "AssertionError: assert 3 == 4"), red("t.py::b", "AssertionError: assert 15 == 16.5")]
    paths = [red("t.py::c", "OSError: no /tmp/x1/a"), red("t.py::d", "OSError: no /tmp/x2/b")]
    objects = [red("t.py::e", "E: <X at 0x7f00>"), red("t.py::f", "E: <X at 0x7fff>")]
    assert [len(cause.findings) for cause in grouped([*numbers, *paths, *objects])] == [2, 2, 2]


def test_other_lines_and_other_exceptions_are_other_causes() -> None:
    tests = [red("t.py::a"), red("t.py::b", line=42), red("t.py::c", "ValueError: 'name'"), red("t.py::d", path="x.py")]
    assert len(grouped(tests)) == 4
    assert len(grouped([red("t.py::a", "E: can't do"), red("t.py::b", "E: can't be")])) == 2, (
        "an apostrophe is no quote"
    )


def test_what_cannot_be_imported_is_one_cause_and_comes_first() -> None:
    missing = "ModuleNotFoundError: No module named 'shop'"
    files = [red(f"tests/test_{n}.py", missing, f"tests/test_{n}.py", n + 1) for n in range(3)]
    many = [red(f"t.py::test_{n}") for n in range(9)]
    first, second = grouped([*many, *files])
    assert first.title == f"3 files cannot be collected, their tests do not run: {missing}"
    assert second.title == "9 tests fail with KeyError: 'name' at users.py:41"
    other = red("tests/test_x.py", "ModuleNotFoundError: No module named 'other'", "tests/test_x.py", 1)
    assert len(grouped([*files, other])) == 2, "another module is another cause"
    (alone,) = grouped([other])
    (odd,) = grouped([red("exit-status", "pytest failed though no test did", "", None)])
    assert odd.title == "pytest: pytest failed though no test did"
    assert alone.title.startswith("tests/test_x.py cannot be collected, its tests do not run: ModuleNotFoundError")


def test_what_explains_a_failure_is_put_beside_it_most_telling_first() -> None:
    failure = red("t.py::a", "AttributeError: 'User' object has no attribute 'naem'")
    near = says("ruff", "unused variable", line=44)
    elsewhere = says("mypy", '"User" has no attribute "naem"', "other.py", 3, "attr-defined")
    here = says("mypy", "Incompatible types", line=41, code="assignment")
    far = [says("ruff", "line too long", line=90), says("mypy", 'Argument 1 has type "str"', "z.py")]
    found = beside([failure], [*far, near, elsewhere, here])
    assert [(one.finding, one.why) for one in found] == [(here, "line"), (elsewhere, "name"), (near, "near")]
    assert found[1].told == 'mypy says at other.py:3: "User" has no attribute "naem" [attr-defined]'
    number = red("t.py::a", "TypeError: 'int' object is not iterable", "q.py")
    assert beside([number], [says("mypy", '"int" is not iterable', "z.py")]) == (), "a builtin name tells nothing"


@given(st.lists(st.builds(red, st.text(max_size=40), st.text(max_size=80), st.text(max_size=9), st.integers(1, 9))))
def test_no_failure_is_lost_or_told_twice(findings: list[Finding]) -> None:
    causes = grouped(findings)
    assert sorted(id(one) for cause in causes for one in cause.findings) == sorted(map(id, findings))
    assert all(cause.title for cause in causes)


async def test_causes_of_real_failures(tmp_path: Path) -> None:
    files = {
        "users.py": "def name_of(row):\n    return row['name']\n\n\ndef greet(row):\n    return 'hi ' + nmae_of(row)\n",
        "test_users.py": """
            import pytest
            from users import greet, name_of

            @pytest.mark.parametrize("n", range(4))
            def test_name(n):
                assert name_of({"id": n}) == "x"

            def test_greet():
                assert greet({"name": "Al"}) == "hi Al"
        """,
        "test_lost.py": "import usres\n",
    }
    root = make_project(tmp_path / "project", files)
    project = await open_project(root, Config(), {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    candidate = await project.candidate(await project.snapshot(), {}, cache="candidate")
    try:
        tests = (await PytestCheck(project.interpreter).run(candidate, Wish())).findings
        lint = (await RuffCheck(project.interpreter).run(candidate, Wish())).findings
    finally:
        await candidate.close()
        await project.close()
    lost, names, greeting = grouped(tests, lint)
    assert "test_lost.py cannot be collected" in lost.title
    assert names.title == "4 tests fail with KeyError: 'name' at users.py:2"
    assert greeting.title.startswith("test_users.py::test_greet fails with NameError: name 'nmae_of' is not defined")
    assert [one.told for one in greeting.beside] == ["ruff says at users.py:6: Undefined name `nmae_of` [F821]"]


def test_a_listing_has_causes_with_what_explains_them() -> None:
    tests = tuple(red(f"t.py::test_{n}", "NameError: name 'nmae' is not defined") for n in range(2))
    lint = (says("ruff", "Undefined name `nmae`", code="F821"),)
    results = [
        CheckResult("ruff", "failed", "t", "1 finding", lint),
        CheckResult("pytest", "failed", "t", "2 failed", tests),
    ]
    text = listing(results, 500)
    assert "2 tests fail with NameError: name 'nmae' is not defined at users.py:41\n  t.py::test_0" in text
    assert "  ruff says at users.py:41: Undefined name `nmae` [F821]" in text
