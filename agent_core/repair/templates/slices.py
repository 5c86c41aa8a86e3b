"""One off: indices, the bounds of slices and ranges, what is measured or compared; ends exchanged."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source, called_name
from agent_core.repair.templates import Template
from agent_core.repair.templates.exact import Level, editable, held_together, piece, replaced
from agent_core.repair.templates.guesses import guessed
from agent_core.repair.templates.seen import words
from agent_core.repair.templates.vocabulary import guess_of, visible

_COUNTED = (ast.Name, ast.Attribute, ast.Call, ast.BinOp, ast.Subscript)
_COUNTING = frozenset({"range", "islice", "randrange", "randint", "seek", "read", "ljust", "rjust", "center", "zfill"})


def off_by_one(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """One more, and one less, of what counts: an index, a bound, a length."""
    if not isinstance(node, _COUNTED) or not editable(source, node):
        return
    guess = guessed(node)
    if isinstance(node, ast.Name):
        values = project.values(source.path, node.lineno)
        guess = guess_of(visible(source, node).get(node.id), node.id, values)
    if guess not in {"number", "bool", ""}:
        return
    cost = _cost(source, node, known=guess == "number")
    if not cost or (isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant)):
        # A sum with a number is one off by that number: see the template of constants.
        return
    text = piece(source, node, Level.SUM)
    yield from replaced(source, node, f"{text} - 1", "off by one", cost)
    yield from replaced(source, node, f"{text} + 1", "off by one", cost + 0.05)


def _cost(source: Source, node: ast.expr, *, known: bool) -> float:
    """How unusual it is to be one off at a place; 0 where nothing is counted."""
    parent = source.parents.get(node)
    cost = 0.0
    match parent:
        case ast.Slice():
            cost = 1.2
        case ast.Subscript() if node is parent.slice:
            cost = 1.2 if known else 1.6
        case ast.Call() if node is not parent.func:
            cost = 1.1 if called_name(parent) in _COUNTING else 1.7 if known else 2.4
        case ast.Compare():
            orders = any(isinstance(one, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for one in parent.ops)
            cost = 1.5 if known else 2.2 if orders else 2.8
        case ast.BinOp() if not isinstance(parent.op, ast.Add | ast.Sub):
            cost = 1.8 if known else 2.6
        case ast.BinOp():
            cost = 1.9 if known else 2.8
        case ast.Return() | ast.Assign() | ast.AugAssign() | ast.keyword() | ast.IfExp() | ast.Tuple() | ast.Yield():
            cost = 1.6 if known else 2.4
    return cost


def bounds(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """Bounds of a slice: one left out, put in, both exchanged, another step; one item for a slice."""
    if not isinstance(node, ast.Subscript) or not editable(source, node):
        return
    owner = source.code(node.value)
    if isinstance(node.slice, ast.Slice):
        texts = [source.code(one) if one is not None else "" for one in (node.slice.lower, node.slice.upper)]
        step = f":{source.code(node.slice.step)}" if node.slice.step is not None else ""
        for lower, upper, steps, cost in _other_bounds(texts[0], texts[1], step, _around(source, node, project)):
            yield from _sliced(source, node, f"{lower}:{upper}{steps}", cost)
        yield from replaced(source, node, owner, "bounds", 1.8)
        for index, cost in ((texts[0], 2.0), (texts[1], 2.2)):
            if index:
                yield from _sliced(source, node, index, cost)
        return
    index = source.code(node.slice)
    if guessed(node.slice) in {"text", "dict", "list", "tuple", "set"} or "\n" in index:
        return
    if isinstance(node.slice, ast.Constant | ast.UnaryOp | ast.Name | ast.BinOp):
        for text, cost in (
            (f"{index}:", 1.8),
            (f":{index}", 1.8),
            ("-1", 1.9),
            ("0", 2.0),
            (f"-{index}" if index.isdigit() and index != "0" else "-1", 1.5),
        ):
            if text != index:
                yield from _sliced(source, node, text, cost)


def _sliced(source: Source, node: ast.Subscript, inside: str, cost: float) -> Iterator[Variant]:
    """A subscript with another inside."""
    owner_end = source.span(node.value)[1]
    start = source.text.index("[", owner_end) + 1
    end = source.span(node)[1] - 1
    if source.text[owner_end : start - 1].strip(" )\t") or source.in_text(node):
        return
    old = source.text[start:end]
    if inside != old and "#" not in old:
        yield source.variant("bounds", cost, f"[{inside}] for [{old.strip()}]", Edit(source.path, start, end, inside))


def _around(source: Source, node: ast.AST, project: Project) -> list[str]:
    """Names that may be bounds."""
    return [word.text for word in words(source, node, project) if word.guess in {"number", ""}][:6]


def _other_bounds(lower: str, upper: str, step: str, around: list[str]) -> Iterator[tuple[str, str, str, float]]:
    if lower:
        yield "", upper, step, 1.5
    else:
        yield from (("1", upper, step, 1.4), ("-1", upper, step, 2.4))
        yield from ((word, upper, step, 1.8) for word in around)
    if upper:
        yield lower, "", step, 1.5
    else:
        yield from ((lower, "-1", step, 1.4), (lower, "1", step, 2.2))
        yield from ((lower, word, step, 1.8) for word in around)
    yield upper, lower, step, 1.6
    if lower and upper:
        yield lower, f"{_summed(lower)} + {_summed(upper)}", step, 2.0
    for text, first in ((lower, True), (upper, False)):
        if text.isdigit() and text != "0":
            other = f"-{text}"
        elif text.startswith("-"):
            other = text[1:]
        else:
            continue
        yield (other, upper, step, 1.5) if first else (lower, other, step, 1.5)
    if step:
        yield lower, upper, "", 1.7
        yield lower, upper, ":-1", 2.0
    elif not lower and not upper:
        yield "", "", ":-1", 1.5
    else:
        yield from ((lower, upper, ":-1", 2.2), (lower, upper, ":2", 2.2))


def ranges(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """Another range: a start put in or left out, both ends exchanged, from the last to the first."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id != "range":
        return
    if not editable(source, node) or source.in_text(node) or node.keywords:
        return
    given = [source.code(one) for one in node.args]
    if any("\n" in one or one.startswith("*") for one in given):
        return
    for arguments, cost in _other_ranges(given, _around(source, node, project)):
        yield from replaced(source, node, f"range({', '.join(arguments)})", "range", cost)


def _other_ranges(given: list[str], around: list[str]) -> Iterator[tuple[list[str], float]]:
    if len(given) == 1:
        end = given[0]
        yield from ((["1", end], 1.3), (["1", f"{_summed(end)} + 1"], 1.5), (["2", end], 2.2))
        yield from (([word, end], 1.8) for word in around if word != end)
        yield [f"{_summed(end)} - 1", "-1", "-1"], 2.0
        yield [f"len({end})"], 1.8
        yield from (([word], 2.2) for word in around if word != end)
    elif len(given) == 2:
        start, end = given
        yield from (([end], 1.5), (["0", end], 1.6), (["1", end], 1.6), ([end, start], 1.6))
        yield from (
            ([start, f"{_summed(start)} + {_summed(end)}"], 2.0),
            ([start, end, "-1"], 1.8),
            ([start, end, "2"], 2.2),
        )
        yield [end, start, "-1"], 2.0
    elif len(given) == 3:
        start, end, step = given
        yield from (([start, end], 1.6), ([end, start, step], 1.8))
        yield [start, end, step[1:] if step.startswith("-") else f"-{held_together(step, Level.FACTOR)}"], 1.6


def _summed(text: str) -> str:
    return held_together(text, Level.SUM)


SLICES: tuple[Template, ...] = (off_by_one, bounds, ranges)
