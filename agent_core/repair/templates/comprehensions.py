"""Comprehensions: their condition, what they give, what they go over, what they make."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.exact import Level, editable, grouped, piece, put, replaced
from agent_core.repair.templates.guesses import guessed
from agent_core.repair.templates.layout import shown
from agent_core.repair.templates.predicates import predicates
from agent_core.repair.templates.seen import said
from agent_core.repair.templates.vocabulary import COMPREHENSIONS

_MOST = 20
_BRACKETS = ((ast.ListComp, "[", "]"), (ast.SetComp, "{", "}"), (ast.GeneratorExp, "(", ")"))


def filtered(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """A condition put in or left out."""
    if not isinstance(node, COMPREHENSIONS) or not editable(source, node) or source.in_text(node):
        return
    for generator in node.generators:
        end = grouped(source, generator.iter)[1]
        for index, condition in enumerate(generator.ifs):
            start = grouped(source, generator.ifs[index - 1])[1] if index else end
            stop = grouped(source, condition)[1]
            if "#" not in source.text[start:stop]:
                edit = Edit(source.path, start, stop, "")
                yield source.variant("filtered", 1.8, f"without if {shown(source.code(condition))}", edit)
    last = node.generators[-1]
    if last.ifs:
        # Conditions that are there are strengthened by the template of conditions.
        return
    place = node.elt if not isinstance(node, ast.DictComp) else node.value
    targets = {one.id for one in ast.walk(last.target) if isinstance(one, ast.Name)}
    at = grouped(source, last.iter)[1]
    for one in predicates(source, place, project, 3 * _MOST, anew=True):
        names = {name.id for name in ast.walk(ast.parse(one.text)) if isinstance(name, ast.Name)}
        if names & targets:
            yield source.variant(
                "filtered", 1.9 + one.extra, f"only if {one.text}", source.insert(at, f" if {one.text}")
            )


def given(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """What a comprehension gives: its variable itself, something made of it elsewhere; key for value."""
    if not isinstance(node, COMPREHENSIONS) or not editable(source, node):
        return
    names = [one.id for generator in node.generators for one in ast.walk(generator.target) if isinstance(one, ast.Name)]
    if isinstance(node, ast.DictComp):
        first, second = put(source, node.key, source.code(node.value)), put(source, node.value, source.code(node.key))
        if first is not None and second is not None and first.text != second.text:
            yield source.variant("given", 1.6, "key and value exchanged", first, second)
        places = [node.key, node.value]
    else:
        places = [node.elt]
    for place in places:
        old = source.code(place)
        for index, name in enumerate(dict.fromkeys(names)):
            yield from replaced(source, place, name, "given", 1.9 + 0.1 * index)
        if isinstance(place, ast.Name):
            for index, one in enumerate(_made_of(source, place, names)):
                yield from replaced(source, place, one, "given", 2.2 + 0.1 * index)
        elif isinstance(place, ast.IfExp):
            continue
        if len(names) > 1 and isinstance(node, ast.ListComp | ast.GeneratorExp | ast.SetComp):
            together = f"({', '.join(dict.fromkeys(names))})"
            yield from replaced(source, place, together, "given", 2.4, says=f"{together} for {shown(old)}")


def _made_of(source: Source, place: ast.Name, names: list[str]) -> list[str]:
    """What is made of the variables elsewhere in the function."""
    return [
        one.text
        for one in said(source, place)
        if isinstance(one.node, ast.Call | ast.Attribute | ast.Subscript)
        and {name.id for name in ast.walk(one.node) if isinstance(name, ast.Name)} & set(names)
    ][:8]


def gone_over(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """What a comprehension goes over: the items of it, without its first or last, numbered; the loops exchanged."""
    if not isinstance(node, COMPREHENSIONS) or not editable(source, node):
        return
    for generator in node.generators:
        thing = generator.iter
        tight, loose = piece(source, thing, Level.ATOM), source.code(thing)
        two = isinstance(generator.target, ast.Tuple) and len(generator.target.elts) == 2
        if two:
            forms = [(f"{tight}.items()", 1.4), (f"enumerate({loose})", 1.5), (f"zip({loose}, {tight}[1:])", 2.4)]
        else:
            forms = [(f"{tight}.values()", 2.0), (f"{tight}.keys()", 2.4), (f"range(len({loose}))", 2.0)]
        if guessed(thing) != "number":
            forms += [(f"{tight}[1:]", 2.0), (f"{tight}[:-1]", 2.0), (f"reversed({loose})", 2.1)]
            forms += [(f"sorted({loose})", 2.1), (f"set({loose})", 2.3)]
        for text, cost in forms:
            yield from replaced(source, thing, text, "gone over", cost)
    for one, other in zip(node.generators, node.generators[1:], strict=False):
        if one.ifs or other.ifs or one.is_async or other.is_async:
            continue
        starts = source.span(one.target)[0], source.span(other.target)[0]
        ends = grouped(source, one.iter)[1], grouped(source, other.iter)[1]
        texts = source.text[starts[0] : ends[0]], source.text[starts[1] : ends[1]]
        if "#" not in "".join(texts) and not source.in_text(node):
            yield source.variant(
                "gone over",
                1.8,
                "loops exchanged",
                Edit(source.path, starts[0], ends[0], texts[1]),
                Edit(source.path, starts[1], ends[1], texts[0]),
            )


def collected(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """A list for a set, a generator for a list, and so on; what is gone over itself."""
    if not isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp) or not editable(source, node):
        return
    code = source.code(node)
    for kind, opening, closing in _BRACKETS:
        if not isinstance(node, kind):
            yield from replaced(source, node, f"{opening}{code[1:-1]}{closing}", "collected", 2.0)
    if not node.generators[0].ifs and len(node.generators) == 1:
        loose = source.code(node.generators[0].iter)
        yield from replaced(source, node, loose, "collected", 2.4)
        yield from replaced(source, node, f"list({loose})", "collected", 2.4)


OF_COMPREHENSIONS: tuple[Template, ...] = (filtered, given, gone_over, collected)
