"""Making untrusted text safe to show, and capping it for a reader with little room."""

from __future__ import annotations

import re

# C0 without tab and newline, DEL, C1, and the marks that reorder or hide text on a terminal.
_UNSAFE = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u200e\\u200f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069\\ufeff]"
)


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def printable(text: str) -> str:
    """Replace everything a terminal would obey rather than show.

    Escape sequences, other control characters (tab and newline apart; a carriage return before a
    newline is dropped) and bidirectional overrides become visible symbols; lone surrogates become ``\ufffd``.
    """
    safe = _UNSAFE.sub(_visible, text.replace("\r\n", "\n"))
    return safe.encode("utf-8", "replace").decode("utf-8")


def estimate_tokens(text: str) -> int:
    """About how many tokens a text has: a quarter of its UTF-8 bytes, rounded up.

    That is the rule of thumb providers give for English and code; it errs on the high side for both.
    """
    return (len(text.encode("utf-8", "replace")) + 3) // 4


def cap_text(text: str, tokens: int) -> str:
    """Cut the middle out of a text that is longer than a budget, and name the cut.

    Args:
        text: Any text.
        tokens: Most tokens of it to keep, by `estimate_tokens`.
    """
    if estimate_tokens(text) <= tokens:
        return text
    data = text.encode("utf-8", "replace")
    half = max(tokens * 2, 1)
    head = data[:half].decode("utf-8", "ignore")
    tail = data[-half:].decode("utf-8", "ignore")
    left_out = text.count("\n") - head.count("\n") - tail.count("\n")
    return f"{head}\n[... {max(left_out, 1)} lines left out ...]\n{tail}"
