"""What containers hold that do not say so: from what is put into them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from agent_core.checks.model import Finding
from agent_core.repair.beyond.places import function_at, on_line
from agent_core.repair.beyond.writing import returns, type_of, union
from agent_core.repair.model import Variant
from agent_core.repair.source import Source
from agent_core.repair.templates.members import class_around

_NEEDED = re.compile(r'Need type annotation for "(?P<name>\w+)"')
_GENERIC = re.compile(r'Missing type (?:arguments|parameters) for generic type "(?P<name>[\w.]+)"')
_ONE = ("object", "str", "int", "float")
_PAIR = ("str, object", "str, str", "str, int")
_ANY_NUMBER = ("object, ...", "str, ...", "int, ...", "float, ...")
# What claims least comes first: where that does not do, more is known of what is in it.
_FILLED = {
    **dict.fromkeys(("list", "List", "set", "Set", "frozenset", "deque", "Iterable", "Iterator", "Sequence"), _ONE),
    **dict.fromkeys(("Collection", "type", "Type", "Queue"), _ONE),
    **dict.fromkeys(("dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict"), _PAIR),
    **dict.fromkeys(("tuple", "Tuple"), _ANY_NUMBER),
    **dict.fromkeys(("Task", "Future", "Awaitable"), ("None", "object")),
    **dict.fromkeys(("Pattern", "Match", "PathLike"), ("str", "bytes")),
    "Callable": ("..., object", "..., None", "[], None"),
    "Counter": ("str", "int"),
    "Popen": ("bytes", "str"),
}


def container_variants(source: Source, finding: Finding) -> Iterator[Variant]:
    """Variants for containers, see `agent_core.repair.beyond.types`."""
    if (found := _NEEDED.search(finding.message)) is not None:
        yield from _needed(source, finding.line, found["name"])
    elif (found := _GENERIC.search(finding.message)) is not None:
        yield from _generic(source, finding.line, found["name"].rpartition(".")[2])


def _needed(source: Source, line: int | None, name: str) -> Iterator[Variant]:
    """The type of something that begins empty, from what is put into it."""
    for node in on_line(source, line, ast.Assign):
        target = node.targets[0]
        owner = class_around(source, node) if isinstance(target, ast.Attribute) else source.scope(node)
        if len(node.targets) != 1 or source.code(target).rpartition(".")[2] != name or owner is None:
            continue
        value = node.value
        kind = {ast.List: "list", ast.Dict: "dict", ast.Set: "set"}.get(type(value), "")
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
            kind = value.func.id
        if isinstance(value, ast.Constant) and value.value is None:
            kind = "None"
        index = source.span(target)[1]
        for rank, said in enumerate(_held(source, owner, source.code(target), kind)):
            edit = source.insert(index, f": {said}")
            yield source.variant("type", 1.0 + 0.3 * rank, f"{name} is {said}", edit)
        return


def _held(source: Source, owner: ast.AST, name: str, kind: str) -> list[str]:
    """The types that something may have which begins empty, the likeliest first."""
    put = [one for node in ast.walk(owner) for one in _put_in(source, node, name, into_none=kind == "None")]
    known, of = union(value for _, value in put if value), union(key for key, _ in put if key)
    if kind == "None":
        return [f"{one} | None" for one in (known.removesuffix(" | None"),) if one and one != "None"]
    if kind in {"dict", "defaultdict", "OrderedDict"}:
        pairs = [(of or "str", known)] if known else []
        ways = dict.fromkeys((*pairs, (of or "str", "object"), ("str", "str"), ("str", "int")))
        return [f"{kind}[{one}, {other}]" for one, other in ways]
    if kind in {"list", "set", "deque", "frozenset"}:
        return [f"{kind}[{one}]" for one in dict.fromkeys((known, "object", "str", "int")) if one]
    return [f"{kind}[{one}]" for one in ("str", "int") if kind == "Counter"]


def _put_in(source: Source, node: ast.AST, name: str, *, into_none: bool) -> Iterator[tuple[str, str]]:
    """The types of key and value that a node puts into something; empty where they are not known."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and source.code(node.func.value) == name:
        method, given = node.func.attr, [type_of(one, source) for one in node.args]
        if method in {"append", "add", "appendleft"} and given:
            yield "", given[0]
        elif method in {"extend", "update"} and given:
            inner = re.fullmatch(r"(?:list|set|Iterable|Sequence)\[(.+)\]", given[0])
            yield "", inner.group(1) if inner else ""
        elif method == "setdefault" and len(given) == 2:
            yield given[0], given[1]
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Subscript) and source.code(target.value) == name:
                yield type_of(target.slice, source), type_of(node.value, source)
            elif into_none and source.code(target) == name:
                yield "", type_of(node.value, source)


def _generic(source: Source, line: int | None, name: str) -> Iterator[Variant]:
    """What a container of no said type holds."""
    nodes: list[ast.expr] = [node for node in on_line(source, line, ast.Name) if node.id.lower() == name.lower()]
    nodes += [node for node in on_line(source, line, ast.Attribute) if node.attr.lower() == name.lower()]
    function = function_at(source, line)
    for node in nodes:
        if isinstance(source.parents.get(node), ast.Subscript | ast.Call):
            continue
        written = source.code(node).rpartition(".")[2]
        ways = list(_FILLED.get(written, _FILLED.get(name, ())))
        if function is not None and node is function.returns:
            known = [type_of(one.value, source) for one in returns(function) if one.value is not None]
            inner = re.fullmatch(rf"{name}\[(.+)\]", union(known))
            ways = [inner.group(1), *ways] if inner else ways
        for rank, said in enumerate(ways):
            edit = source.replace(node, f"{source.code(node)}[{said}]")
            yield source.variant("type", 1.2 + 0.2 * rank, f"{written}[{said}]", edit)
        return
