"""A list to choose from by a few letters: the command palette, the themes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

import msgspec
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from tui.widgets.lines import Line, LinesView, Piece, clean


class Entry(msgspec.Struct, frozen=True):
    """Something to choose.

    Attributes:
        title: What it is called; what is typed is looked for here first.
        detail: What it is, in a few words.
        keys: What else does it.
        current: It is what is so now.
        do: Does it, once it has been chosen.
        try_on: Shows what it would be like, while the cursor is on it.
    """

    title: str
    detail: str = ""
    keys: str = ""
    current: bool = False
    do: Callable[[], Awaitable[None] | None] | None = None
    try_on: Callable[[], None] | None = None


def _rank(wanted: str, entry: Entry) -> int | None:
    """How badly an entry fits what is wanted, None where it does not."""
    title, detail = entry.title.lower(), entry.detail.lower()
    words = wanted.split()
    if title.startswith(wanted):
        return 0
    if all(f" {word}" in f" {title}" for word in words):
        return 1
    if all(word in title for word in words):
        return 2
    if all(f" {word}" in f" {title} {detail}" for word in words):
        return 3
    letters = iter(title)
    return 4 if all(letter in letters for letter in wanted if letter != " ") else None


def fitting(wanted: str, entries: Sequence[Entry]) -> list[Entry]:
    """The entries that fit what is wanted, the best first, otherwise in their order."""
    wanted = " ".join(wanted.lower().split())
    if not wanted:
        return list(entries)
    ranked = [(rank, at) for at, entry in enumerate(entries) if (rank := _rank(wanted, entry)) is not None]
    return [entries[at] for _, at in sorted(ranked)]


class EntryList(LinesView):
    """The entries that fit, one of them under the cursor."""

    follow = False
    can_focus = False

    def __init__(self, entries: Sequence[Entry]) -> None:
        super().__init__()
        self.entries = entries
        """All there are."""
        self._shown: list[Entry] = []
        self._cursor = 0

    @property
    def chosen(self) -> Entry | None:
        """The entry under the cursor."""
        return self._shown[self._cursor] if self._shown else None

    def show(self, wanted: str) -> None:
        """Show what fits."""
        before = self.chosen
        self._shown = fitting(wanted, self.entries)
        # What is tried on begins with what there is.
        tried = (at for at, entry in enumerate(self._shown) if entry.current and entry.try_on)
        self._cursor = 0 if wanted else next(tried, 0)
        self._draw()
        if self.chosen is not before:
            self._try_on()

    def move(self, by: int) -> None:
        """Move the cursor; round at the ends by single steps."""
        if not self._shown:
            return
        count = len(self._shown)
        to = (self._cursor + by) % count if abs(by) == 1 else min(max(self._cursor + by, 0), count - 1)
        old, self._cursor = self._cursor, to
        for at in {old, to}:
            self.replace_line(at, self._line(at))
        self.show_line(to)
        self._try_on()

    def point(self, y: int) -> bool:
        """Put the cursor on a row; gives whether there is an entry."""
        return self.go_to(self.scroll_offset.y + y)

    def go_to(self, at: int) -> bool:
        """Put the cursor on an entry of those shown; gives whether there is one."""
        if 0 <= at < len(self._shown):
            self.move(at - self._cursor)
            return True
        return False

    def _try_on(self) -> None:
        if (entry := self.chosen) is not None and entry.try_on is not None:
            entry.try_on()

    def _draw(self) -> None:
        if self._shown:
            self.set_lines([self._line(at) for at in range(len(self._shown))])
            self.show_line(self._cursor)
        else:
            self.set_lines([Line((("nothing fits", "faint"),), lead=(("  ", ""),))])

    def _line(self, at: int) -> Line:
        entry = self._shown[at]
        here = at == self._cursor
        room = max(self._width() - 4, 10)
        pieces: list[Piece] = [(clean(entry.title), "strong")]
        left = room - len(entry.title) - (len(entry.keys) + 3 if entry.keys else 0) - 2
        if entry.detail and left > 8:
            detail = clean(entry.detail)
            cut = detail if len(detail) <= left else f"{detail[: left - 1]}…"
            pieces.append((f"  {cut}", "text" if here else "dim"))
        lead = (("▸" if here else " ", "accent"), ("●" if entry.current else " ", "good"), (" ", ""))
        right = (f"{entry.keys} ", "strong" if here else "key") if entry.keys else None
        return Line(pieces, lead=lead, right=right, base="cursor-row" if here else "")

    def on_resize(self, event: events.Resize) -> None:
        """There is more or less room for the details."""
        super().on_resize(event)
        self._draw()


class Chooser(ModalScreen[Entry | None]):
    """Asks for one of some entries; escape chooses none.

    Args:
        entries: What there is.
        question: Stands where nothing has been typed yet.
        aside: At the right edge, where it hides less of what is tried on.
    """

    DEFAULT_CSS = """
    Chooser { align: center top; background: $background 60%; }
    Chooser:ansi { background: transparent; }
    Chooser.-aside { align: right top; background: transparent; }
    Chooser > Vertical { width: 90; max-width: 100%; height: auto; max-height: 90%; margin: 1 0 0 0;
        border: round $primary; background: $background; }
    Chooser.-aside > Vertical { width: 40; }
    Chooser Input { border: none; height: 1; padding: 0 1; background: $background; }
    Chooser Input:focus { border: none; }
    Chooser EntryList { height: 24; max-height: 100%; }
    """
    BINDINGS: ClassVar = [
        Binding("escape", "dismiss(None)", show=False),
        Binding("ctrl+p", "dismiss(None)", show=False, priority=True),
        Binding("up,shift+tab", "move(-1)", show=False, priority=True),
        Binding("down,tab", "move(1)", show=False, priority=True),
        Binding("pageup", "move(-10)", show=False, priority=True),
        Binding("pagedown", "move(10)", show=False, priority=True),
        Binding("ctrl+home", "move(-10000)", show=False, priority=True),
        Binding("ctrl+end", "move(10000)", show=False, priority=True),
    ]

    def __init__(self, entries: Sequence[Entry], question: str, *, aside: bool = False) -> None:
        super().__init__(classes="-aside" if aside else "")
        self._query = Input(placeholder=question, select_on_focus=False)
        self._query.cursor_blink = False
        self.list = EntryList(entries)

    def compose(self) -> ComposeResult:
        """What is typed, and what fits it."""
        with Vertical():
            yield self._query
            yield self.list

    def on_mount(self) -> None:
        """Show all there is."""
        self.list.show("")
        self._query.focus()

    @on(Input.Changed)
    def _typed(self, changed: Input.Changed) -> None:
        changed.stop()
        self.list.show(changed.value)

    @on(Input.Submitted)
    def _entered(self, submitted: Input.Submitted) -> None:
        submitted.stop()
        if self.list.chosen is not None:
            self.dismiss(self.list.chosen)

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self.list.move(by)

    def on_click(self, event: events.Click) -> None:
        """A click chooses an entry; one beside the list chooses none."""
        event.stop()
        if event.widget is self.list:
            if self.list.point(event.y):
                self.dismiss(self.list.chosen)
        elif event.widget is self:
            self.dismiss(None)
