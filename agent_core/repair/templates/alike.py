"""The same slip at several places at once: what is copied and pasted is wrong in all copies."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import lru_cache

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.comparisons import WORDS, other_operators
from agent_core.repair.templates.conditions import condition_kind
from agent_core.repair.templates.constants import LITERAL, spelt
from agent_core.repair.templates.exact import OPERATORS, editable, operator_span, put, spaced
from agent_core.repair.templates.layout import SIMPLE, block, is_elif, shown, walk_own
from agent_core.repair.templates.seen import constants, constants_of_tests
from agent_core.repair.templates.vocabulary import dotted

_MOST_PLACES = 40
_MOST_TEXTS = 2
_TURNED: Mapping[str, str] = {"+": "-", "-": "+", "*": "/", "/": "//", "//": "/", "%": "//", "&": "|", "|": "&"}


def _reaches(source: Source, node: ast.AST) -> Iterator[tuple[list[ast.AST], float]]:
    """What may hold copies of a slip, with what each costs in addition: a statement, those beside it, a chain."""
    statement = source.statement(node)
    if statement is None:
        return
    if isinstance(statement, SIMPLE):
        yield [statement], 0.0
        around = block(source, statement)
        beside = [one for one in around.statements if isinstance(one, SIMPLE)] if around is not None else []
        if len(beside) > 1:
            yield [*beside], 0.3
    elif isinstance(statement, ast.If):
        tests = _tests_of_chain(source, statement)
        if node in (one for test in tests for one in ast.walk(test)):
            yield [statement.test], 0.0
            yield tests, 0.2


def _tests_of_chain(source: Source, node: ast.If) -> list[ast.AST]:
    while is_elif(source, node) and isinstance(above := source.parents.get(node), ast.If):
        node = above
    tests: list[ast.AST] = [node.test]
    while len(node.orelse) == 1 and isinstance(only := node.orelse[0], ast.If) and is_elif(source, only):
        tests.append(only.test)
        node = only
    return tests


def _all_in(roots: list[ast.AST]) -> Iterator[ast.AST]:
    return (one for root in roots for one in ast.walk(root))


def operators_alike(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """Another operator wherever one stands in a statement, in those beside it, in a chain of conditions."""
    if not isinstance(node, ast.Compare | ast.BinOp) or not editable(source, node) or source.in_text(node):
        return
    words = dict.fromkeys(word for _, _, word in _operators(node))
    for old in words:
        new = _TURNED.get(old) or next((word for word, _ in other_operators(old)), None)
        if new is None:
            continue
        least = 1
        for roots, more in _reaches(source, node):
            spans = {
                span
                for one in _all_in(roots)
                for left, right, word in _operators(one)
                if word == old and not source.in_text(one) and (span := operator_span(source, left, right, old))
            }
            if not least < len(spans) <= _MOST_PLACES:
                continue
            least = len(spans)
            edits = [Edit(source.path, *span, spaced(source, *span, new)) for span in sorted(spans)]
            yield source.variant("operators alike", 2.0 + more, f"{new} for {old}, {least} times", *edits)


def _operators(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr, str]]:
    """The operators of an expression, each with what is to its left and right."""
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        for index, operator in enumerate(node.ops):
            yield operands[index], operands[index + 1], WORDS[type(operator)]
    elif isinstance(node, ast.BinOp):
        yield node.left, node.right, OPERATORS[type(node.op)][0]


def constants_alike(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """Another number or text wherever one stands in a statement, in those beside it, in a chain of conditions."""
    if not isinstance(node, ast.Constant) or not editable(source, node) or source.in_text(node):
        return
    if isinstance(node.value, bool) or not isinstance(node.value, int | float | str):
        return
    least = 1
    for roots, more in _reaches(source, node):
        places = [
            one
            for one in _all_in(roots)
            if isinstance(one, ast.Constant)
            and type(one.value) is type(node.value)
            and one.value == node.value
            and editable(source, one)
            and not source.in_text(one)
        ]
        if not least < len(places) <= _MOST_PLACES:
            continue
        least = len(places)
        for index, text in enumerate(_others(node.value, source, node, project)):
            edits = [edit for one in places if (edit := put(source, one, text)) is not None]
            if len(edits) == len(places):
                says = f"{shown(text)} for {shown(source.code(node))}, {len(edits)} times"
                yield source.variant("constants alike", 2.1 + more + 0.1 * index, says, *edits)


def _others(value: float | str, source: Source, node: ast.Constant, project: Project) -> list[str]:
    """What may be meant by a constant, as code."""
    if not isinstance(value, str):
        named = [one for one in constants_of_tests(project).numbers if type(one) is type(value) and one != value]
        nearest = sorted(named, key=lambda one: abs(one - value))[:1]
        return list(dict.fromkeys(map(repr, (value + 1, value - 1, *nearest))))
    of_function, of_tests = constants(source.scope(node)).texts, constants_of_tests(project).texts
    alike = [one for one in (*of_tests, *of_function) if one != value and one.casefold() == value.casefold()]
    same = [one for one in of_tests if one != value and len(one) == len(value) and one.isalnum() == value.isalnum()]
    literal = LITERAL.fullmatch(source.code(node))
    found = list(dict.fromkeys([*alike, *same]))[:_MOST_TEXTS]
    return [spelt(one, literal) for one in found] if literal is not None else []


def asked_alike(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """Whether something is ``None`` asked as whether there is any of it wherever a function asks, and the other way."""
    asked = _asked(node)
    if asked is None or not editable(source, node) or source.in_text(node):
        return
    name, none_asked = asked[0], asked[2]
    places = _places_asked(source, source.scope(node)).get((name, none_asked), [])
    if not 1 < len(places) <= _MOST_PLACES:
        return
    there, none = (name, f"not {name}") if none_asked else (f"{name} is not None", f"{name} is None")
    edits = [edit for one, is_none in places if (edit := put(source, one, none if is_none else there)) is not None]
    if len(edits) == len(places):
        first, is_none = places[0]
        says = f"{none if is_none else there} for {source.code(first)} and the like, {len(edits)} times"
        yield source.variant("asked alike", 2.0, shown(says, 100), *edits)


@lru_cache(maxsize=16)
def _places_asked(source: Source, scope: ast.AST) -> Mapping[tuple[str, bool], list[tuple[ast.expr, bool]]]:
    """The conditions of a function that ask whether something is there, by what they ask of and how; see `_asked`."""
    found: dict[tuple[str, bool], list[tuple[ast.expr, bool]]] = {}
    for one in walk_own(scope):
        asked = _asked(one)
        if asked is not None and isinstance(one, ast.expr) and condition_kind(source, one) in {"whole", "part"}:
            found.setdefault((asked[0], asked[2]), []).append((one, asked[1]))
    return found


def _asked(node: ast.AST) -> tuple[str, bool, bool] | None:
    """What an expression asks of: its name, whether it must not be there, whether ``None`` is asked for."""
    match node:
        case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot() as operator], comparators=[ast.Constant(value=None)]):
            found = dotted(left), isinstance(operator, ast.Is), True
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            found = dotted(operand), True, False
        case ast.Name() | ast.Attribute():
            found = dotted(node), False, False
        case _:
            return None
    return found if found[0] else None


ALIKE: tuple[Template, ...] = (operators_alike, constants_alike, asked_alike)
