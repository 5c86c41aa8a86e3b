"""Statements in another place: exchanged, moved into or out of a block, taken out, freed of their condition."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.layout import (
    Block,
    block,
    ends_flow,
    insertion,
    is_docstring,
    is_elif,
    lines_of,
    shown,
    text_of,
    unit,
)
from agent_core.repair.templates.vocabulary import FUNCTIONS, LOOPS

_OPEN = (*LOOPS, ast.If, ast.With, ast.AsyncWith)
_FIXED = (*FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal)


def _first_line(source: Source, *statements: ast.stmt) -> str:
    return shown(source.code(statements[0]).splitlines()[0], 40)


def _moving(source: Source, node: ast.AST) -> Block | None:
    """Where a statement stands that may be moved; None for all else."""
    if not isinstance(node, ast.stmt) or isinstance(node, _FIXED) or is_docstring(source, node):
        return None
    if source.function(node) is None and isinstance(source.parents.get(node), ast.ClassDef):
        return None
    return block(source, node) if lines_of(source, node) is not None else None


def neighbours_exchanged(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """Before the statement before it, or behind the one behind it."""
    around = _moving(source, node)
    if around is None:
        return
    pairs = []
    if around.place:
        pairs.append((around.statements[around.place - 1], around.statements[around.place]))
    if around.place + 1 < len(around.statements):
        pairs.append((around.statements[around.place], around.statements[around.place + 1]))
    for first, second in pairs:
        if isinstance(first, _FIXED) or isinstance(second, _FIXED) or is_docstring(source, first):
            continue
        one, other = lines_of(source, first), lines_of(source, second)
        if one is None or other is None or ends_flow(second):
            continue
        texts = [text_of(source, each, each, source.indent(first)) for each in (second, first)]
        if texts[0] is None or texts[1] is None:
            continue
        says = f"{_first_line(source, second)} before {_first_line(source, first)}"
        whole = texts[0] + source.text[one[1] : other[0]] + texts[1]
        if not source.text.endswith(("\n", "\r")) and other[1] == len(source.text):
            whole = whole.removesuffix(source.line_end)
        cost = 1.8 if isinstance(first, ast.Assign | ast.AugAssign | ast.Expr | ast.If) else 2.4
        yield source.variant("neighbours exchanged", cost, says, Edit(source.path, one[0], other[1], whole))


def moved_out(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """Out of the block it is in: behind it, or before it; the last of it with what is behind it there."""
    around = _moving(source, node)
    if around is None or not isinstance(node, ast.stmt) or not isinstance(around.owner, _OPEN):
        return
    owner = around.owner
    outer = _moving(source, owner)
    if outer is None or len(around.statements) < 2:
        return
    last, indent = around.statements[-1], source.indent(owner)
    own, whole = lines_of(source, node), lines_of(source, owner)
    if own is None or whole is None:
        return
    says = f"{_first_line(source, node)} moved"
    in_loop = isinstance(owner, LOOPS)
    ends = [(last, 1.4 if in_loop else 2.0)] if around.place else []
    ends += [(node, 2.0)] if node is not last else []
    for end, cost in ends:
        text, stop = text_of(source, node, end, indent), lines_of(source, end)
        if text is not None and stop is not None:
            edits = _moved(source, own[0], stop[1], whole[1], text)
            yield source.variant("moved out", cost, f"{says} behind the {_word(owner)}", *edits)
    if not ends_flow(node):
        text = text_of(source, node, node, indent)
        if text is not None:
            cost = 1.9 if in_loop and around.place == 0 else 2.6
            edits = _moved(source, *own, whole[0], text)
            yield source.variant("moved out", cost, f"{says} before the {_word(owner)}", *edits)


def _moved(source: Source, start: int, end: int, place: int, text: str) -> tuple[Edit, ...]:
    """The edits that take lines out and put text in at a place behind them, or before."""
    if place in {start, end}:
        if end == len(source.text) and not source.text.endswith(("\n", "\r")):
            text = text.removesuffix(source.line_end)
        return (Edit(source.path, start, end, text),)
    if place == len(source.text) and not source.text.endswith(("\n", "\r")):
        text = source.line_end + text
    return Edit(source.path, start, end, ""), source.insert(place, text)


def _word(owner: ast.AST) -> str:
    if isinstance(owner, LOOPS):
        return "loop"
    return "condition" if isinstance(owner, ast.If) else "block"


def moved_in(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """Into the block before it, at its end, or into the one behind it, at its beginning."""
    around = _moving(source, node)
    if around is None or not isinstance(node, ast.stmt):
        return
    own = lines_of(source, node)
    if own is None:
        return
    says = f"{_first_line(source, node)} moved into the"
    if around.place and len(around.statements) > 1:
        neighbour = around.statements[around.place - 1]
        for body, cost in _bodies(neighbour, 1.7):
            text = _indented(source, node, body[-1])
            place = lines_of(source, body[-1])
            if text is not None and place is not None and not ends_flow(body[-1]):
                edits = _moved(source, *own, place[1], text)
                yield source.variant("moved in", cost, f"{says} {_word(neighbour)} before it", *edits)
    if around.place + 1 < len(around.statements) and not ends_flow(node):
        neighbour = around.statements[around.place + 1]
        for body, cost in _bodies(neighbour, 2.0)[:1]:
            text = _indented(source, node, body[0])
            place = lines_of(source, body[0])
            if text is not None and place is not None:
                edits = _moved(source, *own, place[0], text)
                yield source.variant("moved in", cost, f"{says} {_word(neighbour)} behind it", *edits)


def _bodies(statement: ast.stmt, cost: float) -> list[tuple[list[ast.stmt], float]]:
    if not isinstance(statement, _OPEN):
        return []
    found = [(statement.body, cost)]
    if isinstance(statement, ast.If) and statement.orelse:
        found.append((statement.orelse, cost + 0.4))
    return found


def _indented(source: Source, node: ast.stmt, beside: ast.stmt) -> str | None:
    return text_of(source, node, node, source.indent(beside))


def taken_out(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """A statement less; ``pass`` where it was the only one."""
    around = _moving(source, node)
    if around is None or not isinstance(node, ast.stmt) or isinstance(node, ast.Pass):
        return
    own = lines_of(source, node)
    if own is None:
        return
    only = len(around.statements) == 1 and around.field == "body"
    if only or (len(around.statements) == 1 and not isinstance(around.owner, ast.If)):
        edit = source.replace(node, "pass")
    elif len(around.statements) == 1:
        return
    else:
        edit = Edit(source.path, *own, "")
    cost = 2.8 if isinstance(node, ast.Break | ast.Continue | ast.Return | ast.AugAssign) else 3.4
    if isinstance(node, ast.If) and not node.orelse and len(node.body) == 1 and ends_flow(node.body[0]):
        cost = 3.0
    yield source.variant("taken out", cost, f"{_first_line(source, node)} taken out", edit)


def condition_dropped(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """What stands under a condition or in a loop without it; the ``else`` of a condition in its place."""
    if not isinstance(node, ast.If) or is_elif(source, node) or (whole := lines_of(source, node)) is None:
        return
    indent = source.indent(node)
    says = f"if {shown(source.code(node.test), 40)} taken away"
    for body, cost in ((node.body, 3.6), (node.orelse, 3.6)):
        if not body or (isinstance(body[0], ast.If) and is_elif(source, body[0])):
            continue
        text = text_of(source, body[0], body[-1], indent)
        if text is not None:
            yield source.variant("condition dropped", cost, says, Edit(source.path, *whole, text))


def other_word(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """``if`` for ``elif`` and the other way round; ``while`` for ``if`` and the other way round."""
    if isinstance(node, ast.While):
        start = source.span(node)[0]
        if not node.orelse:
            yield source.variant("if for while", 2.8, "if for while", Edit(source.path, start, start + 5, "if"))
        return
    if not isinstance(node, ast.If):
        return
    start = source.span(node)[0]
    if is_elif(source, node):
        if source.function(node) is not None or not isinstance(source.parents.get(node), ast.Module):
            yield source.variant("if for elif", 1.6, "if for elif", Edit(source.path, start, start + 4, "if"))
        return
    if not node.orelse:
        yield source.variant("while for if", 2.4, "while for if", Edit(source.path, start, start + 2, "while"))
    around = block(source, node)
    if around is None or not around.place or lines_of(source, node) is None:
        return
    former = around.statements[around.place - 1]
    if isinstance(former, ast.If) and not _has_else(source, former):
        yield source.variant("elif for if", 1.6, "elif for if", Edit(source.path, start, start + 2, "elif"))


def _has_else(source: Source, node: ast.If) -> bool:
    while node.orelse:
        only = node.orelse[0]
        if not isinstance(only, ast.If) or not is_elif(source, only):
            return True
        node = only
    return False


def else_behind_loop(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """What an ``else`` in a loop does done when the loop is over, as no round of it came to an end."""
    if not isinstance(node, ast.If) or not node.orelse or is_elif(source, node):
        return
    loop, body = source.parents.get(node), node.orelse
    if not isinstance(loop, LOOPS) or loop.body[-1] is not node or not ends_flow(body[-1]):
        return
    if isinstance(body[0], ast.If) or isinstance(body[-1], ast.Break | ast.Continue):
        return
    start, whole = lines_of(source, node.body[-1]), lines_of(source, loop)
    text = text_of(source, body[0], body[-1], source.indent(loop))
    if start is None or whole is None or text is None:
        return
    says = f"{_first_line(source, body[0])} behind the loop"
    yield source.variant("else behind loop", 1.4, says, Edit(source.path, start[1], whole[1], text))


def into_else(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """What stands behind a condition, or a loop, as its ``else``."""
    around = _moving(source, node)
    if around is None or not around.place or not isinstance(node, ast.stmt):
        return
    former = around.statements[around.place - 1]
    if not isinstance(former, (ast.If, *LOOPS)) or (isinstance(former, ast.If) and _has_else(source, former)):
        return
    if not isinstance(former, ast.If) and (
        former.orelse or not any(isinstance(one, ast.Break) for one in ast.walk(former))
    ):
        return
    own, indent = lines_of(source, node), source.indent(node)
    text = text_of(source, node, node, indent + unit(source))
    if own is None or text is None:
        return
    head = insertion(source, own[0], indent, "else:").text
    edit = Edit(source.path, own[0], own[1], head + text)
    yield source.variant("into else", 2.2, f"{_first_line(source, node)} under else", edit)


MOVES: tuple[Template, ...] = (
    neighbours_exchanged,
    moved_out,
    moved_in,
    taken_out,
    condition_dropped,
    other_word,
    else_behind_loop,
    into_else,
)
