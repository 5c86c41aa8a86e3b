"""What the three panes share: a title, a word for when they are empty, and the keys of the registry."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import ClassVar, Protocol, runtime_checkable

from textual.message import Message
from textual.message_pump import MessagePump
from textual.strip import Strip

from agent_core.commands import AnyCommand
from agent_core.errors import PairloopError
from tui.widgets.lines import Line, palette_of
from tui.widgets.search import SearchView


class Trouble(Message):
    """Something went wrong that costs the human only a convenience.

    Args:
        error: What was raised.
        meaning: What it means for the human.
    """

    def __init__(self, error: Exception, meaning: str) -> None:
        super().__init__()
        self.error = error
        self.meaning = meaning


async def told(node: MessagePump, work: Awaitable[None], meaning: str) -> None:
    """Do something in a worker; an unexpected error in it is told to the human, of which a worker says nothing.

    Args:
        node: Who has it done.
        work: What is done.
        meaning: What an error means for the human.
    """
    try:
        await work
    except Exception as error:  # noqa: BLE001 - told to the human, and in the log
        trouble = Trouble(error, meaning)
        trouble.set_sender(node)
        node.post_message(trouble)


@runtime_checkable
class Desk(Protocol):
    """Takes what a pane wants done; the app is one."""

    def submit(self, command: AnyCommand) -> None:
        """Hand a command to the session, if there is one."""

    def decide(self, command: AnyCommand) -> bool:
        """Hand in the answer to a question, unless it has only just appeared; whether it was."""

    def say(self, text: str) -> None:
        """Say something to the human for a moment."""

    def complain(self, error: PairloopError) -> None:
        """Tell the human of what could not be done; it stays in the chat."""

    def show_in_diff(self, path: str, line: int) -> bool:
        """Go to a line of the new side in the diff, if that has the file; whether it has."""

    def refer(self, label: str, text: str) -> None:
        """Put a chip into the prompt: what it says, and what it stands for; nothing is sent."""


class Pane(SearchView):
    """One of the three panes."""

    DEFAULT_CSS = """
    Pane { border: round $panel-lighten-2; border-title-color: $foreground 60%; padding: 0 1; }
    Pane:focus { border: round $primary; border-title-color: $primary; border-title-style: bold; }
    """
    TITLE: ClassVar[str] = ""
    EMPTY: ClassVar[Sequence[str]] = ()

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.border_title = self.TITLE
        self.empty_words: Sequence[str] = self.EMPTY
        """What is said while there is nothing to show."""
        self._empty = True
        self._wheeled = False
        self.news = ""
        """A sign for the tab of a pane that is hidden; empty when there is nothing new."""

    @property
    def desk(self) -> Desk:
        """Takes what it wants done."""
        assert isinstance(self.app, Desk)
        return self.app

    @property
    def read(self) -> bool:
        """Whether somebody reads here: it has the focus, or was scrolled by the wheel and not back to the top."""
        return self.has_focus or (self._wheeled and self.scroll_offset.y > 0)

    def on_mouse_scroll_down(self) -> None:
        """Who scrolls by the wheel reads here, wherever the focus is."""
        self._wheeled = True

    def on_mouse_scroll_up(self) -> None:
        """Who scrolls by the wheel reads here, wherever the focus is."""
        self._wheeled = True

    def begin_anew(self) -> None:
        """Something else is shown, from its beginning: nobody has read in it yet."""
        self._wheeled = False

    @property
    def facts(self) -> frozenset[str]:
        """What it says of itself for `tui.actions.model.Situation`."""
        return frozenset()

    def marks_of(self) -> Sequence[int]:
        """Indices of the lines that jump mode leads to, such as those at which blocks begin."""
        return ()

    def marked_rows(self) -> list[tuple[int, int]]:
        """Those of them that are seen: the row of the pane, and the index."""
        if len(self._starts) <= len(self._lines):
            return []
        top, height = self.scroll_offset.y, self.size.height
        rows = ((self._starts[index] - top, index) for index in self.marks_of())
        return [(row, index) for row, index in rows if 0 <= row < height]

    def mark_empty(self, *, empty: bool) -> None:
        """Say whether there is anything to show."""
        if empty != self._empty:
            self._empty = empty
            self.refresh()

    def entitle(self, title: str) -> None:
        """Set what stands in the border."""
        if title != self.border_title:
            self.border_title = title

    def render_line(self, y: int) -> Strip:
        """Draw one row; an empty pane says what will be here."""
        if not self._empty or y == 0 or self.searching:
            return super().render_line(y)
        width = self._width()
        at = y - 1
        for text in self.empty_words:
            line = Line(((text, "faint"),), lead=((" ", ""),))
            rows = len(line.rows(width))
            if at < rows:
                strip = line.strip(at, width, palette_of(self.app)).apply_style(self._style)
                return strip.adjust_cell_length(self.size.width, self._style)
            at -= rows
        return self._blank
