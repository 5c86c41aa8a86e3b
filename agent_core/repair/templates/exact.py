"""Expressions put in the place of others, with brackets exactly where precedence asks for them."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from enum import IntEnum
from functools import lru_cache

from agent_core.repair.model import Edit, Variant
from agent_core.repair.source import Source
from agent_core.repair.templates.layout import shown

# In f-strings of Python before 3.12 an expression must not hold these.
_NOT_IN_FSTRINGS = re.compile(r"""['"\\{}#:!\r\n]""")
_WORD = re.compile(r"\w")


class Level(IntEnum):
    """How strongly an expression holds together, by the grammar's precedence."""

    LOOSE = 0
    TEST = 1
    OR = 2
    AND = 3
    NOT = 4
    COMPARISON = 5
    BIT_OR = 6
    BIT_XOR = 7
    BIT_AND = 8
    SHIFT = 9
    SUM = 10
    TERM = 11
    FACTOR = 12
    POWER = 13
    AWAIT = 14
    ATOM = 15


OPERATORS: dict[type[ast.operator], tuple[str, Level]] = {
    ast.Add: ("+", Level.SUM),
    ast.Sub: ("-", Level.SUM),
    ast.Mult: ("*", Level.TERM),
    ast.Div: ("/", Level.TERM),
    ast.FloorDiv: ("//", Level.TERM),
    ast.Mod: ("%", Level.TERM),
    ast.MatMult: ("@", Level.TERM),
    ast.Pow: ("**", Level.POWER),
    ast.LShift: ("<<", Level.SHIFT),
    ast.RShift: (">>", Level.SHIFT),
    ast.BitAnd: ("&", Level.BIT_AND),
    ast.BitOr: ("|", Level.BIT_OR),
    ast.BitXor: ("^", Level.BIT_XOR),
}
_LEVELS: tuple[tuple[type[ast.expr], Level], ...] = (
    (ast.NamedExpr, Level.LOOSE),
    (ast.Yield, Level.LOOSE),
    (ast.YieldFrom, Level.LOOSE),
    (ast.Starred, Level.LOOSE),
    (ast.IfExp, Level.TEST),
    (ast.Lambda, Level.TEST),
    (ast.Compare, Level.COMPARISON),
    (ast.Await, Level.AWAIT),
)


def level_of(node: ast.expr) -> Level:
    """How strongly an expression holds together; a tuple is taken to be in brackets."""
    match node:
        case ast.BoolOp():
            return Level.OR if isinstance(node.op, ast.Or) else Level.AND
        case ast.UnaryOp():
            return Level.NOT if isinstance(node.op, ast.Not) else Level.FACTOR
        case ast.BinOp():
            return OPERATORS[type(node.op)][1]
    return next((level for kind, level in _LEVELS if isinstance(node, kind)), Level.ATOM)


@lru_cache(maxsize=4096)
def level_of_text(text: str) -> Level | None:
    """How strongly the code of an expression holds together; None where it is none.

    Code of several lines that no brackets of its own hold together is loose.
    """
    try:
        node = ast.parse(f"({text}\n)", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if node.col_offset == 0:
        return Level.LOOSE
    in_brackets = node.lineno > 1 or (node.col_offset > 1 and text.startswith("("))
    level = Level.ATOM if in_brackets else level_of(node)
    if "\n" in text or "\r" in text:
        try:
            ast.parse(text.strip(), mode="eval")
        except SyntaxError:
            return Level.LOOSE
    return level


def needed(source: Source, node: ast.expr) -> Level:
    """How strongly an expression must hold together to stand where one stands."""
    parent = source.parents.get(node)
    need = Level.TEST
    match parent:
        case ast.BoolOp():
            need = Level.AND if isinstance(parent.op, ast.Or) else Level.NOT
        case ast.UnaryOp():
            need = Level.NOT if isinstance(parent.op, ast.Not) else Level.FACTOR
        case ast.BinOp():
            need = _needed_by_operator(parent, node)
        case ast.Compare() | ast.Starred():
            need = Level.BIT_OR
        case ast.Attribute() | ast.Await():
            need = Level.ATOM
        case ast.Subscript() if node is parent.value:
            need = Level.ATOM
        case ast.Call() if node is parent.func:
            need = Level.ATOM
        case ast.keyword() if parent.arg is None:
            need = Level.BIT_OR
        case ast.Dict() if node in parent.values and parent.keys[parent.values.index(node)] is None:
            need = Level.BIT_OR
        case ast.IfExp() if node is not parent.orelse:
            need = Level.OR
        case ast.comprehension():
            need = Level.OR
    return need


def _needed_by_operator(parent: ast.BinOp, node: ast.expr) -> Level:
    level = OPERATORS[type(parent.op)][1]
    if level is Level.POWER:
        return Level.AWAIT if node is parent.left else Level.FACTOR
    return level if node is parent.left else Level(level + 1)


def editable(source: Source, node: ast.AST) -> bool:
    """Whether a node is an expression that is read when the program runs, and stands where it says it does.

    Annotations, docstrings, patterns of ``match`` and targets are none; nor is, before Python 3.12, what stands in an
    f-string at a place that is not exactly known.
    """
    if not isinstance(node, ast.expr) or not isinstance(getattr(node, "ctx", None), ast.Load | None):
        return False
    inner: ast.AST = node
    in_text = False
    for one in source.above(node):
        if isinstance(one, ast.pattern | ast.arg) or _sets_aside(one, inner):
            return False
        in_text = in_text or isinstance(one, ast.JoinedStr)
        if isinstance(one, ast.stmt):
            break
        inner = one
    return not in_text or _is_exact(source, node)


def _sets_aside(around: ast.AST, inner: ast.AST) -> bool:
    """Whether an expression directly in a statement is its annotation, or a text that nobody reads."""
    if isinstance(around, ast.Expr):
        return isinstance(inner, ast.Constant)
    return inner in (getattr(around, "annotation", None), getattr(around, "returns", None))


def _is_exact(source: Source, node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr | ast.FormattedValue):
        return False
    try:
        found = ast.parse(source.code(node), mode="eval").body
    except (SyntaxError, ValueError, IndexError):
        # Constants of an f-string's own text have no code; places in it may lie outside of the file.
        return False
    return type(found) is type(node) and ast.dump(found) == ast.dump(node)


def fields_of(source: Source, node: ast.JoinedStr) -> Iterator[tuple[int, int]]:
    """Where the fields of an f-string stand; where nodes in them say they do is not exact before Python 3.12."""
    index, end = source.span(node)
    depth, start = 0, 0
    while index < end:
        letter = source.text[index]
        if not depth and source.text[index : index + 2] in {"{{", "}}"}:
            index += 2
            continue
        if letter == "{":
            start = index if not depth else start
            depth += 1
        elif letter == "}":
            depth -= 1
            if not depth:
                yield start, index + 1
        index += 1


def grouped(source: Source, node: ast.expr) -> tuple[int, int]:
    """Where an expression stands together with the round brackets directly around it, other than those of a call."""
    start, end = source.span(node)
    parent = source.parents.get(node)
    last = source.span(parent)[1] if isinstance(parent, ast.Call) and node is not parent.func else -1
    while True:
        left, right = _before(source.text, start), _behind(source.text, end)
        if left < 0 or source.text[left] != "(" or source.text[right : right + 1] != ")" or right + 1 == last:
            return start, end
        if isinstance(parent, ast.ClassDef) and node not in parent.decorator_list:
            return start, end
        start, end = left, right + 1


def _before(text: str, index: int) -> int:
    index -= 1
    while index >= 0 and text[index] in " \t\f\r\n\\":
        index -= 1
    return index


def _behind(text: str, index: int) -> int:
    while index < len(text) and text[index] in " \t\f\r\n\\":
        index += 1
    return index


def _is_sole_generator(source: Source, node: ast.expr) -> bool:
    """Whether a generator shares its brackets with the call whose only argument it is."""
    parent = source.parents.get(node)
    if not isinstance(node, ast.GeneratorExp) or not isinstance(parent, ast.Call) or node is parent.func:
        return False
    return source.span(node)[1] == source.span(parent)[1]


def without_brackets(source: Source, node: ast.expr) -> Edit | None:
    """The edit that takes away the brackets around an expression; None where it stands on several lines."""
    around, text = grouped(source, node), source.code(node)
    return None if set(text) & set("\r\n") else Edit(source.path, *around, spaced(source, *around, text))


def put(source: Source, node: ast.expr, text: str) -> Edit | None:
    """The edit that puts an expression in another's place, in brackets where they are needed.

    Returns:
        The edit; None where the text is no expression or cannot stand there.
    """
    level, need = level_of_text(text), needed(source, node)
    if level is None or (_within_fstring(source, node) and _NOT_IN_FSTRINGS.search(text)):
        return None
    start, end = source.span(node)
    if _is_sole_generator(source, node):
        return Edit(source.path, start, end, f"({text})")
    around = grouped(source, node)
    if around != (start, end):
        if level >= need and level_of(node) < need:
            start, end = around
        else:
            need = Level.TEST
    number = isinstance(source.parents.get(node), ast.Attribute) and text[-1:].isdigit() and text.isdigit()
    if level < need or number or level is Level.LOOSE:
        text = f"({text})"
    return Edit(source.path, start, end, spaced(source, start, end, text))


def spaced(source: Source, start: int, end: int, text: str) -> str:
    """A text with spaces where it would run into the words beside it."""
    if start and text and _WORD.match(text[0]) and _WORD.match(source.text[start - 1]):
        text = f" {text}"
    if text and _WORD.match(text[-1]) and _WORD.match(source.text[end : end + 1] or " "):
        text = f"{text} "
    return text


def _within_fstring(source: Source, node: ast.AST) -> bool:
    return sys.version_info < (3, 12) and source.in_text(node)


def piece(source: Source, node: ast.expr, level: Level = Level.TEST) -> str:
    """An expression's code, in brackets where it holds together less strongly than asked."""
    return held_together(source.code(node), level)


def held_together(text: str, level: Level) -> str:
    """The code of an expression, in brackets where it holds together less strongly than asked."""
    found = level_of_text(text)
    return f"({text})" if found is None or found < level else text


def operator_span(source: Source, left: ast.expr, right: ast.expr, words: str) -> tuple[int, int] | None:
    """Where the operator between two operands stands.

    Args:
        source: The file.
        left: The operand before it.
        right: The one behind it.
        words: The operator: ``not in`` may have any white space between its words.
    """
    start, end = source.span(left)[1], source.span(right)[0]
    between = re.sub(r"#[^\r\n]*", lambda found: " " * len(found.group()), source.text[start:end])
    found = re.search(r"[\s\\]+".join(map(re.escape, words.split())), between)
    return (start + found.start(), start + found.end()) if found is not None else None


def replaced(
    source: Source, node: ast.expr, text: str, template: str, cost: float, *, says: str = ""
) -> Iterator[Variant]:
    """The variant that puts an expression in another's place; none where it cannot stand there, or is the same.

    Args:
        source: The file.
        node: The expression.
        text: What stands there instead.
        template: The variant's template.
        cost: Its cost.
        says: What it does; that the text stands for the node's, unless given.
    """
    old = source.code(node)
    edit = put(source, node, text)
    if edit is not None and edit.text != source.text[edit.start : edit.end]:
        yield source.variant(template, cost, says or f"{shown(text)} for {shown(old)}", edit)
