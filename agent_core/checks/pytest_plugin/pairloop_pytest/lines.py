"""Which line of a file a breakpoint can stop at.

Part of the plug-in `pairloop_pytest`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import ast
import dis
import types
from collections.abc import Iterator

_INNER = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<lambda>"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Place:
    """Where a breakpoint stands.

    Attributes:
        line: The line it stops at.
        end: The last line of the statement that begins there.
        moved: Why that is not the line that was asked for; empty when it is.
        function: Name of the function that the line is in, ``<module>`` outside of any.
        inner: Whether comprehensions and lambdas of the line are meant: nothing else is there.
    """

    def __init__(self, line: int, end: int, moved: str, function: str, *, inner: bool) -> None:
        self.line = line
        self.end = end
        self.moved = moved
        self.function = function
        self.inner = inner


def code_lines(code: types.CodeType) -> set[int]:
    """The lines of a code object, without those of what is nested in it."""
    return {line for _, line in dis.findlinestarts(code) if line}


def is_inner(code: types.CodeType) -> bool:
    """Whether a code object is that of a comprehension or a lambda."""
    return code.co_name in _INNER


def find_place(source: bytes, line: int) -> Place:
    """The place for a breakpoint at a line.

    Args:
        source: The file.
        line: The line that was asked for, from 1.

    Raises:
        SyntaxError: The file is no Python.
        ValueError: Nothing in the file is ever run; or it holds NULs.
    """
    tree = ast.parse(source)
    owners: dict[int, list[types.CodeType]] = {}
    for code in _codes(compile(source, "<file>", "exec", dont_inherit=True)):
        for number in code_lines(code):
            owners.setdefault(number, []).append(code)
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    if not statements or not owners:
        raise ValueError("there is no statement in it")
    chosen, moved = _chosen(tree, statements, owners, line)
    codes = owners[chosen]
    outer = [code for code in codes if not is_inner(code)]
    ends = [_head_end(node) for node in statements if node.lineno == chosen]
    name = (outer or codes)[-1].co_name
    return Place(chosen, max([*ends, chosen]), moved, name, inner=not outer)


def _chosen(
    tree: ast.Module, statements: list[ast.stmt], owners: dict[int, list[types.CodeType]], line: int
) -> tuple[int, str]:
    """The line to stop at, and why it is another one."""
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTIONS):
            start = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            if start <= line < node.body[0].lineno:
                body = [one for one in node.body if one.lineno in owners and not _is_docstring(one)]
                if body:
                    return body[0].lineno, "the first statement of " + node.name
    docstrings = {node.lineno for node in statements if _is_docstring(node)}
    if line in owners and line not in docstrings:
        return line, ""
    around = [node for node in statements if node.lineno < line <= _head_end(node) and not _is_docstring(node)]
    around = [node for node in around if node.lineno in owners]
    if around:
        return max(node.lineno for node in around), "the statement begins there"
    starts = {node.lineno for node in statements} & set(owners)
    real = sorted(starts - docstrings) or sorted(owners)
    after = [number for number in real if number > line]
    if after:
        return after[0], "the next line with a statement"
    return real[-1], "the last line with a statement"


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """A code object and all that are nested in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _head_end(node: ast.stmt) -> int:
    """The last line of a statement, of a compound one that of its head."""
    body = getattr(node, "body", None)
    end = node.end_lineno or node.lineno
    if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
        return max(node.lineno, body[0].lineno - 1)
    return end


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
