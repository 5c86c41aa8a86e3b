"""Functions as they are defined: defaults, decorators, ``self``; asked at their line and at their first statement."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Def, Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.guesses import guessed
from agent_core.repair.templates.layout import before, first_statement, lines_of
from agent_core.repair.templates.members import is_decorated
from agent_core.repair.templates.vocabulary import FUNCTIONS

_ARGUMENTS_MISSING = re.compile(r"missing \d+ required (?:positional|keyword-only) arguments?: (.*)")


def _defined(source: Source, node: ast.AST) -> Def | None:
    """The function that a node defines, or of which it is the first statement."""
    if isinstance(node, FUNCTIONS):
        return node
    function = source.function(node) if isinstance(node, ast.stmt) else None
    return function if function is not None and first_statement(source, function) is node else None


def _defaults(function: Def) -> list[tuple[ast.arg, ast.expr]]:
    given = function.args
    plain = [*given.posonlyargs, *given.args]
    by_name = zip(given.kwonlyargs, given.kw_defaults, strict=True)
    return [
        *zip(plain[len(plain) - len(given.defaults) :], given.defaults, strict=True),
        *((argument, default) for argument, default in by_name if default is not None),
    ]


def shared_default(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """A list or dictionary as a default, which all calls share, made anew for each call."""
    function = _defined(source, node)
    if function is None or (first := first_statement(source, function)) is None:
        return
    for argument, default in _defaults(function):
        if guessed(default) not in {"list", "dict", "set"}:
            continue
        code = source.code(default)
        guard = before(source, first, f"if {argument.arg} is None:\n\t{argument.arg} = {code}")
        if guard is not None and "\n" not in code:
            says = f"{argument.arg} made anew for each call"
            yield source.variant("shared default", 1.2, says, source.replace(default, "None"), guard)


def other_default(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """Another default, or one for a parameter that calls leave out."""
    function = _defined(source, node)
    if function is None:
        return
    known = _defaults(function)
    others = list(dict.fromkeys(source.code(one) for _, one in known))
    for _, default in known[:6]:
        own = source.code(default)
        for rank, text in enumerate(dict.fromkeys((*others, "None", "True", "False", "0", "1", '""', "()"))):
            if text != own:
                cost = (1.9 if own in {"True", "False", "None"} else 2.4) + rank * 0.15
                yield source.variant("other default", cost, f"={text} for ={own}", source.replace(default, text))
    wanted = " ".join(
        found.group(1) for run in project.failing if (found := _ARGUMENTS_MISSING.search(run.message)) is not None
    )
    plain = [*function.args.posonlyargs, *function.args.args]
    if not plain or function.args.defaults or f"'{plain[-1].arg}'" not in wanted:
        return
    last = plain[-1]
    for rank, text in enumerate(("None", "0", "False", '""', "()", "1", "True")):
        sign = " = " if last.annotation is not None else "="
        edit = source.insert(source.span(last)[1], f"{sign}{text}")
        yield source.variant("default added", 1.6 + rank * 0.1, f"{last.arg}={text}", edit)


def decorator(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """A decorator missing: what makes a method static, a class's or a property; those that others here have."""
    function = _defined(source, node)
    if function is None or (place := lines_of(source, function)) is None:
        return
    in_class = isinstance(source.parents.get(function), ast.ClassDef)
    own = {source.code(one) for one in function.decorator_list}
    found: dict[str, float] = {}
    arguments = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    if in_class and not {"property", "staticmethod", "classmethod"} & own and not function.name.startswith("__"):
        found["property"] = 2.2 if arguments == ["self"] else 9.0
        found["classmethod"] = 1.2 if arguments[:1] == ["cls"] else 3.0
        found["staticmethod"] = 1.4 if arguments[:1] != ["self"] else 9.0
    siblings = getattr(source.parents.get(function), "body", [])
    if in_class:
        found |= dict.fromkeys(_accessors(source, function, siblings, len(arguments)), 1.2)
    for one in (*siblings, *source.tree.body):
        for other in getattr(one, "decorator_list", []):
            code = source.code(other)
            if isinstance(one, FUNCTIONS) and "\n" not in code and ".setter" not in code:
                found.setdefault(code, 2.4)
    for name, cost in found.items():
        if name not in own and cost < 9.0:
            text = f"{source.indent(function)}@{name}{source.line_end}"
            yield source.variant("decorator added", cost, f"@{name} added", source.insert(place[0], text))
    for one in function.decorator_list:
        start = source.offset(one.lineno, 0)
        end = source.offset((one.end_lineno or one.lineno) + 1, 0)
        yield source.variant(
            "decorator dropped", 2.8, f"@{source.code(one)} dropped", Edit(source.path, start, end, "")
        )


def _accessors(source: Source, function: Def, siblings: list[ast.stmt], taken: int) -> Iterator[str]:
    """What makes a method a property's part: others of its name in its class are parts of one."""
    namesakes = [one for one in siblings if isinstance(one, FUNCTIONS) and one.name == function.name]
    others = {source.code(one) for method in namesakes if method is not function for one in method.decorator_list}
    if taken == 1 and others & {f"{function.name}.setter", f"{function.name}.deleter"}:
        yield "property"
    if "property" in others:
        wanted = f"{function.name}.{'setter' if taken == 2 else 'deleter'}"
        if wanted not in others:
            yield wanted


def receiver_missing(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """``self`` missing among a method's parameters."""
    function = _defined(source, node)
    if function is None or not isinstance(source.parents.get(function), ast.ClassDef):
        return
    arguments = [*function.args.posonlyargs, *function.args.args]
    if is_decorated(function, "staticmethod") or (arguments and arguments[0].arg in {"self", "cls"}):
        return
    name = "cls" if is_decorated(function, "classmethod") else "self"
    head = source.text.find(f"{function.name}(", source.span(function)[0])
    if head < 0:
        return
    index = head + len(function.name) + 1
    taken = arguments or function.args.vararg or function.args.kwonlyargs or function.args.kwarg
    yield source.variant("self added", 1.3, f"{name} added", source.insert(index, f"{name}, " if taken else name))


DEFINITIONS: tuple[Template, ...] = (shared_default, other_default, decorator, receiver_missing)
