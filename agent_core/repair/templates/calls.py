"""Calls: arguments exchanged, missing, too many, others; keywords; another function; ``super()``."""

from __future__ import annotations

import ast
import itertools
import weakref
from collections.abc import Iterator
from typing import NamedTuple

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source, called_name
from agent_core.repair.templates import Template
from agent_core.repair.templates.donors import donors
from agent_core.repair.templates.layout import shown
from agent_core.repair.templates.members import members, method_around
from agent_core.repair.templates.vocabulary import closest, likeness, local_names


class Parameter(NamedTuple):
    """What a function takes.

    Attributes:
        name: Its name.
        default: Its default, as code; empty where it has none.
        by_name: It can be given by name only.
    """

    name: str
    default: str
    by_name: bool


def _plain(source: Source, node: ast.AST) -> bool:
    """Whether a call's parts stand where they say they do."""
    return isinstance(node, ast.Call) and not source.in_text(node)


_kept: weakref.WeakKeyDictionary[Source, dict[str, list[ast.Call]]] = weakref.WeakKeyDictionary()


def _calls(source: Source) -> dict[str, list[ast.Call]]:
    """The calls of a file, by the name of what is called; those of what has none are left out."""
    found = _kept.get(source)
    if found is None:
        found = _kept[source] = {}
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and (name := called_name(node)):
                found.setdefault(name, []).append(node)
    return found


def parameters(source: Source, project: Project, call: ast.Call) -> tuple[Parameter, ...]:
    """What the function of a call takes, if only one of its name is known; ``self`` left out."""
    name = called_name(call)
    found = project.functions.get(name, ()) or _constructors(source, name)
    if not found:
        return ()
    given = found[0].args
    if any(ast.dump(one.args) != ast.dump(given) for one in found[1:]):
        return ()
    plain = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(given.defaults))
    pairs = zip([*plain, *given.kwonlyargs], [*defaults, *given.defaults, *given.kw_defaults], strict=True)
    only = set(given.kwonlyargs)
    return tuple(
        Parameter(argument.arg, ast.unparse(default) if default is not None else "", argument in only)
        for argument, default in pairs
        if argument.arg not in {"self", "cls"}
    )


def _constructors(source: Source, name: str) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, ...]:
    """The ``__init__`` of a file's class of a name."""
    return tuple(
        method
        for class_ in source.tree.body
        if isinstance(class_, ast.ClassDef) and class_.name == name
        for method in class_.body
        if isinstance(method, ast.FunctionDef) and method.name == "__init__"
    )


def arguments_exchanged(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """Two arguments in each other's place: neighbours first, then by keyword."""
    if not isinstance(node, ast.Call) or not _plain(source, node):
        return
    values = [*node.args, *(one.value for one in node.keywords)]
    pairs = sorted(itertools.combinations(range(len(values)), 2), key=lambda pair: pair[1] - pair[0])
    for one, other in pairs[:10]:
        first, second = source.code(values[one]), source.code(values[other])
        if first != second and not isinstance(values[one], ast.Starred) and not isinstance(values[other], ast.Starred):
            yield source.variant(
                "arguments exchanged",
                1.4 + 0.3 * (other - one - 1),
                f"{shown(first, 30)} and {shown(second, 30)} exchanged",
                source.replace(values[one], second),
                source.replace(values[other], first),
            )


def _appended(source: Source, node: ast.Call, argument: str, template: str, cost: float) -> Variant:
    """A call with one argument more, behind the others or, without a name, before those by keyword."""
    positional = "=" not in argument.split("(", maxsplit=1)[0]
    if node.keywords and positional:
        first = min(source.span(one)[0] for one in node.keywords)
        edit = source.insert(first, f"{argument}, ")
    elif node.args or node.keywords:
        last = max(source.span(one)[1] for one in (*node.args, *node.keywords))
        edit = source.insert(last, f", {argument}")
    else:
        edit = source.insert(source.span(node)[1] - 1, argument)
    return source.variant(template, cost, f"{argument} handed to {called_name(node)}", edit)


def argument_missing(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """One argument more: what is named like the parameter that is not given, a name in scope, as other calls do."""
    if not isinstance(node, ast.Call) or not _plain(source, node):
        return
    if len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp) and not node.keywords:
        return
    takes = parameters(source, project, node)
    by_name = {one.arg for one in node.keywords}
    there = [*local_names(source, node)]
    used = {ast.unparse(one) for one in node.args}
    has = members(source, node)
    own = [f"{has.receiver}.{name}" for name in has.attributes] if has is not None and has.receiver else []
    count = 0
    for index, parameter in enumerate(takes):
        if (index < len(node.args) and not parameter.by_name) or parameter.name in by_name:
            continue
        is_next = index == len(node.args) and not parameter.by_name
        fitting = sorted((*there, *own), key=lambda name: -likeness(name.rpartition(".")[2], parameter.name))
        for rank, name in enumerate(one for one in fitting[:5] if one not in used):
            alike = likeness(name.rpartition(".")[2], parameter.name)
            cost = (1.2 if alike > 0.7 else 1.9) + 0.2 * rank + (0.0 if is_next else 0.2)
            argument = name if is_next else f"{parameter.name}={name}"
            yield _appended(source, node, argument, "argument added", cost)
            count += 1
        if parameter.default in {"True", "False"}:
            turned = "False" if parameter.default == "True" else "True"
            yield _appended(source, node, f"{parameter.name}={turned}", "argument added", 1.8)
        elif not parameter.default:
            for rank, code in enumerate(("None", "0", "[]", "{}")):
                yield _appended(
                    source, node, code if is_next else f"{parameter.name}={code}", "argument added", 2.4 + rank / 5
                )
    yield from _keywords_of_others(source, node, by_name)
    if not takes and not count:
        for rank, name in enumerate(one for one in there[:8] if one not in used):
            yield _appended(source, node, name, "argument added", 2.4 + 0.15 * rank)


def _keywords_of_others(source: Source, node: ast.Call, by_name: set[str | None]) -> Iterator[Variant]:
    """The keyword arguments that other calls of the same function in the file have."""
    name = called_name(node)
    seen: dict[str, None] = {}
    for one in _calls(source).get(name, ()):
        if one is not node:
            for keyword in one.keywords:
                if keyword.arg and keyword.arg not in by_name:
                    seen[f"{keyword.arg}={ast.unparse(keyword.value)}"] = None
    for rank, argument in enumerate(list(seen)[:6]):
        yield _appended(source, node, argument, "argument added", 1.7 + 0.2 * rank)


def argument_dropped(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """One argument less."""
    if not isinstance(node, ast.Call) or not _plain(source, node):
        return
    parts: list[ast.AST] = sorted((*node.args, *node.keywords), key=source.span)
    spans = [source.span(one) for one in parts]
    for index, part in enumerate(parts[:8]):
        if index + 1 < len(parts):
            start, end = spans[index][0], spans[index + 1][0]
        elif index:
            start, end = spans[index - 1][1], spans[index][1]
        else:
            start, end = spans[index]
            if source.text[end : source.span(node)[1]].strip() != ")":
                continue

        says = f"{shown(source.code(part), 40)} not handed to {called_name(node)}"
        cost = 2.0 if isinstance(part, ast.keyword) else 2.3
        yield source.variant("argument dropped", cost, says, Edit(source.path, start, end, ""))


def other_argument(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """Another argument: named like its parameter, or an expression of the same function; first where it is ``None``."""
    if not isinstance(node, ast.Call) or not _plain(source, node):
        return
    takes = parameters(source, project, node)
    there = local_names(source, node)
    for index, argument in enumerate(node.args[:6]):
        if isinstance(argument, ast.Starred):
            continue
        code = source.code(argument)
        if index < len(takes):
            for rank, name in enumerate(closest(takes[index].name, there, least=0.6, most=2)):
                if name != code:
                    says = f"{name} for {shown(code, 40)}"
                    yield source.variant("other argument", 1.3 + rank / 5, says, source.replace(argument, name))
            if takes[index].name in there and takes[index].name != code:
                name = takes[index].name
                yield source.variant(
                    "other argument", 1.2, f"{name} for {shown(code, 40)}", source.replace(argument, name)
                )
        none = isinstance(argument, ast.Constant) and argument.value is None
        for rank, donor in enumerate(donors(source, argument, most=30 if none else 8)):
            cost = (1.4 if none else 2.8) + 0.08 * rank
            yield source.variant(
                "other argument", cost, f"{shown(donor, 40)} for {shown(code, 40)}", source.replace(argument, donor)
            )
    for keyword in node.keywords[:6]:
        if isinstance(keyword.value, ast.Constant) and keyword.value.value is None:
            for rank, donor in enumerate(donors(source, keyword.value, most=30)):
                cost = (1.1 if donor == keyword.arg else 1.4) + 0.08 * rank
                yield source.variant(
                    "other argument", cost, f"{keyword.arg}={shown(donor, 40)}", source.replace(keyword.value, donor)
                )


def keyword_renamed(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """Another name of a keyword argument: one that the function takes, or that other calls of it have."""
    if not isinstance(node, ast.Call) or not _plain(source, node) or not node.keywords:
        return
    given = {one.arg for one in node.keywords}
    known = [one.name for one in parameters(source, project, node)]
    for one in _calls(source).get(called_name(node), ()):
        if one is node:
            continue
        known += [keyword.arg for keyword in one.keywords if keyword.arg]
    for keyword in node.keywords:
        if keyword.arg is None:
            continue
        free = {name for name in known if name not in given}
        for rank, name in enumerate(sorted(free, key=lambda one: -likeness(one, keyword.arg or ""))[:4]):
            start = source.span(keyword)[0]

            edit = Edit(source.path, start, start + len(keyword.arg), name)
            cost = (1.0 if keyword.arg not in known else 2.2) + rank / 4
            yield source.variant("keyword renamed", cost, f"{name}= for {keyword.arg}=", edit)


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def super_missing(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """The method of the class above for the one that is called: ``super().save()`` for ``self.save()``."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not _plain(source, node):
        return
    has, method = members(source, node), method_around(source, node)
    if has is None or method is None:
        return
    value = node.func.value
    if isinstance(value, ast.Name) and value.id in {has.receiver, *has.bases}:
        if node.func.attr == method.name or value.id in has.bases:
            yield source.variant(
                "super", 1.5, f"super().{node.func.attr} for {source.code(node.func)}", source.replace(value, "super()")
            )
    elif _is_super(value) and has.receiver and node.func.attr in has.methods:
        yield source.variant("super", 2.2, f"{has.receiver} for super()", source.replace(value, has.receiver))


def other_function(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """Another function of the file or its classes that takes as many arguments and is named like it."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not _plain(source, node):
        return
    given = len(node.args) + len(node.keywords)
    for rank, name in enumerate(
        closest(node.func.id, (one for one in project.functions if not one.startswith("_")), least=0.5, most=4)
    ):
        defined = source.tree.body
        if any(getattr(one, "name", "") == name for one in defined) and any(
            len(one.args.args) >= given for one in project.functions[name]
        ):
            yield source.variant(
                "other function", 1.9 + rank / 4, f"{name} for {node.func.id}", source.replace(node.func, name)
            )


CALLS: tuple[Template, ...] = (
    arguments_exchanged,
    argument_missing,
    argument_dropped,
    other_argument,
    keyword_renamed,
    super_missing,
    other_function,
)
