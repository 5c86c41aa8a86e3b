"""A file as text, tree and positions."""

from __future__ import annotations

import ast
import bisect
import re
from collections.abc import Iterator
from functools import cached_property

from agent_core.repair.model import Edit, Variant

Def = ast.FunctionDef | ast.AsyncFunctionDef
Function = Def | ast.Lambda
Scope = Function | ast.ClassDef | ast.Module
_LINE_END = re.compile(r"\r\n?|\n")


class Source:
    """A Python file that can be parsed.

    Args:
        path: Relative to the project.
        text: Its text, line ends as they are in the file.

    Raises:
        SyntaxError: It is no Python that can be parsed here.
        ValueError: Likewise: it holds a null byte.
        RecursionError: It is nested too deeply.
    """

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.tree = ast.parse(text)

    @cached_property
    def _starts(self) -> list[int]:
        """The index at which each line begins, as `ast` counts lines: not at form feeds and the like."""
        return [0, *(found.end() for found in _LINE_END.finditer(self.text))]

    @cached_property
    def _ascii(self) -> bool:
        return self.text.isascii()

    def offset(self, line: int, column: int) -> int:
        """The index of a place that `ast` names: a line from 1 and a column in bytes of UTF-8 from 0."""
        start = self._starts[line - 1]
        if self._ascii:
            return start + column
        end = self._starts[line] if line < len(self._starts) else len(self.text)
        return start + len(self.text[start:end].encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore"))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where a node stands in the text: its first index, and the one behind it."""
        line, column = node.lineno, node.col_offset  # type: ignore[attr-defined]  # asked of nodes with a place only
        end_line, end_column = node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]  # likewise
        return self.offset(line, column), self.offset(end_line, end_column)

    def code(self, node: ast.AST) -> str:
        """A node's own text."""
        start, end = self.span(node)
        return self.text[start:end]

    def line_at(self, index: int) -> int:
        """The number of the line at an index."""
        return bisect.bisect_right(self._starts, index)

    def indent(self, node: ast.AST) -> str:
        """The white space before the line on which a node begins."""
        start = self._starts[node.lineno - 1]  # type: ignore[attr-defined]  # asked of nodes with a place only
        end = start
        while end < len(self.text) and self.text[end] in " \t\f":
            end += 1
        return self.text[start:end]

    @cached_property
    def line_end(self) -> str:
        """How its lines end."""
        return "\r\n" if "\r\n" in self.text else "\n"

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """Every node's parent."""
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around one, the nearest first."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def function(self, node: ast.AST) -> Def | None:
        """The function in which a node stands (a lambda is none); a function itself is not in itself."""
        for one in self.above(node):
            if isinstance(one, Def):
                return one
        return None

    def scope(self, node: ast.AST) -> Def | ast.Module:
        """The function in which a node stands, else the module."""
        return self.function(node) or self.tree

    def statement(self, node: ast.AST) -> ast.stmt | None:
        """The innermost statement that a node is, or is part of."""
        if isinstance(node, ast.stmt):
            return node
        return next((one for one in self.above(node) if isinstance(one, ast.stmt)), None)

    @cached_property
    def defined(self) -> dict[str, tuple[ast.AST, ...]]:
        """The functions and methods of each name, and the methods of each class by its name."""
        named: dict[str, list[ast.AST]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, Def):
                around = self.parents.get(node)
                for name in {node.name, around.name if isinstance(around, ast.ClassDef) else node.name}:
                    named.setdefault(name, []).append(node)
        return {name: tuple(nodes) for name, nodes in named.items()}

    @cached_property
    def by_line(self) -> dict[int, tuple[ast.AST, ...]]:
        """The nodes that begin on each line, outer ones first; those without a place are on none."""
        lines: dict[int, list[ast.AST]] = {}
        for node in ast.walk(self.tree):
            if hasattr(node, "lineno"):
                lines.setdefault(node.lineno, []).append(node)
        return {line: tuple(nodes) for line, nodes in lines.items()}

    def is_called(self, node: ast.AST) -> bool:
        """Whether a node is what a call calls: ``f`` of ``f(x)``, ``a.b`` of ``a.b()``."""
        parent = self.parents.get(node)
        return isinstance(parent, ast.Call) and parent.func is node

    def in_text(self, node: ast.AST) -> bool:
        """Whether a node stands within an f-string, where before Python 3.12 positions are not what they seem."""
        return any(isinstance(one, ast.JoinedStr) for one in self.above(node))

    # -- edits

    def replace(self, node: ast.AST, text: str) -> Edit:
        """The edit that puts text in the place of a node."""
        return Edit(self.path, *self.span(node), text)

    def insert(self, index: int, text: str) -> Edit:
        """The edit that puts text in at an index."""
        return Edit(self.path, index, index, text)

    def variant(self, template: str, cost: float, says: str, *edits: Edit) -> Variant:
        """A variant of this file; its line is that of its first edit."""
        ordered = tuple(sorted(edits))
        return Variant(ordered, template, cost, says, self.line_at(ordered[0].start))


def called_name(call: ast.Call) -> str:
    """The name of what is called, without what it is taken of; empty for what has none."""
    if isinstance(call.func, ast.Name):
        return call.func.id
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def read_source(path: str, data: bytes) -> Source | None:
    """A file as a source; None where it is no Python that can be parsed here."""
    try:
        return Source(path, data.decode("utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
