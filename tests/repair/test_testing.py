"""What is found out about failing tests before anything is changed, and what is said where that is of no use."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from agent_core.repair import search as searching
from agent_core.repair import testing
from agent_core.repair.model import Found, Look, TestRun, Wanted
from agent_core.repair.testing import TestRepairs
from tests.repair.quick_lab import PATH, QuickLab

FIRST = "def first(items):\n    return items[1]\n"


@pytest.fixture(autouse=True)
def _not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "_GO_ON", (0.0, 0.0))


async def find(lab: QuickLab, runs: Sequence[TestRun], *, safe: bool = True, seconds: float = 10.0) -> Found:
    tree: Any = SimpleNamespace(read=lab.read)
    nobody: Any = None
    repairs = TestRepairs(
        tree,
        nobody,
        nobody,
        lab.project(),
        allowed=lambda path: path == PATH,
        wanted=Wanted(seconds=seconds),
        tell=lambda _: None,
        enough=asyncio.Event(),
    )
    look = Look(tuple(runs), safe=safe)
    found = await asyncio.wait_for(repairs.find([], (lab, look), until=time.monotonic() + seconds), 30)
    assert lab.closed
    return found


def failed(error: str, message: str, *, test: str = "t.py::test_a", seconds: float = 0.1) -> TestRun:
    return TestRun(test, "failed", seconds, {PATH: (2,)}, error, message)


@pytest.mark.parametrize(
    ("run", "word"),
    [
        (failed("gaierror", "[Errno -3] no name"), "t.py::test_a needs the network, which tests cannot reach here"),
        (failed("ModuleNotFoundError", "No module named 'numpy.linalg'"), "cannot be mended by a change of the code"),
        (failed("FixtureLookupError", "fixture 'db' not found"), "cannot be mended by a change of the code"),
        (failed("AssertionError", "", seconds=4.0), "t.py::test_a takes 4 s, too long to try changes within 10 s"),
    ],
)
async def test_where_no_change_can_help_none_is_tried_and_why_is_told(run: TestRun, word: str) -> None:
    lab = QuickLab(FIRST, {})
    found = await find(lab, [run])
    assert word in found.word
    assert (found.repairs, found.tried, lab.tried) == ((), 0, [])
    assert found.failing == (run,)


@pytest.mark.parametrize("safe", [True, False])
async def test_what_lacks_something_does_not_keep_the_rest_from_being_mended(
    safe: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = QuickLab(FIRST, {"first": "assert first([1, 2]) == 1"})
    monkeypatch.setattr(testing, "SpawningLab", lambda *_, **__: lab)
    lacking = failed("ModuleNotFoundError", "No module named 'numpy'")
    found = await find(lab, [lab.run("first"), lacking], safe=safe)
    assert found.repairs
    assert [run.test for run in found.failing] == ["first"]
    # Not all tests pass with it.
    assert not found.repairs[0].whole


async def test_what_the_project_itself_does_not_have_may_be_mended() -> None:
    lab = QuickLab(FIRST, {"first": "assert first([1, 2]) == 1"})
    run = lab.run("first")
    own = TestRun("first", "failed", 0.1, run.lines, "ModuleNotFoundError", "No module named 'shop.prices'")
    assert (await find(lab, [own])).repairs


async def test_a_test_that_wavers_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = QuickLab(FIRST, {"first": "assert first([1, 2]) == 1", "t::luck": "assert True"})
    monkeypatch.setattr(testing, "SpawningLab", lambda *_, **__: lab)
    lucky = failed("AssertionError", "", test="t::luck")
    # Who forks says so; where each change has a process of its own the tests are run again before anything is tried.
    wavers = TestRun("t::luck", "failed", 0.1, {PATH: (2,)}, "AssertionError", wavers=True)
    for run, safe in ((wavers, True), (lucky, False)):
        alone = await find(lab, [run], safe=safe)
        assert alone.word.startswith("t::luck fails at one time and passes at another without any change")
        assert alone.tried == 0
        found = await find(lab, [lab.run("first"), run], safe=safe)
        assert [one.test for one in found.failing] == ["first"]
        assert found.repairs
