"""Values as text that says what they are, not where; and values near to others, for calls nobody made so far.

Part of `pairloop_repair`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import itertools
import re
import zlib
from collections.abc import Iterator
from typing import Any

from .shared import mask

_LONGEST = 120
_DEEPEST = 3
_MOST_ITEMS = 30
_MOST_LISTED = 20
_AT = re.compile(r" at 0x[0-9a-fA-F]+")
_ITSELF = re.compile(r"<[\w.<>]+ object at 0x[0-9a-fA-F]+>")


def shown(value: Any) -> str:
    """A value as text: the same for values that are alike, at most 120 characters.

    Of a longer one the end is cut and its sum put there, so that two that differ only behind stay apart.

    Raises:
        Exception: Whatever its own way of being shown raises.
    """
    text = mask(_shown(value, 0))
    if len(text) <= _LONGEST:
        return text
    return "%s... (%04x)" % (text[: _LONGEST - 12], zlib.crc32(text.encode("utf-8", "replace")) & 0xFFFF)  # noqa: UP031 - old Pythons


def _shown(value: Any, depth: int) -> str:
    kind = type(value)
    if isinstance(value, type) or callable(getattr(value, "__code__", None)) or hasattr(value, "__code__"):
        return str(getattr(value, "__qualname__", kind.__name__))
    if kind in {list, tuple, set, frozenset, dict} and depth < _DEEPEST:
        return _collection(value, kind, depth)
    text = repr(value)
    if not _ITSELF.fullmatch(text):
        return _AT.sub("", text)
    held = getattr(value, "__dict__", None)
    if held is None or depth >= _DEEPEST:
        return kind.__name__ + "(...)" if held else kind.__name__ + "()"
    parts = [name + "=" + _shown(one, depth + 1) for name, one in list(held.items())[:_MOST_ITEMS]]
    return kind.__name__ + "(" + ", ".join(parts) + ")"


def _collection(value: Any, kind: type, depth: int) -> str:
    if kind is dict:
        pairs = list(itertools.islice(value.items(), _MOST_ITEMS))
        parts = [_shown(key, depth + 1) + ": " + _shown(one, depth + 1) for key, one in pairs]
        return "{" + ", ".join(parts + ["..."] * (len(value) > _MOST_ITEMS)) + "}"
    parts = [_shown(one, depth + 1) for one in itertools.islice(value, _MOST_ITEMS)]
    if kind in {set, frozenset}:
        parts.sort()
    parts += ["..."] * (len(value) > _MOST_ITEMS)
    if kind is list:
        return "[" + ", ".join(parts) + "]"
    if kind is tuple:
        return "(" + ", ".join(parts) + (",)" if len(parts) == 1 else ")")
    text = "{" + ", ".join(parts) + "}" if parts else "set()"
    return text if kind is set else "frozenset(" + (text if parts else "") + ")"


def listed(value: Any) -> str:
    """What an iterator gives, its first twenty values."""
    found = [_shown(one, 1) for one in itertools.islice(value, _MOST_LISTED + 1)]
    more = ["..."] * (len(found) > _MOST_LISTED)
    text = "yields " + ", ".join(found[:_MOST_LISTED] + more) if found else "yields nothing"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def near_values(value: Any) -> Iterator[Any]:
    """Values near to one, the most telling first."""
    kind = type(value)
    if kind is bool:
        yield not value
    elif kind is int:
        yield from (0, value - 1, value + 1, -value, 1, -1)
    elif kind is float:
        yield from (0.0, value - 1, value + 1, -value)
    elif kind in {str, bytes, list, tuple}:
        yield from (value[:0], value[:1], value[1:], value + value, value[::-1])
    elif kind is dict:
        yield {}
        if len(value) > 1:
            yield dict(itertools.islice(value.items(), 1))
    elif kind in {set, frozenset}:
        yield kind()
        yield kind(itertools.islice(value, 1))
    if value is not None:
        yield None
    else:
        yield from (0, "", [])
