"""Which lines are suspicious."""

from __future__ import annotations

import textwrap

from agent_core.repair.localise import localise
from agent_core.repair.model import Frame, Suspect, TestRun
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.spans import statement_lines
from tests.repair.quick_lab import PATH, QuickLab

SHOP = """
    LIMIT = 10

    def price(count):
        if count > LIMIT:
            total = count * 2
        else:
            total = count * 3
        return total

    def name(text):
        return text.strip()
"""


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def suspects(lab: QuickLab, *, traced: bool = True) -> list[Suspect]:
    runs = [lab.run(test) for test in lab.tests]
    failing = [run for run in runs if run.bad]
    passing = [run for run in runs if not run.bad]
    return list(localise(failing, passing, lab.project(failing), lambda path: path == PATH))


def test_the_line_that_only_the_failing_test_executes_comes_first() -> None:
    lab = QuickLab(SHOP, {"a": "assert price(20) == 41", "b": "assert price(2) == 6", "c": "assert name(' x') == 'x'"})
    found = suspects(lab)
    assert found[0].line == line_of(lab.files[PATH], "count * 2")
    order = [one.line for one in found]
    assert order.index(line_of(lab.files[PATH], "if count")) < order.index(line_of(lab.files[PATH], "def name"))
    assert line_of(lab.files[PATH], "strip") not in order
    assert all(0 < one.score <= 1 for one in found)


def test_a_constant_of_the_module_is_as_suspicious_as_what_uses_it_and_no_more() -> None:
    lab = QuickLab(SHOP, {"a": "assert price(10) == 20", "b": "assert price(2) == 6"})
    scores = {one.line: one.score for one in suspects(lab)}
    text = lab.files[PATH]
    assert scores[line_of(text, "LIMIT = 10")] > scores[line_of(text, "def price")]
    assert scores[line_of(text, "LIMIT = 10")] < scores[line_of(text, "if count")]


def test_the_innermost_line_of_a_traceback_comes_before_what_else_was_executed() -> None:
    lab = QuickLab(
        """
        def outer(items):
            first = items[0]
            return inner(items, first)

        def inner(items, first):
            extra = first + 1
            return items[extra]
        """,
        {"a": "assert outer([1, 2]) == 2"},
    )
    found = suspects(lab)
    text = lab.files[PATH]
    assert found[0] == Suspect(PATH, line_of(text, "items[extra]"), found[0].score, in_traceback=True)
    further = {one.line: one for one in found}
    called = further[line_of(text, "return inner")]
    # The line that called it is in the traceback, too, and counts for more than what was executed beside it.
    assert called.in_traceback
    assert called.score > further[line_of(text, "first = items[0]")].score
    assert not further[line_of(text, "extra = first")].in_traceback


def test_what_is_near_to_the_traceback_comes_before_what_is_further_off() -> None:
    padding = "\n".join(f"    print({number})" for number in range(6))
    text = f"def f(items):\n    print(0)\n{padding}\n    print(8)\n    return items[3]\n"
    found = suspects(QuickLab(text, {"a": "f([])"}))
    scores = {one.line: one.score for one in found}
    assert scores[9] > scores[8] > scores[2]


def test_what_decides_or_computes_comes_before_a_plain_call() -> None:
    lab = QuickLab("def f(x):\n    print(x)\n    y = x\n    return y\n", {"a": "assert f(1) == 2"})
    scores = {one.line: one.score for one in suspects(lab)}
    assert scores[3] == scores[4] > scores[2]


def test_what_ran_at_the_import_comes_after_what_a_test_executed_and_the_import_of_what_that_uses_first() -> None:
    lab = QuickLab(
        """
        import math
        import os

        def f(x):
            return math.floor(x)

        f(1)
        """,
        {"a": "assert f(1.5) == 2"},
    )
    scores = {one.line: one.score for one in suspects(lab)}
    body, used, unused, call = (scores[line_of(lab.files[PATH], part)] for part in ("return", "math", "os", "f(1)"))
    assert body > used > unused > 0
    assert body > call


def test_where_a_test_imports_what_it_is_about_what_runs_then_is_not_as_suspicious_as_what_it_calls() -> None:
    lab = QuickLab("print(3)\n\ndef f(x):\n    return x\n", {})
    failing = TestRun("t", "failed", 0.0, {PATH: (1, 3, 4)}, "AssertionError")
    scores = {one.line: one.score for one in localise([failing], [], lab.project(), lambda path: path == PATH)}
    assert max(scores[1], scores[3]) < scores[4] / 2


def test_a_statement_over_several_lines_is_its_first_line() -> None:
    source = Source(
        "a.py",
        textwrap.dedent(
            """\
            @wrapped
            def f(
                a,
                b=1,
            ):
                if (
                    a
                    and b
                ):
                    return [
                        a,
                        b,
                    ]
                try:
                    pass
                except (
                    ValueError
                ):
                    pass
            """
        ),
    )
    lines = statement_lines(source)
    assert [lines[number] for number in range(1, 14)] == [1, 2, 2, 2, 2, 6, 6, 6, 6, 10, 10, 10, 10]
    assert (lines[16], lines[17], lines[18], lines[19]) == (16, 16, 16, 19)


def test_without_knowing_what_tests_execute_the_functions_they_name_are_suspects() -> None:
    files = {
        "shop.py": (
            "def total(items):\n    return add(items)\n\n"
            "def add(items):\n    return sum(items) + 1\n\n"
            "def no():\n    pass\n"
        ),
        "test_shop.py": "from shop import total\n\ndef test_total():\n    assert total([1]) == 1\n",
    }
    project = Project(list(files), lambda path: files[path].encode() if path in files else None)
    frame = Frame("test_shop.py", 4, "test_total")
    failing = TestRun("test_shop.py::test_total", "failed", 0.0, error="AssertionError", frames=(frame,))
    found = localise([failing], [], project, lambda path: path == "shop.py")
    lines = [one.line for one in found if one.score > 0.1]
    assert {2, 5} <= set(lines)
    assert 8 not in lines
    assert {one.path for one in found} == {"shop.py"}


def test_the_place_of_an_error_at_import_is_a_suspect() -> None:
    files = {"shop.py": "import os\nLIMIT = lmiit\n\ndef f():\n    pass\n"}
    project = Project(list(files), lambda path: files[path].encode() if path in files else None)
    frame = Frame("shop.py", 2, "<module>")
    failing = TestRun("test_shop.py", "error", 0.0, error="NameError", frames=(frame,))
    found = localise([failing], [], project, lambda path: path == "shop.py")
    assert found[0].line == 2
    assert found[0].in_traceback
