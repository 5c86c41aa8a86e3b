"""Writing in a proposal: new lines of a block, a file in the human's own editor, a comment. Nothing typed is lost."""

from __future__ import annotations

from collections.abc import Callable

from textual import events

from agent_core.commands import Comment, Rewrite, Settle
from agent_core.errors import JournalError, PairloopError
from agent_core.patch.encoding import MARK, readable
from agent_core.patch.model import Block, FilePatch
from agent_core.review import Mark, Overlap
from agent_core.text import printable
from tui.panes.diff_review import Marking
from tui.panes.pane import Trouble
from tui.widgets.lines import clean
from tui.widgets.writing import Kind, Writing


class Reviewing(Marking):
    """A proposal in which one can write."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.writing: Writing | None = None
        """What is written over the pane now."""
        self._place_of: Overlap | None = None  # what is written is to stand in the place of both sides there
        self._drafts: dict[tuple[str, str], str] = {}
        self._drafts_of: dict[str, dict[tuple[str, str], str]] = {}
        self._content: Callable[[str], bytes] | None = None

    def change_session(self, session: str) -> None:
        """Another session is shown: what was begun in one waits there, and is not offered in the other."""
        if self.writing is not None:
            self._close(self.writing, keep=True)
        self._drafts = self._drafts_of.setdefault(session, {})

    def draft_words(self) -> dict[str, str]:
        """What is said, below blocks, of texts that were not handed in; by the block's id."""
        words = {}
        for kind, block in self._drafts:
            if kind == "editor":
                words[block] = "not handed in: what you began to write here; e goes on with it"
            elif kind == "comment":
                words[block] = "not said yet: a comment you began; c goes on with it"
        return words

    def _open(self, kind: Kind, block: Block, text: str, *, line: int, title: str, subtitle: str) -> None:
        if self.writing is not None:
            if (self.writing.kind, self.writing.about) == (kind, block.id):
                self.writing.focus()
                return
            self._close(self.writing, keep=True)
        draft = self._drafts.get((kind, block.id))
        self.writing = writing = Writing(kind, block.id, text, line=line, title=title, subtitle=subtitle)
        if draft is not None:
            writing.text = draft
        self.screen.mount(writing)
        writing.place(self.region)
        writing.focus()
        stop = self.stop
        if stop is not None and stop.id == block.id:
            # What it is about is seen above it; below it where a short diff ends with that.
            room = self.size.height - writing.rows
            top, bottom = self._starts[stop.first], self._starts[stop.first + stop.length]
            if bottom - round(self.scroll_y) > room:
                to = min(bottom - room, top)
                self.scroll_to_row(to)
                first = min(to, round(self.max_scroll_y))
                # Its borders are those of the pane, one row outside of what is read.
                if bottom - first > room + 1 and top - first >= writing.rows - 1:
                    writing.at_top = True
                    writing.place(self.region)

    def _close(self, writing: Writing, *, keep: bool) -> None:
        """End the writing; what is written is kept where it was not handed in."""
        key = (writing.kind, writing.about)
        if keep and writing.changed:
            self._drafts[key] = writing.text
        else:
            self._drafts.pop(key, None)
        self.writing = None
        if self.app.focused is writing or self.screen.focused is writing:
            self.focus()
        writing.remove()
        self.lay_again()

    def on_resize(self, event: events.Resize) -> None:  # noqa: ARG002 - Textual passes it
        """What is written stays over the pane."""
        if self.writing is not None:
            self.call_after_refresh(self._place)

    def _place(self) -> None:
        if self.writing is not None:
            self.writing.place(self.region)

    # -- Opening

    def action_edit_block(self) -> None:
        """Write the new side of the block at the cursor."""
        stop = self.stop
        block = self.block_at(stop) if stop is not None else None
        if stop is None or block is None:
            self.desk.say("There are no lines to edit here: E opens the file in your editor.")
            return
        place = self.place_at(stop)
        text = new_side(block) if place is None else self._sides(place, block)
        if printable(text) != text:
            self.desk.say("There are control characters in it: E opens the file in your editor.")
            return
        path = clean(self.file_at(stop).path)
        title = f"{path}:{block.new_start} · your lines instead{' of both sides' if place is not None else ''}"
        self._place_of = place
        self._open("editor", block, text, line=block.new_start, title=title, subtitle="^s done · esc leaves")

    def action_comment_block(self) -> None:
        """Say something about the block at the cursor."""
        stop = self.stop
        block = self.block_at(stop) if stop is not None else None
        if stop is None or block is None or self.proposal is None:
            self.desk.say("A comment is about a block, and this file has none: write it into the prompt.")
            return
        said = self.proposal.review.blocks.get(block.id, Mark()).comment
        title = f"comment on {clean(self.file_at(stop).path)}:{block.new_start}"
        self._open("comment", block, said, line=1, title=title, subtitle="enter done · esc leaves")

    # -- Handing in

    def action_write_newline(self) -> None:
        """Begin a new line."""
        if self.writing is not None:
            self.writing.insert("\n")
            self.writing.place(self.region)

    def action_write_leave(self) -> None:
        """Leave; what is written waits."""
        if self.writing is not None:
            if self.writing.changed:
                self.desk.say(f"Kept: {'e' if self.writing.kind == 'editor' else 'c'} goes on with it.")
            self._close(self.writing, keep=True)

    def action_write_save(self) -> None:
        """Hand in what is written, if what it is about is still there."""
        writing, proposal = self.writing, self.proposal
        if writing is None or proposal is None:
            return
        place = next(
            ((file, block) for file in proposal.patch.files for block in file.blocks if block.id == writing.about), None
        )
        if place is None or not self.waits:
            self.desk.say("That block is not there any more; what you wrote stays here for you to copy.")
            return
        if not writing.changed:
            self._close(writing, keep=False)
            return
        file, block = place
        met = next((one for one in proposal.overlaps if one.block == block.id), None)
        if writing.kind == "editor" and (met is None) != (self._place_of is None):
            self.desk.say("The file has changed there meanwhile: esc keeps what you wrote, and e goes on with it.")
            return
        if writing.kind == "editor" and met is not None:
            self._hand_in_own(writing, proposal.number, met, block)
            return
        if writing.kind == "comment":
            self.desk.submit(Comment(proposal.number, block.id, writing.text.strip()))
        else:
            self.desk.submit(Rewrite(proposal.number, file.path, block.id, as_lines(writing.text, block)))
        self._close(writing, keep=False)

    def _sides(self, place: Overlap, block: Block) -> str:
        """Both sides of a place, or what the human has written for it."""
        from agent_core.rewriting import both_sides  # noqa: PLC0415 - not needed to paint

        assert self.proposal is not None
        mark = self.proposal.review.blocks.get(block.id, Mark())
        text = mark.text if mark.taken and mark.text else both_sides(place, block, mark.text)
        return text.replace("\r\n", "\n").removesuffix("\n")

    def _hand_in_own(self, writing: Writing, number: int, place: Overlap, block: Block) -> None:
        """Hand in what is to stand in the place of both sides, unless it still has the lines that tell them apart."""
        from agent_core.rewriting import own_text  # noqa: PLC0415 - not needed to paint

        text = writing.text
        try:
            own_text(text, place, block)
        except PairloopError as error:
            self.desk.say(f"Not yet: {error.message} {error.hint}")
            return
        self.desk.submit(Settle(number, block.id, "own", text))
        self._close(writing, keep=False)

    # -- The human's own editor

    def action_edit_file(self) -> None:
        """Open the new side of the file in the human's own editor."""
        stop, proposal = self.stop, self.proposal
        if stop is None or proposal is None:
            return
        block = self.block_at(stop)
        line = 0
        if block is not None:
            line = block.new_start
            if self.by_line and self._source is not None:
                count = len(block.removed)
                added = [place - count for place in self._source.places(stop, self._row) if place >= count]
                line += added[0] if added else 0
        file = self.file_at(stop)
        self.run_worker(self._edit_file(proposal.number, file, line), group="editor", exclusive=True)

    async def _edit_file(self, number: int, file: FilePatch, line: int) -> None:
        try:
            await self._edited(number, file, line)
        except PairloopError as error:
            self.desk.complain(error)
        except Exception as error:  # noqa: BLE001 - told to the human; a worker's own way is to end the app
            self.post_message(Trouble(error, f"{clean(file.path)} could not be edited"))

    async def _edited(self, number: int, file: FilePatch, line: int) -> None:
        text = self._new_text(file)
        if text is None:
            self.desk.say("There is no new text of this file to edit.")
            return
        key = ("file", file.path)
        begun = self._drafts.get(key, text)
        from tui.editor import edit  # noqa: PLC0415 - not needed to paint

        new = await edit(self.app, begun, name=file.path, line=line)
        new = begun if new is None else new
        if new == text:
            self._drafts.pop(key, None)
            return
        proposal = self.proposal
        there = proposal is not None and any(
            (one.path, one.after) == (file.path, file.after) for one in proposal.patch.files
        )
        if proposal is None or not there or proposal.number != number or not self.waits:
            self._drafts[key] = new
            self.desk.say("The proposal has changed meanwhile: E shows what you wrote once more.")
            return
        self._drafts.pop(key, None)
        self.desk.submit(Rewrite(number, file.path, "", new))

    def _new_text(self, file: FilePatch) -> str | None:
        """The new side of a file as text, None where there is none."""
        if file.after is None or self._content is None:
            return None
        try:
            return readable(self._content(file.after))
        except JournalError:
            return None


def new_side(block: Block) -> str:
    """The new lines of a block as they are edited: without the last ending, and without what is no text."""
    text = "".join(line.removesuffix("\n").removesuffix("\r") + "\n" for line in block.added)
    return text.removesuffix("\n").removeprefix(MARK)


def as_lines(text: str, block: Block) -> str:
    """What was edited as the new lines of a block, with the ending that the last of them has."""
    mark = MARK if block.added and block.added[0].startswith(MARK) else ""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text:
        return mark
    last = (block.added or block.removed)[-1]
    return mark + (f"{text}\n" if last.endswith("\n") else text)
