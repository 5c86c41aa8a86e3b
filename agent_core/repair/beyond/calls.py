"""Arguments that do not fit what is called: misspelt, missing, too many, of another type."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from agent_core.checks.model import Finding
from agent_core.repair.beyond.nearest import closest
from agent_core.repair.beyond.places import names_at, on_line
from agent_core.repair.beyond.writing import arguments, imported
from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source, called_name

_UNEXPECTED = re.compile(
    r'Unexpected keyword argument "(?P<name>\w+)" for "(?P<call>[^"]+)"(?:; did you mean (?P<maybe>.*)\?)?'
)
_MISSING = re.compile(
    r'Missing (?:positional|named) arguments? (?P<names>"\w+"(?:, "\w+")*) in call to "(?P<call>[^"]+)"'
)
_MANY = re.compile(r'Too many (?:positional )?arguments for "(?P<call>[^"]+)"')
_ARGUMENT = re.compile(
    r'Argument (?P<which>\d+|"\w+") to "(?P<call>[^"]+)".* has incompatible type "(?P<got>[^"]+)"; '
    r'expected "(?P<want>[^"]+)"'
)
_QUOTED = re.compile(r'"(\w+)"')
_PLAIN = frozenset(
    {"int", "str", "float", "bool", "list", "tuple", "set", "bytes", "dict", "frozenset", "Path", "Decimal"}
)


def calls_of(source: Source, line: int | None, called: str) -> Iterator[ast.Call]:
    """The calls on a line of what mypy names: ``f``, or ``go of Shop``."""
    name = called.partition(" of ")[0]
    for node in on_line(source, line, ast.Call):
        if called_name(node) == name:
            yield node


def argument_of(source: Source, line: int | None, which: str, called: str) -> Iterator[ast.expr]:
    """The argument that mypy names, by number or name, of calls on a line."""
    for call in calls_of(source, line, called):
        if which.isdigit():
            place = int(which) - 1
            if place < len(call.args):
                yield call.args[place]
        else:
            yield from (one.value for one in call.keywords if one.arg == which.strip('"'))


def call_variants(source: Source, project: Project, finding: Finding) -> Iterator[Variant]:
    """Variants for arguments, see `agent_core.repair.beyond.types`."""
    said, line = finding.message, finding.line
    if (found := _UNEXPECTED.search(said)) is not None:
        maybe = _QUOTED.findall(found["maybe"] or "")
        yield from _renamed(
            source, list(calls_of(source, line, found["call"])), found["name"], maybe + _known(project, found)
        )
    elif (found := _MISSING.search(said)) is not None:
        yield from _filled(source, line, found["call"], _QUOTED.findall(found["names"]))
    elif (found := _MANY.search(said)) is not None:
        for call in calls_of(source, line, found["call"]):
            if len(call.args) > 1:
                edit = Edit(source.path, source.span(call.args[-2])[1], source.span(call.args[-1])[1], "")
                yield source.variant("arguments", 2.0, f"{source.code(call.args[-1])} left out", edit)
    elif (found := _ARGUMENT.search(said)) is not None:
        for node in argument_of(source, line, found["which"], found["call"]):
            yield from converted(source, node, found["got"], found["want"])


def _known(project: Project, found: re.Match[str]) -> list[str]:
    """The parameters of what is called that are written almost like one."""
    function = found["call"].partition(" of ")[0]
    definitions = project.functions.get(function, ())
    # A class is called by its name and defined by its __init__.
    if not definitions and function[:1].isupper():
        definitions = project.functions.get("__init__", ())
    known = [one.arg for definition in definitions for one in arguments(definition) if one.arg not in {"self", "cls"}]
    return closest(found["name"], known)


def _renamed(source: Source, calls: list[ast.Call], name: str, meant: list[str]) -> Iterator[Variant]:
    for call in calls:
        keyword = next((one for one in call.keywords if one.arg == name), None)
        if keyword is None:
            continue
        given = {one.arg for one in call.keywords}
        start = source.span(keyword)[0]
        for rank, other in enumerate(dict.fromkeys(meant)):
            if other not in given:
                edit = Edit(source.path, start, start + len(name), other)
                yield source.variant("arguments", 1.0 + 0.3 * rank, f"{other} for {name}", edit)
        everything = sorted([source.span(one) for one in (*call.args, *call.keywords)])
        place = everything.index(source.span(keyword))
        if place:
            edit = Edit(source.path, everything[place - 1][1], everything[place][1], "")
            yield source.variant("arguments", 2.4, f"{name} left out", edit)


def _filled(source: Source, line: int | None, called: str, missing: list[str]) -> Iterator[Variant]:
    """What is missing is there under the same name, or as an attribute of self."""
    for call in calls_of(source, line, called):
        there = names_at(source, call)
        parts = []
        for name in missing:
            if name in there:
                parts.append(f"{name}={name}")
            elif "self" in there:
                parts.append(f"{name}=self.{name}")
            else:
                return
        end = source.span(call)[1] - 1
        own = [*call.args, *call.keywords]
        # Behind a comma at the end of the arguments there is none to put in.
        before = source.text[:end].rstrip()
        lead = "" if not own else " " if before.endswith(",") else ", "
        index = len(before) if own else end
        yield source.variant(
            "arguments", 1.3, f"{', '.join(parts)} put in", source.insert(index, lead + ", ".join(parts))
        )


def converted(source: Source, node: ast.expr, got: str, want: str) -> Iterator[Variant]:
    """An expression made to be of the type that is wanted, where one type is made of another in an ordinary way."""
    code = source.code(node)
    plain = want.partition("[")[0].rpartition(".")[2]
    from_kind = got.partition("[")[0].rpartition(".")[2]
    wants = {one.strip().partition("[")[0].rpartition(".")[2] for one in want.split("|")}
    held = f"({code})" if isinstance(node, ast.BinOp | ast.IfExp | ast.BoolOp | ast.Compare | ast.Lambda) else code
    if "Coroutine" in from_kind or "Awaitable" in from_kind:
        yield source.variant("await", 1.0, f"await {code}", source.replace(node, f"await {held}"))
    literal = node.value if isinstance(node, ast.Constant) else None
    if isinstance(literal, str) and plain in {"int", "float"} and re.fullmatch(r"-?\d+(?:\.\d+)?", literal):
        yield source.variant("conversion", 1.2, f"{literal} for {code}", source.replace(node, literal))
    if isinstance(literal, int | float) and plain == "str":
        yield source.variant("conversion", 1.3, f'"{code}" for {code}', source.replace(node, f'"{code}"'))
    if (from_kind, plain) in {("str", "bytes"), ("bytes", "str")}:
        method = "encode" if plain == "bytes" else "decode"
        yield source.variant("conversion", 1.3, f"{code}.{method}()", source.replace(node, f"{held}.{method}()"))
    elif (
        plain in _PLAIN
        and "|" not in want
        and "None" not in got
        and from_kind not in {"object", "Any", "Coroutine", "Awaitable"}
    ):
        edits = imported(source, "pathlib", "Path") if plain == "Path" else []
        yield source.variant("conversion", 1.6, f"{plain}({code})", source.replace(node, f"{plain}({code})"), *edits)
    if wants & {"list", "Sequence", "Iterable", "Collection"} and from_kind in {"str", "int", "float"}:
        yield source.variant("conversion", 1.8, f"[{code}] for {code}", source.replace(node, f"[{code}]"))
