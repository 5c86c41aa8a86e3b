"""The nodes that a finding is about: checks name a line, and what is wrong with it in words."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from typing import TypeVar

from agent_core.repair.source import Def, Source
from agent_core.repair.templates.members import class_around
from agent_core.repair.templates.vocabulary import FUNCTIONS, bound, visible

_Node = TypeVar("_Node", bound=ast.AST)


def around_line(source: Source, line: int | None) -> ast.stmt | None:
    """The innermost statement that a line belongs to; of one with a block, its head only."""
    if line is None:
        return None
    best: ast.stmt | None = None
    for node in ast.walk(source.tree):
        # Inner statements come behind those they are in.
        if isinstance(node, ast.stmt) and first_line(node) <= line <= (node.end_lineno or 0):
            best = node
    return best


def function_at(source: Source, line: int | None) -> Def | None:
    """The function whose head is on a line: a tool may name that of a decorator, or of a parameter."""
    for node in source.by_line.get(line or 0, ()):
        if isinstance(node, FUNCTIONS):
            return node
    for node in ast.walk(source.tree):
        if isinstance(node, FUNCTIONS) and line is not None and first_line(node) <= line < node.body[0].lineno:
            return node
    return None


def first_line(node: ast.stmt) -> int:
    """The first line of a statement, its decorators included."""
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return min([node.lineno, *(one.lineno for one in node.decorator_list)])
    return node.lineno


def on_line(source: Source, line: int | None, kind: type[_Node]) -> Iterator[_Node]:
    """The nodes of a kind that begin on a line; those of the rest of its statement behind them."""
    if line is None:
        return
    for node in source.by_line.get(line, ()):
        if isinstance(node, kind):
            yield node
    statement = around_line(source, line)
    for node in ast.walk(statement) if statement is not None else ():
        if isinstance(node, kind) and getattr(node, "lineno", line) != line:
            yield node


def names_at(source: Source, node: ast.AST) -> list[str]:
    """The names that can be read at a node: of scopes around it, the inner ones first; then those of Python."""
    found = dict.fromkeys(visible(source, node))
    for one in source.above(node):
        if isinstance(one, (*FUNCTIONS, ast.Module)):
            # Also what comes to be later: a misspelt name is not always written behind the right one.
            found.update(dict.fromkeys(binding.name for binding in bound(one)))
            if isinstance(one, FUNCTIONS) and one.args.args and class_around(source, one) is not None:
                found.setdefault(one.args.args[0].arg, None)
    return [*found, *(one for one in dir(builtins) if not one.startswith("_"))]


def members(source: Source, owner: ast.ClassDef) -> list[str]:
    """The attributes and methods of a class, with those of its bases in the same file."""
    found: dict[str, None] = {}
    classes = {node.name: node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef)}
    waiting, seen = [owner], set()
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        found.update(dict.fromkeys(binding.name for binding in bound(one) if binding.kind != "import"))
        for node in ast.walk(one):
            if not (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)):
                continue
            if isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}:
                found.setdefault(node.attr, None)
        waiting += [classes[base.id] for base in one.bases if isinstance(base, ast.Name) and base.id in classes]
    return list(found)


def spelt(node: ast.Attribute, source: Source) -> tuple[int, int]:
    """Where the name of an attribute stands in the text."""
    end = source.span(node)[1]
    return end - len(node.attr), end


def spelt_in_text(node: ast.AST, name: str, source: Source) -> list[tuple[int, int]]:
    """Where a name stands in the f-string that a node is in; nothing where that is not plain.

    Before Python 3.12 the nodes of f-strings have no places of their own.
    """
    outer = [one for one in source.above(node) if isinstance(one, ast.JoinedStr)]
    if not outer:
        return []
    start, end = source.span(outer[-1])
    found = [match.span() for match in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", source.text[start:end])]
    nodes = [one for one in ast.walk(outer[-1]) if name in {getattr(one, "id", ""), getattr(one, "attr", "")}]
    # As often in its words as in its fields, it would stand in the words, too.
    return [(start + first, start + last) for first, last in found] if len(found) == len(nodes) else []
