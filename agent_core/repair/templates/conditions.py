"""Conditions: strengthened, weakened, replaced by another, asked in another way."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agent_core.repair.model import Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.exact import Level, editable, piece, replaced
from agent_core.repair.templates.guesses import CALLS_OF_TRUTH
from agent_core.repair.templates.predicates import Predicate, predicates

_MOST = 32
_MOST_OF_PART = 10


def condition_kind(source: Source, node: ast.AST) -> str:
    """Whether an expression is a ``whole`` condition, a ``part`` of one, a ``value`` that is true or false, or none."""
    if not isinstance(node, ast.expr) or not editable(source, node):
        return ""
    kind = ""
    match source.parents.get(node):
        case ast.If() | ast.While() | ast.IfExp() as parent if node is parent.test:
            kind = "whole"
        case ast.comprehension() as parent if node in parent.ifs:
            kind = "whole"
        case ast.BoolOp() as parent if condition_kind(source, parent):
            kind = "part"
        case ast.Return() | ast.Lambda() | ast.Assign() if _is_truth(node):
            kind = "value"
    return kind


def _is_truth(node: ast.expr) -> bool:
    match node:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.BoolOp():
            return all(map(_is_truth, node.values))
        case ast.Call(func=ast.Name(id=name)):
            return name in CALLS_OF_TRUTH
    return False


def strengthened(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """``C and P`` for a condition ``C``."""
    yield from _joined(source, node, project, "and")


def weakened(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """``C or P`` for a condition ``C``."""
    yield from _joined(source, node, project, "or")


def _joined(source: Source, node: ast.AST, project: Project, word: str) -> Iterator[Variant]:
    kind = condition_kind(source, node)
    if not kind or not isinstance(node, ast.expr):
        return
    parent = source.parents.get(node)
    same = ast.And if word == "and" else ast.Or
    if isinstance(parent, ast.BoolOp) and isinstance(parent.op, same):
        # The same as joining it to all of them.
        return
    level = Level.AND if word == "and" else Level.OR
    old = piece(source, node, level)
    base = {"whole": 2.0, "part": 2.4, "value": 2.3}[kind] + (0.1 if word == "or" else 0.0)
    template = "strengthened" if word == "and" else "weakened"
    for one in predicates(source, node, project, _MOST if kind == "whole" else _MOST_OF_PART):
        text = f"{one.text} {word} {old}" if _comes_first(node, one) else f"{old} {word} {one.text}"
        yield from replaced(source, node, text, template, base + one.extra, says=f"{word} {one.text}")


def _comes_first(node: ast.expr, predicate: Predicate) -> bool:
    """Whether what a predicate guards is asked by a condition: an item, an attribute or a quotient of it."""
    if not predicate.guards:
        return False
    for one in ast.walk(node):
        match one:
            case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Subscript(slice=inner):
                if ast.unparse(inner) in predicate.text:
                    return True
            case ast.BinOp(op=ast.Div() | ast.FloorDiv() | ast.Mod(), right=inner):
                if ast.unparse(inner) in predicate.text:
                    return True
    return False


def other_condition(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """Another condition altogether; at last one that always, or never, holds."""
    kind = condition_kind(source, node)
    if not kind or not isinstance(node, ast.expr) or isinstance(node, ast.Constant):
        return
    base = {"whole": 2.3, "part": 2.5, "value": 2.6}[kind]
    for one in predicates(source, node, project, _MOST if kind == "whole" else _MOST_OF_PART):
        yield from replaced(source, node, one.text, "other condition", base + one.extra)
    for text in ("False", "True"):
        yield from replaced(source, node, text, "other condition", 4.5)


def asked_otherwise(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """Whether something is true for whether it is not ``None``, whether there is any of it, and the other way round."""
    kind = condition_kind(source, node)
    match node:
        case ast.UnaryOp(op=ast.Not(), operand=operand) if kind and isinstance(
            operand, ast.Name | ast.Attribute | ast.Call | ast.Subscript
        ):
            thing = piece(source, operand, Level.BIT_OR)
            yield from replaced(source, node, f"{thing} is None", "asked otherwise", 1.3)
            yield from replaced(source, node, f"len({source.code(operand)}) == 0", "asked otherwise", 2.4)
            yield from replaced(source, node, f"{thing} is False", "asked otherwise", 2.6)
        case ast.Name() | ast.Attribute() | ast.Call() | ast.Subscript() if kind:
            thing = source.code(node)
            yield from replaced(source, node, f"{thing} is not None", "asked otherwise", 1.3)
            yield from replaced(source, node, f"{thing} is None", "asked otherwise", 1.8)
            for asked, cost in (("> 0", 2.0), ("> 1", 2.2), ("== 1", 2.4), ("is True", 2.6)):
                yield from replaced(source, node, f"{thing} {asked}", "asked otherwise", cost)
            if not isinstance(node, ast.Call):
                yield from replaced(source, node, f"len({thing}) > 1", "asked otherwise", 2.2)
        case ast.Compare(
            left=left, ops=[ast.Is() | ast.IsNot() | ast.Eq() | ast.NotEq() as asked], comparators=[right]
        ):
            yield from _truth_of(source, node, left, right, said_not=isinstance(asked, ast.Is | ast.Eq))


def _truth_of(
    source: Source, node: ast.Compare, left: ast.expr, right: ast.expr, *, said_not: bool
) -> Iterator[Variant]:
    """``x`` for ``x is not None``, ``not x`` for ``x is None`` and for ``x == 0``."""
    if not isinstance(right, ast.Constant) or not editable(source, node):
        return
    if right.value is None or (right.value in (0, "", b"") and not isinstance(right.value, bool)):
        text = piece(source, left, Level.NOT)
        first, second = (f"not {text}", text) if said_not else (text, f"not {text}")
        cost = 1.3 if right.value is None else 2.0
        yield from replaced(source, node, first, "asked otherwise", cost)
        yield from replaced(source, node, second, "asked otherwise", cost + 0.7)


CONDITIONS: tuple[Template, ...] = (strengthened, weakened, other_condition, asked_otherwise)
