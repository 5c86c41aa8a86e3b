"""Chips: a long text, or one with a meaning, that stands in the prompt as a short label and is sent in full.

A label is plain text in the prompt's document with no-break spaces in it, which nobody types; so undo, wrapping and
the clipboard know nothing of chips and yet keep them whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from agent_core.text import counted

FOLD_LINES = 10
FOLD_CHARS = 2_000
"""A paste of more lines or characters than these becomes a chip."""

_JOIN = "\u00a0"


def is_long(text: str) -> bool:
    """Whether a pasted text is rather shown as a chip."""
    return len(text) > FOLD_CHARS or text.count("\n") >= FOLD_LINES


def count_lines(text: str) -> str:
    """How many lines a text has, in words."""
    return counted(text.count("\n") + (not text.endswith("\n") and bool(text)), "line")


def quoted(title: str, text: str) -> str:
    """A text with a title, in a fence that nothing in it closes."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{title}\n{fence}\n{text.rstrip()}\n{fence}"


class Chips:
    """The chips of one prompt: what each label stands for."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None

    def __bool__(self) -> bool:
        return bool(self._texts)

    @property
    def texts(self) -> Mapping[str, str]:
        """What each label stands for."""
        return self._texts

    def add(self, label: str, text: str) -> str:
        """Make a chip.

        Args:
            label: What it says, without brackets.
            text: What it stands for.

        Returns:
            Its label as it is to be written into the prompt; another one for each text.
        """
        words = "".join(char if char.isprintable() else "\ufffd" for char in label).replace("[", "(").replace("]", ")")
        number = 1
        while True:
            more = f" #{number}" if number > 1 else ""
            name = f"[{words}{more}]".replace(" ", _JOIN)
            if _JOIN not in name:
                name = f"[{_JOIN}{name[1:]}"
            if self._texts.setdefault(name, text) == text:
                break
            number += 1
        self._remake()
        return name

    def _remake(self) -> None:
        labels = sorted(map(re.escape, self._texts), key=len, reverse=True)
        self._pattern = re.compile("|".join(labels)) if labels else None

    def spans(self, line: str) -> list[tuple[int, int]]:
        """Where chips stand in a line."""
        return [match.span() for match in self._pattern.finditer(line)] if self._pattern else []

    def around(self, line: str, column: int) -> tuple[int, int] | None:
        """The chip in whose middle a place is."""
        return next((span for span in self.spans(line) if span[0] < column < span[1]), None)

    def expand(self, text: str) -> str:
        """A text with what its chips stand for."""
        return self._pattern.sub(lambda match: self._texts[match.group()], text) if self._pattern else text

    def fold(self, text: str, labels: Iterable[str]) -> str:
        """A text in which what some chips stand for is folded again, where it is still there to the letter."""
        for label in labels:
            text = text.replace(self._texts[label], label, 1) if self._texts[label].strip() else text
        return text

    def found(self, text: str) -> list[str]:
        """The labels of the chips in a text, in order."""
        return self._pattern.findall(text) if self._pattern else []
