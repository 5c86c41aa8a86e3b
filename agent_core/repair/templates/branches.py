"""Which branch is taken: a condition for an ``else`` that is taken too often, none for an ``elif`` that is too rarely.

An ``else`` has no code of its own, so that no line of it is suspicious: its first statement is taken for it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.exact import grouped
from agent_core.repair.templates.layout import block, is_elif, shown, walk_own
from agent_core.repair.templates.predicates import predicates
from agent_core.repair.templates.vocabulary import local_names

_ELSE = re.compile(r"else(?=[ \t\f\\]*:)")
_COMMENT = re.compile(r"#[^\r\n]*")
_TYPES = frozenset({"int", "float", "str", "bytes", "list", "tuple", "dict", "set", "frozenset", "bool", "complex"})
_MOST_TYPES = 4
_MOST_NAMES = 2
_MOST = 16


def condition_for_else(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """``elif C:`` for ``else:``; of what type something is first, then what the function asks elsewhere."""
    around = block(source, node) if isinstance(node, ast.stmt) else None
    if around is None or around.place or around.field != "orelse" or not isinstance(around.owner, ast.If):
        return
    if is_elif(source, node):
        return
    owner = around.owner
    start, end = source.span(owner.body[-1])[1], source.span(node)[0]
    between = _COMMENT.sub(lambda found: " " * len(found.group()), source.text[start:end])
    word = _ELSE.search(between)
    if word is None:
        return
    at = start + word.start()
    seen: set[str] = set()
    for text, cost in (*_kinds(source, around.statements, project), *_asked(source, owner, project)):
        if text not in seen:
            seen.add(text)
            edit = Edit(source.path, at, at + len("else"), f"elif {text}")
            yield source.variant("condition for else", cost, f"elif {text} for else", edit)


def _kinds(source: Source, body: list[ast.stmt], project: Project) -> Iterator[tuple[str, float]]:
    """Of what type a name is that the branch is about: a type that was seen, that the function names."""
    first = body[0]
    there = local_names(source, first)
    read = [
        one.id
        for statement in body
        for one in ast.walk(statement)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load) and one.id in there
    ]
    values = project.values(source.path, first.lineno)
    named = list(_types_named(source.scope(first)))
    for place, name in enumerate(list(dict.fromkeys(read))[:_MOST_NAMES]):
        seen = [values[name][0]] if name in values and values[name][0] in _TYPES else []
        for index, kind in enumerate(list(dict.fromkeys([*seen, *named]))[:_MOST_TYPES]):
            cost = 1.7 + 0.3 * place + 0.1 * index
            # What a failing test handed over is what the branch is not meant for.
            yield f"not isinstance({name}, {kind})", cost - (0.2 if kind in seen else 0.0)
            yield f"isinstance({name}, {kind})", cost + 0.05


def _types_named(scope: ast.AST) -> dict[str, None]:
    """The types that a function asks for, or makes something of."""
    asked: dict[str, None] = {}
    made: dict[str, None] = {}
    for one in walk_own(scope):
        match one:
            case ast.Call(func=ast.Name(id="isinstance"), args=[_, ast.Name(id=kind)]):
                asked[kind] = None
            case ast.Call(func=ast.Name(id=kind)) if kind in _TYPES:
                made[kind] = None
    return asked | made


def _asked(source: Source, owner: ast.If, project: Project) -> Iterator[tuple[str, float]]:
    for one in predicates(source, owner.test, project, _MOST, anew=True):
        yield one.text, 1.9 + one.extra


def no_condition(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """``else:`` for the last ``elif C:``."""
    if isinstance(node, ast.If) and is_elif(source, node) and not node.orelse:
        start, end = source.span(node)[0], grouped(source, node.test)[1]
        if "#" not in source.text[start:end]:
            says = f"else for elif {shown(source.code(node.test), 40)}"
            yield source.variant("else for elif", 2.2, says, Edit(source.path, start, end, "else"))


BRANCHES: tuple[Template, ...] = (condition_for_else, no_condition)
