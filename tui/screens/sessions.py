"""The sessions of the project: looked through, searched, opened, forked, written out, put out of sight."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar, Literal

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from agent_core.errors import PairloopError
from agent_core.forking import Step
from agent_core.shelf import SessionCard
from tui.engine import Shelf
from tui.life import Wanted
from tui.panes.pane import told
from tui.screens.choose import Chooser, Entry
from tui.screens.grace import CUTS_OFF, TOO_EARLY
from tui.screens.moving import MOVES
from tui.screens.session_find import Found, SaidIndex, card_lines, preview_lines
from tui.trouble import ago
from tui.widgets.lines import Line, LinesView, Piece, Rows, clean

_KEYS = (
    ("enter", "open"),
    ("/", "search"),
    ("n", "new"),
    ("f", "fork"),
    ("e", "export"),
    ("d", "hide"),
    ("h", "all"),
    ("esc", "back"),
)
_DOING = frozenset({"open", "new", "fork", "export", "hide"})


class CardList(LinesView):
    """The sessions that fit, one of them under the cursor."""

    follow = False
    BINDINGS: ClassVar = [*MOVES]

    def __init__(self) -> None:
        super().__init__(id="cards")
        self._found: Sequence[Found] = ()
        self._current = ""
        self._cursor = 0
        self._empty = ""

    @property
    def chosen(self) -> Found | None:
        """The session under the cursor."""
        return self._found[self._cursor] if self._found else None

    def show(self, found: Sequence[Found], current: str, keep: str, empty: str) -> None:
        """Show some sessions.

        Args:
            found: The sessions.
            current: Id of the one that is open here.
            keep: Id of the one to put the cursor on, if it is there.
            empty: What to say where there is none.
        """
        self._found, self._current = found, current
        self._cursor = next((at for at, one in enumerate(found) if one.card.id == keep), 0)
        self._empty = empty
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """There is more or less room for titles."""
        super().on_resize(event)
        self._draw()

    def _draw(self) -> None:
        lines = [line for at in range(len(self._found)) for line in self._card(at)]
        self.set_lines(lines or [Line(((self._empty, "faint"),), lead=(("  ", ""),))])
        self.show_line(2 * self._cursor)

    def move(self, by: int) -> None:
        """Move the cursor; round at the ends by single steps."""
        if not self._found:
            return
        count = len(self._found)
        to = (self._cursor + by) % count if abs(by) == 1 else min(max(self._cursor + by, 0), count - 1)
        old, self._cursor = self._cursor, to
        for at in {old, to}:
            for which, line in enumerate(self._card(at)):
                self.replace_line(2 * at + which, line)
        self.show_line(2 * to)

    def point(self, y: int) -> bool:
        """Put the cursor on the session that is drawn on a row; gives whether there is one."""
        row = self.scroll_offset.y + y
        if not self._found or row >= self._starts[-1]:
            return False
        index, _ = self._line_at(row)
        self.move(index // 2 - self._cursor)
        return True

    def _card(self, at: int) -> tuple[Line, Line]:
        return card_lines(self._found[at], self._current, max(self._width(), 20), here=at == self._cursor)


class Preview(LinesView):
    """What was said in the session under the cursor."""

    follow = False
    can_focus = False


class SessionsScreen(ModalScreen[Wanted | None]):
    """The sessions; gives which one to open, None for none.

    Args:
        shelf: Where they are.
        current: Id of the session that is open here; empty where none is.
        too_early: Whether it has only just appeared, by itself, so that what is pressed may have been meant elsewhere.
        busy: Whether the partner is at work in the session that is open here, which another one would cut off.
    """

    DEFAULT_CSS = """
    SessionsScreen { align: center middle; }
    SessionsScreen > Vertical { width: 150; max-width: 96%; height: 92%; border: round $primary;
        background: $background; padding: 0 1; }
    SessionsScreen Input, SessionsScreen Input:focus { border: none; height: 1; padding: 0; margin: 0 0 1 0;
        background: $background; }
    SessionsScreen Horizontal { height: 1fr; }
    SessionsScreen CardList { width: 2fr; margin: 0 2 0 0; }
    SessionsScreen Preview { width: 3fr; }
    SessionsScreen.-narrow Horizontal { layout: vertical; }
    SessionsScreen.-narrow CardList { width: 1fr; height: 2fr; margin: 0 0 1 0; }
    SessionsScreen.-narrow Preview { width: 1fr; height: 3fr; }
    SessionsScreen Rows { margin: 1 0 0 0; }
    """
    BINDINGS: ClassVar = [
        Binding("escape", "back", show=False),
        Binding("q", "back", show=False),
        Binding("enter", "open", show=False),
        Binding("slash", "search", show=False),
        Binding("n", "new", show=False),
        Binding("f", "fork", show=False),
        Binding("e", "export('md')", show=False),
        Binding("E", "export('json')", show=False),
        Binding("d", "hide", show=False),
        Binding("h", "hidden", show=False),
    ]

    def __init__(
        self, shelf: Shelf, current: str, too_early: Callable[[], bool] = bool, busy: Callable[[], bool] = bool
    ) -> None:
        super().__init__()
        self._too_early = too_early
        self._busy = busy
        self._warned = ""  # what was asked for that would cut the partner off
        self._shelf = shelf
        self._current = current
        self._cards: Sequence[SessionCard] = ()
        self._index: SaidIndex | None = None
        self._hidden = False
        self._empty = "looking ..."
        self._query = Input(placeholder="/ searches titles and all that was said", select_on_focus=False)
        self._query.cursor_blink = False
        self.list = CardList()
        self.preview = Preview()
        self._foot = Rows()

    def compose(self) -> ComposeResult:
        """What is searched for, the sessions, what was said in one, and the keys."""
        with Vertical() as frame:
            frame.border_title = "sessions of this project"
            yield self._query
            with Horizontal():
                yield self.list
                yield self.preview
            yield self._foot

    def on_mount(self) -> None:
        """Look for sessions."""
        self.list.focus()
        self._say("")
        self._show()
        self._do(self._load)

    @property
    def ready(self) -> bool:
        """Whether all of it has been read."""
        return self._index is not None

    # -- What is shown

    async def _load(self) -> None:
        self._cards = await self._shelf.cards(hidden=self._hidden)
        self._empty = "There is no session here yet."
        self._show()
        self._index = SaidIndex(await self._shelf.said())
        self._show()

    def _show(self) -> None:
        wanted = self._query.value
        index = self._index or SaidIndex({})
        before = self.list.chosen
        keep = before.card.id if before is not None and not wanted else "" if wanted else self._current
        found = index.find(wanted, self._cards)
        self.list.show(found, self._current, keep, "nothing fits" if wanted and self._cards else self._empty)
        self._show_preview()

    def _show_preview(self) -> None:
        found = self.list.chosen
        if found is None or self._index is None:
            self.preview.set_lines([])
            return
        said = self._index.said.get(found.card.id, ())
        lines, at = preview_lines(found, said, self._query.value, self._current)
        self.preview.set_lines(lines)
        if at:
            self.preview.show_line(at)
        else:
            self.preview.scroll_home(animate=False)

    def _say(self, text: str, style: str = "warn") -> None:
        pieces: list[Piece] = [(clean(text), style)] if text else []
        for key, word in () if text else _KEYS:
            pieces += [(key, "key"), (f" {word}   ", "dim")]
        self._foot.set_lines([Line(pieces)])

    @on(Input.Changed)
    def _typed(self, changed: Input.Changed) -> None:
        changed.stop()
        self._show()

    @on(Input.Submitted)
    def _entered(self, submitted: Input.Submitted) -> None:
        submitted.stop()
        self.list.focus()

    def on_key(self, event: events.Key) -> None:
        """While something is searched for the arrows still move, and what was said goes with the next key."""
        if self.focused is self._query and event.key in {"up", "down"}:
            event.stop()
            self.action_move(-1 if event.key == "up" else 1)

    def on_click(self, event: events.Click) -> None:
        """A click looks at a session, a second one opens it; one beside the list closes it."""
        event.stop()
        if event.widget is self.list and self.list.point(event.y):
            self._show_preview()
            if event.chain > 1:
                self.action_open()
        elif event.widget is self:
            self.dismiss(None)

    # -- What can be done

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a key does something now (Textual asks)."""
        if action in _DOING and self._too_early():
            self._say(TOO_EARLY)
            return False
        return super().check_action(action, parameters)

    def action_back(self) -> None:
        """Out of the search, then out of here."""
        if self.focused is self._query or self._query.value:
            self._query.value = ""
            self.list.focus()
        else:
            self.dismiss(None)

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self.list.move(by)
        self._warned = ""
        self._say("")
        self._show_preview()

    def action_page(self, by: int) -> None:
        """Scroll what was said."""
        (self.preview.scroll_page_down if by > 0 else self.preview.scroll_page_up)(animate=False)

    def action_search(self) -> None:
        """Search."""
        self._query.focus()

    def action_open(self) -> None:
        """Open the session under the cursor."""
        found = self.list.chosen
        if found is None:
            return
        if found.card.id == self._current:
            self.dismiss(None)
        elif found.card.in_use:
            self._say("It is open in another pairloop. Close that one first, or fork this one with f.")
        else:
            self._leave(Wanted(found.card.id), "enter")

    def action_new(self) -> None:
        """Begin a new session."""
        self._leave(Wanted(), "n")

    def _leave(self, wanted: Wanted, key: str) -> None:
        """Open another session; where that would cut the partner off, only when it is asked for again."""
        if self._may_leave(key):
            self.dismiss(wanted)

    def _may_leave(self, key: str) -> bool:
        if not self._busy() or self._warned == key:
            return True
        self._warned = key
        self._say(CUTS_OFF.format(key))
        return False

    def action_fork(self) -> None:
        """Ask at which step, and begin a copy of the session there."""
        if (found := self.list.chosen) is not None and self._may_leave("f"):
            self._do(lambda: self._fork(found.card))

    async def _fork(self, card: SessionCard) -> None:
        steps = await self._shelf.steps(card.id)

        def done(entry: Entry | None) -> None:
            if entry is not None:
                step = steps[len(steps) - 1 - entries.index(entry)]
                self._do(lambda: self._fork_at(card.id, step))

        entries = [step_entry(step) for step in reversed(steps)]
        await self.app.push_screen(Chooser(entries, "fork at which step?"), done)

    async def _fork_at(self, session: str, step: Step) -> None:
        self.dismiss(Wanted(await self._shelf.fork(session, step.seq)))

    def action_export(self, form: Literal["md", "json"]) -> None:
        """Write the session to a file."""
        if (found := self.list.chosen) is not None:
            self._do(lambda: self._export(found.card.id, form))

    async def _export(self, session: str, form: Literal["md", "json"]) -> None:
        path = await self._shelf.export(session, form)
        self.app.copy_to_clipboard(str(path))
        self._say(f"Written to {path} (copied). E writes JSON.", "good")

    def action_hide(self) -> None:
        """Put the session out of sight, or back."""
        if (found := self.list.chosen) is not None:
            self._do(lambda: self._hide(found.card))

    async def _hide(self, card: SessionCard) -> None:
        await self._shelf.hide(card.id, hidden=not card.hidden)
        await self._load()
        word = "It is listed again." if card.hidden else "Hidden, not deleted: h shows it again, d takes it back."
        self._say(word, "good")

    def action_hidden(self) -> None:
        """Show those that are out of sight, too, or not."""
        self._hidden = not self._hidden
        self._do(self._load)

    def _do(self, work: Callable[[], Awaitable[None]]) -> None:
        self.run_worker(told(self, self._told(work), "That did not work"), exit_on_error=False, group="sessions")

    async def _told(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except PairloopError as error:
            self._empty = error.message
            self._show()
            self._say(f"{error.message} {error.hint}".strip(), "bad")


def step_entry(step: Step) -> Entry:
    """A step to choose."""
    name = {"proposal": f"proposal {step.number} waits", "task": f"task {step.number} has ended", "now": "the end"}
    return Entry(name[step.kind], f"{step.text}, {ago(time.time() - step.at)}", f"step {step.seq}")
