"""What is said of a search, to a human."""

from __future__ import annotations

import msgspec
import pytest

from agent_core.repair import words
from agent_core.repair.model import Difference, Edit, Repair, Suspect, TestRun, Variant
from agent_core.repair.project import Project

SHOP = "def clamp(value, high):\n    return value < high\n\nLIMIT = 3\n"
AT = SHOP.index("<")


def project() -> Project:
    return Project(["shop.py"], lambda path: SHOP.encode() if path == "shop.py" else None)


def variant(says: str = "<= for <", line: int = 2, template: str = "comparison") -> Variant:
    return Variant((Edit("shop.py", AT, AT + 1, "<="),), template, 1.0, says, line)


def test_a_repair_is_said_with_its_place_and_what_passes() -> None:
    said = words.repair_words(Repair(variant(), passed=34, whole=True), project())
    assert said == "`<=` for `<` in `clamp` (shop.py:2): all 34 tests pass with it."
    some = words.repair_words(Repair(variant(line=4), passed=1_200), project())
    assert some == "`<=` for `<` at shop.py:4: the 1,200 tests run pass with it."
    one = words.repair_words(Repair(variant(), passed=1, whole=True), project())
    assert one.endswith("the only test passes with it.")
    both = words.repair_words(Repair(variant(), passed=2, whole=True), project())
    assert both.endswith("both tests pass with it.")
    assert words.repair_words(Repair(variant("`a` renamed")), project()) == "`a` renamed in `clamp` (shop.py:2)."


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("return [] added", "`return []` added"),
        ("(x for x in y) for z", "(x for x in y) for z"),
        ("sorted with `key`", "sorted with `key`"),
        ("not", "not"),
    ],
)
def test_code_is_put_in_backticks_where_it_is_plain_what_is_code(says: str, told: str) -> None:
    assert words.says_of(variant(says)) == told


def test_both_changes_of_a_pair_are_said() -> None:
    assert words.says_of(variant("a for b, and c for d", template="x+y")) == "`a` for `b`, and `c` for `d`"


def test_several_repairs_are_said_with_what_tells_them_apart() -> None:
    repairs = [Repair(variant(), passed=3, whole=True)] * 3
    told = (
        Difference("clamp([])", ("1", "2", "2"), "items is empty"),
        Difference("clamp(0)", ("1", "1", "2"), "x is 0"),
    )
    said = words.found_words(repairs, told, project())
    assert said.endswith(
        "3 different repairs are known, and each passes all tests; they differ when items is empty or when x is 0."
    )
    plain = words.found_words(repairs[:2], (Difference("clamp(7)", ("1", "2")),), project())
    assert plain.endswith("they differ for `clamp(7)`.")
    some = [msgspec.structs.replace(one, whole=False) for one in repairs[:2]]
    unknown = words.found_words(some, (), project(), ["t.py::a", "t.py::b", "t.py::c", "t.py::d"])
    assert "the 3 tests run pass with it." in unknown
    assert unknown.endswith(
        "each makes the same tests pass. Nothing was found for t.py::a, t.py::b, t.py::c and 1 more test."
    )


def test_that_nothing_was_found_is_said_with_what_was_done() -> None:
    suspects = (Suspect("shop.py", 2, 0.9),)
    said = words.nothing_words(seconds=60.2, tried=1240, lines=14, suspects=suspects, exhausted=False, stopped=False)
    assert said == (
        "No repair was found within 60 s: 1,240 changes were tried at 14 lines, the most suspicious is shop.py:2."
    )
    done = words.nothing_words(seconds=3, tried=1, lines=1, suspects=suspects, exhausted=True, stopped=False)
    assert "nothing left to try: 1 change was tried at 1 line," in done
    stopped = words.nothing_words(seconds=3, tried=1, lines=1, suspects=suspects, exhausted=False, stopped=True)
    assert "before it was stopped, after 3 s" in stopped
    nowhere = words.nothing_words(seconds=3, tried=0, lines=0, suspects=(), exhausted=True, stopped=False)
    assert "no line of the project that may be changed" in nowhere


def test_why_nothing_can_be_sought() -> None:
    slow = TestRun("t.py::a", "failed", 61.0)
    assert words.slow([slow], 60) == "t.py::a takes 61 s, too long to try changes within 60 s."
    assert "take 61 s each" in words.slow([slow, slow], 60)
    away = TestRun("t.py::a", "failed", 0.1, error="gaierror", message="Name or service\x1b[0m not known")
    said = words.network([away])
    assert said.startswith("t.py::a needs the network")
    assert "\x1b" not in said
    assert words.wavering(["t.py::a"]).startswith("t.py::a fails at one time and passes at another")
    assert words.passing_now(["a", "b"]) == "Nothing is to be mended: a, b pass."
    assert words.unknown_tests(["x"]) == "There is no test `x`."
    assert words.not_run("pytest is not installed.") == (
        "The tests cannot be run, so no repair can be tried: pytest is not installed."
    )


def test_foreign_text_is_one_bounded_harmless_line() -> None:
    said = words.repair_words(Repair(variant("\x1b[31m" + "x" * 5000 + "\n[bold]"), passed=2), project())
    assert "\x1b" not in said
    assert "\n" not in said
    assert len(said) < 500
