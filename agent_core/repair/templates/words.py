"""Statements made of a function's own words, the likeliest first."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates.guesses import compatible
from agent_core.repair.templates.layout import loop_around, walk_own
from agent_core.repair.templates.members import members
from agent_core.repair.templates.vocabulary import Binding, guess_of, likeness, local_names, vocabulary


def composed(source: Source, node: ast.stmt, project: Project) -> list[tuple[str, float]]:
    """Statements that could be missing at a place, with what each costs in addition.

    Args:
        source: The file.
        node: The statement beside which one is missing.
        project: Tells what names held.
    """
    values = project.values(source.path, node.lineno)
    there = {name: one._replace(guess=guess_of(one, name, values)) for name, one in local_names(source, node).items()}
    scope = source.scope(node)
    has = members(source, node)
    own = dict(has.attributes) if has is not None and has.receiver else {}
    receiver = has.receiver if has is not None else ""
    kinds = _kinds(scope)
    still = never_changed(scope)
    found: dict[str, float] = {}
    for code, cost in (
        *_counted(there, still),
        *_collected(there, kinds, {f"{receiver}.{name}": guess for name, guess in own.items()}, _made_by(node), still),
        *_stepped(scope, there),
        *_handed_on(source, node, there, still),
        *_yielded(scope, there),
    ):
        if cost < found.get(code, 99.0):
            found[code] = cost
    return sorted(found.items(), key=lambda pair: pair[1])


def _kinds(scope: ast.AST) -> dict[str, str]:
    """Names that something is looked for in: they are lists or sets of what is looked for."""
    found: dict[str, str] = {}
    for one in walk_own(scope):
        if isinstance(one, ast.Compare) and isinstance(one.ops[0], ast.In | ast.NotIn):
            box, item = one.comparators[0], one.left
            if isinstance(box, ast.Name | ast.Attribute) and isinstance(item, ast.Name | ast.Attribute | ast.Tuple):
                found[ast.unparse(box)] = ast.unparse(item)
    return found


def _made_by(node: ast.stmt) -> set[str]:
    """The names that a statement binds, which what is behind it is most likely about."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}


def never_changed(scope: ast.AST) -> set[str]:
    """Names and attributes that are set once and that nothing is done to: what should change them may be missing."""
    written: Counter[str] = Counter()
    changed: set[str] = set()
    for one in walk_own(scope):
        if isinstance(one, ast.Name | ast.Attribute) and isinstance(one.ctx, ast.Store):
            written[ast.unparse(one)] += 1
        elif isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute):
            changed.add(ast.unparse(one.func.value))
        elif isinstance(one, ast.Subscript) and not isinstance(one.ctx, ast.Load):
            changed.add(ast.unparse(one.value))
    return {name for name, count in written.items() if count == 1} - changed


def _counted(there: dict[str, Binding], still: set[str]) -> Iterator[tuple[str, float]]:
    for name, one in there.items():
        if one.guess == "number" and one.kind != "loop":
            less = 0.4 if name in still else 0.0
            yield f"{name} += 1", (0.0 if one.kind == "local" else 0.5) - less
            yield f"{name} -= 1", 0.4 - less / 2


def _collected(
    there: dict[str, Binding], looked_in: dict[str, str], own: dict[str, str], made: set[str], still: set[str]
) -> Iterator[tuple[str, float]]:
    for box, item in looked_in.items():
        guess = there[box].guess if box in there else own.get(box, "")
        for method in {"list": ("append",), "set": ("add",)}.get(guess, ("add", "append")):
            yield f"{box}.{method}({item})", -0.4
    boxes = {name: one.guess for name, one in there.items()} | own
    items = [name for name, one in there.items() if one.kind in {"loop", "local", "parameter"}]
    items.sort(key=lambda name: (name not in made, there[name].kind != "loop", -there[name].line))
    for box, guess in boxes.items():
        method = {"list": "append", "set": "add"}.get(guess, "")
        if not method:
            continue
        for rank, item in enumerate([one for one in items if one != box][:5]):
            yield f"{box}.{method}({item})", (-0.3 if box in still else 0.2) + 0.12 * rank
            if method == "append" and rank < 2 and there[item].guess in {"list", "tuple", "sized"}:
                yield f"{box}.extend({item})", 0.5
        if method == "append":
            yield f"{box}.pop()", 0.9
    for box, guess in boxes.items():
        if guess == "dict" and items:
            pairs = [
                (one, other) for one in items[:4] for other in items[:4] if one != other and box not in {one, other}
            ]
            for rank, (key, value) in enumerate(pairs[:6]):
                yield f"{box}[{key}] = {value}", 0.6 + 0.1 * rank


def _stepped(scope: ast.AST, there: dict[str, Binding]) -> Iterator[tuple[str, float]]:
    """A step along a chain: ``node = node.next``."""
    for one in walk_own(scope):
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and isinstance(one.ctx, ast.Load):
            name = one.value.id
            if name in there and there[name].guess not in {"list", "text", "dict", "set", "number"}:
                yield f"{name} = {name}.{one.attr}", 0.3


def _handed_on(
    source: Source, node: ast.stmt, there: dict[str, Binding], still: set[str]
) -> Iterator[tuple[str, float]]:
    """One variable given what another holds, as at the end of a round: ``previous = node``."""
    written = {
        one.id for one in walk_own(source.scope(node)) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    loop = loop_around(source, node)
    uses = vocabulary(source, node).uses
    for name, one in there.items():
        if name not in written or one.kind == "loop":
            continue
        before_loop = loop is not None and one.line < loop.lineno and any(use >= loop.lineno for use in uses[name])
        others = [other for other, which in there.items() if other != name and compatible(one.guess, which.guess)]
        others.sort(key=lambda other: (-likeness(name, other), -there[other].line))
        for rank, other in enumerate(others[:4]):
            base = 0.9 if not before_loop else 0.0 if name in still else 0.3
            yield f"{name} = {other}", base + 0.12 * rank
    for name, one in there.items():
        if one.kind == "parameter" and one.guess == "text":
            yield f"{name} = {name}.strip()", 1.2


def _yielded(scope: ast.AST, there: dict[str, Binding]) -> Iterator[tuple[str, float]]:
    if any(isinstance(one, ast.Yield | ast.YieldFrom) for one in walk_own(scope)):
        ordered = sorted(there, key=lambda name: (there[name].kind != "loop", -there[name].line))
        for rank, name in enumerate(ordered[:4]):
            yield f"yield {name}", 0.3 + 0.15 * rank
