"""The diff pane: the newest proposal, or the patch the partner is writing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from agent_core.patch.model import Patch
from agent_core.review import Mark
from agent_core.state import ProposalState, State
from tui.panes.diff_head import MOST_LISTED, file_header, file_list, head_lines
from tui.panes.diff_lines import FileSides, Side
from tui.panes.diff_signs import SIGNS, notes_above, notes_below, state_of
from tui.panes.diff_stale import stale_blocks
from tui.panes.diff_writing import Reviewing
from tui.panes.highlight import Spans, highlight
from tui.panes.pane import Trouble
from tui.settings import Settings
from tui.widgets.lines import Line, Piece

if TYPE_CHECKING:
    from tui.panes.written import WrittenPatch


class DiffPane(Reviewing):
    """The diff.

    Args:
        settings: Says how it is laid out at first, and keeps what is chosen instead.
    """

    TITLE = "diff"
    EMPTY = ("The partner's proposal will be here,", "with its lines coloured as in your editor.")

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(id="diff")
        self._settings = settings or Settings()
        self.look.wrap = self._settings.screen.wrap
        self.wants_beside = self._settings.screen.diff == "split"
        self._state = State()
        self._shown: tuple[object, ...] = ()
        self._said: tuple[Patch, tuple[object, ...]] | None = None  # what stands between the lines
        self._written: WrittenPatch | None = None
        self._wanted: list[FileSides] = []
        self._busy: asyncio.Task[None] | None = None

    def set_beside(self, *, beside: bool) -> None:
        """Show both sides beside each other, or one below the other, from now on."""
        super().set_beside(beside=beside)
        self._settings.choose(diff="split" if beside else "unified")

    def set_wrap(self, *, wrap: bool) -> None:
        """Break long lines, or cut them, from now on."""
        super().set_wrap(wrap=wrap)
        self._settings.choose(wrap=wrap)

    def attach(self, content: Callable[[str], bytes]) -> None:
        """Give it the way to files' contents."""
        self._content = content

    @property
    def colored(self) -> bool:
        """Whether every file that has been drawn has its colours."""
        return self._busy is None and not self._wanted

    # -- What it shows

    def show(self, state: State) -> None:
        """Draw what is true now."""
        if state.session != self._state.session:
            self.change_session(state.session)
        self._state = state
        if state.live_patch:
            self._show_written(state.live_patch)
        elif (proposal := state.proposal) is not None:
            self._show_proposal(proposal, state)
        elif self.lines:
            self.proposal, self.waits = None, False
            self._written = None
            self._shown = ()
            self._said = None
            self.set_plain()
            self.set_lines([])
            self.entitle(self.TITLE)
        self.mark_empty(empty=not self.lines)

    def _show_written(self, text: str) -> None:
        """The patch as it is being written; only what is new is made into lines."""
        # Long before a partner writes a patch there has to be something to see.
        from tui.panes.written import WrittenPatch  # noqa: PLC0415

        written = self._written
        if written is None or not written.goes_on(text):
            self._written = written = WrittenPatch()
            self._shown = ()
            self._said = None
            self.set_plain()
            self.set_lines([])
            self.entitle(f"{self.TITLE} · being written")
        keep = written.update(text)
        for index in written.recounted:
            self.replace_line(index, written.lines[index])
        self.set_lines(written.lines[keep:], keep)

    def _show_proposal(self, proposal: ProposalState, state: State) -> None:
        now = (proposal, state.waiting, state.landings)
        if len(self._shown) == len(now) and all(one is other for one, other in zip(now, self._shown, strict=True)):
            return
        old, self._shown = self._shown, now
        before = old[0] if old else None
        same = isinstance(before, ProposalState) and before.number == proposal.number
        # Somebody who reads here goes on reading, if what they read is in the new proposal too.
        reads = self.read and isinstance(before, ProposalState) and _shares(before.patch, proposal.patch)
        if not (same or reads):
            self.begin_anew()
        self._written = None
        self.meet(proposal, waiting=state.waiting == proposal.number)
        self._lay(again=same or reads)
        self.entitle(f"{self.TITLE} · proposal {proposal.number}")

    def _lay(self, *, again: bool = True) -> None:
        """Lay out the proposal that is shown."""
        proposal, content = self.proposal, self._content
        if proposal is None or content is None:
            return
        files, review = proposal.patch.files, proposal.review
        listed = self.shows_list if self.lists_files is None else self.lists_files
        head = head_lines(proposal, self._state)
        head += file_list(files, review, shown=listed, marks=self.shows_marks)
        drafts = self.draft_words()
        comments = {block: mark.comment for block, mark in review.blocks.items() if mark.comment}
        stale = stale_blocks(proposal, waits=self.waits)
        said = (proposal.verdict, proposal.blames, proposal.unneeded, proposal.overlaps, comments, drafts, stale)
        before, self._said = self._said, (proposal.patch, said)
        if before is not None and before[0] is proposal.patch and before[1] == said and self.set_head(head):
            return
        above, under = notes_above(proposal)
        notes = (above, notes_below(review, drafts), under)
        self.set_patch(proposal.patch, content, head=head, header=self._header, notes=notes, again=again, stale=stale)

    @property
    def shows_list(self) -> bool:
        """Whether the files are listed as long as nobody says."""
        return self.proposal is not None and len(self.proposal.patch.files) <= MOST_LISTED

    def lay_again(self) -> None:
        """Lay it out with what is said in it now."""
        if self.proposal is not None and self._written is None:
            self._lay()

    def sign_of(self, file: int, block: int, places: Iterable[int], *, first: bool) -> tuple[Piece, bool]:
        """How a block stands, in the gutter of its first line, or of each where some of them are taken."""
        proposal = self.proposal
        if proposal is None or not self.shows_marks:
            return (" ", ""), False
        found = proposal.patch.files[file].blocks[block]
        state = state_of(found, proposal.review)
        if state == "partial":
            lines = proposal.review.blocks.get(found.id, Mark()).lines or ()
            taken = [place in lines for place in places]
            name = "taken" if all(taken) else "partial" if any(taken) else "left"
            return SIGNS[name][:2], not any(taken)
        if state == "pending" and any(overlap.block == found.id for overlap in proposal.overlaps):
            state = "stale"
        return (SIGNS[state][:2] if first else (" ", "")), state in {"left", "redo"}

    def _header(self, file: int) -> Line:
        """The header of a file, with the cursor where it is on it."""
        assert self.proposal is not None
        review = self.proposal.review if self.shows_marks else None
        return file_header(self.proposal.patch.files[file], review, cursor=self.cursor_cell(file, -1))

    # -- Colours

    def want_colors(self, sides: FileSides) -> None:
        """A line without colours was drawn: make its file's in the background."""
        sides.wanted = True
        self._wanted.append(sides)
        if self._busy is None:
            self._busy = asyncio.get_running_loop().create_task(self._color())

    async def _color(self) -> None:
        try:
            while self._wanted:
                sides = self._wanted.pop()
                for side in (sides.before, sides.after):
                    side.spans = await self._spans(side)
                self.recolor()
        finally:
            self._busy = None

    async def _spans(self, side: Side) -> Spans:
        try:
            return await asyncio.to_thread(highlight, side.path, side.text)
        except Exception as error:  # noqa: BLE001 - a lexer may fail in any way; the diff is readable without it
            self.post_message(Trouble(error, f"{side.path} is shown without colours"))
            return []

    def on_unmount(self) -> None:
        """Stop colouring what nobody will see."""
        if self._busy is not None:
            self._busy.cancel()


def _shares(one: Patch, other: Patch) -> bool:
    """Whether two patches have a block in common."""
    blocks = {block.id for file in one.files for block in file.blocks}
    return any(block.id in blocks for file in other.files for block in file.blocks)
