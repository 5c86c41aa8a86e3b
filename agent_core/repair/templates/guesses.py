"""What an expression gives, as far as its form tells: ``number``, ``text``, ``list``, ``dict`` and so on."""

from __future__ import annotations

import ast
from collections.abc import Mapping

_BY_TYPE: Mapping[str, str] = {
    "int": "number",
    "float": "number",
    "complex": "number",
    "Decimal": "number",
    "Fraction": "number",
    "bool": "bool",
    "str": "text",
    "bytes": "bytes",
    "bytearray": "bytes",
    "list": "list",
    "List": "list",
    "deque": "list",
    "Sequence": "sized",
    "Iterable": "sized",
    "Collection": "sized",
    "dict": "dict",
    "Dict": "dict",
    "Mapping": "dict",
    "defaultdict": "dict",
    "OrderedDict": "dict",
    "Counter": "dict",
    "set": "set",
    "Set": "set",
    "frozenset": "set",
    "tuple": "tuple",
    "Tuple": "tuple",
    "NoneType": "none",
    "function": "callable",
    "method": "callable",
    "type": "callable",
}
_BY_CALL: Mapping[str, str] = {
    **dict.fromkeys(("len", "int", "float", "abs", "round", "sum", "ord", "divmod", "hash", "id"), "number"),
    **dict.fromkeys(("str", "repr", "chr", "input", "format", "hex", "bin", "ascii"), "text"),
    **dict.fromkeys(("bool", "isinstance", "issubclass", "any", "all", "hasattr", "callable"), "bool"),
    **dict.fromkeys(("list", "sorted", "deque"), "list"),
    **dict.fromkeys(("dict", "defaultdict", "OrderedDict", "Counter", "vars"), "dict"),
    **dict.fromkeys(("set", "frozenset"), "set"),
    "tuple": "tuple",
    "bytes": "bytes",
}
_BY_METHOD: Mapping[str, str] = {
    **dict.fromkeys(
        ("join", "strip", "lower", "upper", "replace", "format", "lstrip", "rstrip", "title", "decode"), "text"
    ),
    **dict.fromkeys(("split", "splitlines", "rsplit", "readlines", "findall"), "list"),
    **dict.fromkeys(("startswith", "endswith", "isdigit", "isalpha", "isspace", "isupper", "islower"), "bool"),
    **dict.fromkeys(("count", "index", "find", "rfind", "bit_length"), "number"),
    "partition": "tuple",
    "encode": "bytes",
}
_BY_DISPLAY: tuple[tuple[type[ast.expr], str], ...] = (
    (ast.List, "list"),
    (ast.ListComp, "list"),
    (ast.Dict, "dict"),
    (ast.DictComp, "dict"),
    (ast.Set, "set"),
    (ast.SetComp, "set"),
    (ast.Tuple, "tuple"),
    (ast.JoinedStr, "text"),
    (ast.Compare, "bool"),
    (ast.Lambda, "callable"),
    (ast.GeneratorExp, "iterator"),
)
SIZED = frozenset({"sized", "text", "bytes", "list", "dict", "set", "tuple"})
"""Guesses of what has a length."""
CALLS_OF_TRUTH = frozenset({"isinstance", "issubclass", "hasattr", "callable", "any", "all", "bool"})
"""Functions of Python that give true or false."""
_EMPTY: Mapping[str, str] = {
    "list": "[]",
    "dict": "{}",
    "set": "set()",
    "tuple": "()",
    "text": '""',
    "bytes": 'b""',
    "number": "0",
    "bool": "False",
}

# Expressions that are nested deeper tell nothing more.
_DEEPEST = 20


def guessed(node: ast.expr, depth: int = _DEEPEST) -> str:
    """What an expression gives; empty where its form does not tell, and for ``None``.

    Args:
        node: The expression.
        depth: How far it is looked into: a sum of a thousand parts is nested a thousand deep.
    """
    if depth <= 0:
        return ""
    for kind, guess in _BY_DISPLAY:
        if isinstance(node, kind):
            return guess
    match node:
        case ast.Constant(value=value) if value is not None:
            guess = held(type(value).__name__)
        case ast.Call(func=ast.Name(id=name)):
            guess = _BY_CALL.get(name, "")
        case ast.Call(func=ast.Attribute(attr=name)):
            guess = _BY_METHOD.get(name, "")
        case ast.Subscript(slice=ast.Slice()):
            guess = guessed(node.value, depth - 1) or "sized"
        case ast.BinOp():
            guess = _of_operation(node, depth - 1)
        case ast.UnaryOp():
            guess = "bool" if isinstance(node.op, ast.Not) else guessed(node.operand, depth - 1)
        case ast.IfExp():
            guess = guessed(node.body, depth - 1) or guessed(node.orelse, depth - 1)
        case _:
            guess = ""
    return guess


def _of_operation(node: ast.BinOp, depth: int) -> str:
    left, right = guessed(node.left, depth), guessed(node.right, depth)
    if isinstance(node.op, ast.Mod) and left in {"text", "bytes"}:
        return left
    if isinstance(node.op, ast.Mult):
        return next((one for one in (left, right) if one in {"text", "list", "tuple"}), left or right)
    if isinstance(node.op, ast.Div | ast.FloorDiv | ast.Pow):
        return "number"
    return left or right


def annotated(node: ast.expr | None) -> str:
    """What an annotation says; empty where it says nothing that is known here."""
    while isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Attribute):
        return _BY_TYPE.get(node.attr, "")
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _BY_TYPE.get(node.value.partition("[")[0], "")
    return _BY_TYPE.get(node.id, "") if isinstance(node, ast.Name) else ""


def held(kind: str) -> str:
    """What the type of a value seen at run time is called here; the type's own name where it is none of these."""
    return _BY_TYPE.get(kind, kind)


def compatible(one: str, other: str) -> bool:
    """Whether one could stand where the other does."""
    if not one or not other or one == other:
        return True
    if {one, other} <= {"number", "bool"} or "none" in {one, other}:
        return True
    return "sized" in {one, other} and {one, other} <= SIZED


def empty(guess: str) -> str:
    """The code of the empty value of what was guessed; empty where there is none."""
    return _EMPTY.get(guess, "")
