"""Two names mixed up: the right program among the variants of the wrong one."""

from __future__ import annotations

import pytest

from agent_core.repair.templates.all import TEMPLATES
from agent_core.repair.templates.mixed_up import MIXED_UP
from tests.repair.trying import lines, rank

BETWEEN = """\
def share(part, whole, digits=1):
    return round({}, digits) + "%"  # here
"""


def test_names_that_are_no_neighbours_are_exchanged() -> None:
    wrong, right = BETWEEN.format("100 * (whole / abs(part))"), BETWEEN.format("100 * (part / abs(whole))")
    assert rank(MIXED_UP, wrong, right) == 1
    assert rank(TEMPLATES, wrong, right) <= 25


def test_functions_are_exchanged_with_functions_only() -> None:
    found = lines(MIXED_UP, "def f(a, b):\n    return any(all(a), b)  # here\n")
    assert found == ["return any(all(b), a)", "return all(any(a), b)"]


def test_all_places_are_exchanged_at_once() -> None:
    found = lines(MIXED_UP, "def f(a, b):\n    return a * a - b  # here\n")
    assert found == ["return b * b - a"]


def test_of_a_statement_with_a_body_its_condition_is_meant() -> None:
    found = lines(MIXED_UP, "def f(a, b):\n    if a - 1 < b * 2:  # here\n        return a, b\n")
    assert found == ["if b - 1 < a * 2:"]


@pytest.mark.parametrize(
    "line",
    ["x = a", "self.a = self.b + a", 'return f"{a} {b}"', "return a(b)", "return [a, b, c, d, e, g]", "for a in b:"],
)
def test_where_nothing_is_mixed_up(line: str) -> None:
    body = "\n        pass" if line.endswith(":") else ""
    assert lines(MIXED_UP, f"def f(self, a, b, c, d, e, g):\n    {line}  # here{body}\n") == []
