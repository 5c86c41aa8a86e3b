"""Which tests a variant is tried on beside those it is to mend, and how that is said to the process that runs them."""

from __future__ import annotations

from agent_core.repair.fork_wire import plans_said
from agent_core.repair.model import Edit, Plan, TestRun, Variant
from agent_core.repair.others import Others
from agent_core.repair.project import Project
from agent_core.repair.source import Source

SHOP = "def one():\n    return 1\n\n\ndef two():\n    return 2\n\n\ndef three():\n    return 3\n"


def others(*runs: TestRun, most: float) -> Others:
    return Others(runs, Project(["shop.py"], lambda _: SHOP.encode()), most)


def run(test: str, seconds: float, *lines: int) -> TestRun:
    return TestRun(test, "passed", seconds, {"shop.py": lines} if lines else {})


def variant(code: str) -> Variant:
    at = SHOP.index(code)
    return Variant((Edit("shop.py", at, at + len(code), "0"),), "constant", 1.0, "0", SHOP.count("\n", 0, at) + 1)


ONE, TWO, BOTH = run("t::one", 0.3, 1, 2), run("t::two", 0.2, 6), run("t::both", 0.4, 2, 6)


def test_those_come_first_that_execute_what_is_touched_and_of_those_the_quickest() -> None:
    some = others(BOTH, ONE, TWO, most=1.0)
    assert some.of(variant("2")) == ("t::two", "t::both", "t::one")
    assert some.of(variant("1")) == ("t::one", "t::both", "t::two")
    assert some.of(variant("3")) == ("t::two", "t::one", "t::both")
    assert some.whole(variant("3"))


def test_where_the_rest_takes_too_long_it_is_left_out_and_that_is_not_all() -> None:
    some = others(BOTH, ONE, TWO, most=0.25)
    assert some.of(variant("1")) == ("t::one", "t::both", "t::two")
    assert some.whole(variant("1"))
    assert some.of(variant("2")) == ("t::two", "t::both")
    assert not some.whole(variant("2"))


def test_what_a_test_executes_may_be_unknown_and_then_it_is_asked() -> None:
    some = others(run("t::any", 9.0), ONE, most=0.1)
    assert some.of(variant("2")) == ("t::any",)


def test_what_is_put_in_beside_a_line_touches_it() -> None:
    at = SHOP.index("def two")
    before = Variant((Edit("shop.py", at, at, "x = 1\n"),), "statement", 1.0, "x = 1 added", 5)
    some = others(run("t::head", 0.1, 5, 9), run("t::above", 0.1, 4), run("t::body", 0.1, 6), ONE, most=0.0)
    assert some.of(before) == ("t::head", "t::above", "t::body")


def test_a_test_that_is_dropped_is_asked_no_more_and_nothing_is_all_any_longer() -> None:
    some = others(ONE, TWO, most=1.0)
    assert some.whole(variant("2"))
    assert "t::one" in some
    some.drop("t::one")
    assert "t::one" not in some
    assert some.of(variant("2")) == some.names == ("t::two",)
    assert not some.whole(variant("2"))


def test_what_plans_have_in_common_is_said_once() -> None:
    edit = Edit("shop.py", 0, 3, "x")
    plans = [Plan(7, (edit,), ("a", "b")), Plan(8, (), ("a", "b")), Plan(9, (edit,), ("c", "a"))]
    assert plans_said(plans, {"a": 0.1, "b": 3.0}, {"c": "c\x00"}) == {
        "names": ["a", "b", "c\x00"],
        # At least so long; several times as long as it takes; and what is not known.
        "limits": [1.5, 15.0, 10.0],
        "lists": [[0, 1], [2, 0]],
        "plans": [[7, [["shop.py", 0, 3, "x"]], 0], [8, [], 0], [9, [["shop.py", 0, 3, "x"]], 1]],
    }


def test_lines_end_as_python_has_it() -> None:
    source = Source("a.py", "a = 1\r\nb = '\x0c'\nc = 'é'; d = 3\re = 4")
    assert [source.code(node) for node in source.tree.body] == ["a = 1", "b = '\x0c'", "c = 'é'", "d = 3", "e = 4"]
    assert [source.line_at(source.span(node)[0]) for node in source.tree.body] == [1, 2, 3, 3, 4]
