"""Tool calls that models write as Python: Gemma in ``tool_code`` fences, Llama 3.2 and 4 in a list or behind a token.

- a fence ``tool_code`` of nothing but calls, also within ``print()``
- ``[NAME(key="value"), NAME()]`` on lines of their own, also behind ``<|python_tag|>`` and as ``NAME.call(...)``
- an answer that is nothing but such calls

Nothing is run: the calls are read as syntax, and their arguments have to be literals.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection, Iterator

from agent_core.partners.json_calls import Fields, TextCall, bare_name, written

_FENCED = re.compile(r"^[ \t]*`{3,}[ \t]*tool_code[ \t]*\n(.*?)\n?[ \t]*`{3,}[ \t]*$", re.MULTILINE | re.DOTALL)
_TAGGED = re.compile(r"<\|python_tag\|>\s*([\w.]+\(.*?\)|\[.*?\])\s*(?:<\|eom_id\|>|<\|eot_id\|>|\Z)", re.DOTALL)
_LISTED = re.compile(r"^\[\s*(?=[\w.]+\()", re.MULTILINE)
_LONGEST = 200_000
_MOST_LISTS = 20


def python_calls(text: str, tools: Collection[str], fields: Fields | None = None) -> list[TextCall]:
    """The tool calls written as Python in a text.

    Args:
        text: What the model said.
        tools: Names of the tools on offer.
        fields: Their parameters in order, where they are known: then arguments need no names.
    """
    if len(text) > _LONGEST or not any(f"{tool}(" in text or f"{tool}.call(" in text for tool in tools):
        return []
    found: list[TextCall] = []
    for pattern in (_FENCED, _TAGGED):
        for match in pattern.finditer(text):
            found += _calls(match.group(1), tools, fields, match.start(), match.end())
    for number, opening in enumerate(_LISTED.finditer(text)):
        if number == _MOST_LISTS:
            break
        for end in _ends(text, opening.start()):
            if calls := _calls(text[opening.start() : end], tools, fields, opening.start(), end):
                found += calls
                break
    if not found and text.strip():
        start = len(text) - len(text.lstrip())
        found = _calls(text.strip(), tools, fields, start, len(text.rstrip()))
    return found


def _ends(text: str, start: int) -> Iterator[int]:
    """Where a list that begins at a place may end: behind brackets at the ends of lines."""
    for count, match in enumerate(re.finditer(r"\][ \t]*(?=\n|\Z)", text[start:])):
        if count == _MOST_LISTS:
            return
        yield start + match.start() + 1


def _calls(code: str, tools: Collection[str], fields: Fields | None, start: int, end: int) -> list[TextCall]:
    """The calls that some code is, if it is nothing else; all with the place of the whole."""
    try:
        with warnings.catch_warnings():
            # The code is not ours: what Python thinks of its style is nobody's business.
            warnings.simplefilter("ignore")
            tree = ast.parse(code.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found: list[TextCall] = []
    for statement in tree.body:
        value = statement.value if isinstance(statement, ast.Expr | ast.Assign) else None
        for one in value.elts if isinstance(value, ast.List) else [value]:
            call = _call(one, tools, fields)
            if call is None:
                return []
            found.append(TextCall(*call, start, end))
    return found


def _call(node: ast.expr | None, tools: Collection[str], fields: Fields | None) -> tuple[str, str] | None:
    if not isinstance(node, ast.Call):
        return None
    path = _dotted(node.func)
    if path == "print" and len(node.args) == 1 and not node.keywords:
        return _call(node.args[0], tools, fields)
    name = bare_name(path.removesuffix(".call"))
    known = list((fields or {}).get(name, ()))
    if name not in tools or len(node.args) > len(known):
        return None
    try:
        given = {key: ast.literal_eval(one) for key, one in zip(known, node.args, strict=False)}
        given |= {word.arg: ast.literal_eval(word.value) for word in node.keywords if word.arg}
        return name, written(given)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""
