"""A name or attribute for another at all of its places: in a function, in a file, together with others like it."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.exact import fields_of
from agent_core.repair.templates.failures import attributes_lacking, names_lacking
from agent_core.repair.templates.layout import block
from agent_core.repair.templates.members import members
from agent_core.repair.templates.vocabulary import (
    FUNCTIONS,
    closest,
    dotted,
    is_bound,
    likeness,
    others,
    visible,
    vocabulary,
)

_BUILTINS = frozenset(dir(builtins))
# A name that there is not is wrong for certain where it is read; so much less than an ordinary slip it costs.
_UNKNOWN = 0.6
_UNKNOWN_TOLD = 0.4
_MOST_UNKNOWN = 3
_MOST_KNOWN = 3
_MOST_PLACES = 60
_BY_NAME = frozenset({"getattr", "hasattr", "setattr", "delattr"})
_LEAST = 0.6
# Where something stands, and whether it is an attribute's name alone, in a text.
_Place = tuple[int, int, bool]
# What was called otherwise in Python 2, or in the modules that bridged to it.
SUCCESSORS: Mapping[str, str] = {
    **dict.fromkeys(("unicode", "basestring", "text_type", "string_types"), "str"),
    "binary_type": "bytes",
    **dict.fromkeys(("long", "integer_types"), "int"),
    "xrange": "range",
    "raw_input": "input",
    "unichr": "chr",
    "izip": "zip",
    "imap": "map",
    "ifilter": "filter",
    **dict.fromkeys(("iteritems", "viewitems"), "items"),
    **dict.fromkeys(("itervalues", "viewvalues"), "values"),
    **dict.fromkeys(("iterkeys", "viewkeys"), "keys"),
    "has_key": "__contains__",
}


def successor(name: str) -> list[str]:
    """What is called otherwise today, if a name is one of those; none or one."""
    found = SUCCESSORS.get(name.strip("_"))
    return [] if found is None else [found]


# -- places


def renamings(source: Source, roots: Iterable[ast.AST], old: str, new: str) -> list[Edit]:
    """The edits that put one name, or one attribute of something, in the place of another wherever it is read.

    Args:
        source: The file.
        roots: Where it is looked for.
        old: As it is written: ``name``, ``self.total``.
        new: What stands there instead.
    """
    places = {place for root in roots for place in _places(source, root, old)}
    by_name = new.rpartition(".")[2]
    return [Edit(source.path, start, end, by_name if by else new) for start, end, by in sorted(places)]


@lru_cache(maxsize=64)
def _places(source: Source, root: ast.AST, old: str) -> tuple[_Place, ...]:
    """Where a name is read under a node."""
    found: list[_Place] = []
    waiting: list[ast.AST] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, FUNCTIONS) and node is not root and _binds(source, node, old):
            # Another of the same name.
            continue
        if isinstance(node, ast.JoinedStr):
            if any(_is(one, old) for one in ast.walk(node)):
                found += _in_text(source, node, old)
            continue
        if isinstance(node, ast.Name | ast.Attribute) and _is(node, old):
            if "".join(source.code(node).split()) == old:
                found.append((*source.span(node), False))
        elif isinstance(node, ast.Call):
            found += _by_name(source, node, old)
        waiting.extend(ast.iter_child_nodes(node))
    return tuple(found)


def _is(node: ast.AST, old: str) -> bool:
    if isinstance(node, ast.Name):
        return node.id == old and isinstance(node.ctx, ast.Load)
    return isinstance(node, ast.Attribute) and node.attr == old.rpartition(".")[2] and dotted(node) == old


def _binds(source: Source, function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    return name in vocabulary(source, function.body[0]).bindings


def _in_text(source: Source, node: ast.JoinedStr, old: str) -> Iterator[_Place]:
    """The places of a name within the fields of an f-string."""
    pattern = re.compile(rf"(?<![\w.'\"]){re.escape(old)}(?!\w)")
    for start, end in fields_of(source, node):
        for match in pattern.finditer(source.text, start, end):
            yield (*match.span(), False)


def _by_name(source: Source, node: ast.Call, old: str) -> Iterator[_Place]:
    """The text by which an attribute is asked for: ``getattr(x, "items")`` beside ``x.items()``."""
    owner, _, attribute = old.rpartition(".")
    match node:
        case ast.Call(func=ast.Name(id=name), args=[asked, ast.Constant(value=value) as text, *_]):
            if name in _BY_NAME and value == attribute and owner and dotted(asked) == owner:
                code = source.code(text)
                if code[1:-1] == attribute:
                    start, end = source.span(text)
                    yield start + 1, end - 1, True


# -- names that there are not


def _is_unknown(source: Source, node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Load)
        and node.id not in _BUILTINS
        and not node.id.startswith("__")
        and not is_bound(source, node, node.id)
    )


def _meant(source: Source, node: ast.Name, most: int) -> list[str]:
    """What a name that there is not stands for, the likeliest first."""
    there = set(visible(source, node))
    known = [name for name in successor(node.id) if name in there or name in _BUILTINS]
    return list(dict.fromkeys([*known, *closest(node.id, there | _BUILTINS, least=_LEAST, most=most)]))[:most]


def unknown_name(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """For a name that there is not the closest that there is: in the function, in the file; others like it, too."""
    if not isinstance(node, ast.Name) or not _is_unknown(source, node):
        return
    scope = source.scope(node)
    # One of several alone mends nothing where the others are executed, too.
    base = _UNKNOWN_TOLD if node.id in names_lacking(project) else 1.0 if _from_elsewhere(source) else _UNKNOWN
    yield from _unknown_together(source, node, scope, base)
    for index, name in enumerate(_meant(source, node, _MOST_UNKNOWN)):
        here = renamings(source, [scope], node.id, name)
        for more, edits, where in (
            (0.0, here, "in all places"),
            (0.1, renamings(source, [source.tree], node.id, name) if scope is not source.tree else here, "in the file"),
        ):
            if edits and len(edits) <= _MOST_PLACES and (not more or len(edits) > len(here)):
                says = f"{name} for {node.id}" + (f" {where}" if len(edits) > 1 else "")
                yield source.variant("misspelt name", base + 0.2 * index + more, says, *edits)


def _from_elsewhere(source: Source) -> bool:
    """Whether a file may have names that it does not name: it imports all there is of a module."""
    return any(isinstance(one, ast.ImportFrom) and one.names[0].name == "*" for one in source.tree.body)


def _unknown_together(source: Source, node: ast.Name, scope: ast.AST, cost: float) -> Iterator[Variant]:
    """All names of a function that there are not, each by its closest."""
    if _from_elsewhere(source):
        return
    unknown: dict[str, ast.Name] = {}
    for one in ast.walk(scope) if scope is not source.tree else ():
        if isinstance(one, ast.Name) and one.id not in unknown and _is_unknown(source, one):
            unknown[one.id] = one
    if len(unknown) < 2 or len(unknown) > 6:
        return
    meant = {name: found[0] for name, one in unknown.items() if (found := _meant(source, one, 1))}
    edits = [edit for old, new in meant.items() for edit in renamings(source, [scope], old, new)]
    if node.id in meant and len(meant) > 1:
        says = ", ".join(f"{new} for {old}" for old, new in meant.items())
        yield source.variant("misspelt names", cost, says, *edits)


# -- attributes that there are not, or that are asked for by name


_METHODS = frozenset(
    name for kind in (str, bytes, list, dict, set, tuple, int, float) for name in dir(kind) if name[0] != "_"
)


def unknown_attribute(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """For an attribute that there is not the closest that there is, in all places of the function that take it."""
    found = _taken(node)
    if found is None:
        return
    owner, attribute = found
    class_ = members(source, node)
    of_class = class_ is not None and owner == class_.receiver and class_.receiver != ""
    lacking = attribute in attributes_lacking(project)
    has = {*class_.attributes, *class_.methods} if class_ is not None else set[str]()
    names = successor(attribute) if attribute not in has or not of_class else []
    if of_class and attribute not in has:
        # With a base of another file nobody knows what the class has.
        names += closest(attribute, has, least=_LEAST, most=_MOST_UNKNOWN)
    elif lacking:
        known = [name for name, count in project.attributes.items() if count > 1] if not of_class else has
        names += closest(attribute, {*known, *_METHODS} - attributes_lacking(project), least=_LEAST, most=_MOST_UNKNOWN)
    for index, name in enumerate(dict.fromkeys(names)):
        edits = renamings(source, [source.scope(node)], f"{owner}.{attribute}", f"{owner}.{name}")
        if edits and (len(edits) > 1 or lacking or successor(attribute)):
            cost = (0.9 if lacking or successor(attribute) else 1.2) + 0.15 * index
            yield source.variant("misspelt attribute", cost, f"{name} for {attribute} of {owner}", *edits)


def _taken(node: ast.AST) -> tuple[str, str] | None:
    """What is taken of what by a node, were it by name."""
    match node:
        case ast.Attribute(value=value, attr=attribute) if dotted(value):
            return dotted(value), attribute
        case ast.Call(func=ast.Name(id=name), args=[value, ast.Constant(value=str(attribute)), *_]):
            return (dotted(value), attribute) if name in _BY_NAME and dotted(value) else None
    return None


# -- what there is, but not what was meant


def _reaches(source: Source, node: ast.AST) -> Iterator[tuple[list[ast.AST], float, str]]:
    """How far a mistake that was made more than once may reach: a statement, those beside it, the function."""
    statement = source.statement(node)
    around = block(source, statement) if statement is not None else None
    if statement is not None:
        yield [statement], 0.0, "in all of it"
    if around is not None and len(around.statements) > 1:
        yield [*around.statements], 0.2, "here and beside it"
    yield [source.scope(node)], 0.3, "in all places"


def other_everywhere(source: Source, node: ast.AST, project: Project) -> Iterator[Variant]:
    """Another name, or another attribute of the same object, at each of several places."""
    names, old = list[str](), ""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and not source.in_text(node):
        own = node.id in vocabulary(source, node).bindings
        if own and node.id not in {"self", "cls"} and not isinstance(source.parents.get(node), ast.Attribute):
            names, old = others(source, node, project, node.id)[:_MOST_KNOWN], node.id
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and not source.in_text(node):
        class_ = members(source, node)
        if class_ is not None and dotted(node.value) == class_.receiver and node.attr not in class_.methods:
            alike = sorted(class_.attributes.keys() - {node.attr}, key=lambda name: (-likeness(name, node.attr), name))
            names, old = [f"{class_.receiver}.{name}" for name in alike[:_MOST_KNOWN]], dotted(node)
    for index, name in enumerate(names):
        least = 1
        for roots, more, where in _reaches(source, node):
            edits = renamings(source, roots, old, name)
            if least < len(edits) <= _MOST_PLACES:
                least = len(edits)
                yield source.variant("other name", 2.3 + more + 0.2 * index, f"{name} for {old} {where}", *edits)


RENAMING: tuple[Template, ...] = (unknown_name, unknown_attribute, other_everywhere)
