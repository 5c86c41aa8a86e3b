"""Modules, what they define, and how a file comes to import something: what there is is kept once a project."""

from __future__ import annotations

import ast
import importlib.util
import sys
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from posixpath import dirname

from agent_core.repair.model import Edit
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
    try:
        spec = importlib.util.find_spec(module)
        text = "" if spec is None or not (spec.origin or "").endswith(".py") else _read(spec.origin or "")
        tree = ast.parse(text)
    except (ImportError, ValueError, OSError, SyntaxError):
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


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - a path of the import system, which is a text
        return file.read()


def standard(name: str) -> Iterator[str]:
    """The modules of the standard library that offer a name, the likeliest first."""
    for module in COMMON:
        if name in public_names(module):
            yield module


# -- an import put in


def import_edit(source: Source, module: str, name: str, *, alias: str = "", own: bool = False) -> Edit:
    """The edit with which a file imports something.

    Args:
        source: The file.
        module: The module.
        name: What of it; empty for the module itself.
        alias: What it is called in the file, where that is something else.
        own: Whether the module is the project's.
    """
    said = f"{name or module} as {alias}" if alias and alias != (name or module) else name or module
    top = [node for node in source.tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    if name:
        for node in top:
            if isinstance(node, ast.ImportFrom) and not node.level and node.module == module:
                edit = _among(source, node, said)
                if edit is not None:
                    return edit
    line = f"from {module} import {said}" if name else f"import {said}"
    key = (_section(module, own=own), bool(name), module.lower())
    owns = {
        node: (_section_of(source, node, top), isinstance(node, ast.ImportFrom), _module(node).lower()) for node in top
    }
    end = source.line_end
    before = [node for node in top if owns[node] < key]
    last = max(before, key=lambda node: node.lineno) if before else None
    behind = [node for node in top if last is None or node.lineno > last.lineno]
    # The first of its section stands in front of the others of it; one of a section of its own stands apart.
    if behind and (last is None or (owns[last][0] != key[0] and owns[behind[0]][0] == key[0])):
        gap = "" if owns[behind[0]][0] == key[0] else end
        return source.insert(source.span(behind[0])[0], f"{line}{end}{gap}")
    if last is not None:
        gap = "" if owns[last][0] == key[0] else end
        return source.insert(source.span(last)[1], f"{end}{gap}{line}")
    return _first_import(source, line)


def _among(source: Source, node: ast.ImportFrom, said: str) -> Edit | None:
    """A name put in among those that are imported from the same module, where its order has it."""
    if any(alias.name == "*" for alias in node.names):
        return None
    behind = None
    for alias in node.names:
        if _member_key(alias.name) < _member_key(said):
            behind = alias
    spread = node.lineno != node.names[-1].lineno and node.names[0].lineno != node.names[-1].lineno
    if behind is None:
        first = node.names[0]
        gap = f",{source.line_end}{' ' * first.col_offset}" if spread else ", "
        return source.insert(source.span(first)[0], f"{said}{gap}")
    gap = f",{source.line_end}{' ' * behind.col_offset}" if spread else ", "
    return source.insert(source.span(behind)[1], f"{gap}{said}")


def _member_key(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest, as isort and ruff have it."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name


def _module(node: ast.Import | ast.ImportFrom) -> str:
    return "." * node.level + (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name


def _section(module: str, *, own: bool) -> int:
    """Of the future, of the standard library, of others, of the project."""
    if module == "__future__":
        return 0
    if module.startswith("."):
        return 4
    if own:
        return 3
    return 1 if module.partition(".")[0] in sys.stdlib_module_names else 2


def _section_of(source: Source, node: ast.Import | ast.ImportFrom, top: list[ast.Import | ast.ImportFrom]) -> int:
    section = _section(_module(node), own=False)
    if section != 2:
        return section
    # The project's own are told from others by the blank line between them, where both are there.
    place = top.index(node)
    for one in range(place, 0, -1):
        apart = top[one].lineno > (top[one - 1].end_lineno or 0) + 1
        if apart and _section(_module(top[one - 1]), own=False) == 2:
            return 3
    package = source.path.removeprefix("src/").partition("/")[0]
    return 3 if _module(node).partition(".")[0] == package else 2


def _first_import(source: Source, line: str) -> Edit:
    """An import in a file that has none: behind its docstring."""
    end, body = source.line_end, source.tree.body
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        index = source.span(first)[1]
        rest = source.text[index:]
        blank = rest.startswith((f"{end}{end}", end + " ")) or not rest.strip()
        return source.insert(index, f"{end}{end}{line}" + ("" if blank else end))
    index = 0
    text = source.text
    while text.startswith("#", index):
        index = text.find("\n", index) + 1 or len(text)
    apart = isinstance(first, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    return source.insert(index, f"{line}{end}{end}{end if apart else ''}")
