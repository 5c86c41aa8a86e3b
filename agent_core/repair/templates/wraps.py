"""A call put round an expression or taken away, bounds and defaults for a value, one thing made a list of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from itertools import zip_longest

from agent_core.repair.model import Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.exact import Level, editable, piece, replaced
from agent_core.repair.templates.guesses import empty, guessed
from agent_core.repair.templates.layout import shown, walk_own
from agent_core.repair.templates.seen import words
from agent_core.repair.templates.vocabulary import COMPREHENSIONS, FUNCTIONS, guess_of, visible

# What is put round a value of each kind: `_` stands for the value.
_ROUND: Mapping[str, tuple[str, ...]] = {
    "number": ("int(_)", "str(_)", "abs(_)", "round(_)", "float(_)", "range(_)", "bool(_)"),
    "text": ("_.strip()", "_.lower()", "int(_)", "_.split()", "float(_)", "list(_)", "len(_)", "_.encode()", "repr(_)"),
    "bytes": ("_.decode()", "len(_)", "int(_)", "list(_)"),
    "list": ("tuple(_)", "sorted(_)", "set(_)", "len(_)", "list(_)", "sum(_)", "reversed(_)", "_[0]", "_[-1]"),
    "tuple": ("list(_)", "len(_)", "set(_)", "sorted(_)", "_[0]", "_[-1]"),
    "set": ("sorted(_)", "list(_)", "len(_)", "tuple(_)", "frozenset(_)"),
    "dict": ("list(_)", "dict(_)", "_.items()", "_.values()", "sorted(_)", "len(_)", "_.keys()", "set(_)"),
    "sized": ("list(_)", "len(_)", "sorted(_)", "reversed(_)", "tuple(_)", "set(_)", "iter(_)", "enumerate(_)", "_[0]"),
    "iterator": ("list(_)", "tuple(_)", "sorted(_)", "set(_)", "iter(_)", "next(_)", "sum(_)"),
    "bool": ("int(_)", "bool(_)"),
    "": ("list(_)", "str(_)", "int(_)", "len(_)", "tuple(_)", "sorted(_)", "set(_)", "bool(_)", "abs(_)", "iter(_)",
         "_.strip()", "_.lower()", "_.items()"),
}  # fmt: skip
_CONVERSIONS = frozenset(
    {"list", "tuple", "str", "int", "float", "set", "sorted", "reversed", "len", "bool", "abs", "round", "iter", "repr"}
)
_VALUES = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.BinOp, ast.IfExp, *COMPREHENSIONS)


def site_cost(source: Source, node: ast.AST) -> float:
    """How unusual it is that a value needs something done to it at a place; 0 where it makes no sense."""
    parent = source.parents.get(node)
    cost = 0.0
    match parent:
        case ast.Return() | ast.For() | ast.AsyncFor() | ast.Yield() | ast.YieldFrom():
            cost = 1.9
        case ast.Assign() | ast.AugAssign() | ast.AnnAssign() | ast.comprehension():
            cost = 2.1
        case ast.Call() if node is not parent.func:
            cost = 2.2
        case ast.keyword() | ast.Compare():
            cost = 2.4
        case ast.Subscript() if node is parent.slice:
            cost = 2.6
        case ast.BinOp() | ast.Tuple() | ast.List() | ast.Dict() | ast.IfExp() | ast.Slice():
            cost = 2.6
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp() | ast.Lambda():
            cost = 2.4
    return cost


def guess_at(source: Source, node: ast.expr, project: Project) -> str:
    """What an expression seems to give: by its form, and of a name by what was seen of it."""
    if isinstance(node, ast.Name):
        return guess_of(visible(source, node).get(node.id), node.id, project.values(source.path, node.lineno))
    if isinstance(node, ast.Attribute):
        values = project.values(source.path, node.lineno)
        return guess_of(None, ast.unparse(node), values)
    return guessed(node)


def wrapped(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """A call round a value: a conversion that fits it, a function that the function or the module has."""
    if not isinstance(node, _VALUES) or not editable(source, node):
        return
    cost = site_cost(source, node)
    if not cost:
        return
    guess = guess_at(source, node, project)
    parent = source.parents.get(node)
    around = parent.func.id if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) else ""
    tight, loose = piece(source, node, Level.ATOM), source.code(node)
    known = _ROUND.get(guess, _ROUND[""])
    own = _own_forms(source, node)
    forms = [form for pair in zip_longest(known, own) for form in pair if form]
    most = 20 if guess and cost < 2.5 else 14 if cost < 2.5 else 6
    for index, form in enumerate(dict.fromkeys(forms)):
        if index >= most:
            break
        if not form.startswith(f"{around}(") or not around:
            text = tight + form[1:] if form[0] == "_" else form.replace("(_)", f"({loose})")
            yield from replaced(source, node, text, "wrapped", cost + 0.1 * index)


def _own_forms(source: Source, node: ast.expr) -> list[str]:
    """Calls of one argument, or on one thing, that the function makes; functions of the file of one parameter."""
    forms: dict[str, None] = {}
    there = visible(source, node)
    for one in walk_own(source.scope(node)):
        match one:
            case ast.Call(func=ast.Name(id=name), args=[ast.expr()], keywords=[]):
                forms[f"{name}(_)"] = None
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="self" as owner), attr=name), args=[ast.expr()], keywords=[]
            ):
                forms[f"{owner}.{name}(_)"] = None
            case ast.Call(func=ast.Attribute(attr=name), args=[], keywords=[]):
                forms[f"_.{name}()"] = None
    for one in source.tree.body:
        if isinstance(one, FUNCTIONS) and one.name in there and len(one.args.args) == 1 and not one.args.kwonlyargs:
            forms[f"{one.name}(_)"] = None
    return [form for form in forms if form not in {"print(_)", "super(_)"}][:10]


def unwrapped(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """What is in a call, a display or behind a dot, without it: ``x`` of ``f(x)``, of ``x.strip()``, of ``[x]``."""
    if not isinstance(node, ast.expr) or not editable(source, node):
        return
    inner: list[tuple[ast.expr, float]] = []
    match node:
        case ast.Call(func=ast.Attribute(value=owner), args=arguments):
            inner = [(owner, 1.7 if not arguments else 2.1), *((one, 2.4) for one in arguments)]
        case ast.Call(func=ast.Name(id=name), args=[one]):
            inner = [(one, 1.5 if name in _CONVERSIONS else 1.7)]
        case ast.Call(args=arguments):
            inner = [(one, 2.4) for one in arguments]
        case ast.List(elts=[one]) | ast.Tuple(elts=[one]) | ast.Set(elts=[one]):
            inner = [(one, 1.8)]
        case ast.Subscript(value=owner, slice=index) if not isinstance(index, ast.Slice):
            inner = [(owner, 2.1), (index, 2.6)]
        case ast.Attribute(value=owner):
            inner = [(owner, 2.2)]
    if isinstance(source.parents.get(node), ast.Expr):
        # A statement that then does nothing mends nothing.
        return
    for one, cost in inner[:6]:
        if not isinstance(one, ast.Starred):
            yield from replaced(source, node, source.code(one), "unwrapped", cost)


def displays(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """``[x]``, ``(x,)`` and ``{x}`` for ``x``; ``list(x)`` for ``[x]`` and the other way round."""
    if not isinstance(node, ast.expr) or not editable(source, node):
        return
    match node:
        case ast.List(elts=[one]) | ast.Tuple(elts=[one]) | ast.Set(elts=[one]) if not isinstance(one, ast.Starred):
            for form in ("list({})", "tuple({})", "[{}]", "({},)", "{{{}}}", "set({})"):
                yield from replaced(source, node, form.format(source.code(one)), "display", 1.9)
        case ast.Call(func=ast.Name(id="list" | "tuple" | "set" as name), args=[one], keywords=[]) if not isinstance(
            one, ast.Starred | ast.GeneratorExp
        ):
            form = {"list": "[{}]", "tuple": "({},)", "set": "{{{}}}"}[name]
            yield from replaced(source, node, form.format(source.code(one)), "display", 1.8)
        case ast.List() | ast.Tuple() | ast.Set() if node.elts and source.code(node)[0] in "[({":
            items = source.code(node)[1:-1].rstrip().rstrip(",")
            for opening, closing in ("[]", "()", "{}"):
                yield from replaced(source, node, f"{opening}{items}{closing}", "display", 2.0)
        case ast.Name() | ast.Attribute() | ast.Call() | ast.Subscript() | ast.BinOp():
            cost = site_cost(source, node)
            if cost and guess_at(source, node, project) not in {"list", "dict", "set", "iterator"}:
                text = source.code(node)
                yield from replaced(source, node, f"[{text}]", "display", cost + 0.1)
                yield from replaced(source, node, f"({text},)", "display", cost + 0.3)


def bounded(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """``min(x, n)`` and ``max(x, n)`` for ``x``, with numbers that are in scope, and 0."""
    if not isinstance(node, _VALUES) or isinstance(node, COMPREHENSIONS) or not editable(source, node):
        return
    guess, cost = guess_at(source, node, project), site_cost(source, node)
    if not cost or guess not in {"number", ""}:
        return
    cost += 0.1 if guess else 0.5
    text = source.code(node)
    yield from replaced(source, node, f"max({text}, 0)", "bounded", cost)
    yield from replaced(source, node, f"max({text}, 1)", "bounded", cost + 0.4)
    inside = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    rank = 0
    for word in words(source, node, project):
        if word.guess not in {"number", ""} or word.text in inside or rank >= (5 if guess else 2):
            continue
        away = cost + (0.0 if word.guess else 0.3) - (0.4 if word.unused else 0.0) + 0.1 * rank
        rank += 1
        yield from replaced(source, node, f"min({text}, {word.text})", "bounded", away)
        yield from replaced(source, node, f"max({text}, {word.text})", "bounded", away + 0.05)


def defaulted(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """``x or y`` for ``x``; a default only where there is ``None``; a value only where its parts are there."""
    if not isinstance(node, ast.expr) or not editable(source, node):
        return
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) and len(node.values) == 2:
        thing = piece(source, node.values[0], Level.BIT_OR)
        other = piece(source, node.values[1], Level.TEST)
        yield from replaced(source, node, f"{thing} if {thing} is not None else {other}", "default", 1.6)
        return
    cost = site_cost(source, node)
    if not isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript) or not cost:
        return
    guess = guess_at(source, node, project)
    value = empty(guess)
    text = piece(source, node, Level.AND)
    for index, other in enumerate([value] if value else ["[]", '""', "0", "{}", "None"]):
        if not (guess and other == "None"):
            yield from replaced(source, node, f"{text} or {other}", "default", cost + 0.3 + 0.1 * index)
    for index, word in enumerate(words(source, node, project)[:6]):
        if word.text != text and (not guess or word.guess in {guess, ""}):
            yield from replaced(source, node, f"{text} or {word.text}", "default", cost + 0.5 + 0.1 * index)
    inside = [one.id for one in ast.walk(node) if isinstance(one, ast.Name) and one.id in visible(source, node)]
    if isinstance(source.parents.get(node), ast.Return | ast.Assign) and not isinstance(node, ast.Name):
        for name in list(dict.fromkeys(inside))[:3]:
            for other in dict.fromkeys((value or "None", "None")):
                guard = f"{text} if {name} else {other}"
                yield from replaced(source, node, guard, "default", cost + 0.7, says=f"{shown(text)} only if {name}")


WRAPS: tuple[Template, ...] = (wrapped, unwrapped, displays, bounded, defaulted)
