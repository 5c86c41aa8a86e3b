"""The draft on the desk and the proposals made of it."""

from __future__ import annotations

import asyncio
from typing import Literal

import msgspec

from agent_core import events as ev
from agent_core.comments.removing import Removing
from agent_core.conversation import ToolCallItem
from agent_core.draft import Draft, draft_of
from agent_core.errors import PatchRefusedError, PatchUnwantedError
from agent_core.folding.review import is_over_others
from agent_core.memory.repeats import repeated
from agent_core.parts import Parts
from agent_core.patch.diff import unified
from agent_core.patch.model import Patch
from agent_core.patch.stream import patch_text
from agent_core.prompt import replies
from agent_core.prompt.replies import REPEATED
from agent_core.review import Overlap
from agent_core.state import ProposalState
from agent_core.view import DraftView
from agent_core.workspace.edits import edit_between
from agent_core.workspace.tree import FileChange, Snapshot, with_changes

_MOST_PLACES = 10


class Proposals:
    """Keeps the draft of one session, and says what is proposed.

    Args:
        parts: The session's parts.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._removing = Removing(parts)
        self._draft: Draft | None = None
        self._collided = ""  # hash of the working tree that the draft was found to collide with
        self._places: tuple[str, ...] = ()
        self._ground: Snapshot | None = None  # that tree
        self._rest: Draft | None = None  # what of the draft goes over it
        self._questioned: set[int] = set()  # proposals of which the partner has been told that it does the same again

    @property
    def draft(self) -> Draft:
        """The draft; there is one from `begin` or `restore` until `drop`."""
        assert self._draft is not None, "a task has begun"
        return self._draft

    @property
    def view(self) -> DraftView:
        """The tree as the partner sees it."""
        return DraftView(self._parts.workspace, self.draft)

    @property
    def newest(self) -> ProposalState:
        """The newest proposal; there is one once `propose` was called."""
        proposal = self._parts.state().proposal
        assert proposal is not None, "a proposal was made"
        return proposal

    @property
    def collides(self) -> bool:
        """Whether the human's edits overlapped with the draft at the last look: its verdict is about another tree."""
        return bool(self._collided)

    @property
    def collisions(self) -> tuple[str, ...]:
        """Where they overlap, and what either side has there; none where they do not."""
        return self._places if self._collided else ()

    @property
    def ground(self) -> Snapshot:
        """The working tree that what is taken of the newest proposal lands on, as of the last look."""
        return self._ground if self._collided and self._ground is not None else self.draft.base

    @property
    def current(self) -> Draft | None:
        """The draft, if a task has begun."""
        return self._draft

    def begin(self, base: Snapshot) -> None:
        """Start with an empty draft over the working tree."""
        self._draft, self._collided = Draft(base), ""

    def undecided(self, task: int) -> ProposalState | None:
        """The last proposal of a task if it is neither landed nor dropped."""
        proposal = self._parts.state().proposal
        if proposal is None or proposal.task != task or proposal.decision == "reject":
            return None
        # Accepted is not landed: pairloop may have ended, or a conflict stood, in between.
        landed = any(
            landing.proposal == proposal.number and landing.stands in {"landed", "undone"}
            for landing in self._parts.state().landings
        )
        return None if landed else proposal

    def has_landed(self, task: int) -> bool:
        """Whether anything of what was proposed in a task stands in the working tree."""
        state = self._parts.state()
        mine = {one.number for one in state.proposals if one.task == task}
        return any(one.proposal in mine and one.stands == "landed" for one in state.landings)

    async def take(self, call: ToolCallItem, *, may_replace: bool) -> str:
        """Take the patch of a call into the draft.

        Args:
            call: The call.
            may_replace: See `agent_core.draft.take`.

        Returns:
            A note on how it was read; empty when that is plain.

        Raises:
            PatchRefusedError: It cannot be taken; the draft is as before, or gone where the human's edits overlap it.
        """
        text = _patch_of(call)
        base = await self._parts.look()
        if base.tree != self.draft.base.tree:
            rebased = await self._removing.rebase(self.draft, base)
            if rebased.conflicts:
                self._draft, self._collided = Draft(base), ""
                places = rebased.conflicts[:_MOST_PLACES]
                more = len(rebased.conflicts) - len(places)
                where = "; ".join((*places, f"and {more} more") if more else places)
                raise PatchUnwantedError(
                    f"The human's edits overlap with your draft, so the draft is gone: {where}.",
                    "Read these places again and send the whole change over the new text.",
                )
            self._draft = rebased.draft
        applied = await asyncio.to_thread(self._removing.take, self.draft, text, may_replace=may_replace)
        self._question(applied.draft)
        self._draft, self._collided = applied.draft, ""
        return applied.note

    def _question(self, draft: Draft) -> None:
        """Refuse once what the human rejected before, so that it costs nobody a look; sent again it is meant.

        Raises:
            PatchUnwantedError: The draft does what was rejected, and the human has said nothing since.
        """
        again = repeated(self._parts.state(), draft.patch())
        if again is None or not again.refusable or again.proposal in self._questioned:
            return
        self._questioned.add(again.proposal)
        raise PatchUnwantedError(again.fact, REPEATED)

    def propose(self, task: int, call_id: str, note: str, by: Literal["partner", "repair"] = "partner") -> None:
        """Make the draft a new proposal; where it was tried before, that is said with it."""
        state = self._parts.state()
        again = repeated(state, self.draft.patch())
        note = " ".join(part for part in (note, again.fact if again is not None else "") if part)
        earlier = state.proposals
        number = earlier[-1].number + 1 if earlier else 1
        self._emit(number, 1 + sum(one.task == task for one in earlier), call_id, note, by)

    def propose_found(self, task: int, patch: Patch, base: Snapshot) -> None:
        """Make a patch a new proposal that was found without a model, in the place of the draft.

        Args:
            task: The task.
            patch: The patch; the journal has its contents.
            base: The working tree, which it was found in.
        """
        self._draft, self._collided = draft_of(patch, base, self._parts.journal.get), ""
        self.propose(task, "", "", "repair")

    def revise(self, draft: Draft, note: str) -> None:
        """Say the newest proposal again with what somebody else than the partner did to the draft.

        Args:
            draft: The draft as it is now.
            note: What was done to it, for the human and the partner.
        """
        self.restate(draft, " ".join(filter(None, (self.newest.note, note))))

    def restate(self, draft: Draft, note: str) -> None:
        """Say the newest proposal again with another draft.

        Args:
            draft: The draft as it is now.
            note: All that is to be known of how it came about.
        """
        newest = self.newest
        self._draft = draft
        self._emit(newest.number, newest.attempt, newest.call_id, note)

    def repeat(self) -> None:
        """Say the newest proposal again, over the draft's base: what the checks said of it so far no longer counts."""
        newest = self.newest
        self._emit(newest.number, newest.attempt, newest.call_id, newest.note)

    async def carried_over(self) -> bool:
        """Carry the newest proposal over to the working tree as it is now.

        Returns:
            True when the tree had changed and the proposal, now over the new one, has to be checked anew. False when
            nothing changed, or the human's edits overlap with it (an event says where).
        """
        now = await self._parts.look()
        proposal = self.newest
        # Edits that were taken back leave the tree as it was and the verdict in doubt: it is made anew.
        if now.tree == self.draft.base.tree and not proposal.stale:
            return False
        rebased = await self._removing.rebase(self.draft, now)
        if rebased.conflicts:
            known = {(one.block, one.path) for one in proposal.overlaps}
            if not known >= {(one.block, one.path) for one in rebased.overlaps}:
                text = f"Your edits overlap with proposal {proposal.number}: it can't land as it is."
                self._parts.emit(ev.Noted("warning", text, "\n".join(rebased.conflicts)))
            self._collided, self._places, self._ground = now.tree, rebased.conflicts, now
            self._rest = rebased.rest
            self._tell_overlaps(rebased.overlaps)
            return False
        self._draft, self._collided = rebased.draft, ""
        self._tell_overlaps(())
        if not proposal.carried and is_over_others(rebased.draft.patch(), proposal.patch):
            text = f"Proposal {proposal.number} is carried over to your edits, and checked again."
            self._parts.emit(ev.Noted("info", text))
        self._emit(proposal.number, proposal.attempt, proposal.call_id, proposal.note)
        return True

    def _tell_overlaps(self, overlaps: tuple[Overlap, ...]) -> None:
        """Say where the human's edits meet the newest proposal, if that is news."""
        newest = self.newest
        if newest.overlaps != overlaps:
            self._parts.emit(ev.Overlapped(newest.number, overlaps))

    async def restore(self) -> None:
        """Make the newest proposal's draft again from the journal, and carry it over to the working tree of now."""
        now = await self._parts.look()
        draft = draft_of(self.newest.patch, now, self._parts.journal.get)
        # The files it changes as they were, whatever has become of them since: over the tree as it is now, a draft
        # that collides would be checked as if nobody had edited anything.
        base = with_changes(now, {path: old or FileChange(None) for path, old in draft.before.items()})
        self._draft, self._collided = msgspec.structs.replace(draft, base=base), ""
        if not self.newest.stale:
            for edit in await asyncio.to_thread(self._edited_meanwhile):
                self._parts.emit(edit)
        if not await self.carried_over() and not self.collides and base.tree != self.newest.base_tree:
            self.repeat()

    def _edited_meanwhile(self) -> tuple[ev.HumanEdited, ...]:
        """What the human did to the draft's files while no session was open to hear it."""
        edits = []
        for path, old in self.draft.before.items():
            before, now = old.data if old is not None else None, self._parts.workspace.read(path)
            if before != now:
                edit = edit_between(path, before, now, self._parts.mask)
                edits.append(msgspec.structs.replace(edit, by="unknown"))
        return tuple(edits)

    def keep_rest(self) -> bool:
        """Go on from what of a draft that collides goes over the human's text; gives whether there is anything."""
        assert self._ground is not None, "it collides"
        rest = self._rest if self._rest is not None else Draft(self._ground)
        self._draft, self._collided = rest, ""
        return bool(rest.changes)

    def drop(self) -> None:
        """Forget the draft."""
        self._draft, self._collided = None, ""

    def is_open(self, proposal: ProposalState) -> bool:
        """Whether the call that made it still waits for its answer."""
        return proposal.call_id in replies.unanswered(self._parts.state().items)

    def _emit(
        self, number: int, attempt: int, call_id: str, note: str, by: Literal["partner", "repair"] | None = None
    ) -> None:
        draft, journal = self.draft, self._parts.journal
        for change in (*draft.before.values(), *draft.changes.values()):
            if change is not None and change.data is not None:
                journal.put(change.data)
        patch, tree = draft.patch(), draft.snapshot.tree
        diff = unified(patch, journal.get)
        self._parts.emit(
            ev.ProposalMade(number, attempt, call_id, patch, draft.base.tree, tree, diff, note, by or self.newest.by)
        )


def _patch_of(call: ToolCallItem) -> str:
    """The patch text in a call's arguments."""
    hint = 'Call apply_patch with {"patch": "*** Begin Patch\\n...\\n*** End Patch"}.'
    try:
        arguments = msgspec.json.decode(call.arguments or "{}")
    except msgspec.DecodeError as error:
        raise PatchRefusedError(f"The arguments are not valid JSON: {error}.", hint) from error
    text = patch_text(arguments)
    if text is None:
        raise PatchRefusedError("The arguments hold no patch.", hint)
    return text
