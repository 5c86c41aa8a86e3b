"""Constants, slices, ranges, methods and stars: the right line is among the first variants of the wrong one."""

from __future__ import annotations

import pytest

from agent_core.repair.model import TestRun
from agent_core.repair.templates.constants import CONSTANTS
from agent_core.repair.templates.methods import METHODS
from agent_core.repair.templates.slices import SLICES
from agent_core.repair.templates.unpacking import UNPACKING
from tests.repair.trying import lines, made, rank


@pytest.mark.parametrize(
    ("wrong", "right", "most"),
    [
        ("x = xs[1]", "x = xs[0]", 2),
        ("x = a + 1", "x = a + 2", 2),
        ("x = a[-1]", "x = a[-2]", 2),
        ("x = a[-1]", "x = a[0]", 3),
        ("x = 0x0f", "x = 0x10", 2),
        ("x = 1.0", "x = 1", 20),
        ("x = f(100)", "x = f(99)", 2),
        ("if x > 3: return 8", "if x > 8: return 8", 12),
    ],
)
def test_numbers(wrong: str, right: str, most: int) -> None:
    assert rank(CONSTANTS, f"def f(x, xs, a):\n    {wrong}  # here\n", right) <= most


def test_a_number_stands_for_a_name_nobody_reads() -> None:
    code = "def wait(seconds, times):\n    for _ in range(times):\n        pause(10)  # here\n"
    assert rank(CONSTANTS, code, "pause(seconds)") <= 8


def test_a_number_of_the_failing_test_is_tried() -> None:
    test = "def test_it():\n    assert limit() == 480\n"
    failing = [TestRun("tests/test_it.py::test_it", "failed", 0.1)]
    code = "def limit():\n    return 120  # here\n"
    assert rank(CONSTANTS, code, "return 480", {"tests/test_it.py": test}, failing) <= 16
    assert "return 480" not in lines(CONSTANTS, code, {"tests/test_it.py": test})


@pytest.mark.parametrize(
    ("wrong", "right", "most"),
    [
        ('return d["NAME"]', 'return d["name"]', 2),
        ("return ' , '.join(d)", "return ', '.join(d)", 8),
        ('return d["__size__"]', 'return d["size"]', 4),
        ("return ','.join(d)", "return ' '.join(d)", 8),
        ("return d['nmae']", "return d['name']", 6),
        ("return b'A' + d", "return b'a' + d", 2),
        (r"return split(r'\s-', d)", r"return split(r'\s', d)", 12),
        ("return ''", "return None", 4),
    ],
)
def test_texts(wrong: str, right: str, most: int) -> None:
    assert rank(CONSTANTS, f"def f(d):\n    y = d['name']\n    {wrong}  # here\n", right) <= most


def test_quotes_are_kept_and_what_needs_it_is_escaped() -> None:
    code = "def f(x):\n    a = \"it's\"\n    b = 'say \"no\"'\n    return x == 'its'  # here\n"
    assert r"return x == 'it\'s'" in lines(CONSTANTS, code)
    code = code.replace("'its'", '"say no"')
    assert r'return x == "say \"no\""' in lines(CONSTANTS, code)


@pytest.mark.parametrize(
    ("wrong", "right", "most"),
    [
        ("parse(None, size)", "parse(text, size)", 1),
        ("known = None", "known = {}", 14),
        ("known = None", "known = False", 8),
        ("for one in []:", "for one in text:", 2),
        ("send(size, mode=None)", "send(size, mode='r')", 3),
    ],
)
def test_something_in_the_place_of_nothing(wrong: str, right: str, most: int) -> None:
    tail = "\n        pass" if wrong.endswith(":") else ""
    code = f"def f(text, size):\n    print(size, mode)\n    send(size, mode='r')\n    {wrong}  # here{tail}\n"
    assert rank(CONSTANTS, code, right) <= most


@pytest.mark.parametrize(
    ("wrong", "right", "most"),
    [
        ("x = xs[i]", "x = xs[i - 1]", 3),
        ("x = xs[i:]", "x = xs[i + 1:]", 3),
        ("x = xs[:n]", "x = xs[1:n]", 4),
        ("x = xs[n:]", "x = xs[:n]", 8),
        ("x = xs[::2]", "x = xs", 8),
        ("x = xs[1:]", "x = xs[1:-1]", 2),
        ("x = xs[:3]", "x = xs[:-3]", 4),
        ("x = xs[0]", "x = xs[-1]", 4),
        ("x = xs[1]", "x = xs[1:]", 4),
        ("x = xs[:]", "x = xs[::-1]", 8),
        ("for k in range(n):", "for k in range(1, n):", 4),
        ("for k in range(n):", "for k in range(n + 1):", 3),
        ("for k in range(1, n):", "for k in range(n):", 4),
        ("for k in range(n, 0, 1):", "for k in range(n, 0, -1):", 8),
        ("for k in range(n):", "for k in range(i, n):", 10),
        ("x = len(xs)", "x = len(xs) - 1", 2),
        ("while i < len(xs):", "while i < len(xs) - 1:", 8),
    ],
)
def test_slices_and_ranges(wrong: str, right: str, most: int) -> None:
    tail = "\n        pass" if wrong.endswith(":") else ""
    assert rank(SLICES, f"def f(xs, i, n):\n    {wrong}  # here{tail}\n", right) <= most


@pytest.mark.parametrize(
    ("wrong", "right", "most"),
    [
        ("x = s.lstrip()", "x = s.rstrip()", 3),
        ("x = s.lower()", "x = s.upper()", 2),
        ("x = s.find(t)", "x = s.rfind(t)", 2),
        ("x = min(s)", "x = max(s)", 1),
        ("x = any(s)", "x = all(s)", 1),
        ("x = sorted(s)", "x = sorted(s, reverse=True)", 6),
        ("s.append(t)", "s.extend(t)", 1),
        ("s.append(t)", "s.insert(0, t)", 6),
        ("x = s.pop()", "x = s.pop(0)", 5),
        ("x = s.join(t)", "x = t.join(s)", 3),
        ("for a, b in s.keys():", "for a, b in s.items():", 2),
        ("x = enumerate(s)", "x = enumerate(s, 1)", 5),
        ("x = m.group()", "x = m.group(1)", 4),
        ("x = int(s)", "x = round(s)", 5),
        ("x = s.split(t)", "x = s.split(t, 1)", 8),
    ],
)
def test_methods_and_functions(wrong: str, right: str, most: int) -> None:
    tail = "\n        pass" if wrong.endswith(":") else ""
    assert rank(METHODS, f"def f(s, t, m):\n    {wrong}  # here{tail}\n", right) <= most


def test_a_function_that_is_not_there_is_not_called() -> None:
    assert "x = floor(y)" not in lines(METHODS, "x = int(y)  # here")
    assert "x = floor(y)" in lines(METHODS, "from math import floor\nx = int(y)  # here")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("g(*k)", "g(**k)"),
        ("g(1, **a)", "g(1, *a)"),
        ("g(a)", "g(*a)"),
        ("g(*a)", "g(a)"),
        ("g(k)", "g(**k)"),
    ],
)
def test_stars(wrong: str, right: str) -> None:
    assert rank(UNPACKING, f"def f(*a, **k):\n    {wrong}  # here\n", right) <= 2


def test_line_ends_stay_as_they_are() -> None:
    text = "def f(x):\r\n    y = x[1]  # here\r\n    return y\r\n"
    assert text.replace("[1]", "[0]") in made(CONSTANTS, text)
