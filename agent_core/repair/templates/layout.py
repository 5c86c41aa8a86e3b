"""Statements as lines of text: where they stand, put in, taken out, indented anew; line ends as the file has them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from agent_core.repair.model import Edit
from agent_core.repair.source import Source
from agent_core.repair.templates.vocabulary import FUNCTIONS, LOOPS

SIMPLE = (
    ast.Assign,
    ast.AugAssign,
    ast.AnnAssign,
    ast.Expr,
    ast.Return,
    ast.Raise,
    ast.Delete,
    ast.Assert,
    ast.Pass,
    ast.Break,
    ast.Continue,
)
_BODIES = ("body", "orelse", "finalbody")


class Block(NamedTuple):
    """The statements among which one stands.

    Attributes:
        statements: All of them.
        place: Which it is, from 0.
        owner: What they are the body of.
        field: Which of its bodies.
    """

    statements: list[ast.stmt]
    place: int
    owner: ast.AST
    field: str


def block(source: Source, statement: ast.stmt) -> Block | None:
    """The statements among which one stands."""
    owner = source.parents.get(statement)
    if owner is None:
        return None
    for field in _BODIES:
        statements = getattr(owner, field, None)
        if isinstance(statements, list) and statement in statements:
            return Block(statements, statements.index(statement), owner, field)
    return None


def is_elif(source: Source, node: ast.AST) -> bool:
    """Whether a node is an ``if`` that is written as ``elif``."""
    return isinstance(node, ast.If) and source.text.startswith("elif", source.span(node)[0])


def is_docstring(source: Source, statement: ast.stmt) -> bool:
    """Whether a statement is the docstring of something."""
    around = block(source, statement)
    return (
        around is not None
        and around.place == 0
        and isinstance(around.owner, (*FUNCTIONS, ast.ClassDef, ast.Module))
        and isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def first_statement(source: Source, function: ast.AST) -> ast.stmt | None:
    """The first statement of a function's body that is no docstring."""
    body: list[ast.stmt] = getattr(function, "body", [])
    return next((one for one in body if not is_docstring(source, one)), None)


def lines_of(source: Source, statement: ast.stmt) -> tuple[int, int] | None:
    """The whole lines of a statement, with its decorators and the last line end; None where it shares one."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(one.lineno for one in decorators)])
    start = source.offset(first, 0)
    own, end = source.span(statement)
    if decorators:
        own = start + len(source.indent(statement))
    if source.text[start:own].strip() or is_elif(source, statement):
        return None
    stop = end
    while stop < len(source.text) and source.text[stop] not in "\r\n":
        stop += 1
    rest = source.text[end:stop].strip()
    if rest and not rest.startswith("#"):
        return None
    stop += 2 if source.text.startswith("\r\n", stop) else 1
    return start, min(stop, len(source.text))


def unit(source: Source) -> str:
    """What one level of indentation is in a file."""
    for node in ast.walk(source.tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.stmt) and isinstance(body, list) and body and body[0].lineno > node.lineno:
            inner, outer = source.indent(body[0]), source.indent(node)
            if inner.startswith(outer) and len(inner) > len(outer):
                return inner[len(outer) :]
    return "    "


def code_at(source: Source, indent: str, code: str) -> str:
    """Lines of code at an indentation, each with its end; their own indentation is given in tabs."""
    step = unit(source)
    lines = []
    for line in code.split("\n"):
        depth = len(line) - len(line.lstrip("\t"))
        lines.append(f"{indent}{step * depth}{line[depth:]}{source.line_end}")
    return "".join(lines)


def before(source: Source, statement: ast.stmt, code: str) -> Edit | None:
    """The edit that puts lines before a statement; None where it does not stand on lines of its own."""
    place = lines_of(source, statement)
    if place is None:
        return None
    return source.insert(place[0], code_at(source, source.indent(statement), code))


def after(source: Source, statement: ast.stmt, code: str) -> Edit | None:
    """The edit that puts lines behind a statement; None where it does not stand on lines of its own."""
    if is_elif(source, statement):
        return None
    place = lines_of(source, statement)
    return None if place is None else insertion(source, place[1], source.indent(statement), code)


def insertion(source: Source, index: int, indent: str, code: str) -> Edit:
    """The edit that puts lines in where a line begins, or at a file's end."""
    text = code_at(source, indent, code)
    if index == len(source.text) and not source.text.endswith(("\n", "\r")):
        text = source.line_end + text.removesuffix(source.line_end)
    return source.insert(index, text)


def removal(source: Source, statement: ast.stmt) -> Edit | None:
    """The edit that takes a statement out, ``pass`` in its place where nothing else is left."""
    place, around = lines_of(source, statement), block(source, statement)
    if place is None or around is None:
        return None
    if len(around.statements) == 1:
        return source.replace(statement, "pass")
    return Edit(source.path, *place, "")


def text_of(source: Source, first: ast.stmt, last: ast.stmt, indent: str) -> str | None:
    """The lines from one statement to another, indented anew; None where they do not stand alone.

    Lines that lie within a string of several lines must not move: there is none such, or the indentation stays.
    """
    start, end = lines_of(source, first), lines_of(source, last)
    if start is None or end is None:
        return None
    text, old = source.text[start[0] : end[1]], source.indent(first)
    if not text.endswith(("\n", "\r")):
        text += source.line_end
    if old == indent:
        return text
    if any(_holds_lines(one) for one in _between(source, first, last)):
        return None
    lines = text.splitlines(keepends=True)
    return "".join(indent + line[len(old) :] if line.startswith(old) and line.strip() else line for line in lines)


def _between(source: Source, first: ast.stmt, last: ast.stmt) -> Iterator[ast.stmt]:
    around = block(source, first)
    if around is not None and last in around.statements:
        yield from around.statements[around.place : around.statements.index(last) + 1]
    else:
        yield first
        yield last


def _holds_lines(statement: ast.stmt) -> bool:
    return any(
        node.end_lineno is not None and node.end_lineno > node.lineno
        for node in ast.walk(statement)
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
    )


def loop_around(source: Source, node: ast.AST) -> ast.For | ast.AsyncFor | ast.While | None:
    """The loop in whose body a node stands, in the same function."""
    inner = node
    for one in source.above(node):
        if isinstance(one, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            return None
        if isinstance(one, LOOPS) and inner in one.body:
            return one
        inner = one
    return None


def ends_flow(statement: ast.stmt) -> bool:
    """Whether nothing behind a statement is reached."""
    return isinstance(statement, ast.Return | ast.Raise | ast.Break | ast.Continue)


def one_line(source: Source, node: ast.AST, most: int = 200) -> str | None:
    """A node's text if it is on one line and short."""
    text = source.code(node)
    return text if "\n" not in text and "\r" not in text and len(text) <= most else None


def shown(code: str, most: int = 60) -> str:
    """Code as it is told: on one line, shortened."""
    line = " ".join(code.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def walk_own(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function or module, those of functions and classes within it left out."""
    stack: list[ast.AST] = list(reversed(getattr(scope, "body", [])))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            stack.extend(reversed(list(ast.iter_child_nodes(node))))
