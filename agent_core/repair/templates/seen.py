"""What is said elsewhere and may be meant here: names, expressions of the same function, constants of the tests."""

from __future__ import annotations

import ast
import builtins
import weakref
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates.exact import editable
from agent_core.repair.templates.guesses import guessed
from agent_core.repair.templates.layout import walk_own
from agent_core.repair.templates.members import members
from agent_core.repair.templates.vocabulary import COMPREHENSIONS, guess_of, local_names, visible, vocabulary

_BUILTINS = frozenset(dir(builtins))
_LONGEST = 48
_MOST = 60
_NOT_TWICE = (ast.Yield, ast.YieldFrom, ast.Await, ast.NamedExpr, ast.Lambda, *COMPREHENSIONS)


class Said(NamedTuple):
    """An expression that stands somewhere in the same function.

    Attributes:
        text: Its code, on one line.
        node: It.
        guess: What it seems to give; see `guesses`.
        line: Where it stands.
    """

    text: str
    node: ast.expr
    guess: str
    line: int


class Word(NamedTuple):
    """A name, or an attribute of ``self``, that can be read at a place.

    Attributes:
        text: Its code.
        guess: What it seems to hold; see `guesses`.
        unused: Nothing reads it in the function, which is odd.
        distance: How many lines away it is used or bound.
    """

    text: str
    guess: str
    unused: bool
    distance: int


_kept: weakref.WeakKeyDictionary[Source, dict[ast.AST, tuple[Said, ...]]] = weakref.WeakKeyDictionary()


@lru_cache(maxsize=16)
def said(source: Source, node: ast.AST) -> tuple[Said, ...]:
    """The short expressions of the function around a node that can be read there, the nearest first, each once."""
    scope = source.scope(node)
    kept = _kept.setdefault(source, {})
    if scope not in kept:
        kept[scope] = tuple(_collect(source, scope))
    line: int = node.lineno  # type: ignore[attr-defined]  # asked of nodes with a place only
    there = visible(source, node)
    inside = set(map(id, ast.walk(node)))
    found: dict[str, Said] = {}
    for one in sorted(kept[scope], key=lambda other: abs(other.line - line)):
        if one.text in found or id(one.node) in inside:
            continue
        names = {name.id for name in ast.walk(one.node) if isinstance(name, ast.Name)}
        if all(name in there or name in _BUILTINS or name in {"self", "cls"} for name in names):
            found[one.text] = one
        if len(found) >= _MOST:
            break
    return tuple(found.values())


def _collect(source: Source, scope: ast.AST) -> Iterator[Said]:
    for node in walk_own(scope):
        if not isinstance(node, ast.Attribute | ast.Subscript | ast.Call | ast.BinOp | ast.Compare | ast.Name):
            continue
        parent = source.parents.get(node)
        if isinstance(parent, ast.Call) and node is parent.func:
            continue
        if not editable(source, node) or source.in_text(node):
            continue
        text = source.code(node)
        if len(text) > _LONGEST or set(text) & set("\r\n#"):
            continue
        if not any(isinstance(one, _NOT_TWICE) for one in ast.walk(node)):
            yield Said(text, node, guessed(node), node.lineno)


@lru_cache(maxsize=16)
def words(source: Source, node: ast.AST, project: Project) -> tuple[Word, ...]:
    """The function's own names and the attributes of ``self`` that can be read at a node, the likeliest first."""
    line: int = node.lineno  # type: ignore[attr-defined]  # asked of nodes with a place only
    values = project.values(source.path, line)
    known = vocabulary(source, node)
    read = {one.id for one in ast.walk(source.scope(node)) if isinstance(one, ast.Name) and _is_read(one)}
    found = []
    for name, binding in local_names(source, node).items():
        distance = min((abs(line - use) for use in known.uses.get(name, [])), default=abs(line - binding.line))
        found.append(Word(name, guess_of(binding, name, values), name not in read, distance))
    class_ = members(source, node)
    if class_ is not None and class_.receiver:
        lines: dict[str, int] = {}
        for one in said(source, node):
            lines.setdefault(one.text, abs(one.line - line))
        for name, guess in class_.attributes.items():
            text = f"{class_.receiver}.{name}"
            found.append(Word(text, guess_of(None, text, values) or guess, unused=False, distance=lines.get(text, 12)))
    return tuple(sorted(found, key=lambda word: (not word.unused, word.distance)))


def _is_read(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)


class Constants(NamedTuple):
    """The constants of some code, each once, in the order in which they come.

    Attributes:
        texts: Strings.
        numbers: Numbers, with their signs.
    """

    texts: tuple[str, ...]
    numbers: tuple[int | float, ...]


def constants(node: ast.AST) -> Constants:
    """The constants in some code."""
    texts: dict[str, None] = {}
    numbers: dict[int | float, None] = {}
    for one in ast.walk(node):
        match one:
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)) if value is not True:
                numbers.setdefault(-value)
            case ast.Constant(value=str() as text) if len(text) <= _LONGEST:
                texts.setdefault(text)
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                numbers.setdefault(value)
    return Constants(tuple(texts), tuple(numbers))


_of_tests: weakref.WeakKeyDictionary[Project, Constants] = weakref.WeakKeyDictionary()
_of_files: weakref.WeakKeyDictionary[Source, Constants] = weakref.WeakKeyDictionary()


def constants_of_file(source: Source) -> Constants:
    """The constants of a file."""
    if source not in _of_files:
        _of_files[source] = constants(source.tree)
    return _of_files[source]


def constants_of_tests(project: Project) -> Constants:
    """The constants in the functions of the tests that fail."""
    if project not in _of_tests:
        texts: dict[str, None] = {}
        numbers: dict[int | float, None] = {}
        for test in [run.test for run in project.failing][:20]:
            path, _, name = test.partition("::")
            source = project.source(path)
            bare = name.rpartition("::")[2].partition("[")[0]
            for node in ast.walk(source.tree) if source is not None else ():
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == bare:
                    its = constants(node)
                    texts |= dict.fromkeys(its.texts)
                    numbers |= dict.fromkeys(its.numbers)
        _of_tests[project] = Constants(tuple(texts), tuple(numbers))
    return _of_tests[project]
