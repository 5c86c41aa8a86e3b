"""Whether two texts are the same program in another layout: the work of a formatter, as far as it can be shown."""

from __future__ import annotations

import ast
import io
import re
import tokenize

from agent_core.patch.encoding import readable

_MOST = 512 * 1024
# Languages in which blanks between words and lines mean nothing, apart from strings and comments.
_SCRIPTS = frozenset({"cjs", "cts", "js", "jsx", "mjs", "mts", "ts", "tsx"})
_FREE = _SCRIPTS | {
    *("c", "cc", "cpp", "cs", "css", "dart", "go", "h", "hpp", "java", "json", "kt", "less", "proto", "rs", "scala"),
    *("scss", "swift", "zig"),
}
_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<template>`(?:[^`\\]|\\.)*`)
    |(?P<word>\w+)
    |(?P<blank>\s+)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)


def only_layout(path: str, old: bytes, new: bytes) -> bool:
    """Whether two contents of a file differ in layout and quotes, and in nothing else that can be seen.

    Args:
        path: The file; its suffix says what language it is in.
        old: One content.
        new: The other.

    Returns:
        False also where it cannot be shown: in other languages, or in what cannot be read.
    """
    if old == new or max(len(old), len(new)) > _MOST:
        return False
    before, after = readable(old), readable(new)
    if before is None or after is None:
        return False
    suffix = path.rpartition(".")[2].lower()
    if suffix in {"py", "pyi"}:
        return _python(before) == _python(after) is not None
    ends = suffix in _SCRIPTS
    return suffix in _FREE and _tokens(before, ends=ends) == _tokens(after, ends=ends)


def _python(text: str) -> tuple[str, tuple[str, ...]] | None:
    """A program without its layout, and its comments; None where it is none."""
    try:
        tree = ast.parse(text)
        comments = tuple(
            token.string.strip().lstrip("#").strip()
            for token in tokenize.generate_tokens(io.StringIO(text).readline)
            if token.type == tokenize.COMMENT
        )
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            _loosen(node.body)
    return ast.dump(tree), comments


def _loosen(body: list[ast.stmt]) -> None:
    """Take the layout out of a docstring: formatters move its lines."""
    first = body[0] if body else None
    value = first.value if isinstance(first, ast.Expr) else None
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        value.value = "\n".join(line.strip() for line in value.value.strip().splitlines())


def _tokens(text: str, *, ends: bool) -> list[tuple[str, str]]:
    """What a text is made of, without blanks, kinds of quotes, and commas before an end on a line of its own.

    Args:
        text: The text.
        ends: Without semicolons at the ends of lines, too, which the language does not need.
    """
    found: list[tuple[str, str]] = []
    blank = ""
    for match in _TOKEN.finditer(text):
        kind, sign = match.lastgroup or "sign", match.group()
        if kind == "blank":
            blank = sign
            continue
        if ends and ("\n" in blank or sign == "}"):
            _drop_last(found, ";")
        if sign in {")", "]", "}"} and "\n" in blank:
            _drop_last(found, ",")
        blank = ""
        if kind == "string":
            sign = _unquoted(sign)
        elif kind == "comment":
            sign = " ".join(sign.split())
        found.append((kind, sign))
    if ends:
        _drop_last(found, ";")
    return found


def _drop_last(found: list[tuple[str, str]], sign: str) -> None:
    if found and found[-1] == ("sign", sign):
        found.pop()


def _unquoted(string: str) -> str:
    """A string without its quotes, and those in it as they are meant."""
    return string[1:-1].replace("\\'", "'").replace('\\"', '"')
