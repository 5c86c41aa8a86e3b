"""The fields of a text that is filled in: two of them in each other's place, what they are filled with included."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from agent_core.repair.model import Edit, Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.exact import editable, fields_of
from agent_core.repair.templates.layout import shown

_BRACES = re.compile(r"\{\{|\}\}|\{(?:![rsa])?(?::[^{}]*)?\}")
_PERCENT = re.compile(r"%%|%[-+ #0]*\d*(?:\.\d+)?[a-zA-Z]")
_MOST = 5
_Span = tuple[int, int]


def fields_exchanged(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """Two neighbouring fields of a text in each other's place, their formats with them."""
    if not isinstance(node, ast.expr) or not editable(source, node) or source.in_text(node):
        return
    spans: list[_Span] = []
    values: list[_Span] = []
    match node:
        case ast.JoinedStr():
            spans = list(fields_of(source, node))
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()) as text, attr="format"), args=given):
            spans, values = _of_text(source, text, _BRACES), [source.span(one) for one in given]
        case ast.BinOp(left=ast.Constant(value=str()) as text, op=ast.Mod(), right=ast.Tuple(elts=given)):
            spans, values = _of_text(source, text, _PERCENT), [source.span(one) for one in given]
    if len(spans) > _MOST or (not isinstance(node, ast.JoinedStr) and len(spans) != len(values)):
        return
    for index in range(len(spans) - 1):
        pairs = [(spans[index], spans[index + 1])]
        if values:
            pairs.append((values[index], values[index + 1]))
        edits = [edit for one, other in pairs for edit in _exchanged(source, one, other)]
        if edits:
            what = values or spans
            first, second = (shown(source.text[slice(*what[place])], 30) for place in (index + 1, index))
            yield source.variant("fields exchanged", 2.0, f"{first} before {second}", *edits)


def _exchanged(source: Source, one: _Span, other: _Span) -> list[Edit]:
    texts = source.text[slice(*other)], source.text[slice(*one)]
    if texts[0] == texts[1]:
        return []
    return [Edit(source.path, *one, texts[0]), Edit(source.path, *other, texts[1])]


def _of_text(source: Source, text: ast.Constant, pattern: re.Pattern[str]) -> list[_Span]:
    start, end = source.span(text)
    found = pattern.finditer(source.text, start, end)
    return [match.span() for match in found if match.group() not in {"{{", "}}", "%%"}]


FIELDS: tuple[Template, ...] = (fields_exchanged,)
