"""All templates together: the variants of a line."""

from __future__ import annotations

import ast
import bisect
import logging
import warnings
from collections.abc import Iterator
from functools import lru_cache

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
# So many classes may be within one another.
_DEEPEST = 6
_Key = tuple[Edit, ...]


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
        for template in TEMPLATES:
            for variant in _made(template, source, node, project):
                key = least(source, variant)
                if key and (key not in found or variant.cost < found[key].cost):
                    found[key] = variant
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
        except Exception:
            log.warning("a template failed at %s:%s", source.path, getattr(node, "lineno", "?"), exc_info=True)
            return
        yield variant


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
    """Whether the part of the file that a variant changes still compiles: its function, else its outermost statement.

    A whole file would take long, and whoever tries the variant compiles that.
    """
    here = [edit for edit in variant.edits if edit.path == source.path]
    try:
        start, end = _part(source, min(edit.start for edit in here), max(edit.end for edit in here))
        moved = [Edit(edit.path, edit.start - start, edit.end - start, edit.text) for edit in here]
        text = with_edits(source.text[start:end], moved)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile("if 1:\n" + text if text[:1] in " \t" else text, source.path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return False
    return True


def _part(source: Source, start: int, end: int) -> tuple[int, int]:
    """Where the lines of the outermost function around a place begin and end, or of a statement of the module."""
    parts = _parts(source)
    number = bisect.bisect_right(parts, (start, len(source.text) + 1)) - 1
    # Of a class and what is in it the narrowest comes last.
    for first, last in reversed(parts[max(number - _DEEPEST, 0) : number + 1]):
        if first <= start and end <= last:
            return first, last
    return 0, len(source.text)


@lru_cache(maxsize=32)
def _parts(source: Source) -> list[tuple[int, int]]:
    """Where the lines of the module's statements, and of those of its classes, begin and end, in order."""
    found: list[tuple[int, int]] = []
    bodies = [source.tree.body]
    while bodies:
        for node in bodies.pop():
            found.append(_lines(source, node))
            if isinstance(node, ast.ClassDef):
                bodies.append(node.body)
    return sorted(found, key=lambda part: (part[0], -part[1]))


def _lines(source: Source, node: ast.stmt) -> tuple[int, int]:
    """Where a statement's lines begin and end, decorators included."""
    line = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
    start = source.offset(line, 0)
    _, stop = source.span(node)
    end = source.text.find("\n", stop)
    return start, len(source.text) if end < 0 else end + 1
