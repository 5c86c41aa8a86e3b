"""What stands between the panes and the prompt: words that wait for the partner, and what goes along with the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from textual.message import Message

from tui.prompt.offers import first_line
from tui.widgets.lines import Line, Rows, clean

_MOST = 4


class PromptStrip(Rows):
    """A row for each waiting message and each attachment; without any it takes no room."""

    DEFAULT_CSS = """
    PromptStrip { display: none; max-height: 6; padding: 0 1; }
    PromptStrip.-has { display: block; }
    """

    class Clicked(Message):
        """Something of a row was clicked.

        Attributes:
            what: ``pull`` and ``withdraw`` are of the waiting messages, ``drop`` is of the attachments.
            index: Which one.
        """

        def __init__(self, what: Literal["pull", "withdraw", "drop"], index: int) -> None:
            super().__init__()
            self.what = what
            self.index = index

    def __init__(self) -> None:
        super().__init__(id="strip")
        self._shown: tuple[object, ...] = ()

    def show(self, queued: Sequence[str], attached: Sequence[str], key: str, width: int) -> None:
        """Show what waits.

        Args:
            queued: Messages the partner has not been told yet, oldest first.
            attached: What goes along with the next message.
            key: The key that takes the last message back.
            width: Cells there are.
        """
        now = (tuple(queued), tuple(attached), key, width)
        if now == self._shown:
            return
        self._shown = now
        lines: list[Line] = []
        hidden = max(len(queued) - _MOST, 0)
        if hidden:
            lines.append(Line(((f"{hidden} more wait", "faint"),), lead=(("⋯ ", "accent"),)))
        for index, text in list(enumerate(queued))[hidden:]:
            last = index == len(queued) - 1
            edit = f"{key} edit" if last else "edit"
            room = max(width - len(edit) - 16, 8)
            words = clean(first_line(text))
            words = words if len(words) <= room and "\n" not in text else f"{words[: room - 1]}…"
            pieces = [
                (words, f"text@pull({index})"),
                ("   ", ""),
                (edit, f"key@pull({index})"),
                ("  ", ""),
                ("drop", f"key@withdraw({index})"),
            ]
            lines.append(Line(pieces, lead=(("⋯ ", "accent"),)))
        for index, label in enumerate(attached):
            hint = "backspace drops it" if index == len(attached) - 1 else "drop"
            pieces = [(clean(label), "strong"), (" goes along   ", "dim"), (hint, f"key@drop({index})")]
            lines.append(Line(pieces, lead=(("+ ", "accent"),)))
        self.set_lines(lines)
        self.set_class(bool(lines), "-has")

    def action_pull(self, index: int) -> None:
        """Take a message back into the prompt."""
        self.post_message(self.Clicked("pull", index))

    def action_withdraw(self, index: int) -> None:
        """Take a message back for good."""
        self.post_message(self.Clicked("withdraw", index))

    def action_drop(self, index: int) -> None:
        """Do not send an attachment along."""
        self.post_message(self.Clicked("drop", index))
