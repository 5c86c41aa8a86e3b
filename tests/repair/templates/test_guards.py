"""Statements that guard, catch and raise; and definitions."""

from __future__ import annotations

import pytest

from agent_core.repair.model import Value
from agent_core.repair.templates.definitions import DEFINITIONS
from agent_core.repair.templates.guards import GUARDS
from agent_core.repair.templates.moves import MOVES
from agent_core.repair.templates.raising import RAISING
from tests.repair.trying import failing, lines, made, rank, tidy

GUARDED = {
    "end of the recursion": (
        "def total(xs: list):\n    return xs[0] + total(xs[1:])  # here\n",
        "def total(xs: list):\n    if not xs:\n        return 0\n    return xs[0] + total(xs[1:])  # here\n",
        8,
    ),
    "default": ("def f(d, k):\n    return d[k] + 1  # here\n", "return d.get(k, 0) + 1", 12),
    "not there yet": (
        "def f(xs):\n    found = []\n    for x in xs:\n        found.append(x)  # here\n    return found\n",
        """
        def f(xs):
            found = []
            for x in xs:
                if x not in found:
                    found.append(x)  # here
            return found
        """,
        1,
    ),
    "nothing to divide by": (
        "def mean(xs):\n    return sum(xs) / len(xs)  # here\n",
        "def mean(xs):\n    if not xs:\n        return 0\n    return sum(xs) / len(xs)  # here\n",
        6,
    ),
    "default for none": (
        "def f(xs=None):\n    xs.append(1)  # here\n    return xs\n",
        "def f(xs=None):\n    if xs is None:\n        xs = []\n    xs.append(1)  # here\n    return xs\n",
        3,
    ),
}
DEFINED = {
    "shared default": (
        "def f(x, xs=[]):  # here\n    xs.append(x)\n    return xs\n",
        "def f(x, xs=None):  # here\n    if xs is None:\n        xs = []\n    xs.append(x)\n    return xs\n",
        1,
    ),
    "other default": (
        "def f(x, loud=False):  # here\n    return loud\n",
        "def f(x, loud=True):  # here\n    return loud\n",
        3,
    ),
    "property": (
        """
        class A:
            @property
            def a(self):
                return 1

            def b(self):  # here
                return 2
        """,
        """
        class A:
            @property
            def a(self):
                return 1

            @property
            def b(self):  # here
                return 2
        """,
        1,
    ),
    "no self": ("class A:\n    def b(x):  # here\n        return x\n", "def b(self, x):", 1),
    "class method": (
        "class A:\n    def make(cls):  # here\n        return cls()\n",
        "class A:\n    @classmethod\n    def make(cls):  # here\n        return cls()\n",
        1,
    ),
}


@pytest.mark.parametrize(("wrong", "right", "most"), GUARDED.values(), ids=GUARDED)
def test_guards(wrong: str, right: str, most: int) -> None:
    assert rank(GUARDS, tidy(wrong), tidy(right)) <= most


@pytest.mark.parametrize(("wrong", "right", "most"), DEFINED.values(), ids=DEFINED)
def test_definitions(wrong: str, right: str, most: int) -> None:
    assert rank(DEFINITIONS, tidy(wrong), tidy(right)) <= most


def test_what_came_is_caught_or_read_with_a_default_first() -> None:
    wrong = "def f(d, k):\n    return d[k] + 1  # here\n"
    assert rank(GUARDS, wrong, "return d.get(k, 0) + 1", failing=failing("", "KeyError", 2)) <= 3
    none = failing("", "AttributeError", 2, Value("d", "NoneType", "None"))
    guarded = "def f(d):\n    if d is None:\n        return None\n    return d.size  # here\n"
    assert rank(GUARDS, "def f(d):\n    return d.size  # here\n", guarded, failing=none) <= 3


def test_the_exception_that_is_expected_is_raised() -> None:
    run = failing("DID NOT RAISE <class 'ValueError'>", "Failed", 9)
    assert rank(RAISING, "def f(x):\n    raise KeyError(x)  # here\n", "raise ValueError(x)", failing=run) == 1
    right = 'def f(x: int):\n    if x < 0:\n        raise ValueError("x")\n    return x  # here\n'
    assert rank(GUARDS, "def f(x: int):\n    return x  # here\n", right, failing=run) <= 12
    assert rank(RAISING, "def f(x):\n    ValueError(x)  # here\n", "raise ValueError(x)") == 1


def test_what_came_is_caught_instead_of_another() -> None:
    wrong = "def f(d):\n    try:\n        return d.a\n    except KeyError:  # here\n        return None\n"
    assert rank(RAISING, wrong, "except AttributeError:", failing=failing("", "AttributeError", 3)) == 1


def test_catching_where_nobody_did_comes_last_and_only_for_what_came() -> None:
    wrong = "def f(d):\n    x = d['a']  # here\n    return x\n"
    assert lines(RAISING, wrong) == []
    found = made(RAISING, wrong, failing=failing("", "KeyError", 2))
    assert any("except KeyError:" in text for text in found)


def test_docstrings_and_decorators_stay_where_they_are() -> None:
    wrong = '@wrap\ndef f(x):\n    """What it does."""\n    return x[0] + f(x[1:])  # here\n'
    found = made(GUARDS, wrong)
    assert found
    assert all(text.startswith('@wrap\ndef f(x):\n    """What it does."""\n') for text in found)
    assert made(MOVES, 'def f(x):\n    """It."""  # here\n    return x\n') == []
