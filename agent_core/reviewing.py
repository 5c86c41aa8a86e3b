"""Carrying out what a human marks in the waiting proposal, and what it comes to: the part of it that is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import msgspec

from agent_core import commands
from agent_core import events as ev
from agent_core.decisions import Mark as AnyMark
from agent_core.draft import disk_reader
from agent_core.errors import PairloopError
from agent_core.part_taken import Ground, Part, part_of
from agent_core.parts import Parts
from agent_core.patch.model import Block
from agent_core.proposals import Proposals
from agent_core.review import (
    Mark,
    Review,
    Rewritten,
    all_but_left,
    between,
    carried,
    commented,
    marked,
    parts_taken,
    settled,
    takes_any,
    to_redo,
    unsettled,
)
from agent_core.rewriting import Written, own_text, rewritten, taken_back
from agent_core.state import ProposalState

_MOST_PLACES = 3


class Reviewing:
    """Keeps what is marked in the newest proposal, and works out what it comes to.

    Args:
        parts: The session's parts.
        proposals: The proposals.
    """

    def __init__(self, parts: Parts, proposals: Proposals) -> None:
        self._parts = parts
        self._proposals = proposals
        self._part: Part | None = None
        self._about: tuple[object, ...] = ()  # what `_part` was worked out from
        self._marked_at = 0.0

    @property
    def part(self) -> Part | None:
        """What is taken, as of the last `settle`; None where it is nothing or all, so that the whole counts."""
        return self._part

    @property
    def marked_at(self) -> float:
        """When the last mark came, by the event loop's clock."""
        return self._marked_at

    async def settle(self) -> None:
        """Work out what the marks come to, if anything is another than when that was last done."""
        proposal = self._proposals.newest
        about = self._now(proposal)
        if len(about) == len(self._about) and all(a is b for a, b in zip(about, self._about, strict=True)):
            return
        part = await self._work_out(proposal, proposal.review)
        self._part, self._about = part, about
        tree, trouble = (part.tree, part.trouble) if part is not None else ("", "")
        if (tree, trouble) != (proposal.part_tree, proposal.part_trouble):
            self._parts.emit(ev.Reviewed(proposal.number, part_tree=tree, trouble=trouble))

    async def carry_out(self, mark: AnyMark) -> None:
        """Carry out a mark; what cannot be done is told to the human, and changes nothing."""
        self._marked_at = asyncio.get_running_loop().time()
        match mark:
            case commands.Take():
                await self._take(mark)
            case commands.Comment(_, block, text):
                if self._is_there((block,), ()):
                    await self._say(commented(self._proposals.newest.review, block, text.strip()))
            case commands.Rewrite():
                await self._rewrite(mark)
            case commands.Settle():
                await self._settle(mark)
            case commands.Unmark():
                await self._unmark()

    @property
    def asks_anew(self) -> bool:
        """Whether all that there is to say is that some places are to be done anew, over the human's own text."""
        proposal = self._proposals.newest
        review = proposal.review
        if not to_redo(review) or takes_any(proposal.patch, review):
            return False
        return all(review.blocks.get(name, Mark()).taken is not None for name in _collisions(proposal)[0])

    async def take_rest(self) -> None:
        """Take everything of which nothing was said yet; where the human's edits collide, theirs stay."""
        proposal = self._proposals.newest
        stale, whole = _collisions(proposal)
        review = all_but_left(proposal.patch, proposal.review)
        marks, said = review.blocks, proposal.review.blocks
        fresh = [name for name in stale if name in marks and said.get(name, Mark()).taken is None]
        files = [path for path in review.files.keys() - proposal.review.files.keys() if path in whole]
        await self._say(marked(review, fresh, taken=None, files=files))

    # -- marks

    async def _take(self, mark: commands.Take) -> None:
        if not self._is_there(mark.blocks, mark.files):
            return
        review = self._proposals.newest.review
        # What was to stand in the place of both is about all that meets there: said of one block anew, it is void.
        mates = {mate for name in mark.blocks for mate in self._place_of(name)} - {*mark.blocks}
        review = unsettled(review, [name for name in mates if review.blocks.get(name, Mark()).side != "partner"])
        blocks = self._blocks()
        for name in mark.blocks:
            count = len(blocks[name].removed) + len(blocks[name].added)
            lines = None if mark.lines is None else tuple(sorted({*mark.lines}))
            if lines is not None and any(not 0 <= line < count for line in lines):
                self._note(f"Block {name} has no such line: it has {count}.")
                return
            taken = mark.taken if lines != () else (False if mark.taken else mark.taken)
            whole = lines is None or len(lines) in {0, count}
            review = marked(review, (name,), taken=taken, lines=None if whole else lines)
        await self._say(marked(review, (), taken=mark.taken, files=mark.files))

    async def _settle(self, mark: commands.Settle) -> None:
        proposal = self._proposals.newest
        if not self._is_there((mark.block,), ()):
            return
        overlap = next((one for one in proposal.overlaps if one.block == mark.block), None)
        if overlap is None:
            if mark.side != "redo" or mark.block not in _collisions(proposal)[0]:
                text = f"Nothing of yours stands at the place of block {mark.block} any more; take or leave it."
                self._note(text)
                return
            text = ""
        else:
            try:
                text = own_text(mark.text, overlap, self._blocks()[mark.block]) if mark.side == "own" else ""
            except PairloopError as error:
                self._note(f"What you wrote was not taken: {error.message}", error.hint)
                return
        await self._say(settled(proposal.review, self._place_of(mark.block) or (mark.block,), mark.side, text))

    def _place_of(self, block: str) -> tuple[str, ...]:
        """The blocks that collide at the same place as one does, itself among them; none where it does not."""
        overlaps = self._proposals.newest.overlaps
        place = next((one for one in overlaps if one.block == block), None)
        return tuple(one.block for one in overlaps if one.is_place_of(place)) if place is not None and block else ()

    async def _rewrite(self, mark: commands.Rewrite) -> None:
        proposal, draft = self._proposals.newest, self._proposals.draft
        if not self._is_there((mark.block,) if mark.block else (), (mark.path,), within=mark.path):
            return
        try:
            written = await asyncio.to_thread(rewritten, proposal.patch, draft, mark, self._parts.workspace)
        except PairloopError as error:
            self._note(f"What you wrote was not taken: {error.message}", "The proposal is as it was.")
            return
        if written.note:
            self._note(written.note)
        patch = written.draft.patch()
        if not patch.files:
            text = f"With what you wrote, nothing would be left of proposal {proposal.number}."
            self._note(text, "Reject it, or leave this block.")
            return
        if written.before == written.after:
            return
        old = self._blocks()
        file = next((one for one in patch.files if one.path == mark.path), None)
        blocks = file.blocks if file is not None else ()
        new = [one.id for one in blocks if one.id not in old or _text(one) != _text(old[one.id])]
        # Who wrote all of a file wants all of it, but did not see what of their own a block of it would go over.
        mine = _collisions(proposal)[0].difference(new)
        taken = new if mark.block else [one.id for one in blocks if one.id not in mine]
        whole = (mark.path,) if file is not None and not blocks else ()
        review = marked(proposal.review, taken, taken=True, files=whole)
        was = next(one for one in proposal.patch.files if one.path == mark.path)
        kept = self._parts.journal.put(msgspec.json.encode(was))
        review = msgspec.structs.replace(
            review,
            edited=(*(name for name in review.edited if name not in new), *new),
            rewritten=(*review.rewritten, Rewritten(mark.path, written.before, written.after, kept)),
        )
        note = _note_on(mark.path)
        self._revise(
            review, written, proposal.note if note in proposal.note else f"{proposal.note} {note}".strip(), back=False
        )

    async def _unmark(self) -> None:
        proposal = self._proposals.newest
        if not proposal.reviews:
            self._note(f"There is nothing marked in proposal {proposal.number} that could be taken back.")
            return
        before, made = proposal.reviews[-1], proposal.review.rewritten
        dropped = made[len(before.rewritten) :]
        if not dropped:
            await self._say(carried(before, proposal.patch), back=True)
            return
        restored = await asyncio.to_thread(
            taken_back, self._proposals.draft, dropped, self._parts.journal.get, self._parts.workspace
        )
        if restored is None:
            paths = ", ".join(dict.fromkeys(one.path for one in dropped))
            self._note(f"What you rewrote in {paths} cannot be taken back: files have changed since at the same place.")
            return
        note = proposal.note
        for path in {one.path for one in dropped} - {one.path for one in before.rewritten}:
            note = note.replace(_note_on(path), "").replace("  ", " ").strip()
        self._revise(before, Written(restored), note, back=True)

    def _revise(self, review: Review, written: Written, note: str, *, back: bool) -> None:
        """Say the marks and the proposal anew, all at once: nobody is to find one of them without the other."""
        newest = self._proposals.newest
        with self._parts.journal.together():
            self._parts.emit(ev.Reviewed(newest.number, between(newest.review, review), back=back))
            self._proposals.restate(written.draft, note)
            self._parts.emit(ev.DecisionAwaited(newest.number, "it is checked again"), durable=True)

    async def _say(self, review: Review, *, back: bool = False) -> None:
        proposal = self._proposals.newest
        if review == proposal.review and not back:
            return
        part = await self._work_out(proposal, review)
        tree, trouble = (part.tree, part.trouble) if part is not None else ("", "")
        changes = between(proposal.review, review)
        self._parts.emit(ev.Reviewed(proposal.number, changes, tree, trouble, back), durable=True)
        self._part, self._about = part, self._now(self._proposals.newest)

    # -- what they come to

    def _now(self, proposal: ProposalState) -> tuple[object, ...]:
        """What a part is worked out from, by identity: these are never changed in place."""
        return (proposal.patch, proposal.review, self._proposals.draft, self._proposals.ground)

    async def _work_out(self, proposal: ProposalState, review: Review) -> Part | None:
        if not review.decides:
            return None
        base = self._proposals.ground
        ground = Ground(base, disk_reader(self._parts.workspace, base))
        if self._proposals.collides:
            ground = Ground(base, ground.read, proposal.overlaps)
        return await asyncio.to_thread(part_of, proposal.patch, review, self._proposals.draft.contents, ground)

    def _blocks(self) -> dict[str, Block]:
        return {block.id: block for file in self._proposals.newest.patch.files for block in file.blocks}

    def _is_there(self, blocks: Collection[str], files: Collection[str], *, within: str = "") -> bool:
        """Whether the proposal has these, and all blocks `within` a file if one is named; says what it has not."""
        all_files = self._proposals.newest.patch.files
        there = {block.id for file in all_files if within in {"", file.path} for block in file.blocks}
        paths = {file.path for file in all_files}
        missing = [f"block {name}" for name in blocks if name not in there]
        missing += [path for path in files if path not in paths]
        if missing:
            self._note(f"Proposal {self._proposals.newest.number} has no {', '.join(missing[:_MOST_PLACES])} any more.")
        return not missing

    def _note(self, text: str, hint: str = "") -> None:
        self._parts.emit(ev.Noted("warning", text, hint))


def _collisions(proposal: ProposalState) -> tuple[set[str], set[str]]:
    """The blocks at whose places the human's own edits stand, and the files that collide as a whole."""
    stale = {one.block for one in proposal.overlaps if one.block}
    whole = {one.path for one in proposal.overlaps if not one.block}
    for file in proposal.patch.files:
        if whole & {file.path, file.old_path}:
            stale |= {block.id for block in file.blocks}
    return stale, whole


def counted(proposal: ProposalState) -> tuple[int, int]:
    """Of how many parts of a proposal anything is taken, and how many it has."""
    return parts_taken(proposal.patch, proposal.review)


def _text(block: Block) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return block.removed, block.added


def _note_on(path: str) -> str:
    return f"The human rewrote {path}."
