"""Whatever the program: what templates make can be parsed, differs, and leaves the rest as it is."""

from __future__ import annotations

import argparse
import ast
import dataclasses
import functools
import inspect
import json.decoder
import random
import textwrap
import warnings
from types import ModuleType

import pytest

from agent_core.repair.model import Variant, with_edits
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates.all import variants_at
from agent_core.repair.templates.statements import STATEMENTS

MODULES = (textwrap, json.decoder, functools, dataclasses, argparse)


def project(text: str) -> tuple[Source, Project]:
    """A text as the only file of a project."""
    found = Project({"program.py"}, lambda _: text.encode(), (), ("program.py",))
    source = found.source("program.py")
    assert source is not None
    return source, found


def made_at(source: Source, found: Project, node: ast.AST) -> list[Variant]:
    """All variants at a node; of each template no more than what was agreed."""
    variants: list[Variant] = []
    for template in STATEMENTS:
        ones = list(template(source, node, found))
        assert len(ones) <= 64, getattr(template, "__name__", "")
        variants += ones
    return variants


def parses(text: str) -> bool:
    """Whether a text is Python, whatever it warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except SyntaxError:
            return False
    return True


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
@pytest.mark.parametrize("written", ["\n", "\r\n", "\t"])
def test_every_variant_parses_and_differs(module: ModuleType, written: str) -> None:
    text = inspect.getsource(module)
    chance = random.Random(f"{module.__name__}{written}")
    # A function or class of it is enough to be parsed again for each.
    parts = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    part = chance.choice([node for node in parts if 10 < (node.end_lineno or 0) - node.lineno < 160])
    code = ast.get_source_segment(text, part) or ""
    code = code.replace("    ", "\t") if written == "\t" else code.replace("\n", written)
    source, found = project(code)
    nodes = [node for node in ast.walk(source.tree) if hasattr(node, "lineno")]
    count = 0
    for node in chance.sample(nodes, min(30, len(nodes))):
        for variant in made_at(source, found, node):
            new = with_edits(code, variant.edits)
            assert new != code, variant
            assert variant.cost >= (0.4 if variant.template.startswith("misspelt") else 1.0), variant
            assert variant.says, variant
            if chance.random() < 0.25:
                assert parses(new), (variant, new)
                count += 1
            if written == "\r\n":
                assert "\n" not in new.replace("\r\n", ""), variant
    assert count > 10


def test_line_ends_of_the_file_are_kept() -> None:
    code = "def f(xs):\r\n    total = 0\r\n    for x in xs:\r\n        total = x\r\n    return total\r\n"
    source, found = project(code)
    nodes = [node for node in ast.walk(source.tree) if hasattr(node, "lineno")]
    variants = [variant for node in nodes for variant in made_at(source, found, node)]
    assert len(variants) > 20
    for variant in variants:
        assert "\n" not in with_edits(code, variant.edits).replace("\r\n", ""), variant


HOSTILE = {
    "nothing": "",
    "one line": "def f(x): return x",
    "letters": """
def größe(wörter):
    länge = 0
    for wort in wörter:
        länge = len(f"{wort}ß")
    return länge
""",
    "many names": "def f(" + ", ".join(f"a{i}" for i in range(200)) + "):\n    return a1 + a2\n",
    "deep": "def f(x):\n" + "".join("    " * i + "if x:\n" for i in range(1, 18)) + "    " * 18 + "return x\n",
    "match": """
def f(x):
    match x:
        case [a, *b] if a:
            return b
        case {'k': v, **r}:
            return v, r
""",
    "walrus": """
def f(xs):
    while (n := len(xs)) > 1:
        xs.pop()
    return [y for x in xs if (y := x + n)]
""",
    "lambda": "f = lambda a, *b, c=1, **d: (a, b, c, d)\n",
    "semicolons": "def f(x):\n    a = 1; b = 2\n    if x: a = b; return a\n    return b\n",
    "text": 'def f(x):\n    y = """a\n  b"""\n    if x:\n        y = """c\n    d"""\n    return y\n',
    "form feed": "x = 1\n\x0c\ndef f(a):\n    b = a\n    return b\n",
    "continued": "def f(a, b):\n    c = a + \\\n        b\n    return (\n        c\n    )\n",
    "star": "def f(*a, **k):\n    return g(*a, **k, b=1)\n",
    "class in a function": "def f(n):\n    class A:\n        x = n\n        def g(self): return self.x\n    return A\n",
}


@pytest.mark.parametrize("code", HOSTILE.values(), ids=HOSTILE)
def test_programs_of_any_form(code: str) -> None:
    source, found = project(code)
    for node in [node for node in ast.walk(source.tree) if hasattr(node, "lineno")][:80]:
        for variant in made_at(source, found, node):
            new = with_edits(code, variant.edits)
            assert new != code, variant
            assert parses(new), (variant, new)


def test_a_sum_of_a_thousand_parts_fails_no_template(caplog: pytest.LogCaptureFixture) -> None:
    text = "def f(a, b):\n    c = " + "+".join(["a"] * 900) + "\n    if a < b:\n        return c\n    return b\n"
    source, found = project(text)
    assert "> for <" in {one.says for one in variants_at(source, 3, found)}
    assert not caplog.records


def test_a_line_behind_a_form_feed_has_variants() -> None:
    source, found = project("def f(a, b):\n\f    if a < b:\n        return a\n    return b\n")
    assert "> for <" in {one.says for one in variants_at(source, 2, found)}
