"""The test check, over real test runs of every kind."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import pytest

from agent_core.checks.model import Wish
from agent_core.checks.pytest import PytestCheck
from agent_core.workspace.interpreter import Interpreter
from tests.checks.conftest import THIS_PYTHON, Open, candidate_of, run_one

CHECK = PytestCheck(THIS_PYTHON, timeout=60)


async def test_passes_fails_and_skips_are_told_with_evidence(opened: Open) -> None:
    project = await opened(
        {
            "shop.py": """
                def find(users, wanted):
                    password = "hunter2-hunter2"
                    for user in users:
                        if user["name"] == wanted:
                            return user
            """,
            "test_shop.py": """
                import pytest
                from shop import find

                def test_find():
                    print("looking for ada")
                    find([{"id": 1}], "ada")

                def test_numbers():
                    left, right = 3, 4
                    assert left == right, "they differ"

                def test_fine():
                    assert find([{"name": "ada"}], "ada")

                @pytest.mark.skip
                def test_later(): ...

                @pytest.mark.xfail
                def test_known(): assert 0
            """,
        }
    )
    result = await run_one(CHECK, project)
    assert result.outcome == "failed", result
    assert result.summary == "2 failed, 1 passed, 1 skipped, 1 xfailed"
    assert result.total == 3  # neither the skipped nor the expected failure
    find, numbers = result.findings
    assert (find.code, find.message, find.place) == ("test_shop.py::test_find", "KeyError: 'name'", "shop.py:4")
    assert find.text == 'if user["name"] == wanted:'
    assert "test_shop.py:6 in test_find" in find.detail
    assert "wanted = 'ada'" in find.detail
    assert "user = {'id': 1}" in find.detail
    assert "looking for ada" in find.detail
    assert "password = '***'" in find.detail
    assert "hunter2" not in find.detail
    assert numbers.message == "AssertionError: they differ"
    assert numbers.place == "test_shop.py:10"
    assert "assert 3 == 4" in numbers.detail


async def test_all_passing_is_a_pass_and_progress_is_told(opened: Open) -> None:
    project = await opened({"test_a.py": "import time\ndef test_a(): time.sleep(0.5)\ndef test_b(): pass\n"})
    candidate = await candidate_of(project)
    told: list[tuple[int, int]] = []
    result = await CHECK.run(candidate, Wish(lambda done, total: told.append((done, total))))
    await candidate.close()
    assert (result.outcome, result.summary, result.total) == ("passed", "2 passed", 2)
    assert told[0] == (0, 2)
    assert told[-1] == (2, 2)


async def test_a_project_without_tests_is_told_without_starting_anything(opened: Open) -> None:
    project = await opened({"app.py": "x = 1\n"})
    nowhere = PytestCheck(Interpreter(Path("/nowhere/python"), "nowhere"))
    result = await run_one(nowhere, project)
    assert (result.outcome, result.summary) == ("no_tests", "the project has no tests")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def helper(): pass\n", "no tests were collected"),
        ("import pytest\n@pytest.mark.skip\ndef test_a(): pass\n", "no test really ran"),
    ],
)
async def test_zero_tests_is_never_a_pass(opened: Open, text: str, words: str) -> None:
    result = await run_one(CHECK, await opened({"test_a.py": text}))
    assert result.outcome == "no_tests"
    assert words in result.summary


async def test_what_cannot_be_collected_is_a_finding_and_the_rest_runs(opened: Open) -> None:
    project = await opened(
        {
            "shop.py": "import nothing_of_that_name\n",
            "test_a.py": "import shop\n\ndef test_a(): pass\n",
            "test_b.py": "def test_b(): pass\n",
            "test_c.py": "def test_c(:\n",
        }
    )
    result = await run_one(CHECK, project)
    assert result.outcome == "failed"
    assert result.summary == "2 files cannot be collected, 1 passed"
    missing, syntax = result.findings
    assert missing.code == "test_a.py"
    assert missing.message == "ModuleNotFoundError: No module named 'nothing_of_that_name'"
    assert missing.place == "shop.py:1"
    assert syntax.code == "test_c.py"
    assert syntax.message.startswith("SyntaxError")
    assert syntax.place == "test_c.py:1"


async def test_setup_and_teardown_failures_are_one_finding_a_test(opened: Open) -> None:
    project = await opened(
        {
            "test_a.py": """
                import pytest

                @pytest.fixture
                def bad_end():
                    yield
                    raise RuntimeError("left dirty")

                @pytest.fixture
                def bad_start():
                    raise OSError("no disk")

                def test_end(bad_end): assert 1 == 2
                def test_start(bad_start): pass
            """,
        }
    )
    result = await run_one(CHECK, project)
    end, start = result.findings
    assert result.summary == "2 failed"
    assert end.message == "AssertionError: assert 1 == 2"
    assert "RuntimeError: left dirty (in teardown of fixture bad_end)" in end.detail
    assert start.message == "OSError: no disk (in setup of fixture bad_start)"


async def test_the_cause_of_an_error_is_told(opened: Open) -> None:
    project = await opened(
        {
            "test_a.py": """
                def inner(number):
                    return 1 / number

                def test_a():
                    try:
                        inner(0)
                    except ZeroDivisionError as error:
                        raise ValueError("bad number") from error
            """,
        }
    )
    [found] = (await run_one(CHECK, project)).findings
    assert found.message == "ValueError: bad number"
    assert "which came from:" in found.detail
    assert "test_a.py:2 in inner" in found.detail
    assert "number = 0" in found.detail


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import os; os._exit(0)", "ended with exit status 0 while running test_a.py::test_a"),
        ("import os; os._exit(1)", "ended with exit status 1 while running test_a.py::test_a"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "while running test_a.py::test_a"),
        ("import pytest; pytest.exit('enough')", "enough"),
    ],
)
async def test_a_run_that_breaks_off_is_an_error_that_names_the_test(opened: Open, body: str, words: str) -> None:
    project = await opened({"test_a.py": f"def test_a():\n    {body}\n\ndef test_b(): pass\n"})
    result = await run_one(CHECK, project)
    assert result.outcome == "error"
    assert words in result.summary


async def test_a_broken_conftest_is_an_error_that_says_why(opened: Open) -> None:
    project = await opened({"conftest.py": "import nothing_of_that_name\n", "test_a.py": "def test_a(): pass\n"})
    result = await run_one(CHECK, project)
    assert result.outcome == "error"
    assert "No module named 'nothing_of_that_name'" in result.summary
    assert "conftest.py" in result.output


async def test_wrong_options_are_an_error(opened: Open) -> None:
    project = await opened({"pytest.ini": "[pytest]\naddopts = --no-such-thing\n", "test_a.py": "def test_a(): pass\n"})
    result = await run_one(CHECK, project)
    assert result.outcome == "error"
    assert "--no-such-thing" in result.summary


async def test_a_hanging_test_is_named_and_killed_though_it_ignores_sigterm(opened: Open) -> None:
    project = await opened(
        {
            "test_a.py": """
                import signal, time

                def test_quick(): pass

                def test_hangs():
                    signal.signal(signal.SIGTERM, signal.SIG_IGN)
                    time.sleep(600)
            """,
        }
    )
    start = time.monotonic()
    result = await run_one(PytestCheck(THIS_PYTHON, timeout=8), project)
    assert time.monotonic() - start < 60
    assert result.outcome == "timeout"
    assert "test_a.py::test_hangs" in result.summary
    assert "1 passed before" in result.summary


async def test_cancelling_ends_the_run(opened: Open, tmp_path: Path) -> None:
    project = await opened({"test_a.py": "import time\ndef test_a(): time.sleep(600)\n"})
    candidate = await candidate_of(project)
    began = asyncio.Event()
    task = asyncio.create_task(CHECK.run(candidate, Wish(lambda _done, _total: began.set())))
    await asyncio.wait_for(began.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 30)
    assert not list((candidate.cache / "pytest").glob("run-*"))
    await candidate.close()


async def test_pytest_that_is_not_installed_is_missing_with_a_hint(opened: Open) -> None:
    project = await opened({"test_a.py": "def test_a(): pass\n", ".gitignore": ".venv\n"})
    venv = project.root / ".venv"
    done = await asyncio.create_subprocess_exec(sys.executable, "-m", "venv", "--without-pip", str(venv))
    assert await done.wait() == 0
    result = await run_one(PytestCheck(Interpreter(venv / "bin" / "python", ".venv", venv)), project)
    assert result.outcome == "missing"
    assert result.summary.startswith("pytest is not installed in .venv; install it with")


async def test_a_python_that_is_not_there_is_missing(opened: Open) -> None:
    project = await opened({"test_a.py": "def test_a(): pass\n"})
    result = await run_one(PytestCheck(Interpreter(Path("/nowhere/python"), "nowhere")), project)
    assert result.outcome == "missing"


async def test_the_projects_options_hold_and_all_tests_run_all_the_same(opened: Open) -> None:
    project = await opened(
        {
            "pytest.ini": "[pytest]\naddopts = -p xdist.plugin -x --ff -q -n 2\npython_files = check_*.py\n",
            "check_a.py": """
                import pytest

                @pytest.mark.parametrize("number", range(6))
                def test_number(number):
                    local = number * 2
                    assert number % 2

                def test_fine(): pass
            """,
        },
    )
    result = await run_one(CHECK, project)
    assert result.outcome == "failed"
    assert result.summary == "3 failed, 4 passed"
    assert result.total == 7
    assert {finding.code for finding in result.findings} == {f"check_a.py::test_number[{n}]" for n in (0, 2, 4)}
    assert all("local = " in finding.detail for finding in result.findings)


async def test_a_worker_of_xdist_that_dies_is_told(opened: Open) -> None:
    project = await opened(
        {
            "pytest.ini": "[pytest]\naddopts = -p xdist.plugin -n 1\n",
            "test_a.py": "import os\ndef test_a(): os._exit(3)\ndef test_b(): pass\n",
        },
    )
    result = await run_one(CHECK, project)
    assert result.outcome == "failed"
    assert [finding.code for finding in result.findings] == ["test_a.py::test_a"]
    assert "crashed" in result.findings[0].message


async def test_hostile_tests_do_not_confuse_the_report(opened: Open) -> None:
    project = await opened(
        {
            "test_a.py": r"""
                import os, sys

                class Nasty:
                    def __repr__(self): raise SystemExit("no")

                def test_prints_much():
                    sys.stdout.write("x" * 3_000_000)
                    nasty, big = Nasty(), "y" * 100_000
                    raise RuntimeError("\x1b[31mred\x1b[0m \udcff " + "z" * 100_000)

                def test_forks():
                    if os.fork() == 0:
                        raise AssertionError("in the child")
                    os.wait()
            """,
        }
    )
    result = await run_one(CHECK, project)
    assert result.outcome == "failed", result
    assert result.summary == "1 failed, 1 passed"
    [found] = result.findings
    assert found.code == "test_a.py::test_prints_much"
    assert "\x1b" not in found.message + found.detail
    assert "nasty = <repr raised SystemExit>" in found.detail
    assert len(found.detail) < 8000
    assert found.detail.encode("utf-8")


async def test_failing_without_a_failing_test_is_not_a_pass(opened: Open) -> None:
    project = await opened(
        {
            "conftest.py": "def pytest_sessionfinish(session): session.exitstatus = 1\n",
            "test_a.py": "def test_a(): pass\n",
        }
    )
    result = await run_one(CHECK, project)
    assert result.outcome == "failed"
    assert result.findings[0].message.startswith("pytest failed though no test did")


async def test_unittest_and_doctest_failures_have_evidence(opened: Open) -> None:
    project = await opened(
        {
            "pytest.ini": "[pytest]\naddopts = --doctest-modules\n",
            "calc.py": "def double(x):\n    '''\n    >>> double(2)\n    5\n    '''\n    return 2 * x\n",
            "test_a.py": """
                import unittest
                from calc import double

                class TestDouble(unittest.TestCase):
                    def test_double(self):
                        self.assertEqual(double(2), 5)
            """,
        }
    )
    result = await run_one(CHECK, project)
    by_code = {finding.code: finding for finding in result.findings}
    assert set(by_code) == {"calc.py::calc.double", "test_a.py::TestDouble::test_double"}
    assert by_code["test_a.py::TestDouble::test_double"].message == "AssertionError: 4 != 5"
    doctest = by_code["calc.py::calc.double"]
    assert (doctest.place, doctest.text) == ("calc.py:3", "double(2)")
    assert doctest.message == "DocTestFailure: double(2) gives 4, expected 5"
