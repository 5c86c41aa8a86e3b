"""Small words: numbers with their noun, and lists as they are spoken."""

from __future__ import annotations

from collections.abc import Sequence


def numbers(found: Sequence[int]) -> str:
    """Such as ``2``, ``2 and 3`` and ``1, 2 and 5``."""
    return enumeration([str(number) for number in found])


def enumeration(words: Sequence[str]) -> str:
    """Such as ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def sentence(text: str) -> str:
    """A text as a sentence: with an end, and its first letter large where that is no part of a name."""
    text = text.strip()
    if not text:
        return ""
    first = text.split(maxsplit=1)[0].rstrip(",:;.!?")
    head = f"{text[0].upper()}{text[1:]}" if first.isalpha() else text
    return head + ("" if text[-1] in ".!?:" else ".")
