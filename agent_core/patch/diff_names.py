r"""The names of files in a unified diff, as git and diff write them: read, and written.

Sources: git's ``quote.c`` (``quote_c_style``: a name with unusual characters stands in double quotes, with C escapes
and octal bytes) and ``apply.c`` (a name in ``diff --git`` that is not quoted ends where the same name, apart from
its prefix, begins again); GNU diffutils (a tab or blanks and a date after a name).
"""

from __future__ import annotations

import re

DEV_NULL = "/dev/null"

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_ESCAPES = {"\t": "\\t", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_PLAIN = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}
_DATE = re.compile(
    r"\s+(?:\d{4}-\d\d-\d\d[ T]\d\d:\d\d.*|\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}.*|"
    r"\((?:revision|working copy|nonexistent).*)$"
)
_BACKUP = (".orig", ".old", ".bak", "~")


def quote_name(name: str) -> str:
    """A path as git writes it: in quotes, escaped, when it has characters that need it."""
    if not any(char in _ESCAPES or ord(char) < 0x20 or ord(char) == 0x7F for char in name):
        return name
    escaped = (
        _ESCAPES.get(char) or (f"\\{ord(char):03o}" if ord(char) < 0x20 or ord(char) == 0x7F else char) for char in name
    )
    return '"' + "".join(escaped) + '"'


def _unquote(match: re.Match[str]) -> str:
    raw = _ESCAPE.sub(_byte, match.group(1).encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "surrogateescape")


def _byte(match: re.Match[bytes]) -> bytes:
    code = match.group(1)
    return bytes([int(code, 8) & 0xFF]) if code[:1].isdigit() and code[:1] < b"8" else _PLAIN.get(code, code)


def read_name(text: str) -> str:
    """The name after ``---``, ``+++``, ``rename from`` and their like, without a date behind it."""
    if quoted := _QUOTED.match(text.strip()):
        return _unquote(quoted)
    name = text.partition("\t")[0]
    return _DATE.sub("", name).strip() if len(name) < 1000 else name.strip()


def read_git_names(text: str) -> tuple[str, str] | None:
    """Both names of a ``diff --git`` line.

    Args:
        text: What follows ``diff --git``.

    Returns:
        The names with their prefixes; None where they cannot be told apart.
    """
    text = text.strip()
    if first := _QUOTED.match(text):
        rest = text[first.end() :].strip()
        second = _QUOTED.fullmatch(rest)
        return _unquote(first), _unquote(second) if second else rest
    if text.endswith('"') and ' "' in text:
        left, _, right = text.partition(' "')
        second = _QUOTED.fullmatch('"' + right)
        return (left, _unquote(second)) if second else None
    if text.count(" ") == 1:
        left, _, right = text.partition(" ")
        return left, right
    half = len(text) // 2
    places = [half, *(at for at, char in enumerate(text) if char == " ")] if len(text) < 2000 else [half]
    for at in places:
        if text[at : at + 1] == " " and same_name(text[:at], text[at + 1 :], prefixed=True) is not None:
            return text[:at], text[at + 1 :]
    return None


def same_name(old: str, new: str, *, prefixed: bool = False) -> str | None:
    """The one path that two names of a file mean.

    They are the same (``--no-prefix``), or the same after one folder each; diff leaves the original with the suffix of
    a backup.

    Args:
        old: The name before.
        new: The name after.
        prefixed: The names are known to be of one file, so any folder in which they differ is a prefix (git's
            ``--src-prefix``). Otherwise only a letter is, such as ``a/`` and ``b/`` or those of git's
            ``diff.mnemonicPrefix``: a file may stand in two folders.

    Returns:
        The path; None where they mean different ones.
    """
    if old == new:
        return old
    left, _, old_rest = old.partition("/")
    right, _, new_rest = new.partition("/")
    if old_rest and old_rest == new_rest and (prefixed or len(left) == len(right) == 1):
        return old_rest
    return new if any(old == new + suffix for suffix in _BACKUP) else None


def lone_name(name: str, prefixes: str, *, bare: bool) -> str:
    """The path of a name whose partner is ``/dev/null``.

    Args:
        name: The name.
        prefixes: The letters git uses for that side.
        bare: The diff is known to be written without prefixes.
    """
    first, _, rest = name.partition("/")
    return rest if rest and not bare and len(first) == 1 and first in prefixes else name
