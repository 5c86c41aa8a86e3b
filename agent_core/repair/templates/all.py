"""All templates together: the variants of a line."""

from __future__ import annotations

import ast
import bisect
import logging
import traceback
import warnings
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from agent_core.repair.model import Edit, Variant, with_edits
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.spans import nodes_at
from agent_core.repair.templates import Template
from agent_core.repair.templates.expressions import EXPRESSIONS
from agent_core.repair.templates.statements import STATEMENTS

log = logging.getLogger(__name__)
TEMPLATES: tuple[Template, ...] = (*EXPRESSIONS, *STATEMENTS)
# More than this of one line come of no slip.
_MOST_EACH = 300
_Key = tuple[Edit, ...]


_DEFAULT = 1.6
"""How much rarer a wrong default of a parameter is than the same slip in what a function does."""


def variants_at(source: Source, line: int, project: Project, *, compiled: bool = True) -> list[Variant]:
    """What could be changed at a line.

    Args:
        source: A file of the project.
        line: The first line of a statement, or of a part of one.
        project: The project.
        compiled: Leave out what does not compile; else that is for whoever tries it, see `compiles`.

    Returns:
        The cheapest first, each text once.
    """
    found: dict[_Key, Variant] = {}
    for node in nodes_at(source, line):
        rarer = _DEFAULT if any(isinstance(one, ast.arguments) for one in source.above(node)) else 1.0
        for template in TEMPLATES:
            for variant in _made(template, source, node, project):
                key, cost = least(source, variant), variant.cost * rarer
                if key and (key not in found or cost < found[key].cost):
                    found[key] = variant if rarer == 1 else msgspec.structs.replace(variant, cost=cost)
    ordered = sorted(found.values(), key=lambda variant: variant.cost)
    return [variant for variant in ordered if compiles(source, variant)] if compiled else ordered


def _made(template: Template, source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """What a template gives; one that fails is passed over, as it may have met what nobody thought of."""
    variants = template(source, node, project)
    for _ in range(_MOST_EACH):
        try:
            variant = next(variants)
        except StopIteration:
            return
        except Exception:  # noqa: BLE001 - it is logged there
            _complain(getattr(template, "__name__", "?"), source.path)
            return
        yield variant


@lru_cache(maxsize=1000)
def _complain(template: str, path: str) -> None:
    """Log the error that is being handled; once for a file, as what fails at one node does so at many."""
    log.warning("the template %s failed in %s:\n%s", template, path, traceback.format_exc(limit=-4))


def least(source: Source, variant: Variant) -> _Key:
    """The edits of a variant without what they leave as it is, by which equal ones are known; empty where all is.

    Args:
        source: The file.
        variant: A variant of it; edits of other files are taken as they are.
    """
    edits = []
    for edit in variant.edits:
        if edit.path != source.path:
            edits.append(edit)
            continue
        old, new = source.text[edit.start : edit.end], edit.text
        same = 0
        while same < min(len(old), len(new)) and old[same] == new[same]:
            same += 1
        alike = 0
        while alike < min(len(old), len(new)) - same and old[-1 - alike] == new[-1 - alike]:
            alike += 1
        if old != new:
            edits.append(Edit(edit.path, edit.start + same, edit.end - alike, new[same : len(new) - alike]))
    return tuple(edits)


def compiles(source: Source, variant: Variant) -> bool:
    """Whether the innermost statement that a variant changes can still be parsed.

    A whole file would take long, and whoever tries the variant compiles that.
    """
    here = [edit for edit in variant.edits if edit.path == source.path]
    if not here:
        return True
    try:
        start, end = _part(source, min(edit.start for edit in here), max(edit.end for edit in here))
        moved = [Edit(edit.path, edit.start - start, edit.end - start, edit.text) for edit in here]
        text = with_edits(source.text[start:end], moved)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse("if 1:\n" + text if text[:1] in " \t\f" else text, source.path)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return False
    return True


def _part(source: Source, start: int, end: int) -> tuple[int, int]:
    """Where the lines of the innermost statement around a place begin and end, of such as can stand alone."""
    part = 0, len(source.text)
    parts = _parts(source, None)
    while True:
        number = bisect.bisect_right(parts, start, key=lambda row: row[0]) - 1
        if number < 0:
            return part
        first, last, node = parts[number]
        if not (first <= start and end <= last):
            return part
        # What is behind an ``elif`` is a statement of its own to the tree alone.
        if not source.text.startswith("elif", first + len(source.indent(node))):
            part = first, last
        parts = _parts(source, node)
        if not parts:
            return part


@lru_cache(maxsize=512)
def _parts(source: Source, around: ast.AST | None) -> list[tuple[int, int, ast.stmt]]:
    """Where the lines of a statement's own statements begin and end, in order; of the module's without one."""
    found: list[tuple[int, int, ast.stmt]] = []
    waiting = list(ast.iter_child_nodes(source.tree if around is None else around))
    for node in waiting:
        if isinstance(node, ast.stmt):
            found.append((*_lines(source, node), node))
        elif isinstance(node, ast.ExceptHandler | ast.match_case):
            waiting += ast.iter_child_nodes(node)
    return sorted(found, key=lambda row: row[:2])


def _lines(source: Source, node: ast.stmt) -> tuple[int, int]:
    """Where a statement's lines begin and end, decorators included."""
    line = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
    start = source.offset(line, 0)
    _, stop = source.span(node)
    end = source.text.find("\n", stop)
    return start, len(source.text) if end < 0 else end + 1
