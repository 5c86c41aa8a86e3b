"""The search, over programs of a few lines."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence

import pytest

from agent_core.repair import batches
from agent_core.repair import search as searching
from agent_core.repair.aim import Aim, Outcome
from agent_core.repair.hunt import split
from agent_core.repair.model import Progress, TestRun, Variant, with_edits
from agent_core.repair.search import Search, how_much_longer
from tests.repair.quick_lab import PATH, HangingLab, QuickLab, UnluckyLab


@pytest.fixture(autouse=True)
def _not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "_GO_ON", (0.2, 0.4))
    monkeypatch.setattr(searching, "_SHARE_SURE", 1.0)


async def search(
    lab: QuickLab,
    *,
    seconds: float = 20.0,
    enough: asyncio.Event | None = None,
    told: list[Progress] | None = None,
    ordered: bool = True,
    only: Sequence[str] = (),
    objection: Callable[[Variant], Awaitable[str]] | None = None,
) -> Outcome:
    runs = [lab.run(test) for test in lab.tests]
    failing = tuple(run for run in runs if run.bad and (not only or run.test in only))
    passing = tuple(run for run in runs if run.outcome == "passed")
    now = time.monotonic()
    aim = Aim(
        failing=failing,
        passing=passing,
        whole=True,
        ordered=ordered,
        allowed=lambda path: path == PATH,
        until=now + seconds,
        limit=seconds,
    )
    heard = told if told is not None else []
    enough = enough or asyncio.Event()
    return await Search(lab, lab.project(failing), aim, heard.append, enough, objection=objection).run()


def texts(lab: QuickLab, outcome: Outcome) -> list[str]:
    return [with_edits(lab.files[PATH], one.variant.edits) for one in outcome.survivors]


CLAMP = """
    def clamp(value, low, high):
        if value < low:
            return low
        if value < high:
            return high
        return value
"""
CLAMPED = {
    "low": "assert clamp(-1, 0, 9) == 0",
    "high": "assert clamp(11, 0, 9) == 9",
    "between": "assert clamp(4, 0, 9) == 4",
    "edge": "assert clamp(9, 0, 9) == 9",
}


@pytest.mark.parametrize("ordered", [True, False])
async def test_one_wrong_comparison_is_found_and_passes_all_tests(ordered: bool) -> None:
    lab = QuickLab(CLAMP, CLAMPED)
    outcome = await search(lab, ordered=ordered)
    assert lab.files[PATH].replace("value < high", "value > high") in texts(lab, outcome)
    assert outcome.left == ()
    for one in outcome.survivors:
        assert one.whole
        assert one.passed == 4
        assert set(one.mends) == {"high", "between"}
        assert not any(lab.run(test, one.variant.edits).bad for test in lab.tests)


async def test_what_breaks_a_test_that_passed_is_no_repair() -> None:
    lab = QuickLab(
        "def sign(x):\n    return 1 if x > 0 else 0\n",
        {"zero": "assert sign(0) == 0", "one": "assert sign(3) == 1", "minus": "assert sign(-3) == -1"},
    )
    outcome = await search(lab, seconds=3)
    for one in outcome.survivors:
        assert not any(lab.run(test, one.variant.edits).bad for test in lab.tests)


TWO = """
    def first(items):
        return items[1]

    def more(count):
        return count - 1
"""


async def test_two_faults_in_two_functions_are_one_repair() -> None:
    lab = QuickLab(
        TWO,
        {"first": "assert first([1, 2]) == 1", "more": "assert more(2) == 3", "again": "assert more(0) == 1"},
    )
    outcome = await search(lab)
    assert lab.files[PATH].replace("items[1]", "items[0]").replace("count - 1", "count + 1") in texts(lab, outcome)
    assert set(outcome.survivors[0].mends) == {"first", "more", "again"}


async def test_where_only_one_of_two_faults_can_be_mended_the_other_is_named() -> None:
    lab = QuickLab(
        """
        def first(items):
            return items[1]

        def oracle(text):
            return None
        """,
        {
            "first": "assert first([1, 2]) == 1",
            "oracle": "assert oracle('a') == 'qx17'; assert oracle('b') == '93k'; assert oracle('c') == 'pp'",
        },
    )
    outcome = await search(lab, seconds=60)
    assert lab.files[PATH].replace("items[1]", "items[0]") in texts(lab, outcome)
    assert outcome.left == ("oracle",)
    assert outcome.exhausted
    # One test fails with it, so it can't be said that all pass.
    assert not any(one.whole for one in outcome.survivors)


async def test_those_without_a_repair_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_SIZE", (1, 1))
    lab = QuickLab(
        """
        def first(items):
            return items[1]

        def oracle(text):
            size = len(text) + 1
            return size * 2
        """,
        {"first": "assert first([1, 2]) == 1", "oracle": "assert oracle('a') == 'qx17'"},
    )
    enough, mends = asyncio.Event(), list[int]()

    def after(count: int) -> None:
        if lab.trial(lab.tried[-1]).outcome == "passed":
            mends.append(count)
        if mends and count >= mends[0] + 6:
            enough.set()

    lab.after = after
    await search(lab, seconds=60, enough=enough)
    asked = [plan.tests[0] for plan in lab.tried]
    mended = mends[0] - 1
    assert asked[mended] == "first"
    assert set(asked[mended + 1 : mended + 6]) == {"oracle"}


async def test_repairs_that_do_not_go_together_are_told_by_themselves() -> None:
    lab = QuickLab(
        "def f():\n    return 0\n\n\ndef g():\n    return 1\n",
        {"f": "assert f() == 1", "g": "assert g() == 2", "both": "assert f() + g() <= 2"},
    )
    outcome = await search(lab, seconds=60)
    assert outcome.survivors
    mended = {test for test in ("f", "g") if not lab.run(test, outcome.survivors[0].variant.edits).bad}
    assert mended == set(outcome.survivors[0].mends)
    assert mended | set(outcome.left) == {"f", "g"}
    assert len(outcome.left) == 1
    assert not any(one.whole for one in outcome.survivors)


async def test_it_looks_further_for_a_while_and_then_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_SIZE", (1, 1))
    monkeypatch.setattr(searching, "_GO_ON", (0.0, 0.0))
    lab = QuickLab(CLAMP, CLAMPED)
    outcome = await search(lab)
    assert len(outcome.survivors) == 1
    assert lab.trial(lab.tried[-1]).outcome == "passed"


def test_what_is_sure_is_offered_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "_GO_ON", (2.0, 20.0))
    monkeypatch.setattr(searching, "_SHARE_SURE", 0.2)
    took = (0.1, 10.0, 50.0)
    assert [how_much_longer(one, clean=True, sure=False) for one in took] == [2, 10, 20]
    assert [how_much_longer(one, clean=False, sure=False) for one in took] == [20, 20, 20]
    assert [how_much_longer(one, clean=True, sure=True) for one in took] == [2, 4, 6]


async def test_what_the_checks_object_to_is_marked_until_there_is_one_they_are_content_with() -> None:
    lab, asked = QuickLab("def f(x):\n    return x - 1\n", {"a": "assert f(1) == 2"}), list[Variant]()

    async def objection(variant: Variant) -> str:
        asked.append(variant)
        return "" if len(asked) == 2 else "mypy says of it: no"

    outcome = await search(lab, objection=objection)
    assert len(outcome.survivors) > 2
    assert [one.variant for one in outcome.survivors[:2]] == asked
    assert [one.objection for one in outcome.survivors[:3]] == ["mypy says of it: no", "", ""]


async def test_pairs_take_turns_with_what_is_left_of_single_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_SIZE", (4, 4))
    monkeypatch.setattr(searching, "_TELL_EVERY", 0.0)
    monkeypatch.setattr(searching, "_PAIRS_AFTER", 0.0)
    lab, told = QuickLab(CLAMP, {"never": "assert clamp(1, 2, 3) == 'never'"}), list[Progress]()
    enough = asyncio.Event()
    lab.after = lambda count: enough.set() if count == 40 else None
    await search(lab, enough=enough, told=told)
    stages = [stage for stage, _ in itertools.groupby(one.stage for one in told)]
    assert stages[:4] == ["trying", "pairs", "trying", "pairs"]


async def test_two_faults_in_one_function_are_found_as_a_pair() -> None:
    lab = QuickLab(
        """
        def span(items):
            low = min(items)
            high = min(items)
            return high + low
        """,
        {"a": "assert span([1, 5, 3]) == 4", "b": "assert span([2, 9]) == 7", "c": "assert span([7, 8]) == 1"},
    )
    outcome = await search(lab, seconds=30)
    wanted = lab.files[PATH].replace("high = min", "high = max").replace("high + low", "high - low")
    assert wanted in texts(lab, outcome)


async def test_enough_ends_it_at_once_with_what_there_is() -> None:
    lab = QuickLab("def f(x):\n    return None\n", {"a": "assert f(1) == 'never'; assert f(2) == 'ever'"})
    enough = asyncio.Event()
    lab.after = lambda count: enough.set() if count == 5 else None
    outcome = await asyncio.wait_for(search(lab, enough=enough), 30)
    assert len(lab.tried) <= 6
    assert outcome.survivors == ()
    assert outcome.tried <= 6


async def test_a_lab_that_hangs_is_left_when_somebody_has_enough() -> None:
    lab, enough = HangingLab(), asyncio.Event()
    task = asyncio.create_task(search(lab, seconds=600, enough=enough))
    await asyncio.wait_for(lab.running.wait(), 30)
    enough.set()
    outcome = await asyncio.wait_for(task, 30)
    assert lab.ended.is_set()
    assert outcome.survivors == ()


async def test_cancelling_closes_what_runs() -> None:
    lab = HangingLab()
    task = asyncio.create_task(search(lab, seconds=600))
    await asyncio.wait_for(lab.running.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 30)
    assert lab.ended.is_set()


async def test_its_time_is_kept() -> None:
    lab = QuickLab("def f(x):\n    return x\n", {"a": "assert f(1) == 'never'"})
    # Each trial takes so long that the time is up in the first batch, however fast the machine is.
    lab.after = lambda _: time.sleep(0.2)
    outcome = await search(lab, seconds=0.5)
    assert 1 <= len(lab.tried) < 10
    assert not outcome.exhausted


async def test_all_is_tried_once() -> None:
    lab = QuickLab("def f(x):\n    return x\n", {"a": "assert f(1) == 'never'", "b": "assert f(2) == 'ever'"})
    told: list[Progress] = []
    outcome = await search(lab, seconds=60, told=told)
    assert outcome.exhausted
    assert outcome.survivors == ()
    assert set(outcome.left) == {"a", "b"}
    alone = [(plan.edits, plan.tests) for plan in lab.tried]
    assert len(alone) == len(set(alone))
    assert told


async def test_a_passing_test_that_comes_and_goes_is_asked_no_more() -> None:
    lab = UnluckyLab(CLAMP, {**CLAMPED, "luck": "assert True"})
    outcome = await search(lab)
    assert lab.files[PATH].replace("value < high", "value > high") in texts(lab, outcome)
    assert not any(one.whole for one in outcome.survivors)


async def test_what_such_a_test_rejected_is_tried_again_for_what_it_mends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "plainly_apart", lambda *_: True)
    monkeypatch.setattr(batches, "_SIZE", (1, 1))
    lab = UnluckyLab(TWO, {"first": "assert first([1, 2]) == 1", "more": "assert more(2) == 3", "luck": "assert True"})
    outcome = await search(lab)
    rejected = [plan.edits for plan in lab.tried if "luck" in plan.tests and not lab.mends_less(plan)]
    again = [plan.edits for plan in lab.tried if "luck" not in plan.tests and not lab.mends_less(plan)]
    assert rejected
    assert set(rejected) <= set(again)
    assert outcome.left == ()


def test_tests_are_told_apart_by_what_they_execute() -> None:
    def run(test: str, line: int) -> TestRun:
        return TestRun(test, "failed", 0.0, {PATH: (line,)}, "AssertionError")

    lab = QuickLab("def f():\n    return 1\n\ndef g():\n    return 2\n", {})
    failing = [run("t::a[1]", 2), run("t::b", 5), run("t::a[2]", 2)]
    groups = split(failing, [], lab.project(), lambda path: path == PATH)
    assert [[one.test for one in group] for group in groups] == [["t::a[1]", "t::a[2]"], ["t::b"]]


async def test_what_was_taken_apart_and_was_one_fault_is_one_repair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "plainly_apart", lambda *_: True)
    lab = QuickLab(CLAMP, CLAMPED)
    outcome = await search(lab)
    assert lab.files[PATH].replace("value < high", "value > high") in texts(lab, outcome)
    assert outcome.left == ()
    assert set(outcome.survivors[0].mends) == {"high", "between"}
    # It was not found for each part anew, but tried for the other part when it was found for one.
    wanted = next(one for one in outcome.survivors if one.variant.says == "> for <").variant.edits
    assert [plan.tests for plan in lab.tried if plan.edits == wanted and len(plan.tests) == 1]


async def test_what_mends_one_test_of_many_that_fail_for_the_same_reason_is_no_repair() -> None:
    lab = QuickLab(
        "def f(x):\n    return 0\n",
        {"a": "assert f(1) == 1", "b": "assert f(2) == 'never'", "c": "assert f(3) == 'ever'"},
    )
    outcome = await search(lab, seconds=3)
    assert outcome.survivors == ()
    assert outcome.left == ("a", "b", "c")
