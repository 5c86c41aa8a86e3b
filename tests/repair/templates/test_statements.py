"""Whole statements: assigned, returned, moved, missing."""

from __future__ import annotations

import pytest

from agent_core.repair.templates.assignments import ASSIGNMENTS
from agent_core.repair.templates.guards import GUARDS
from agent_core.repair.templates.missing import MISSING
from agent_core.repair.templates.moves import MOVES
from agent_core.repair.templates.returns import RETURNS
from tests.repair.trying import PATH, failing, made, rank, tidy

ASSIGNED = {
    "targets": ("def f(x):\n    b, a = divmod(x, 10)  # here\n    return a\n", "a, b = divmod(x, 10)", 1),
    "result": ("def f(a, b):\n    return b, a  # here\n", "return a, b", 1),
    "sides": ("def f(a, b):\n    a = b  # here\n    return b\n", "b = a", 3),
    "key and value": (
        "def f(d):\n    return {k: v for k, v in d.items()}  # here\n",
        "return {v: k for k, v in d.items()}",
        2,
    ),
    "none": ("def f(a, b):\n    total = None  # here\n    return total + b.size\n", "total = a", 4),
    "kept": (
        "def f(xs):\n    best = 0\n    for x in xs:\n        best = x  # here\n    return best\n",
        "best = max(best, x)",
        3,
    ),
}
RETURNED = {
    "not returned": ("def f(a):\n    a.strip()  # here\n", "return a.strip()", 1),
    "nothing": ("def f(a):\n    b = a * 2\n    return  # here\n", "return b", 1),
    "none": ("def f(a):\n    b = a * 2\n    return None  # here\n", "return b", 2),
    "break": (
        "def f(xs):\n    for x in xs:\n        if x:\n            break  # here\n        print(x)\n",
        "continue",
        1,
    ),
    "yield from": (
        "def flat(x):\n    for y in x:\n        yield flat(y)  # here\n    yield x\n",
        "yield from flat(y)",
        1,
    ),
    "dropped generator": (
        "def flat(x):\n    for y in x:\n        flat(y)  # here\n    yield x\n",
        "yield from flat(y)",
        2,
    ),
    "await": (
        "async def g():\n    return 1\n\nasync def f():\n    x = g()  # here\n    return x\n",
        "x = await g()",
        1,
    ),
    "no await": ("def g():\n    return 1\n\nasync def f():\n    x = await g()  # here\n    return x\n", "x = g()", 1),
    "at the end": (
        "def f(xs):\n    total = 0\n    for x in xs:\n        total += x  # here\n",
        "def f(xs):\n    total = 0\n    for x in xs:\n        total += x  # here\n    return total\n",
        1,
    ),
    "found and done": (
        """
        def f(xs):
            found = None
            for x in xs:
                if x > 3:
                    found = x  # here
            return found
        """,
        """
        def f(xs):
            found = None
            for x in xs:
                if x > 3:
                    found = x  # here
                    break
            return found
        """,
        1,
    ),
}
MOVED = {
    "out of a loop": (
        "def f(xs):\n    total = 0\n    for x in xs:\n        total += x\n        return total  # here\n",
        "def f(xs):\n    total = 0\n    for x in xs:\n        total += x\n    return total  # here\n",
        1,
    ),
    "before a loop": (
        "def f(xs):\n    for x in xs:\n        total = 0  # here\n        total += x\n    return total\n",
        "def f(xs):\n    total = 0  # here\n    for x in xs:\n        total += x\n    return total\n",
        3,
    ),
    "into a loop": (
        """
        def f(xs):
            total = 0
            for x in xs:
                print(x)
            total += x  # here
            return total
        """,
        """
        def f(xs):
            total = 0
            for x in xs:
                print(x)
                total += x  # here
            return total
        """,
        2,
    ),
    "before its neighbour": (
        "def f(x):\n    y = x\n    x = 3  # here\n    return x + y\n",
        "def f(x):\n    x = 3  # here\n    y = x\n    return x + y\n",
        2,
    ),
    "elif": (
        "def f(x):\n    if x > 3:\n        y = 1\n    if x > 2:  # here\n        y = 2\n    return y\n",
        "elif x > 2:",
        2,
    ),
    "if for elif": (
        """
        def f(x):
            y = 0
            if x > 3:
                y += 1
            elif x > 2:  # here
                y += 2
            return y
        """,
        "if x > 2:",
        1,
    ),
    "else of a loop": (
        """
        def f(xs):
            for x in xs:
                if x:  # here
                    return True
                else:
                    return False
        """,
        "def f(xs):\n    for x in xs:\n        if x:  # here\n            return True\n    return False\n",
        1,
    ),
    "into else": (
        "def f(x):\n    if x:\n        y = 1\n    y = 2  # here\n    return y\n",
        "def f(x):\n    if x:\n        y = 1\n    else:\n        y = 2  # here\n    return y\n",
        6,
    ),
    "too much": (
        "def f(xs):\n    xs = list(xs)\n    xs.pop()  # here\n    return xs\n",
        "def f(xs):\n    xs = list(xs)\n    return xs\n",
        6,
    ),
}
LACKING = {
    "counter": (
        "def f(xs):\n    count = 0\n    for x in xs:\n        print(x)  # here\n    return count\n",
        """
        def f(xs):
            count = 0
            for x in xs:
                print(x)  # here
                count += 1
            return count
        """,
        1,
    ),
    "kept in mind": (
        """
        def f(node, seen):
            if node in seen:
                return
            for one in node.links:  # here
                f(one, seen)
        """,
        """
        def f(node, seen):
            if node in seen:
                return
            seen.add(node)
            for one in node.links:  # here
                f(one, seen)
        """,
        6,
    ),
    "handed on": (
        """
        def f(node):
            last = None
            while node:
                node.back = last
                node = node.next  # here
            return last
        """,
        """
        def f(node):
            last = None
            while node:
                node.back = last
                last = node
                node = node.next  # here
            return last
        """,
        8,
    ),
    "collected": (
        "def f(xs):\n    found = []\n    for x in xs:\n        y = x * 2  # here\n    return found\n",
        """
        def f(xs):
            found = []
            for x in xs:
                y = x * 2  # here
                found.append(y)
            return found
        """,
        6,
    ),
    "as in the other branch": (
        """
        def f(a, b):
            if a:
                b.start()
                b.run(a)
            else:
                b.reset()  # here
            return b
        """,
        """
        def f(a, b):
            if a:
                b.start()
                b.run(a)
            else:
                b.reset()  # here
                b.run(a)
            return b
        """,
        6,
    ),
    "attribute": (
        """
        class A:
            def __init__(self, a, b):
                self.a = a  # here

            def both(self):
                return self.a + self.b
        """,
        """
        class A:
            def __init__(self, a, b):
                self.a = a  # here
                self.b = b

            def both(self):
                return self.a + self.b
        """,
        1,
    ),
    "class above": (
        "class A(Base):\n    def __init__(self, a):\n        self.a = a  # here\n",
        """
        class A(Base):
            def __init__(self, a):
                super().__init__()
                self.a = a  # here
        """,
        1,
    ),
    "else": (
        """
        def f(xs):
            low, high = [], []
            for x in xs:
                if x < 3:  # here
                    low.append(x)
            return low, high
        """,
        """
        def f(xs):
            low, high = [], []
            for x in xs:
                if x < 3:  # here
                    low.append(x)
                else:
                    high.append(x)
            return low, high
        """,
        12,
    ),
    "key": (
        """
        def f(xs):
            groups = {}
            for x in xs:
                groups[len(x)].append(x)  # here
            return groups
        """,
        """
        def f(xs):
            groups = {}
            for x in xs:
                groups.setdefault(len(x), [])
                groups[len(x)].append(x)  # here
            return groups
        """,
        20,
    ),
}


@pytest.mark.parametrize(("wrong", "right", "most"), ASSIGNED.values(), ids=ASSIGNED)
def test_assignments(wrong: str, right: str, most: int) -> None:
    assert rank(ASSIGNMENTS, tidy(wrong), tidy(right)) <= most


@pytest.mark.parametrize(("wrong", "right", "most"), RETURNED.values(), ids=RETURNED)
def test_returns(wrong: str, right: str, most: int) -> None:
    assert rank(RETURNS, tidy(wrong), tidy(right)) <= most


@pytest.mark.parametrize(("wrong", "right", "most"), MOVED.values(), ids=MOVED)
def test_moves(wrong: str, right: str, most: int) -> None:
    assert rank(MOVES, tidy(wrong), tidy(right)) <= most


@pytest.mark.parametrize(("wrong", "right", "most"), LACKING.values(), ids=LACKING)
def test_missing(wrong: str, right: str, most: int) -> None:
    assert rank(MISSING, tidy(wrong), tidy(right)) <= most


def test_two_assignments_at_once() -> None:
    wrong = (
        "def fib(n):\n    a, b = 0, 1\n    for _ in range(n):\n        a = b  # here\n        b = a + b\n    return a\n"
    )
    assert "        a, b = b, a + b\n" in "".join(made(ASSIGNMENTS, wrong))


def test_a_variable_that_is_not_set_is_set_before() -> None:
    wrong = "def f(xs):\n    for x in xs:\n        total += x  # here\n    return total\n"
    right = "def f(xs):\n    total = 0\n    for x in xs:\n        total += x  # here\n    return total\n"
    run = failing(
        "cannot access local variable 'total' where it is not associated with a value", "UnboundLocalError", 3
    )
    assert rank(MISSING, wrong, right, failing=run) <= 3


@pytest.mark.parametrize(("end", "step"), [("\r\n", "    "), ("\n", "\t"), ("\n", "  ")])
def test_lines_end_and_are_indented_as_the_file_has_them(end: str, step: str) -> None:
    def written(text: str) -> str:
        return text.replace("    ", step).replace("\n", end)

    wrong = "def f(xs):\n    count = 0\n    for x in xs:\n        print(x)  # here\n    return count\n"
    right = wrong.replace("# here\n", "# here\n        count += 1\n")
    assert written(right) in made(MISSING, written(wrong))
    guarded = "def f(x):\n    if x is None:\n        return None\n    return x.size  # here\n"
    assert written(guarded) in made(GUARDS, written("def f(x):\n    return x.size  # here\n"))


def test_a_file_without_a_last_line_end() -> None:
    found = made(MISSING, "def f(xs):\n    count = 0\n    for x in xs:\n        print(x)  # here")
    assert "def f(xs):\n    count = 0\n    for x in xs:\n        print(x)  # here\n        count += 1" in found


def test_statements_that_share_a_line_are_left_alone() -> None:
    assert made(MOVES, "def f(x):\n    x = 1; y = 2  # here\n    return y\n") == []
    assert made(MISSING, "def f(x):\n    n = 0\n    if x: n = 1  # here\n    return n\n") != []
    for text in made(MISSING, "def f(x):\n    n = 0\n    if x: n = 1  # here\n    return n\n"):
        compile(text, PATH, "exec")
