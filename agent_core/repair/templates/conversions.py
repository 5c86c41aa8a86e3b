"""Copies of what is shared, and conversions, as the neighbours have them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agent_core.repair.model import Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.spans import header_end
from agent_core.repair.templates import Template
from agent_core.repair.templates.exact import editable, piece, replaced
from agent_core.repair.templates.layout import before, first_statement
from agent_core.repair.templates.vocabulary import guess_of, local_names, vocabulary

_MUTABLE = frozenset({"list", "dict", "set"})


def copied_value(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """A copy for what is kept, returned, handed over or gone over while somebody else may change it."""
    if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript) or not isinstance(node.ctx, ast.Load):
        return
    base = _shared(source, node)
    if base is None or not editable(source, node):
        return
    code = source.code(node)
    binding = local_names(source, node).get(code)
    guess = guess_of(binding, code, project.values(source.path, node.lineno))
    if guess in {"number", "bool", "text", "tuple", "callable", "bytes"}:
        return
    forms = {
        "list": ("list({})", "{}[:]", "{}.copy()"),
        "dict": ("dict({})", "{}.copy()"),
        "set": ("set({})", "{}.copy()"),
    }
    more = 0.0 if guess in _MUTABLE else 0.6
    for rank, form in enumerate(forms.get(guess, ("list({})", "{}.copy()", "dict({})", "{}[:]"))):
        yield from replaced(source, node, form.format(code), "copy", base + more + rank * 0.1)


def _shared(source: Source, node: ast.expr) -> float | None:
    """What a copy costs where an expression stands; None where none is of use."""
    parent = source.parents.get(node)
    if isinstance(parent, ast.Assign | ast.Return | ast.Yield) and parent.value is node:
        return 2.0
    if isinstance(parent, ast.Call) and node in parent.args and isinstance(parent.func, ast.Attribute):
        return 1.7 if parent.func.attr in {"append", "add", "appendleft", "insert", "setdefault"} else 2.8
    if isinstance(parent, ast.For) and parent.iter is node:
        return 1.9
    if isinstance(parent, ast.Call | ast.keyword):
        return 2.8
    return None


def converted(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """An expression in a call of one argument that the function has around another: ``int(b)`` beside ``int(a)``."""
    if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call) or not editable(source, node):
        return
    parent = source.parents.get(node)
    if isinstance(parent, ast.Attribute) or source.is_called(node):
        return
    code, seen = source.code(node), dict[str, float]()
    line = node.lineno
    for one in ast.walk(source.scope(node)):
        if isinstance(one, ast.Call) and len(one.args) == 1 and not one.keywords and one is not node:
            function = piece(source, one.func)
            if one is parent or "\n" in function or isinstance(one.args[0], ast.Starred | ast.GeneratorExp):
                continue
            if isinstance(one.func, ast.Name) and not (
                isinstance(node, ast.Call) and source.code(node.func) == function
            ):
                seen[function] = min(seen.get(function, 9.0), 2.0 + min(abs(one.lineno - line), 20) / 20)
    for function, cost in sorted(seen.items(), key=lambda pair: pair[1])[:6]:
        yield from replaced(source, node, f"{function}({code})", "converted", cost)


def called_like_others(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """A method without arguments called on a value, as the function does with others: ``b.strip()``."""
    if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript) or not editable(source, node):
        return
    if isinstance(source.parents.get(node), ast.Attribute) or source.is_called(node):
        return
    seen: dict[str, None] = {}
    for one in ast.walk(source.scope(node)):
        if (
            isinstance(one, ast.Call)
            and isinstance(one.func, ast.Attribute)
            and not one.keywords
            and len(one.args) <= 1
        ):
            arguments = ", ".join(source.code(argument) for argument in one.args)
            if all(isinstance(argument, ast.Constant) for argument in one.args) and "\n" not in arguments:
                seen[f".{one.func.attr}({arguments})"] = None
    code = source.code(node)
    if isinstance(node, ast.Name) and node.id not in local_names(source, node):
        return
    for rank, call in enumerate(list(seen)[:6]):
        yield from replaced(source, node, f"{code}{call}", "converted", 2.4 + rank * 0.1)


_ONE_PASS = frozenset(
    {"list", "tuple", "set", "sorted", "sum", "min", "max", "any", "all", "enumerate", "zip", "map", "filter", "len"}
    | {"dict", "frozenset", "reversed", "iter", "join", "extend", "update", "writelines", "next"}
)
_NO_ITERATOR = frozenset({"number", "bool", "text", "bytes", "dict", "callable", "none", "list", "tuple"})
_ITERATORS = frozenset(
    {"generator", "map", "filter", "zip", "islice", "chain", "reversed", "enumerate", "set", "frozenset"}
    | {"dict_keys", "dict_values", "dict_items", "range"}
)


def gone_through_twice(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """A list made, at the beginning of a function, of what it goes through or measures more than once."""
    function = source.function(node)
    if function is None or not isinstance(node, ast.stmt):
        return
    first = first_statement(source, function)
    if first is None:
        return
    values = project.values(source.path, node.lineno)
    own = vocabulary(source, first)
    last = header_end(node)
    read = {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and one.lineno <= last}
    for name in own.parameters:
        if name not in read:
            continue
        guess = guess_of(own.bindings.get(name), name, values)
        sure = guess in _ITERATORS or guess.endswith("_iterator")
        if guess in _NO_ITERATOR or _passes(source, function, name) < 2:
            continue
        if (edit := before(source, first, f"{name} = list({name})")) is not None:
            yield source.variant("made a list", 1.3 if sure else 2.0, f"{name} = list({name}) added", edit)


def _passes(source: Source, function: ast.AST, name: str) -> int:
    """How often something is gone through, measured or looked into by its place."""
    count = 0
    for one in ast.walk(function):
        if not isinstance(one, ast.Name) or one.id != name or not isinstance(one.ctx, ast.Load):
            continue
        match source.parents.get(one):
            case ast.For(iter=place) | ast.comprehension(iter=place) | ast.Subscript(value=place) if place is one:
                count += 1
            case ast.Starred() | ast.YieldFrom():
                count += 1
            case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called), args=given) if one in given:
                count += called in _ONE_PASS
    return count


CONVERSIONS: tuple[Template, ...] = (copied_value, gone_through_twice, converted, called_like_others)
