"""Findings of mypy with an obvious edit: real ones, never a comment that silences it and never Any as a way out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from agent_core.checks.model import Finding
from agent_core.repair.beyond.annotations import annotation_variants
from agent_core.repair.beyond.calls import call_variants
from agent_core.repair.beyond.nearest import closest
from agent_core.repair.beyond.optionals import optional_variants
from agent_core.repair.beyond.places import members, on_line, spelt
from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source

_ATTRIBUTE = re.compile(r'(?:"(?P<owner>[^"]+)"|Module) has no attribute "(?P<name>\w+)"(?:; maybe (?P<maybe>.*)\?)?')
_IGNORED = re.compile(r'Unused "type: ignore(?:\[(?P<codes>[^\]]*)\])?" comment')
_COMMENT = re.compile(r"[ \t]*#[ \t]*type:[ \t]*ignore(?:\[(?P<codes>[^\]]*)\])?[ \t]*")
_TRUTHY = re.compile(r'Function "(?P<name>[^"]+)" could always be true')
_QUOTED = re.compile(r'"(\w+)"')


def type_variants(source: Source, project: Project, finding: Finding) -> Iterator[Variant]:
    """What may be changed where mypy finds something.

    Args:
        source: The file.
        project: The project it is of.
        finding: What mypy says; its notes are in the detail.

    Yields:
        Variants, the likeliest first; nothing for findings of other checks, or where nothing is obvious.
    """
    if finding.check != "mypy":
        return
    found = [
        *optional_variants(source, project, finding),
        *annotation_variants(source, project, finding),
        *call_variants(source, project, finding),
        *_attributes(source, project, finding),
        *_needless(source, finding),
        *_awaited(source, finding),
    ]
    yield from sorted(dict.fromkeys(found), key=lambda one: one.cost)


def _attributes(source: Source, project: Project, finding: Finding) -> Iterator[Variant]:
    """An attribute misspelt: what mypy would have, and what the class has."""
    match = _ATTRIBUTE.search(finding.message)
    if match is None:
        return
    name = match["name"]
    maybe = _QUOTED.findall(match["maybe"] or "")
    owner = (match["owner"] or "").removeprefix("type[").partition("[")[0].rstrip("]")
    for path in (source.path, *sorted(project.paths)) if owner and not maybe else ():
        there = project.source(path)
        nodes = [] if there is None else [one for one in there.tree.body if isinstance(one, ast.ClassDef)]
        known = [one for node in nodes if node.name == owner and there is not None for one in members(there, node)]
        if known:
            maybe += closest(name, known)
            break
    for node in on_line(source, finding.line, ast.Attribute):
        if node.attr == name:
            for rank, other in enumerate(dict.fromkeys(maybe)):
                edit = Edit(source.path, *spelt(node, source), other)
                yield source.variant("misspelt name", 1.0 + 0.3 * rank, f"{other} for {name}", edit)


def _needless(source: Source, finding: Finding) -> Iterator[Variant]:
    """What says nothing: a comment that silences nothing, a cast, a function asked whether it is there."""
    if (ignored := _IGNORED.search(finding.message)) is not None and finding.line is not None:
        yield from _comment(source, finding.line, ignored["codes"] or "")
    elif finding.code == "redundant-cast":
        for node in on_line(source, finding.line, ast.Call):
            if source.code(node.func).rpartition(".")[2] == "cast" and len(node.args) == 2:
                code = source.code(node.args[1])
                simple = isinstance(node.args[1], ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.Constant)
                yield source.variant(
                    "needless", 1.0, "the cast left out", source.replace(node, code if simple else f"({code})")
                )
    elif (found := _TRUTHY.search(finding.message)) is not None:
        name = found["name"].rpartition(".")[2]
        for one in (*on_line(source, finding.line, ast.Name), *on_line(source, finding.line, ast.Attribute)):
            if name in {getattr(one, "id", ""), getattr(one, "attr", "")}:
                yield source.variant("call", 1.1, f"{name} is called", source.insert(source.span(one)[1], "()"))


def _comment(source: Source, line: int, unused: str) -> Iterator[Variant]:
    start = source.offset(line, 0)
    text = source.text[start:].partition("\n")[0].rstrip("\r")
    found = _COMMENT.search(text)
    if found is None:
        return
    codes = [one.strip() for one in (found["codes"] or "").split(",") if one.strip()]
    left = [one for one in codes if one not in {said.strip() for said in unused.split(",")}]
    rest = text[found.end() :].strip()
    if unused and left:
        at = start + found.start("codes")
        edit = Edit(source.path, at, at + len(found["codes"]), ", ".join(left))
    else:
        # What else is said there stays: a comment of its own, of another tool, or behind the codes.
        said = f"  {rest}" if rest.startswith("#") else f"  # {rest}" if rest else ""
        alone = not text[: found.start()].strip() and not said
        end = start + len(text)
        if alone:
            end = min(end + len(source.line_end), len(source.text))
        edit = Edit(source.path, start + (0 if alone else found.start()), end, said)
    yield source.variant("needless", 1.0, "the comment left out", edit)


def _awaited(source: Source, finding: Finding) -> Iterator[Variant]:
    """A coroutine that nobody waits for."""
    if "forgot to use" not in finding.detail and "await" not in finding.message:
        return
    for node in on_line(source, finding.line, ast.Call):
        function = source.function(node)
        if isinstance(function, ast.AsyncFunctionDef) and not isinstance(source.parents.get(node), ast.Await):
            used = isinstance(source.parents.get(node), ast.Attribute | ast.Subscript | ast.Call) and not isinstance(
                source.parents.get(node), ast.Call
            )
            said = f"(await {source.code(node)})" if used else f"await {source.code(node)}"
            yield source.variant("await", 1.1, f"await {source.code(node)}", source.replace(node, said))
