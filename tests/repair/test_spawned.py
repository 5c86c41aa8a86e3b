"""The lab that starts a process for each variant, over a real project."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent_core.config_tables import Config
from agent_core.protocols import Candidate
from agent_core.repair.edited import edited
from agent_core.repair.model import Edit, Plan, TestRun
from agent_core.repair.spawned import SpawningLab
from agent_core.repair.spawned_report import kind_of
from agent_core.workspace.project import Project, open_project
from agent_core.workspace.tree import Changes
from tests.projects import make_project

SHOP = """\
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
from shop import total

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

    lab = SpawningLab(make, project.interpreter, workers=2, spare=False)
    yield lab
    await lab.close()
    assert [path for path in (project.state / "candidates").glob("*") if path.is_dir()] == []
    await project.close()


async def test_a_look_and_trials(lab: SpawningLab) -> None:
    heard: list[TestRun] = []
    look = await lab.look([ONE], seconds=30, hear=heard.append)
    assert (look.fault, look.safe, look.whole) == ("", False, True)
    runs = {run.test: run for run in look.runs}
    assert {test: run.outcome for test, run in runs.items()} == {
        NONE: "passed",
        ONE: "failed",
        MANY: "failed",
        "test_shop.py::test_later": "skipped",
    }
    assert tuple(heard) == look.runs
    many = runs[MANY]
    assert many.error == "AssertionError"
    assert [(frame.path, frame.line, frame.function) for frame in many.frames][-2:] == [
        ("shop.py", 5, "total"),
        ("shop.py", 12, "check"),
    ]
    assert [(value.name, value.kind, value.text) for value in many.frames[-1].values] == [("count", "int", "-18")]

    every = (ONE, MANY, NONE)
    plans = [
        Plan(1, change("-= price", "+= price"), every),
        Plan(2, change("return check(count)", "return 3"), every),
        Plan(3, change("-= price", "+= = price"), every),
        Plan(4, (), every),
        Plan(5, (Edit("gone.py", 0, 0, "x"),), every),
    ]
    trials = {trial.number: trial async for trial in lab.trials(plans, seconds=60)}
    assert set(trials) == {1, 2, 3, 4, 5}
    assert (trials[1].outcome, trials[1].passed) == ("passed", 3)
    assert trials[2].outcome == "failed"
    assert trials[2].test in {NONE, MANY}
    assert trials[3].outcome == "unusable"
    assert (trials[4].outcome, trials[4].test) == ("failed", ONE)
    assert "3" in trials[4].why
    assert trials[5].outcome == "unusable"
    assert await lab.behaviour(plans[:2], seconds=1) == ((), ())


async def test_trials_end_with_their_time_and_when_they_are_left(lab: SpawningLab) -> None:
    hangs = change("count > -10", "[print() for _ in iter(int, 1)]")
    assert [trial async for trial in lab.trials([Plan(1, hangs, (ONE,))], seconds=2)] == []
    plans = [Plan(number, change("-= price", "+= price"), (ONE,)) for number in range(40)]
    trials = lab.trials(plans, seconds=60)
    assert (await anext(trials)).outcome == "passed"
    await trials.aclose()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("3", "int"),
        ("'a'", "str"),
        ("[1, 2, <object>]", "list"),
        ("{'a': ...", "dict"),
        ("None", "NoneType"),
        ("<shop.Cart object at 0x1>", "Cart"),
        ("Cart(items=[])", "Cart"),
        ("datetime.date(2020, 1, 1)", "date"),
        ("~", ""),
    ],
)
def test_kinds_of_values_by_what_they_look_like(text: str, kind: str) -> None:
    assert kind_of(text) == kind


def test_edits_keep_byte_order_marks_and_line_ends() -> None:
    files = {"a.py": b"\xef\xbb\xbfx = 1\r\ny = 2\r\n", "b.py": "s = 'é'\n".encode()}
    edits = (Edit("a.py", 4, 5, "3"), Edit("b.py", 5, 6, "ü"))
    made = edited(edits, files.get)
    assert made["a.py"].data == b"\xef\xbb\xbfx = 3\r\ny = 2\r\n"
    assert made["b.py"].data == "s = 'ü'\n".encode()
    with pytest.raises(ValueError, match="not there"):
        edited((Edit("c.py", 0, 0, ""),), files.get)
