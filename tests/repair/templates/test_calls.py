"""Calls: their arguments, what is called, what is converted and copied."""

from __future__ import annotations

import pytest

from agent_core.repair.templates.calls import CALLS
from agent_core.repair.templates.conversions import CONVERSIONS
from agent_core.repair.templates.loops import LOOPING
from tests.repair.trying import lines, rank

CASES = {
    "exchanged": ("def f(a, b):\n    return g(b, a)  # here\n", "return g(a, b)", 1),
    "exchanged by keyword": ("def f(a, b):\n    return g(x=b, y=a)  # here\n", "return g(x=a, y=b)", 1),
    "parameter's own name": (
        """
        def send(text, retries):
            return text

        def twice(text, retries):
            return send(text)  # here
        """,
        "return send(text, retries)",
        1,
    ),
    "by keyword, past a default": (
        """
        def send(text, pause=0, loud=False):
            return text

        def twice(text, loud):
            return send(text)  # here
        """,
        "return send(text, loud=loud)",
        3,
    ),
    "one too many": (
        """
        def send(text):
            return text

        def twice(text, loud):
            return send(text, loud)  # here
        """,
        "return send(text)",
        6,
    ),
    "none for a value": (
        """
        def send(text, retries):
            return text

        def twice(text, retries):
            return send(None, retries)  # here
        """,
        "return send(text, retries)",
        1,
    ),
    "another that is named like the parameter": (
        """
        def send(text, retries):
            return text

        def twice(text, retries, times):
            return send(text, times)  # here
        """,
        "return send(text, retries)",
        1,
    ),
    "as another call has it": (
        """
        def both(a, b):
            one = encode(a, strict=True)
            two = encode(b)  # here
            return one, two
        """,
        "two = encode(b, strict=True)",
        3,
    ),
    "keyword of another name": (
        """
        def send(text, retries=1):
            return text

        def twice(text):
            return send(text, retry=2)  # here
        """,
        "return send(text, retries=2)",
        1,
    ),
    "the class above": (
        """
        class Store(Base):
            def save(self):
                self.ready = True
                return self.save()  # here
        """,
        "return super().save()",
        1,
    ),
    "sibling": (
        """
        def to_celsius(x):
            return x

        def to_kelvin(x):
            return x

        def show(x):
            return to_celsius(x)  # here
        """,
        "return to_kelvin(x)",
        2,
    ),
}
CONVERTED = {
    "like its neighbour": (
        "def add(a, b):\n    first = int(a)\n    return first + b  # here\n",
        "return first + int(b)",
        4,
    ),
    "method like its neighbour": (
        "def same(a, b):\n    return a.strip() == b  # here\n",
        "return a.strip() == b.strip()",
        2,
    ),
    "a copy kept": (
        """
        def paths(steps):
            path, found = [], []
            for step in steps:
                path.append(step)
                found.append(path)  # here
            return found
        """,
        "found.append(path[:])",
        6,
    ),
    "a copy of a dictionary": (
        "def merged(base):\n    found = dict(a=1)\n    result = base  # here\n    return result\n",
        "result = dict(base)",
        6,
    ),
}
LOOPS = {
    "pairs": ("def f(d):\n    for k, v in d:  # here\n        print(k, v)\n", "for k, v in d.items():", 2),
    "positions": ("def f(xs):\n    for i in xs:  # here\n        print(xs[i])\n", "for i in range(len(xs)):", 4),
    "backwards": ("def f(xs):\n    for x in xs:  # here\n        yield x\n", "for x in reversed(xs):", 6),
    "numbered": ("def f(xs):\n    for i, x in xs:  # here\n        print(i, x)\n", "for i, x in enumerate(xs):", 2),
    "counted": ("def f(n: int):\n    for i in n:  # here\n        print(i)\n", "for i in range(n):", 2),
    "nothing": ("def f(xs):\n    for x in []:  # here\n        print(x)\n", "for x in xs:", 3),
    "in a comprehension": ("def f(d):\n    return [k for k, v in d]  # here\n", "return [k for k, v in d.items()]", 3),
    "as long as there is something": (
        """
        def drain(queue):
            while True:  # here
                item = queue.pop()
                print(item)
        """,
        "while queue:",
        1,
    ),
    "a step further": (
        """
        def total(n: int):
            if n == 0:
                return 0
            return n + total(n)  # here
        """,
        "return n + total(n - 1)",
        2,
    ),
    "the rest of it": (
        """
        def turned(items: list):
            if not items:
                return []
            return turned(items[1:])  # here
        """,
        "return turned(items[1:]) + [items[0]]",
        20,
    ),
    "what hangs on it": (
        """
        def depth(node):
            if node.child is None:
                return 0
            return 1 + depth(node)  # here
        """,
        "return 1 + depth(node.child)",
        2,
    ),
}


@pytest.mark.parametrize(("wrong", "right", "most"), CASES.values(), ids=CASES)
def test_calls(wrong: str, right: str, most: int) -> None:
    assert rank(CALLS, wrong, right) <= most


@pytest.mark.parametrize(("wrong", "right", "most"), CONVERTED.values(), ids=CONVERTED)
def test_conversions(wrong: str, right: str, most: int) -> None:
    assert rank(CONVERSIONS, wrong, right) <= most


@pytest.mark.parametrize(("wrong", "right", "most"), LOOPS.values(), ids=LOOPS)
def test_loops(wrong: str, right: str, most: int) -> None:
    assert rank(LOOPING, wrong, right) <= most


def test_a_generator_that_is_the_only_argument_gets_no_second() -> None:
    found = lines(CALLS, "def f(xs, start):\n    return sum(x for x in xs)  # here\n")
    assert not any("for x in xs, " in line for line in found)
