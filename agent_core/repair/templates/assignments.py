"""Assignments and tuples: targets, values and elements exchanged; a value where there is none; two at once."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.donors import donors, names_in
from agent_core.repair.templates.exact import editable, piece, replaced
from agent_core.repair.templates.guesses import compatible, guessed
from agent_core.repair.templates.layout import block, lines_of, shown
from agent_core.repair.templates.vocabulary import local_names

_TARGETS = (ast.Name, ast.Attribute, ast.Subscript)


def elements_exchanged(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """Two neighbours of a tuple or list in each other's place: of targets, of a result, of any."""
    if not isinstance(node, ast.Tuple | ast.List) or not 2 <= len(node.elts) <= 6 or source.in_text(node):
        return
    parent = source.parents.get(node)
    if isinstance(parent, ast.Subscript) and parent.value is not node and isinstance(node, ast.List):
        return
    plain = isinstance(parent, ast.Assign | ast.Return | ast.For | ast.comprehension | ast.Yield)
    for one, other in zip(node.elts, node.elts[1:], strict=False):
        first, second = source.code(one), source.code(other)
        if first != second and not isinstance(one, ast.Starred) and not isinstance(other, ast.Starred):
            says = f"{shown(first, 30)} and {shown(second, 30)} exchanged"
            yield source.variant(
                "elements exchanged",
                1.5 if plain else 2.2,
                says,
                source.replace(one, second),
                source.replace(other, first),
            )


def pair_exchanged(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """Key and value of a dictionary in each other's place."""
    if isinstance(node, ast.DictComp) and not source.in_text(node):
        pairs = [(node.key, node.value)]
    elif isinstance(node, ast.Dict) and not source.in_text(node):
        pairs = [(key, value) for key, value in zip(node.keys, node.values, strict=True) if key is not None][:4]
    else:
        return
    for key, value in pairs:
        says = f"{shown(source.code(key), 30)} and {shown(source.code(value), 30)} exchanged"
        yield source.variant(
            "pair exchanged",
            1.8,
            says,
            source.replace(key, piece(source, value)),
            source.replace(value, piece(source, key)),
        )


def sides_exchanged(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """``b = a`` for ``a = b``."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        return
    target, value = node.targets[0], node.value
    if isinstance(target, _TARGETS) and isinstance(value, _TARGETS):
        left, right = source.code(target), source.code(value)
        yield source.variant(
            "sides exchanged",
            1.8,
            f"{shown(right, 30)} = {shown(left, 30)}",
            source.replace(target, right),
            source.replace(value, left),
        )


def value_missing(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """A value for ``None``, as the function has them elsewhere; with less hope for another value."""
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return
    none = isinstance(node.value, ast.Constant) and node.value.value is None
    guess = guessed(node.value)
    for index, code in enumerate(donors(source, node.value, most=40 if none else 12, displays=True)):
        if not none and guess and not compatible(guess, _guess_of(code)):
            continue
        cost = (1.5 if none else 3.0) + 0.06 * index
        yield from replaced(source, node.value, code, "other value", cost)


def _guess_of(code: str) -> str:
    try:
        return guessed(ast.parse(code, mode="eval").body)
    except SyntaxError:
        return ""


def at_once(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """Two assignments at once, where the second must not see what the first did."""
    if not isinstance(node, ast.Assign) or (around := block(source, node)) is None:
        return
    pairs: list[tuple[ast.stmt, ast.stmt]] = []
    if around.place + 1 < len(around.statements):
        pairs.append((node, around.statements[around.place + 1]))
    if around.place:
        pairs.append((around.statements[around.place - 1], node))
    for first, second in pairs:
        if not isinstance(first, ast.Assign) or not isinstance(second, ast.Assign):
            continue
        if len(first.targets) != 1 or len(second.targets) != 1 or not isinstance(first.targets[0], ast.Name):
            continue
        if first.targets[0].id not in names_in(second.value) or isinstance(second.targets[0], ast.Tuple):
            continue
        if lines_of(source, first) is None or lines_of(source, second) is None:
            continue
        parts = [
            [source.code(one.targets[0]) for one in (first, second)],
            [piece(source, one.value) for one in (first, second)],
        ]
        text = " = ".join(", ".join(each) for each in parts)
        if "\n" not in text:
            start, end = source.span(first)[0], source.span(second)[1]
            yield source.variant("at once", 1.7, f"{shown(text)} at once", Edit(source.path, start, end, text))


def accumulated(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """What was there kept as a part of what is assigned: ``x = x + y``, ``x = max(x, y)``, ``x.append(y)``."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
        return
    name = node.targets[0].id
    if name in names_in(node.value) or not editable(source, node.value):
        return
    binding = local_names(source, node).get(name)
    if binding is None or binding.line >= node.lineno:
        return
    value = piece(source, node.value)
    forms = {"list": (f"{name}.append({value})", f"{name}.extend({value})"), "set": (f"{name}.add({value})",)}
    for index, text in enumerate(forms.get(binding.guess, ())):
        yield source.variant("accumulated", 1.8 + index / 5, f"{shown(text)}", source.replace(node, text))
    if binding.guess in {"", "number", "bool"}:
        for index, function in enumerate(("max", "min")):
            yield from replaced(source, node.value, f"{function}({name}, {value})", "accumulated", 2.2 + index / 10)


def stored(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """An attribute or item assigned where a local is: other targets that the function has."""
    if not isinstance(node, ast.Assign | ast.AugAssign):
        return
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    seen: dict[str, None] = {}
    for one in ast.walk(source.scope(node)):
        if isinstance(one, ast.Attribute | ast.Subscript) and not isinstance(one.ctx, ast.Del):
            code = source.code(one)
            if len(code) <= 50 and "\n" not in code and not source.in_text(one):
                seen[code] = None
    for target in targets[:1]:
        own = source.code(target)
        near = [code for code in seen if code != own and code.split("[")[0].split(".")[0] == _base(target)]
        far = [code for code in seen if code != own and code not in near]
        for index, code in enumerate([*near, *far][:8]):
            cost = (2.3 if code in near else 3.0) + 0.12 * index
            yield source.variant("other target", cost, f"{code} for {shown(own, 40)}", source.replace(target, code))


def _base(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


ASSIGNMENTS: tuple[Template, ...] = (
    elements_exchanged,
    pair_exchanged,
    sides_exchanged,
    value_missing,
    at_once,
    accumulated,
    stored,
)
