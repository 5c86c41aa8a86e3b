"""From a proposal to a decision on it: checked, carried over, marked, mended, and put before the human or the mode."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from agent_core import events as ev
from agent_core.assessor import Assessor, usable
from agent_core.checks.model import Verdict
from agent_core.decisions import Decision, Inbox, by_mode
from agent_core.errors import PairloopError
from agent_core.mending import mended
from agent_core.parts import Parts
from agent_core.prompt import replies
from agent_core.prompt.review_words import says_anything
from agent_core.proposals import Proposals
from agent_core.protocols import Check
from agent_core.review import leaves_any, takes_all, takes_any
from agent_core.reviewing import Part, Reviewing
from agent_core.state import ProposalState

_COLLIDES = "it collides with your own edits"
_REST = 0.3  # seconds without a mark before what is taken is checked
_NAMED = 3


class Deciding:
    """Brings the newest proposal to a decision.

    Args:
        parts: The session's parts.
        proposals: The proposals.
        assessor: Judges them.
        checks: Whose tools may mend.
        inbox: Where the human's answers arrive.
    """

    def __init__(
        self, parts: Parts, proposals: Proposals, assessor: Assessor, checks: Sequence[Check], inbox: Inbox
    ) -> None:
        self._parts = parts
        self._proposals = proposals
        self._assessor = assessor
        self._checks = checks
        self._inbox = inbox
        self._reviewing = Reviewing(parts, proposals)
        self._wanted: Decision | None = None  # waits for the verdict on what it lands
        self._warned = ""  # tree of which the human has been told that it breaks something
        self._unchecked = ""  # tree that could not be checked

    @property
    def part(self) -> Part | None:
        """What is taken of the newest proposal; None where it is nothing or all."""
        return self._reviewing.part

    async def resumed(self, task: int) -> ProposalState | None:
        """The proposal that a resumed session was left with, checked anew; None when there is none.

        One that collides with the human's edits is not: what would be checked is a tree without them.
        """
        proposal = self._proposals.undecided(task)
        if proposal is None:
            return None
        await self._proposals.restore()
        if self._proposals.collides:
            return self._proposals.newest
        # Until the checks have spoken again there is nothing to decide on.
        self._proposals.repeat()
        self._forget_late()
        return await self.judged()

    def _forget_late(self) -> None:
        """Drop decisions on the newest proposal as it was before it was carried over; words are kept."""
        for late in self._inbox.late():
            if late.kind == "steer" and late.reason:
                self._parts.emit(ev.Steered(late.reason), durable=True)

    async def once_more(self) -> ProposalState:
        """The newest proposal, to which the partner has nothing to add; checked anew if the tree is another by now."""
        await self._proposals.restore()
        newest = self._proposals.newest
        spoken = newest.verdict is not None and newest.verdict.complete
        return newest if spoken or self._proposals.collides else await self.judged()

    async def judged(self, *, begun: bool = False) -> ProposalState:
        """Have the newest proposal checked, anew when the human changes the tree, until it can be decided on.

        In mode step that is as soon as what it can affect has been looked at; the rest goes on.

        Args:
            begun: The checks are at work on it already.
        """
        proposals, assessor = self._proposals, self._assessor
        if not begun:
            await assessor.begin(proposals.newest, proposals.draft)
        while True:
            if not assessor.busy:
                assessor.trouble()
                if not await self._superseded():
                    return proposals.newest
            elif self._parts.state().mode == "step" and usable(proposals.newest.verdict):
                return proposals.newest
            else:
                await self._inbox.woken()
                if self._inbox.take_edits():
                    await self._superseded()

    async def _superseded(self) -> bool:
        """Give up a judgement of a tree that is no more; gives whether the proposal is checked anew."""
        proposals, assessor = self._proposals, self._assessor
        if not await proposals.carried_over():
            if proposals.collides:
                await assessor.stop()
            if proposals.collides or not assessor.void:
                return False
        await assessor.begin(proposals.newest, proposals.draft)
        return True

    # -- what is put before the human or the mode

    async def decision(self, *, final: bool, refused: str) -> Decision | None:
        """The mode's decision or the human's; None when the mode never asks and has nothing more to try.

        A mode decides when all checks have spoken, and not on what the human has begun to decide on block by block;
        the human may before. What they mark meanwhile is carried out, and what they take of it is checked by itself.

        Args:
            final: Nothing more will come by itself: attempts are used up, or the partner has no more to say.
            refused: Why it has just not landed; empty when that was not tried.

        Returns:
            Of kind ``land`` where a part lands, which `part` is.
        """
        asked: tuple[str, bool] | None = None
        self._nothing_wanted()
        while True:
            await self._reviewing.settle()
            await self._follow()
            proposal, mode, open_ = self._proposals.newest, self._parts.state().mode, self._assessor.busy
            verdict = proposal.verdict
            if not refused and not open_ and not proposal.review.decides and self._is_judged(proposal):
                green = verdict is not None and verdict.green and verdict.complete
                if mode == "auto" and green and verdict is not None and verdict.unable:
                    return None
                decision = by_mode(mode, proposal.number, green=green, final=final)
                if decision is not None or mode == "auto":
                    return decision
            if self._wanted is not None and (ready := self._ready(proposal)) is not None:
                return ready
            why = self._why(proposal, refused)
            if (why, open_) != asked:
                self._parts.emit(ev.DecisionAwaited(proposal.number, why))
                asked = why, open_
            entry = await self._inbox.decision(proposal.number)
            if isinstance(entry, Decision):
                if (decision := await self._taken_up(entry)) is not None:
                    return decision
            elif entry is not None:
                self._wanted = None
                before = self._proposals.newest.patch
                await self._reviewing.carry_out(entry)
                if self._proposals.newest.patch is not before:
                    asked, refused = None, ""
            else:
                self._told_trouble()
                if (self._inbox.take_edits() or self._assessor.void) and await self._moved():
                    asked, refused = None, ""

    def _nothing_wanted(self) -> None:
        self._wanted, self._warned, self._unchecked = None, "", ""

    async def _moved(self) -> bool:
        """Heed that the working tree changed; gives whether there is another proposal to be asked about."""
        if not self._proposals.newest.review.decides:
            if not await self._superseded():
                return False
            self._forget_late()
            await self.judged(begun=True)
            return True
        if self._assessor.void:
            self._assessor.give_up()
        tree = self._proposals.ground.tree
        over = await self._proposals.carried_over()
        if self._wanted is not None and tree != self._proposals.ground.tree:
            self._wanted = None
            text = "Files changed meanwhile, so what you took is checked again first. Land it again then."
            self._parts.emit(ev.Noted("info", text))
        if over:
            # Who is in the middle of marking goes on marking; what they took is checked again by itself.
            self._parts.emit(ev.DecisionAwaited(self._proposals.newest.number, "it is checked again"))
            self._forget_late()
        return over

    def _told_trouble(self) -> None:
        """Say why nothing could be judged.

        Raises:
            PairloopError: It was the whole, so there is nothing to decide by.
        """
        subject = self._assessor.subject
        try:
            self._assessor.trouble()
        except PairloopError as error:
            if self.part is None or self.part.tree != subject:
                raise
            self._unchecked = subject
            self._parts.emit(ev.Noted("warning", f"What you took could not be checked. {error.message}", error.hint))

    def _is_judged(self, proposal: ProposalState) -> bool:
        """Whether what the checks have said, or failed to say, is about the proposal as it is."""
        return self._proposals.collides or self._assessor.subject == proposal.tree

    async def _follow(self) -> None:
        """Have judged what would land now, once the marks have rested; what is judged of anything else is given up."""
        assessor, proposals, part = self._assessor, self._proposals, self.part
        proposal = proposals.newest
        nothing = proposals.collides if part is None else not part.tree
        tree = "" if nothing else part.tree if part is not None else proposal.tree
        if assessor.subject == tree:
            return
        assessor.give_up()
        if nothing:
            return
        if part is None:
            if proposal.verdict is not None and proposal.verdict.complete:
                assessor.holds(tree)
            else:
                await assessor.begin(proposal, proposals.draft)
            return
        loop = asyncio.get_running_loop()
        rests_at = self._reviewing.marked_at + _REST
        if loop.time() < rests_at and self._wanted is None:
            loop.call_at(rests_at, self._inbox.news)
        else:
            await assessor.begin(proposal, await asyncio.to_thread(part.draft), part=True)

    def _why(self, proposal: ProposalState, refused: str) -> str:
        """What there is to decide, in one line."""
        part = self.part
        if part is None:
            why = _COLLIDES if self._proposals.collides else refused
            if not why and proposal.verdict is None and self._assessor.busy:
                why = "it is checked"
            return why or (proposal.verdict.summary if proposal.verdict else "not checked")
        if part.trouble:
            return part.trouble
        if self._warned == part.tree:
            return f"{self._by_itself(proposal)}; Land again lands it anyway"
        if self._wanted is not None:
            return "what you took is checked, and lands when it breaks nothing"
        said = proposal.part.summary if proposal.part is not None else ""
        return refused or (f"what you took: {said}" if said else "what you took is checked")

    def _by_itself(self, proposal: ProposalState) -> str:
        verdict = proposal.part
        if verdict is None:
            return "What you took could not be checked by itself"
        found = verdict.broken or verdict.silenced
        names = ", ".join(one.code or one.message for one in found[:_NAMED])
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        return f"What you took {'breaks' if verdict.broken else 'silences'} {names}{more} by itself"

    # -- decisions

    async def _taken_up(self, decision: Decision) -> Decision | None:
        """A human's decision if it can be carried out at once; what lands waits for the verdict on exactly that.

        Accept lands all that was not left in so many words: on a proposal with a block, or lines of one, that the
        human left, it is to take the rest, and land that. Land lands what was taken and nothing else; with nothing
        taken all of it goes back: for good where something was left, else to be gone on from with what was said.
        """
        proposal = self._proposals.newest
        review, patch = proposal.review, proposal.patch
        if decision.kind == "accept" and review.decides and (leaves_any(patch, review) or self._proposals.collides):
            await self._reviewing.take_rest()
            if not takes_any(patch, self._proposals.newest.review):
                text = f"All of proposal {proposal.number} is left or collides, so there is nothing to accept."
                self._parts.emit(ev.Noted("info", text, "Land sends it back; or take some of it."))
                return None
            return await self._taken_up(Decision(decision.proposal, "land", decision.reason))
        if decision.kind == "land":
            if not takes_any(patch, review):
                return self._sent_back(decision, proposal)
            await self._reviewing.settle()
            if self.part is None and takes_all(patch, review):
                decision = Decision(decision.proposal, "accept", decision.reason)
            elif self.part is not None and self.part.trouble:
                self._parts.emit(ev.Noted("warning", f"What you took cannot land: {self.part.trouble}"))
                return None
        if decision.kind not in {"accept", "land"}:
            return decision
        self._wanted = decision
        return None

    def _sent_back(self, decision: Decision, proposal: ProposalState) -> Decision | None:
        """What comes of landing when nothing was taken."""
        if leaves_any(proposal.patch, proposal.review):
            return Decision(decision.proposal, "reject", decision.reason)
        if decision.reason or says_anything(proposal):
            return Decision(decision.proposal, "steer", decision.reason)
        text = f"Nothing is taken of proposal {proposal.number} yet, and nothing is said of it."
        self._parts.emit(ev.Noted("info", text, "Take or leave blocks, or comment on them; or accept all of it."))
        return None

    def _ready(self, proposal: ProposalState) -> Decision | None:
        """What is wanted, if what it lands has been judged; None when that is still under way, or has to be asked."""
        wanted, part, open_ = self._wanted, self.part, self._assessor.busy
        assert wanted is not None
        if wanted.kind == "accept":
            waits = open_ and not usable(proposal.verdict)
            return None if waits and not self._proposals.collides else wanted
        if part is None:
            return None
        verdict = proposal.part
        if self._warned != part.tree:
            enough = usable(verdict) if self._parts.state().mode == "step" else verdict is not None and verdict.complete
            if not enough and self._unchecked != part.tree:
                return None
            if verdict is None or verdict.broken or verdict.silenced:
                self._wanted, self._warned = None, part.tree
                return None
        return wanted

    async def mend(self, proposal: ProposalState) -> None:
        """Have the tools mend what they can in the newest proposal, and check it again."""
        parts, draft = self._parts, self._proposals.draft
        found = proposal.fixable
        if not found or self._proposals.collides:
            parts.emit(ev.Noted("info", f"There is nothing in proposal {proposal.number} that can be mended safely."))
            return
        await self._assessor.quiet()
        try:
            new = await mended(parts.workspace, self._checks, draft, found)
        except PairloopError as error:
            parts.emit(ev.Noted("warning", error.message, error.hint))
            return
        paths = sorted(
            path for path in {*new.changes, *draft.changes} if new.changes.get(path) != draft.changes.get(path)
        )
        if not paths or not new.changes:
            parts.emit(ev.Noted("info", f"Nothing is left to propose, or to mend, in proposal {proposal.number}."))
            return
        tools, rules = (sorted({getattr(one, name) for one in found}) for name in ("check", "code"))
        note = replies.mended_note(tools, rules, paths)
        self._proposals.revise(new, note)
        parts.emit(ev.Noted("info", note))
        await self.judged()
