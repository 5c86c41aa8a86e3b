"""Comparisons, booleans and arithmetic: the right line is among the first few variants of the wrong one."""

from __future__ import annotations

import pytest

from agent_core.repair.model import Frame, TestRun
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates.all import variants_at
from agent_core.repair.templates.arithmetic import ARITHMETIC
from agent_core.repair.templates.booleans import BOOLEANS
from agent_core.repair.templates.comparisons import COMPARISONS
from tests.repair.trying import lines, made, rank, variants


@pytest.mark.parametrize(
    ("wrong", "right", "most"),
    [
        ("if a < b:", "if a <= b:", 1),
        ("if a >= b:", "if a > b:", 1),
        ("if a == b:", "if a != b:", 1),
        ("if a is b:", "if a == b:", 3),
        ("if a == None:", "if a is None:", 4),
        ("if a in b:", "if a not in b:", 1),
        ("if a  not\tin b:", "if a  in b:", 1),
        ("if a is  not b:", "if a is b:", 1),
        ("if 0 < a < b:", "if 0 <= a < b:", 2),
        ("if 0 < a < b:", "if 0 < a <= b:", 2),
        ("if 0 < a < b:", "if a < b:", 20),
        ("if a in b:", "if b in a:", 3),
        ("if (a)<(b):", "if (a)<=(b):", 1),
        ("if a < (b  # <", "if a <= (b  # <", 1),
    ],
)
def test_comparisons(wrong: str, right: str, most: int) -> None:
    tail = "\n    ):\n    pass" if wrong.endswith("<") else "\n    pass"
    assert rank(COMPARISONS, f"{wrong}  # here{tail}", right) <= most


def test_what_is_asked_for_by_identity_elsewhere_is_so_here() -> None:
    wrong = """
        NOTHING = object()
        def f(a=NOTHING):
            return 1 if a is not NOTHING else 2
        def g(a, b):
            return a {} b  # here
        """
    for operator in ("<", "==", ">="):
        name = wrong.format(operator).replace("b  #", "NOTHING  #")
        assert rank(COMPARISONS, name, "return a is NOTHING") <= 3
        assert rank(COMPARISONS, wrong.format(operator), "return a is b") > 3


def test_where_python_itself_says_that_identity_is_not_meant_another_comparison_is() -> None:
    wrong = "if 60 is not a:  # here\n    pass"
    message = '"is not" with a literal. Did you mean "!="? (program.py, line 1)'
    run = TestRun("t.py", "error", 0.0, {}, "SyntaxError", message, (Frame("program.py", 1, "<module>"),))
    for right in ("if 60 != a:", "if 60 <= a:"):
        assert rank(COMPARISONS, wrong, right, failing=[run]) <= 6
    assert rank(COMPARISONS, wrong, "if 60 is a:", failing=[run]) == 8


def test_a_chain_loses_a_link_with_its_brackets() -> None:
    assert "if (b + 1) < c:" in lines(COMPARISONS, "if a < (b + 1) < c:  # here\n    pass")


@pytest.mark.parametrize(
    ("wrong", "right", "most"),
    [
        ("if a and b:", "if a or b:", 1),
        ("if a or b and c:", "if (a or b) and c:", 12),
        ("if a and b or c:", "if a and (b or c):", 12),
        ("if a and b:", "if a:", 8),
        ("if a and b and c:", "if a and c:", 20),
        ("if a or not b:", "if a or b:", 3),
        ("if a:", "if not a:", 1),
        ("while not a:", "while a:", 1),
        ("if not (a or b):", "if a or b:", 1),
        ("if a.ready():", "if not a.ready():", 1),
        ("if f(x=True):", "if f(x=False):", 1),
        ("return a if b else c", "return c if b else a", 4),
        ("return a if not b else c", "return a if b else c", 1),
        ("return isinstance(a, b)", "return not isinstance(a, b)", 1),
    ],
)
def test_booleans(wrong: str, right: str, most: int) -> None:
    tail = "\n        pass" if wrong.endswith(":") else ""
    assert rank(BOOLEANS, f"def f(a, b, c):\n    {wrong}  # here{tail}", right) <= most


def test_brackets_come_with_an_or_within_an_and() -> None:
    """``a and b`` becomes ``or`` under a ``not`` without a change of what the ``not`` is of."""
    assert "x = not (a or b)" in lines(BOOLEANS, "x = not (a and b)  # here")


@pytest.mark.parametrize(
    ("wrong", "right", "most"),
    [
        ("x = a + b", "x = a - b", 1),
        ("x = a - b", "x = b - a", 4),
        ("x = a / b", "x = a // b", 1),
        ("x = a // b", "x = a % b", 4),
        ("x = 2 * a * b", "x = 2 * a ** b", 4),
        ("x = a ** b", "x = a * b", 2),
        ("x = a * (b - c)", "x = a * b - c", 20),
        ("x = a * b - c", "x = a * (b - c)", 20),
        ("x = a + b", "x = a", 12),
        ("x = a << b", "x = a >> b", 1),
        ("x = a & b", "x = a | b", 1),
        ("x = a ^ b", "x = a | b", 3),
        ("x = -a", "x = a", 1),
        ("x = a & b", "x = ~a & b", 30),
        ("x = ~a", "x = a", 1),
        ("x -= a", "x += a", 1),
        ("x += a", "x = a", 4),
        ("x |= a", "x &= a", 1),
    ],
)
def test_arithmetic(wrong: str, right: str, most: int) -> None:
    assert rank(ARITHMETIC, f"{wrong}  # here", right) <= most


def test_texts_are_not_reckoned_with() -> None:
    assert not {"x = 'a' - b", "x = 'a' // b"} & set(lines(ARITHMETIC, "x = 'a' + b  # here"))


def test_a_variable_that_was_set_before_is_added_to() -> None:
    code = "def f(items):\n    total = 0\n    for item in items:\n        total = item  # here\n    return total\n"
    assert rank(ARITHMETIC, code, "total += item") == 1


def test_operators_of_another_level_come_both_as_they_read_and_with_what_they_joined() -> None:
    found = lines(ARITHMETIC, "x = a + b * c  # here")
    assert "x = a * b * c" in found
    assert "x = a * (b * c)" in found


def test_lines_and_comments_of_an_expression_in_brackets_stay_as_they_are() -> None:
    code = "x = (\n    a  # here\n    # a + b\n    + b\n)\n"
    assert code.replace("\n    + b", "\n    - b") in made(ARITHMETIC, code)


def test_what_is_said_is_what_is_done() -> None:
    first = variants(COMPARISONS, "if a < b:  # here\n    pass")[0]
    assert (first.says, first.template, first.cost, first.line) == ("<= for <", "comparison", 1.0, 1)


def test_a_default_is_wrong_less_often_than_what_a_function_does() -> None:
    source = Source("a.py", "def total(prices, discount=0):\n    return sum(prices[1:]) - 0\n")
    project = Project(["a.py"], lambda _: source.text.encode())
    (default,) = [one for one in variants_at(source, 1, project) if one.says == "-1 for 0"]
    (inside, *_) = [one for one in variants_at(source, 2, project) if one.says == "-1 for 0"]
    assert default.cost > inside.cost
