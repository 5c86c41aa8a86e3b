"""What a class has: its attributes and methods, those of its bases in the same file included."""

from __future__ import annotations

import ast
import weakref
from collections.abc import Iterator
from typing import NamedTuple

from agent_core.repair.source import Source
from agent_core.repair.templates.guesses import annotated, guessed
from agent_core.repair.templates.vocabulary import FUNCTIONS


class Members(NamedTuple):
    """What a class has, as seen from one of its methods.

    Attributes:
        name: Its name.
        receiver: What the method calls its object: ``self``; ``cls`` of a class method; empty of a static one.
        attributes: Those of its objects that are assigned, with what they seem to hold.
        of_class: Those assigned in its body.
        methods: Its methods.
        read: The attributes of its objects that are read anywhere in it.
        bases: The names of its bases.
        properties: Those of its methods that are read like attributes.
    """

    name: str
    receiver: str
    attributes: dict[str, str]
    of_class: dict[str, str]
    methods: dict[str, ast.FunctionDef | ast.AsyncFunctionDef]
    read: frozenset[str]
    bases: tuple[str, ...]
    properties: frozenset[str]


_kept: weakref.WeakKeyDictionary[Source, dict[ast.ClassDef, Members]] = weakref.WeakKeyDictionary()


def class_around(source: Source, node: ast.AST) -> ast.ClassDef | None:
    """The class in one of whose methods a node stands, or in its body."""
    return next((one for one in source.above(node) if isinstance(one, ast.ClassDef)), None)


def method_around(source: Source, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The method in which a node stands, not a function within it."""
    found = None
    for one in source.above(node):
        if isinstance(one, FUNCTIONS):
            found = one
        elif isinstance(one, ast.ClassDef):
            return found
    return None


def members(source: Source, node: ast.AST) -> Members | None:
    """What the class has in which a node stands; None where there is none."""
    class_ = class_around(source, node)
    if class_ is None:
        return None
    method = method_around(source, node)
    return of_class(source, class_)._replace(receiver=receiver(method) if method is not None else "")


def of_class(source: Source, class_: ast.ClassDef) -> Members:
    """What a class has; its receiver is left empty. Collected once."""
    kept = _kept.setdefault(source, {})
    if class_ not in kept:
        kept[class_] = _collect(source, class_)
    return kept[class_]


def receiver(method: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """What a method calls its object; empty for a static one."""
    arguments = [*method.args.posonlyargs, *method.args.args]
    if not arguments or is_decorated(method, "staticmethod"):
        return ""
    return arguments[0].arg


def is_decorated(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    """Whether a function has a decorator of a name."""
    return any(isinstance(one, ast.Name) and one.id == name for one in function.decorator_list)


def _family(source: Source, class_: ast.ClassDef) -> Iterator[ast.ClassDef]:
    """A class, then its bases that are in the same file."""
    known = {one.name: one for one in ast.walk(source.tree) if isinstance(one, ast.ClassDef)}
    waiting, seen = [class_], set[ast.ClassDef]()
    while waiting:
        one = waiting.pop(0)
        if one in seen:
            continue
        seen.add(one)
        yield one
        waiting += [known[base.id] for base in one.bases if isinstance(base, ast.Name) and base.id in known]


def _collect(source: Source, class_: ast.ClassDef) -> Members:
    attributes: dict[str, str] = {}
    in_body: dict[str, str] = {}
    methods: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
    read: set[str] = set()
    for one in _family(source, class_):
        for statement in one.body:
            if isinstance(statement, FUNCTIONS):
                methods.setdefault(statement.name, statement)
                _of_method(statement, attributes, read)
            elif isinstance(statement, ast.Assign):
                for target in statement.targets:
                    if isinstance(target, ast.Name):
                        in_body.setdefault(target.id, guessed(statement.value))
            elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                in_body.setdefault(statement.target.id, annotated(statement.annotation))
    properties = frozenset(
        name for name, method in methods.items() if any(_is_property(one) for one in method.decorator_list)
    )
    attributes = {**{name: guess for name, guess in in_body.items() if not name.startswith("__")}, **attributes}
    attributes |= dict.fromkeys(sorted(properties - attributes.keys()), "")
    bases = tuple(base.id for base in class_.bases if isinstance(base, ast.Name))
    return Members(class_.name, "", attributes, in_body, methods, frozenset(read), bases, properties)


def _is_property(decorator: ast.expr) -> bool:
    name = decorator.id if isinstance(decorator, ast.Name) else getattr(decorator, "attr", "")
    return name in {"property", "cached_property", "setter", "getter"}


def _of_method(method: ast.FunctionDef | ast.AsyncFunctionDef, attributes: dict[str, str], read: set[str]) -> None:
    me = receiver(method)
    for node in ast.walk(method):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == me:
            if isinstance(node.ctx, ast.Store):
                attributes.setdefault(node.attr, "")
            else:
                read.add(node.attr)
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == me:
                    attributes[target.attr] = attributes.get(target.attr) or guessed(node.value)
