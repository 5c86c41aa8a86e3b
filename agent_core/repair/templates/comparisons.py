"""Comparisons: another operator, the operands exchanged, one link of a chain taken away."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping
from functools import lru_cache

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.exact import Level, editable, grouped, operator_span, piece, replaced, spaced
from agent_core.repair.templates.failures import not_ordered_at, with_literal_at

WORDS: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
# For each operator the others, from what it is most often mistaken for to what it hardly ever is.
_OTHERS: Mapping[str, tuple[tuple[str, float], ...]] = {
    "<": (("<=", 1.0), (">", 1.1), (">=", 1.2), ("!=", 1.7), ("==", 1.9), ("is", 2.6), ("is not", 2.6)),
    "<=": (("<", 1.0), (">=", 1.1), (">", 1.2), ("==", 1.8), ("!=", 1.9), ("is", 2.6), ("is not", 2.6)),
    ">": ((">=", 1.0), ("<", 1.1), ("<=", 1.2), ("!=", 1.7), ("==", 1.9), ("is", 2.6), ("is not", 2.6)),
    ">=": ((">", 1.0), ("<=", 1.1), ("<", 1.2), ("==", 1.8), ("!=", 1.9), ("is", 2.6), ("is not", 2.6)),
    "==": (("!=", 1.0), (">=", 1.5), ("<=", 1.5), ("is", 1.7), ("in", 1.7), ("<", 1.8), (">", 1.8), ("not in", 2.4)),
    "!=": (("==", 1.0), ("<", 1.5), (">", 1.5), ("is not", 1.7), ("not in", 1.8), ("<=", 1.9), (">=", 1.9), ("in", 2)),
    "is": (("is not", 1.0), ("==", 1.2), ("!=", 1.8), ("in", 2.4), ("<", 3), (">", 3), ("<=", 3), (">=", 3)),
    "is not": (("is", 1.0), ("!=", 1.2), ("==", 1.8), ("not in", 2.4), ("<", 3), (">", 3), ("<=", 3), (">=", 3)),
    "in": (("not in", 1.0), ("==", 1.7), ("is", 2.4), ("!=", 2.4)),
    "not in": (("in", 1.0), ("!=", 1.7), ("is not", 2.4), ("==", 2.4)),
}  # fmt: skip
_IDENTITY = frozenset({"is", "is not"})
_ORDER = frozenset({"<", "<=", ">", ">="})
_EQUALITY = frozenset({"==", "!="})


def other_operators(operator: str) -> tuple[tuple[str, float], ...]:
    """What an operator is mistaken for, the likeliest first, with what each costs; nothing where it is none."""
    return _OTHERS.get(operator, ())


def comparison_operator(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """Another operator of a comparison, of each link of a chain."""
    if not isinstance(node, ast.Compare) or not editable(source, node):
        return
    operands = [node.left, *node.comparators]
    unordered, literally = not_ordered_at(source, project, node), with_literal_at(source, project, node)
    for index, operator in enumerate(node.ops):
        old = WORDS[type(operator)]
        span = operator_span(source, operands[index], operands[index + 1], old)
        if span is None:
            continue
        identity = _has_identity(operands[index + 1])
        pair = operands[index : index + 2]
        literal, text = _is_literal(*pair), _is_literal(*pair, of=(str, bytes))
        zero = isinstance(pair[1], ast.Constant) and type(pair[1].value) is int and pair[1].value == 0
        known_object = not _IDENTITY & {old} and any(_names(one) in _known_objects(source) for one in pair)
        for new, cost in _OTHERS[old]:
            if old in literally:
                # Python itself says so.
                dearer = 3.0 if new in _IDENTITY else (1 - cost) * 0.8
            elif known_object and new in _IDENTITY:
                # What is asked for by identity elsewhere is a mark of its own, which nothing else is like.
                dearer = (1 - cost) * 0.9
            elif old in unordered:
                # What cannot be ordered was meant to be asked something else.
                dearer = 1.5 if new in _ORDER else (1 - cost) * 0.75
            elif new in _IDENTITY and not identity:
                dearer = 0.8
            elif (old in _IDENTITY and literal) or (old in _ORDER and new in _EQUALITY and zero):
                # Whether a number is the very object that is written there nobody asks.
                dearer = (1 - cost) / 2
            elif old in _ORDER and text:
                # Nor which text comes first.
                dearer = 0.6 if new in _ORDER else (1 - cost) * 0.9
            else:
                dearer = 0.5 if identity == "surely" and not {old, new} & _IDENTITY else 0.0
            edit = Edit(source.path, *span, spaced(source, *span, new))
            yield source.variant("comparison", cost + dearer, f"{new} for {old}", edit)


@lru_cache(maxsize=64)
def _known_objects(source: Source) -> frozenset[str]:
    """The names and attributes that a file asks for by identity."""
    found = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Compare):
            operands = itertools.pairwise((node.left, *node.comparators))
            for operator, pair in zip(node.ops, operands, strict=True):
                if isinstance(operator, ast.Is | ast.IsNot) and not any(map(_is_literal, pair)):
                    found.add(_names(pair[1]))
    return frozenset(found - {""})


def _names(node: ast.expr) -> str:
    """A name, or one with attributes, as text; empty for any other expression."""
    if isinstance(node, ast.Attribute):
        below = _names(node.value)
        return below and f"{below}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _is_literal(*operands: ast.expr, of: tuple[type, ...] = (int, float, str, bytes)) -> bool:
    """Whether one of some operands is a number or a text as it is written."""
    return any(isinstance(one, ast.Constant) and type(one.value) in of for one in operands)


def _has_identity(node: ast.expr) -> str:
    """Whether it makes sense to ask whether something is this very object: surely, perhaps, or not."""
    if not isinstance(node, ast.Constant):
        return "perhaps"
    return "surely" if node.value is None or isinstance(node.value, bool) else ""


def comparison_turned(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """The operands of a containment exchanged; of others another operator does the same."""
    if not isinstance(node, ast.Compare) or len(node.ops) != 1 or not editable(source, node):
        return
    if isinstance(node.ops[0], ast.In | ast.NotIn):
        left, right = (piece(source, one, Level.BIT_OR) for one in (node.left, node.comparators[0]))
        text = f"{right} {WORDS[type(node.ops[0])]} {left}"
        yield from replaced(source, node, text, "comparison turned", 1.8)


def comparison_link(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """The first or the last link of a chain taken away: ``a < b`` of ``a < b < c``."""
    if not isinstance(node, ast.Compare) or len(node.ops) < 2 or not editable(source, node):
        return
    start, end = source.span(node)
    first, last = grouped(source, node.comparators[0])[0], grouped(source, node.comparators[-2])[1]
    for text in (source.text[first:end], source.text[start:last]):
        yield from replaced(source, node, text, "comparison link", 1.8)


COMPARISONS: tuple[Template, ...] = (comparison_operator, comparison_turned, comparison_link)
