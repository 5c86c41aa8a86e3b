"""The memory of the session: looked through, put in other words, added to, forgotten; and what the partner was told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from agent_core.chat_entries import Notice
from agent_core.commands import AnyCommand, Compact, DropLesson, KeepLesson, Memorize, Uncompact
from agent_core.errors import PairloopError
from agent_core.events import Entry
from agent_core.state import State
from tui.panes.pane import told
from tui.screens.memory_keys import keys_line
from tui.screens.memory_list import EntryWriting, RowList
from tui.screens.memory_rows import rows_of
from tui.widgets.lines import Line, Rows, clean

if TYPE_CHECKING:
    from agent_core.memory.lessons import KnownLesson
    from tui.engine import Session

# What is drawn of a state; what streams is not.
_DRAWN = (
    "records",
    "notes",
    "unheard",
    "tasks",
    "proposals",
    "landings",
    "checks",
    "items",
    "compactions",
    "lessons",
    "last_usage",
)


class MemoryScreen(ModalScreen[None]):
    """The memory; lies over the panes, and shows what comes while it is open.

    Args:
        session: The session that is open.
    """

    DEFAULT_CSS = """
    MemoryScreen { align: center middle; }
    MemoryScreen > Vertical { width: 98%; height: 96%; border: round $primary; background: $background; padding: 0 1; }
    MemoryScreen Input, MemoryScreen Input:focus { border: none; height: 1; padding: 0; background: $background; }
    MemoryScreen RowList { height: 1fr; }
    MemoryScreen Rows { margin: 1 0 0 0; }
    MemoryScreen.-narrow > Vertical { width: 100%; height: 100%; }
    """
    BINDINGS: ClassVar = [
        Binding("escape,q", "back", show=False),
        Binding("enter,space", "unfold", show=False),
        Binding("slash", "search", show=False),
        Binding("n", "new_or_drop", show=False),
        Binding("e", "rewrite", show=False),
        Binding("d", "forget", show=False),
        Binding("y", "keep", show=False),
        Binding("u", "undo", show=False),
        Binding("C", "compact", show=False),
        Binding("tab", "part(1)", show=False),
        Binding("shift+tab", "part(-1)", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._shown: State | None = None
        self._lessons: Sequence[KnownLesson] = ()
        self._query = Input(placeholder="/ searches all that is remembered", select_on_focus=False)
        self._query.cursor_blink = False
        self.list = RowList()
        self.writing: EntryWriting | None = None
        self._foot = Rows()
        self._said: Notice | None = None
        self._stop: Callable[[], object] = bool
        self._due = False
        self._go_to = ""
        self._touched = False  # the cursor was moved: it stays where it is

    def compose(self) -> ComposeResult:
        """What is searched for, the rows, and the keys."""
        with Vertical() as frame:
            frame.border_title = "memory of this session"
            yield self._query
            yield self.list
            yield self._foot

    def on_mount(self) -> None:
        """Show what there is, and follow what comes."""
        self._stop = self._session.subscribe(self._hear)
        self._said = _last_word(self._session.state)
        self.list.focus()
        self._show()
        self._keys()
        self._load()

    def on_unmount(self) -> None:
        """Hear no more."""
        self._stop()

    # -- What is shown

    def _hear(self, entry: Entry, state: State) -> None:
        """Something happened (the session calls it): draw it soon, and what comes with it at once."""
        del entry
        if not self._due and _differs(self._shown, state):
            self._due = True
            self.call_later(self._follow)

    def _follow(self) -> None:
        self._due = False
        old, state = self._shown, self._session.state
        self._show()
        if self._go_to:
            self.list.go_to(self._go_to)
            self._go_to = ""
        word = _last_word(state)
        if word is not None and word is not self._said:
            self._say(word.text, "warn" if word.level != "info" else "good")
        else:
            self._keys()
        self._said = word
        if old is not None and old.lessons is not state.lessons:
            self._load()

    def _show(self) -> None:
        state = self._shown = self._session.state
        wanted = self._query.value
        empty = "nothing fits" if wanted else "nothing is remembered yet: n writes a note"
        self.list.show(rows_of(state, self._lessons, wanted), wanted.lower().split(), empty)

    def _load(self) -> None:
        self.run_worker(
            told(self, self._look_up(), "The lessons could not be read"), exit_on_error=False, group="memory"
        )

    async def _look_up(self) -> None:
        try:
            self._lessons = await self._session.lessons.known()
        except PairloopError as error:
            self._say(f"{error.message} {error.hint}".strip(), "bad")
            return
        self._show()
        if not self._touched:
            self.list.move(-len(self.list.lines))
            self._keys()

    def _say(self, text: str, style: str = "warn") -> None:
        self._foot.set_lines([Line(((clean(text), style),))])

    def _keys(self) -> None:
        line = keys_line(self.list.chosen, compacted=bool(self._session.state.compactions))
        self._foot.set_lines([line])

    @on(Input.Changed)
    def _typed(self, changed: Input.Changed) -> None:
        changed.stop()
        self._show()
        self._keys()

    @on(Input.Submitted)
    def _entered(self, submitted: Input.Submitted) -> None:
        submitted.stop()
        self.list.focus()

    def on_key(self, event: events.Key) -> None:
        """While something is searched for the arrows still move."""
        if self.focused is self._query and event.key in {"up", "down"}:
            event.stop()
            self.action_move(-1 if event.key == "up" else 1)

    def on_click(self, event: events.Click) -> None:
        """A click points at a row, a second one unfolds it; one beside it all closes it."""
        event.stop()
        if event.widget is self.list and self.list.point(event.y):
            self._keys()
            if event.chain > 1:
                self.list.toggle()
        elif event.widget is self:
            self.dismiss(None)

    def on_resize(self, event: events.Resize) -> None:
        """What is written stays where its entry is."""
        del event
        if self.writing is not None:
            self.call_after_refresh(self._put)

    # -- Looking

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a key does something now (Textual asks): while something is written it is text."""
        if self.writing is not None and action not in {"save", "newline", "leave"}:
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
        self._touched = True
        self.list.move(by)
        self._keys()

    def action_page(self, by: int) -> None:
        """Move it by as much as is seen."""
        self.action_move(by * max(self.list.size.height - 3, 2))

    def action_part(self, step: int) -> None:
        """To the next part, or the one before."""
        self._touched = True
        self.list.next_part(step)
        self._keys()

    def action_unfold(self) -> None:
        """Show all of what is under the cursor, or its beginning."""
        self.list.toggle()

    def action_search(self) -> None:
        """Search."""
        self._query.focus()

    # -- Writing

    def action_new_or_drop(self) -> None:
        """Begin a note of one's own; on a lesson that waits for a word, say no to it."""
        row = self.list.chosen
        if row is not None and row.lesson is not None and row.lesson.stands == "proposed":
            self._submit(DropLesson(row.lesson.lesson.id))
        else:
            self._write("", "", "a note: the partner is told, and it is never summed up")

    def action_rewrite(self) -> None:
        """Put what is under the cursor in other words."""
        row = self.list.chosen
        if row is None or row.what not in {"entry", "lesson"}:
            self._say("This is what is so; only what is remembered can be rewritten.")
            return
        self._write(row.key, row.text, "in your words")

    def _write(self, about: str, text: str, title: str) -> None:
        self.writing = writing = EntryWriting(about, text, title)
        self.mount(writing)
        self._put()
        writing.focus()

    def _put(self) -> None:
        if self.writing is not None:
            self.writing.put(self.list.place, self.list.region)

    def action_newline(self) -> None:
        """Begin a new line of what is written."""
        if self.writing is not None:
            self.writing.insert("\n")
            self._put()

    def action_leave(self) -> None:
        """Leave what is written."""
        if self.writing is not None:
            self.writing.remove()
            self.writing = None
            self.list.focus()
            self._keys()

    def action_save(self) -> None:
        """Hand in what is written."""
        writing = self.writing
        if writing is None:
            return
        text = writing.text.strip()
        self.action_leave()
        if not text:
            self._say("Nothing was written, so nothing has changed: d forgets.")
        elif writing.changed:
            name = writing.about.removeprefix("lesson:")
            if name != writing.about:
                self._submit(KeepLesson(name, text))
            else:
                self._submit(Memorize(text, name))

    # -- What else can be done

    def action_keep(self) -> None:
        """Agree to a lesson."""
        row = self.list.chosen
        if row is not None and row.lesson is not None and row.lesson.stands == "proposed":
            self._submit(KeepLesson(row.lesson.lesson.id))

    def action_forget(self) -> None:
        """Have what is under the cursor forgotten."""
        row = self.list.chosen
        if row is None:
            return
        if row.lesson is not None:
            self._submit(DropLesson(row.lesson.lesson.id))
        elif row.entry is not None and not row.entry.forgotten:
            self._submit(Memorize("", row.entry.id))

    def action_undo(self) -> None:
        """Take back what was last written of an entry; on the context, the last summary."""
        row = self.list.chosen
        if row is None:
            return
        if row.what == "context":
            self._submit(Uncompact())
        elif row.entry is not None and row.entry.back:
            self._submit(Memorize("", row.entry.id, back=True))
        else:
            self._say("Nothing was written here that could be taken back.")

    def action_compact(self) -> None:
        """Replace the oldest of the conversation by a summary now."""
        self._say("The oldest of the conversation is being summed up ...", "dim")
        self._submit(Compact())

    def _submit(self, command: AnyCommand) -> None:
        if isinstance(command, Memorize) and not command.id:
            # The cursor goes to what was written, which is there when the session has taken it in.
            from agent_core.memory.recollection import new_note_id  # noqa: PLC0415 - with the engine

            self._go_to = new_note_id(self._session.state)
        self._session.submit(command)


def _differs(old: State | None, new: State) -> bool:
    """Whether anything is another that is shown."""
    if old is None:
        return True
    return any(getattr(old, name) is not getattr(new, name) for name in _DRAWN) or _last_word(old) is not _last_word(
        new
    )


def _last_word(state: State) -> Notice | None:
    """What pairloop last said, which may be the answer to what was wanted here."""
    return next(
        (one for one in reversed(state.chat) if isinstance(one, Notice) and one.about in {"memory", "lesson", "note"}),
        None,
    )
