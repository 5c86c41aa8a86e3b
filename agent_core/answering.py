"""What the partner is answered to a proposal: the verdict, what was decided and said of it, which block is to blame."""

from __future__ import annotations

from agent_core.assessor import Assessor
from agent_core.conversation import ToolResultItem, UserItem
from agent_core.parts import Parts
from agent_core.prompt import replies
from agent_core.prompt.review_words import rest_kept, with_marks
from agent_core.proposals import Proposals
from agent_core.state import ProposalState


class Answering:
    """Answers the partner.

    Args:
        parts: The session's parts.
        proposals: The proposals.
        assessor: Judges them.
    """

    def __init__(self, parts: Parts, proposals: Proposals, assessor: Assessor) -> None:
        self._parts = parts
        self._proposals = proposals
        self._assessor = assessor
        self._blamed = 0

    def tell(self, proposal: ProposalState, words: str) -> None:
        """Answer the call that made a proposal, or say it plainly when that call has been answered before."""
        if proposal.call_id and not self._proposals.is_open(proposal):
            self._parts.append(UserItem(words))
            return
        verdict, summary, evidence = proposal.verdict, "not checked", ""
        if verdict is not None:
            summary = verdict.summary
            evidence = "" if verdict.green else self._assessor.diagnosis(proposal, verdict)[1]
            if proposal.blames and self._blamed != proposal.number:
                self._blamed = proposal.number
                evidence = "\n\n".join(part for part in (replies.blame_part(proposal), evidence) if part)
        part = replies.verdict_part(proposal.number, summary, evidence, proposal.note)
        text = f"{part}\n\n{words}"
        self._parts.append(ToolResultItem(proposal.call_id, text) if proposal.call_id else UserItem(text))

    def send_back(self, proposal: ProposalState, words: str) -> None:
        """Tell a decision by which nothing of a proposal landed, with what the human said of parts of it."""
        self.tell(proposal, with_marks(words, proposal, self._parts.journal.get))

    def go_on(self, proposal: ProposalState, reason: str) -> None:
        """Send a proposal back and have its draft stay for the partner to go on from."""
        if self._proposals.collides:
            # Over the old text it would collide with every patch the partner sends for the new one.
            self.send_back(proposal, rest_kept(reason, anything=self._proposals.keep_rest()))
        else:
            self.send_back(proposal, replies.go_on_part(reason))

    def tell_blame(self) -> None:
        """Tell the partner which blocks are to blame, if that was found out after it was told the verdict."""
        proposal = self._parts.state().proposal
        if proposal is None or not proposal.blames or self._blamed == proposal.number:
            return
        self._blamed = proposal.number
        if proposal.decision == "steer" and not self._proposals.is_open(proposal):
            self._parts.append(UserItem(replies.blame_part(proposal)))
