"""What is tried for tests that fail for one reason: in which order, in pairs, and put together for several reasons."""

from __future__ import annotations

import itertools

import msgspec

from agent_core.repair.assembling import choices, common
from agent_core.repair.hunt import Survivor, hunt_for, plainly_apart, split
from agent_core.repair.model import Edit, Suspect, TestRun, Variant
from agent_core.repair.ordering import Line
from agent_core.repair.pairs import Tried, pairs_of
from tests.repair.quick_lab import PATH, QuickLab


def variant(at: int, *, line: int = 1, template: str = "one", cost: float = 1.0) -> Variant:
    return Variant((Edit(PATH, at, at + 1, "x"),), template, cost, f"x at {at}", line)


def tried(at: int, *, gain: float = 1.0, function: str = "f", mends: str = "", line: int = 0) -> Tried:
    return Tried(variant(at, line=line or at), 0.5, gain, function, frozenset(mends))


def places(pair: Variant) -> tuple[int, ...]:
    return tuple(edit.start for edit in pair.edits)


def failed(test: str, line: int, seconds: float = 0.1, *, hung: bool = False) -> TestRun:
    return TestRun(test, "hung" if hung else "failed", seconds, {PATH: (line,)}, "AssertionError")


# -- tests


def test_the_quickest_test_is_asked_first_and_one_that_hangs_last() -> None:
    lab = QuickLab("def f():\n    return 1\n", {})
    failing = [failed("slow", 2, 3.0), failed("hangs", 2, 0.1, hung=True), failed("quick", 2, 0.2)]
    assert hunt_for(failing, [], lab.project(), lambda _: True).tests == ("quick", "slow", "hangs")


def test_of_tests_that_are_about_as_quick_those_come_first_that_were_run_first() -> None:
    # The second may need what the first one leaves.
    failing = [failed("fills", 2, 0.05), failed("slow", 2, 0.9), failed("takes", 2, 0.01)]
    lab = QuickLab("def f():\n    return 1\n", {})
    assert hunt_for(failing, [], lab.project(), lambda _: True).tests == ("fills", "takes", "slow")


def test_tests_that_run_no_line_of_the_program_are_not_apart_from_those_that_do() -> None:
    lab = QuickLab("def f():\n    return 1\n\n\ndef g():\n    return 2\n", {})
    ours = [failed("one", 2), failed("two", 2)]
    child = TestRun("by a child", "failed", 0.1, {"test_shop.py": (3,)}, "AssertionError")

    def apart(*failing: TestRun) -> bool:
        suspects = hunt_for(failing, [], lab.project(), lambda path: path == PATH).suspects
        return plainly_apart(failing, suspects)

    assert not apart(*ours, child)
    assert apart(*ours, failed("other", 6))


def test_what_a_child_runs_makes_no_line_less_suspicious() -> None:
    lab = QuickLab("def f():\n    return 1\n", {})
    child = TestRun("by a child", "failed", 0.1, {"test_shop.py": (3,)}, "AssertionError")

    def score(*failing: TestRun) -> float:
        return hunt_for(failing, [], lab.project(), lambda path: path == PATH).suspects[0].score

    assert score(failed("one", 2), child) == score(failed("one", 2))


def test_cases_of_one_test_that_go_the_same_way_stay_together() -> None:
    project = QuickLab("def f():\n    return 1\n", {}).project()
    cases = [failed("t.py::f[1]", 2), failed("t.py::f[2]", 2)]
    assert split(cases, [], project, lambda _: True) == [tuple(cases)]
    assert len(split([*cases, failed("t.py::f[3]", 1)], [], project, lambda _: True)) == 2


def test_a_line_where_each_change_is_seen_is_raised_but_so_far() -> None:
    line = Line(Suspect(PATH, 2, 0.5))
    line.had_effect()
    assert line.weight > 0.5
    for _ in range(100):
        line.had_effect()
    assert line.weight < 0.62
    line.learn(1.3)
    raised = line.weight
    line.had_effect()
    assert line.weight == raised


def test_an_ordinary_slip_at_the_most_suspicious_line_is_sure() -> None:
    lab = QuickLab("def f():\n    return 1\n", {})
    hunt = hunt_for([failed("one", 2)], [], lab.project(), lambda _: True)
    most = hunt.suspects[0].score

    def sure(weight: float, cost: float, objection: str = "") -> bool:
        hunt.survivors[:] = [Survivor(variant(1, cost=cost), weight, 1, True, ("one",), objection)]
        return hunt.is_sure

    assert sure(most, 1.0)
    assert not sure(most, 2.0)
    assert not sure(0.5 * most, 1.0)
    assert not sure(most, 1.0, "mypy says no")
    hunt.survivors.clear()
    assert not hunt.is_sure


def test_of_many_groups_none_is_left_out() -> None:
    program = "".join(f"def f{number}():\n    return {number}\n" for number in range(8))
    failing = [failed(f"t::{number}", 2 * number + 2) for number in range(8)]
    groups = split(failing, [], QuickLab(program, {}).project(), lambda _: True)
    assert [len(group) for group in groups] == [1, 1, 1, 1, 4]
    assert {run.test for group in groups for run in group} == {run.test for run in failing}


# -- pairs


def test_what_made_different_tests_pass_is_tried_together_first() -> None:
    some = [tried(1, mends="a"), tried(2, mends="a"), tried(3, mends="b"), tried(4)]
    assert {places(pair) for pair in itertools.islice(pairs_of(some), 2)} == {(1, 3), (2, 3)}


def test_pairs_within_a_function_come_before_those_over_two_and_what_made_something_better_first() -> None:
    some = [tried(1), tried(2, function="g"), tried(3), tried(4, gain=2.0)]
    assert [places(pair) for pair in pairs_of(some)] == [(1, 4), (3, 4), (1, 3), (2, 4), (1, 2), (2, 3)]


def test_two_of_a_kind_on_one_line_come_last_and_what_overlaps_is_no_pair() -> None:
    assert [places(pair) for pair in pairs_of([tried(1, line=7), tried(2, line=7), tried(3)])] == [
        (1, 3),
        (2, 3),
        (1, 2),
    ]
    assert list(pairs_of([tried(1), tried(1, line=9)])) == []


def test_pairs_are_made_anew_with_what_was_tried_since_and_none_twice() -> None:
    hunt = hunt_for([failed("t", 2)], [], QuickLab("def f():\n    return 1\n", {}).project(), lambda _: True)
    hunt.tried += [tried(1), tried(2)]
    assert [places(pair) for pair in hunt.pairs(9)] == [(1, 2)]
    assert hunt.pairs(9) == []
    hunt.tried.append(tried(3))
    assert sorted(places(pair) for pair in hunt.pairs(9)) == [(1, 3), (2, 3)]


# -- put together


def survivor(at: int, mends: str, *, cost: float = 1.0, whole: bool = True, objection: str = "") -> Survivor:
    return Survivor(variant(at, cost=cost), 0.5, 3, whole, (mends,), objection)


def test_the_best_of_each_part_are_put_together_first_and_then_others_of_one_part() -> None:
    parts = [
        [survivor(9, "a", cost=2.0), survivor(1, "a")],
        [survivor(3, "b", objection="mypy"), survivor(4, "b", cost=2.0)],
    ]
    made = choices(parts, 9)
    assert [places(one.variant) for one in made] == [(1, 4), (4, 9), (1, 3)]
    assert [one.objection for one in made] == ["", "", "mypy"]
    assert made[0].mends == ("a", "b")
    assert len(choices(parts, 2)) == 2


def test_all_tests_pass_only_where_they_do_with_each_part() -> None:
    assert [one.whole for one in choices([[survivor(1, "a")], [survivor(2, "b")]], 9)] == [True]
    assert [one.whole for one in choices([[survivor(1, "a")], [survivor(2, "b", whole=False)]], 9)] == [False]


def test_what_mends_two_parts_stays_one_change_and_what_overlaps_is_not_put_together() -> None:
    one = choices([[survivor(1, "a")], [survivor(1, "b")]], 9)
    assert [(places(whole.variant), whole.mends) for whole in one] == [((1,), ("a", "b"))]
    assert choices([[survivor(1, "a")], [survivor(1, "b", cost=2.0)]], 9) == []


def test_what_is_found_for_each_part_mends_all() -> None:
    one, other = survivor(1, "a", cost=2.0), survivor(3, "a")
    also = msgspec.structs.replace(one, mends=("b", "c"), passed=4)
    (shared,) = common([[other, one], [also]])
    assert (places(shared.variant), shared.mends, shared.passed) == ((1,), ("a", "b", "c"), 5)
    assert common([[other], [also]]) == []
