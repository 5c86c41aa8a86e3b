"""An expression extended by one that is said nearby: ``a + b`` for ``a``, ``x % n`` for ``x``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agent_core.repair.model import Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.exact import Level, editable, held_together, piece, replaced
from agent_core.repair.templates.guesses import guessed
from agent_core.repair.templates.seen import constants, said, words
from agent_core.repair.templates.wraps import guess_at, site_cost

_MOST = 8
_FEW = 4
_EXTENDED = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.BinOp, ast.List, ast.JoinedStr, ast.Constant)


def extended(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """A value with something of its own kind added, or taken from it; where it counts, multiplied or divided."""
    if not isinstance(node, _EXTENDED) or not editable(source, node):
        return
    cost, guess = site_cost(source, node), guess_at(source, node, project)
    if not cost or (isinstance(node, ast.Constant) and guess not in {"number", "text"}):
        return
    if isinstance(source.parents.get(node), ast.BinOp):
        # The sum of which it is a part is extended already.
        return
    cost += 0.1 + (0.3 if isinstance(node, ast.Constant) else 0.0)
    if guess in {"number", ""}:
        yield from _numbers(source, node, project, cost + (0.0 if guess else 0.2))
    if guess in {"text", ""}:
        yield from _texts(source, node, project, cost + (0.0 if guess else 0.4))
    if guess in {"list", "tuple", ""}:
        yield from _lists(source, node, project, cost + (0.0 if guess else 0.4))


def _other_values(source: Source, node: ast.expr, project: Project, guess: str) -> list[str]:
    """What may be joined to a value: names that nobody reads, then what is said nearby and fits."""
    own = source.code(node)
    found: dict[str, None] = {}
    for word in words(source, node, project):
        if word.guess == guess and word.unused:
            found[word.text] = None
    for one in said(source, node):
        kind = guess_at(source, one.node, project) if isinstance(one.node, ast.Name) else one.guess
        if kind in {guess, ""} and not isinstance(one.node, ast.Compare) and own not in one.text:
            found[one.text] = None
    for word in words(source, node, project):
        if word.guess in {guess, ""} and word.text != own:
            found[word.text] = None
    surely = guess_at(source, node, project) == guess and site_cost(source, node) < 2.5
    return list(found)[: _MOST if surely else _FEW]


def _numbers(source: Source, node: ast.expr, project: Project, cost: float) -> Iterator[Variant]:
    tight, summed = piece(source, node, Level.TERM), piece(source, node, Level.SUM)
    for index, other in enumerate(_other_values(source, node, project, "number")):
        away = cost + 0.1 * index
        yield from replaced(source, node, f"{summed} + {held_together(other, Level.TERM)}", "extended", away)
        yield from replaced(source, node, f"{summed} - {held_together(other, Level.TERM)}", "extended", away + 0.05)
        if index < _FEW:
            factor = held_together(other, Level.FACTOR)
            yield from replaced(source, node, f"{tight} * {factor}", "extended", away + 0.2)
            yield from replaced(source, node, f"{tight} % {factor}", "extended", away + 0.4)
    for word in [one for one in words(source, node, project) if one.guess in {"list", "text", "sized", "tuple"}][:2]:
        yield from replaced(source, node, f"{tight} % len({word.text})", "extended", cost + 0.2)
        yield from replaced(source, node, f"{summed} + len({word.text})", "extended", cost + 0.3)
        yield from replaced(source, node, f"{summed} - len({word.text})", "extended", cost + 0.3)


def _texts(source: Source, node: ast.expr, project: Project, cost: float) -> Iterator[Variant]:
    summed = piece(source, node, Level.SUM)
    texts = [repr(one) for one in constants(source.scope(node)).texts if 0 < len(one) <= 4][:4]
    for index, other in enumerate(
        dict.fromkeys([*_other_values(source, node, project, "text")[:_FEW], *texts, "'\\n'"])
    ):
        other = held_together(other, Level.TERM)  # noqa: PLW2901 - the same, as it is written here
        yield from replaced(source, node, f"{summed} + {other}", "extended", cost + 0.1 * index)
        yield from replaced(source, node, f"{other} + {summed}", "extended", cost + 0.1 * index + 0.05)


def _lists(source: Source, node: ast.expr, project: Project, cost: float) -> Iterator[Variant]:
    summed = piece(source, node, Level.SUM)
    lists = [one.text for one in words(source, node, project) if one.guess == "list" and one.text != summed]
    items = [one.text for one in words(source, node, project) if one.guess not in {"list", "dict", "set"}]
    others = [*lists[:4], *(f"[{item}]" for item in items[:4] if item != summed)]
    for index, other in enumerate(others):
        yield from replaced(source, node, f"{summed} + {other}", "extended", cost + 0.1 * index)
        yield from replaced(source, node, f"{other} + {summed}", "extended", cost + 0.1 * index + 0.05)


def items(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """One item more, or one less, of a list or tuple that is written out."""
    if not isinstance(node, ast.List | ast.Tuple | ast.Set) or not editable(source, node) or source.in_text(node):
        return
    code = source.code(node)
    if len(node.elts) > 8 or code[0] not in "[({" or "#" in code or isinstance(source.parents.get(node), ast.Subscript):
        return
    texts = [source.code(one) for one in node.elts]
    start, end = code[0], code[-1]
    one_comma = "," if isinstance(node, ast.Tuple) and len(texts) == 2 else ""
    if len(texts) > 1:
        for index, text in enumerate(texts):
            rest = ", ".join((*texts[:index], *texts[index + 1 :]))
            yield from replaced(source, node, f"{start}{rest}{one_comma}{end}", "items", 2.2, says=f"without {text}")
        for index in range(len(texts) - 1):
            turned = [*texts]
            turned[index], turned[index + 1] = turned[index + 1], turned[index]
            yield from replaced(source, node, f"{start}{', '.join(turned)}{end}", "items", 1.8)
    kinds = {guessed(one) for one in node.elts}
    kind = kinds.pop() if len(kinds) == 1 else ""
    known = set(texts)
    rank = 0
    for word in words(source, node, project):
        if word.text in known or (kind and word.guess not in {kind, ""}) or rank >= 8:
            continue
        rank += 1
        cost = (1.9 if word.unused else 2.4) + 0.1 * rank
        yield from replaced(source, node, f"{start}{', '.join((*texts, word.text))}{end}", "items", cost)
        yield from replaced(source, node, f"{start}{', '.join((word.text, *texts))}{end}", "items", cost + 0.1)


EXTENSIONS: tuple[Template, ...] = (extended, items)
