"""Tests are foreign code: what they do to the run that judges them is never a pass, and reaches nothing outside."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent_core.checks.model import Wish
from agent_core.checks.pytest import PytestCheck
from tests.checks.conftest import THIS_PYTHON, Open, candidate_of, run_one

CHECK = PytestCheck(THIS_PYTHON, timeout=60)
BEGIN = """
import os
import shutil
from pathlib import Path

import pairloop_pytest

def test_deed():
    cache = next(place for place in Path(pairloop_pytest.__file__).parents if place.name == "pytest").parent
    (report,) = cache.glob('pytest/run-*/report.jsonl')
"""
FINE = "def test_fine(): pass\n"


@pytest.mark.parametrize(
    "deed",
    [
        # The whole folder is a link to somewhere else.
        "shutil.rmtree(cache / 'pytest'); (cache / 'pytest').symlink_to({victim!r})",
        # The plug-in's file is a link to a file of the human's.
        "copy = Path(pairloop_pytest.__file__); copy.unlink(); copy.symlink_to({victim!r} + '/mine.txt')",
        # So is what is kept for the next run.
        "kept = cache / 'pytest/touches.json'; kept.symlink_to({victim!r} + '/mine.txt')",
    ],
)
async def test_nothing_is_written_through_links_that_a_test_leaves(opened: Open, tmp_path: Path, deed: str) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "mine.txt").write_text("mine")
    project = await opened({"test_deed.py": f"{BEGIN}    {deed.format(victim=str(victim))}\n"})
    await run_one(CHECK, project)
    result = await run_one(CHECK, project, {"test_deed.py": FINE})
    assert result.outcome == "passed", result
    assert [path.name for path in victim.iterdir()] == ["mine.txt"]
    assert (victim / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        # Found out as rewritten, as cut off or as never begun, depending on how much of it was read before.
        ("report.unlink(); os.mkfifo(report); os._exit(0)", "did not finish|ran without telling what happens"),
        ("report.unlink()", ""),
        ("report.open('a').write(report.read_text().splitlines(True)[-1])", "report of the test run"),
        ("""report.open('a').write('{"e": "end", "id": "x", "outcome": "passed", "k": 3}\\n')""", "report of the test"),
        ("import atexit; atexit.register(os._exit, 0); assert 0", "1 failed"),
        ("import signal; os.killpg(0, signal.SIGKILL)", "while running test_deed.py::test_deed"),
        (
            "import threading; threading.Timer(0.01, os._exit, (0,)).start(); threading.Event().wait(30)",
            "while running",
        ),
    ],
)
async def test_what_a_test_does_to_the_run_is_never_a_pass(opened: Open, deed: str, words: str) -> None:
    project = await opened({"test_deed.py": f"{BEGIN}    {deed}\n", "test_fine.py": FINE})
    result = await run_one(CHECK, project)
    assert result.outcome == ("failed" if words == "1 failed" else "error"), result
    assert re.search(words, result.summary)


@pytest.mark.parametrize(
    ("files", "outcome", "words"),
    [
        ({"pytest.ini": "[pytest]\naddopts = --collect-only\n"}, "no_tests", "1 test was collected and none was run"),
        ({"pytest.ini": "[pytest]\naddopts = -k nothing_of_that_name\n"}, "no_tests", "no tests were collected"),
        (
            {"conftest.py": "def pytest_configure(config): config.pluginmanager.unregister(name='pairloop_pytest')\n"},
            "error",
            "did not finish",
        ),
        ({"test_exit.py": "import sys\nsys.exit(0)\n"}, "error", "SystemExit: 0 at test_exit.py:2"),
        ({"conftest.py": "import os\nos._exit(0)\n"}, "error", "ended with exit status 0 and did not finish"),
        (
            {"conftest.py": "def pytest_runtest_protocol(item): return True\n"},
            "no_tests",
            "1 test was collected and none was run",
        ),
        (
            {"conftest.py": "def pytest_sessionfinish(session): session.exitstatus = 0\n", "test_b.py": "assert 0\n"},
            "failed",
            "1 file cannot be collected",
        ),
        ({"conftest.py": "def pytest_collection_modifyitems(items): 1 / 0\n"}, "error", "ZeroDivisionError"),
        (
            {
                "conftest.py": "import pytest\ndef pytest_runtest_logfinish(nodeid): pytest.exit('enough', 0)\n",
                "test_b.py": FINE,
            },
            "error",
            "only 1 of 2 tests were run",
        ),
    ],
)
async def test_what_a_project_does_to_the_run_is_never_a_pass(
    opened: Open, files: dict[str, str], outcome: str, words: str
) -> None:
    result = await run_one(CHECK, await opened({"test_fine.py": FINE, **files}))
    assert result.outcome == outcome, result
    assert words in result.summary


async def test_a_run_that_does_not_end_says_that_its_tests_did(opened: Open) -> None:
    body = "import threading\ndef test_a(): threading.Thread(target=threading.Event().wait).start()\n"
    result = await run_one(PytestCheck(THIS_PYTHON, timeout=5), await opened({"test_a.py": body}))
    assert result.outcome == "timeout"
    assert result.summary == "its tests came to an end (1 passed), pytest not within 5 s"


async def test_a_teardown_that_hangs_is_named(opened: Open) -> None:
    body = """
        import signal, threading
        import pytest

        @pytest.fixture
        def slow():
            yield
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            threading.Event().wait()

        def test_a(slow): pass
    """
    result = await run_one(PytestCheck(THIS_PYTHON, timeout=5), await opened({"test_a.py": body}))
    assert result.outcome == "timeout"
    assert "test_a.py::test_a" in result.summary


async def test_a_hundred_megabytes_are_no_trouble(opened: Open) -> None:
    body = "import os\ndef test_a():\n    for _ in range(100): os.write(1, b'x' * 1_000_000)\n    assert 0\n"
    result = await run_one(CHECK, await opened({"test_a.py": body}))
    assert (result.outcome, result.summary) == ("failed", "1 failed")
    assert len(result.findings[0].detail) < 10_000


async def test_many_tests_are_told_one_by_one_in_little_room(opened: Open) -> None:
    body = "import pytest\n@pytest.mark.parametrize('n', range(1000))\ndef test_a(n): assert n % 10\n"
    candidate = await candidate_of(await opened({"test_a.py": body}))
    result = await CHECK.run(candidate, Wish())
    await candidate.close()
    assert result.summary == "100 failed, 900 passed"
    assert (len(result.passed), len(result.findings)) == (900, 100)
    assert sum(len(finding.detail) for finding in result.findings) < 50_000
