"""The chat pane: what was said and done, oldest first, and what the partner is saying now."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Sequence

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.strip import Strip

from agent_core.chat_entries import ChatEntry, Notice, Said
from agent_core.state import State
from tui.panes.chat_lines import Drawn, breathes, copied, draw, human, is_human, key_of, text_of, thought
from tui.panes.code import CodeBlock, Painter
from tui.panes.markdown import Markdown
from tui.panes.pane import Pane
from tui.prompt.chips import count_lines
from tui.widgets.lines import BLANK, Line, palette_of

_CURSOR = "▎"
_UNTIL = "Nothing reaches your files until you accept it."


class _Block:
    """An entry where it is shown."""

    __slots__ = ("at", "drawn", "entry", "lines")

    def __init__(self, entry: ChatEntry, drawn: Drawn, before: ChatEntry | None) -> None:
        gap = breathes(before, entry)
        # What a human said has blank lines around it, of which two would meet.
        after = before is not None and is_human(before) and is_human(entry)
        self.entry = entry
        self.drawn = drawn
        self.lines = [BLANK, *drawn.lines] if gap else drawn.lines[after:]
        self.at = 0  # its first line


class ChatPane(Pane):
    """The transcript, with a cursor over its entries."""

    DEFAULT_CSS = """
    ChatPane { padding: 0 1 0 0; }
    """
    TITLE = "chat"
    EMPTY = ("What should be changed? Say it below.", _UNTIL)

    def __init__(self, *, drafted: bool = False) -> None:
        """Make it.

        Args:
            drafted: There is a task in the prompt already, which only has to be sent.
        """
        super().__init__(id="chat")
        if drafted:
            self.empty_words = ("What should be changed stands below: enter sends it.", _UNTIL)
        self._blocks: list[_Block] = []
        self._unfolded: set[Hashable] = set()
        self._cursor: int | None = None
        self._copied: tuple[int, int] = (-1, 0)  # of which entry which block of code was copied last
        self._live = Markdown()
        self._live_at = 0  # index of the first line of the live answer
        self._thoughts_unfolded = False
        self._notes: list[tuple[int, Notice]] = []  # of the screen's own, and before which entry each stands
        self._kept: tuple[str, ...] = ()
        self._state = State()
        self._painter = Painter(lambda work: self.run_worker(work, exit_on_error=False), self.recolor)

    # -- What it shows

    def show(self, state: State) -> None:
        """Draw what is true now."""
        old, self._state = self._state, state
        other = state.session != old.session
        if other:
            # What was said of one session is not of the next; what was said between them is the newest word there.
            if old.session:
                self._unfolded.clear()
            self._notes = [] if old.session else [(len(state.chat), notice) for _, notice in self._notes]
        if (other or state.chat is not old.chat) and self._show_entries():
            return
        if (
            state.live is not old.live
            or state.live_reasoning is not old.live_reasoning
            or state.live_patch is not old.live_patch
        ):
            self._show_end(whole=bool(old.live) != bool(state.live))

    def _show_entries(self) -> bool:
        """Bring the transcript up to date; gives whether there was anything to do."""
        chat: list[ChatEntry] = list(self._state.chat)
        for at, notice in reversed(self._notes):
            chat.insert(at, notice)
        same = 0
        for block, entry in zip(self._blocks, chat, strict=False):
            if block.entry is not entry:
                break
            same += 1
        if same == len(chat) == len(self._blocks):
            return False
        known = {id(block.entry): block.drawn for block in self._blocks[same:]}
        del self._blocks[same:]
        for entry in chat[same:]:
            before = self._blocks[-1].entry if self._blocks else None
            self._blocks.append(_Block(entry, known.get(id(entry)) or self._drawn_of(entry), before))
        if self._cursor is not None and self._cursor >= len(self._blocks):
            self._cursor = len(self._blocks) - 1 if self._blocks else None
        self._lay(same)
        return True

    def _drawn_of(self, entry: ChatEntry) -> Drawn:
        drawn = draw(entry, unfolded=key_of(entry) in self._unfolded)
        if drawn.blocks:
            self._painter.adopt(drawn.blocks)
        return drawn

    def _lay(self, first: int) -> None:
        """Put the lines of the entries from one on into the view, and what comes after them."""
        at = self._end_of(first - 1)
        keep = at
        lines: list[Line] = []
        for block in self._blocks[first:]:
            block.at = at
            lines += block.lines
            at += len(block.lines)
        self._show_end(whole=True, entries=lines, keep=keep)

    def _end_of(self, index: int) -> int:
        """How many lines there are up to the end of an entry."""
        return self._blocks[index].at + len(self._blocks[index].lines) if index >= 0 else 0

    def note(self, notice: Notice) -> None:
        """Say something of the screen's own, which no session knows of."""
        self._notes.append((len(self._state.chat), notice))
        self._show_entries()

    def keep_for_later(self, texts: tuple[str, ...]) -> None:
        """Show what was sent before there was a session to send it to."""
        self._kept = texts
        self._show_end(whole=True)

    def _show_end(self, *, whole: bool, entries: Sequence[Line] = (), keep: int | None = None) -> None:
        """Draw what changes all the time: the live answer, thoughts, a patch being written, what is kept.

        Args:
            whole: All of it, not only what is new in the live answer.
            entries: Lines of entries that come before it.
            keep: How many lines stay before those; all of the entries' by default.
        """
        closed = sum(block.closed for block in self._live.blocks)
        fresh, kept = self._live.update(self._state.live)
        if sum(block.closed for block in self._live.blocks) > closed:
            self._painter.adopt(self._live.blocks)
        base = self._end_of(len(self._blocks) - 1)
        if whole:
            last = self._blocks[-1].entry if self._blocks else None
            gap = [BLANK] if self._state.live and last is not None and not is_human(last) else []
            self._live_at = base + len(gap)
            end = [*entries, *gap, *self._live.lines, *self._live.partial, *self._tail()]
            self.set_lines(end, base if keep is None else keep)
        else:
            self.set_lines([*fresh, *self._tail()], self._live_at + kept)
        self.mark_empty(empty=not self.lines)

    def _tail(self) -> list[Line]:
        state = self._state
        lines: list[Line] = []
        if state.live_reasoning and not state.live:
            lines += thought(state.live_reasoning, unfolded=self._thoughts_unfolded, live=True)
        if state.live_patch:
            whole = state.live_patch[: state.live_patch.rfind("\n") + 1]
            lines.append(Line(((f"writing a patch, {count_lines(whole)} so far", "dim"),), lead=(("◌ ", "accent"),)))
        for text in self._kept:
            drawn = human(text, unfolded=False)
            lines += [*drawn.lines, Line((("kept, and sent as soon as the session is open", "faint"),))]
        return lines

    @property
    def colored(self) -> bool:
        """Whether the colours of all code that was looked at are there."""
        return not self._painter.busy

    # -- The cursor

    @property
    def facts(self) -> frozenset[str]:
        """What it says of itself for `tui.actions.model.Situation`."""
        facts = set()
        if self._blocks:
            facts.add("chat.entries")
        block = self._meant
        if (block is not None and block.drawn.folds) or self._thinking:
            facts.add("chat.folds")
        if self._meant_code:
            facts.add("chat.code")
        return frozenset(facts)

    @property
    def _thinking(self) -> bool:
        return self._cursor is None and bool(self._state.live_reasoning) and not self._state.live

    @property
    def _meant(self) -> _Block | None:
        """The entry that is meant: the one under the cursor, or else the last one."""
        if not self._blocks:
            return None
        return self._blocks[-1 if self._cursor is None else self._cursor]

    @property
    def _meant_code(self) -> Sequence[CodeBlock]:
        """The code that is meant: of the entry under the cursor, or else of the last entry that has some."""
        if self._cursor is not None:
            return self._blocks[self._cursor].drawn.blocks
        return next((block.drawn.blocks for block in reversed(self._blocks) if block.drawn.blocks), ())

    def _block_at(self, line: int) -> int | None:
        """The entry a line belongs to, None after the last one."""
        if not self._blocks or line >= self._end_of(len(self._blocks) - 1):
            return None
        return bisect_right(self._blocks, line, key=lambda block: block.at) - 1

    def _rows_of(self, index: int) -> tuple[int, int]:
        """On which row an entry begins, its gap apart, and the row after it."""
        block = self._blocks[index]
        first = block.at + (len(block.lines) > len(block.drawn.lines))
        return self._starts[first], self._starts[block.at + len(block.lines)]

    def _point_at(self, index: int | None, *, top: bool = False) -> None:
        """Move the cursor to an entry and show it.

        Args:
            index: Which one; None for none, at the end of all.
            top: Show it at the top of the pane.
        """
        self._cursor = index
        self.refresh()
        if index is None:
            self.scroll_end(animate=False, force=True)
        elif self._measured:
            start, end = self._rows_of(index)
            if top:
                self.scroll_to(y=start, animate=False, force=True)
            else:
                height = min(end - start, self.size.height)
                self.scroll_to_region(Region(0, start, 1, height), animate=False, force=True)
        self.post_message(self.Changed())

    def found(self, index: int) -> None:
        """The search, or jump mode, has come to a line."""
        self._cursor = self._block_at(index)
        self.show_line(index)

    def marks_of(self) -> Sequence[int]:
        """The lines at which entries begin."""
        return [block.at + (len(block.lines) > len(block.drawn.lines)) for block in self._blocks]

    def _seen(self) -> int | None:
        """The entry from which one goes on without a cursor: the last one of which anything is seen."""
        if not self._blocks or not self._measured:
            return None
        bottom = min(self.scroll_offset.y + self.size.height, self._starts[-1]) - 1
        found = self._block_at(self._line_at(max(bottom, 0))[0])
        return len(self._blocks) - 1 if found is None else found

    def action_entry_up(self) -> None:
        """To the entry before; a long one is gone through first."""
        if self._cursor is None:
            self._point_at(self._seen())
            return
        start, _ = self._rows_of(self._cursor)
        if start < self.scroll_offset.y and self._cursor_in_view():
            self.scroll_relative(y=-max(self.size.height - 2, 1), animate=False, force=True)
        elif self._cursor > 0:
            self._point_at(self._cursor - 1)

    def action_entry_down(self) -> None:
        """To the entry after; a long one is gone through first. After the last one the end is followed again."""
        if self._cursor is None:
            return
        _, end = self._rows_of(self._cursor)
        if end > self.scroll_offset.y + self.size.height and self._cursor_in_view():
            self.scroll_relative(y=max(self.size.height - 2, 1), animate=False, force=True)
        elif self._cursor + 1 < len(self._blocks):
            self._point_at(self._cursor + 1)
        else:
            self._point_at(None)

    def _cursor_in_view(self) -> bool:
        if self._cursor is None:
            return False
        start, end = self._rows_of(self._cursor)
        return end > self.scroll_offset.y and start < self.scroll_offset.y + self.size.height

    def action_human_before(self) -> None:
        """To what the human said before."""
        at = len(self._blocks) if self._cursor is None else self._cursor
        self._to_human(range(at - 1, -1, -1))

    def action_human_after(self) -> None:
        """To what the human said next."""
        if self._cursor is not None:
            self._to_human(range(self._cursor + 1, len(self._blocks)))

    def _to_human(self, where: range) -> None:
        found = next((index for index in where if is_human(self._blocks[index].entry)), None)
        if found is not None:
            self._point_at(found, top=True)

    # -- Unfolding

    def action_unfold_entry(self) -> None:
        """Show all of an entry, or fold it again."""
        if self._thinking:
            self._thoughts_unfolded = not self._thoughts_unfolded
            self._show_end(whole=True)
            return
        if self._blocks:
            self._toggle(len(self._blocks) - 1 if self._cursor is None else self._cursor)

    def _toggle(self, index: int) -> None:
        block = self._blocks[index]
        if not block.drawn.folds:
            return
        self._unfolded ^= {key_of(block.entry)}
        before = self._blocks[index - 1].entry if index else None
        self._blocks[index] = _Block(block.entry, self._drawn_of(block.entry), before)
        self._lay(index)
        self._point_at(index)

    def on_click(self, event: events.Click) -> None:
        """A click points at an entry, and unfolds one that folds; a click that ends a selection does neither."""
        at = event.get_content_offset(self)
        if at is None or self.text_selection is not None or not self._blocks or not self._measured:
            return
        row = self.scroll_offset.y + at.y
        if row >= self._starts[-1]:
            return
        index = self._block_at(self._line_at(row)[0])
        if index is None:
            self.action_unfold_entry() if self._thinking else None
            return
        self._cursor = index
        if self._blocks[index].drawn.folds:
            self._toggle(index)
        self.refresh()
        self.post_message(self.Changed())

    # -- Copying

    def action_copy_entry(self) -> None:
        """Copy an entry to the clipboard: the one under the cursor, or else the partner's last words."""
        block = self._meant
        if self._cursor is None:
            said = (one for one in reversed(self._blocks) if isinstance(one.entry, Said) and not is_human(one.entry))
            block = next(said, block)
        if block is not None:
            self._copy(text_of(block.entry), "")

    def action_copy_code(self) -> None:
        """Copy a block of code to the clipboard; again for the next one of the entry."""
        blocks = self._meant_code
        if not blocks:
            return
        number = self._copied[1] + 1 if self._copied[0] == id(blocks) else 0
        self._copied = id(blocks), number % len(blocks)
        which = f" of block {self._copied[1] + 1} of {len(blocks)}" if len(blocks) > 1 else ""
        self._copy(blocks[self._copied[1]].text, which)

    def _copy(self, text: str, which: str) -> None:
        self.app.copy_to_clipboard(text)
        self.desk.say(copied(text, which))

    # -- Drawing: a column at the left for the cursor

    def _width(self) -> int:
        return super()._width() - 1

    def render_line(self, y: int) -> Strip:
        """Draw one row."""
        strip = super().render_line(y)
        mark = Segment(" ", self._style)
        if self._cursor is not None and self.has_focus and self._measured and not self.searching:
            start, end = self._rows_of(self._cursor)
            if start <= self.scroll_offset.y + y < end:
                mark = Segment(_CURSOR, self._style + palette_of(self.app)["primary"])
        return Strip.join([Strip([mark], 1), strip.crop(0, self.size.width - 1)])
