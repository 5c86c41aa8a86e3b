"""What failing tests say of a place: the exceptions that went through it, those that were expected and did not come."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from agent_core.repair.model import TestRun
from agent_core.repair.project import Project
from agent_core.repair.source import Source, called_name

_NOT_RAISED = re.compile(r"DID NOT RAISE.*?(?:class '(?:[\w.]+\.)?(\w+)'|(\w+(?:Error|Exception|Exit|Warning)))")
_NOT_RAISED_BY_UNITTEST = re.compile(r"(\w+) not raised")
_NOT_ORDERED = re.compile(r"'([<>]=?)' not supported between")
_WITH_LITERAL = re.compile(r'"(is(?: not)?)" with ')
_UNDEFINED = re.compile(r"name '(\w+)' is not defined")
_LACKING = re.compile(r"has no attribute '(\w+)'")
ORDINARY = (
    "ValueError",
    "TypeError",
    "KeyError",
    "IndexError",
    "AttributeError",
    "RuntimeError",
    "NotImplementedError",
    "ZeroDivisionError",
    "StopIteration",
    "OSError",
)


def runs_through(source: Source, project: Project, node: ast.AST) -> list[TestRun]:
    """The failing tests whose exceptions went through a statement."""
    statement = source.statement(node)
    if statement is None:
        return []
    first, last = statement.lineno, statement.end_lineno or statement.lineno
    return [
        run
        for run in project.failing
        if any(frame.path == source.path and first <= frame.line <= last for frame in run.frames)
    ]


def errors_at(source: Source, project: Project, node: ast.AST) -> list[str]:
    """Names of the exceptions of failing tests that went through a statement."""
    found = dict.fromkeys(run.error.rpartition(".")[2] for run in runs_through(source, project, node))
    return [name for name in found if name and name != "AssertionError"]


def expected_errors(project: Project) -> list[str]:
    """Names of the exceptions that failing tests expected, and that did not come."""
    found: dict[str, None] = {}
    for run in project.failing:
        for match in (_NOT_RAISED.search(run.message), _NOT_RAISED_BY_UNITTEST.search(run.message)):
            if match is not None:
                found[next(group for group in match.groups() if group)] = None
    return list(found)


def attributes_lacking(project: Project) -> frozenset[str]:
    """Names of the attributes that objects had not, by what failing tests say; ``None`` is no such object."""
    messages = (run.message for run in project.failing if "'NoneType' object" not in run.message)
    return frozenset(name for message in messages for name in _LACKING.findall(message))


def names_lacking(project: Project) -> frozenset[str]:
    """The names that there are not, by what failing tests say."""
    return frozenset(name for run in project.failing for name in _UNDEFINED.findall(run.message))


def not_ordered_at(source: Source, project: Project, node: ast.AST) -> frozenset[str]:
    """The operators at a statement that failing tests say there is no such order for: ``<`` of a number and a text."""
    messages = (run.message for run in runs_through(source, project, node))
    return frozenset(operator for message in messages for operator in _NOT_ORDERED.findall(message))


def with_literal_at(source: Source, project: Project, node: ast.AST) -> frozenset[str]:
    """The operators at a statement that are for no literal, where Python's warning of it was taken for an error."""
    messages = (run.message for run in runs_through(source, project, node) if run.error.startswith("Syntax"))
    return frozenset(operator for message in messages for operator in _WITH_LITERAL.findall(message))


def exceptions_known(source: Source) -> Iterator[str]:
    """The exception classes that a file defines, imports or raises, by their names."""
    seen: dict[str, None] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and any(_is_exception(base) for base in node.bases):
            seen[node.name] = None
        elif isinstance(node, ast.ImportFrom):
            seen |= dict.fromkeys(alias.asname or alias.name for alias in node.names if _like_one(alias.name))
        elif isinstance(node, ast.Raise) and node.exc is not None:
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(raised, ast.Name) and _like_one(raised.id):
                seen[raised.id] = None
    yield from seen


def _is_exception(base: ast.expr) -> bool:
    return isinstance(base, ast.Name) and _like_one(base.id)


def _like_one(name: str) -> bool:
    return name.endswith(("Error", "Exception", "Warning", "Exit", "Interrupt")) or name in {
        "StopIteration",
        "StopAsyncIteration",
    }


def is_exception_call(node: ast.expr) -> bool:
    """Whether an expression makes an exception, by the name of what is called."""
    if not isinstance(node, ast.Call):
        return False
    return _like_one(called_name(node))
