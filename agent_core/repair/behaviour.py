"""In what repairs differ that all pass: inputs for which they do not give the same, and what is special about those."""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from agent_core.repair.model import Difference
from agent_core.repair.project import Project
from agent_core.repair.source import called_name
from agent_core.text import one_line

Results = tuple[tuple[str, str], ...]
"""Pairs of a call and its result, as `agent_core.repair.lab.Lab.behaviour` gives them."""

MOST = 8
_UNKNOWN = "?"
_LONG = 200
_PRECISE = 0.5


def alike(results: Sequence[Results]) -> list[list[int]]:
    """Which repairs behave alike in all that was compared.

    Args:
        results: Of each repair; where nothing is known of it, as they are empty or none came to its end, it is like no
            other.

    Returns:
        Groups of their places, each in order, in the order of their first.
    """
    groups: dict[object, list[int]] = {}
    for number, result in enumerate(results):
        known = any(said != _UNKNOWN for _, said in result)
        groups.setdefault(result if known else number, []).append(number)
    return list(groups.values())


def changed_share(before: Results, after: Results) -> float:
    """For which share of the calls something else is given; 0 where nothing was compared."""
    pairs = [(old, new) for (_, old), (_, new) in zip(before, after, strict=False) if _UNKNOWN not in {old, new}]
    return sum(old != new for old, new in pairs) / len(pairs) if pairs else 0.0


def differences(results: Sequence[Results], project: Project) -> tuple[Difference, ...]:
    """Inputs that tell repairs apart, those first that tell most apart, then the simplest.

    Args:
        results: Of each repair, in their order; the same calls in the same order.
        project: Knows the names of parameters.
    """
    if len(results) < 2 or not all(results):
        return ()
    calls = [call for call, _ in results[0]]
    by_call = [tuple(one[number][1] for one in results) for number in range(len(calls))]
    special = [number for number, said in enumerate(by_call) if _UNKNOWN not in said and len(set(said)) > 1]
    traits = {number: tuple(traits_of(call, project)) for number, call in enumerate(calls)}
    having = Counter(trait for some in traits.values() for trait in some)
    among = Counter(trait for number in special for trait in traits[number])

    def when(number: int) -> str:
        """What most of the inputs that differ have in common, and few others have."""
        rated = [(among[one] / having[one], among[one], -len(one), one) for one in traits[number]]
        best = max((row for row in rated if row[0] >= _PRECISE), default=None)
        return "" if best is None else best[3]

    def order(number: int) -> tuple[float, int, str]:
        return -_split(by_call[number]), len(calls[number]), calls[number]

    found: dict[tuple[tuple[str, ...], str], Difference] = {}
    for number in sorted(special, key=order):
        said = tuple(_short(one) for one in by_call[number])
        one = Difference(_short(calls[number]), said, _short(when(number)))
        # One for each way to differ; more of the same would tell nothing new.
        pattern = tuple(str(by_call[number].index(one)) for one in by_call[number])
        found.setdefault((pattern, one.when), one)
    return tuple(found.values())[:MOST]


def _split(said: Sequence[str]) -> float:
    """How well results tell repairs apart: their entropy."""
    return -sum(count / len(said) * math.log2(count / len(said)) for count in Counter(said).values())


def _short(text: str) -> str:
    return one_line(text, _LONG)


# -- what is special about an input


def traits_of(call: str, project: Project) -> Iterator[str]:
    """What could be special about a call, in words, such as ``items is empty``.

    Args:
        call: Such as ``clamp(0, 0, 0)``; what cannot be read has no traits.
        project: Knows the names of parameters.
    """
    try:
        node = ast.parse(call, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    if not isinstance(node, ast.Call):
        return
    values = _arguments(node, project)
    for name, value in values.items():
        yield from (f"{name} {word}" if word.startswith("has ") else f"{name} is {word}" for word in _words(value))
    known = [(name, value) for name, value in values.items() if _comparable(value)]
    for number, (name, value) in enumerate(known):
        for other, second in known[number + 1 :]:
            if type(value) is type(second) and value == second:
                yield f"{name} equals {other}"


class _Unreadable:
    """Stands for an argument that is no literal."""


def _arguments(call: ast.Call, project: Project) -> Mapping[str, object]:
    """The arguments by the names of their parameters; those without a name by what they are called in speech."""
    name = called_name(call)
    names: list[str] = []
    for function in project.functions.get(name, ()):
        every = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
        if every[:1] in (["self"], ["cls"]) and len(every) > len(call.args):
            every = every[1:]
        if len(every) >= len(call.args):
            names = every
            break
    found: dict[str, object] = {}
    for number, argument in enumerate(call.args):
        known = names[number] if number < len(names) else _COUNTED[min(number, len(_COUNTED) - 1)]
        found[known] = _value(argument)
    found.update({one.arg: _value(one.value) for one in call.keywords if one.arg is not None})
    return found


_COUNTED = ("the first argument", "the second argument", "the third argument", "another argument")


def _value(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return _Unreadable()


def _comparable(value: object) -> bool:
    return isinstance(value, int | float | str | bytes | list | tuple | dict | set) and not isinstance(value, bool)


def _words(value: object) -> Iterator[str]:
    """What a value is, or has, in words that would strike somebody."""
    if value is None or isinstance(value, bool):
        yield str(value)
    elif isinstance(value, int | float):
        if value in {0, 1, -1}:
            yield str(value)
        if value < 0:
            yield "negative"
        elif value > 0:
            yield "positive"
        if isinstance(value, float) and not value.is_integer():
            yield "no whole number"
        elif int(value) % 2:
            yield "odd"
        else:
            yield "even"
    elif isinstance(value, str | bytes | list | tuple | dict | set):
        yield from _of_many(value)


def _of_many(
    value: str | bytes | list[object] | tuple[object, ...] | dict[object, object] | set[object],
) -> Iterator[str]:
    if not value:
        yield "empty"
        return
    if len(value) == 1:
        yield "one character long" if isinstance(value, str) else "has one item"
    if isinstance(value, str):
        if value.isspace():
            yield "blank"
        elif value != value.strip():
            yield "has white space around it"
        if not value.isascii():
            yield "not plain ASCII"
        if value.isdigit():
            yield "all digits"
        return
    try:
        unique = len({repr(one) for one in value})
    except RecursionError:
        return
    if unique < len(value):
        yield "has an item twice"
