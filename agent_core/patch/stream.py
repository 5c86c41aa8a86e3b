"""A patch while it is being written: the text inside a tool call's half-finished JSON arguments."""

from __future__ import annotations

import re

_START = re.compile(r'"patch"\s*:\s*"')
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\", "/": "/"}


class PatchText:
    """Decodes the string value of ``"patch"`` as the arguments stream in.

    JSON's string escapes (RFC 8259, section 7) are decoded; an escape cut in two waits for its rest. What follows the
    string's end is ignored.
    """

    def __init__(self) -> None:
        self._raw = ""
        self._begun = False
        self._ended = False

    def feed(self, delta: str) -> str:
        """Take the next piece of the arguments; gives what it adds to the patch."""
        if self._ended:
            return ""
        self._raw += delta
        if not self._begun:
            start = _START.search(self._raw)
            if start is None:
                return ""
            self._begun = True
            self._raw = self._raw[start.end() :]
        return self._decode()

    def _decode(self) -> str:
        raw, out, index = self._raw, [], 0
        while index < len(raw):
            stop = _next_special(raw, index)
            out.append(raw[index:stop])
            index = stop
            if index == len(raw):
                break
            if raw[index] == '"':
                self._ended = True
                break
            taken, text = _escape(raw, index)
            if not taken:
                break
            out.append(text)
            index += taken
        self._raw = raw[index:]
        return "".join(out)


def _next_special(raw: str, index: int) -> int:
    """Where the next quote or backslash stands, or the end."""
    places = [place for place in (raw.find('"', index), raw.find("\\", index)) if place >= 0]
    return min(places, default=len(raw))


def _escape(raw: str, index: int) -> tuple[int, str]:
    """Decode the escape at a backslash: how many characters it takes (0: not whole yet) and its text."""
    kind = raw[index + 1 : index + 2]
    if not kind:
        return 0, ""
    if kind != "u":
        return 2, _SIMPLE.get(kind, kind)
    first = _unit(raw, index)
    if first is None:
        return 0, ""
    if 0xD800 <= first < 0xDC00:
        if len(raw) < index + 12:
            return 0, ""
        second = _unit(raw, index + 6) if raw[index + 6 : index + 8] == "\\u" else None
        if second is not None and 0xDC00 <= second < 0xE000:
            return 12, chr(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        return 6, "\ufffd"
    return 6, chr(first) if not 0xDC00 <= first < 0xE000 else "\ufffd"


def _unit(raw: str, index: int) -> int | None:
    digits = raw[index + 2 : index + 6]
    if len(digits) < 4:
        return None
    try:
        return int(digits, 16)
    except ValueError:
        return 0xFFFD
