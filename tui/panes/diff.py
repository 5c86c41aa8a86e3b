"""The diff pane: the newest proposal, or the patch the partner is writing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import ClassVar

from agent_core.state import LandingState, ProposalState, State
from tui.actions import bindings
from tui.panes.diff_lines import FileSides, Side, counts, patch_lines
from tui.panes.highlight import Spans, highlight
from tui.panes.pane import Pane, Trouble
from tui.panes.written import WrittenPatch
from tui.widgets.lines import Line, Piece, clean

_NAMED = 3


def _fate(proposal: ProposalState, state: State) -> Piece:
    """What became of a proposal, in a word or two."""
    if proposal.stale and proposal.decision is None:
        return "! stale: you have changed files since", "warn"
    if state.waiting == proposal.number:
        return _waiting(proposal)
    if proposal.decision == "accept":
        landing = _landing(proposal.number, state)
        word = {"landed": "✓ landed", "undone": "↶ taken back", "abandoned": "! not landed"}
        style = {"landed": "good", "undone": "warn", "abandoned": "warn"}
        if landing is not None and landing.stands in word:
            return word[landing.stands], style[landing.stands]
        return "→ accepted", "good"
    if proposal.decision is not None:
        return ("✗ rejected", "bad") if proposal.decision == "reject" else ("→ gone on from", "dim")
    checked = proposal.verdict is not None and proposal.verdict.complete
    return ("◌ being checked", "accent") if not checked else ("not decided", "dim")


def _waiting(proposal: ProposalState) -> Piece:
    """How a proposal looks on which the human has to decide."""
    verdict = proposal.verdict
    if verdict is not None and verdict.green:
        well = ("! not all is judged, waits for you", "warn") if verdict.unable else ("✓ green, waits for you", "good")
        return well if verdict.complete else ("◌ green so far, waits for you", "accent")
    return "✗ red, waits for you", "bad"


def block_notes(proposal: ProposalState) -> dict[str, tuple[Piece, ...]]:
    """What was found out about the blocks of a proposal, by id: which failures come from them, which are idle."""
    broken = proposal.verdict.broken if proposal.verdict is not None else ()
    names = {finding.fingerprint: finding.code or finding.message for finding in broken}
    failures: dict[str, list[str]] = {}
    for blame in proposal.blames:
        for block in blame.blocks:
            failures.setdefault(block, []).append(names.get(blame.finding, blame.check))
    notes: dict[str, tuple[Piece, ...]] = {}
    for block, found in failures.items():
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        notes[block] = (("✗ ", "bad"), (clean(f"blamed: breaks {', '.join(found[:_NAMED])}{more}"), "bad"))
    return notes | dict.fromkeys(proposal.unneeded, (("· ", "dim"), ("no check needs this", "dim")))


def _landing(number: int, state: State) -> LandingState | None:
    return next((one for one in reversed(state.landings) if one.proposal == number and not one.undoes), None)


class DiffPane(Pane):
    """The diff."""

    BINDINGS: ClassVar = bindings("diff")
    TITLE = "diff"
    EMPTY = ("The partner's proposal will be here,", "with its lines coloured as in your editor.")

    def __init__(self) -> None:
        super().__init__(id="diff")
        self._content: Callable[[str], bytes] | None = None
        # Number and tree of the proposal, and what is said of its blocks.
        self._shown: tuple[int, str, Mapping[str, tuple[Piece, ...]]] = (0, "", {})
        self._head = 0  # lines above the first file
        self._written: WrittenPatch | None = None
        self._wanted: list[FileSides] = []
        self._busy: asyncio.Task[None] | None = None

    def attach(self, content: Callable[[str], bytes]) -> None:
        """Give it the way to files' contents."""
        self._content = content

    @property
    def colored(self) -> bool:
        """Whether every file that has been drawn has its colours."""
        return self._busy is None and not self._wanted

    def show(self, state: State) -> None:
        """Draw what is true now."""
        if state.live_patch:
            self._show_written(state.live_patch)
        elif (proposal := state.proposal) is not None:
            self._show_proposal(proposal, state)
        elif self._written is not None:
            self._written = None
            self.set_lines([])
            self.entitle(self.TITLE)
        self.mark_empty(empty=not self.lines)

    def _show_written(self, text: str) -> None:
        """The patch as it is being written; only what is new is made into lines."""
        written = self._written
        if written is None or not written.goes_on(text):
            self._written = written = WrittenPatch()
            self._shown = (0, "", {})
            self.set_lines([])
            self.entitle(f"{self.TITLE} · being written")
        keep = written.update(text)
        for index in written.recounted:
            self.replace_line(index, written.lines[index])
        self.set_lines(written.lines[keep:], keep)

    def _show_proposal(self, proposal: ProposalState, state: State) -> None:
        files = proposal.patch.files
        fate, style = _fate(proposal, state)
        pieces: list[Piece] = [
            (f"proposal {proposal.number}", "strong"),
            (f"  attempt {proposal.attempt}  ", "dim"),
            *counts(sum(file.added for file in files), sum(file.removed for file in files)),
            (f"  {fate}", style),
        ]
        head = [Line(pieces)]
        if proposal.note:
            head.append(Line(((clean(proposal.note), "dim"),), lead=(("· ", "dim"),)))
        if proposal.reason:
            head.append(Line(((clean(proposal.reason), "dim"),), lead=(("“ ", "dim"),)))
        head.append(Line())
        notes = block_notes(proposal)
        if (proposal.number, proposal.tree, notes) == self._shown:
            if [line.text for line in self.lines[: self._head]] != [line.text for line in head]:
                self.set_lines([*head, *self.lines[self._head :]])
                self._head = len(head)
            return
        same = self._shown[:2] == (proposal.number, proposal.tree)
        self._shown, self._head = (proposal.number, proposal.tree, notes), len(head)
        self._written = None
        content = self._content
        lines, _ = patch_lines(proposal.patch, content, self._want, notes) if content else ([], [])
        self.set_lines([*head, *lines])
        if not same:
            self.scroll_to(y=0, animate=False, force=True)
        self.entitle(f"{self.TITLE} · proposal {proposal.number}")

    def _want(self, sides: FileSides) -> None:
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
