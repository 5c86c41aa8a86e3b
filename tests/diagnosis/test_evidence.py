"""What the partner and the human are told of a failure, and how a standstill is noticed."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from agent_core.checks.model import CheckResult, Finding, Outcome, Verdict
from agent_core.checks.verdict import judge
from agent_core.diagnosis.evidence import diagnose
from agent_core.diagnosis.stall import stalled
from agent_core.patch.model import Block, FilePatch, Patch
from agent_core.text import estimate_tokens


class Attempt(msgspec.Struct, frozen=True):
    """An attempt at a task."""

    attempt: int
    patch: Patch
    verdict: Verdict | None = None


def patch(after: str, *, line: int = 41) -> Patch:
    block = Block("b1", line, line, ("old\n",), ("new\n",))
    return Patch((FilePatch("users.py", "update", "before", after, 0o100644, 0o100644, (block,)),))


def red_test(node: str, message: str = "KeyError: 'name'", detail: str = "") -> Finding:
    return Finding("pytest", message, "users.py", 41, node, "return row['name']", detail)


def verdict(base: list[Finding], now: list[Finding], targets: tuple[Finding, ...] = ()) -> Verdict:
    def results(findings: list[Finding], tree: str) -> list[CheckResult]:
        return [
            CheckResult(check, "failed" if some else "passed", tree, "summary", tuple(some))
            for check in ("ruff", "mypy", "pytest")
            for some in [[one for one in findings if one.check == check]]
        ]

    return judge(results(base, "old"), results(now, "new"), targets)


def told(outcome: Verdict, *earlier: Attempt, tokens: int = 6000) -> tuple[str, str]:
    return diagnose(outcome, Attempt(len(earlier) + 1, patch("now"), outcome), earlier, tokens)


def test_failures_with_one_cause_are_told_once_with_its_evidence() -> None:
    detail = "users.py:41 in find\n    return row['name']\n      row = {'id': 7}\nKeyError: 'name'"
    broken = [red_test(f"tests/test_users.py::test_{name}", detail=detail) for name in "abc"]
    other = red_test("tests/test_x.py::test_x", "ValueError: no")
    summary, evidence = told(verdict([], [other, *broken]))
    assert summary == "3 tests fail with KeyError: 'name' at users.py:41 (and one other cause)"
    assert "Checks: breaks 4 (pytest 4)." in evidence
    assert (
        "BROKEN by this patch: 3 tests fail with KeyError: 'name' at users.py:41  <- a line of this patch" in evidence
    )
    assert evidence.count("row = {'id': 7}") == 1
    assert all(f"tests/test_users.py::test_{name}" in evidence for name in "abc")
    assert "tests/test_x.py::test_x fails with ValueError: no at users.py:41" in evidence
    assert evidence.index("KeyError") < evidence.index("ValueError"), "the cause of most failures comes first"


def test_everything_that_counts_is_told_most_telling_first() -> None:
    target = red_test("t.py::target", "AssertionError: 3 != 4", detail="left = 3")
    old = [target, red_test("t.py::old", "E"), red_test("t.py::mended", "E")]
    now = [
        target,
        old[1],
        red_test("t.py::new", "TypeError: bad", detail="x = None"),
        Finding("mypy", "Incompatible types", "users.py", 9, "assignment", "x: int = ''", "Maybe str?"),
        Finding("ruff", "`os` imported but unused", "users.py", 1, "F401", "import os"),
    ]
    summary, evidence = told(verdict(old, now, (target,)))
    order = [
        "Checks: breaks 3 (ruff 1, mypy 1, pytest 1), fixes 1, 1 of the task's own failure is left, 2 known.",
        "t.py::new fails with TypeError: bad",
        "x = None",
        "users.py:9: Incompatible types [assignment]",
        "x: int = ''",
        "Maybe str?",
        "STILL FAILING, and the task is about it: t.py::target fails with AssertionError: 3 != 4",
        "left = 3",
        "Fixed by this patch: t.py::mended.",
        "1 more were there before",
    ]
    at = [evidence.index(words) for words in order]
    assert at == sorted(at)
    assert "t.py::old" not in evidence
    assert summary == "t.py::new fails with TypeError: bad at users.py:41"


def test_a_check_that_was_lost_comes_first_with_its_output() -> None:
    def one(outcome: Outcome) -> CheckResult:
        return CheckResult("pytest", outcome, "t", "ImportError while loading conftest", (), output="E  No module x")

    outcome = judge([one("passed")], [one("error")])
    summary, evidence = told(outcome)
    assert "pytest judged the base and cannot judge this" in summary
    assert "No module x" in evidence
    never = judge([one("error")], [one("error")])
    assert "pytest did not judge: ImportError while loading conftest" in told(never)[1]


def test_evidence_is_capped_in_tokens() -> None:
    many = [red_test(f"t.py::test_{n}", f"Error {n}: {'x' * 200}", detail="y" * 5000) for n in range(200)]
    lint = [Finding("mypy", f"bad {n} {'z' * 100}", "a.py", n, "misc") for n in range(500)]
    _, evidence = told(verdict([], [*many, *lint]), tokens=1500)
    assert estimate_tokens(evidence) < 1600
    assert "t.py::test_0" in evidence
    assert "left out" in evidence


@given(
    st.lists(st.builds(red_test, st.text(max_size=30), st.text(max_size=60), st.text(max_size=300)), max_size=6),
    st.integers(100, 2000),
)
def test_any_findings_can_be_told(findings: list[Finding], tokens: int) -> None:
    summary, evidence = told(verdict([], findings), tokens=tokens)
    assert summary
    assert estimate_tokens(evidence) <= tokens + 20


def test_the_same_patch_again_is_named() -> None:
    bad = verdict([], [red_test("t.py::a")])
    first = Attempt(1, patch("now"), bad)
    summary, evidence = told(bad, first)
    words = "Attempt 1 already did this: the patch is the same; it failed with KeyError: 'name' at users.py:41."
    assert words in evidence
    assert words in summary


def test_the_same_failure_from_another_patch_is_named() -> None:
    bad, worse = verdict([], [red_test("t.py::a")]), verdict([], [red_test("t.py::b")])
    attempts = [Attempt(1, patch("one"), bad), Attempt(2, patch("two"), worse), Attempt(3, patch("three"), bad)]
    assert stalled(bad, patch("four"), attempts).startswith("Attempts 1, 3 failed in exactly this way")
    assert stalled(worse, patch("four"), attempts[:1]) == ""
    moved = verdict([], [red_test("t.py::a", "KeyError: 'id'")])
    assert stalled(moved, patch("four"), attempts) == "", "another message is progress"


def test_addresses_do_not_make_a_failure_new() -> None:
    one, two = (verdict([], [red_test("t.py::a", f"E: <X at 0x{n}>")]) for n in ("7f00", "7f99"))
    assert stalled(two, patch("b"), [Attempt(1, patch("a"), one)])


def test_an_attempt_without_verdict_is_known_by_its_patch_only() -> None:
    bad = verdict([], [red_test("t.py::a")])
    assert stalled(bad, patch("x"), [Attempt(1, patch("x"))]) == "Attempt 1 already did this: the patch is the same."
    assert stalled(bad, patch("y"), [Attempt(1, patch("x"))]) == ""


def test_what_a_linter_says_of_it_is_put_beside_the_failure_once() -> None:
    failure = red_test("t.py::a", "NameError: name 'nmae' is not defined")
    lint = Finding("ruff", "Undefined name `nmae`", "users.py", 41, "F821")
    other = Finding("ruff", "`os` imported but unused", "users.py", 1, "F401")
    old = Finding("mypy", 'Name "nmae" is not defined', "old.py", 3, "name-defined")
    _, evidence = told(verdict([old], [failure, lint, other, old]))
    assert "\n  ruff says at users.py:41: Undefined name `nmae` [F821]  <- a line of this patch" in evidence
    assert '\n  mypy says at old.py:3: Name "nmae" is not defined [name-defined]  (was there before)' in evidence
    assert evidence.count("Undefined name `nmae`") == 1
    assert "said by ruff:\n  users.py:1: `os` imported but unused [F401]" in evidence
    assert "More: debug with test 't.py::a' shows values" in evidence


def test_what_is_no_fault_of_the_patch_or_hidden_by_it_is_named() -> None:
    plain = verdict([], [red_test("t.py::a")])
    lint = Finding("ruff", "Undefined name `x`", "users.py", 2, "F821")
    gone = tuple(f"t.py::gone{n}" for n in range(9))
    more = msgspec.structs.replace(
        plain, flaky=(red_test("t.py::waver"),), gone=gone, silenced=(lint,), notes=("mypy looks at less",)
    )
    _, evidence = told(more)
    assert "do not mend it: t.py::waver." in evidence
    assert "t.py::gone5 and 3 more." in evidence
    assert "SILENCED by this patch, which counts as broken, said by ruff:\n  users.py:2: Undefined name `x`" in evidence
    assert "Note: mypy looks at less" in evidence


@given(st.integers(0, 300), st.integers(0, 4000), st.integers(0, 200), st.integers(400, 3000))
def test_the_cap_holds_and_the_first_cause_stays(names: int, detail: int, lint: int, tokens: int) -> None:
    message = "ValueError: the one that counts"
    tests = [
        red_test(f"tests/test_a.py::test[{'p' * 200}{n}]", message, detail="d\n" * detail) for n in range(names + 1)
    ]
    others = [Finding("mypy", f"bad {'é' * 90}", "a.py", n + 1, "misc") for n in range(lint)]
    more = msgspec.structs.replace(verdict([], [*tests, *others]), gone=tuple("g" * 300 for _ in range(50)))
    bad = msgspec.structs.replace(more, summary="s" * 2000)
    _, evidence = told(bad, Attempt(1, patch("now"), bad), tokens=tokens)
    assert estimate_tokens(evidence) <= tokens
    assert message in evidence
