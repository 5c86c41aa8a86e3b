"""Making untrusted text safe to show, and capping it for a reader with little room."""

from __future__ import annotations

import re
from typing import Any

# C0 without tab and newline, DEL, C1, lone surrogates, and the marks that reorder or hide text on a terminal. Joiners
# (U+200C, U+200D) stay: scripts and emoji need them.
_UNSAFE = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f"
    "\\ud800-\\udfff\\ufeff\\ufff9-\\ufffb\\U000e0000-\\U000e007f]"
)
# Room for the line that names a cut.
_MARK_BYTES = 40


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def printable(text: str) -> str:
    """Replace everything a terminal would obey rather than show.

    Escape sequences, other control characters (tab and newline apart; a carriage return before a
    newline is dropped) and marks that reorder or hide text become visible symbols, as do lone surrogates.
    """
    return _UNSAFE.sub(_visible, text.replace("\r\n", "\n"))


def shortened(text: str, most: int) -> str:
    """A text, or the beginning of one that is longer than a number of characters, with how much was left off."""
    return text if len(text) <= most else f"{text[:most]} [... {len(text) - most:,} more characters]"


def one_line(text: str, most: int) -> str:
    """Untrusted words as one line that is safe to show, `shortened` to a number of characters."""
    return shortened(" ".join(printable(text).split()), most)


def counted(number: int, one: str, many: str = "") -> str:
    """A number of things for a human, such as ``1 test`` or ``1,240 tests``.

    Args:
        number: How many.
        one: What one of them is called.
        many: What several are; empty for an ``s`` behind it.
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def without_surrogates(value: Any) -> Any:
    """A text, or lists and dictionaries with texts in them, with lone surrogates replaced: JSON cannot hold them.

    Names of files and arguments that are no UTF-8 bring them in.
    """
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, dict):
        return {key: without_surrogates(item) for key, item in value.items()}
    return [without_surrogates(item) for item in value] if isinstance(value, list | tuple) else value


def estimate_tokens(text: str) -> int:
    """About how many tokens a text has: a quarter of its UTF-8 bytes, rounded up.

    That is the rule of thumb providers give for English and code; it errs on the high side for both.
    """
    return (len(text.encode("utf-8", "replace")) + 3) // 4


def cap_text(text: str, tokens: int) -> str:
    """Cut the middle out of a text that is longer than a budget, and name the cut.

    Whole lines are cut where that costs little room, else characters; which of them the mark says.

    Args:
        text: Any text.
        tokens: Most tokens of the result, by `estimate_tokens`; a budget below that of the mark gives the mark alone.
    """
    if estimate_tokens(text) <= tokens:
        return text
    data = text.encode("utf-8", "replace")
    half = max(tokens * 4 - _MARK_BYTES, 0) // 2
    head = data[:half].decode("utf-8", "ignore")
    tail = data[len(data) - half :].decode("utf-8", "ignore")
    last, first = head.rfind("\n"), tail.find("\n")
    if last * 2 >= len(head) > 0 and 0 <= first * 2 <= len(tail):
        head, tail = head[:last], tail[first + 1 :]
        count, unit = text.count("\n") - head.count("\n") - tail.count("\n") - 1, "lines"
    else:
        count, unit = len(text) - len(head) - len(tail), "characters"
    mark = f"[... {count} {unit if count > 1 else unit[:-1]} left out ...]"
    return f"{head}\n{mark}\n{tail}" if half else mark


def encodable(text: str) -> bool:
    """Whether a text can be written down as UTF-8; names of files that are no text cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
