"""Which lines a statement stands on, and what stands on them."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from agent_core.repair.source import Source


def nodes_at(source: Source, line: int) -> list[ast.AST]:
    """The nodes that begin on a line, and on the lines that its statement goes on over; outer ones first.

    Of a compound statement these are the lines up to its body.
    """
    here = source.by_line.get(line, ())
    last = max((header_end(node) for node in here if is_statement(node)), default=line)
    below = [node for number in range(line + 1, last + 1) for node in source.by_line.get(number, ())]
    if not here:
        return below
    # A statement that begins further up is looked at as a whole too.
    first = here[0]
    around = source.statement(first)
    outer = [around] if around is not None and around not in here and header_end(around) >= line else []
    return [*outer, *here, *below]


def is_statement(node: ast.AST) -> bool:
    """Whether it is a statement, or what stands like one: a handler."""
    return isinstance(node, ast.stmt | ast.ExceptHandler)


def header_end(node: ast.AST) -> int:
    """The last line of a statement; of one with a body the last line before that."""
    body = getattr(node, "body", None)
    line: int = node.lineno  # type: ignore[attr-defined]  # asked of nodes with a place only
    if isinstance(body, list) and body:
        first = body[0]
        # What is above a decorated function or class belongs to it.
        starts: list[int] = [first.lineno, *(one.lineno for one in getattr(first, "decorator_list", ()))]
        return max(line, min(starts) - 1)
    if isinstance(node, ast.Match):
        return node.subject.end_lineno or line
    end: int | None = node.end_lineno  # type: ignore[attr-defined]  # likewise
    return end or line


def statement_lines(source: Source) -> Mapping[int, int]:
    """The first line of the statement that each line is part of; of compound ones of the lines before their body."""
    lines: dict[int, int] = {}
    for line in sorted(source.by_line):
        for node in source.by_line[line]:
            if is_statement(node):
                for number in range(line, header_end(node) + 1):
                    lines[number] = line
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    for decorator in node.decorator_list:
                        lines[decorator.lineno] = decorator.lineno
                break
    return lines
