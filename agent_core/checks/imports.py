"""Which files of a project a Python file reaches through imports, as far as reading them tells."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterable, Iterator
from posixpath import dirname

Read = Callable[[str], bytes | None]


class ImportGraph:
    """Follows imports inside a project; nothing is executed.

    A module's name is taken from every folder it can stand on: the project, ``src``, and every folder that is
    not itself a package, since tests put theirs on the path. A file that does not parse has no imports.

    Args:
        files: All paths of the project.
        read: Gives the bytes of a file.
    """

    def __init__(self, files: Iterable[str], read: Read) -> None:
        self._read = read
        self._python = {path for path in files if path.endswith((".py", ".pyi"))}
        packages = {dirname(path) for path in self._python if path.endswith("/__init__.py")}
        folders = {"", *(folder for path in self._python for folder in _parents(path))}
        self._roots = tuple(sorted(folder for folder in folders if folder not in packages))
        self._direct: dict[str, frozenset[str]] = {}

    def reached(self, path: str) -> frozenset[str]:
        """All files that importing a file imports, the file itself and its folders' conftest.py included."""
        seen: set[str] = set()
        waiting = [path, *(name for folder in ("", *_parents(path)) if (name := _join(folder, "conftest.py")))]
        while waiting:
            current = waiting.pop()
            if current not in seen and current in self._python:
                seen.add(current)
                waiting.extend(self.imports(current))
        return frozenset(seen | {path})

    def imports(self, path: str) -> frozenset[str]:
        """The files of the project that a file imports itself."""
        if path not in self._direct:
            self._direct[path] = frozenset(self._find(path))
        return self._direct[path]

    def _find(self, path: str) -> Iterator[str]:
        data = self._read(path)
        if data is None:
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(data)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield from self._absolute(alias.name)
            elif isinstance(node, ast.ImportFrom):
                yield from self._from(path, node)

    def _from(self, path: str, node: ast.ImportFrom) -> Iterator[str]:
        # The names may be modules of the package.
        tails = ["", *(alias.name for alias in node.names if alias.name != "*")]
        if not node.level:
            for tail in tails:
                yield from self._absolute(f"{node.module}.{tail}".strip("."))
            return
        folder = dirname(path)
        for _ in range(node.level - 1):
            folder = dirname(folder)
        base = _join(folder, (node.module or "").replace(".", "/"))
        for tail in tails:
            yield from self._module(_join(base, tail))

    def _absolute(self, name: str) -> Iterator[str]:
        relative = name.replace(".", "/")
        for root in self._roots:
            # Importing a.b.c imports a and a.b first.
            parts = relative.split("/")
            for length in range(1, len(parts) + 1):
                yield from self._module(_join(root, "/".join(parts[:length])))

    def _module(self, base: str) -> Iterator[str]:
        base = base.rstrip("/")
        for candidate in (f"{base}.py", f"{base}.pyi", _join(base, "__init__.py")):
            if candidate in self._python:
                yield candidate


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name


def _parents(path: str) -> Iterator[str]:
    """The folders a file is in, innermost first, the project's own left out."""
    folder = dirname(path)
    while folder:
        yield folder
        folder = dirname(folder)
