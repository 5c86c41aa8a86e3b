"""Stars before arguments and items: ``*x`` for ``x``, ``**x`` for ``*x``, and none."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.exact import Level, editable, grouped, piece
from agent_core.repair.templates.layout import shown
from agent_core.repair.templates.wraps import guess_at


def other_stars(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """Two stars for one, or none, before an argument or an item."""
    if isinstance(node, ast.keyword) and node.arg is None:
        call, value, stars = source.parents.get(node), node.value, "**"
    elif isinstance(node, ast.Starred) and isinstance(node.ctx, ast.Load):
        call, value, stars = source.parents.get(node), node.value, "*"
    else:
        return
    if not isinstance(call, ast.expr) or not editable(source, value) or source.in_text(node):
        return
    start, end = source.span(node)[0], grouped(source, value)[0]
    if source.text[start:end] != stars:
        return
    text = shown(source.code(value))
    if isinstance(call, ast.Call):
        other = "*" if stars == "**" else "**"
        if _may_have(call, node, other):
            yield source.variant("stars", 1.4, f"{other}{text} for {stars}{text}", Edit(source.path, start, end, other))
    if _may_have(call, node, ""):
        yield source.variant("stars", 1.8, f"{text} for {stars}{text}", Edit(source.path, start, end, ""))


def _may_have(around: ast.expr, node: ast.AST, stars: str) -> bool:
    """Whether an argument may be written with so many stars where it stands: the order of arguments is fixed."""
    if not isinstance(around, ast.Call):
        return True
    place = (node.lineno, node.col_offset)  # type: ignore[attr-defined]  # arguments have a place
    named = [(one.lineno, one.col_offset, one.arg) for one in around.keywords if one is not node]
    given = [(one.lineno, one.col_offset) for one in around.args if one is not node]
    if stars == "**":
        return all(one < place for one in given)
    if stars == "*":
        return all((line, column) > place for line, column, name in named if name is None)
    return all((line, column) > place for line, column, _ in named)


def stars_missing(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """A star before what holds several things where single ones are handed over."""
    parent = source.parents.get(node)
    if not isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript) or not editable(source, node):
        return
    if not isinstance(parent, ast.Call | ast.List | ast.Tuple) or source.in_text(node):
        return
    if isinstance(parent, ast.Call) and (node is parent.func or grouped(source, node) != source.span(node)):
        return
    if isinstance(source.parents.get(parent), ast.Subscript):
        return
    guess = guess_at(source, node, project)
    text = piece(source, node, Level.BIT_OR)
    start, end = source.span(node)
    if guess in {"list", "tuple", "set", "sized", "iterator"}:
        cost = 1.4 if guess == "tuple" else 2.0
        yield source.variant(
            "stars", cost, f"*{shown(text)} for {shown(text)}", Edit(source.path, start, end, f"*{text}")
        )
    elif guess == "dict" and isinstance(parent, ast.Call) and _may_have(parent, node, "**"):
        yield source.variant(
            "stars", 1.6, f"**{shown(text)} for {shown(text)}", Edit(source.path, start, end, f"**{text}")
        )


UNPACKING: tuple[Template, ...] = (other_stars, stars_missing)
