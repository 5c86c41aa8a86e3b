"""The prompt: where tasks, steering and reasons are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.message import Message
from textual.widgets import TextArea

from tui.actions import bindings

ASK = "What should be changed?"
STEER = "Say what should be different; the partner hears it at its next step."
DECIDE = "Say what should be different, and Enter goes on with it."
REASON = "Why? Enter alone gives no reason, Esc goes back."


class Prompt(TextArea):
    """A text area that grows, sends with Enter, and can ask for a reason in between.

    A draft is never lost: asking for a reason puts it aside and gives it back.

    Args:
        answer: Asked with every letter typed while it is empty; the letter is not written when it says yes.
        draft: What stands in it at first.
    """

    DEFAULT_CSS = """
    Prompt {
        height: auto; max-height: 10; padding: 0 1;
        border: round $panel-lighten-2; background: $background;
        border-title-color: $foreground 60%;
        &:focus { border: round $primary; border-title-color: $primary; }
        & .text-area--cursor-line { background: $background; }
    }
    """
    BINDINGS: ClassVar = bindings("prompt")

    class Choosing(Message):
        """A list to choose from was opened over the prompt, or closed."""

    class Sent(Message):
        """Enter was pressed.

        Attributes:
            text: What was written.
            reason: It is the reason of a rejection.
        """

        def __init__(self, text: str, *, reason: bool) -> None:
            super().__init__()
            self.text = text
            self.reason = reason

    def __init__(self, answer: Callable[[str], bool], draft: str = "") -> None:
        super().__init__(draft, id="prompt", placeholder=ASK, highlight_cursor_line=False)
        self.move_cursor(self.document.end)
        self.cursor_blink = False
        self.border_title = "ask"
        self._answer = answer
        self.asks_reason = False
        self.choosing = False
        """A list to choose from is open."""
        self._draft = ""

    async def _on_key(self, event: events.Key) -> None:
        # TextArea takes Enter for a newline before bindings get to see it; here the registry has the word.
        if event.key in {"enter", "shift+enter", "ctrl+j"}:
            event.prevent_default()
            return
        if event.character and not self.text and self._answer(event.character):
            event.stop()
            event.prevent_default()
            return
        await super()._on_key(event)

    def send(self) -> None:
        """Hand over what is written and empty the prompt."""
        text = self.text
        if not self.asks_reason and not text.strip():
            return
        reason = self.asks_reason
        if reason:
            self.leave_reason(keep=False)
        else:
            self.clear()
        self.post_message(self.Sent(text.strip(), reason=reason))

    def give_back(self, text: str) -> None:
        """Put back what could not be sent."""
        self.load_text(text)
        self.move_cursor(self.document.end)

    def newline(self) -> None:
        """Begin a new line at the cursor."""
        self.insert("\n")
        self.scroll_cursor_visible()

    def ask_reason(self) -> None:
        """Put the draft aside and ask why a proposal is rejected."""
        self.asks_reason = True
        self._draft = self.text
        self.clear()
        self.placeholder = REASON
        self.border_title = "reject"
        self.focus()

    def leave_reason(self, *, keep: bool = True) -> None:
        """Give the draft back.

        Args:
            keep: What was written of the reason is not lost, but put after the draft.
        """
        written = self.text if keep else ""
        self.asks_reason = False
        self.give_back("\n".join(part for part in (self._draft, written) if part.strip()))
        self._draft = ""

    def entitle(self, title: str, placeholder: str) -> None:
        """Say what Enter would do now."""
        if self.asks_reason or (self.border_title == title and self.placeholder == placeholder):
            return
        self.border_title = title
        self.placeholder = placeholder
