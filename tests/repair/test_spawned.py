"""The lab that starts a process for each variant, over a real project."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent_core.config_tables import Config
from agent_core.protocols import Candidate
from agent_core.repair import spawned
from agent_core.repair.edited import edited
from agent_core.repair.model import Edit, Look, Plan, TestRun
from agent_core.repair.spawned import SpawningLab
from agent_core.workspace.project import Project, open_project
from agent_core.workspace.tree import Changes
from tests.projects import make_project

SHOP = """\
STOP = False

def total(prices, start=0):
    count = start
    for price in prices:
        count -= price
    return check(count)


def check(count):
    if count < -100:
        while True:
            pass
    assert count > -10, "too little"
    return count
"""
TEST = """\
import pytest
import shop
from shop import total

@pytest.fixture(autouse=True)
def _stops(request):
    yield
    request.session.shouldstop = shop.STOP

def test_none(): assert total([]) == 0
def test_one(): assert total([3]) == 3
def test_many(): assert total([9, 9]) == 18
@pytest.mark.skip
def test_later(): pass
"""
NONE, ONE, MANY = (f"test_shop.py::test_{name}" for name in ("none", "one", "many"))


def change(old: str, new: str) -> tuple[Edit, ...]:
    start = SHOP.index(old)
    return (Edit("shop.py", start, start + len(old), new),)


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[SpawningLab]:
    files = {"shop.py": SHOP, "test_shop.py": TEST, "pytest.ini": "[pytest]\npythonpath = .\n"}
    root = await asyncio.to_thread(make_project, tmp_path / "project", files)
    project: Project = await open_project(root, Config(), {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    snapshot = await project.snapshot()

    async def make(changes: Changes) -> Candidate:
        return await project.candidate(snapshot, changes, cache="repair")

    tree = await make({})
    runs = (TestRun(ONE, "failed", 0.1), TestRun(MANY, "failed", 0.1), TestRun(NONE, "passed", 4.0))
    lab = SpawningLab(tree, make, project.interpreter, Look(runs, starting=0.5), workers=2, spare=False)
    yield lab
    await lab.close()
    await tree.close()
    assert [path for path in (project.state / "candidates").glob("*") if path.is_dir()] == []
    await project.close()


async def test_what_comes_of_variants(lab: SpawningLab) -> None:
    every = (ONE, MANY, NONE)
    plans = [
        Plan(1, change("-= price", "+= price"), every),
        Plan(2, change("return check(count)", "return 3"), every),
        Plan(3, change("-= price", "+= = price"), every),
        Plan(4, (), every),
        Plan(5, (Edit("gone.py", 0, 0, "x"),), every),
        Plan(6, (*change("STOP = False", "STOP = 'enough'"), *change("-= price", "+= price")), every),
    ]
    trials = {trial.number: trial async for trial in lab.trials(plans, seconds=60)}
    assert set(trials) == {1, 2, 3, 4, 5, 6}
    assert (trials[1].outcome, trials[1].passed) == ("passed", 3)
    assert trials[2].outcome == "failed"
    assert trials[2].test in {NONE, MANY}
    assert trials[3].outcome == "unusable"
    assert (trials[4].outcome, trials[4].test) == ("failed", ONE)
    assert trials[4].why.startswith("AssertionError")
    assert "3" in trials[4].why
    assert trials[5].outcome == "unusable"
    # Nothing failed, but not all were run.
    assert (trials[6].outcome, trials[6].passed, trials[6].why) == ("failed", 1, "not every test was run")
    assert await lab.behaviour(plans[:2], seconds=1) == ((), ())


async def test_trials_end_with_their_time_and_when_they_are_left(lab: SpawningLab) -> None:
    hangs = change("count > -10", "[print() for _ in iter(int, 1)]")
    assert [trial async for trial in lab.trials([Plan(1, hangs, (ONE,))], seconds=2)] == []
    plans = [Plan(number, change("-= price", "+= price"), (ONE, NONE)) for number in range(40)]
    async with contextlib.aclosing(lab.trials(plans, seconds=60)) as trials:
        assert (await anext(trials)).outcome == "passed"


async def test_a_variant_may_take_a_few_times_as_long_as_the_tests_do(
    lab: SpawningLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spawned, "_LEAST_SECONDS", 0.1)
    slow = change("-= price", "+= price; __import__('time').sleep(60)")
    hung = Plan(1, slow, (ONE,))
    assert [trial.outcome async for trial in lab.trials([hung], seconds=60)] == ["hung"]
    # One that takes its time as it is may take it again.
    waits = change("count = start", "count = start; __import__('time').sleep(3)")
    assert [trial.outcome async for trial in lab.trials([Plan(2, waits, (NONE,))], seconds=60)] == ["passed"]


def test_edits_keep_byte_order_marks_and_line_ends() -> None:
    files = {"a.py": b"\xef\xbb\xbfx = 1\r\ny = 2\r\n", "b.py": "s = 'é'\n".encode()}
    edits = (Edit("a.py", 4, 5, "3"), Edit("b.py", 5, 6, "ü"))
    made = edited(edits, files.get)
    assert made["a.py"].data == b"\xef\xbb\xbfx = 3\r\ny = 2\r\n"
    assert made["b.py"].data == "s = 'ü'\n".encode()
    with pytest.raises(ValueError, match="not there"):
        edited((Edit("c.py", 0, 0, ""),), files.get)
