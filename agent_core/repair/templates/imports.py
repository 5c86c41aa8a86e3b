"""An import that is missing for a name: as other files have it, of the project, of the standard library."""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterator

from agent_core.repair.beyond.import_lines import import_edit
from agent_core.repair.beyond.imports import modules_of, standard
from agent_core.repair.model import Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.vocabulary import is_bound


def import_missing(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """An import of a name that nobody has bound."""
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load) or hasattr(builtins, node.id):
        return
    if is_bound(source, node, node.id) or any(
        isinstance(one, ast.ImportFrom) and one.names[0].name == "*" for one in source.tree.body
    ):
        return
    for index, (module, name, own) in enumerate(_origins(source, project, node.id)):
        edit = import_edit(source, module, name, alias=node.id, own=own)
        said = f"from {module} import {name}" if name else f"import {module}"
        yield source.variant("import added", 1.0 + index * 0.1, f"{said} added", edit)


def _origins(source: Source, project: Project, name: str) -> list[tuple[str, str, bool]]:
    """Where a name may come from: module, name there, and whether the module is the project's."""
    modules = modules_of(project)
    found: dict[tuple[str, str], bool] = {}
    for module, there in modules.spellings.get(name, ()):
        found[module, there] = module in modules.by_name
    for one in modules.definitions.get(name, ()):
        if one.path != source.path:
            found.setdefault((one.name, name), True)
    if name in modules.by_name:
        found.setdefault((name, ""), True)
    if name in sys.stdlib_module_names:
        found.setdefault((name, ""), False)
    # The library is read for it, which is worth it for a name that a test missed.
    if not project.failing or any(f"'{name}'" in run.message for run in project.failing):
        for module in standard(name):
            found.setdefault((module, name), False)
    return [(module, there, own) for (module, there), own in found.items()][:6]


IMPORTS: tuple[Template, ...] = (import_missing,)
