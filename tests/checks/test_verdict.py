"""The verdict: laws of the multiset difference, and each kind of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from agent_core.checks.model import CheckResult, Finding, Outcome, Verdict
from agent_core.checks.verdict import FEWER, LOST, judge


def lint(message: str, line: int = 1, *, check: str = "ruff", path: str = "a.py", code: str = "F401") -> Finding:
    return Finding(check, message, path, line, code, text="the line")


def failing(node: str, message: str = "AssertionError") -> Finding:
    return Finding("pytest", message, "a.py", 1, node)


def said(check: str, *findings: Finding, outcome: Outcome | None = None, tree: str = "new") -> CheckResult:
    return CheckResult(check, outcome or ("failed" if findings else "passed"), tree, "its summary", findings)


def prints(findings: Sequence[Finding]) -> Counter[str]:
    return Counter(finding.fingerprint for finding in findings)


findings = st.lists(
    st.builds(lint, st.sampled_from(["one", "two", "three 1", "three 2"]), st.integers(1, 9)), max_size=8
)


@given(findings, findings)
def test_what_was_and_what_is_are_both_accounted_for(old: list[Finding], new: list[Finding]) -> None:
    verdict = judge([said("ruff", *old, tree="old")], [said("ruff", *new)])
    assert prints(verdict.broken) + prints(verdict.known) == prints(new)
    assert prints(verdict.fixed) + prints(verdict.known) == prints(old)
    assert not set(prints(verdict.broken)) & set(prints(verdict.fixed))
    assert verdict.green == (not verdict.broken)


@given(findings, findings)
def test_going_there_and_back_swaps_broken_and_fixed(old: list[Finding], new: list[Finding]) -> None:
    there = judge([said("ruff", *old)], [said("ruff", *new)])
    back = judge([said("ruff", *new)], [said("ruff", *old)])
    assert prints(there.broken) == prints(back.fixed)
    assert prints(there.known) == prints(back.known)


@given(findings, st.data())
def test_order_and_shifted_lines_do_not_matter(old: list[Finding], data: st.DataObject) -> None:
    moved = [lint(one.message, (one.line or 1) + 100) for one in data.draw(st.permutations(old))]
    verdict = judge([said("ruff", *old)], [said("ruff", *moved)])
    assert not verdict.broken
    assert not verdict.fixed
    assert {one.line for one in verdict.known} == {one.line for one in moved}


@given(findings, st.data())
def test_targets_left_are_known_targets(old: list[Finding], data: st.DataObject) -> None:
    still = data.draw(st.lists(st.sampled_from(old), unique_by=id)) if old else []
    targets = data.draw(st.lists(st.sampled_from(old), unique_by=id)) if old else []
    verdict = judge([said("ruff", *old)], [said("ruff", *still)], targets)
    assert prints(verdict.targets_left) == prints(verdict.known) & prints(targets)
    assert verdict.green == (not verdict.targets_left)


def words(verdict: Verdict) -> str:
    return f"{'green' if verdict.green else 'red'}|{verdict.summary}"


def test_summaries() -> None:
    old = [said("pytest", failing("t.py::a"), failing("t.py::b"), tree="old"), said("mypy", tree="old")]
    fixed = judge(old, [said("pytest", failing("t.py::b")), said("mypy")])
    assert words(fixed) == "green|green: fixes 1, breaks nothing; 1 known"
    assert (fixed.tree, fixed.base_tree) == ("new", "old")
    broke = judge(old, [said("pytest", failing("t.py::b"), failing("t.py::c")), said("mypy", lint("x", check="mypy"))])
    assert words(broke) == "red|breaks 2 (pytest 1, mypy 1), fixes 1, 1 known"
    left = judge(old, [said("pytest", failing("t.py::b")), said("mypy")], [failing("t.py::b")])
    assert words(left) == "red|breaks nothing, fixes 1, 1 of the task's own failure is left, 1 known"
    assert [one.code for one in left.targets_left] == ["t.py::b"]


def test_a_test_is_the_same_failure_whatever_its_message() -> None:
    verdict = judge([said("pytest", failing("t.py::a", "KeyError"))], [said("pytest", failing("t.py::a", "TypeError"))])
    assert [one.message for one in verdict.known] == ["TypeError"]
    assert not verdict.broken


def test_a_check_that_no_longer_judges_is_broken() -> None:
    outcomes: tuple[Outcome, ...] = ("error", "timeout", "no_tests", "missing")
    for outcome in outcomes:
        verdict = judge(
            [said("pytest", failing("t.py::a")), said("ruff")],
            [said("pytest", outcome=outcome), said("ruff")],
            [failing("t.py::a")],
        )
        assert not verdict.green
        [lost] = verdict.broken
        assert lost.code == LOST
        assert "pytest judged the base and cannot judge this: its summary" in lost.message
        assert not verdict.fixed
        assert len(verdict.targets_left) == 1
        assert verdict.summary.startswith("breaks 1 (pytest 1)")


def test_a_check_that_never_judged_blocks_nothing_and_is_named() -> None:
    base = [said("mypy", outcome="error"), said("pytest", outcome="no_tests"), said("ruff")]
    verdict = judge(base, base)
    assert (
        words(verdict)
        == "green|as far as could be judged: breaks nothing; mypy could not run; no tests ran (its summary)"
    )
    assert verdict.unable == ("mypy",)


def test_without_any_judgement_nothing_is_green() -> None:
    base = [said("mypy", outcome="error"), said("syntax", outcome="skipped")]
    assert words(judge(base, base)) == "red|no check could judge this; mypy could not run"
    assert words(judge([], [])) == "red|no check could judge this"


def test_skipped_is_nothing_to_look_at() -> None:
    old = lint("bad", check="syntax")
    verdict = judge([said("syntax", old), said("ruff")], [said("syntax", outcome="skipped"), said("ruff")])
    assert words(verdict) == "green|green: fixes 1, breaks nothing"


def test_a_check_that_judges_for_the_first_time_answers_for_what_it_says() -> None:
    verdict = judge([said("pytest", outcome="no_tests")], [said("pytest", failing("t.py::a"))])
    assert words(verdict) == "red|breaks 1 (pytest 1)"


def test_tests_that_cannot_be_collected_are_not_fixed() -> None:
    old = [failing("t.py::a"), failing("u.py::a")]
    verdict = judge([said("pytest", *old)], [said("pytest", failing("t.py", "SyntaxError"))], old)
    assert [one.code for one in verdict.broken] == ["t.py"]
    assert [one.code for one in verdict.fixed] == ["u.py::a"]
    assert [one.code for one in verdict.targets_left] == ["t.py::a"]


def test_tests_that_fail_once_collected_are_this_patchs_to_mend() -> None:
    verdict = judge([said("pytest", failing("t.py", "ImportError"))], [said("pytest", failing("t.py::a"))])
    assert words(verdict) == "red|breaks 1 (pytest 1), fixes 1"


def test_what_a_syntax_error_hides_is_neither_fixed_nor_broken_when_it_shows_again() -> None:
    errors = [lint("bad type", check="mypy", code="arg-type"), lint("worse", check="mypy", path="b.py", code="x")]
    syntax = lint("invalid syntax", check="mypy", path="c.py", code="syntax")
    hides = judge([said("mypy", *errors)], [said("mypy", syntax)])
    assert (len(hides.broken), len(hides.fixed), len(hides.known)) == (1, 0, 2)
    shows = judge([said("mypy", syntax)], [said("mypy", *errors)])
    assert (len(shows.broken), len(shows.fixed), len(shows.known)) == (0, 1, 2)
    other = judge(
        [said("ruff", lint("unused", path="b.py"))], [said("ruff", lint("bad", path="c.py", code="invalid-syntax"))]
    )
    assert (len(other.broken), len(other.fixed)) == (1, 1), "ruff goes on with the other files"


def test_a_failing_test_that_is_gone_is_not_mended() -> None:
    base = msgspec.structs.replace(said("pytest", failing("test_a.py::test_a")), total=3)
    removed = judge([base], [msgspec.structs.replace(said("pytest"), total=2)])
    assert not removed.green
    assert [finding.code for finding in removed.broken] == [FEWER]
    mended = judge([base], [msgspec.structs.replace(said("pytest"), total=3)])
    assert mended.green
    # Tests that passed may go: their feature may have gone with them.
    passing = msgspec.structs.replace(said("pytest"), total=3)
    assert judge([passing], [msgspec.structs.replace(said("pytest"), total=2)]).green


neighbours = st.sampled_from(["", "a\nb", "a\nc", "d\nb", "x\ny"])
placed = st.lists(
    st.builds(lambda near: Finding("ruff", "one", "a.py", 1, "F401", "the line", near=near), neighbours), max_size=8
)


@given(placed, placed)
def test_neighbours_only_choose_between_equals(old: list[Finding], new: list[Finding]) -> None:
    verdict = judge([said("ruff", *old)], [said("ruff", *new)])
    assert len(verdict.broken) == max(len(new) - len(old), 0)
    assert len(verdict.fixed) == max(len(old) - len(new), 0)
    unlike = Counter(one.near for one in new) - Counter(one.near for one in old)
    assert not Counter(one.near for one in verdict.broken) - unlike, "what stands where it stood is not the new one"


@given(placed, st.integers(0, 8), neighbours)
def test_of_equal_findings_the_one_in_a_new_place_is_told(old: list[Finding], index: int, near: str) -> None:
    new = list(old)
    added = Finding("ruff", "one", "a.py", 9, "F401", "the line", near=f"new\n{near[:1]}new")
    new.insert(min(index, len(new)), added)
    assert judge([said("ruff", *old)], [said("ruff", *new)]).broken == (added,)


def test_a_finding_whose_neighbour_was_changed_is_the_same() -> None:
    there = lint("one")
    old, new = (msgspec.structs.replace(there, near=near) for near in ("a\nb", "a\nc"))
    assert judge([said("ruff", old)], [said("ruff", new)]).known == (new,)
    # One of two has gone: the one that is left is known by what it still has beside it.
    other = msgspec.structs.replace(there, near="p\nq")
    assert judge([said("ruff", other, old)], [said("ruff", new)]).fixed == (other,)


moving = st.lists(st.sampled_from(["a.py", "b.py", "c/d.py"]), min_size=0, max_size=3, unique=True)


@given(
    st.lists(st.builds(lint, st.sampled_from(["one", "two"]), path=st.sampled_from(["a.py", "b.py", "c/d.py"]))), moving
)
def test_what_moves_with_its_file_is_neither_broken_nor_fixed(old: list[Finding], paths: list[str]) -> None:
    moves = {path: f"moved/{path}" for path in paths}
    new = [msgspec.structs.replace(one, path=moves.get(one.path or "", one.path), line=77) for one in old]
    verdict = judge([said("ruff", *old)], [said("ruff", *new)], old, moves=moves)
    assert (verdict.broken, verdict.fixed) == ((), ())
    assert prints(verdict.known) == prints(verdict.targets_left) == prints(new)


nodes = st.sets(st.sampled_from([f"{file}.py::{name}" for file in "tu" for name in "abc"]))


def ran(passed: set[str], failed: set[str]) -> CheckResult:
    return msgspec.structs.replace(said("pytest", *map(failing, sorted(failed))), passed=tuple(sorted(passed)))


@given(nodes, nodes, nodes, nodes)
def test_every_failing_test_is_mended_known_or_gone(
    old: set[str], bad: set[str], new: set[str], worse: set[str]
) -> None:
    old, new = old - bad, new - worse
    verdict = judge([ran(old, bad)], [ran(new, worse)])
    assert {one.code for one in verdict.fixed} == (bad & new if old or new else bad - worse)
    assert {one.code for one in verdict.broken if one.code != FEWER} == worse - bad
    if old or new:
        assert set(verdict.gone) == (old | bad) - new - worse
        assert any(one.code == FEWER for one in verdict.broken) == bool(bad - new - worse)


@given(nodes, nodes, nodes, nodes)
def test_before_the_end_nothing_is_told_of_tests_that_have_not_run(
    old: set[str], bad: set[str], new: set[str], worse: set[str]
) -> None:
    old, new = old - bad, new - worse
    part = msgspec.structs.replace(ran(new, worse), stage="first", outcome="failed" if worse else "passed")
    verdict = judge([ran(old, bad)], [part], waiting=["pytest"])
    assert (verdict.complete, verdict.stage, verdict.gone) == (False, "first", ())
    assert {one.code for one in (*verdict.fixed, *verdict.known, *verdict.broken)} <= new | worse
    assert {one.code for one in verdict.broken} == worse - bad


def test_before_the_end_a_summary_says_how_far_it_got() -> None:
    base = [said("ruff", tree="old"), said("pytest", failing("t.py::a"), tree="old")]
    lint_only = judge(base[:1], [said("ruff")], waiting=["mypy", "pytest"])
    assert words(lint_only) == "green|green so far: breaks nothing; still running: mypy, pytest"
    part = msgspec.structs.replace(said("pytest", failing("t.py::b")), stage="affected", summary="affected: 1 of 9")
    affected = judge(base, [said("ruff"), part], waiting=["pytest"])
    assert words(affected) == "red|so far breaks 1 (pytest 1); pytest affected: 1 of 9"
    assert affected.stage == "affected"
    alone = judge(base[:1], [said("ruff"), said("pytest", failing("t.py::b"))], waiting=["pytest"])
    assert words(alone) == "red|so far breaks nothing; still running on the base: pytest", "it may be the patch's doing"
    assert (alone.stage, alone.broken) == ("first", ())
    again = judge(base, [said("ruff"), said("pytest")], waiting=[])
    assert words(again) == "green|green so far: fixes 1, breaks nothing; what is in doubt is looked at again"
    assert (again.stage, again.complete) == ("all", False)
    waits = judge(base, [said("ruff")], [failing("t.py::a")], waiting=["pytest"])
    assert words(waits) == "red|so far breaks nothing; still running: pytest", "the target has not run yet"
    alone = judge([], [said("ruff", lint("one"))], waiting=["ruff"])
    assert (alone.broken, alone.green) == ((), False), "without a base nobody knows whose it is"
    early = judge([said("mypy")], [msgspec.structs.replace(said("mypy"), early=True)], waiting=["mypy"])
    assert words(early) == "green|green so far: breaks nothing; mypy by a quick look"


def test_parametrised_tests_are_the_same_wherever_their_objects_lie() -> None:
    old = ran({"t.py::a[<x at 0x7f001122>]"}, {"t.py::b[<x at 0x7f00aaaa>]"})
    same = judge([old], [ran({"t.py::a[<x at 0x55aa0022>]", "t.py::b[<x at 0x55aa0011>]"}, set())])
    assert (len(same.fixed), same.gone) == (1, ())
    numbers = judge([ran({"t.py::a"}, {"t.py::b[1]"})], [ran({"t.py::a", "t.py::b[2]"}, set())])
    assert (numbers.fixed, numbers.gone) == ((), ("t.py::b[1]",))


def test_a_file_that_could_not_be_collected_and_is_gone_is_not_mended() -> None:
    verdict = judge([ran({"u.py::a"}, {"t.py"})], [ran({"u.py::a"}, set())])
    assert not verdict.green
    assert not verdict.fixed
    assert verdict.gone == ("t.py",)


def test_a_check_that_could_not_judge_the_base_is_told() -> None:
    outcomes: tuple[Outcome, ...] = ("timeout", "error", "missing")
    for outcome in outcomes:
        verdict = judge([said("mypy", outcome=outcome)], [said("mypy", lint("x", check="mypy"))])
        assert "mypy could not judge the base: all that it says counts as new" in verdict.summary
