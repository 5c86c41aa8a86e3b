"""A name for another: which comes first."""

from __future__ import annotations

import pytest

from agent_core.repair.model import Frame, TestRun, Value
from agent_core.repair.templates.attributes import ATTRIBUTES
from agent_core.repair.templates.imports import IMPORTS
from agent_core.repair.templates.names import NAMES
from tests.repair.trying import PATH, lines, made, rank

NAMES_CASES = {
    "neighbour": (
        """
        def area(width, height):
            return width * width  # here
        """,
        "return width * height",
        3,
    ),
    "loop variable": (
        """
        def longest(words):
            best = ""
            for word in words:
                if len(words) > len(best):  # here
                    best = word
            return best
        """,
        "if len(word) > len(best):",
        5,
    ),
    "accumulator returned": (
        """
        def doubled(numbers):
            result = []
            for number in numbers:
                result.append(number * 2)
            return numbers  # here
        """,
        "return result",
        4,
    ),
    "module's constant": (
        """
        LIMIT_LOW = 3
        LIMIT_HIGH = 9

        def clamp(value):
            return min(value, LIMIT_LOW)  # here
        """,
        "return min(value, LIMIT_HIGH)",
        3,
    ),
    "misspelt": (
        """
        def total(prices):
            amount = sum(prices)
            return ammount  # here
        """,
        "return amount",
        1,
    ),
    "misspelt builtin": (
        """
        def count(items):
            return lenn(items)  # here
        """,
        "return len(items)",
        1,
    ),
    "method without self": (
        """
        class Counter:
            def step(self):
                return 1

            def run(self):
                return step()  # here
        """,
        "return self.step()",
        1,
    ),
    "attribute without self": (
        """
        class Box:
            def __init__(self, size):
                self.size = size

            def half(self):
                return size / 2  # here
        """,
        "return self.size / 2",
        2,
    ),
    "local where an attribute is read": (
        """
        class Box:
            def __init__(self, width):
                wide = width * 2  # here

            def half(self):
                return self.wide / 2
        """,
        "self.wide = width * 2",
        2,
    ),
    "attribute of a node": (
        """
        def last(node):
            while node.next:
                node = node  # here
            return node
        """,
        "node = node.next",
        3,
    ),
    "other target": (
        """
        def split(text):
            left = right = ""
            for char in text:
                if char == "a":
                    left += char
                else:
                    left += char  # here
            return left, right
        """,
        "right += char",
        9,
    ),
    "class's own": (
        """
        class Box:
            SIZE = 4

            def wide(self):
                return SIZE * 2  # here
        """,
        "return self.SIZE * 2",
        3,
    ),
    "function for another": (
        """
        def read_text(path):
            return path

        def read_bytes(path):
            return path

        def load(path):
            return read_text(path)  # here
        """,
        "return read_bytes(path)",
        2,
    ),
}
ATTRIBUTE_CASES = {
    "of the same object": (
        """
        class Rectangle:
            def __init__(self, width, height):
                self.width = width
                self.height = height

            def area(self):
                return self.width * self.width  # here
        """,
        "return self.width * self.height",
        3,
    ),
    "misspelt": (
        """
        class Rectangle:
            def __init__(self, width):
                self.width = width

            def double(self):
                return self.widht * 2  # here
        """,
        "return self.width * 2",
        1,
    ),
    "as taken elsewhere": (
        """
        def outer(point):
            if point.left > 1:
                return point.right
            return point.left + point.left  # here
        """,
        "return point.left + point.right",
        2,
    ),
    "an argument, not the attribute": (
        """
        class Shelf:
            def __init__(self):
                self.item = None

            def put(self, item):
                self.items = [self.item]  # here
        """,
        "self.items = [item]",
        4,
    ),
    "method not called": (
        """
        class Clock:
            def now(self):
                return 3

            def later(self):
                return self.now + 1  # here
        """,
        "return self.now() + 1",
        1,
    ),
    "property called": (
        """
        class Clock:
            @property
            def now(self):
                return 3

            def later(self):
                return self.now() + 1  # here
        """,
        "return self.now + 1",
        1,
    ),
    "further along a chain": (
        """
        def value(node):
            if node.next is None:
                return node.data
            return node.data  # here
        """,
        "return node.next.data",
        3,
    ),
}


@pytest.mark.parametrize(("wrong", "right", "most"), NAMES_CASES.values(), ids=NAMES_CASES)
def test_names(wrong: str, right: str, most: int) -> None:
    assert rank(NAMES, wrong, right) <= most


@pytest.mark.parametrize(("wrong", "right", "most"), ATTRIBUTE_CASES.values(), ids=ATTRIBUTE_CASES)
def test_attributes(wrong: str, right: str, most: int) -> None:
    assert rank(ATTRIBUTES, wrong, right) <= most


def test_values_tell_which_name_fits() -> None:
    wrong = """
        def pick(alpha, beta, gamma):
            return alpha + 1  # here
        """
    held = (Value("alpha", "str", "'a'"), Value("beta", "str", "'b'"), Value("gamma", "str", "'c'"))
    failed = TestRun("t.py::t", "failed", 0.1, error="TypeError", frames=(Frame(PATH, 3, "pick", held),))
    number = (*held[:2], Value("gamma", "int", "3"))
    same = lines(NAMES, wrong, failing=[failed])
    told = lines(NAMES, wrong, failing=[TestRun("t.py::t", "failed", 0.1, frames=(Frame(PATH, 3, "pick", number),))])
    assert "return gamma + 1" in same
    assert told.index("return beta + 1") < told.index("return gamma + 1")


def test_names_that_are_bound_later_are_not_offered() -> None:
    found = lines(
        NAMES,
        """
        def show(text):
            first = text  # here
            second = first
            return second
        """,
    )
    assert found
    assert "first = second" not in found


def test_global_is_declared() -> None:
    right = """
        count = 0

        def step():
            global count
            count = count + 1  # here
        """
    assert rank(NAMES, right.replace("            global count\n", ""), right) <= 3


@pytest.mark.parametrize(
    ("name", "said"),
    [("math", "import math"), ("Path", "from pathlib import Path"), ("helper", "from tools import helper")],
)
def test_imports(name: str, said: str) -> None:
    wrong = f"""
        import os

        def run(x):
            return {name}(x, os.sep)  # here
        """
    files = {"tools.py": "def helper(x, y):\n    return x\n"}
    found = made(IMPORTS, wrong, files)
    assert any(said in text for text in found[:3]), found


def test_a_name_that_is_known_is_not_imported() -> None:
    wrong = """
        def run(math):
            return (lambda path: math + path)(1)  # here
        """
    assert lines(IMPORTS, wrong) == []
