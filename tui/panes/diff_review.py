"""Marking a proposal in its diff: what is taken, left, and said, handed in as commands; nothing lands by it."""

from __future__ import annotations

from collections.abc import Sequence

from agent_core.commands import Land, Settle, Take, Unmark
from agent_core.patch.model import Block, FilePatch
from agent_core.review import Mark, Overlap, Side
from agent_core.state import ProposalState
from tui.actions import BY_ID, key_for
from tui.panes.diff_places import Stop
from tui.panes.diff_sheet import BESIDE
from tui.panes.diff_signs import state_of
from tui.panes.diff_view import DiffView


class Marking(DiffView):
    """A proposal on which somebody decides, block by block."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.proposal: ProposalState | None = None
        """The one that is shown."""
        self.waits = False
        """It waits for the human's word."""
        self.shows_marks = False
        """How its blocks stand is shown."""
        self._at_stale = False
        self.lists_files: bool | None = None
        """Whether its files are listed; None as long as nobody has said."""

    def meet(self, proposal: ProposalState, *, waiting: bool) -> None:
        """Another state of a proposal is shown.

        Args:
            proposal: The proposal.
            waiting: It waits for the human's word.
        """
        self.proposal = proposal
        self.waits = waiting
        # Of one that was decided on in parts, it is still told which.
        self.shows_marks = waiting or (proposal.decision == "accept" and bool(proposal.of))

    def lay_again(self) -> None:
        """Lay it out with what is said in it now."""

    @property
    def facts(self) -> frozenset[str]:
        """What it says of itself for `tui.actions.model.Situation`."""
        proposal = self.proposal
        if proposal is None or not self.stops:
            return frozenset()
        found = {"shown"}
        if self.waits:
            found.add("blocks")
            found |= {"marked"} if proposal.review else set()
            found |= {"marks"} if proposal.reviews else set()
            found |= self._collision_facts()
        if len(proposal.patch.files) > 1:
            found.add("files")
        if not self.look.wrap:
            found.add("cut")
        return frozenset(f"diff.{name}" for name in found)

    def file_at(self, stop: Stop) -> FilePatch:
        """The file a stop is in."""
        assert self.proposal is not None
        return self.proposal.patch.files[stop.file]

    def block_at(self, stop: Stop) -> Block | None:
        """The block a stop is, None for a file as a whole."""
        return self.file_at(stop).blocks[stop.block] if stop.block >= 0 else None

    # -- Where the human has written too

    def place_at(self, stop: Stop | None) -> Overlap | None:
        """Where a block meets what the human wrote, None where it does not."""
        proposal = self.proposal
        block = self.block_at(stop) if stop is not None and proposal is not None else None
        if block is None or proposal is None:
            return None
        return next((one for one in proposal.overlaps if one.block == block.id), None)

    def _collision_facts(self) -> set[str]:
        stop, proposal = self.stop, self.proposal
        if stop is None or stop.block < 0 or proposal is None:
            return set()
        if self.place_at(stop) is not None:
            return {"stale", "collides"}
        file = self.file_at(stop)
        whole = any(not one.block and one.path in {file.path, file.old_path} for one in proposal.overlaps)
        return {"collides"} if whole else set()

    def light(self) -> None:
        """Find out where the cursor is; what can be said there may be something else."""
        super().light()
        stale = self.waits and bool(self._collision_facts())
        if stale or self._at_stale:
            self.post_message(self.Changed())
        self._at_stale = stale

    def _settle(self, side: Side) -> None:
        """Say of the places at the cursor, or in the range, what is to stand there."""
        proposal = self.proposal
        assert proposal is not None
        stops = [self.stops[at] for at, _ in self.chosen()]
        if side != "redo" or len(stops) > 1:
            stops = [stop for stop in stops if self.place_at(stop) is not None]
        blocks = [block for stop in stops if (block := self.block_at(stop)) is not None]
        self._hand_in(*(Settle(proposal.number, block.id, side) for block in blocks))

    def action_take_both(self) -> None:
        """Have both sides."""
        self._settle("both")

    def action_redo_block(self) -> None:
        """Have the partner do it anew."""
        self._settle("redo")

    def _but_stale(self, stops: Sequence[Stop]) -> list[Stop]:
        """Those of some stops that can be taken without a word on which side is to stand; says of which not."""
        found = [stop for stop in stops if self.place_at(stop) is None or self._is_taken(stop)]
        if count := len(stops) - len(found):
            what = "a block" if count == 1 else f"{count} blocks"
            self.desk.say(f"Not taken: {what} where you have written too. Say there which side is to stand.")
        return found

    # -- Taking and leaving

    def _taken(self, block: Block) -> frozenset[int]:
        """Which lines of a block are taken."""
        assert self.proposal is not None
        mark = self.proposal.review.blocks.get(block.id, Mark())
        if not mark.taken:
            return frozenset()
        return frozenset(range(len(block.removed) + len(block.added)) if mark.lines is None else mark.lines)

    def _is_taken(self, stop: Stop) -> bool:
        assert self.proposal is not None
        block = self.block_at(stop)
        if block is None:
            return self.proposal.review.files.get(self.file_at(stop).path, False)
        return bool(self._taken(block))

    def _is_pending(self, stop: Stop) -> bool:
        assert self.proposal is not None
        block = self.block_at(stop)
        if block is None:
            return self.file_at(stop).path not in self.proposal.review.files
        return state_of(block, self.proposal.review) == "pending"

    def _hand_in(self, *commands: Take | Settle) -> bool:
        """Hand in marks, unless the question is too new; whether they were."""
        if not commands or not self.desk.decide(commands[0]):
            return False
        for command in commands[1:]:
            self.desk.submit(command)
        if self.ranging:
            self.set_range(begun=False)
        return True

    def _whole(self, stops: Sequence[Stop], *, taken: bool | None) -> Take:
        """A word on blocks, and on files that have none."""
        assert self.proposal is not None
        blocks = tuple(block.id for stop in stops if (block := self.block_at(stop)) is not None)
        files = tuple(self.file_at(stop).path for stop in stops if stop.block < 0)
        return Take(self.proposal.number, blocks, files, taken)

    def _by_lines(self, *, taken: bool | None) -> list[Take]:
        """A word on the lines chosen; None turns what it is."""
        proposal, source = self.proposal, self._source
        assert proposal is not None
        assert source is not None
        commands = []
        for at, rows in self.chosen():
            stop = self.stops[at]
            block = self.block_at(stop)
            if block is None:
                turned = (None if self._is_taken(stop) else True) if taken is None else taken
                commands.append(self._whole([stop], taken=turned))
                continue
            places = {place for row in rows for place in source.places(stop, row)}
            if not places:
                continue
            if self.place_at(stop) is not None:
                # What both sides started from is gone already, by what the human wrote.
                places |= {*range(len(block.removed))}
            every = frozenset(range(len(block.removed) + len(block.added)))
            have = self._taken(block)
            takes = not places <= have if taken is None else taken
            if not takes and self._is_pending(stop):
                have = every  # who leaves a line out of a block means the rest
            now = have | places if takes else have - places
            lines = None if now == every else tuple(sorted(now))
            commands.append(Take(proposal.number, (block.id,), (), bool(now), lines if now else None))
        return commands

    def _mark(self, *, taken: bool) -> None:
        if self.by_line:
            self._hand_in(*self._by_lines(taken=taken))
        else:
            stops = [self.stops[at] for at, _ in self.chosen()]
            # In one word on several, nobody has said that it is to go over what they wrote.
            self._say_whole(self._but_stale(stops) if taken and len(stops) > 1 else stops, taken=taken)

    def _say_whole(self, stops: Sequence[Stop], *, taken: bool | None) -> bool:
        return bool(stops) and self._hand_in(self._whole(stops, taken=taken))

    def action_take(self) -> None:
        """Take what the cursor is on, or the range."""
        self._mark(taken=True)

    def action_leave(self) -> None:
        """Leave it."""
        self._mark(taken=False)

    def _mark_file(self, *, taken: bool) -> None:
        stops = [stop for stop in self.stops if stop.file == self.file]
        self._say_whole(self._but_stale(stops) if taken else stops, taken=taken)

    def action_take_file(self) -> None:
        """Take the file the cursor is in."""
        self._mark_file(taken=True)

    def action_leave_file(self) -> None:
        """Leave it."""
        self._mark_file(taken=False)

    def action_toggle_block(self) -> None:
        """Take what the cursor is on, or take that back; and on."""
        chosen = self.chosen()
        last_at, rows = chosen[-1]
        if self.by_line:
            done = self._hand_in(*self._by_lines(taken=None))
        else:
            stops = [self.stops[at] for at, _ in chosen]
            turned = None if all(self._is_taken(stop) for stop in stops) else True
            done = self._say_whole(self._but_stale(stops) if turned else stops, taken=turned)
        if done and self.by_line:
            self.go_to(last_at, rows[-1], whole=False)
            self.move(1)
        elif done:
            self.go_to(last_at + 1)

    def action_unmark(self) -> None:
        """Take back what was marked last."""
        assert self.proposal is not None
        self.desk.decide(Unmark(self.proposal.number))

    def action_land(self) -> None:
        """Land what is taken."""
        assert self.proposal is not None
        self.desk.decide(Land(self.proposal.number))

    # -- Moving and looking

    def action_next_block(self) -> None:
        """On by a block or a line."""
        self.move(1)

    def action_previous_block(self) -> None:
        """Back by a block or a line."""
        self.move(-1)

    def action_next_file(self) -> None:
        """To the next file."""
        self.move_file(1)

    def action_previous_file(self) -> None:
        """To the file before."""
        self.move_file(-1)

    def _go_pending(self, step: int) -> None:
        here = self.stops.index(self.stop) if self.stop is not None else 0
        count = len(self.stops)
        order = (at % count for at in range(here + step, here + step * (count + 1), step))
        at = next((at for at in order if self._is_pending(self.stops[at])), None)
        if at is None:
            taken = any(self._is_taken(stop) for stop in self.stops)
            what = "lands what is taken" if taken else "sends it all back"
            self.desk.say(f"You have spoken on every block: enter {what}.")
        else:
            self.go_to(at)

    def action_next_pending(self) -> None:
        """To the next block of which nothing was said, and round."""
        self._go_pending(1)

    def action_previous_pending(self) -> None:
        """To the one before."""
        self._go_pending(-1)

    def action_line_mode(self) -> None:
        """Go by line or by block."""
        self.set_by_line(by_line=not self.by_line)

    def action_range(self) -> None:
        """Begin a range, or end it."""
        self.set_range(begun=not self.ranging)

    def action_beside(self) -> None:
        """Both sides beside each other, or not."""
        if not self.look.beside and not self.fits_beside():
            key = key_for(BY_ID["zoom"], "diff")
            self.desk.say(
                f"Side by side needs {BESIDE} cells of width in this pane, and it has {self._width()}: {key} zooms it."
            )
        else:
            self.set_beside(beside=not self.wants_beside)

    def action_wrap(self) -> None:
        """Break long lines, or cut them."""
        self.set_wrap(wrap=not self.look.wrap)

    def action_code_right(self) -> None:
        """Scroll lines that are cut."""
        self.scroll_code(1)

    def action_code_left(self) -> None:
        """Scroll them back."""
        self.scroll_code(-1)

    def action_show_unchanged(self) -> None:
        """Show what is unchanged around the block."""
        if self._source is not None and self.stop is not None:
            self.toggle_folds(list(self._source.folds_by(self.stop)))

    def action_show_all_unchanged(self) -> None:
        """Show all that is unchanged."""
        if self._source is not None:
            self.toggle_folds(list(self._source.every_fold()))

    def action_list_files(self) -> None:
        """Show the list of files, or fold it."""
        shown = self.lists_files
        if shown is None:
            shown = self.shows_list
        self.lists_files = not shown
        self.lay_again()

    @property
    def shows_list(self) -> bool:
        """Whether the files are listed as long as nobody says."""
        return False

    def action_to_file(self, file: int) -> None:
        """Go to a file that was clicked in the list."""
        self.go_to_file(file)

    def clicked(self, index: int, x: int) -> None:
        """A line was clicked; on the sign of a block it is taken, or not any more."""
        super().clicked(index, x)
        source, stop = self._source, self.stop
        if x != 1 or not self.waits or source is None or stop is None:
            return
        if (stop.file, stop.block) == source.block_at(index) and not self.by_line:
            turned = None if self._is_taken(stop) else True
            self._say_whole(self._but_stale([stop]) if turned else [stop], taken=turned)
