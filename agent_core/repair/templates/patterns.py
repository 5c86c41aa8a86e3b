"""Little languages in texts: regular expressions, formats, f-strings."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping

from agent_core.repair.model import Variant
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates import Template
from agent_core.repair.templates.constants import LITERAL, spelt
from agent_core.repair.templates.exact import editable, replaced
from agent_core.repair.templates.vocabulary import visible

_ASKED = frozenset({"match", "fullmatch", "search", "compile", "sub", "subn", "split", "findall", "finditer"})
_MOST = 50
_LONGEST = 120
# What a piece of a pattern is mistaken for.
_OTHERS: Mapping[str, tuple[str, ...]] = {
    r"\d": (r"\w", r"\D", "[0-9]", r"\S", "."),
    r"\w": (r"\W", r"\S", r"\d", ".", "[a-z]", r"[\w-]"),
    r"\s": (r"\S", " ", r"\w", r"\b"),
    r"\S": (r"\s", r"\w", "."),
    r"\W": (r"\w", r"\S"),
    r"\D": (r"\d",),
    r"\b": (r"\B", ""),
    r"\B": (r"\b", ""),
    r"\A": ("^", ""),
    r"\Z": ("$", ""),
    "^": ("", r"\A"),
    "$": ("", r"\Z"),
    ".": (r"\.", r"\S", r"\w", "[^\\n]"),
    "+": ("*", "+?", "", "?"),
    "*": ("+", "*?", "?", ""),
    "?": ("", "*", "+", "??"),
    "|": ("",),
    "[": ("[^",),
    "[^": ("[",),
    "(": ("(?:",),
    "(?:": ("(",),
}
# These mean themselves within a class of characters.
_ALONE = frozenset("^$.+*?|-[(") | {r"\b", r"\B", r"\A", r"\Z"}
# What a class of characters may lack.
_ADDED = ("_", "-", " ", ".", r"\d", r"\s", "A-Z", "a-z", "0-9")
_PART = re.compile(r"\\.|\[\^|\(\?:|\{\d+(?:,\d*)?\}|.", re.DOTALL)


def regular_expression(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """A small edit of a pattern: greed, how often, anchors, classes, what is escaped; the flags."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in _ASKED:
        return
    if not isinstance(node.func.value, ast.Name) or node.func.value.id not in {"re", "regex"} or not node.args:
        return
    if not editable(source, node) or source.in_text(node):
        return
    pattern = node.args[0]
    if not isinstance(pattern, ast.Constant) or not isinstance(pattern.value, str):
        return
    literal = LITERAL.fullmatch(source.code(pattern))
    if literal is None or len(pattern.value) > _LONGEST:
        return
    seen = {pattern.value}
    for other, cost in _edited(pattern.value):
        if other not in seen and len(seen) <= _MOST and _compiles(other):
            seen.add(other)
            yield from replaced(source, pattern, spelt(other, literal), "regular expression", cost)
    yield from _flags(source, node, node.func.value.id)


def _flags(source: Source, node: ast.Call, module: str) -> Iterator[Variant]:
    if any("#" in source.code(one) or ast.unparse(one).startswith(f"{module}.") for one in node.args[1:]):
        return
    if any(one.arg == "flags" for one in node.keywords) or source.text[source.span(node)[1] - 2] == ",":
        return
    for flag, cost in (("IGNORECASE", 1.9), ("MULTILINE", 2.0), ("DOTALL", 2.0), ("VERBOSE", 2.6)):
        edit = source.insert(source.span(node)[1] - 1, f", flags={module}.{flag}")
        yield source.variant("regular expression", cost, f"with the flag {flag}", edit)


def _edited(pattern: str) -> Iterator[tuple[str, float]]:
    """Patterns that differ from one in one of its pieces, or by an anchor."""
    yield from ((pattern + "$", 1.5), ("^" + pattern, 1.5), (pattern + r"\b", 2.0), (r"\b" + pattern, 2.0))
    yield from ((f"({pattern})", 2.2), (pattern + "+", 2.0), (pattern + "?", 2.2), (pattern + "*", 2.2))
    in_class = False
    for found in _PART.finditer(pattern):
        part, (start, end) = found.group(), found.span()
        for other, cost in _other_parts(part, in_class=in_class):
            yield pattern[:start] + other + pattern[end:], cost
        if part in {"[", "[^"}:
            in_class = True
        elif part == "]":
            in_class = False
        elif not in_class and (part.startswith("\\") or part.isalnum()) and pattern[end : end + 1] not in {*"*+?{"}:
            yield from (
                (f"{pattern[:end]}{mark}{pattern[end:]}", cost) for mark, cost in (("+", 1.7), ("?", 1.8), ("*", 1.8))
            )


def _other_parts(part: str, *, in_class: bool) -> Iterator[tuple[str, float]]:
    """What may stand in the place of a piece of a pattern, within a class of characters or outside of one."""
    if part.startswith("{"):
        yield from _other_counts(part)
    elif in_class and part == "]":
        yield from ((f"{other}]", 1.9) for other in _ADDED)
    elif part in _OTHERS and not (in_class and part in _ALONE):
        yield from ((other, 1.4 + 0.1 * index) for index, other in enumerate(_OTHERS[part]))
    elif len(part) == 2 and part[0] == "\\" and not part[1].isalnum():
        yield part[1], 1.6


def _other_counts(part: str) -> Iterator[tuple[str, float]]:
    """Another number of times, of ``{2}``, ``{2,}`` or ``{2,3}``."""
    low, comma, high = part[1:-1].partition(",")
    for number in (int(low) - 1, int(low) + 1):
        if number >= 0:
            yield f"{{{number}{comma}{high}}}", 1.4
    if high:
        yield f"{{{low},{int(high) + 1}}}", 1.5
        yield f"{{{low},{int(high) - 1}}}", 1.5
    if high or not comma:
        yield f"{{{low},}}", 1.6


def _compiles(pattern: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError, Warning):
            return False
    return True


_SPEC = re.compile(r"%([-+# 0]*\d*(?:\.\d+)?)([sdrfxgi])|\{(\w*)(![rsa])?(:[^{}]*)?\}")


def text_format(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """Another conversion, another number of digits, another field of a format."""
    literal: re.Match[str] | None = None
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and editable(source, node):
        literal = LITERAL.fullmatch(source.code(node))
    value = node.value if isinstance(node, ast.Constant) else None
    if literal is None or not isinstance(node, ast.Constant) or not isinstance(value, str) or source.in_text(node):
        return
    if len(value) > _LONGEST:
        return
    for found in list(_SPEC.finditer(value))[:6]:
        for other, cost in _other_specs(found):
            whole = value[: found.start()] + other + value[found.end() :]
            yield from replaced(
                source, node, spelt(whole, literal), "format", cost, says=f"{other} for {found.group()}"
            )
    if "{" in value and "f" not in literal.group(1).lower() and not _is_formatted(source, node):
        there = visible(source, node)
        names = [found.group(3) for found in _SPEC.finditer(value)]
        if any(name in there for name in names):
            yield from replaced(source, node, f"f{source.code(node)}", "format", 1.2)


def _is_formatted(source: Source, node: ast.AST) -> bool:
    parent = source.parents.get(node)
    return isinstance(parent, ast.Attribute) and parent.attr in {"format", "format_map"}


def _other_specs(found: re.Match[str]) -> Iterator[tuple[str, float]]:
    before, kind, field, conversion, spec = found.groups()
    if kind:
        yield from ((f"%{before}{other}", 1.6) for other in "srd" if other != kind)
        if "." in before:
            digits = int(before.partition(".")[2])
            yield from (
                (f"%{before.partition('.')[0]}.{one}{kind}", 1.5) for one in (digits - 1, digits + 1) if one >= 0
            )
        elif kind == "f":
            yield "%.2f", 1.9
        return
    conversion, spec = conversion or "", spec or ""
    if field.isdigit():
        for other in (int(field) - 1, int(field) + 1):
            if other >= 0:
                yield f"{{{other}{conversion}{spec}}}", 1.6
    yield f"{{{field}{'' if conversion else '!r'}{spec}}}", 1.8
    yield from ((f"{{{field}{conversion}{other}}}", cost) for other, cost in _other_layouts(spec))


def _other_layouts(spec: str) -> Iterator[tuple[str, float]]:
    """What may stand behind the colon of a field instead: other digits, another side, none."""
    number = re.search(r"\.(\d+)", spec)
    if number is not None:
        digits = int(number.group(1))
        for other in (digits - 1, digits + 1):
            if other >= 0:
                yield f"{spec[: number.start(1)]}{other}{spec[number.end(1) :]}", 1.5
    width = re.search(r"(?<![.\d])(\d+)", spec)
    if width is not None:
        for other in (int(width.group(1)) - 1, int(width.group(1)) + 1):
            zeros = "0" if width.group(1).startswith("0") else ""
            if other > 0:
                yield f"{spec[: width.start()]}{zeros}{other}{spec[width.end() :]}", 1.7
    for side in "<>^":
        if side in spec:
            yield from ((spec.replace(side, other), 1.6) for other in "<>^" if other != side)
    if spec:
        yield "", 2.2


_FIELD = re.compile(r"\{([^{}!:]+)(![rsa])?(:[^{}]*)?\}")


def formatted(source: Source, node: ast.AST, _: Project) -> Iterator[Variant]:
    """Another conversion or layout of a field of an f-string; what frames the whole of it left out."""
    if not isinstance(node, ast.JoinedStr) or not editable(source, node):
        return
    code = source.code(node)
    literal = re.fullmatch(r"(?i)(f|rf|fr)('{3}|\"{3}|'|\")(.*)\2", code, re.DOTALL)
    if literal is None or source.in_text(node) or len(code) > 4 * _LONGEST or "{{" in code or "}}" in code:
        return
    prefix, quotes, body = literal.groups()
    if quotes[0] in body.replace(f"\\{quotes[0]}", ""):
        # Several literals in a row, or quotes within a field.
        return
    for found in list(_FIELD.finditer(body))[:6]:
        field, conversion, spec = found.group(1), found.group(2) or "", found.group(3) or ""
        others = [(f"{{{field}{'' if conversion else '!r'}{spec}}}", 1.8)]
        others += [(f"{{{field}{conversion}{other}}}", cost) for other, cost in _other_layouts(spec)]
        for other, cost in others:
            whole = f"{prefix}{quotes}{body[: found.start()]}{other}{body[found.end() :]}{quotes}"
            yield from replaced(source, node, whole, "format", cost, says=f"{other} for {found.group()}")
    for count in (2, 1):
        if len(body) > 2 * count and body[:count] == body[-count:] and not set(body[:count]) & set("{}\\"):
            yield from replaced(source, node, f"{prefix}{quotes}{body[count:-count]}{quotes}", "format", 1.8)


PATTERNS: tuple[Template, ...] = (regular_expression, text_format, formatted)
