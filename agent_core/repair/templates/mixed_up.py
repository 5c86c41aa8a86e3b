"""Two names mixed up: each in the other's place wherever a statement, or its condition, reads them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import lru_cache

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.layout import SIMPLE

_MOST_NAMES = 5
_RECEIVERS = frozenset({"self", "cls"})


def names_exchanged(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """``min(high, max(low, x))`` for ``min(low, max(high, x))`` as for ``max(high, min(low, x))``."""
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
        return
    statement = source.statement(node)
    if statement is None:
        return
    # Of a statement with a body only what it asks.
    root = statement if isinstance(statement, SIMPLE) else getattr(statement, "test", None)
    read = _read(source, root) if isinstance(root, ast.AST) else {}
    # Once for all places: at the first of them.
    if len(read) > _MOST_NAMES or node not in (places[0] for places in read.values()):
        return
    for other in [*read][[*read].index(node.id) + 1 :]:
        called = _called(source, read[node.id])
        if called is not None and called is _called(source, read[other]):
            pairs = ((node.id, other), (other, node.id))
            edits = [Edit(source.path, *source.span(one), new) for old, new in pairs for one in read[old]]
            yield source.variant("names exchanged", 2.4 if called else 1.6, f"{node.id} and {other} exchanged", *edits)


@lru_cache(maxsize=64)
def _read(source: Source, root: ast.AST) -> Mapping[str, list[ast.Name]]:
    """The names that are read under a node, with their places, from left to right; not those within texts."""
    names = [one for one in ast.walk(root) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)]
    within = {one.id for one in names if source.in_text(one)} | _RECEIVERS
    found: dict[str, list[ast.Name]] = {}
    for one in sorted(names, key=lambda name: (name.lineno, name.col_offset)):
        if one.id not in within:
            found.setdefault(one.id, []).append(one)
    return found


def _called(source: Source, places: list[ast.Name]) -> bool | None:
    """Whether a name is called at all of its places; None where it is at some only."""
    called = {source.is_called(one) for one in places}
    return called.pop() if len(called) == 1 else None


MIXED_UP: tuple[Template, ...] = (names_exchanged,)
