"""What is known of a project's Python files together: their sources, the names and attributes used in them."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from functools import cached_property

from agent_core.repair.model import TestRun
from agent_core.repair.source import Source, read_source

_MOST_FILES = 400


class Project:
    """The Python files of one tree.

    Args:
        paths: Their paths.
        read: Gives a file's bytes; None where it is not there.
        failing: The tests that fail, as they ran: where they went and what names held there.
        near: Files that vocabulary is taken from first, such as those that failing tests execute.
    """

    def __init__(
        self,
        paths: Collection[str],
        read: Callable[[str], bytes | None],
        failing: tuple[TestRun, ...] = (),
        near: tuple[str, ...] = (),
    ) -> None:
        self.paths = frozenset(paths)
        self.failing = failing
        self._read = read
        self._near = near
        self._sources: dict[str, Source | None] = {}

    def source(self, path: str) -> Source | None:
        """A file; None where it is not there or cannot be parsed. Parsed once."""
        if path not in self._sources:
            data = self._read(path) if path in self.paths else None
            self._sources[path] = read_source(path, data) if data is not None else None
        return self._sources[path]

    def text(self, path: str) -> str | None:
        """A file's text, without a byte order mark; None where it is not there or no UTF-8."""
        source = self._sources.get(path)
        if source is not None:
            return source.text
        data = self._read(path)
        try:
            return data.decode("utf-8-sig") if data is not None else None
        except UnicodeDecodeError:
            return None

    @cached_property
    def attributes(self) -> Mapping[str, int]:
        """How often each attribute and method name is used or defined, in up to 400 files, near ones first."""
        count: Counter[str] = Counter()
        for source in self._some():
            for node in ast.walk(source.tree):
                if isinstance(node, ast.Attribute):
                    count[node.attr] += 1
                elif isinstance(node, ast.ClassDef):
                    count.update(
                        one.name for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
                    )
        return count

    @cached_property
    def functions(self) -> Mapping[str, tuple[ast.FunctionDef | ast.AsyncFunctionDef, ...]]:
        """The functions and methods of each name, in up to 400 files."""
        named: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = {}
        for source in self._some():
            for node in ast.walk(source.tree):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    named.setdefault(node.name, []).append(node)
        return {name: tuple(nodes) for name, nodes in named.items()}

    def _some(self) -> list[Source]:
        ordered = (*self._near, *sorted(self.paths - frozenset(self._near)))[:_MOST_FILES]
        return [source for path in ordered if (source := self.source(path)) is not None]

    def values(self, path: str, line: int) -> Mapping[str, tuple[str, str]]:
        """What names held in the frames of failing tests in the function around a line: name -> (type, text)."""
        source = self.source(path)
        held: dict[str, tuple[str, str]] = {}
        if source is None:
            return held
        for run in self.failing:
            for frame in run.frames:
                if frame.path == path and self._same_function(source, frame.line, line):
                    held.update({value.name: (value.kind, value.text) for value in frame.values})
        return held

    @staticmethod
    def _same_function(source: Source, one: int, other: int) -> bool:
        def around(line: int) -> ast.AST | None:
            nodes = source.by_line.get(line, ())
            return source.scope(nodes[-1]) if nodes else None

        return one == other or (around(one) is not None and around(one) is around(other))
