"""What could be asked at a place: predicates over the names there, fitting what they seem to hold."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import NamedTuple

from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates.exact import Level, held_together
from agent_core.repair.templates.guesses import SIZED, compatible
from agent_core.repair.templates.layout import walk_own
from agent_core.repair.templates.seen import Said, Word, said, words

_CONTAINERS = frozenset({"sized", "list", "dict", "set", "tuple", "text"})
_MOST_WORDS = 9


class Predicate(NamedTuple):
    """Something that is true or false.

    Attributes:
        text: Its code; it holds together at least as strongly as ``not``.
        extra: How much less likely it is than the likeliest, from 0.
        guards: It tells whether something else can be asked of what it names, and so comes before that.
    """

    text: str
    extra: float
    guards: bool = False


def predicates(source: Source, node: ast.expr, project: Project, most: int, *, anew: bool = False) -> list[Predicate]:
    """The predicates that fit a place, the likeliest first, each once.

    Those over names of the condition itself come before others, those that stand elsewhere in the function before
    those that are composed.

    Args:
        source: The file.
        node: The condition there.
        project: Tells what names held when a test failed.
        most: At most so many.
        anew: There is no condition yet: the node only tells the place.
    """
    asked = {ast.unparse(one) for one in ast.walk(node) if isinstance(one, ast.Name | ast.Attribute)}
    opened = dict.fromkeys(_opened(node))
    found: dict[str, Predicate] = {}
    own = "" if anew else source.code(node)
    for one in sorted(_all(source, node, project, asked, opened), key=lambda predicate: predicate.extra):
        if one.text != own:
            found.setdefault(one.text, one)
    return list(found.values())[:most]


def _opened(node: ast.AST) -> Iterator[tuple[str, str]]:
    """What a condition looks into, and by which index; the index is empty of attributes and where none is a name."""
    for one in ast.walk(node):
        match one:
            case ast.Attribute(value=owner):
                yield ast.unparse(owner), ""
            case ast.Subscript(value=owner, slice=index):
                yield ast.unparse(owner), ast.unparse(index) if isinstance(index, ast.Name | ast.Attribute) else ""


def _all(
    source: Source, node: ast.expr, project: Project, asked: set[str], opened: Collection[tuple[str, str]]
) -> Iterator[Predicate]:
    for index, one in enumerate(_said_as_condition(source, said(source, node))):
        yield Predicate(held_together(one.text, Level.NOT), 0.2 + 0.08 * index)
        yield Predicate(_negated(source, one), 0.25 + 0.08 * index)
    there = sorted(
        words(source, node, project), key=lambda word: (not word.unused, word.text not in asked, word.distance)
    )[:_MOST_WORDS]
    classes = _classes(source.scope(node))
    owners = {owner for owner, _ in opened}
    for index, word in enumerate(there):
        away = (0.0 if word.text in asked or word.unused else 0.4) + 0.06 * index
        if word.text in owners:
            away -= 0.2
        yield from _of_one(word, away)
        kinds = dict.fromkeys([*classes.get(word.text, []), *classes[""]]) if word.guess in {"", "sized"} else ()
        for kind in list(kinds)[:2]:
            yield Predicate(f"isinstance({word.text}, {kind})", away + 0.4, guards=True)
            yield Predicate(f"not isinstance({word.text}, {kind})", away + 0.6, guards=True)
    for first, word in enumerate(there):
        for second, other in enumerate(there):
            if first == second:
                continue
            of_it = len({word.text, other.text} & asked)
            away = 0.1 + 0.04 * (first + second) + (0.5, 0.15, 0.0)[of_it]
            if (other.text, word.text) in opened:
                away -= 0.3
            yield from _of_two(word, other, away, once=first < second)


def _said_as_condition(source: Source, nearby: tuple[Said, ...]) -> list[Said]:
    """Of the expressions said nearby those that are true or false."""
    found = []
    for one in nearby:
        parent = source.parents.get(one.node)
        tested = isinstance(parent, ast.BoolOp | ast.If | ast.While) or (
            isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)
        )
        if one.guess == "bool" or (tested and getattr(parent, "test", one.node) is one.node):
            found.append(one)
    return found[:8]


_OPPOSITES = {
    ast.Lt: ">=",
    ast.LtE: ">",
    ast.Gt: "<=",
    ast.GtE: "<",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}


def _negated(source: Source, one: Said) -> str:
    if isinstance(one.node, ast.Compare) and len(one.node.ops) == 1:
        left, right = source.code(one.node.left), source.code(one.node.comparators[0])
        level = Level.BIT_OR
        return f"{held_together(left, level)} {_OPPOSITES[type(one.node.ops[0])]} {held_together(right, level)}"
    return f"not {held_together(one.text, Level.NOT)}"


def _of_one(word: Word, away: float) -> Iterator[Predicate]:
    """What can be asked of one thing, by what it seems to hold."""
    text, guess = word.text, word.guess
    if guess == "number":
        yield Predicate(f"{text} != 0", away + 0.3, guards=True)
        for asked, extra in (
            ("> 0", 0.2), ("== 0", 0.2), ("< 0", 0.3), (">= 0", 0.5), ("<= 0", 0.5), ("> 1", 0.5), ("== 1", 0.5),
            ("% 2 == 0", 1.0),
        ):  # fmt: skip
            yield Predicate(f"{text} {asked}", away + extra)
        return
    sized = guess in SIZED
    truth = 0.0 if guess in {"bool", ""} or sized else 0.4
    yield Predicate(text, away + truth, guards=True)
    yield Predicate(f"not {text}", away + truth + 0.05, guards=True)
    if guess != "bool":
        missing = 0.1 if guess in {"", "none"} else 0.4
        yield Predicate(f"{text} is not None", away + missing, guards=True)
        yield Predicate(f"{text} is None", away + missing + 0.05, guards=True)
    if sized:
        yield Predicate(f"len({text}) > 1", away + 0.5, guards=True)
        yield Predicate(f"len({text}) == 1", away + 0.6, guards=True)


def _of_two(word: Word, other: Word, away: float, *, once: bool) -> Iterator[Predicate]:
    """What can be asked of two things; of what is the same both ways round `once` only."""
    if other.guess in _CONTAINERS and other.text != word.text and word.guess not in {"list", "dict", "set"}:
        known = 0.0 if other.guess in {"dict", "set"} else 0.2
        yield Predicate(f"{word.text} in {other.text}", away + known, guards=True)
        yield Predicate(f"{word.text} not in {other.text}", away + known, guards=True)
    if word.guess == "number" and other.guess in SIZED:
        yield Predicate(f"{word.text} < len({other.text})", away + 0.2, guards=True)
        yield Predicate(f"{word.text} >= len({other.text})", away + 0.4, guards=True)
    if not once or not compatible(word.guess, other.guess) or "bool" in {word.guess, other.guess}:
        return
    both = 0.0 if word.guess and word.guess == other.guess else 0.4
    for operator, extra in (("==", 0.1), ("!=", 0.1)):
        yield Predicate(f"{word.text} {operator} {other.text}", away + both + extra)
    if {word.guess, other.guess} <= {"number", ""}:
        for operator, extra in (("<", 0.0), (">", 0.0), ("<=", 0.1), (">=", 0.1)):
            yield Predicate(f"{word.text} {operator} {other.text}", away + both + extra)


def _classes(scope: ast.AST) -> dict[str, list[str]]:
    """The classes that things are asked to be of in a function, by what is asked; under the empty text all of them."""
    found: dict[str, list[str]] = {"": []}
    for one in walk_own(scope):
        match one:
            case ast.Call(func=ast.Name(id="isinstance"), args=[asked, kind]) if not isinstance(kind, ast.Starred):
                code = ast.unparse(kind)
                if len(code) <= 40:
                    found.setdefault(ast.unparse(asked), []).append(code)
                    found[""].append(code)
    return found
