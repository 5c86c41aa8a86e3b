"""Names that are not defined, and imports that find nothing."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Callable, Collection, Iterator

from agent_core.checks.model import Finding
from agent_core.repair.beyond.import_lines import import_edit
from agent_core.repair.beyond.imports import (
    ALIASES,
    COMMON,
    Modules,
    imports_of,
    modules_of,
    public_names,
    standard,
)
from agent_core.repair.beyond.nearest import closest
from agent_core.repair.beyond.places import members, names_at, on_line, spelt, spelt_in_text
from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates.members import class_around, method_around
from agent_core.repair.templates.vocabulary import bound

_UNDEFINED = re.compile(r"[Nn]ame ['\"`](\w+)['\"`] is not defined|[Uu]ndefined name ['\"`](\w+)['\"`]")
_NOT_IN_MODULE = re.compile(
    r"cannot import name ['\"](?P<name>\w+)['\"] from (?:partially initialized module )?['\"](?P<module>[\w.]+)['\"]"
    r"|Module ['\"](?P<module_>[\w.]+)['\"] has no attribute ['\"](?P<name_>\w+)['\"]"
    r"|module ['\"](?P<module__>[\w.]+)['\"] has no attribute ['\"](?P<name__>\w+)['\"]"
)
_NO_MODULE = re.compile(
    r"No module named ['\"](?P<name>[\w.]+)['\"]|stub for module named ['\"](?P<name_>[\w.]+)['\"]"
    r"|Cannot find (?:implementation or )?(?:library )?(?:stub for )?module (?:named )?['\"](?P<name__>[\w.]+)['\"]"
)
_MOST = 3
_BUILTINS = frozenset(dir(builtins))


def name_variants(source: Source, project: Project, finding: Finding, installed: Collection[str]) -> Iterator[Variant]:
    """What may have been meant where a name is not defined or an import finds nothing.

    Args:
        source: The file.
        project: The project it is of.
        finding: What a check says: ruff's F821, mypy's name-defined and import-not-found, or a NameError or
            ImportError of a test, at the line where it arises.
        installed: The top-level modules that can be imported where the project runs, its own aside.

    Yields:
        Variants, the likeliest first; nothing for findings of other kinds.
    """
    modules = modules_of(project)
    found: list[Variant] = []
    if (match := _NO_MODULE.search(finding.message)) is not None:
        found += _other_module(source, modules, finding.line, _group(match, "name"), installed)
    elif (match := _NOT_IN_MODULE.search(finding.message)) is not None:
        found += _other_name(source, modules, finding.line, _group(match, "module"), _group(match, "name"))
    elif (match := _UNDEFINED.search(finding.message)) is not None:
        name = match.group(1) or match.group(2)
        nodes = [node for node in on_line(source, finding.line, ast.Name) if node.id == name]
        if nodes:
            found += _misspelt(source, nodes)
            found += _member(source, nodes[0])
            found += _of_module(source, modules, nodes)
        # A name may stand in an annotation that is a text.
        found += _imported(source, modules, name, nodes, installed)
    yield from sorted(dict.fromkeys(found), key=lambda one: one.cost)


def _group(match: re.Match[str], name: str) -> str:
    return next((said for key, said in match.groupdict().items() if key.rstrip("_") == name and said), "")


# -- undefined names


def _misspelt(source: Source, nodes: list[ast.Name]) -> Iterator[Variant]:
    """A name in scope that is written almost like it."""
    name = nodes[0].id
    known = [one for one in names_at(source, nodes[0]) if one != name]
    for rank, other in enumerate(closest(name, known, _MOST)):
        cost = 1.0 + 0.4 * rank + 0.4 * (other in _BUILTINS)
        edits = [source.replace(node, other) for node in nodes if not source.in_text(node)]
        within = {span for node in nodes for span in spelt_in_text(node, name, source)}
        edits += [Edit(source.path, *span, other) for span in sorted(within)]
        if edits:
            yield source.variant("misspelt name", cost, f"{other} for {name}", *edits)
    if name.lower() in {"true", "false", "none", "null", "nil", "undefined"}:
        said = {"true": "True", "false": "False"}.get(name.lower(), "None")
        yield source.variant(
            "misspelt name", 0.9, f"{said} for {name}", *(source.replace(node, said) for node in nodes)
        )
    if name == "this" and method_around(source, nodes[0]) is not None:
        yield source.variant("misspelt name", 0.9, "self for this", *(source.replace(node, "self") for node in nodes))


def _member(source: Source, node: ast.Name) -> Iterator[Variant]:
    """``self.`` forgotten, or the name of the class in front of what belongs to it."""
    owner, function = class_around(source, node), method_around(source, node)
    if owner is None or function is None or not function.args.args or source.in_text(node):
        return
    first = function.args.args[0].arg
    own = members(source, owner)
    if node.id in own:
        yield source.variant(
            "member", 1.0, f"{first}.{node.id} for {node.id}", source.replace(node, f"{first}.{node.id}")
        )
    for rank, other in enumerate(closest(node.id, own, 2)):
        said = f"{first}.{other}"
        yield source.variant("member", 2.0 + rank, f"{said} for {node.id}", source.replace(node, said))


def _of_module(source: Source, modules: Modules, nodes: list[ast.Name]) -> Iterator[Variant]:
    """A module that is imported as a whole has it: ``math.sqrt`` for ``sqrt``."""
    name = nodes[0].id
    for node in imports_of(source):
        if not isinstance(node, ast.Import):
            continue
        for alias in node.names:
            called = alias.asname or alias.name
            own = modules.by_name.get(alias.name)
            offered = name in modules.exports(own.path) if own is not None else alias.name in standard(name)
            if offered:
                said = f"{called}.{name}"
                edits = (source.replace(one, said) for one in nodes if not source.in_text(one))
                yield source.variant("member of a module", 0.85, f"{said} for {name}", *edits)


def _imported(
    source: Source, modules: Modules, name: str, nodes: list[ast.Name], installed: Collection[str]
) -> Iterator[Variant]:
    """An import that is missing."""
    as_module = any(isinstance(source.parents.get(node), ast.Attribute) for node in nodes)
    there = {_said(node) for node in imports_of(source)}
    own = modules.by_path.get(source.path)

    def variant(cost: float, module: str, wanted: str, alias: str = "") -> Variant:
        mine = module.partition(".")[0] in {one.partition(".")[0] for one in modules.by_name}
        edit = import_edit(source, module, wanted, alias=alias, own=mine)
        said = f"{wanted} from {module}" if wanted else module
        return source.variant("missing import", cost, f"import {said}{f' as {alias}' if alias else ''}", edit)

    own_name = own.name if own is not None else ""
    for rank, (module, wanted) in enumerate(modules.spellings.get(name, {})):
        if module != own_name:
            yield variant(0.9 + 0.3 * rank, module, wanted, name if name != (wanted or module) else "")
    for rank, defined in enumerate(modules.definitions.get(name, ())):
        if defined.name != own_name:
            # Nobody but tests imports from tests.
            tests = defined.path.startswith("test") or "/test" in defined.path
            yield variant(1.1 + 0.3 * rank + 1.0 * tests, defined.name, name)
    for rank, module in enumerate(standard(name)):
        yield variant(1.2 + 0.2 * rank - 0.3 * (module in there), module, name)
    if name in sys.stdlib_module_names and (as_module or not nodes):
        yield variant(0.9, name, "")
    if as_module:
        for cost, module, wanted, alias in _whole(modules, name, installed):
            yield variant(cost, module, wanted, alias)
        yield from _misspelt_module(source, name, nodes, installed)
    yield from _misspelt_import(source, modules, name, nodes, variant)


def _misspelt_import(
    source: Source, modules: Modules, name: str, nodes: list[ast.Name], variant: Callable[[float, str, str], Variant]
) -> Iterator[Variant]:
    """A name that is neither imported nor written right."""
    nodes = [node for node in nodes if not source.in_text(node)]
    public = (one for module in COMMON for one in sorted(public_names(module)))
    for rank, other in enumerate(
        closest(name, [*modules.spellings, *modules.definitions, *public], 2) if nodes else ()
    ):
        module = next((module for module, said in modules.spellings.get(other, {}) if said == other), "")
        module = module or next((one.name for one in modules.definitions.get(other, ())), next(standard(other), ""))
        if module and other not in {binding.name for binding in bound(source.tree)}:
            cost = 2.0 + 0.4 * rank
            edits = (*variant(cost, module, other).edits, *(source.replace(node, other) for node in nodes))
            yield source.variant("missing import", cost, f"{other} from {module} for {name}", *edits)


def _whole(modules: Modules, name: str, installed: Collection[str]) -> Iterator[tuple[float, str, str, str]]:
    """Modules that a name may stand for: how unusual that is, the module, what is imported from it, and as what."""
    for module in modules.by_name:
        package, _, last = module.rpartition(".")
        if last == name:
            yield 1.3, package or module, name if package else "", ""
    if name in installed:
        yield 1.2, name, "", ""
    full = ALIASES.get(name, "")
    top = full.partition(".")[0]
    if full and (top in installed or top in sys.stdlib_module_names):
        yield 1.1, full, "", name


def _misspelt_module(source: Source, name: str, nodes: list[ast.Name], installed: Collection[str]) -> Iterator[Variant]:
    """A module's name misspelt where it is used, and not imported under the right one either."""
    for rank, module in enumerate(closest(name, [*sorted(sys.stdlib_module_names), *sorted(installed)], 2)):
        if not module.startswith("_") and len(name) > 2 and module not in {one.name for one in bound(source.tree)}:
            edits: list[Edit] = [source.replace(node, module) for node in nodes]
            edits.append(import_edit(source, module, ""))
            yield source.variant("missing import", 1.8 + rank, f"import {module}, for {name}", *edits)


def _said(node: ast.Import | ast.ImportFrom) -> str:
    return (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name


def _other_name(source: Source, modules: Modules, line: int | None, module: str, name: str) -> Iterator[Variant]:
    """What a module has under another name, or another module under this one."""
    own = modules.by_name.get(module)
    offered = list(modules.exports(own.path)) if own is not None else sorted(_standard_names(module))
    nodes = [
        node
        for node in imports_of(source)
        if isinstance(node, ast.ImportFrom) and any(alias.name == name for alias in node.names)
    ]
    nodes = [node for node in nodes if modules.resolved(source.path, node) == module] or nodes[:1]
    for node in nodes[:1]:
        alias = next(one for one in node.names if one.name == name)
        elsewhere = [one for one in modules.definitions.get(name, ()) if one.name != module]
        for rank, other in enumerate(elsewhere[:_MOST]):
            written = modules.written(source.path, other.name, node)
            edits = _taken_from(source, node, alias, written)
            yield source.variant("import", 1.0 + 0.3 * rank, f"{name} from {other.name}", *edits)
        for rank, found in enumerate(closest(name, offered, _MOST)):
            start, _ = source.span(alias)
            edit = Edit(source.path, start, start + len(name), found)
            says = f"{found} for {name}"
            uses = [] if alias.asname else _uses(source, name)
            yield source.variant("import", 1.1 + 0.4 * rank, says, edit, *(source.replace(one, found) for one in uses))
            if uses:
                kept = Edit(source.path, start, start + len(name), f"{found} as {name}")
                yield source.variant("import", 1.8 + 0.4 * rank, f"{found} as {name}", kept)
        for rank, other_module in enumerate(standard(name)):
            if other_module != module and own is None:
                edits = _taken_from(source, node, alias, other_module)
                yield source.variant("import", 1.2 + 0.3 * rank, f"{name} from {other_module}", *edits)
    # Where the module is imported as a whole, and the name taken from it.
    for attribute in on_line(source, line, ast.Attribute):
        if attribute.attr == name and not nodes:
            for rank, found in enumerate(closest(name, offered, _MOST)):
                edit = Edit(source.path, *spelt(attribute, source), found)
                yield source.variant("misspelt name", 1.0 + 0.4 * rank, f"{found} for {name}", edit)


def _standard_names(module: str) -> Collection[str]:
    return public_names(module) if module.partition(".")[0] in sys.stdlib_module_names else ()


def _uses(source: Source, name: str) -> list[ast.Name]:
    return [
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Name) and node.id == name and not source.in_text(node)
    ]


def _taken_from(source: Source, node: ast.ImportFrom, alias: ast.alias, module: str) -> list[Edit]:
    """The edits with which a name is imported from another module than the others of its statement."""
    start, end = source.span(node)
    if len(node.names) == 1:
        # Between ``from`` and ``import``, white space and dots as they may be.
        found = re.match(r"from(\s+|(?=\.))([.\s\w]+?)(\s+)import\b", source.text[start:end])
        if found is None:
            return [source.replace(node, f"from {module} import {source.code(alias)}")]
        return [Edit(source.path, start + found.start(2) - (len(found.group(1)) == 0), start + found.end(2), module)]
    place = node.names.index(alias)
    if place:
        gone = Edit(source.path, source.span(node.names[place - 1])[1], source.span(alias)[1], "")
    else:
        gone = Edit(source.path, source.span(alias)[0], source.span(node.names[1])[0], "")
    line = f"{source.line_end}{source.indent(node)}from {module} import {source.code(alias)}"
    return [gone, source.insert(end, line)]


def _other_module(
    source: Source, modules: Modules, line: int | None, name: str, installed: Collection[str]
) -> Iterator[Variant]:
    """A module that is written otherwise, or has moved."""
    known = [*modules.by_name, *sorted(sys.stdlib_module_names), *sorted(installed)]
    for node in imports_of(source):
        if line is not None and not node.lineno <= line <= (node.end_lineno or node.lineno):
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == name or alias.name.startswith(f"{name}."):
                    yield from _renamed(source, alias, name, _near_modules(source, modules, name, known))
        else:
            written = modules.resolved(source.path, node)
            if written == name or written.startswith(f"{name}."):
                yield from _from_other(source, modules, node, written, known)


def _near_modules(source: Source, modules: Modules, name: str, known: Collection[str]) -> list[str]:
    last = name.rpartition(".")[2]
    moved = [one for one in modules.by_name if one.rpartition(".")[2] == last and one != name]
    parent, _, tail = name.rpartition(".")
    siblings = {one.rpartition(".")[2]: one for one in known if one.rpartition(".")[0] == parent}
    near = [siblings[one] for one in closest(tail, siblings, _MOST) if not one.startswith("_") or tail.startswith("_")]
    own = modules.by_path.get(source.path)
    found = dict.fromkeys((*moved, *near, *closest(name, known, _MOST)))
    return [one for one in found if own is None or one != own.name][: _MOST + 1]


def _renamed(source: Source, alias: ast.alias, name: str, near: list[str]) -> Iterator[Variant]:
    written = alias.name
    for rank, other in enumerate(near):
        said = other + written[len(name) :]
        start, _ = source.span(alias)
        edits = [Edit(source.path, start, start + len(written), said)]
        if alias.asname is None and "." not in written and "." not in said:
            edits += [source.replace(one, said) for one in _uses(source, written)]
        yield source.variant("import", 1.0 + 0.4 * rank, f"{said} for {written}", *edits)


def _from_other(
    source: Source, modules: Modules, node: ast.ImportFrom, written: str, known: Collection[str]
) -> Iterator[Variant]:
    wanted = {alias.name for alias in node.names}
    holders = [one.name for one in modules.by_name.values() if wanted <= set(modules.exports(one.path))]
    near = _near_modules(source, modules, written, known)
    ordered = sorted(dict.fromkeys((*near, *holders[:_MOST])), key=lambda one: (one not in holders, one not in near))
    for rank, other in enumerate(ordered[: _MOST + 1]):
        said = modules.written(source.path, other, node)
        start, end = source.span(node)
        found = re.match(r"from(\s+|(?=\.))([.\s\w]+?)(\s+)import\b", source.text[start:end])
        if found is None or said == found.group(2):
            continue
        edit = Edit(source.path, start + found.start(2), start + found.end(2), said)
        yield source.variant("import", 1.0 + 0.4 * rank, f"{said} for {found.group(2)}", edit)
