"""The message of a commit: drafted by the partner, gone over by the human, and handed in or left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import TextArea

from agent_core.commands import Commit, DraftCommit
from agent_core.events import CommitDrafted, Committed, Entry
from agent_core.state import LandingState, State
from agent_core.text import printable
from tui.screens.grace import GRACE, PAUSE, TOO_EARLY
from tui.widgets.area import Area
from tui.widgets.lines import Line, Piece, Rows, clean

if TYPE_CHECKING:
    from tui.engine import Session

_KEYS = (("enter", "commit", "hand_in"), ("shift+enter", "newline", "newline"), ("esc", "leave it", "leave"))
_SUBJECT = 72
"""So long a subject may be that logs show whole."""
_MOST_FILES = 6
_WAITING = "the partner is writing a message; what you write yourself stays"


class _Message(Area):
    """The message; the keys that end it are the screen's."""

    class Key(Message):
        """A key that is the screen's was pressed."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    _OURS: ClassVar = {
        "enter": "hand_in",
        "ctrl+s": "hand_in",
        "shift+enter": "newline",
        "ctrl+j": "newline",
        "escape": "leave",
    }

    async def _on_key(self, event: events.Key) -> None:
        # A text area takes some of them for text before bindings get to see them.
        if action := self._OURS.get(event.key):
            event.stop()
            event.prevent_default()
            self.post_message(self.Key(action))
            return
        await super()._on_key(event)


class _Keys(Rows):
    """The keys, which can be clicked as well."""

    def on_click(self, event: events.Click) -> None:
        """A click on what a key does is that key."""
        event.stop()
        at = 1
        for key, words, action in _KEYS:
            width = len(key) + len(words) + 1
            if at <= event.x < at + width:
                self.post_message(_Message.Key(action))
            at += width + 3


class CommitScreen(ModalScreen[str]):
    """Lies over the panes; gives what was written and not handed in, to be gone on with.

    Args:
        session: The session that is open.
        landing: What is to be committed.
        begun: What was written for it before, and not handed in; empty for nothing.
        clock: Gives seconds; monotonic.
    """

    DEFAULT_CSS = """
    CommitScreen { align: center middle; }
    CommitScreen > Vertical { width: 84; max-width: 100%; height: auto; max-height: 100%; border: round $primary;
        background: $background; padding: 0 1; }
    CommitScreen TextArea, CommitScreen TextArea:focus { height: 9; border: round $accent; padding: 0;
        background: $background; border-subtitle-color: $foreground;
        & .text-area--cursor-line { background: $background; } }
    CommitScreen.-narrow TextArea { height: 7; }
    """
    # Text areas have tab for themselves, and there is nowhere to go.
    BINDINGS: ClassVar = [Binding("tab,shift+tab", "stay", show=False, priority=True)]

    def __init__(self, session: Session, landing: LandingState, begun: str, clock: Callable[[], float]) -> None:
        super().__init__()
        self._session = session
        self._landing = landing
        self._clock = clock
        self._stop: Callable[[], object] = bool
        self._offered = begun
        self._since = clock()
        self._above = Rows()
        self._below = Rows()
        self._keys = _Keys()
        self.message = _Message(begun, soft_wrap=True, tab_behavior="focus", highlight_cursor_line=False)
        self.message.cursor_blink = False

    def compose(self) -> ComposeResult:
        """What is committed, the message, and the keys."""
        with Vertical() as frame:
            frame.border_title = f"commit landing {self._landing.number}"
            yield self._above
            yield self.message
            yield self._below
            yield self._keys

    def on_mount(self) -> None:
        """Have a message written, and show it when it is there."""
        self._stop = self._session.subscribe(self._hear)
        self.message.focus()
        pieces: list[Piece] = []
        for key, words, _ in _KEYS:
            pieces += [(key, "key"), (f" {words}", "dim"), ("   ", "")]
        self._keys.set_lines([Line(pieces, lead=((" ", ""),))])
        self._say(_WAITING, "dim")
        self._tell((), self._session.state)
        self._session.submit(DraftCommit(self._landing.number))

    def on_unmount(self) -> None:
        """Listen no more."""
        self._stop()

    def _hear(self, entry: Entry, state: State) -> None:
        match entry.event:
            case CommitDrafted(landing, message, also, trouble) if landing == self._landing.number:
                self._take(message)
                self._tell(also, state)
                if trouble:
                    self._say(trouble, "bad")
                else:
                    self._say("", "")
            case Committed(landing) if landing == self._landing.number:
                # By another hand: there is nothing left to do.
                self.dismiss("")
            case _:
                pass

    def _take(self, message: str) -> None:
        """Show a message, unless the human has written one of their own meanwhile."""
        if message and self.message.text == self._offered:
            self._offered = self.message.text = printable(message)
            self._since = self._clock()

    def _tell(self, also: Sequence[int], state: State) -> None:
        """What goes into the commit."""
        numbers = {self._landing.number, *also}
        files = {file.path: file for one in state.landings if one.number in numbers for file in one.files}
        lines = []
        for path, file in list(files.items())[:_MOST_FILES]:
            sign, style = (
                ("+", "good") if file.before is None else ("-", "bad") if file.after is None else ("~", "accent")
            )
            lines.append(Line(((clean(path), "text"),), lead=((f" {sign} ", style),)))
        if len(files) > _MOST_FILES:
            lines.append(Line(((f"and {len(files) - _MOST_FILES} more files", "dim"),), lead=(("   ", ""),)))
        if also:
            those = ", ".join(str(number) for number in also)
            lines.append(Line(((f"with landing {those}, on which it builds", "warn"),), lead=((" ! ", "warn"),)))
        lines.append(
            Line((("these lines only: what else you changed or staged stays as it is", "dim"),), lead=(("   ", ""),))
        )
        self._above.set_lines(lines)

    def _say(self, text: str, style: str) -> None:
        sign = "✗" if style == "bad" else " "
        self._below.set_lines([Line(((clean(text), style),), lead=((f" {sign} ", style),))] if text else [])

    @on(TextArea.Changed)
    def _written(self) -> None:
        """How long the first line is."""
        length = len(self.message.text.split("\n", 1)[0])
        self.message.border_subtitle = f"{'! ' if length > _SUBJECT else ''}{length} of {_SUBJECT}" if length else ""

    @on(_Message.Key)
    def _pressed(self, key: _Message.Key) -> None:
        key.stop()
        {"hand_in": self._hand_in, "newline": self._newline, "leave": self._leave}[key.action]()

    def _hand_in(self) -> None:
        text = self.message.text.strip()
        if not text:
            self._say("There is no message yet.", "warn")
        elif self._clock() - self._since < GRACE and text == self._offered.strip():
            # It has only just appeared: whoever pressed that has not read it; nor has who holds the key down.
            self._say(TOO_EARLY, "warn")
            self._since = self._clock() - GRACE + PAUSE
        else:
            self._session.submit(Commit(self._landing.number, text))
            self.dismiss("")

    def _newline(self) -> None:
        self.message.insert("\n")

    def _leave(self) -> None:
        self._session.submit(Commit(self._landing.number, ""))
        self.dismiss(self.message.text if self.message.text != self._offered else "")

    def action_stay(self) -> None:
        """There is one place to write, and it has the focus."""
