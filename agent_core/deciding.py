"""From a proposal to a decision on it: marked, put before the human or the mode, and landed only as it was judged."""

from __future__ import annotations

import asyncio
from typing import Literal

from agent_core import events as ev
from agent_core.assessor import Assessor, may_land
from agent_core.checks.model import Verdict
from agent_core.commands import Settle
from agent_core.decisions import Decision, Inbox, by_mode
from agent_core.errors import PairloopError
from agent_core.holding import Holding
from agent_core.judging import Judging
from agent_core.memory.repeats import wanted
from agent_core.part_taken import Part
from agent_core.parts import Parts
from agent_core.prompt import replies
from agent_core.prompt.review_words import REDO, says_anything
from agent_core.proposals import Proposals
from agent_core.review import leaves_any, takes_all, takes_any, to_redo
from agent_core.reviewing import Reviewing
from agent_core.state import ProposalState
from agent_core.why import Standing, why

_REST = 0.3  # seconds without a mark, or a save, before what is taken is checked


class Deciding:
    """Brings the newest proposal to a decision.

    Args:
        parts: The session's parts.
        proposals: The proposals.
        assessor: Judges them.
        judging: Has the newest one judged over the tree as it is.
        inbox: Where the human's answers arrive.
    """

    def __init__(self, parts: Parts, proposals: Proposals, assessor: Assessor, judging: Judging, inbox: Inbox) -> None:
        self._parts = parts
        self._proposals = proposals
        self._assessor = assessor
        self._judging = judging
        self._inbox = inbox
        self._reviewing = Reviewing(parts, proposals)
        self._holding = Holding(parts, inbox.news)
        self._wanted: Decision | None = None  # waits for the verdict on what it lands
        self._judged = ""  # tree of whose verdict they knew when they wanted it
        self._warned = ""  # tree of which the human has been told that it breaks something
        self._unchecked = ""  # tree that could not be checked

    @property
    def part(self) -> Part | None:
        """What is taken of the newest proposal; None where it is nothing or all."""
        return self._reviewing.part

    # -- what is put before the human or the mode

    async def decision(self, *, final: bool, refused: str, asks: bool) -> Decision | None:
        """The mode's decision or the human's; None when the mode does not ask and has nothing more to try.

        A mode decides when all checks have spoken, and not on what the human has begun to decide on block by block;
        the human may before. What they mark meanwhile is carried out, and what they take of it is checked by itself.

        Args:
            final: Nothing more will come by itself: attempts are used up, or the partner has no more to say.
            refused: Why it has just not landed; empty when that was not tried.
            asks: Mode until-green asks the human when all attempts are used up; else it does as auto does.

        Returns:
            Of kind ``land`` where a part lands, which `part` is.
        """
        self._nothing_wanted()
        try:
            return await self._decided(final=final, refused=refused, asks=asks)
        finally:
            self._holding.let_go()

    async def _decided(self, *, final: bool, refused: str, asks: bool) -> Decision | None:
        asked: tuple[str, bool] | None = None
        while True:
            await self._reviewing.settle()
            await self._follow()
            proposal, open_ = self._proposals.newest, self._assessor.busy
            if any(how.proposal == proposal.number for how in self._parts.state().pointed):
                return Decision(proposal.number, "steer", replies.FOLLOWS)
            go = await self._at_once(proposal, final=final, refused=refused, asks=asks)
            if isinstance(go, tuple):
                return go[0]
            if go == "anew":
                asked, refused = None, ""
                continue
            words = why(self._standing(self._proposals.newest, refused))
            if (words, open_) != asked:
                self._parts.emit(ev.DecisionAwaited(proposal.number, words))
                asked = words, open_
            entry = await self._inbox.decision(proposal.number)
            if isinstance(entry, Decision):
                if (decision := await self._taken_up(entry)) is not None:
                    return decision
            elif entry is not None:
                self._wanted = None
                # What all of it breaks is an answer to Accept, and no more once something else is said.
                self._warned = "" if self._warned == proposal.tree else self._warned
                before = self._proposals.newest.patch
                await self._reviewing.carry_out(entry)
                if isinstance(entry, Settle) and entry.side == "redo" and self._reviewing.asks_anew:
                    return Decision(proposal.number, "steer", REDO)
                if self._proposals.newest.patch is not before:
                    asked, refused = None, ""
            else:
                self._told_trouble()
                if (self._inbox.take_edits() or self._assessor.void) and await self._moved():
                    asked, refused = None, ""

    async def _at_once(
        self, proposal: ProposalState, *, final: bool, refused: str, asks: bool
    ) -> tuple[Decision | None] | Literal["anew", "wait"]:
        """What is decided and can be carried out now, see `decision`; or whether to begin anew, as the tree is another.

        What lands waits where git is in the midst of something.
        """
        if not refused and not self._assessor.busy:
            decides, decision = self._mode_decides(proposal, final=final, asks=asks)
            if decides and decision is not None and decision.kind == "accept":
                waited = self._holding.held
                if await self._holding.holds(proposal.number):
                    return "wait"
                # What git has done meanwhile is judged first.
                return "anew" if waited and await self._has_moved() else (decision,)
            if decides:
                return (decision,)
        ready = self._ready(proposal)
        if ready is None:
            self._holding.let_go()
            return "wait"
        if await self._holding.holds(proposal.number):
            return "wait"
        return (ready,) if await self._is_as_judged() else "anew"

    def _mode_decides(self, proposal: ProposalState, *, final: bool, asks: bool) -> tuple[bool, Decision | None]:
        """Whether the mode has the say, and what it says; see `decision`."""
        if proposal.review.decides or not self._is_judged(proposal):
            return False, None
        mode, verdict = self._parts.state().mode, proposal.verdict
        green = verdict is not None and verdict.green and verdict.complete
        if mode == "auto" and green and verdict is not None and verdict.unable:
            return True, None
        if mode == "auto" and green and not wanted(self._parts.state(), proposal):
            return True, None
        decision = by_mode(mode, proposal.number, green=green, final=final)
        ends = mode == "auto" or (mode == "until-green" and final and not green and not asks)
        return decision is not None or ends, decision

    async def _is_as_judged(self) -> bool:
        """Whether the working tree is the one that what is about to land was judged over; heeds it where it is not."""
        return not await self._has_moved() and self._wanted is not None

    async def _has_moved(self) -> bool:
        """Whether the working tree is another than was judged; heeds it."""
        await self._parts.look()
        return self._inbox.take_edits() and await self._moved()

    def _nothing_wanted(self) -> None:
        self._wanted, self._judged, self._warned, self._unchecked = None, "", "", ""

    def _standing(self, proposal: ProposalState, refused: str) -> Standing:
        collides, busy = self._proposals.collides, self._assessor.busy
        return Standing(proposal, self.part, collides, busy, refused, self._wanted, self._still_told(proposal))

    async def _moved(self) -> bool:
        """Heed that the working tree changed; gives whether there is another proposal to be asked about."""
        if not self._proposals.newest.review.decides:
            if not await self._judging.superseded():
                return False
            self._judging.forget_late()
            await self._judging.judged(begun=True)
            return True
        if self._assessor.void:
            self._assessor.give_up()
        tree = self._proposals.ground.tree
        over = await self._proposals.carried_over()
        self._judging.heeded_at = asyncio.get_running_loop().time()
        if self._wanted is not None and tree != self._proposals.ground.tree:
            self._wanted = None
            text = "Files changed meanwhile, so what you took is checked again first. Land it again then."
            self._parts.emit(ev.Noted("info", text))
        if over:
            # Who is in the middle of marking goes on marking; what they took is checked again by itself.
            self._parts.emit(ev.DecisionAwaited(self._proposals.newest.number, "it is checked again"))
            self._judging.forget_late()
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
        if self._wanted is not None and self._wanted.kind == "accept":
            part = None
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
        rests_at = max(self._reviewing.marked_at, self._judging.heeded_at) + _REST
        if loop.time() < rests_at and self._wanted is None:
            loop.call_at(rests_at, self._inbox.news)
        else:
            await assessor.begin(proposal, await asyncio.to_thread(part.draft), part=True)

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
        self._wanted, self._judged = decision, proposal.tree if may_land(proposal.verdict) else ""
        self._warned = self._still_told(self._proposals.newest)
        return None

    def _sent_back(self, decision: Decision, proposal: ProposalState) -> Decision | None:
        """What comes of landing when nothing was taken."""
        if leaves_any(proposal.patch, proposal.review):
            if to_redo(proposal.review):
                return Decision(decision.proposal, "steer", decision.reason or REDO)
            return Decision(decision.proposal, "reject", decision.reason)
        if decision.reason or says_anything(proposal):
            return Decision(decision.proposal, "steer", decision.reason)
        text = f"Nothing is taken of proposal {proposal.number} yet, and nothing is said of it."
        self._parts.emit(ev.Noted("info", text, "Take or leave blocks, or comment on them; or accept all of it."))
        return None

    def _ready(self, proposal: ProposalState) -> Decision | None:
        """What is wanted, if what it lands has been judged; None when that is still under way, or has to be asked."""
        wanted, part = self._wanted, self.part
        if wanted is not None and wanted.kind == "accept":
            return wanted if self._is_ready(proposal) else None
        if wanted is None or part is None:
            return None
        verdict = proposal.part
        if self._warned != part.tree:
            if not self._is_known(part, verdict):
                return None
            if verdict is None or verdict.broken or verdict.silenced:
                self._wanted, self._warned = None, part.tree
                return None
        return wanted

    def _is_known(self, part: Part, verdict: Verdict | None) -> bool:
        """Whether what is taken has been judged as far as is needed to land it, or cannot be."""
        enough = may_land(verdict) if self._parts.state().mode == "step" else verdict is not None and verdict.complete
        return enough or self._unchecked == part.tree

    def _still_told(self, proposal: ProposalState) -> str:
        """`_warned` while its verdict is there: who comes back to the same marks has it judged, and told, again."""
        part = self.part
        if part is not None and part.tree == self._warned and not self._is_known(part, proposal.part):
            return ""
        return self._warned

    def _is_ready(self, proposal: ProposalState) -> bool:
        """Whether all of it may land; what it breaks, where they did not know that yet, has to be told them first."""
        if self._proposals.collides or self._judged == proposal.tree:
            return True
        verdict = proposal.verdict
        if not may_land(verdict):
            return not self._assessor.busy and not self._assessor.void
        if verdict is not None and (verdict.broken or verdict.silenced):
            self._wanted, self._warned = None, proposal.tree
            return False
        return True
