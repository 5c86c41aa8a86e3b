"""Loops and recursion: what is gone over, how long a loop goes on, what a function hands to itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agent_core.repair.model import Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source, called_name
from agent_core.repair.templates import Template
from agent_core.repair.templates.donors import donors, names_in
from agent_core.repair.templates.exact import editable, piece, replaced
from agent_core.repair.templates.guesses import guessed
from agent_core.repair.templates.layout import one_line, shown, walk_own
from agent_core.repair.templates.vocabulary import COMPREHENSIONS, guess_of, local_names


def _iterables(node: ast.AST) -> list[tuple[ast.expr, ast.expr]]:
    """What is gone over at a node, with what it is given to."""
    if isinstance(node, ast.For | ast.AsyncFor):
        return [(node.target, node.iter)]
    if isinstance(node, COMPREHENSIONS):
        return [(one.target, one.iter) for one in node.generators]
    return []


def other_iterable(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """Positions for elements, pairs for keys, the other way round, a part of it, a copy, another."""
    for target, iterable in _iterables(node):
        if not editable(source, iterable):
            continue
        code = source.code(iterable)
        names = local_names(source, node)
        guess = guess_of(names.get(code), code, project.values(source.path, iterable.lineno)) or guessed(iterable)
        forms: dict[str, float] = {}
        given = names_in(target)
        inner = _within(source, iterable)
        if inner is not None:
            forms |= inner
        else:
            forms |= _around(source, target, iterable, guess)
        if isinstance(iterable, ast.Constant) or code in {"[]", "()"}:
            found = [one for one in donors(source, iterable, most=20) if one not in given]
            forms |= {donor: 1.6 + rank * 0.1 for rank, donor in enumerate(found)}
        else:
            found = [one for one in donors(source, iterable, most=12) if one not in given and not one.endswith(")")]
            forms |= {donor: 2.6 + rank * 0.1 for rank, donor in enumerate(found)}
        for text, cost in forms.items():
            yield from replaced(source, iterable, text, "other iterable", cost)


def _within(source: Source, iterable: ast.expr) -> dict[str, float] | None:
    """What is gone over without the call around it; None where there is no such call."""
    if not isinstance(iterable, ast.Call):
        return None
    if isinstance(iterable.func, ast.Attribute) and iterable.func.attr in {"items", "keys", "values"}:
        value = source.code(iterable.func.value)
        return {f"{value}.{name}()": 1.4 for name in ("items", "values", "keys")} | {value: 1.5}
    name = iterable.func.id if isinstance(iterable.func, ast.Name) else ""
    if name in {"enumerate", "reversed", "sorted", "list", "set", "iter"} and iterable.args:
        value = source.code(iterable.args[0])
        return {
            value: 1.6,
            f"reversed({value})": 2.0,
            f"sorted({value})": 2.2,
            f"enumerate({value})": 2.4,
            f"enumerate({value}, 1)": 2.0 if name == "enumerate" else 3.0,
            f"range(len({value}))": 2.4,
        }
    if name == "range" and len(iterable.args) == 1 and isinstance(iterable.args[0], ast.Call):
        length = iterable.args[0]
        if isinstance(length.func, ast.Name) and length.func.id == "len" and length.args:
            value = source.code(length.args[0])
            return {value: 1.6, f"enumerate({value})": 1.9, f"range(1, len({value}))": 1.6, f"reversed({value})": 2.4}
    if name == "zip":
        return {f"enumerate({source.code(iterable.args[0])})": 3.0} if iterable.args else {}
    return None


def _around(source: Source, target: ast.expr, iterable: ast.expr, guess: str) -> dict[str, float]:
    """What is gone over with a call around it, or a part of it."""
    value = piece(source, iterable)
    code = source.code(iterable)
    pair = isinstance(target, ast.Tuple)
    forms: dict[str, float] = {}
    if guess in {"", "dict", "sized"}:
        forms |= {f"{value}.items()": 1.3 if pair else 2.4, f"{value}.values()": 1.7, f"{value}.keys()": 2.6}
    if guess != "dict":
        forms |= {f"enumerate({code})": 1.4 if pair else 2.6, f"range(len({code}))": 1.9}
        forms |= {f"range({code})": 1.5 if guess == "number" else 2.6, f"{value}[1:]": 2.0, f"{value}[:-1]": 2.2}
    forms |= {f"reversed({code})": 1.9, f"sorted({code})": 2.0, f"list({code})": 2.1}
    return forms


def goes_on(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """How long a loop goes on: as long as there is something in what it takes from, or something is there."""
    if not isinstance(node, ast.While) or not editable(source, node.test):
        return
    own = source.code(node.test)
    forms: dict[str, float] = {}
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute):
            if one.func.attr in {"pop", "popleft", "get", "popitem"} and (code := one_line(source, one.func.value, 40)):
                forms |= {code: 1.2, f"len({code}) > 0": 2.4}
        elif isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name):
            name = one.targets[0].id
            forms |= {name: 2.0, f"{name} is not None": 1.9}
    value = piece(source, node.test)
    constant = isinstance(node.test, ast.Constant)
    for text, cost in forms.items():
        if text != own:
            yield from replaced(source, node.test, text, "goes on", cost + (0.0 if constant else 0.8))
            if not constant and text not in own:
                yield from replaced(source, node.test, f"{text} and {value}", "goes on", cost + 0.5)


def recursion(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """What a function hands to itself, a step further on; what it does with what it gets from itself."""
    function = source.function(node)
    if not isinstance(node, ast.Call) or function is None or not editable(source, node):
        return
    if called_name(node) != function.name:
        return
    values = project.values(source.path, node.lineno)
    names = local_names(source, node)
    for argument in node.args[:4]:
        code = one_line(source, argument, 40)
        if code is None:
            continue
        guess = guess_of(names.get(code), code, values) or guessed(argument)
        if isinstance(argument, ast.Name | ast.Attribute | ast.Subscript):
            for rank, text in enumerate(_steps(source, function, code, guess)):
                yield from replaced(source, argument, text, "recursion", 1.6 + rank * 0.12)
    code = source.code(node)
    parts = [one for one, binding in names.items() if binding.kind in {"parameter", "loop", "local"}]
    parts.sort(key=lambda one: -names[one].line)
    parts = list(dict.fromkeys([*_left_out(source, node), *parts[:4], *_items(source, function)]))
    for rank, part in enumerate(parts[:6]):
        forms = (f"[{part}] + {code}", f"{code} + [{part}]", f"{part} + {code}", f"{code} + {part}")
        for index, text in enumerate(forms):
            says = f"{shown(part, 30)} put to {function.name}(...)"
            yield from replaced(source, node, text, "recursion", 2.0 + rank * 0.12 + index * 0.05, says=says)
    yield from replaced(source, node, f"1 + {code}", "recursion", 1.9)


def _steps(source: Source, function: ast.AST, code: str, guess: str) -> list[str]:
    """What comes after a value: the next number, the rest of a list, what hangs on a node."""
    numbers = [f"{code} - 1", f"{code} + 1", f"{code} // 2"]
    rests = [f"{code}[1:]", f"{code}[:-1]"]
    hanging = [
        f"{code}.{one.attr}"
        for one in walk_own(function)
        if isinstance(one, ast.Attribute) and source.code(one.value) == code
    ]
    if guess in {"number", "bool"}:
        return numbers
    if guess in {"list", "text", "tuple", "sized"}:
        return rests
    return list(dict.fromkeys([*hanging, *numbers, *rests]))


def _left_out(source: Source, call: ast.Call) -> list[str]:
    """What of a list is not handed on: its first item where the rest is, its last where what is before that is."""
    found = []
    for argument in call.args:
        if isinstance(argument, ast.Subscript) and isinstance(argument.slice, ast.Slice):
            value = source.code(argument.value)
            found.append(f"{value}[0]" if argument.slice.upper is None else f"{value}[-1]")
    return found


def _items(source: Source, function: ast.AST) -> list[str]:
    """The items and attributes that a function takes of things: ``items[0]``, ``node.value``."""
    found: dict[str, None] = {}
    for one in walk_own(function):
        if isinstance(one, ast.Subscript | ast.Attribute) and isinstance(one.ctx, ast.Load):
            parent = source.parents.get(one)
            code = one_line(source, one, 30)
            if code is not None and not isinstance(parent, ast.Attribute | ast.Call) and not source.in_text(one):
                found[code] = None
    return list(found)[:4]


LOOPING: tuple[Template, ...] = (other_iterable, goes_on, recursion)
