"""What goes along with the next words to the partner: words that came too early, and the output of commands."""

from __future__ import annotations

from agent_core.chat_entries import Ran
from tui.prompt.chips import quoted


class Along:
    """Keeps it until there is something to go along with."""

    def __init__(self) -> None:
        self._early: list[str] = []
        self._attached: list[str] = []

    def keep(self, words: str) -> None:
        """Keep words that cannot be said yet."""
        self._early.append(words)

    def attach(self, ran: Ran) -> None:
        """Have the output of a command go along."""
        ended = ran.killed or f"exit status {ran.code}"
        self._attached.append(quoted(f"Output of `{ran.line}` ({ended}):", ran.output))

    def take(self, words: str) -> str:
        """Words with all that goes along with them."""
        whole = "\n\n".join(part for part in (*self._early, words, *self._attached) if part)
        self._early.clear()
        self._attached.clear()
        return whole

    def drop(self) -> str:
        """Words that there is no saying any more, for the human; empty when there are none."""
        words = " ".join(self._early)
        self._early.clear()
        return words
