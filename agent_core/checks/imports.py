"""Which files of a project a Python file reaches through imports, as far as reading them tells."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from posixpath import dirname

from agent_core.workspace.tree import content_hash

Read = Callable[[str], bytes | None]
Imports = tuple[tuple[int, str, tuple[str, ...]], ...]
"""What a file imports: (leading dots, module, names taken from it) each."""

_MAX_KNOWN = 50_000

_known: dict[str, Imports] = {}
"""By content hash, so that it is true whatever project and tree a file is in."""


class ImportGraph:
    """Follows imports inside a project; nothing is executed.

    A module's name is taken from every folder it can stand on: the project, ``src``, and every folder that is
    not itself a package, since tests put theirs on the path. A file that does not parse has no imports.

    Args:
        files: All paths of the project.
        read: Gives the bytes of a file.
        hashes: Content hashes of files, where they are known: such a file is read only when its content is new.
        also: What files are known to reach besides, such as what a run of them has shown.
    """

    def __init__(
        self,
        files: Iterable[str],
        read: Read,
        *,
        hashes: Mapping[str, str] | None = None,
        also: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        self._read = read
        self._hashes = hashes or {}
        self._also = also or {}
        self._python = {path for path in files if path.endswith((".py", ".pyi"))}
        packages = {dirname(path) for path in self._python if path.endswith("/__init__.py")}
        self._modules: dict[str, list[str]] = {}
        for path in sorted(self._python):
            for root in ("", *_parents(path)):
                if root not in packages:
                    self._modules.setdefault(_module_name(path[len(root) + 1 :] if root else path), []).append(path)
        self._direct: dict[str, frozenset[str]] = {}
        self._tops: frozenset[str] | None = None

    def reached(self, path: str) -> frozenset[str]:
        """All files that importing a file imports, the file itself and its folders' conftest.py included."""
        seen: set[str] = set()
        waiting = [path, *(name for folder in ("", *_parents(path)) if (name := _join(folder, "conftest.py")))]
        while waiting:
            current = waiting.pop()
            if current not in seen and current in self._python:
                seen.add(current)
                waiting.extend(self.imports(current))
                waiting.extend(self._packages(current))
        return frozenset(seen | {path})

    def reaching(self, paths: Iterable[str], *, by_imports: bool = False) -> frozenset[str]:
        """All files that reach one of some files: the files themselves, and what `reached` of it has one of them.

        The files may be of any kind: what was not read as Python is reached by what is told of it at the start.

        Args:
            paths: The files.
            by_imports: Follow imports alone, and nothing else that is told at the start.
        """
        importers: dict[str, list[str]] = {}
        for path in self._python:
            for target in (*self.imports(path), *self._packages(path), *self._conftests(path)):
                importers.setdefault(target, []).append(path)
        also: Mapping[str, Iterable[str]] = {} if by_imports else self._also
        for path, targets in also.items():
            for target in targets:
                importers.setdefault(target, []).append(path)
        seen: set[str] = set()
        waiting = list(paths)
        while waiting:
            current = waiting.pop()
            if current not in seen:
                seen.add(current)
                waiting.extend(importers.get(current, ()))
        return frozenset(seen)

    def imports(self, path: str) -> frozenset[str]:
        """The files of the project that a file imports itself."""
        if path not in self._direct:
            self._direct[path] = frozenset(self._find(path))
        return self._direct[path]

    def learn(self) -> None:
        """Read every file whose imports are not known yet, so that later questions are answered at once."""
        for path in self._python:
            self._raw(path)

    def provides(self, module: str) -> bool:
        """Whether a module of this top-level name is the project's own."""
        if self._tops is None:
            self._tops = frozenset(name.partition("/")[0] for name in self._modules)
        return module.partition(".")[0] in self._tops

    def _packages(self, path: str) -> Iterator[str]:
        """Importing a module imports the packages it is in."""
        for folder in _parents(path):
            init = f"{folder}/__init__.py"
            if init not in self._python:
                return
            if init != path:
                yield init

    def _conftests(self, path: str) -> Iterator[str]:
        for folder in ("", *_parents(path)):
            name = _join(folder, "conftest.py")
            if name in self._python and name != path:
                yield name

    def _raw(self, path: str) -> Imports:
        digest = self._hashes.get(path)
        if digest is not None and digest in _known:
            return _known[digest]
        data = self._read(path)
        if data is None:
            return ()
        return imports_of(data, digest or content_hash(data))

    def _find(self, path: str) -> Iterator[str]:
        for level, module, names in self._raw(path):
            # The names may be modules of the package.
            tails = ["", *(name for name in names if name != "*")]
            if not level:
                for tail in tails:
                    yield from self._absolute(f"{module}.{tail}".strip("."))
                continue
            folder = dirname(path)
            for _ in range(level - 1):
                folder = dirname(folder)
            base = _join(folder, module.replace(".", "/"))
            for tail in tails:
                yield from self._module(_join(base, tail))

    def _absolute(self, name: str) -> Iterator[str]:
        # Importing a.b.c imports a and a.b first.
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            yield from self._modules.get("/".join(parts[:length]), ())

    def _module(self, base: str) -> Iterator[str]:
        base = base.rstrip("/")
        for candidate in (f"{base}.py", f"{base}.pyi", _join(base, "__init__.py")):
            if candidate in self._python:
                yield candidate


def imports_of(data: bytes, digest: str) -> Imports:
    """What a file of this content imports.

    Args:
        data: The content.
        digest: Its hash, under which the answer is remembered.
    """
    if digest not in _known:
        if len(_known) >= _MAX_KNOWN:
            _known.clear()
        _known[digest] = tuple(_parse(data))
    return _known[digest]


def remember(known: Mapping[str, Imports]) -> None:
    """Take in what `recall` gave at another time."""
    if len(_known) + len(known) <= _MAX_KNOWN:
        for digest, imports in known.items():
            _known.setdefault(digest, imports)


def recall(digests: Iterable[str]) -> dict[str, Imports]:
    """What is known of the imports of some contents."""
    return {digest: _known[digest] for digest in digests if digest in _known}


def _parse(data: bytes) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in _statements(tree.body):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield 0, alias.name, ()
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or "", tuple(alias.name for alias in node.names)
        elif isinstance(node, ast.Assign):
            yield from ((0, name, ()) for name in _plugins(node))


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """All statements of a file, those inside of others included: much less to look at than all of its nodes."""
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        for field in ("body", "orelse", "finalbody"):
            waiting.extend(getattr(node, field, ()))
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            waiting.extend(part.body)


def _plugins(node: ast.Assign) -> Iterator[str]:
    """The modules that ``pytest_plugins = ["a.b"]`` names: pytest imports them."""
    if any(isinstance(target, ast.Name) and target.id == "pytest_plugins" for target in node.targets):
        for part in ast.walk(node.value):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value


def _module_name(path: str) -> str:
    """A path relative to where it can be imported from, as the module's name with slashes."""
    name = path.rpartition(".")[0]
    return dirname(name) if name.endswith("/__init__") else name


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name


def _parents(path: str) -> Iterator[str]:
    """The folders a file is in, innermost first, the project's own left out."""
    folder = dirname(path)
    while folder:
        yield folder
        folder = dirname(folder)
