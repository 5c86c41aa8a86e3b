"""Conditions, wraps, extensions, comprehensions and patterns: the right line among the variants of the wrong one."""

from __future__ import annotations

import re

import pytest

from agent_core.repair.model import Frame, TestRun, Value
from agent_core.repair.templates.comprehensions import OF_COMPREHENSIONS
from agent_core.repair.templates.conditions import CONDITIONS
from agent_core.repair.templates.extensions import EXTENSIONS
from agent_core.repair.templates.patterns import PATTERNS
from agent_core.repair.templates.wraps import WRAPS
from tests.repair.trying import PATH, lines, rank


@pytest.mark.parametrize(
    ("wrong", "right", "most"),
    [
        ("if node.next:", "if node is not None and node.next:", 12),
        ("if node:", "if node is not None:", 1),
        ("if count:", "if count and seen:", 65),
        ("if item > 0:", "if item > 0 and item not in seen:", 30),
        ("if item is None:", "if not item:", 1),
        ("if not item:", "if item is None:", 1),
        ("while count > 0:", "while count > 0 and count < limit:", 45),
        ("if seen[count] == item:", "if count < len(seen) and seen[count] == item:", 40),
        ("if flag == limit:", "if count > limit:", 70),
    ],
)
def test_conditions(wrong: str, right: str, most: int) -> None:
    code = f"""\
    def f(node, item: int, limit: int, flag):
        seen = set()
        count = 0
        count += limit
        print(node, flag)
        {wrong}  # here
            seen.add(item)
    """
    assert rank(CONDITIONS, code, right) <= most


def test_what_is_said_elsewhere_in_the_function_comes_first() -> None:
    code = """\
    def f(a, b, done):
        if a.closed or done:
            return
        if b:  # here
            b()
    """
    assert rank(CONDITIONS, code, "if b and not a.closed:") <= 12
    assert rank(CONDITIONS, code, "if b and not done:") <= 20


def test_values_of_the_failing_test_tell_what_can_be_asked() -> None:
    code = "def f(a, b):\n    if a:  # here\n        return b\n"
    frame = Frame(PATH, 2, "f", (Value("a", "int", "3"), Value("b", "list", "[]")))
    seen = [TestRun("t.py::t", "failed", 0.1, frames=(frame,))]
    assert "if a < len(b) and a:" in made_lines(code, seen) or "if a and a < len(b):" in made_lines(code, seen)
    assert not any("len(b)" in line and "a <" in line for line in made_lines(code, []))


def made_lines(code: str, failing: list[TestRun]) -> list[str]:
    return lines(CONDITIONS, code, failing=failing)


@pytest.mark.parametrize(
    ("wrong", "right", "most"),
    [
        ("return [i for i in xs].sort()", "return [i for i in xs]", 8),
        ("return total", "return int(total)", 6),
        ("return sorted(xs)", "return xs", 6),
        ("return {i for i in xs}", "return sorted({i for i in xs})", 4),
        ("return total", "return min(total, limit)", 30),
        ("return total", "return max(total, 0)", 20),
        ("return d.get(total)", "return d.get(total) or []", 40),
        ("return name.strip()", "return name", 6),
        ("return list(name)", "return [name]", 8),
        ("return [total]", "return total", 4),
        ("return xs + total", "return xs + [total]", 40),
        ("return name or limit", "return name if name is not None else limit", 4),
        ("return xs[0]", "return xs[0] if xs else None", 60),
        ("return helper(total)", "return total", 10),
        ("return total", "return helper(total)", 30),
    ],
)
def test_wraps(wrong: str, right: str, most: int) -> None:
    code = f"def helper(a):\n    return a\n\ndef f(xs, name, limit, d):\n    total = 0.5 + limit\n    {wrong}  # here\n"
    assert rank(WRAPS, code, right) <= most


@pytest.mark.parametrize(
    ("wrong", "right", "most"),
    [
        ("self.x = size", "self.x = size + left", 12),
        ("self.x = left", "self.x = left % len(names)", 20),
        ("return text", "return text + ' '", 20),
        ("return left", "return left * size", 20),
        ("return [left]", "return [left, size]", 8),
        ("return (left, size)", "return (size, left)", 4),
        ("return names", "return names + [left]", 8),
        ("return -left", "return left", 0),
    ],
)
def test_extensions(wrong: str, right: str, most: int) -> None:
    code = f"""\
    def f(self, text: str, left: int, size: int):
        names = []
        names.append(text + " ")
        print(left, size)
        {wrong}  # here
    """
    if most:
        assert rank(EXTENSIONS, code, right) <= most
    else:
        assert right not in lines(EXTENSIONS, code)


@pytest.mark.parametrize(
    ("wrong", "right", "most"),
    [
        ("return [x for x in xs]", "return [x for x in xs if x]", 4),
        ("return [x for x in xs if x]", "return [x for x in xs]", 2),
        ("return [x for x in xs if x]", "return [f(x) for x in xs if x]", 12),
        ("return [f(x) for x in xs]", "return [x for x in xs]", 4),
        ("return {a: b for a, b in xs}", "return {b: a for a, b in xs}", 3),
        ("return {a: b for a, b in xs}", "return {a: b for a, b in xs.items()}", 2),
        ("return [x for x in xs]", "return {x for x in xs}", 10),
        ("return sum(x for x in xs)", "return sum(x for x in xs if x)", 6),
        ("return [x for y in x for x in xs]", "return [x for x in xs for y in x]", 4),
        ("return [x for x in xs]", "return [x for x in xs[1:]]", 14),
    ],
)
def test_comprehensions(wrong: str, right: str, most: int) -> None:
    code = f"def g(xs, f):\n    for x in xs:\n        print(f(x))\n    {wrong}  # here\n"
    assert rank(OF_COMPREHENSIONS, code, right) <= most


@pytest.mark.parametrize(
    ("wrong", "right", "most"),
    [
        (r're.match(r"\d*", x)', r're.match(r"\d+", x)', 6),
        (r're.match(r"a.b", x)', r're.match(r"a\.b", x)', 4),
        (r're.match(r"\w+", x)', r're.match(r"\w+$", x)', 8),
        (r're.match(r"<.*>", x)', r're.match(r"<.*?>", x)', 8),
        (r're.match("[a-z]", x)', r're.match("[^a-z]", x)', 8),
        (r're.sub("\\s", "", x)', r're.sub("\\s+", "", x)', 12),
        (r're.match(r"\d{2}", x)', r're.match(r"\d{3}", x)', 6),
        (r're.match(r"[a-z]+", x)', r're.match(r"[a-z_]+", x)', 20),
        (r're.search("a", x)', 're.search("a", x, flags=re.IGNORECASE)', 20),
        ('"%d" % x', '"%s" % x', 2),
        ('"%.1f" % x', '"%.2f" % x', 2),
        ('"{0} {0}".format(x)', '"{0} {1}".format(x)', 4),
        ('"{x} of"', 'f"{x} of"', 1),
        ('f"{x:.1f}"', 'f"{x:.2f}"', 2),
        ('f"{x}"', 'f"{x!r}"', 1),
        ('f"{x:>5}"', 'f"{x:<5}"', 4),
    ],
)
def test_little_languages(wrong: str, right: str, most: int) -> None:
    assert rank(PATTERNS, f"import re\ndef f(x):\n    return {wrong}  # here\n", f"return {right}") <= most


def test_patterns_that_do_not_compile_are_not_offered() -> None:
    found = lines(PATTERNS, 'import re\nx = re.match("(a|[b]){2}", y)  # here')
    assert len(found) > 5
    for line in found:
        if "flags" not in line:
            re.compile(line.split('"')[1])
