"""Questions with numbers: what was typed before a question was there does not answer it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tui.plain.console import Console, Typed

GRACE = 0.5
"""Seconds for which a question that comes by itself takes no answer."""


class Asking:
    """Asks, one question at a time, and gives the answer to whoever asked.

    Args:
        console: Where it is asked.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._number = 0
        self._at = 0.0
        self._text: Sequence[str] = ()
        self._answer: asyncio.Future[str] | None = None
        self.open = False
        """Whether there is a question now."""

    @property
    def number(self) -> int:
        """Number of the newest question."""
        return self._number

    @property
    def waits(self) -> bool:
        """Whether an answer goes to who asked, whatever it is."""
        return self._answer is not None and not self._answer.done()

    @property
    def is_new(self) -> bool:
        """Whether the question has only just come up, by itself."""
        return self.open and self._console.clock() < self._at

    def put(self, *lines: str, sudden: bool) -> None:
        """Ask something.

        Args:
            *lines: The question, and what can be answered.
            sudden: It comes by itself, so that what is typed just now is not about it.
        """
        self._number += 1
        self._at = self._console.clock() + (GRACE if sudden else 0)
        self._text = lines
        self.open = True
        # Told all at once, so that nothing comes in between.
        self._console.say("", f"Question {self._number}. {lines[0]}", *lines[1:])

    def void(self) -> None:
        """There is nothing to be answered any more."""
        self.open = False

    def again(self, *lines: str) -> None:
        """Ask the same again, as something has changed that the answer may depend on; it has a new number."""
        if self.open:
            rest = self._text if self.waits else ()
            self.put(*lines, *rest, sudden=True)
            self._text = rest or lines

    def remind(self) -> None:
        """Say again what the question is."""
        if self.open:
            self._console.say(f"Question {self._number}. {self._text[0]}", *self._text[1:])

    async def ask(self, *lines: str, sudden: bool = False) -> str:
        """Ask something, and wait for a line that answers it."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._answer = answer
        self.put(*lines, sudden=sudden)
        try:
            return await answer
        finally:
            if self._answer is answer:
                self._answer = None
                self.open = False

    def give(self, text: str) -> None:
        """Answer the question of whoever waits."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(text)

    def too_early(self, typed: Typed) -> bool:
        """Whether a line was typed before there was the question, and so is no answer to it."""
        return typed.at < self._at
