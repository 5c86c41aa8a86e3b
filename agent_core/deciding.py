"""From a proposal to a decision on it: checked, carried over, mended, and put before the human or the mode."""

from __future__ import annotations

from agent_core import events as ev
from agent_core.assessor import Assessor, usable
from agent_core.checks.model import Verdict
from agent_core.decisions import Decision, Inbox, by_mode
from agent_core.errors import PairloopError
from agent_core.mending import mended
from agent_core.parts import Parts
from agent_core.prompt import replies
from agent_core.proposals import Proposals
from agent_core.protocols import Check
from agent_core.state import ProposalState

_COLLIDES = "it collides with your own edits"


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
        self, parts: Parts, proposals: Proposals, assessor: Assessor, checks: tuple[Check, ...], inbox: Inbox
    ) -> None:
        self._parts = parts
        self._proposals = proposals
        self._assessor = assessor
        self._checks = checks
        self._inbox = inbox

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

    async def decision(self, *, final: bool, refused: str) -> Decision | None:
        """The mode's decision or the human's; None when the mode never asks and has nothing more to try.

        A mode decides when all checks have spoken; the human may before.

        Args:
            final: Nothing more will come by itself: attempts are used up, or the partner has no more to say.
            refused: Why it has just not landed; empty when that was not tried.
        """
        asked: tuple[str, bool] | None = None
        while True:
            proposal, mode = self._proposals.newest, self._parts.state().mode
            verdict, open_ = proposal.verdict, self._assessor.busy
            if not refused and not open_:
                green = verdict is not None and verdict.green and verdict.complete
                if mode == "auto" and green and not _whole(verdict):
                    return None
                decision = by_mode(mode, proposal.number, green=green, final=final)
                if decision is not None or mode == "auto":
                    return decision
            why = _COLLIDES if self._proposals.collides else refused
            why = why or (verdict.summary if verdict else "not checked")
            if (why, open_) != asked:
                self._parts.emit(ev.DecisionAwaited(proposal.number, why))
                asked = why, open_
            decision = await self._inbox.decision(proposal.number)
            if decision is not None:
                return decision
            self._assessor.trouble()
            if (self._inbox.take_edits() or self._assessor.void) and await self._superseded():
                self._forget_late()
                await self.judged(begun=True)
                asked, refused = None, ""

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


def _whole(verdict: Verdict | None) -> bool:
    """Whether every check that was started came to a judgement: one that crashed or hung may hide anything."""
    return verdict is not None and all(result.outcome not in {"error", "timeout"} for result in verdict.results)
