"""Which repair is offered first, and in what repairs differ."""

from __future__ import annotations

import textwrap

import pytest

from agent_core.repair.behaviour import Results, alike, changed_share, differences, traits_of
from agent_core.repair.hunt import Survivor
from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.rank import goes_around, ranked

SHOP = textwrap.dedent(
    """\
    def clamp(value, low, high):
        if value < low:
            return low
        if value < high:
            return high
        return value

    class Cart:
        def add(self, items, count=1):
            return items * count
    """
)


def project(text: str = SHOP) -> Project:
    return Project(["shop.py"], lambda path: text.encode() if path == "shop.py" else None)


def survivor(
    cost: float,
    text: str = ">",
    *,
    old: str = "value < high",
    new: str = "",
    whole: bool = True,
    clean: bool = True,
    weight: float = 0.5,
) -> Survivor:
    start = SHOP.index(old)
    edit = Edit("shop.py", start, start + len(old), new or old.replace("<", text))
    line = SHOP.count("\n", 0, start) + 1
    return Survivor(
        Variant((edit,), "comparison", cost, f"{text} for <", line), weight, 3, whole, ("t",), "" if clean else "mypy"
    )


def first(*survivors: Survivor) -> Survivor:
    none: list[Results] = [()] * len(survivors)
    best = ranked(list(survivors), none, (), project())[0][0]
    return next(one for one in survivors if one.variant == best.variant)


def test_the_cheaper_one_comes_first() -> None:
    cheap, dear = survivor(1.0), survivor(2.0, ">=")
    assert first(dear, cheap) is cheap


def test_what_goes_around_the_mistake_never_comes_before_what_mends_it() -> None:
    around, ordinary = survivor(4.0, weight=1.0), survivor(3.9, ">=", whole=False, weight=0.1)
    assert goes_around(around.variant)
    assert first(around, ordinary) is ordinary
    pair = Variant(ordinary.variant.edits, "one+other", 9.0, "two", 4)
    assert not goes_around(pair)
    assert goes_around(Variant(pair.edits, "one", 9.0, "one", 4))


def test_what_the_checks_are_not_content_with_comes_last() -> None:
    dirty, clean = survivor(1.0, clean=False), survivor(5.0, ">=")
    assert first(dirty, clean) is clean


def test_of_equal_cost_the_small_change_comes_first() -> None:
    small, large = survivor(1.0), survivor(1.0, new="value > high and value is not None and high is not None")
    assert first(large, small) is small


def test_of_equal_changes_the_one_at_the_more_suspicious_line_comes_first() -> None:
    likely, unlikely = survivor(1.0, "==", weight=0.9), survivor(1.0, ">=", weight=0.1)
    assert first(unlikely, likely) is likely


def test_what_has_passed_all_tests_comes_before_what_has_not() -> None:
    every, some = survivor(2.0), survivor(1.0, whole=False)
    assert first(some, every) is every


def test_of_equal_changes_the_one_that_reads_like_the_lines_around_it_comes_first() -> None:
    foreign, known = survivor(1.0, new="abcde < high"), survivor(1.0, new="value < low")
    longer = survivor(1.0, new="value < alow")
    assert first(foreign, known) is known
    assert first(longer, known) is known
    # A shorter one would be first if that did not count.
    shorter = survivor(1.0, new="value < lo")
    assert first(shorter, known) is known


def test_of_equal_cost_what_changes_less_of_what_is_given_comes_first() -> None:
    one, other = survivor(1.0, "=="), survivor(1.0, ">=")
    before: Results = (("clamp(1, 0, 2)", "1"), ("clamp(5, 0, 2)", "5"))
    much: Results = (("clamp(1, 0, 2)", "0"), ("clamp(5, 0, 2)", "2"))
    little: Results = (("clamp(1, 0, 2)", "1"), ("clamp(5, 0, 2)", "2"))
    best = ranked([one, other], [much, little], before, project())[0][0]
    assert best.variant == other.variant
    assert changed_share(before, much) == 1.0
    assert changed_share(before, (("a", "?"), ("b", "5"))) == 0.0


def test_what_behaves_alike_is_offered_once() -> None:
    one, other, third = survivor(1.0), survivor(1.5, ">="), survivor(2.0, "!=")
    same: Results = (("clamp(5, 0, 2)", "2"),)
    otherwise: Results = (("clamp(5, 0, 2)", "0"),)
    found = ranked([third, other, one], [otherwise, same, same], (), project())
    assert [(repair.variant, repair.alike) for repair, _ in found] == [(one.variant, 1), (third.variant, 0)]
    assert alike([(), (), same, same]) == [[0], [1], [2, 3]]
    # What did not come to its end with either tells nothing of the two.
    unknown: Results = (("clamp(5, 0, 2)", "?"),)
    assert alike([unknown, same, unknown, same]) == [[0], [1, 3], [2]]


def test_the_input_that_tells_most_apart_comes_first_with_what_is_special_about_it() -> None:
    calls = ("clamp(5, 0, 9)", "clamp(9, 0, 9)", "clamp(0, 0, 0)", "clamp(3, 0, 9)")
    results: list[Results] = [
        tuple(zip(calls, said, strict=True))
        for said in (("5", "9", "0", "3"), ("5", "8", "0", "3"), ("5", "7", "1", "3"))
    ]
    told = differences(results, project())
    assert told[0].call == "clamp(9, 0, 9)"
    assert told[0].results == ("9", "8", "7")
    assert told[0].when == "value equals high"
    assert {one.call for one in told} == {"clamp(9, 0, 9)", "clamp(0, 0, 0)"}


def test_of_inputs_that_tell_as_much_the_simplest_comes_first() -> None:
    calls = ("clamp(123456, 0, 9)", "clamp(1, 0, 9)")
    told = differences([tuple((call, said) for call in calls) for said in "ab"], project())
    assert told[0].call == "clamp(1, 0, 9)"


def test_nothing_is_said_to_differ_that_is_not_known() -> None:
    assert differences([(("f(1)", "1"),)], project()) == ()
    assert differences([(("f(1)", "1"),), ()], project()) == ()
    assert differences([(("f(1)", "1"),), (("f(1)", "?"),)], project()) == ()
    assert differences([(("f(1)", "1"),), (("f(1)", "1"),)], project()) == ()


def test_what_comes_of_foreign_values_is_bounded_and_harmless() -> None:
    results: list[Results] = [(("f('\x1b[31m')", "\x1b[0m" * 500),), (("f('\x1b[31m')", "b\nc"),)]
    told = differences(results, project())[0]
    assert "\x1b" not in told.call + "".join(told.results)
    assert all(len(one) < 300 and "\n" not in one for one in (told.call, *told.results))


@pytest.mark.parametrize(
    ("call", "trait"),
    [
        ("clamp(0, 1, 2)", "value is 0"),
        ("clamp(-3, 1, 2)", "value is negative"),
        ("clamp(1, 1, 2)", "value equals low"),
        ("clamp(None, 1, 2)", "value is None"),
        ("shop.clamp(value=[], low=1)", "value is empty"),
        ("Cart().add('ab', 2)", "count is even"),
        ("cart.add([1, 1])", "items has an item twice"),
        ("unknown('')", "the first argument is empty"),
        ("unknown(1.5)", "the first argument is no whole number"),
        ("unknown(float('inf'))", ""),
        ("unknown(1e999)", "the first argument is positive"),
        ("no call", ""),
        ("7", ""),
    ],
)
def test_what_is_special_about_an_input(call: str, trait: str) -> None:
    found = list(traits_of(call, project()))
    assert trait in found if trait else not found


@pytest.mark.parametrize(
    "idle", ["value < high - 0", "value < high * 1", "value < high // 1", "value < high | 0", "value < high >> 0"]
)
def test_of_those_that_behave_alike_one_without_idle_arithmetic_is_offered_in_the_best_place(idle: str) -> None:
    idles, plain, other = survivor(1.0, new=idle), survivor(3.0, ">="), survivor(2.0, "!=")
    same: Results = (("value", "1"),)
    found = ranked([idles, plain, other], [same, same, (("value", "2"),)], (), project())
    assert [repair.variant for repair, _ in found] == [plain.variant, other.variant]
    assert found[0][0].alike == 1


@pytest.mark.parametrize("busy", ["value < high - 0.5", "value < high * 10", "value < 1e-0", "value < -0"])
def test_what_only_looks_idle_is_no_worse(busy: str) -> None:
    cheap, plain = survivor(1.0, new=busy), survivor(3.0, ">=")
    same: Results = (("value", "1"),)
    assert ranked([cheap, plain], [same, same], (), project())[0][0].variant == cheap.variant
