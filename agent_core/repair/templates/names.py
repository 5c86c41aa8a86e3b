"""A name for another: one in scope, the one that was misspelt, an attribute of ``self``, a part of what it holds."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from agent_core.repair.model import Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.layout import before, first_statement
from agent_core.repair.templates.members import members
from agent_core.repair.templates.vocabulary import (
    FUNCTIONS,
    closest,
    likeness,
    local_names,
    others,
    visible,
    vocabulary,
)

_BUILTINS = frozenset(dir(builtins))


def _plain(source: Source, node: ast.AST) -> bool:
    """Whether a node is a name that stands in the text where it says it does: within f-strings some do not."""
    return isinstance(node, ast.Name) and source.code(node) == node.id


def other_name(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """Another name that can be read there, the likeliest first."""
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load) or not _plain(source, node):
        return
    if node.id in {"self", "cls"}:
        return
    called = source.is_called(node)
    for index, name in enumerate(others(source, node, project, node.id, called=called)):
        cost = (2.4 if called else 1.6) + 0.12 * index
        yield source.variant("other name", cost, f"{name} for {node.id}", source.replace(node, name))


def misspelt_name(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """For a name that nobody has bound the closest that there is."""
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load) or not _plain(source, node):
        return
    there = visible(source, node)
    if node.id in there or node.id in _BUILTINS:
        return
    bound_later = set(vocabulary(source, node).bindings)
    names = closest(node.id, (set(there) | _BUILTINS) - bound_later.difference(there), least=0.5, most=6)
    class_ = members(source, node)
    known = [*class_.attributes, *class_.methods] if class_ is not None else []
    base = 1.5 if node.id in known else 1.0
    for index, name in enumerate(names):
        cost = base + 0.2 * index
        yield source.variant("misspelt name", cost, f"{name} for {node.id}", source.replace(node, name))
    if class_ is not None and class_.receiver:
        alike = [node.id] if node.id in known else closest(node.id, known, least=0.7, most=2)
        for name in alike:
            text = f"{class_.receiver}.{name}"
            yield source.variant("misspelt name", 1.0, f"{text} for {node.id}", source.replace(node, text))


def other_target(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """Another variable that is assigned to."""
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Store) or not _plain(source, node):
        return
    parent = source.parents.get(node)
    if isinstance(parent, ast.NamedExpr | ast.comprehension):
        return
    for index, name in enumerate(others(source, node, project, node.id, most=8)):
        cost = 2.2 + 0.2 * index
        yield source.variant("other target", cost, f"{name} for {node.id}", source.replace(node, name))


def target_of_all(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """``x`` assigned where it is an attribute that is read: ``self.x = ...``, and the other way round."""
    class_ = members(source, node)
    if class_ is None or not class_.receiver:
        return
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and _plain(source, node):
        if isinstance(source.parents.get(node), ast.NamedExpr | ast.comprehension):
            return
        if node.id in class_.attributes or node.id in class_.read:
            text = f"{class_.receiver}.{node.id}"
            yield source.variant("self added", 1.4, f"{text} for {node.id}", source.replace(node, text))


def self_added(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """An attribute of ``self`` for a variable, first of the same name; a method called as one."""
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load) or not _plain(source, node):
        return
    class_ = members(source, node)
    if class_ is None or not class_.receiver or node.id == class_.receiver:
        return
    if source.is_called(node):
        names = [node.id] if node.id in class_.methods else closest(node.id, class_.methods, least=0.6, most=2)
    else:
        names = sorted(class_.attributes, key=lambda name: -likeness(name, node.id))[:8]
    for index, name in enumerate(names):
        cost = 1.3 if name == node.id else 2.4 + 0.2 * index
        text = f"{class_.receiver}.{name}"
        yield source.variant("self added", cost, f"{text} for {node.id}", source.replace(node, text))


def class_added(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """A class's own attribute read as such, through ``cls`` or the class's name."""
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load) or not _plain(source, node):
        return
    class_ = members(source, node)
    if class_ is not None and node.id in class_.of_class and node.id not in visible(source, node):
        text = f"{class_.name}.{node.id}"
        yield source.variant("class added", 1.5, f"{text} for {node.id}", source.replace(node, text))


def part_of_name(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """An attribute or item of what a name holds, as the function takes them of it elsewhere: ``node.next``."""
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load) or not _plain(source, node):
        return
    parent = source.parents.get(node)
    if isinstance(parent, ast.Attribute | ast.Call) and getattr(parent, "func", node) is node:
        return
    there = local_names(source, node)
    if node.id not in there:
        return
    for index, part in enumerate(_parts(source, node)):
        text = f"{node.id}{part}"
        yield source.variant("part", 2.0 + 0.15 * index, f"{text} for {node.id}", source.replace(node, text))


def _parts(source: Source, node: ast.Name) -> list[str]:
    """What is taken of names in a function: of the same name first, then of others."""
    own: dict[str, None] = {}
    of_others: dict[str, None] = {}
    for one in ast.walk(source.scope(node)):
        if not isinstance(one, ast.Attribute | ast.Subscript) or not isinstance(one.value, ast.Name):
            continue
        parent, called = source.parents.get(one), source.is_called(one)
        if one.value.id in {"self", "cls"} or not isinstance(one.ctx, ast.Load):
            continue
        if isinstance(one, ast.Attribute):
            part = f".{one.attr}()" if called and not parent_has_arguments(parent) else f".{one.attr}"
            if called and parent_has_arguments(parent):
                continue
        else:
            inner = source.code(one.slice)
            if len(inner) > 20 or "\n" in inner or source.in_text(one):
                continue
            part = f"[{inner}]"
        (own if one.value.id == node.id else of_others)[part] = None
    return [*own, *(part for part in of_others if part not in own)][:10]


def parent_has_arguments(call: ast.AST | None) -> bool:
    """Whether a call hands anything over."""
    return isinstance(call, ast.Call) and bool(call.args or call.keywords)


def global_missing(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """``global`` or ``nonlocal`` for a name that a function assigns and that was bound outside."""
    function = source.function(node)
    if function is None or not isinstance(node, ast.Name):
        return
    declared = {name for one in ast.walk(function) if isinstance(one, ast.Global | ast.Nonlocal) for name in one.names}
    binding = vocabulary(source, node).bindings.get(node.id)
    if binding is None or binding.kind != "local" or node.id in declared:
        return
    outer = next((one for one in source.above(function) if isinstance(one, FUNCTIONS)), None)
    first = first_statement(source, function)
    if first is None:
        return
    for word, scope in (("nonlocal", outer), ("global", source.tree)):
        if scope is not None and node.id in vocabulary_of(source, scope):
            edit = before(source, first, f"{word} {node.id}")
            if edit is not None:
                yield source.variant(word, 1.3, f"{word} {node.id} added", edit)


def vocabulary_of(source: Source, scope: ast.AST) -> frozenset[str]:
    """The names that a function or module binds."""
    body: list[ast.stmt] = getattr(scope, "body", [])
    return frozenset(vocabulary(source, body[0]).bindings) if body else frozenset()


NAMES: tuple[Template, ...] = (
    other_name,
    misspelt_name,
    other_target,
    target_of_all,
    self_added,
    class_added,
    part_of_name,
    global_missing,
)
