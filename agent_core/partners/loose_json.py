"""Reading what models write as JSON and is none, where there is only one way to mean it.

Taken are commas behind the last entry, single quotes, Python's ``True``, ``None`` and triple quotes, names without
quotes, newlines in strings, quotes in strings that are not escaped, and braces that are missing at the end. A quote
ends a string where what follows can only follow a string: a comma and the next name, or the braces that are open.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

# Strings may hold raw newlines: small models write a whole patch that way.
DECODER = json.JSONDecoder(strict=False)

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"[A-Za-z_][\w-]*")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_LITERALS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_QUOTES = ('"""', "'''", '"', "'", "`")
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "/": "/", "`": "`"}
_CLOSERS = re.compile(r"\s*,?\s*((?:[}\]]\s*,?\s*)*)")
_NEXT_NAME = re.compile(r"\s*,\s*(?:\"[\w-]+\"|'[\w-]+'|[A-Za-z_][\w-]*)\s*:")
_NEXT_VALUE = re.compile(r"\s*,\s*[\"'\[{\d]")
# What shows that nothing more of the value comes: the end, a fence, a tag, a token of a chat template.
_OVER = re.compile(r"\s*(?:\Z|`{3}|~{3}|<|\[/|,\s*\{|;)")
# The same where nothing more at all may come: the end of the text, or of what the value is wrapped in.
_AT_END = re.compile(r"\s*(?:`{3,}|~{3,}|</?[\w|/]+>)?\s*\Z")
_DEEPEST = 40
_LONGEST = 2_000_000
# At so many quotes of one string it is asked whether they end it.
_MOST_QUOTES = 20_000


class _NoValueError(Exception):
    """There is no value here, or more than one way to read it."""


def decoded(text: str, at: int = 0) -> tuple[Any, int] | None:
    """The value that begins at a place, as JSON or as what models write for it.

    Args:
        text: Any text.
        at: Where the value begins.

    Returns:
        The value and where it ends; None when there is none, or it is in doubt.
    """
    try:
        return DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        pass
    if len(text) - at > _LONGEST:
        return None
    try:
        return _Reader(text).value(_skip(text, at), [])
    except _NoValueError:
        return None


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _number(text: str) -> int | float:
    """A number as JSON has it, or with zeros before it."""
    try:
        value = int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError as error:
        # More digits than Python reads.
        raise _NoValueError from error
    if not math.isfinite(value):
        raise _NoValueError
    return value


class _Reader:
    """Reads one value."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._quotes = 0

    def value(self, at: int, open_: list[str]) -> tuple[Any, int]:
        """A value; `open_` are the signs that close what it stands in, outermost first."""
        sign = self._text[at : at + 1]
        if sign == "{" and len(open_) < _DEEPEST:
            return self._object(at, [*open_, "}"])
        if sign == "[" and len(open_) < _DEEPEST:
            return self._list(at, [*open_, "]"])
        if sign and sign in "\"'`":
            return self._string(at, open_)
        if number := _NUMBER.match(self._text, at):
            return _number(number.group()), number.end()
        word = _WORD.match(self._text, at)
        if word and word.group() in _LITERALS:
            return _LITERALS[word.group()], word.end()
        raise _NoValueError

    def _object(self, at: int, open_: list[str]) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        at = _skip(self._text, at + 1)
        while (end := self._closed(at, "}", open_, anything=bool(found))) is None:
            name, at = self._name(at)
            at = _skip(self._text, at)
            if not self._text.startswith(":", at):
                raise _NoValueError
            found[name], at = self.value(_skip(self._text, at + 1), open_)
            at = self._past_comma(at, open_)
        return found, end

    def _list(self, at: int, open_: list[str]) -> tuple[list[Any], int]:
        found: list[Any] = []
        at = _skip(self._text, at + 1)
        while (end := self._closed(at, "]", open_, anything=bool(found))) is None:
            one, at = self.value(at, open_)
            found.append(one)
            at = self._past_comma(at, open_)
        return found, end

    def _closed(self, at: int, sign: str, open_: list[str], *, anything: bool) -> int | None:
        """Where an object or a list is closed; what is over without its brace is closed too."""
        if self._text.startswith(sign, at):
            return at + 1
        other = self._text[at : at + 1] in ("}", "]")
        # Only the outermost may lack its end, and only where nothing could have been lost with it.
        if anything and (other or _OVER.match(self._text, at)):
            if other and len(open_) > 1 and self._text[at] == open_[-2]:
                return at
            if not other:
                return at
        return None

    def _past_comma(self, at: int, open_: list[str]) -> int:
        at = _skip(self._text, at)
        if self._text.startswith(",", at):
            return _skip(self._text, at + 1)
        if self._text[at : at + 1] in ("}", "]") or (_OVER.match(self._text, at) and open_):
            return at
        raise _NoValueError

    def _name(self, at: int) -> tuple[str, int]:
        if word := _WORD.match(self._text, at):
            return word.group(), word.end()
        quote = self._text[at : at + 1]
        end = self._text.find(quote, at + 1) if quote and quote in "\"'" else -1
        name = self._text[at + 1 : end]
        if end < 0 or not name or "\n" in name:
            raise _NoValueError
        return name, end + 1

    def _string(self, at: int, open_: list[str]) -> tuple[str, int]:
        text = self._text
        quote = next(one for one in _QUOTES if text.startswith(one, at))
        start = at = at + len(quote)
        inner = False
        while (at := text.find(quote, at)) >= 0:
            self._quotes += 1
            if self._quotes > _MOST_QUOTES:
                break
            if len(quote) == 1 and _is_escaped(text, start, at):
                at += 1
            elif self._ends_string(at + len(quote), open_):
                return _unescaped(text[start:at], raw=quote not in "\"'", inner=inner or quote == "'"), at + len(quote)
            else:
                inner, at = True, at + 1
        raise _NoValueError

    def _ends_string(self, at: int, open_: list[str]) -> bool:
        text = self._text
        if not open_:
            return _OVER.match(text, at) is not None
        if (_NEXT_NAME if open_[-1] == "}" else _NEXT_VALUE).match(text, at):
            return True
        closers = _CLOSERS.match(text, at)
        signs = [sign for sign in closers.group(1) if sign in "}]"] if closers else []
        if not closers or not signs:
            return _AT_END.match(text, at) is not None
        wanted = open_[::-1]
        if signs[: len(wanted)] != wanted[: len(signs)] or len(signs) >= len(wanted):
            return signs[: len(wanted)] == wanted
        # The outermost braces are missing, or there is more in what is still open.
        end = closers.end()
        return _OVER.match(text, end) is not None or text[:end].rstrip().endswith(",")


def _is_escaped(text: str, start: int, at: int) -> bool:
    """Whether an odd number of backslashes stands before a sign."""
    first = at
    while first > start and text[first - 1] == "\\":
        first -= 1
    return (at - first) % 2 == 1


def _unescaped(text: str, *, raw: bool, inner: bool) -> str:
    """The text of a string. Where quotes and newlines stand in it as they are, backslashes do too."""
    if raw or (inner and "\n" in text and '\\"' not in text):
        return text
    return _ESCAPE.sub(_meant, text)


def _meant(escape: re.Match[str]) -> str:
    sign = escape.group()[1]
    if len(escape.group()) > len("\\u"):
        return str(json.loads(f'"{escape.group()}"')).encode("utf-8", "replace").decode("utf-8")
    # An escape that JSON does not know is meant as it stands, as in a regular expression.
    return _SIMPLE.get(sign, escape.group())
