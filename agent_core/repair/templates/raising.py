"""Exceptions: another class raised or caught, ``raise`` missing; catching what comes, as a last resort."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.failures import (
    ORDINARY,
    errors_at,
    exceptions_known,
    expected_errors,
    is_exception_call,
)
from agent_core.repair.templates.guesses import empty
from agent_core.repair.templates.layout import code_at, lines_of, loop_around, shown, text_of, unit
from agent_core.repair.templates.returns import returned_values
from agent_core.repair.templates.vocabulary import likeness, visible


def _classes(source: Source, project: Project, node: ast.AST, own: str) -> list[tuple[str, float]]:
    """Exception classes that may be meant, with what they cost: those expected, those of the file, ordinary ones."""
    there = visible(source, node)
    found: dict[str, float] = {}
    for name in expected_errors(project):
        if name in there or hasattr(builtins, name):
            found[name] = 1.0
    for index, name in enumerate(name for name in exceptions_known(source) if name in there or name in ORDINARY):
        found.setdefault(name, 2.0 + index / 10)
    for index, name in enumerate(sorted(ORDINARY, key=lambda one: -likeness(one, own))):
        found.setdefault(name, 2.6 + index / 10)
    found.pop(own, None)
    return sorted(found.items(), key=lambda pair: pair[1])[:14]


def other_exception(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """Another class of exception raised."""
    if not isinstance(node, ast.Raise) or node.exc is None:
        return
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    if not isinstance(raised, ast.Name):
        return
    for name, cost in _classes(source, project, node, raised.id):
        yield source.variant("other exception", cost, f"{name} for {raised.id}", source.replace(raised, name))


def raise_missing(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """An exception that is made, or returned, and not raised."""
    if isinstance(node, ast.Expr) and is_exception_call(node.value):
        text = source.code(node.value)
        yield source.variant("raise added", 1.0, f"raise {shown(text, 40)}", source.replace(node, f"raise {text}"))
    elif isinstance(node, ast.Return) and node.value is not None:
        text = source.code(node.value)
        if is_exception_call(node.value):
            yield source.variant("raise added", 1.1, f"raise {shown(text, 40)}", source.replace(node, f"raise {text}"))
        yield from _raised_instead(source, project, node)
    elif isinstance(node, ast.Return | ast.Pass):
        yield from _raised_instead(source, project, node)


def _raised_instead(source: Source, project: Project, node: ast.stmt) -> Iterator[Variant]:
    for name in expected_errors(project)[:2]:
        if name in visible(source, node) or name in ORDINARY:
            says = f"raise {name} for {shown(source.code(node), 40)}"
            yield source.variant("raise added", 2.0, says, source.replace(node, f"raise {name}"))


def other_handler(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """Another class of exception caught: the one that came, first; or that one, too."""
    if not isinstance(node, ast.ExceptHandler):
        return
    around = source.parents.get(node)
    body = around.body if isinstance(around, ast.Try) else []
    came = dict.fromkeys(name for one in body for inner in ast.walk(one) for name in errors_at(source, project, inner))
    if node.type is None:
        return
    own = source.code(node.type)
    if isinstance(node.type, ast.Tuple):
        yield from _one_of_several(source, project, node.type, tuple(came))
    for index, name in enumerate(came):
        if name != own:
            yield source.variant(
                "other handler", 1.2 + index / 5, f"except {name} for {shown(own, 40)}", source.replace(node.type, name)
            )
            inner = [source.code(one) for one in node.type.elts] if isinstance(node.type, ast.Tuple) else [own]
            if name not in inner:
                both = f"({', '.join([*inner, name])})"
                yield source.variant(
                    "other handler", 1.4 + index / 5, f"except {both}", source.replace(node.type, both)
                )
    for name, cost in _classes(source, project, node, own):
        if name not in came:
            yield source.variant(
                "other handler", cost + 0.4, f"except {name} for {shown(own, 40)}", source.replace(node.type, name)
            )
    yield source.variant("other handler", 3.2, "except Exception", source.replace(node.type, "Exception"))


def _one_of_several(source: Source, project: Project, several: ast.Tuple, came: tuple[str, ...]) -> Iterator[Variant]:
    """Another class in the place of one of several, of one that is not there first."""
    others = {source.code(one) for one in several.elts}
    there = visible(source, several)
    for one in several.elts:
        if not isinstance(one, ast.Name):
            continue
        dearer = 0.4 if one.id in there or hasattr(builtins, one.id) else -0.6
        classes = {**dict(_classes(source, project, several, one.id)), **dict.fromkeys(came, 1.6)}
        for name, cost in classes.items():
            if name not in others:
                says = f"{name} for {one.id} among what is caught"
                yield source.variant("other handler", cost + dearer, says, source.replace(one, name))


def caught(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """What came caught where it came: a way around the mistake, as a last resort."""
    if not isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.Return):
        return
    errors = errors_at(source, project, node)
    place = lines_of(source, node)
    if not errors or place is None:
        return
    indent = source.indent(node)
    inner = text_of(source, node, node, indent + unit(source))
    if inner is None:
        return
    for name in errors[:2]:
        if name not in visible(source, node) and name not in ORDINARY:
            continue
        for index, text in enumerate(_ways_on(source, node)):
            whole = code_at(source, indent, "try:") + inner + code_at(source, indent, f"except {name}:\n\t{text}")
            says = f"{name} caught: {text}"
            yield source.variant("caught", 8.0 + index / 4, says, Edit(source.path, *place, whole))


def _ways_on(source: Source, node: ast.stmt) -> list[str]:
    """What can be done where a statement failed."""
    ways = []
    if loop_around(source, node) is not None:
        ways += ["continue", "break"]
    function = source.function(node)
    if function is not None:
        ways += [f"return {value}" for value in returned_values(source, function)[:3]]
        ways.append("return None")
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        ways += [f"{node.targets[0].id} = {value}" for value in ("None", "0", empty("list"), empty("text"))]
    elif not isinstance(node, ast.Return):
        ways.append("pass")
    return list(dict.fromkeys(ways))


RAISING: tuple[Template, ...] = (other_exception, raise_missing, other_handler, caught)
