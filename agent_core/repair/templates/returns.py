"""What leaves a function or a loop: ``return``, ``yield``, ``await``, ``break``, ``continue``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source, called_name
from agent_core.repair.templates import Template
from agent_core.repair.templates.donors import donors, names_in, unreadable
from agent_core.repair.templates.exact import editable, piece, put, replaced
from agent_core.repair.templates.layout import (
    after,
    block,
    ends_flow,
    is_docstring,
    loop_around,
    shown,
    walk_own,
)
from agent_core.repair.templates.vocabulary import FUNCTIONS, LOOPS, local_names


def return_missing(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """A value that is made and not returned."""
    if not isinstance(node, ast.Expr) or is_docstring(source, node) or source.function(node) is None:
        return
    if isinstance(node.value, ast.Yield | ast.YieldFrom | ast.Constant):
        return
    around = block(source, node)
    last = around is not None and around.place == len(around.statements) - 1
    code = source.code(node.value)
    start = source.span(node)[0]
    yield source.variant(
        "return added", 1.3 if last else 2.2, f"return {shown(code, 40)}", source.insert(start, "return ")
    )


def falls_through(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function's end may be reached, as far as its last statement tells."""
    last = function.body[-1]
    while isinstance(last, ast.If | ast.With | ast.AsyncWith | ast.Try):
        if isinstance(last, ast.If) and (not last.orelse or not ends_flow(last.body[-1])):
            return True
        if isinstance(last, ast.Try) and last.handlers:
            return True
        last = (last.orelse if isinstance(last, ast.If) else last.body)[-1]
    return not isinstance(last, ast.Return | ast.Raise)


def return_at_end(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """``return x`` at the end of a function that has none there: what it collected first, then its other names."""
    function = source.function(node)
    if function is None or not isinstance(node, ast.stmt) or not falls_through(function):
        return
    last = function.body[-1]
    if node is not last and node is not function.body[0] and last not in source.above(node):
        return
    generator = any(isinstance(one, ast.Yield | ast.YieldFrom) for one in walk_own(function))
    if generator or function.name == "__init__":
        return
    returned = any(isinstance(one, ast.Return) and one.value is not None for one in walk_own(function))
    for rank, name in enumerate(_results(source, last)[:6]):
        edit = after(source, last, f"return {name}")
        if edit is not None:
            cost = (1.5 if returned or not isinstance(last, ast.Expr) else 1.9) + 0.15 * rank
            yield source.variant("return added", cost, f"return {name} added", edit)


def _results(source: Source, node: ast.AST) -> list[str]:
    """The names that a function may have made to be returned: those assigned last first, parameters behind."""
    found = {name: one for name, one in local_names(source, node).items() if one.kind != "loop"}
    return sorted(found, key=lambda name: (found[name].kind == "parameter", not found[name].guess, -found[name].line))


def other_result(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """Another value returned: a name for ``None`` or for a value made anew."""
    if not isinstance(node, ast.Return | ast.Yield) or source.in_text(node):
        return
    word = "yield" if isinstance(node, ast.Yield) else "return"
    if node.value is None:
        start, end = source.span(node)
        if source.text[start:end] != word:
            return
        for rank, name in enumerate(_results(source, node)[:8]):
            text = f"{word} {name}"
            yield source.variant("other result", 1.7 + 0.12 * rank, text, Edit(source.path, start, end, text))
        return
    constant = isinstance(node.value, ast.Constant)
    found = donors(source, node.value, most=24 if constant else 14)
    for rank, code in enumerate(found):
        cost = (1.9 if constant else 2.6) + 0.08 * rank
        yield from replaced(source, node.value, code, "other result", cost)


def other_exit(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """``break`` for ``continue``, ``return`` for ``break``, and the like."""
    if not isinstance(node, ast.Break | ast.Continue | ast.Pass | ast.Return):
        return
    loop = loop_around(source, node)
    own = source.code(node)
    words: dict[str, float] = {}
    if isinstance(node, ast.Break):
        words |= {"continue": 1.2}
    elif isinstance(node, ast.Continue):
        words |= {"break": 1.2}
    elif loop is not None:
        words |= {"continue": 2.4, "break": 2.5}
    function = source.function(node)
    if function is not None and not isinstance(node, ast.Return):
        words["return"] = 2.0
        for rank, value in enumerate(returned_values(source, function)[:5]):
            words[f"return {value}"] = 2.0 + 0.15 * rank
    if not isinstance(node, ast.Pass):
        words["pass"] = 3.4
    for text, cost in words.items():
        if text != own:
            yield source.variant("other exit", cost, f"{text} for {shown(own, 40)}", source.replace(node, text))


def returned_values(source: Source, function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """What a function returns, as short code, constants of the same kind included."""
    found: dict[str, None] = {}
    for one in walk_own(function):
        if isinstance(one, ast.Return) and one.value is not None:
            code = source.code(one.value)
            if len(code) <= 40 and "\n" not in code:
                found[code] = None
    for text, other in (("True", "False"), ("False", "True")):
        if text in found:
            found.setdefault(other)
    return list(found)


def yielded(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """``yield`` for ``yield from`` or ``return``, and the other way round; a generator that is called and dropped."""
    if isinstance(node, ast.YieldFrom) or (isinstance(node, ast.Yield) and node.value is not None):
        if node.value is None or source.in_text(node):
            return
        value = source.code(node.value)
        start, end = source.span(node)
        turned = f"yield {value}" if isinstance(node, ast.YieldFrom) else f"yield from {piece(source, node.value)}"
        yield source.variant("yield", 1.4, shown(turned), Edit(source.path, start, end, turned))
        if isinstance(source.parents.get(node), ast.Expr):
            says = f"return {shown(value, 40)}"
            yield source.variant("yield", 2.8, says, Edit(source.path, start, end, f"return {value}"))
    elif isinstance(node, ast.Return) and node.value is not None and source.function(node) is not None:
        value = source.code(node.value)
        generator = any(isinstance(one, ast.Yield | ast.YieldFrom) for one in walk_own(source.scope(node)))
        cost = 1.3 if generator else 2.8
        for text in (f"yield {value}", f"yield from {piece(source, node.value)}"):
            yield source.variant("yield", cost, shown(text), source.replace(node, text))
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and source.function(node) is not None:
        value = source.code(node.value)
        for index, text in enumerate((f"yield from {value}", f"yield {value}")):
            generator = any(isinstance(one, ast.Yield | ast.YieldFrom) for one in walk_own(source.scope(node)))
            cost = (1.4 if generator else 3.4) + index / 2
            yield source.variant("yield", cost, shown(text), source.replace(node, text))


def awaited(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """``await`` before a call that needs it, or taken away from one that does not."""
    function = next((one for one in source.above(node) if isinstance(one, (*FUNCTIONS, ast.Lambda))), None)
    if isinstance(node, ast.Await) and editable(source, node):
        yield from replaced(source, node, source.code(node.value), "await", 1.8, says="await taken away")
    elif isinstance(node, ast.Call) and isinstance(function, ast.AsyncFunctionDef) and editable(source, node):
        if isinstance(source.parents.get(node), ast.Await):
            return
        name = called_name(node)
        defined = project.functions.get(name, ())
        known = any(isinstance(one, ast.AsyncFunctionDef) for one in defined)
        edit = put(source, node, f"await {source.code(node)}")
        if edit is not None and (known or not defined):
            cost = 1.0 if known else 2.4
            yield source.variant("await", cost, f"await {shown(source.code(node), 40)}", edit)
    elif isinstance(node, LOOPS) and isinstance(function, ast.AsyncFunctionDef):
        yield from _async_word(source, node, "for")
    elif isinstance(node, ast.With | ast.AsyncWith) and isinstance(function, ast.AsyncFunctionDef):
        yield from _async_word(source, node, "with")


def _async_word(source: Source, node: ast.stmt, word: str) -> Iterator[Variant]:
    start = source.span(node)[0]
    if source.text.startswith(word, start):
        yield source.variant("async", 1.6, f"async {word}", source.insert(start, "async "))
    elif source.text.startswith(f"async {word}", start):
        yield source.variant("async", 2.0, f"{word} for async {word}", Edit(source.path, start, start + 6, ""))


def early_exit_added(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """``break``, ``continue`` or ``return x`` behind the last statement of a branch, or of a loop's body."""
    if not isinstance(node, ast.stmt) or (around := block(source, node)) is None:
        return
    if around.place != len(around.statements) - 1 or ends_flow(node):
        return
    if not isinstance(around.owner, (*LOOPS, ast.If, ast.With, ast.Try, ast.ExceptHandler)):
        return
    words: dict[str, float] = {}
    if loop_around(source, node) is not None and isinstance(around.owner, ast.If | ast.ExceptHandler | ast.Try):
        words |= {"break": 1.9, "continue": 1.9}
    function = source.function(node)
    if function is not None and function.name != "__init__":
        values = returned_values(source, function)
        unread = unreadable(source, node)
        for rank, value in enumerate(values[:4]):
            if not names_in(ast.parse(value)) & unread:
                words[f"return {value}"] = 2.3 + 0.15 * rank
        words["return"] = 2.6
        for rank, name in enumerate(_results(source, node)[:5]):
            words.setdefault(f"return {name}", 2.4 + 0.15 * rank)
    for text, cost in words.items():
        if (edit := after(source, node, text)) is not None:
            yield source.variant("exit added", cost, f"{text} added", edit)


RETURNS: tuple[Template, ...] = (
    return_missing,
    return_at_end,
    other_result,
    other_exit,
    yielded,
    awaited,
    early_exit_added,
)
