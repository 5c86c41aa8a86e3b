"""What is true: ``and`` for ``or``, ``not`` put in or taken away, an operand left out, ``True`` for ``False``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.exact import (
    Level,
    editable,
    grouped,
    operator_span,
    piece,
    put,
    replaced,
    spaced,
    without_brackets,
)
from agent_core.repair.templates.guesses import CALLS_OF_TRUTH
from agent_core.repair.templates.layout import shown

_PREFIXES_OF_TRUTH = ("is", "has", "can", "should", "starts", "ends")


def boolean_operator(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """``and`` for ``or``, all of a row or one of it: once as it reads then, once with the operands held together."""
    if not isinstance(node, ast.BoolOp) or not editable(source, node):
        return
    old, new = ("or", "and") if isinstance(node.op, ast.Or) else ("and", "or")
    spans = [operator_span(source, *pair, old) for pair in zip(node.values, node.values[1:], strict=False)]
    edits = [Edit(source.path, *span, spaced(source, *span, new)) for span in spans if span is not None]
    if len(edits) < len(spans):
        return
    if len(edits) > 1:
        yield source.variant("boolean", 1.1, f"{new} for {old}", *edits)
        for edit in edits:
            yield source.variant("boolean", 1.2, f"{new} for {old}", edit)
    else:
        yield source.variant("boolean", 1.0, f"{new} for {old}", *edits)
    parts = [piece(source, one, Level.AND if new == "or" else Level.NOT) for one in node.values]
    as_it_reads = [source.code(one) for one in node.values]
    if parts != as_it_reads or new == "or":
        yield from replaced(source, node, f" {new} ".join(parts), "boolean", 1.15, says=f"{new} for {old}")


def operand_dropped(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """An operand of ``and`` or ``or`` left out."""
    if not isinstance(node, ast.BoolOp) or not editable(source, node):
        return
    places = [grouped(source, one) for one in node.values]
    for index, (start, end) in enumerate(places):
        code = shown(source.text[start:end])
        if len(places) == 2:
            other = places[1 - index]
            text = source.text[other[0] : other[1]]
            yield from replaced(source, node, text, "operand dropped", 1.6, says=f"without {code}")
            continue
        first, last = (start, places[index + 1][0]) if index + 1 < len(places) else (places[index - 1][1], end)
        if not source.text[first:last].count("#"):
            edit = Edit(source.path, first, last, "")
            yield source.variant("operand dropped", 1.6, f"without {code}", edit)


def regrouped(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """``a and (b or c)`` for ``a and b or c``, and the other way round."""
    if not isinstance(node, ast.BoolOp) or not editable(source, node) or source.in_text(node):
        return
    for index, one in enumerate(node.values):
        if not isinstance(one, ast.BoolOp):
            continue
        if grouped(source, one) != source.span(one):
            if edit := without_brackets(source, one):
                yield source.variant("boolean", 1.6, f"without brackets around {shown(source.code(one))}", edit)
            continue
        places = []
        if index + 1 < len(node.values):
            places.append((grouped(source, one.values[-1])[0], grouped(source, node.values[-1])[1]))
        if index:
            places.append((grouped(source, node.values[0])[0], grouped(source, one.values[0])[1]))
        for start, end in places:
            text = shown(source.text[start:end])
            edits = source.insert(start, "("), source.insert(end, ")")
            yield source.variant("boolean", 1.5, f"brackets around {text}", *edits)


def negation(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """``not`` taken away, or put before what is asked for its truth."""
    if not editable(source, node) or not isinstance(node, ast.expr):
        return
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield from replaced(source, node, source.code(node.operand), "not dropped", 1.0, says="without not")
        return
    cost = _asked(source, node)
    # A comparison is negated by its operator, except a chain.
    if cost and not (isinstance(node, ast.Compare) and len(node.ops) == 1):
        text = f"not {piece(source, node, Level.NOT)}"
        yield from replaced(source, node, text, "not added", cost, says=f"not {shown(source.code(node))}")


def _asked(source: Source, node: ast.expr) -> float:
    """How costly a ``not`` is before an expression: cheap where its truth is asked, 0 where it is not."""
    parent = source.parents.get(node)
    match parent:
        case ast.If() | ast.While() | ast.IfExp() | ast.Assert() if node is parent.test:
            return 1.1
        case ast.BoolOp():
            return 1.3 if _in_condition(source, parent) or _gives_truth(node) else 2.6
        case ast.comprehension() if node in parent.ifs:
            return 1.1
        case ast.Return() | ast.Assign() | ast.Lambda() | ast.keyword():
            return 1.3 if _gives_truth(node) else 3.0 if isinstance(node, ast.Name | ast.Attribute | ast.Call) else 0.0
    return 0.0


def _in_condition(source: Source, node: ast.expr) -> bool:
    """Whether a row of operands is a condition: what it gives otherwise is a value as often as a truth."""
    inner: ast.AST = node
    for one in source.above(node):
        if isinstance(one, ast.If | ast.While | ast.IfExp | ast.Assert):
            return inner is one.test
        if isinstance(one, ast.comprehension):
            return inner in one.ifs
        if not isinstance(one, ast.BoolOp) and not (isinstance(one, ast.UnaryOp) and isinstance(one.op, ast.Not)):
            return False
        inner = one
    return False


def _gives_truth(node: ast.expr) -> bool:
    match node:
        case ast.Compare() | ast.BoolOp():
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in CALLS_OF_TRUTH or name.startswith(_PREFIXES_OF_TRUTH)
        case ast.Call(func=ast.Attribute(attr=name)):
            return name.startswith(_PREFIXES_OF_TRUTH)
    return False


def truth(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """``True`` for ``False`` and the other way round."""
    if isinstance(node, ast.Constant) and isinstance(node.value, bool) and editable(source, node):
        yield from replaced(source, node, str(not node.value), "truth", 1.0)


def branches(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """The branches of a conditional expression exchanged, one of them alone, its condition negated."""
    if not isinstance(node, ast.IfExp) or not editable(source, node):
        return
    body, other = grouped(source, node.body), grouped(source, node.orelse)
    texts = source.text[slice(*body)], source.text[slice(*other)]
    edits = put(source, node.body, texts[1]), put(source, node.orelse, texts[0])
    if edits[0] is not None and edits[1] is not None:
        yield source.variant("branches", 1.3, "branches exchanged", edits[0], edits[1])
    for text in texts:
        yield from replaced(source, node, text, "branches", 1.8, says=f"always {shown(text)}")


BOOLEANS: tuple[Template, ...] = (boolean_operator, operand_dropped, regrouped, negation, truth, branches)
