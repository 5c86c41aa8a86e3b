"""An attribute for another: of the same object, of the class, the one that was misspelt; one added or taken away."""

from __future__ import annotations

import ast
import sys
import weakref
from collections.abc import Iterator
from typing import NamedTuple

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.members import Members, members, of_class
from agent_core.repair.templates.vocabulary import closest, dotted, likeness, visible


def _in_place(source: Source, node: ast.Attribute) -> bool:
    """Whether an attribute stands in the text where it says it does: within f-strings some do not."""
    try:
        code = source.code(node)
    except IndexError:
        return False
    exact = sys.version_info >= (3, 12) or not source.in_text(node)
    return code.endswith(node.attr) if exact else "".join(code.split()) == dotted(node)


def _renamed(source: Source, node: ast.Attribute, name: str) -> Edit:
    end = source.span(node)[1]
    return Edit(source.path, end - len(node.attr), end, name)


def _of_receiver(source: Source, node: ast.AST) -> Members | None:
    """What the class has if a node is its method's ``self``."""
    class_ = members(source, node)
    return class_ if class_ is not None and isinstance(node, ast.Name) and node.id == class_.receiver else None


class _Taken(NamedTuple):
    """An attribute taken of an object: its name, whether it is called, and where."""

    name: str
    called: bool
    scope: ast.AST


_kept: weakref.WeakKeyDictionary[Source, dict[str, list[_Taken]]] = weakref.WeakKeyDictionary()


def _taken(source: Source) -> dict[str, list[_Taken]]:
    """What is taken of each object in a file, by how the object is written."""
    found = _kept.get(source)
    if found is None:
        found = _kept[source] = {}
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Attribute) and (value := dotted(node.value)):
                one = _Taken(node.attr, source.is_called(node), source.scope(node))
                found.setdefault(value, []).append(one)
    return found


def _seen_on(source: Source, node: ast.Attribute, *, called: bool) -> list[str]:
    """The attributes that a function takes of the same object, then those the file takes of one so named."""
    scope = source.scope(node)
    taken = [one for one in _taken(source).get(dotted(node.value), ()) if one.called == called]
    near = dict.fromkeys(one.name for one in taken if one.scope is scope)
    far = dict.fromkeys(one.name for one in taken if one.scope is not scope)
    return [name for name in {**near, **far} if name != node.attr]


def other_attribute(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """Another attribute or method of the same object, such as are taken of it elsewhere."""
    if not isinstance(node, ast.Attribute) or not _in_place(source, node):
        return
    called = source.is_called(node)
    class_ = _of_receiver(source, node.value)
    if class_ is not None:
        known = list(class_.methods.keys() - class_.properties if called else class_.attributes)
    else:
        known = _seen_on(source, node, called=called)
        known += [name for name in _of_classes(source, node, called=called) if name not in known]
    ordered = sorted((name for name in known if name != node.attr), key=lambda name: -likeness(name, node.attr))
    if not isinstance(node.ctx, ast.Load):
        ordered = ordered[:6]
    for index, name in enumerate(one for one in ordered[:12] if not one.startswith("__")):
        cost = (1.7 if class_ is not None else 1.9) + 0.12 * index
        yield source.variant("other attribute", cost, f"{name} for {node.attr}", _renamed(source, node, name))


def _of_classes(source: Source, node: ast.Attribute, *, called: bool) -> list[str]:
    """What classes of the file have that have the attribute, too."""
    found: dict[str, None] = {}
    for class_ in source.tree.body:
        if not isinstance(class_, ast.ClassDef):
            continue
        has = of_class(source, class_)
        if node.attr in has.attributes or node.attr in has.methods:
            found.update(dict.fromkeys(has.methods if called else has.attributes))
    return list(found)[:8]


def misspelt_attribute(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """For an attribute that the class has not, or that is used nowhere else, the closest that there is."""
    if not isinstance(node, ast.Attribute) or not _in_place(source, node):
        return
    class_ = _of_receiver(source, node.value)
    names: list[str] = []
    if class_ is not None and node.attr not in class_.methods and node.attr not in class_.attributes:
        names = closest(node.attr, [*class_.attributes, *class_.methods], least=0.5)
    if project.attributes.get(node.attr, 0) <= 1:
        common = (name for name, count in project.attributes.items() if count > 1 and not name.startswith("__"))
        names += [name for name in closest(node.attr, common, least=0.7, most=4) if name not in names]
    for index, name in enumerate(names):
        cost = 1.0 + 0.15 * index
        yield source.variant("misspelt attribute", cost, f"{name} for {node.attr}", _renamed(source, node, name))


def attribute_dropped(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """The object for its attribute; a method's own argument for what the object holds: ``x`` for ``self.x``."""
    if not isinstance(node, ast.Attribute) or not _in_place(source, node):
        return
    class_ = _of_receiver(source, node.value)
    if class_ is not None:
        there = visible(source, node)
        if node.attr in there:
            yield source.variant(
                "self dropped", 1.5, f"{node.attr} for {source.code(node)}", source.replace(node, node.attr)
            )
        return
    if isinstance(node.ctx, ast.Load) and not source.is_called(node):
        value = source.code(node.value)
        yield source.variant("attribute dropped", 2.6, f"{value} for {source.code(node)}", source.replace(node, value))


def attribute_called(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """A method called that is only named, or an attribute read that is called like a method."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _in_place(source, node.func):
        if not node.args and not node.keywords:
            has = members(source, node)
            cost = 1.3 if has is not None and node.func.attr in has.properties else 2.5
            function = source.code(node.func)
            yield source.variant("call dropped", cost, f"{function} not called", source.replace(node, function))
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and not source.is_called(node):
        methods = project.functions.get(node.attr, ())
        if methods and _in_place(source, node):
            yield source.variant(
                "call added", 1.6, f"{source.code(node)} called", source.replace(node, source.code(node) + "()")
            )


def other_object(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """The same attribute of an object that the object holds, or that holds it: ``node.next.value``."""
    if not isinstance(node, ast.Attribute) or not _in_place(source, node) or not isinstance(node.ctx, ast.Load):
        return
    if isinstance(node.value, ast.Attribute) and not source.is_called(node):
        shorter = f"{source.code(node.value.value)}.{node.attr}"
        yield source.variant(
            "object shortened", 2.6, f"{shorter} for {source.code(node)}", source.replace(node, shorter)
        )
    if source.is_called(node) or _of_receiver(source, node.value) is not None:
        return
    for index, name in enumerate(_seen_on(source, node, called=False)[:4]):
        longer = f"{source.code(node.value)}.{name}.{node.attr}"
        yield source.variant(
            "object lengthened", 3.0 + 0.2 * index, f"{longer} for {source.code(node)}", source.replace(node, longer)
        )
    twice = f"{source.code(node)}.{node.attr}"
    yield source.variant("object lengthened", 3.2, f"{twice} for {source.code(node)}", source.replace(node, twice))


ATTRIBUTES: tuple[Template, ...] = (
    other_attribute,
    misspelt_attribute,
    attribute_dropped,
    attribute_called,
    other_object,
)
