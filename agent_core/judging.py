"""The newest proposal judged over the tree as it is: checked, carried over to what the human saves, mended by tools."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from agent_core import events as ev
from agent_core.assessor import Assessor, usable
from agent_core.decisions import Decision, Inbox
from agent_core.errors import PairloopError
from agent_core.mending import mended
from agent_core.parts import Parts
from agent_core.prompt import replies
from agent_core.proposals import Proposals
from agent_core.protocols import Check
from agent_core.state import ProposalState

_CALM = 0.25  # seconds without a save that a burst of them has ended by
_MOST_CALM = 2.0  # seconds after which a burst is not waited for any more


class Judging:
    """Has the newest proposal judged, and judged anew when the tree is another.

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
        self.heeded_at = -_CALM
        """When the tree was last found to be another, by the event loop's clock."""

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
        self.forget_late()
        return await self.judged()

    def forget_late(self) -> None:
        """Drop decisions on the newest proposal as it was before it was carried over; words to the partner are kept."""
        dropped: list[Decision] = []
        for late in self._inbox.late():
            if late.kind == "steer" and late.reason:
                self._parts.emit(ev.Steered(late.reason), durable=True)
            else:
                dropped.append(late)
        if dropped:
            text = "What you have just decided is void, as the proposal is being checked anew."
            said = "; ".join(late.reason for late in dropped if late.reason)
            self._parts.emit(ev.Noted("info", text, f"Decide again. You had said: {said}" if said else "Decide again."))

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
                if not await self.superseded():
                    return proposals.newest
            elif self._parts.state().mode == "step" and usable(proposals.newest.verdict):
                return proposals.newest
            else:
                await self._inbox.woken()
                if self._inbox.take_edits():
                    await self.superseded()

    async def superseded(self) -> bool:
        """Give up a judgement of a tree that is no more; gives whether the proposal is checked anew."""
        proposals, assessor = self._proposals, self._assessor
        if not await self._calmed():
            if proposals.collides:
                await assessor.stop()
            if proposals.collides or not assessor.void:
                return False
        await assessor.begin(proposals.newest, proposals.draft)
        return True

    async def _calmed(self) -> bool:
        """Carry the newest proposal over; gives whether it is another now.

        The first save of a burst has it checked again at once; the others together, once they have ended: most of what
        would be begun for each of them would be given up for the next.
        """
        loop = asyncio.get_running_loop()
        over = await self._proposals.carried_over()
        since, self.heeded_at = loop.time() - self.heeded_at, loop.time()
        if not over or since > _CALM:
            return over
        self._assessor.give_up()
        end = loop.time() + _MOST_CALM
        while (left := min(self.heeded_at + _CALM, end) - loop.time()) > 0:
            await asyncio.sleep(left)
            if self._inbox.take_edits():
                self.heeded_at = loop.time()
        return await self._proposals.carried_over() or not self._proposals.collides

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
