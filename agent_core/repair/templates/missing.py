"""A statement that is missing: one that the function has elsewhere, or one made of its own words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.donors import names_in, unreadable
from agent_core.repair.templates.failures import errors_at
from agent_core.repair.templates.guesses import compatible
from agent_core.repair.templates.layout import (
    SIMPLE,
    after,
    before,
    block,
    ends_flow,
    first_statement,
    is_docstring,
    is_elif,
    lines_of,
    loop_around,
    one_line,
    shown,
    unit,
    walk_own,
)
from agent_core.repair.templates.members import class_around, members, method_around
from agent_core.repair.templates.vocabulary import FUNCTIONS, Binding, likeness, local_names
from agent_core.repair.templates.words import composed, never_changed

_MOST = 28


def _places(source: Source, node: ast.AST) -> list[tuple[str, ast.stmt]]:
    """Where a statement may be missing beside one; what is put in front of a block goes into it elsewhere."""
    if not isinstance(node, ast.stmt) or isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom)):
        return []
    if source.function(node) is None or is_docstring(source, node) or lines_of(source, node) is None:
        return []
    return [("before", node)] if ends_flow(node) else [("after", node), ("before", node)]


def _put(source: Source, where: str, node: ast.stmt, code: str) -> Edit | None:
    return (before if where == "before" else after)(source, node, code)


def _is_beside(source: Source, node: ast.stmt, code: str) -> bool:
    """Whether the statement is there already, next to the place."""
    around = block(source, node)
    near = around.statements[max(around.place - 1, 0) : around.place + 2] if around is not None else []
    return any(source.code(one) == code for one in near)


def copied(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """A statement that the function has elsewhere, as it is or with one name exchanged; then those of its class."""
    places = _places(source, node)
    if not places or not isinstance(node, ast.stmt):
        return
    hidden = unreadable(source, node)
    pool = [one for one in _pool(source, node) if not names_in(one) & hidden or _binds_it(one, hidden)]
    for rank, one in enumerate(pool):
        code = source.code(one)
        if _is_beside(source, node, code):
            continue
        for where, place in places:
            if (edit := _put(source, where, place, code)) is not None:
                cost = 2.2 + 0.06 * rank + (0.1 if where == "before" else 0.0)
                yield source.variant("statement copied", cost, f"{shown(code)} added", edit)
    there = local_names(source, node)
    count = 0
    for rank, one in enumerate(pool[:6]):
        for code in _exchanged(source, one, there):
            for where, place in places:
                edit = _put(source, where, place, code)
                if edit is None or count >= _MOST or _is_beside(source, node, code):
                    continue
                count += 1
                cost = 3.0 + 0.1 * rank + 0.03 * count
                yield source.variant("statement copied", cost, f"{shown(code)} added", edit)


def _binds_it(statement: ast.stmt, hidden: set[str]) -> bool:
    """Whether what cannot be read yet is what an assignment makes."""
    return isinstance(statement, ast.Assign) and not names_in(statement.value) & hidden


def _pool(source: Source, node: ast.stmt) -> list[ast.stmt]:
    """The simple statements that may be copied: of the function, the nearest first; then of the class or file."""
    function = source.function(node)
    seen: dict[str, ast.stmt] = {}

    def add(scope: ast.AST, most: int, *, own: bool) -> None:
        found = [
            one
            for one in walk_own(scope)
            if isinstance(one, SIMPLE) and not isinstance(one, ast.Pass | ast.Return | ast.Break | ast.Continue)
            if one is not node and not is_docstring(source, one) and one_line(source, one, 90) is not None
            if own or not any(isinstance(part, ast.Await | ast.Yield | ast.YieldFrom) for part in ast.walk(one))
        ]
        for one in sorted(found, key=lambda each: abs(each.lineno - node.lineno))[:most]:
            seen.setdefault(source.code(one), one)

    if function is not None:
        add(function, 12, own=True)
    class_ = class_around(source, node)
    siblings = class_.body if class_ is not None else source.tree.body
    for other in siblings:
        if isinstance(other, FUNCTIONS) and other is not function and len(seen) < 16:
            add(other, 4, own=False)
    return list(seen.values())[:16]


def _exchanged(source: Source, statement: ast.stmt, there: dict[str, Binding]) -> Iterator[str]:
    """A statement with one of its names exchanged for another that the function has."""
    start = source.span(statement)[0]
    code = source.code(statement)
    if not code.isascii():
        return
    for name in dict.fromkeys(one.id for one in ast.walk(statement) if isinstance(one, ast.Name)):
        if name not in there:
            continue
        spots = [
            source.span(one)[0] - start
            for one in ast.walk(statement)
            if isinstance(one, ast.Name) and one.id == name and not source.in_text(one)
        ]
        guess = there[name].guess
        fitting = (one for one in there if one != name and compatible(guess, there[one].guess))
        others = sorted(fitting, key=lambda one: (there[one].guess != guess, -likeness(one, name)))[:4]
        for other in others:
            for spot in spots[:3]:
                if code.startswith(name, spot):
                    yield code[:spot] + other + code[spot + len(name) :]


def made_up(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """A statement made of the function's own words: ``count += 1``, ``seen.add(node)``, ``last = node``."""
    places = _places(source, node)
    if not places or not isinstance(node, ast.stmt):
        return
    loop = loop_around(source, node)
    for rank, (code, more) in enumerate(composed(source, node, project)[:30]):
        if _is_beside(source, node, code):
            continue
        for where, place in places:
            if (edit := _put(source, where, place, code)) is not None:
                cost = (2.0 if loop is not None else 2.5) + more + 0.03 * rank + (0.1 if where == "before" else 0.0)
                yield source.variant("statement added", cost, f"{shown(code)} added", edit)


def kept_missing(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """``self.x = x`` for a parameter that a method does not keep; the class above not set up."""
    method = method_around(source, node)
    has = members(source, node)
    if method is None or has is None or not has.receiver or not isinstance(node, ast.stmt):
        return
    if block(source, node) is None or source.parents.get(node) is not method:
        return
    first = first_statement(source, method)
    assigned = {
        one.attr
        for one in ast.walk(method)
        if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store) and isinstance(one.value, ast.Name)
    }
    setting_up = method.name == "__init__"
    arguments = [one.arg for one in [*method.args.args, *method.args.kwonlyargs] if one.arg != has.receiver]
    for name in arguments[:8]:
        for attribute in dict.fromkeys((name, f"_{name}")):
            wanted = attribute in has.read or attribute in has.attributes
            if attribute in assigned or not (wanted or (setting_up and attribute == name)):
                continue
            if not is_docstring(source, node) and (edit := after(source, node, f"{has.receiver}.{attribute} = {name}")):
                cost = (1.2 if wanted else 2.0) if setting_up else 2.6
                yield source.variant("attribute kept", cost, f"{has.receiver}.{attribute} = {name} added", edit)
    class_ = class_around(source, node)
    calls_super = any(isinstance(one, ast.Name) and one.id == "super" for one in ast.walk(method))
    if first is node and class_ is not None and class_.bases and not calls_super:
        given = ", ".join(arguments)
        for rank, handed in enumerate(dict.fromkeys(("" if setting_up else given, given, *arguments[:2]))):
            code = f"super().{method.name}({handed})"
            for where in ("before", "after"):
                if (edit := _put(source, where, first, code)) is not None:
                    cost = (1.5 if setting_up else 2.4) + rank * 0.3 + (0.4 if where == "after" else 0.0)
                    yield source.variant("super added", cost, f"{code} added", edit)


def key_missing(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """A key put in before its value is used: ``d.setdefault(key, [])``."""
    if not isinstance(node, ast.Assign | ast.AugAssign | ast.Expr) or is_docstring(source, node):
        return
    base = 1.2 if "KeyError" in errors_at(source, project, node) else 3.0
    for one in ast.walk(node):
        if not isinstance(one, ast.Subscript) or isinstance(one.slice, ast.Slice | ast.Tuple | ast.Constant):
            continue
        value, key = one_line(source, one.value, 40), one_line(source, one.slice, 40)
        if value is None or key is None or source.in_text(one):
            continue
        plain = isinstance(one.ctx, ast.Store) and not isinstance(node, ast.AugAssign)
        if plain:
            continue
        empties = ("0", "[]", "1", '""') if isinstance(node, ast.AugAssign) else ("[]", "{}", "set()", "0")
        for rank, text in enumerate(empties):
            code = f"{value}.setdefault({key}, {text})"
            if (edit := before(source, node, code)) is not None:
                yield source.variant("key added", base + rank * 0.15, f"{code} added", edit)


def not_bound_yet(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """A variable set before it is used, where it was not: before the loop or condition that sets it."""
    if not isinstance(node, ast.stmt) or source.function(node) is None:
        return
    if not {"UnboundLocalError", "NameError"} & set(errors_at(source, project, node)):
        return
    messages = " ".join(run.message for run in project.failing)
    names = dict.fromkeys(re.findall(r"(?:variable|name) '(\w+)'", messages))
    outer = node
    for one in source.above(node):
        if isinstance(one, FUNCTIONS):
            break
        if isinstance(one, ast.stmt):
            outer = one
    for name in names:
        if name not in names_in(node):
            continue
        for rank, text in enumerate(("None", "0", "[]", '""', "{}", "False", "set()")):
            for place in dict.fromkeys((outer, node)):
                if (edit := before(source, place, f"{name} = {text}")) is not None:
                    yield source.variant("set before", 1.4 + rank * 0.1, f"{name} = {text} added", edit)


def else_missing(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """An ``else`` that does what the condition's own branch does, with one name exchanged."""
    if not isinstance(node, ast.If) or node.orelse or len(node.body) != 1 or is_elif(source, node):
        return
    only, place = node.body[0], lines_of(source, node)
    if place is None or lines_of(source, only) is None or one_line(source, only) is None:
        return
    indent = source.indent(node)
    there = local_names(source, node)
    codes = list(dict.fromkeys(_exchanged(source, only, there)))
    if isinstance(only, ast.Return) and isinstance(only.value, ast.Constant) and isinstance(only.value.value, bool):
        codes.insert(0, f"return {not only.value.value}")
    lone = "" if source.text[: place[1]].endswith(("\n", "\r")) else source.line_end
    still = never_changed(source.scope(node))
    for rank, code in enumerate(codes[:12]):
        about = names_in(ast.parse(code)) - names_in(only)
        cost = (1.9 if about & still else 2.6) + rank * 0.1
        text = f"{lone}{indent}else:{source.line_end}{indent}{unit(source)}{code}{source.line_end}"
        yield source.variant("else added", cost, f"else: {shown(code)} added", source.insert(place[1], text))


MISSING: tuple[Template, ...] = (copied, made_up, kept_missing, key_missing, not_bound_yet, else_missing)
