"""Modules of a project and of the standard library, and what they define; found out once."""

from __future__ import annotations

import ast
import importlib
import sysconfig
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path
from posixpath import dirname

from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates.vocabulary import bound

_MOST_FILES = 400
COMMON = (
    "collections.abc", "typing", "dataclasses", "pathlib", "collections", "functools", "itertools", "datetime", "enum",
    "contextlib", "abc", "math", "decimal", "fractions", "random", "re", "json", "time", "copy", "operator", "types",
    "textwrap", "statistics", "heapq", "bisect", "string", "uuid", "tempfile", "shutil", "subprocess", "threading",
    "queue", "io", "os.path", "os", "sys", "warnings", "hashlib", "struct", "secrets", "inspect", "traceback", "glob",
    "fnmatch", "argparse", "logging", "urllib.parse", "weakref", "graphlib", "calendar", "zoneinfo", "csv", "numbers",
)  # fmt: skip
"""Where names of the standard library are looked for, the likeliest first: each can be read at little cost."""

# Without a source of their own, and imported in an instant.
_BUILT_IN = frozenset({"math", "itertools", "time", "sys"})
# Whose source says only that all is taken from another one.
_REAL = {"collections.abc": "_collections_abc", "os.path": "posixpath"}
ALIASES: Mapping[str, str] = {
    "np": "numpy", "pd": "pandas", "plt": "matplotlib.pyplot", "sns": "seaborn", "tf": "tensorflow", "nx": "networkx",
    "sp": "scipy", "tk": "tkinter", "mp": "multiprocessing", "dt": "datetime", "ET": "xml.etree.ElementTree",
}  # fmt: skip
"""What everybody calls them."""


class Module:
    """A module of the project.

    Args:
        name: How it is imported.
        path: Its file.
    """

    def __init__(self, name: str, path: str) -> None:
        self.name = name
        self.path = path


class Modules:
    """The modules of a project, what they define, and how its files import.

    Args:
        project: The project.
    """

    def __init__(self, project: Project) -> None:
        # By weak reference, as this is kept by the project.
        self._project = weakref.ref(project)
        python = [path for path in sorted(project.paths) if path.endswith(".py")]
        self._packages = {dirname(path) for path in python if path.endswith("/__init__.py")}
        self.by_name: dict[str, Module] = {}
        self.by_path: dict[str, Module] = {}
        for path in python:
            name = self._own_name(path)
            module = Module(name, path)
            self.by_path[path] = module
            if name:
                self.by_name.setdefault(name, module)

    def _own_name(self, path: str) -> str:
        """The name of a file's module: from the first folder above it that is no package."""
        root = dirname(path)
        while root in self._packages and root:
            root = dirname(root)
        name = path[len(root) + 1 if root else 0 :].removesuffix(".py").removesuffix("__init__").rstrip("/")
        dotted = name.replace("/", ".")
        if root and root != "src" and all(part.isidentifier() for part in root.split("/")):
            # A folder without an __init__ may be a package all the same, where others import from it.
            longer = f"{root.removeprefix('src/').replace('/', '.')}.{dotted}"
            if longer in self._imported:
                return longer
        return dotted if all(part.isidentifier() for part in dotted.split(".")) else ""

    @cached_property
    def _sources(self) -> list[Source]:
        project = self._project()
        paths = [] if project is None else [path for path in sorted(project.paths) if path.endswith(".py")]
        return [
            source
            for path in paths[:_MOST_FILES]
            if project is not None and (source := project.source(path)) is not None
        ]

    @cached_property
    def _imported(self) -> Counter[str]:
        """How often each module is imported from, anywhere in the project."""
        count: Counter[str] = Counter()
        for source in self._sources:
            for node in imports_of(source):
                if isinstance(node, ast.ImportFrom) and not node.level:
                    count[node.module or ""] += 1
                elif isinstance(node, ast.Import):
                    count.update(alias.name for alias in node.names)
        return count

    @cached_property
    def spellings(self) -> Mapping[str, Counter[tuple[str, str]]]:
        """How files import what they call by a name: name -> (module, name there; empty for the module itself)."""
        found: dict[str, Counter[tuple[str, str]]] = {}
        for source in self._sources:
            for node in imports_of(source):
                for alias in node.names:
                    if isinstance(node, ast.Import):
                        plain = alias.asname is not None or "." not in alias.name
                        key, said = alias.asname or alias.name, (alias.name, "")
                        if plain:
                            found.setdefault(key, Counter())[said] += 1
                    elif not node.level and node.module:
                        found.setdefault(alias.asname or alias.name, Counter())[node.module, alias.name] += 1
        return found

    @cached_property
    def definitions(self) -> Mapping[str, tuple[Module, ...]]:
        """The modules that define a name at their top level."""
        found: dict[str, list[Module]] = {}
        for source in self._sources:
            module = self.by_path.get(source.path)
            if module is None or not module.name:
                continue
            for binding in bound(source.tree):
                if binding.kind != "import" and module not in found.setdefault(binding.name, []):
                    found[binding.name].append(module)
        return {name: tuple(modules) for name, modules in found.items()}

    def exports(self, path: str) -> tuple[str, ...]:
        """The names that a module of the project has, imported ones included."""
        project = self._project()
        source = None if project is None else project.source(path)
        return () if source is None else tuple(dict.fromkeys(binding.name for binding in bound(source.tree)))

    def resolved(self, path: str, node: ast.ImportFrom) -> str:
        """The full name of the module a file imports from."""
        if not node.level:
            return node.module or ""
        module = self.by_path.get(path)
        parts = (module.name if module else "").split(".")
        inside = path.endswith("/__init__.py")
        up = node.level - (1 if inside else 0)
        base = parts[: len(parts) - up] if up else parts
        return ".".join([*base, *((node.module or "").split(".") if node.module else ())])

    def written(self, path: str, module: str, node: ast.ImportFrom | None) -> str:
        """How a module is written in an import of a file: relative where the import it replaces was."""
        if node is None or not node.level:
            return module
        own = (self.by_path[path].name if path in self.by_path else "").split(".")
        inside = path.endswith("/__init__.py")
        package = own if inside else own[:-1]
        parts = module.split(".")
        shared = 0
        while shared < min(len(package), len(parts)) and package[shared] == parts[shared]:
            shared += 1
        return "." * (len(package) - shared + 1) + ".".join(parts[shared:]) if shared else module


_kept: weakref.WeakKeyDictionary[Project, Modules] = weakref.WeakKeyDictionary()


def modules_of(project: Project) -> Modules:
    """The modules of a project; found out once."""
    if project not in _kept:
        _kept[project] = Modules(project)
    return _kept[project]


def imports_of(source: Source) -> Iterator[ast.Import | ast.ImportFrom]:
    """All imports of a file."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node


@cache
def public_names(module: str) -> frozenset[str]:
    """What a module of the standard library offers, read from its source; nothing heavy is imported for it."""
    if module in _BUILT_IN:
        return frozenset(one for one in dir(importlib.import_module(module)) if not one.startswith("_"))
    folder = Path(sysconfig.get_path("stdlib"), *_REAL.get(module, module).split("."))
    try:
        file = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
        tree = ast.parse(file.read_text("utf-8"))
    except (OSError, ValueError, SyntaxError):
        return frozenset()
    listed: set[str] = set()
    for node in ast.walk(tree):
        target = (
            node.target
            if isinstance(node, ast.AugAssign)
            else node.targets[0]
            if isinstance(node, ast.Assign)
            else None
        )
        if isinstance(target, ast.Name) and target.id == "__all__" and isinstance(node, ast.Assign | ast.AugAssign):
            listed |= {
                one.value
                for one in ast.walk(node.value)
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            }
    own = {one.name for one in bound(tree) if one.kind != "import" and not one.name.startswith("_")}
    return frozenset(listed or own)


def standard(name: str) -> Iterator[str]:
    """The modules of the standard library that offer a name, the likeliest first."""
    for module in COMMON:
        if name in public_names(module):
            yield module
