"""An expression put in the place of another means what was meant, in any place of real code."""

from __future__ import annotations

import ast
import calendar
import heapq
import inspect
import shlex
import textwrap
from functools import lru_cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_core.repair.model import with_edits
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.spans import nodes_at
from agent_core.repair.templates.exact import editable, grouped, level_of_text, put
from agent_core.repair.templates.expressions import EXPRESSIONS

_MODULES = (calendar, heapq, shlex, textwrap)
_TEXTS = (
    "a", "1", "-1", "a + b", "a * b", "a ** b", "not a", "a < b", "a or b", "a and b", "a if b else c", "lambda: a",
    "f(a)", "(a\n + b)", "a\n+ b", "(a) + (b)", "await_", "[a]", "(a, b)", "~a", "a | b", "a.b", '"text"',
)  # fmt: skip


@lru_cache
def _functions(module: int) -> list[str]:
    """The functions of a module, each as a text of its own."""
    tree = ast.parse(inspect.getsource(_MODULES[module]))
    return [ast.get_source_segment(inspect.getsource(_MODULES[module]), one) or "" for one in tree.body
            if isinstance(one, ast.FunctionDef | ast.ClassDef)]  # fmt: skip


class _With(ast.NodeTransformer):
    def __init__(self, node: ast.AST, other: ast.expr) -> None:
        self.node, self.other = node, other

    def visit(self, node: ast.AST) -> ast.AST:
        return self.other if node is self.node else super().visit(node)


def _code(data: st.DataObject) -> str:
    functions = _functions(data.draw(st.integers(0, len(_MODULES) - 1)))
    return textwrap.dedent(functions[data.draw(st.integers(0, len(functions) - 1))])


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_what_is_put_in_a_place_is_the_tree_meant(data: st.DataObject) -> None:
    source = Source("m.py", _code(data))
    places = [one for one in ast.walk(source.tree) if isinstance(one, ast.expr) and editable(source, one)]
    places = [one for one in places if not isinstance(one, ast.Slice | ast.Starred)]
    if not places:
        return
    place, text = data.draw(st.sampled_from(places)), data.draw(st.sampled_from(_TEXTS))
    edit = put(source, place, text)
    if edit is None:
        assert source.in_text(place)
        return
    found = ast.parse(with_edits(source.text, [edit]))
    meant = _With(place, ast.parse(f"({text})", mode="eval").body).visit(source.tree)
    assert ast.dump(found) == ast.dump(meant)
    assert source.text.startswith(with_edits(source.text, [edit])[: edit.start])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_every_variant_at_a_line_of_real_code_can_be_parsed_and_differs(data: st.DataObject) -> None:
    text = _code(data)
    project = Project(["m.py"], lambda _: text.encode())
    source = project.source("m.py")
    assert source is not None
    line = data.draw(st.sampled_from(sorted(source.by_line)))
    made = []
    for node in nodes_at(source, line):
        for template in EXPRESSIONS:
            of_one = list(template(source, node, project))
            assert len(of_one) <= 64, template
            made += of_one
    for one in made:
        changed = with_edits(text, one.edits)
        assert changed != text, one
        start, end = one.edits[0].start, len(text) - one.edits[-1].end
        assert changed[:start] == text[:start]
        assert end == 0 or changed[-end:] == text[-end:]
    for one in made[:: max(1, len(made) // 12)]:
        ast.parse(with_edits(text, one.edits))


@pytest.mark.parametrize(
    ("code", "old", "new", "result"),
    [
        ("x = (a + b) * c", "a + b", "d", "x = d * c"),
        ("x = (a + b) * c", "a + b", "d - e", "x = (d - e) * c"),
        ("if(a):pass", "a", "b", "if(b):pass"),
        ("x = not(a or b)", "a or b", "c", "x = not c"),
        ("x = a.b", "a", "1", "x = (1).b"),
        ("x = f(a for a in b)", "(a for a in b)", "c", "x = f(c)"),
        ("x = a ** b", "a", "-c", "x = (-c) ** b"),
        ("x = a - b", "b", "c - d", "x = a - (c - d)"),
        ("x = [*a]", "a", "b or c", "x = [*(b or c)]"),
        ("x = {**a}", "a", "b or c", "x = {**(b or c)}"),
        ("x = (a)", "a", "b", "x = (b)"),
    ],
)
def test_brackets_stand_exactly_where_they_are_needed(code: str, old: str, new: str, result: str) -> None:
    source = Source("m.py", code)
    place = next(one for one in ast.walk(source.tree) if isinstance(one, ast.expr) and source.code(one) == old)
    edit = put(source, place, new)
    assert edit is not None
    assert with_edits(code, [edit]) == result


def test_the_brackets_of_a_call_are_not_those_of_its_argument() -> None:
    for code, group in (("f(a)", "a"), ("f((a))", "(a)"), ("f((a), b)", "(a)"), ("(a)", "(a)")):
        source = Source("m.py", code)
        place = next(one for one in ast.walk(source.tree) if isinstance(one, ast.Name) and one.id == "a")
        start, end = grouped(source, place)
        assert code[start:end] == group


def test_annotations_docstrings_and_patterns_are_left_alone() -> None:
    code = 'def f(x: int = 1) -> "int":\n    """Text."""\n    y: "str" = "b"\n    match x:\n        case 1: pass\n'
    source = Source("m.py", code)
    constants = [one.value for one in ast.walk(source.tree) if isinstance(one, ast.Constant) and editable(source, one)]
    assert sorted(map(str, constants)) == ["1", "b"]


def test_a_text_that_is_no_expression_has_no_level() -> None:
    assert level_of_text("a +") is None
    assert level_of_text("a; b") is None
