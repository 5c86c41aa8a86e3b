"""Entries of tables that may be wrong: those that failing tests name, and passing ones do not.

What runs when a file is imported is executed for all tests alike, so that what they execute tells nothing of a table of
a hundred lines. But tests say which entry they are about: its key stands in them, or in their parameters.
"""

from __future__ import annotations

import ast
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from agent_core.repair.model import TestRun
from agent_core.repair.project import Project
from agent_core.repair.source import Source

_LEAST_ENTRIES = 3
_LONGEST = 60
_WORD = re.compile(r"\w+")


def mentioned(
    failing: Sequence[TestRun], passing: Sequence[TestRun], project: Project, paths: Iterable[str]
) -> Mapping[tuple[str, int], float]:
    """How suspicious the lines of entries of tables are, from 0 to 1.

    Args:
        failing: Tests that fail.
        passing: Tests that pass.
        project: The project.
        paths: The files whose tables are looked at: those that failing tests execute.
    """
    tables = [(path, source, _entries(source)) for path in sorted(paths) if (source := project.source(path))]
    keys = {key for _, _, entries in tables for key, _, _ in entries}
    if not keys:
        return {}
    texts = _Texts(project, keys)
    bad, good = texts.count(failing), texts.count(passing)
    found: dict[tuple[str, int], float] = {}
    for path, source, entries in tables:
        for key, first, last in entries:
            if not bad[key]:
                continue
            score = bad[key] / math.sqrt(len(failing) * (bad[key] + good[key]))
            for line in range(first, last + 1):
                if line in source.by_line:
                    found[path, line] = max(found.get((path, line), 0.0), score)
    return found


@lru_cache(maxsize=128)
def _entries(source: Source) -> tuple[tuple[str, int, int], ...]:
    """The entries of the dictionaries of a module or class that take several lines: key, first line and last."""
    return tuple(_found(source))


def _found(source: Source) -> Iterator[tuple[str, int, int]]:
    for statement in (*source.tree.body, *(one for node in source.tree.body for one in getattr(node, "body", ()))):
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
            continue
        for node in ast.walk(statement.value):
            if not isinstance(node, ast.Dict) or len(node.keys) < _LEAST_ENTRIES or node.lineno == node.end_lineno:
                continue
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value:
                    yield key.value, key.lineno, value.end_lineno or value.lineno


class _Texts:
    """What tests name.

    Args:
        project: The project.
        keys: What is looked for.
    """

    def __init__(self, project: Project, keys: set[str]) -> None:
        self._project = project
        self._keys = keys

    def count(self, runs: Sequence[TestRun]) -> Counter[str]:
        """How many of some tests name each key."""
        count: Counter[str] = Counter()
        for run in runs:
            path, _, rest = run.test.partition("::")
            name, _, given = rest.partition("[")
            source = self._project.source(path)
            named = frozenset[str]() if source is None else _texts(source).get(name.rpartition("::")[2], frozenset())
            count.update(self._keys & (named | set(_WORD.findall(given))))
        return count


@lru_cache(maxsize=128)
def _texts(source: Source) -> Mapping[str, frozenset[str]]:
    """The short texts that stand in the functions of each name."""
    found: dict[str, frozenset[str]] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = (one for statement in node.body for one in ast.walk(statement) if isinstance(one, ast.Constant))
            texts = frozenset(one.value for one in inner if isinstance(one.value, str) and len(one.value) <= _LONGEST)
            found[node.name] = found.get(node.name, frozenset()) | texts
    return found
