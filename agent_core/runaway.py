"""Answers that do not end by themselves: too long for any use, or the same again and again."""

from __future__ import annotations

import re

from agent_core.conversation import Chunk, Completed, ReasoningDelta, ReasoningItem, TextDelta, ToolCallDelta
from agent_core.item_text import item_text


class EndlessError(Exception):
    """An answer has no end; says why it was cut, for human and partner."""


MOST = 2_000_000
"""Most characters of one answer: words, reasoning and arguments together."""
_LEAST_MOST = 40_000
_PER_TOKEN = 8
"""More characters than this no token has on average: what is longer than the model's whole window is no answer."""

_EVERY = 1024
"""Characters after which it is looked for a rut again."""
_TIMES = 12
"""How often the same has to come in a row."""
_RUT = 3000
_RUT_IN_CALL = 12_000
"""So many characters have to be nothing but repetition. In a patch it may be meant: a table of zeros, a fixture."""
_RUT_OF_CALLS = 1500
"""Enough of calls that are written as words one after the other, alike but for their numbers."""
_WRITTEN_CALL = '"name"'
_NUMBER = re.compile(r"\d+")
_LONGEST_CYCLE = 1000
_SAMPLE = 64
_CANDIDATES = 24


def _held(least: int) -> int:
    """How many characters have to be kept to see any cycle come often enough."""
    return max(least, _LONGEST_CYCLE * _TIMES) + _LONGEST_CYCLE


def cycle_of(text: str, least: int) -> int:
    """Length of what a text repeats at its end; 0 where it does not repeat itself so long.

    Args:
        text: The text; only its end counts.
        least: How many characters at its end have to be repetition.
    """
    tail = text[-_held(least) :]
    if len(tail) <= least:
        return 0
    sample, end = tail[-_SAMPLE:], len(tail) - 1
    for _ in range(_CANDIDATES):
        at = tail.rfind(sample, 0, end)
        if at < 0:
            return 0
        cycle = len(tail) - _SAMPLE - at
        if cycle > _LONGEST_CYCLE:
            return 0
        needed = max(least, cycle * _TIMES)
        if len(tail) >= needed + cycle and tail[-needed:] == tail[-needed - cycle : -cycle]:
            return cycle
        end = at + _SAMPLE - 1
    return 0


_COUNTS = "it wrote down the same call again and again, with other numbers"


class Runaway:
    """Watches one answer for having no end.

    Args:
        window: How many tokens the partner can read; 0 where that is not known.
    """

    def __init__(self, window: int) -> None:
        self._most = min(MOST, max(window * _PER_TOKEN, _LEAST_MOST)) if window else MOST
        self._length = 0
        self._unlooked = 0
        self._kind = ""
        self._tail = ""
        self.cycle = ""
        """What it repeats, once that was found."""

    def take(self, chunk: Chunk) -> str:
        """Take a piece of the answer.

        Returns:
            Why it is to be cut here, for human and partner; empty while it is not.
        """
        match chunk:
            case TextDelta(text):
                kind = "text"
            case ReasoningDelta(text):
                kind = "reasoning"
            case ToolCallDelta(call_id, _, text):
                kind = f"call {call_id}"
            case Completed(items):
                # What did not stream. What is encrypted is no text.
                length = sum(len(item_text(item)) for item in items if not isinstance(item, ReasoningItem))
                return self._too_long if max(length, self._length) > self._most else ""
            case _:
                return ""
        if kind != self._kind:
            self._kind, self._tail = kind, ""
        self._length += len(text)
        if self._length > self._most:
            return self._too_long
        least = _RUT_IN_CALL if kind.startswith("call") else _RUT
        self._tail = (self._tail + text)[-_held(least) :]
        self._unlooked += len(text)
        if self._unlooked < _EVERY:
            return ""
        self._unlooked = 0
        if cycle := cycle_of(self._tail, least):
            self.cycle = self._tail[-cycle:]
            return "it repeated itself without an end"
        return _COUNTS if kind == "text" and self._counts() else ""

    def _counts(self) -> bool:
        """Whether it writes down the same call again and again, with other numbers."""
        if _WRITTEN_CALL not in self._tail[-_LONGEST_CYCLE:]:
            return False
        blank = _NUMBER.sub("0", self._tail)
        cycle = cycle_of(blank, _RUT_OF_CALLS)
        return bool(cycle) and _WRITTEN_CALL in blank[-cycle:] + blank[-cycle:]

    @property
    def _too_long(self) -> str:
        return f"it was longer than {self._most:,} characters"

    def kept(self, text: str) -> str:
        """What is worth keeping of the words: without what they repeat."""
        if not self.cycle or self._kind != "text":
            return text
        end, cycle = len(text), self.cycle
        while text.endswith(cycle, 0, end):
            end -= len(cycle)
        return text[: min(end + len(cycle), len(text))]
