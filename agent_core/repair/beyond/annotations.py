"""Annotations that are missing, too narrow or wrong, made from what the code does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from agent_core.checks.model import Finding
from agent_core.repair.beyond.calls import converted
from agent_core.repair.beyond.containers import container_variants
from agent_core.repair.beyond.places import function_at, on_line
from agent_core.repair.beyond.writing import (
    ZEROS,
    annotation_edit,
    arguments,
    defaults,
    expressible,
    imported,
    optional,
    own_nodes,
    returns,
    returns_edit,
    type_of,
    union,
    usual,
)
from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Def, Source
from agent_core.repair.templates.members import class_around

_DEFAULT = re.compile(
    r'Incompatible default for (?:parameter|argument) "(?P<name>\w+)" '
    r'\(default has type "(?P<got>[^"]*)", (?:parameter|argument) has type "(?P<want>[^"]*)"\)'
)
_ASSIGNED = re.compile(
    r'Incompatible types in assignment \(expression has type "(?P<got>[^"]*)", variable has type "(?P<want>[^"]*)"\)'
)
_RETURNED = re.compile(r'Incompatible return value type \(got "(?P<got>[^"]*)", expected "(?P<want>[^"]*)"\)')
_OVERRIDDEN = re.compile(
    r'Return type "[^"]*" of "(?P<name>\w+)" incompatible with return type "(?P<want>[^"]*)" in supertype'
)


def annotation_variants(source: Source, project: Project, finding: Finding) -> Iterator[Variant]:
    """Variants for annotations, see `agent_core.repair.beyond.types`."""
    said, line = finding.message, finding.line
    function = function_at(source, line)
    if (found := _DEFAULT.search(said)) is not None and function is not None:
        yield from _default(source, project, function, found)
    elif (found := _ASSIGNED.search(said)) is not None:
        yield from _assigned(source, project, line, found["got"], found["want"])
    elif (found := _RETURNED.search(said)) is not None:
        yield from _returned(source, line, found["got"], found["want"])
    elif said.startswith("No return value expected"):
        yield from _no_value(source, line)
    elif said.startswith("Missing return statement"):
        yield from _no_return(source, project, line)
    elif finding.code == "no-untyped-def" and function is not None:
        yield from _untyped(source, project, function)
    elif finding.code in {"var-annotated", "type-arg"}:
        yield from container_variants(source, finding)
    elif "return type of a generator" in said or "return type of an async generator" in said:
        yield from _generator(source, line)
    elif (found := _OVERRIDDEN.search(said)) is not None and function is not None:
        written = expressible(source, found["want"])
        edit = returns_edit(source, function, written) if written else None
        if edit is not None:
            yield source.variant("type", 1.8, f"{function.name} returns {written}, as in its base", edit)


def _default(source: Source, project: Project, function: Def, found: re.Match[str]) -> Iterator[Variant]:
    argument = next((one for one in arguments(function) if one.arg == found["name"]), None)
    if argument is None or argument.annotation is None:
        return
    if found["got"] == "None":
        if edits := optional(source, project, argument.annotation):
            yield source.variant("type", 1.0, f"{argument.arg} may be None", *edits)
        return
    default = defaults(function).get(argument.arg)
    if default is not None:
        yield from converted(source, default, found["got"], found["want"])
    written = expressible(source, found["got"])
    if written:
        edit = source.replace(argument.annotation, written)
        yield source.variant("type", 1.5, f"{argument.arg} is {written}", edit)


def _assigned(source: Source, project: Project, line: int | None, got: str, want: str) -> Iterator[Variant]:
    nodes: list[ast.AnnAssign | ast.Assign] = [
        *on_line(source, line, ast.AnnAssign),
        *on_line(source, line, ast.Assign),
    ]
    for node in nodes:
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
        name = source.code(target)
        declared = node if isinstance(node, ast.AnnAssign) else _declaration(source, node, name)
        if isinstance(declared, ast.AnnAssign):
            if "None" in got and (edits := optional(source, project, declared.annotation)):
                yield source.variant("type", 1.0, f"{name} may be None", *edits)
            written = expressible(source, got)
            if written and "None" not in got:
                edit = source.replace(declared.annotation, written)
                yield source.variant("type", 1.8 if declared is node else 2.4, f"{name} is {written}", edit)
        elif isinstance(declared, ast.Assign) and declared is not node and len(declared.targets) == 1:
            both = union([want, got]) if "|" not in want + got else ""
            written = expressible(source, both or f"{want} | {got}")
            if written:
                edit = source.insert(source.span(declared.targets[0])[1], f": {written}")
                yield source.variant("type", 1.2 if got == "None" else 1.8, f"{name} is {written}", edit)
        if node.value is not None:
            yield from converted(source, node.value, got, want)
        return


def _declaration(source: Source, node: ast.Assign, name: str) -> ast.stmt | None:
    """Where a variable has got its type: annotated somewhere, else where it is assigned first."""
    owner = class_around(source, node) if name.startswith("self.") else source.scope(node)
    first: ast.stmt | None = None
    for one in ast.walk(owner) if owner is not None else ():
        if isinstance(one, ast.AnnAssign) and name in {source.code(one.target), f"self.{source.code(one.target)}"}:
            return one
        if isinstance(one, ast.Assign) and any(source.code(target) == name for target in one.targets):
            first = one if first is None or one.lineno < first.lineno else first
    return first


def _returned(source: Source, line: int | None, got: str, want: str) -> Iterator[Variant]:
    for node in on_line(source, line, ast.Return):
        function = source.function(node)
        if function is None or node.value is None:
            return
        yield from converted(source, node.value, got, want)
        written = expressible(source, got)
        if written and written != "None":
            others = [one for one in returns(function) if one is not node and one.value is not None]
            edit = returns_edit(source, function, written)
            if edit is not None:
                yield source.variant("type", 1.4 if not others else 2.2, f"{function.name} returns {written}", edit)
            wider = expressible(source, f"{want} | {got}")
            edit = returns_edit(source, function, wider) if wider and others else None
            if edit is not None:
                yield source.variant("type", 1.9, f"{function.name} returns {wider}", edit)
        return


def _no_value(source: Source, line: int | None) -> Iterator[Variant]:
    for node in on_line(source, line, ast.Return):
        function = source.function(node)
        if function is None or node.value is None:
            return
        written = expressible(source, union(type_of(one.value, source) for one in returns(function) if one.value))
        edit = returns_edit(source, function, written) if written else None
        if edit is not None:
            yield source.variant("type", 1.2, f"{function.name} returns {written}", edit)
        if isinstance(node.value, ast.Call):
            said = f"{source.code(node.value)}{source.line_end}{source.indent(node)}return"
            yield source.variant("return", 1.5, "it is called, and nothing returned", source.replace(node, said))
        yield source.variant("return", 1.8, "return without a value", source.replace(node, "return"))
        return


def _no_return(source: Source, project: Project, line: int | None) -> Iterator[Variant]:
    function = function_at(source, line)
    if function is None or function.returns is None:
        return
    last = function.body[-1]
    said = source.code(function.returns)
    some = [one for one in returns(function) if one.value is not None]
    indent = source.indent(last) if source.indent(last) != source.indent(function) else source.indent(function) + "    "
    index = source.span(last)[1]

    def behind(cost: float, text: str, says: str, *more: Edit) -> Variant:
        edit = source.insert(index, f"{source.line_end}{indent}{text}")
        return source.variant("return", cost, says, edit, *more)

    if not some:
        edit = returns_edit(source, function, "None")
        if edit is not None:
            yield source.variant("type", 1.4, f"{function.name} returns nothing", edit)
    if isinstance(last, ast.Expr) and not isinstance(last.value, ast.Constant):
        printed = isinstance(last.value, ast.Call) and source.code(last.value.func) == "print"
        yield source.variant(
            "return",
            2.6 if printed else 1.0,
            "return in front of the last line",
            source.insert(source.span(last)[0], "return "),
        )
    if isinstance(last, ast.Assign | ast.AnnAssign | ast.AugAssign):
        target = last.targets[0] if isinstance(last, ast.Assign) else last.target
        if isinstance(target, ast.Name):
            yield behind(1.2, f"return {target.id}", f"return {target.id} at the end")
    first = next((one for one in function.body if isinstance(one, ast.Assign | ast.AnnAssign)), None)
    made = None if first is None else first.targets[0] if isinstance(first, ast.Assign) else first.target
    if not some and isinstance(made, ast.Name):
        # What was set up at the beginning and filled since is what a function is for.
        yield behind(1.3, f"return {made.id}", f"return {made.id} at the end")
    if edits := optional(source, project, function.returns):
        yield behind(1.7, "return None", f"return None at the end of {function.name}, which may return it", *edits)
    zero = ZEROS.get(said.partition("[")[0].lower())
    if zero is not None:
        yield behind(1.9 if some else 2.1, f"return {zero}", f"return {zero} at the end")


def _untyped(source: Source, project: Project, function: Def) -> Iterator[Variant]:
    """The types of a function that has none, or not all: all of them at once."""
    inside = isinstance(source.parents.get(function), ast.ClassDef)
    static = any(source.code(one) == "staticmethod" for one in function.decorator_list)
    given = defaults(function)
    plain = arguments(function)
    some = [one for one in (plain[1:] if inside and not static else plain) if one.annotation is None]
    some += [one for one in (function.args.vararg, function.args.kwarg) if one is not None and one.annotation is None]
    ways: list[list[str]] = []
    for argument in some:
        default = type_of(given.get(argument.arg), source)
        said = [*usual(project, argument.arg, source), *([default] if default and default != "None" else [])]
        kept = [one for one in dict.fromkeys(said) if expressible(source, one)]
        # What is only handed on may be anything.
        ways.append([*kept[:2], "object"])
    back = [expressible(source, one) or one for one in _gives(source, function)] if function.returns is None else [""]
    for rank in range(max([len(one) for one in (*ways, back)], default=1)):
        edits: list[Edit] = []
        for argument, said in zip(some, ways, strict=True):
            kind = said[min(rank, len(said) - 1)]
            if given.get(argument.arg) is not None and type_of(given[argument.arg], source) == "None":
                kind = f"{kind} | None" if kind != "object" else kind
            edits += annotation_edit(source, argument, kind, given.get(argument.arg))
        told = back[min(rank, len(back) - 1)]
        if told and (edit := returns_edit(source, function, told)) is not None:
            edits.append(edit)
        if edits:
            unsure = sum(1 for said in ways if said[0] == "object")
            what = f"types for {function.name}" if some else f"{function.name} returns {told}"
            yield source.variant("type", 1.0 + 0.3 * rank + 0.2 * unsure, what, *edits)


def _gives(source: Source, function: Def) -> list[str]:
    """What a function without an annotation seems to return, the likeliest first."""
    nodes = list(own_nodes(function))
    some = [one.value for one in returns(function) if one.value is not None]
    if any(isinstance(one, ast.Yield | ast.YieldFrom) for one in nodes):
        return []
    if not some:
        return ["None"]
    kinds = [type_of(one, source) for one in some]
    if any(one.value is None for one in returns(function)):
        kinds.append("None")
    found = union(kinds)
    known = [one for one in dict.fromkeys(kinds) if one and one != "None"]
    return [one for one in dict.fromkeys((found, *known, "object")) if one]


def _generator(source: Source, line: int | None) -> Iterator[Variant]:
    function = function_at(source, line)
    if function is None or function.returns is None:
        return
    name = "AsyncIterator" if isinstance(function, ast.AsyncFunctionDef) else "Iterator"
    inner = source.code(function.returns)
    kept = re.fullmatch(r"(?:list|List|set|tuple)\[(.+?)(?:, \.\.\.)?\]", inner)
    module = "typing" if re.search(r"^from typing import", source.text, re.MULTILINE) else "collections.abc"
    edits = imported(source, module, name)
    for rank, held in enumerate(dict.fromkeys((kept.group(1) if kept else inner, inner))):
        said = f"{name}[{held}]"
        edit = returns_edit(source, function, said)
        if edit is not None:
            yield source.variant("type", 1.0 + 0.3 * rank, f"{function.name} gives {said}", edit, *edits)
