"""Syntax colours of whole files, by Pygments, made off the event loop and only for files that are shown.

Whole files, because a line alone does not know whether it stands in a string. Pygments is imported here and now,
not at start-up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agent_core.patch.encoding import MARK, readable
from agent_core.text import printable
from tui.widgets.lines import MAX_CHARS, Span
from tui.widgets.wrap import expand_tabs

Token = tuple[str, ...]

MAX_SIZE = 1_000_000
"""Files with more characters than this are shown without colours."""

Spans = list[list[Span]]

_STYLES = (
    ("Comment", "comment"),
    ("Literal.String.Doc", "comment"),
    ("Literal.String", "string"),
    ("Literal.Number", "number"),
    ("Keyword", "keyword"),
    ("Operator.Word", "keyword"),
    ("Name.Function", "function"),
    ("Name.Class", "class"),
    ("Name.Exception", "class"),
    ("Name.Builtin", "builtin"),
    ("Name.Decorator", "decorator"),
    ("Name.Tag", "keyword"),
    ("Name.Attribute", "function"),
    ("Generic.Heading", "heading"),
)


def split_lines(text: str) -> list[str]:
    """Lines without their endings, split at newlines only, as editors and patches count them."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return lines


def decode(data: bytes) -> str:
    """Contents of a file as it may be shown, without a byte order mark; its lines keep their places."""
    text = readable(data)
    return printable((data.decode("utf-8", "replace") if text is None else text).removeprefix(MARK))


def _lexer(path: str, text: str) -> Any | None:
    # Imported here because it costs time; untyped because Pygments ships no types.
    from pygments.lexers import get_lexer_for_filename  # type: ignore[import-untyped]  # noqa: PLC0415
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        return get_lexer_for_filename(path, text[:1000], stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def _lexer_of(language: str) -> Any | None:
    from pygments.lexers import get_lexer_by_name  # noqa: PLC0415 - as above
    from pygments.util import ClassNotFound  # noqa: PLC0415

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def _style_of(token: Token, known: dict[Token, str]) -> str:
    style = known.get(token)
    if style is None:
        name = ".".join(token)
        style = next((style for prefix, style in _STYLES if name.startswith(prefix)), "")
        known[token] = style
    return style


def _by_line(tokens: Iterator[tuple[Token, str]]) -> Iterator[list[tuple[str, str]]]:
    known: dict[Token, str] = {}
    line: list[tuple[str, str]] = []
    for token, value in tokens:
        style = _style_of(token, known)
        first, *rest = value.split("\n")
        if first:
            line.append((first, style))
        for piece in rest:
            yield line
            line = [(piece, style)] if piece else []
    yield line


def _spans(pieces: list[tuple[str, str]]) -> list[Span]:
    """Spans of one line in the text as it is drawn: with tabs expanded, and cut."""
    tabs = any("\t" in text for text, _ in pieces)
    spans: list[Span] = []
    raw = ""
    at = 0
    for text, style in pieces:
        if tabs:
            raw += text
            end = len(expand_tabs(raw))
        else:
            end = at + len(text)
        if style:
            spans.append((at, end, style))
        at = end
        if at > MAX_CHARS:
            break
    return spans


def highlight(path: str, text: str) -> Spans:
    """Syntax colours of a whole file.

    Args:
        path: Its path; the name decides on the language.
        text: Its text, printable.

    Returns:
        For each line the spans with their style's name; empty when no language is known for it.
    """
    if len(text) > MAX_SIZE or (lexer := _lexer(path, text)) is None:
        return []
    return [_spans(pieces) for pieces in _by_line(iter(lexer.get_tokens(text)))]


def highlight_code(language: str, text: str) -> Spans:
    """Syntax colours of a piece of code.

    Args:
        language: Its name, such as ``python`` or ``py``.
        text: The code.

    Returns:
        As `highlight` does.
    """
    if len(text) > MAX_SIZE or (lexer := _lexer_of(language.lower())) is None:
        return []
    return [_spans(pieces) for pieces in _by_line(iter(lexer.get_tokens(printable(text))))]
