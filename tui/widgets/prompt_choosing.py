"""What the prompt offers to complete: which word, which choices, which one is meant, and what becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textual.message import Message

from agent_core.state import State
from tui.panes.pane import told
from tui.prompt.fuzzy import PathIndex
from tui.prompt.history import History
from tui.prompt.offers import (
    MOST,
    Asked,
    Choice,
    Kind,
    asked_at,
    files_first,
    finding_choices,
    findings,
    text_choices,
)
from tui.widgets.chip_area import ChipArea
from tui.widgets.completion import Completion

if TYPE_CHECKING:
    from agent_core.custom_commands import CustomCommand
    from tui.engine import Custom

_HINTS: dict[Kind, str] = {
    "history": "enter takes it, esc goes back",
    "queue": "enter edits it, del drops it, esc goes back",
}
_HINT = "tab takes it, esc closes"


class ChoosingArea(ChipArea):
    """A text area over which a list opens for the word at the cursor.

    Args:
        text: What stands in it at first.
        placeholder: What it shows while it is empty.
    """

    class Choosing(Message):
        """The list was opened, or closed: other keys act."""

    def __init__(self, text: str, *, placeholder: str) -> None:
        self.popup = Completion()
        self.past = History()
        self.state = State()
        self.choices: Sequence[Choice] = ()
        self.asks_reason = False
        """It asks why a proposal is rejected."""
        self._meant = 0
        self._asked: Asked | None = None
        self._found: Asked | None = None  # what the files on offer were looked for
        self._dismissed: tuple[Kind, int, int] | None = (
            None  # what was closed with escape, while the cursor stays in it
        )
        self._paths: Callable[[], Sequence[str]] = tuple
        self._custom: Custom | None = None
        self._own: Mapping[str, CustomCommand] = {}
        self._index = PathIndex(())
        self._indexed: Sequence[str] = ()
        self._restore = ""
        self._complete = False  # what is written is all that is offered for it
        super().__init__(text, placeholder=placeholder)

    def attach(self, paths: Callable[[], Sequence[str]], custom: Custom) -> None:
        """Say where the names of the project's files come from, and commands of one's own."""
        self._paths = paths
        self._custom = custom

    @property
    def choosing(self) -> bool:
        """Whether a list is open."""
        return bool(self.choices)

    def tell(self, message: Message) -> None:
        """Send a message up, also where the screen's own handler has had it sent: it would end there."""
        message.set_sender(self)
        self.post_message(message)

    # -- What is offered

    def edit(self, *args: Any, **named: Any) -> Any:
        """Change the text; every change comes through here, so that keys that follow find what is offered for it."""
        result = super().edit(*args, **named)
        if self.is_mounted:
            self.look()
        return result

    def on_text_area_selection_changed(self) -> None:
        """The cursor may have left the word, or come to one."""
        if self._asked is None or self._asked.kind not in {"history", "queue"}:
            self.look()

    def look(self) -> None:
        """Offer what fits the word at the cursor."""
        kind = self._asked.kind if self._asked is not None else None
        if kind == "history":
            self._offer(text_choices(self.past.search(self.text)))
            return
        row, column = self.cursor_location
        asked = asked_at(self.document[row], column, first=row == 0 and not self.asks_reason)
        if not self.selection.is_empty:
            asked = None
        if asked is None or (asked.kind, row, asked.start) != self._dismissed:
            self._dismissed = None
        if asked is None or self._dismissed is not None:
            self.close()
            return
        if asked == self._asked:
            return
        self._asked = asked
        if asked.kind == "files":
            offers = told(self, self._offer_files(asked), "Files cannot be offered")
            self.run_worker(offers, group="completion", exclusive=True, exit_on_error=False)
        elif asked.kind == "findings":
            self._offer(finding_choices(findings(self.state), asked.needle))
        else:
            self._offer_commands(asked)

    def _offer_commands(self, asked: Asked) -> None:
        from tui import slash  # noqa: PLC0415 - not needed to paint

        if asked.kind == "commands":
            self._offer([*slash.choices(asked.needle, self._applies), *slash.custom_choices(self._own, asked.needle)])
            offers = told(self, self._offer_own(asked), "Commands of your own cannot be offered")
            self.run_worker(offers, group="completion", exclusive=True, exit_on_error=False)
        else:
            self._offer(slash.argument_choices(asked.command, asked.needle, self.state))

    def _applies(self, action: str) -> bool:
        return bool(self.app.check_action("do", (action,)))

    async def _offer_own(self, asked: Asked) -> None:
        """Offer commands of one's own too, if there are others than before: they are files, read in a thread."""
        if self._custom is None:
            return
        own = await asyncio.to_thread(self._custom.all)
        if own != self._own:
            self._own = own
            if asked == self._asked:
                self._offer_commands(asked)

    async def _offer_files(self, asked: Asked) -> None:
        """Offer files, looked for in a thread; an answer to what is not asked any more is dropped."""
        found = await asyncio.to_thread(self._find, tuple(self._paths()), asked.needle, files_first(self.state))
        if asked == self._asked and asked != self._found:
            self._show_files(asked, found)

    def _show_files(self, asked: Asked, found: Sequence[str]) -> None:
        self._found = asked
        self._offer([Choice(path, text=f"@{path}") for path in found])

    def _catch_up(self) -> None:
        """Whoever is quicker than the search chooses among what fits what they have written, not what fitted before."""
        asked = self._asked
        if asked is not None and asked.kind == "files" and asked != self._found:
            self._show_files(asked, self._find(tuple(self._paths()), asked.needle, files_first(self.state)))

    def _find(self, paths: tuple[str, ...], needle: str, first: Sequence[str]) -> list[str]:
        if paths != self._indexed:
            self._indexed, self._index = paths, PathIndex(paths)
        known = set(paths) if not needle else ()
        return self._index.search(needle, MOST, [path for path in first if path in known] if known else first)

    def _offer(self, choices: Sequence[Choice]) -> None:
        asked = self._asked
        written = self.document[self.cursor_location[0]][asked.start : self.cursor_location[1]] if asked else ""
        self._complete = len(choices) == 1 and choices[0].text == written and not choices[0].chip
        if self._complete:
            choices = ()  # it is all there
        was = self.choosing
        self.choices = choices
        self._meant = 0
        self._draw()
        if was != self.choosing:
            self.tell(self.Choosing())

    def _draw(self) -> None:
        self.popup.show(self.choices, self._meant, _HINTS.get(self._asked.kind, _HINT) if self._asked else "")

    def close(self) -> None:
        """Offer nothing."""
        self._asked = self._found = None
        if self.choosing:
            self.choices = ()
            self._draw()
            self.tell(self.Choosing())

    def open_history(self) -> None:
        """Search in what was sent before: for what is in the prompt, which comes back unless something is taken."""
        if self._asked is None or self._asked.kind != "history":
            self._restore = self.text
            self._asked = Asked("history", 0, "")
            self.look()

    def open_queue(self, texts: Sequence[str]) -> None:
        """Choose among the messages that wait."""
        self._asked = Asked("queue", 0, "")
        self._offer(text_choices(texts))
        self._meant = len(self.choices) - 1
        self._draw()

    def queue_changed(self, texts: Sequence[str]) -> None:
        """Other messages wait now than those the open list shows: what was meant stays meant where it still waits."""
        if self._asked is None or self._asked.kind != "queue":
            return
        if not texts:
            self.close()
            return
        meant, at = self.choices[self._meant].text, self._meant
        self._offer(text_choices(texts))
        again = (index for index, choice in enumerate(self.choices) if choice.text == meant)
        self._meant = next(again, min(at, len(self.choices) - 1))
        self._draw()

    # -- What is chosen

    def choose(self, index: int, *, send: bool = False) -> None:
        """Take a choice.

        Args:
            index: Which one.
            send: Send it, where there is no more to say.
        """
        asked, choice = self._asked, self.choices[index]
        self.close()
        if asked is None:
            return
        if asked.kind == "history":
            self.put_text(choice.text)
        elif asked.kind == "queue":
            self.take_back(index)
        else:
            row, column = self.cursor_location
            self.replace("", (row, asked.start), (row, column), maintain_selection_offset=False)
            if choice.chip:
                self.put_chip(choice.chip, choice.text)
                return
            self.put(choice.text)
            # Nobody has said yet which command is meant: the first one is written, not done.
            unnamed = asked.kind == "commands" and not asked.needle and index == 0
            if send and choice.sends and not unnamed:
                self.close()
                self.send()
            else:
                self.put(" ")

    def action_popup_accept(self) -> None:
        """Take the choice that is meant."""
        self._catch_up()
        if self.choosing:
            self.choose(self._meant)

    def end_file(self) -> bool:
        """Take the file whose name is being written, though no list is open: it is all there, or not yet looked for.

        Returns:
            Whether there was one.
        """
        if self._asked is None or self._asked.kind != "files" or not self._asked.needle:
            return False
        self._catch_up()
        if self.choosing:
            self.choose(self._meant)
        elif self._complete:
            self.put(" ")
        else:
            return False
        return True

    def action_popup_send(self) -> None:
        """Take the choice that is meant, and send it where there is no more to say."""
        self._catch_up()
        if self.choosing:
            self.choose(self._meant, send=True)

    def action_popup_next(self) -> None:
        """Mean the next choice."""
        self._catch_up()
        self._meant = (self._meant + 1) % max(len(self.choices), 1)
        self._draw()

    def action_popup_previous(self) -> None:
        """Mean the choice before."""
        self._catch_up()
        self._meant = (self._meant - 1) % max(len(self.choices), 1)
        self._draw()

    def action_popup_close(self) -> None:
        """Close the list; it stays closed for this word."""
        asked = self._asked
        self.close()
        if asked is None:
            return
        if asked.kind == "history":
            self.put_text(self._restore)
        elif asked.kind != "queue":
            self._dismissed = (asked.kind, self.cursor_location[0], asked.start)

    def action_popup_drop(self) -> None:
        """Withdraw the waiting message that is meant; the list stays while others wait."""
        if self._asked is not None and self._asked.kind == "queue":
            self.withdraw(self._meant)

    # -- What the prompt does

    def send(self) -> None:
        """Hand over what is written."""
        raise NotImplementedError

    def put_text(self, text: str) -> None:
        """Put a text in the place of what is written."""
        raise NotImplementedError

    def take_back(self, index: int) -> None:
        """Take a waiting message back into the prompt."""
        raise NotImplementedError

    def withdraw(self, index: int) -> None:
        """Take a waiting message back for good."""
        raise NotImplementedError
