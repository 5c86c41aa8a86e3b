"""Sums and products: another operator, operands exchanged or held together otherwise, a sign, one operand alone."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.exact import (
    OPERATORS,
    Level,
    editable,
    grouped,
    operator_span,
    piece,
    put,
    replaced,
    without_brackets,
)
from agent_core.repair.templates.guesses import guessed
from agent_core.repair.templates.layout import loop_around, shown
from agent_core.repair.templates.vocabulary import vocabulary

# For each operator those it is mistaken for, the likeliest first.
_OTHERS: Mapping[str, tuple[tuple[str, float], ...]] = {
    "+": (("-", 1.0), ("*", 1.5)),
    "-": (("+", 1.0), ("/", 1.9), ("//", 2.0), ("%", 2.0), ("*", 1.9)),
    "*": (("/", 1.2), ("**", 1.4), ("//", 1.4), ("+", 1.4), ("%", 1.9), ("-", 1.9)),
    "/": (("//", 1.0), ("*", 1.1), ("%", 1.3), ("-", 1.9)),
    "//": (("/", 1.0), ("%", 1.2), ("*", 1.3), ("-", 2.0)),
    "%": (("//", 1.1), ("/", 1.2), ("*", 1.6), ("-", 2.0), ("&", 2.2)),
    "@": (("*", 1.5),),
    "**": (("*", 1.1), ("^", 2.4)),
    "<<": ((">>", 1.0), ("*", 2.2), ("**", 2.4)),
    ">>": (("<<", 1.0), ("//", 2.2)),
    "&": (("|", 1.0), ("^", 1.3), ("-", 1.8)),
    "|": (("&", 1.0), ("^", 1.3), ("+", 1.9), ("-", 2.0)),
    "^": (("**", 1.2), ("|", 1.2), ("&", 1.2)),
}
_RARE = 2.6
_MUCH, _ODD = 2, 0.4
_OF_TEXTS: Mapping[str, float] = {"+": 1.0, "%": 1.3, "*": 1.6}
_LEVELS = dict(OPERATORS.values())
_TIED_TO_ORDER = frozenset({"-", "/", "//", "%", "**", "<<", ">>", "@"})


def _alternatives(old: str, *, text: bool) -> Iterator[tuple[str, float]]:
    """The operators that may stand for one; few make sense between texts."""
    known = _OTHERS[old]
    if text:
        likely = {new: cost for new, cost in known if new in _OF_TEXTS}
        # Between texts nothing else can be meant by an operator that they do not have.
        more = {} if old in _OF_TEXTS else _OF_TEXTS
        known = tuple(sorted({**likely, **more}.items(), key=lambda pair: pair[1]))
    yield from known
    if not text:
        listed = {old, "@", *(new for new, _ in known)}
        yield from ((new, _RARE) for new in _LEVELS if new not in listed)


def operator(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """Another operator between two operands: as the line then reads, and with the operands as they are now."""
    if not isinstance(node, ast.BinOp) or not editable(source, node):
        return
    old = OPERATORS[type(node.op)][0]
    span = operator_span(source, node.left, node.right, old)
    if span is None:
        return
    usual = _usual(source)
    for new, rarity in _alternatives(old, text=_is_text(node)):
        says = f"{new} for {old}"
        # An operator that nothing else in the file uses is odd where one stands that much of it uses.
        odd = usual[old] == 1 and usual[new] >= _MUCH
        cost = 1 + (rarity - 1) * _ODD if odd else rarity
        yield source.variant("operator", cost, says, Edit(source.path, *span, new))
        if _LEVELS[new] is not _LEVELS[old]:
            left, right = _sides(source, node, _LEVELS[new])
            before = source.text[grouped(source, node.left)[1] : span[0]]
            behind = source.text[span[1] : grouped(source, node.right)[0]]
            text = f"{left}{before}{new}{behind}{right}"
            yield from replaced(source, node, text, "operator", cost + 0.1, says=says)


@lru_cache(maxsize=32)
def _usual(source: Source) -> Counter[str]:
    """How often each operator is used in a file."""
    return Counter(
        OPERATORS[type(node.op)][0] for node in ast.walk(source.tree) if isinstance(node, ast.BinOp | ast.AugAssign)
    )


def _is_text(node: ast.BinOp) -> bool:
    return "text" in (guessed(node.left), guessed(node.right))


def _sides(source: Source, node: ast.BinOp, level: Level) -> tuple[str, str]:
    """The operands as they must be written on both sides of an operator of a level."""
    sides = []
    for one, need in (
        (node.left, Level.AWAIT if level is Level.POWER else level),
        (node.right, Level.FACTOR if level is Level.POWER else Level(level + 1)),
    ):
        start, end = grouped(source, one)
        own = source.span(one)
        sides.append(source.text[start:end] if (start, end) != own else piece(source, one, need))
    return sides[0], sides[1]


def operands_exchanged(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """``b - a`` for ``a - b``; of sums only where they may be of texts or lists."""
    if not isinstance(node, ast.BinOp) or not editable(source, node):
        return
    name = OPERATORS[type(node.op)][0]
    numbers = "number" in (guessed(node.left), guessed(node.right))
    if name not in _TIED_TO_ORDER and (name != "+" or numbers):
        return
    first, second = put(source, node.left, source.code(node.right)), put(source, node.right, source.code(node.left))
    if first is not None and second is not None and source.code(node.left) != source.code(node.right):
        cost = 1.3 if name in _TIED_TO_ORDER else 1.9
        yield source.variant("operands exchanged", cost, f"operands of {name} exchanged", first, second)


def grouping(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """Round brackets put in or taken away: ``(a + b) * c`` for ``a + b * c`` and the other way round."""
    if not isinstance(node, ast.BinOp) or not editable(source, node):
        return
    for one, other, first in ((node.left, node.right, False), (node.right, node.left, True)):
        if not isinstance(one, ast.BinOp):
            continue
        if grouped(source, one) != source.span(one):
            if edit := without_brackets(source, one):
                yield source.variant("grouping", 1.5, f"without brackets around {shown(source.code(one))}", edit)
            continue
        if type(one.op) is type(node.op) and isinstance(node.op, ast.Add | ast.Mult):
            continue
        # Of a + b * c the operands next to each other are held together instead.
        if first:
            start, end = grouped(source, other)[0], grouped(source, one.left)[1]
        else:
            start, end = grouped(source, one.right)[0], grouped(source, other)[1]
        text = source.text[start:end]
        yield source.variant(
            "grouping", 1.5, f"brackets around {shown(text)}", source.insert(start, "("), source.insert(end, ")")
        )


def operand_alone(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """One operand without the other: ``a`` of ``a + b``."""
    if not isinstance(node, ast.BinOp) or not editable(source, node):
        return
    small = isinstance(node.right, ast.Constant) and node.right.value in (0, 1, 2)
    yield from replaced(source, node, source.code(node.left), "operand alone", 1.3 if small else 1.8)
    yield from replaced(source, node, source.code(node.right), "operand alone", 2.2)


def sign(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """A sign or ``~`` taken away, exchanged or put before a value."""
    if not isinstance(node, ast.expr) or not editable(source, node):
        return
    if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
        yield from replaced(source, node, source.code(node.operand), "sign", 1.1)
        for new in "-+~":
            if not source.code(node).startswith(new):
                cost = {"-": 1.5, "~": 2.2, "+": 2.6}[new]
                yield from replaced(source, node, new + piece(source, node.operand, Level.FACTOR), "sign", cost)
        return
    cost = _sign_cost(source, node)
    if cost:
        text = f"-{piece(source, node, Level.FACTOR)}"
        yield from replaced(source, node, text, "sign", cost)
        if cost < 3.0 and isinstance(source.parents.get(node), ast.BinOp):
            yield from replaced(source, node, f"~{piece(source, node, Level.FACTOR)}", "sign", 2.6)


def _sign_cost(source: Source, node: ast.expr) -> float:
    """How costly a minus is before an expression; 0 where it makes no sense or says nothing new."""
    parent = source.parents.get(node)
    if guessed(node) not in {"number", ""} or isinstance(node, ast.Constant | ast.Lambda | ast.Await):
        return 0.0
    cost = 0.0
    match parent:
        case ast.BinOp():
            cost = 0.0 if isinstance(parent.op, ast.Add | ast.Sub) and node is parent.right else 2.0
        case ast.Subscript():
            cost = 1.8 if node is parent.slice else 0.0
        case ast.Return() | ast.Compare() | ast.Slice() | ast.IfExp():
            cost = 1.8
        case ast.Assign() | ast.AugAssign() | ast.Lambda() | ast.Tuple():
            cost = 2.2
        case ast.Call():
            cost = 2.4 if node is not parent.func else 0.0
        case ast.keyword():
            cost = 2.4
    return cost


def assignment_operator(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """``-=`` for ``+=``, ``=`` for ``+=``, ``+=`` for ``=``."""
    if isinstance(node, ast.AugAssign):
        old = OPERATORS[type(node.op)][0]
        span = operator_span(source, node.target, node.value, f"{old}=")
        if span is None:
            return
        text = guessed(node.value) == "text"
        for new, cost in _alternatives(old, text=text):
            yield source.variant("assignment", cost, f"{new}= for {old}=", Edit(source.path, *span, f"{new}="))
        yield source.variant("assignment", 1.2, f"= for {old}=", Edit(source.path, *span, "="))
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        if not isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
            return
        equals = re.search("=", source.text[source.span(target)[1] :])
        if equals is None:
            return
        at = source.span(target)[1] + equals.start()
        for new, cost in _added_to(source, node, target):
            yield source.variant("assignment", cost, f"{new}= for =", Edit(source.path, at, at + 1, f"{new}="))


def _added_to(source: Source, node: ast.Assign, target: ast.expr) -> Iterator[tuple[str, float]]:
    """The operators with which an assignment may have been meant to change what is there, with their cost."""
    if isinstance(node.value, ast.Dict | ast.DictComp | ast.Lambda | ast.Compare | ast.BoolOp):
        return
    if isinstance(node.value, ast.Constant) and not isinstance(node.value.value, int | float | str):
        return
    code = source.code(target)
    before = any(
        isinstance(one, ast.Assign | ast.AugAssign | ast.AnnAssign)
        and one is not node
        and code in (source.code(place) for place in getattr(one, "targets", None) or [one.target])  # type: ignore[union-attr]  # an assignment has either
        for one in ast.walk(source.scope(node))
    )
    changed = (
        not isinstance(target, ast.Name)
        or target.id in vocabulary(source, node).parameters
        or loop_around(source, node) is not None
    )
    plain = 1.2 if before else 1.7 if changed else 2.4
    yield "+", plain
    yield "-", plain + 0.5
    yield "*", plain + 0.8
    yield "|", plain + 0.9
    for new in ("&", "//", "/", "^", "%", "<<", ">>", "**"):
        yield new, plain + 1.2


ARITHMETIC: tuple[Template, ...] = (
    operator,
    operands_exchanged,
    grouping,
    operand_alone,
    sign,
    assignment_operator,
)
