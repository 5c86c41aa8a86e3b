"""Expressions of the same function that could stand elsewhere in it: what a mistake's neighbours say."""

from __future__ import annotations

import ast

from agent_core.repair.source import Source
from agent_core.repair.templates.layout import one_line
from agent_core.repair.templates.members import members, method_around
from agent_core.repair.templates.vocabulary import COMPREHENSIONS, local_names, visible, vocabulary

_ATOMS = (ast.Name, ast.Attribute, ast.Subscript, ast.Call)
_DISPLAYS = (ast.List, ast.Dict, ast.Tuple, ast.Set, ast.Constant, ast.ListComp, ast.DictComp)


def is_donor(node: ast.AST) -> bool:
    """Whether an expression is of a form that can be put anywhere as it is."""
    return isinstance(node, _ATOMS) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load)


def names_in(node: ast.AST) -> set[str]:
    """The names an expression reads."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def donors(source: Source, node: ast.AST, *, most: int = 30, displays: bool = False) -> list[str]:
    """Expressions that could stand in the place of a node, the likeliest first: its function's names, then others.

    Args:
        source: The file.
        node: The place; what it is itself is none of them.
        most: At most so many.
        displays: Constants, lists and the like, too.
    """
    line: int = node.lineno  # type: ignore[attr-defined]  # asked of nodes with a place only
    found = {name: (abs(line - binding.line), len(name)) for name, binding in local_names(source, node).items()}
    method = method_around(source, node)
    has = members(source, node)
    hidden = unreadable(source, node)
    for one in ast.walk(method or source.scope(node)):
        if not is_donor(one) and not (displays and isinstance(one, _DISPLAYS)):
            continue
        if isinstance(one, ast.Name) or source.in_text(one) or node in _chain(source, one):
            continue
        if source.is_called(one):
            continue
        code = one_line(source, one, 60)
        if code is not None and code not in found and not names_in(one) & hidden:
            place: int = one.lineno  # type: ignore[attr-defined]  # an expression has one
            found[code] = (abs(line - place) + 2, len(code))
    if has is not None and has.receiver:
        for name in has.attributes:
            found.setdefault(f"{has.receiver}.{name}", (30, len(name)))
    found.pop(source.code(node), None)
    return sorted(found, key=lambda code: (found[code], code))[:most]


def _chain(source: Source, node: ast.AST) -> list[ast.AST]:
    return [node, *source.above(node)]


def unreadable(source: Source, node: ast.AST) -> set[str]:
    """Names of the function that cannot be read at a node: bound later, or by a comprehension or lambda elsewhere."""
    there = visible(source, node)
    inner = set(vocabulary(source, node).bindings)
    for one in ast.walk(source.scope(node)):
        if isinstance(one, COMPREHENSIONS):
            for generator in one.generators:
                inner |= names_in(generator.target)
        elif isinstance(one, ast.Lambda):
            inner |= {argument.arg for argument in one.args.args}
    return inner - there.keys()
