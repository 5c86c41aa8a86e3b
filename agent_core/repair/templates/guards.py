"""Conditions before a statement: an end of the recursion, ``None``, empty, missing, zero; and defaults for them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.exact import editable, piece, replaced
from agent_core.repair.templates.failures import ORDINARY, errors_at, exceptions_known, expected_errors
from agent_core.repair.templates.guesses import empty, guessed
from agent_core.repair.templates.layout import (
    before,
    code_at,
    first_statement,
    is_docstring,
    lines_of,
    loop_around,
    one_line,
    shown,
    text_of,
    unit,
    walk_own,
)
from agent_core.repair.templates.returns import returned_values
from agent_core.repair.templates.vocabulary import Binding, guess_of, local_names, vocabulary

_MOST = 60
_ABOUT_NONE = frozenset({"AttributeError", "TypeError"})
_ABOUT_EMPTY = frozenset(
    {"IndexError", "ValueError", "StopIteration", "KeyError", "ZeroDivisionError", "RecursionError"}
)


def recurses(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function calls itself."""
    return any(
        isinstance(one, ast.Call)
        and (
            (isinstance(one.func, ast.Name) and one.func.id == function.name)
            or (isinstance(one.func, ast.Attribute) and one.func.attr == function.name)
        )
        for one in ast.walk(function)
    )


def fitting_results(source: Source, function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> list[str]:
    """What a function may return at once: what it does elsewhere if at hand, empty values of its kind, a name."""
    parameters = set(vocabulary(source, function.body[0]).parameters) | {"self", "cls"}
    found: dict[str, None] = {}
    kinds: dict[str, None] = {}
    for one in walk_own(function):
        if isinstance(one, ast.Return) and one.value is not None:
            kinds |= dict.fromkeys([guessed(one.value)])
            if isinstance(one.value, ast.Name):
                binding = vocabulary(source, one).bindings.get(one.value.id)
                kinds |= dict.fromkeys([binding.guess if binding is not None else ""])
    for text in returned_values(source, function):
        names = {one.id for one in ast.walk(ast.parse(text)) if isinstance(one, ast.Name)}
        if names <= parameters and "(" not in text:
            found[text] = None
    found |= dict.fromkeys(value for kind in kinds if (value := empty(kind)))
    if any(isinstance(one, ast.Yield | ast.YieldFrom) for one in walk_own(function)):
        return [""]
    generic = ["None", name, "[]", "0", "False", "True", "1", '""', "[[]]"]
    return [*found, *(text for text in generic if text not in found)]


def _conditions(name: str, guess: str, value: tuple[str, str] | None) -> list[tuple[str, float]]:
    """Conditions on which a name is a special case, the likeliest first, and what they cost in addition."""
    none, blank = (f"{name} is None", 0.0), (f"not {name}", 0.1)
    zero = [
        (f"{name} == 0", 0.0),
        (f"{name} <= 0", 0.2),
        (f"{name} < 0", 0.3),
        (f"{name} <= 1", 0.4),
        (f"{name} == 1", 0.5),
    ]
    few = (f"len({name}) <= 1", 0.3)
    if value is not None and value[0] == "NoneType":
        return [none, (f"not {name}", 0.2)]
    if guess in {"number", "bool"}:
        return [*zero, (f"not {name}", 0.4)]
    if guess in {"text", "list", "dict", "set", "tuple", "sized", "bytes"}:
        return [blank, few, (f"{name} is None", 0.5)]
    if value is not None:
        return [(f"{name} is None", 0.3), blank]
    return [blank, (f"{name} is None", 0.1), (f"{name} == 0", 0.5), (f"len({name}) <= 1", 0.6)]


def base_case(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """An end of the recursion, or an answer at once for what is empty, at the beginning of a function."""
    function = source.function(node)
    if function is None or not isinstance(node, ast.stmt) or first_statement(source, function) is not node:
        return
    values = project.values(source.path, node.lineno)
    names = vocabulary(source, node).bindings
    again = recurses(function)
    failed = _ABOUT_EMPTY & {run.error for run in project.failing}
    base = 1.4 if again and failed else 1.7 if again or failed else 2.2
    count = 0
    for rank, name in enumerate(vocabulary(source, node).parameters[:4]):
        guess = guess_of(names.get(name), name, values)
        for condition, more in _conditions(name, guess, values.get(name)):
            for index, text in enumerate(fitting_results(source, function, name)[:6]):
                if count >= _MOST:
                    return
                count += 1
                leave = f"return {text}".rstrip()
                yield from _guard(source, node, condition, leave, base + more + rank * 0.4 + index * 0.15)


def _guard(source: Source, node: ast.stmt, condition: str, leave: str, cost: float) -> Iterator[Variant]:
    if (edit := before(source, node, f"if {condition}:\n\t{leave}")) is not None:
        yield source.variant("guard", cost, f"if {condition}: {leave} added", edit)


def _special(source: Source, node: ast.stmt, project: Project) -> list[tuple[str, str, tuple[str, str] | None]]:
    """What a statement reads that may be a special case: names, attributes and items of them."""
    values = project.values(source.path, node.lineno)
    there = local_names(source, node)
    found: dict[str, tuple[str, str, tuple[str, str] | None]] = {}
    parts: list[ast.AST] = [node] if not hasattr(node, "body") else _header(node)
    for one in (inner for part in parts for inner in ast.walk(part)):
        if not isinstance(one, ast.Name | ast.Attribute) or not isinstance(one.ctx, ast.Load) or source.in_text(one):
            continue
        if source.is_called(one):
            continue
        code = one_line(source, one, 40)
        if code is None or code in {"self", "cls"} or (isinstance(one, ast.Name) and one.id not in there):
            continue
        guess = guess_of(there.get(code), code, values)
        found[code] = (code, guess, values.get(code))
    return sorted(found.values(), key=lambda item: not _is_special(item[2]))[:6]


def _header(node: ast.stmt) -> list[ast.AST]:
    return [one for one in (getattr(node, "test", None), getattr(node, "iter", None)) if one is not None]


def _is_special(value: tuple[str, str] | None) -> bool:
    return value is not None and (value[0] == "NoneType" or value[1] in {"[]", "{}", "()", "''", "set()", "0"})


def left_early(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """Out of the function or on with the loop before a statement that fails for a special case."""
    function = source.function(node)
    if not isinstance(node, ast.stmt) or function is None or is_docstring(source, node):
        return
    if lines_of(source, node) is None or isinstance(node, ast.Pass | ast.Break | ast.Continue | ast.FunctionDef):
        return
    errors = set(errors_at(source, project, node))
    loop = loop_around(source, node)
    count = 0
    for rank, (name, guess, value) in enumerate(_special(source, node, project)):
        fits = bool(errors & (_ABOUT_NONE | _ABOUT_EMPTY)) or _is_special(value)
        base = (1.6 if fits else 2.5) + 0.3 * rank
        ways = ["continue", "break"] if loop is not None else []
        returned = fitting_results(source, function, name)[:4]
        ways += [f"return {text}".rstrip() for text in returned]
        for condition, more in _conditions(name, guess, value)[:3]:
            for index, way in enumerate(ways):
                if count >= _MOST:
                    return
                count += 1
                yield from _guard(source, node, condition, way, base + more + index * 0.15)


def only_if(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """A statement carried out only where it makes sense: there is something, it is not there yet, it is no zero."""
    if not isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.For) or is_docstring(source, node):
        return
    place = lines_of(source, node)
    inner = text_of(source, node, node, source.indent(node) + unit(source))
    if place is None or inner is None or source.function(node) is None:
        return
    errors = set(errors_at(source, project, node))
    conditions: dict[str, float] = {}
    for name, guess, value in _special(source, node, project):
        base = 1.8 if errors & (_ABOUT_NONE | _ABOUT_EMPTY) or _is_special(value) else 2.8
        conditions |= dict.fromkeys([f"{name} is not None"], base + (0.4 if guess else 0.0))
        conditions |= dict.fromkeys([name], base + 0.2)
    for name, other in _kept_in(node):
        conditions[f"{name} not in {other}"] = 2.0
    for index, (condition, cost) in enumerate(list(conditions.items())[:12]):
        text = code_at(source, source.indent(node), f"if {condition}:") + inner
        yield source.variant("only if", cost + index * 0.08, f"if {condition} added", Edit(source.path, *place, text))


def _kept_in(node: ast.stmt) -> Iterable[tuple[str, str]]:
    """What a statement puts into what: ``seen.append(x)``, ``found[x] = ...``."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        if node.value.func.attr in {"append", "add", "appendleft"} and len(node.value.args) == 1:
            yield ast.unparse(node.value.args[0]), ast.unparse(node.value.func.value)
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        yield ast.unparse(node.targets[0].slice), ast.unparse(node.targets[0].value)


def raised_early(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """The exception that a test expects, raised where an argument is a special case."""
    function = source.function(node)
    if function is None or not isinstance(node, ast.stmt) or first_statement(source, function) is not node:
        return
    known = {*exceptions_known(source), *ORDINARY}
    values = project.values(source.path, node.lineno)
    names: dict[str, Binding] = vocabulary(source, node).bindings
    for error in [name for name in expected_errors(project) if name in known][:2]:
        for rank, name in enumerate(vocabulary(source, node).parameters[:4]):
            guess = guess_of(names.get(name), name, values)
            signs = [*_conditions(name, guess, values.get(name)), (f"{name} < 0", 0.2)]
            for condition, more in dict(signs).items():
                leave = f'raise {error}("{name}")'
                yield from _guard(source, node, condition, leave, 2.0 + more + rank * 0.3)


def default_for_none(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """A default for a parameter that is ``None``, at the beginning of a function."""
    function = source.function(node)
    if function is None or not isinstance(node, ast.stmt) or first_statement(source, function) is not node:
        return
    given = function.args
    plain = [*given.posonlyargs, *given.args]
    pairs = [
        *zip(plain[len(plain) - len(given.defaults) :], given.defaults, strict=True),
        *((one, default) for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True) if default),
    ]
    for argument, default in pairs[:6]:
        if isinstance(default, ast.Constant) and default.value is None:
            for index, text in enumerate(("[]", "{}", "0", '""', "set()")):
                edit = before(source, node, f"if {argument.arg} is None:\n\t{argument.arg} = {text}")
                if edit is not None:
                    says = f"{argument.arg} = {text} where it is None"
                    yield source.variant("default for None", 1.9 + index / 10, says, edit)


def item_or_default(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """``d.get(key, default)`` for ``d[key]``, and the other way round; ``getattr`` with a default."""
    errors = set(errors_at(source, project, node))
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and editable(source, node):
        if isinstance(node.slice, ast.Slice | ast.Tuple):
            return
        number = isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int)
        base = 1.2 if "KeyError" in errors else 3.6 if number else 2.6
        key, value = source.code(node.slice), source.code(node.value)
        for index, default in enumerate(("", ", 0", ', ""', ", []", ", {}", f", {key}", ", False")):
            yield from replaced(source, node, f"{value}.get({key}{default})", "get", base + index * 0.12)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and editable(source, node):
        if node.func.attr != "get" or not node.args or node.keywords:
            return
        value, key = source.code(node.func.value), source.code(node.args[0])
        yield from replaced(source, node, f"{value}[{key}]", "item", 2.2)
        for index, default in enumerate(("0", '""', "[]", "{}", key)):
            yield from replaced(source, node, f"{value}.get({key}, {default})", "get", 1.7 + index * 0.12)
    elif isinstance(node, ast.Attribute) and "AttributeError" in errors and editable(source, node):
        value = piece(source, node.value)
        yield from replaced(source, node, f'getattr({value}, "{node.attr}", None)', "getattr", 3.0)


def safe_expression(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """A value for what cannot be divided, is empty or ``None``, instead of the expression that fails then."""
    if not isinstance(node, ast.expr) or not editable(source, node):
        return
    errors = set(errors_at(source, project, node))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod):
        right = source.code(node.right)
        base = 1.3 if "ZeroDivisionError" in errors else 3.4
        condition, otherwise = right, ["0", "0.0", "None", source.code(node.left)]
    elif isinstance(node, ast.Attribute) and errors & _ABOUT_NONE and isinstance(node.value, ast.Name):
        condition, otherwise, base = f"{node.value.id} is not None", ["None"], 2.2
    elif isinstance(node, ast.Subscript) and errors & {"IndexError", "TypeError"}:
        condition, otherwise, base = source.code(node.value), ["None", "0", '""'], 2.0
    elif isinstance(node, ast.Call) and errors & _ABOUT_EMPTY and len(node.args) == 1:
        condition, otherwise, base = source.code(node.args[0]), ["0", "None"], 2.2
    else:
        return
    if "\n" in source.code(node) or len(condition) > 50:
        return
    for index, other in enumerate(otherwise):
        text = f"{source.code(node)} if {condition} else {other}"
        says = f"{other} unless {shown(condition, 40)}"
        yield from replaced(source, node, text, "safe", base + index * 0.15, says=says)


GUARDS: tuple[Template, ...] = (
    base_case,
    left_early,
    only_if,
    raised_early,
    default_for_none,
    item_or_default,
    safe_expression,
)
