"""The loop: propose -> check -> diagnose -> decide -> land, until green or out of attempts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from agent_core import events as ev
from agent_core.answering import Answering
from agent_core.assessor import Assessor
from agent_core.calls import Calls
from agent_core.compacting import Compactor
from agent_core.deciding import Deciding
from agent_core.decisions import Decision, Inbox
from agent_core.diagnosis.blame import Blamer
from agent_core.draft import Draft
from agent_core.errors import BudgetError, PairloopError
from agent_core.forms import Forms
from agent_core.introducing import Introducing
from agent_core.judge import Judge
from agent_core.judging import Judging
from agent_core.landings import Landings
from agent_core.memory.repeats import wanted
from agent_core.parts import Parts
from agent_core.prompt import replies
from agent_core.prompt.review_words import (
    leaves_anything,
    part_landed,
    says_anything,
    with_said,
)
from agent_core.proposals import Proposals
from agent_core.reviewing import counted
from agent_core.seeking import End, Proposed, Seeking
from agent_core.state import ProposalState
from agent_core.taking import Taking


class Loop:
    """Works on one task after the other.

    Args:
        parts: The session's parts.
        judge: Checks drafts.
        landings: Lands what is accepted.
        inbox: Where the human's answers arrive.
        beside: Waits until nothing more is looked for beside the partner, or the human says something.

    Attributes:
        compactor: Keeps the conversation within the partner's context.
        taking: Has a repair proposed that was found without a model.
    """

    def __init__(
        self,
        parts: Parts,
        judge: Judge,
        landings: Landings,
        inbox: Inbox,
        beside: Callable[[], Awaitable[None]],
    ) -> None:
        self._parts = parts
        self._landings = landings
        self._proposals = Proposals(parts)
        self._assessor = Assessor(parts, judge, Blamer(parts.workspace, judge.checks), inbox.news)
        self._judging = Judging(parts, self._proposals, self._assessor, judge.checks, inbox)
        self._deciding = Deciding(parts, self._proposals, self._assessor, self._judging, inbox)
        forms = Forms(parts)
        self.calls = Calls(parts, judge, self._proposals, inbox, self._assessor.quiet, forms=forms)
        self.compactor = Compactor(parts, lambda: self.calls.specs)
        self.taking = Taking(parts, self._proposals, self._assessor, beside)
        self._answering = Answering(parts, self._proposals, self._assessor)
        self._seeking = Seeking(
            parts,
            self._proposals,
            self._judging,
            calls=self.calls,
            forms=forms,
            compactor=self.compactor,
            answering=self._answering,
            introducing=Introducing(parts, judge),
        )

    async def run(self, task: int) -> None:
        """Work on a task to its end; the last event is `TaskFinished`.

        A proposal that waits from before, in a resumed session, is taken up where it stood.
        """
        try:
            end = await self._work(task)
        except BudgetError as error:
            before = "" if self._proposals.has_landed(task) else " Nothing of it was landed."
            end = End("not_green", f"{error}{before}", "budget")
        except PairloopError as error:
            end = End("failed", str(error), getattr(error, "kind", ""))
        except BaseException:
            await self._assessor.stop()
            raise
        if end.outcome != "landed" and self._assessor.busy:
            await self._assessor.stop()
        self._proposals.drop()
        self.taking.forget()
        # No call may stay unanswered: the next request must be whole.
        self._parts.append(*replies.cut_short(self._parts.state().items))
        self._parts.emit(ev.TaskFinished(task, end.outcome, end.text, end.kind), durable=True)

    @property
    def draft(self) -> Draft | None:
        """The partner's draft; None while no task runs."""
        return self._proposals.current

    async def close(self) -> None:
        """End what runs in the background."""
        await self.compactor.stop()
        await self._assessor.stop()

    async def _work(self, task: int) -> End:
        tries = self._parts.config.loop.max_attempts
        limit = tries
        await self._seeking.begin()
        await self._assessor.quiet()
        resumed = await self._judging.resumed(task)
        if resumed is None:
            await self._seeking.introduce()
        found: Proposed | End | None = Proposed(resumed) if resumed is not None else None
        while True:
            found = found or await self._next(task)
            end = found if isinstance(found, End) else None
            if isinstance(found, Proposed):
                number = found.proposal.attempt
                # What is found without the partner is no attempt of its own.
                limit += found.proposal.by == "repair" and not found.asks
                end = await self._concluded(found.proposal, final=found.said_all or number >= limit, asks=found.asks)
                if number >= limit:
                    # Where it goes on although the attempts are used up the human wants it to.
                    limit = number + tries
            found = await self._instead(end, found, task) if end is not None else None
            if isinstance(found, End):
                return found

    async def _instead(self, end: End, found: Proposed | End, task: int) -> Proposed | End | None:
        """What takes the place of an end at which the partner has come to nothing.

        Args:
            end: The end.
            found: What it is the end of.
            task: The task.

        Returns:
            What is to be decided on instead; None where the partner is asked on; else the end itself.
        """
        if not end.empty:
            return end
        going = await self.taking.at_last(task)
        if going == "proposed":
            return Proposed(await self._judging.judged(), said_all=True)
        if isinstance(found, End):
            return None if going == "said" else end
        proposal = self._proposals.newest
        if going == "said":
            self._parts.emit(ev.Decided(proposal.number, "steer", "mode"), durable=True)
            self._answering.go_on(proposal, "")
            return None
        return end if found.asks else Proposed(proposal, said_all=True, asks=True)

    async def _next(self, task: int) -> Proposed | End:
        """The partner's next proposal, or a repair found without it that the human wants first."""
        while True:
            found = await self.taking.unless(self._seeking.next(task))
            if self.taking.wanted is None:
                assert found is not None, "it was not ended"
                return found
            if await self.taking.propose(task):
                return Proposed(await self._judging.judged())

    async def _concluded(self, proposal: ProposalState, *, final: bool, asks: bool) -> End | None:
        """Have a judged proposal decided on, and act on it.

        Args:
            proposal: The proposal.
            final: Nothing more will come by itself: attempts are used up, or the partner has no more to say.
            asks: See `Deciding.decision`.

        Returns:
            How the task ended; None when the partner goes on.
        """
        parts, refused = self._parts, ""
        while True:
            decision = await self._deciding.decision(final=final, refused=refused, asks=asks)
            proposal = self._proposals.newest
            if decision is None:
                return self._where_it_stands(proposal)
            if decision.kind == "fix":
                await self._judging.mend(proposal)
                continue
            if decision.kind == "land":
                landed = await self._landed_part(proposal, decision)
                if isinstance(landed, str):
                    refused = landed
                    continue
                return landed
            parts.emit(ev.Decided(proposal.number, decision.kind, decision.by, decision.reason), durable=True)
            if decision.kind == "accept":
                await self._assessor.quiet()
                refused = await self._landings.land(proposal)
                if not refused:
                    words = replies.landed_part(proposal.number, decision.reason)
                    self._answering.tell(proposal, with_said(words, proposal, parts.journal.get))
                    if not decision.reason and not says_anything(proposal) and not self._unheard:
                        return End("landed", "")
                    self._proposals.begin(await parts.look())
                    return None
                if decision.by == "mode":
                    return End("conflict", f"Proposal {proposal.number} could not land. {refused}")
                continue
            if decision.kind == "reject":
                await self._assessor.stop()
                self._answering.send_back(proposal, replies.rejected_part(proposal.number, decision.reason))
                self._proposals.begin(await parts.look())
            else:
                if self._assessor.busy:
                    await self._assessor.stop()
                self._answering.go_on(proposal, decision.reason)
            return None

    async def _landed_part(self, proposal: ProposalState, decision: Decision) -> End | str | None:
        """Land what the human took of a proposal, and send back the rest.

        Returns:
            How the task ended; None when the partner goes on with what was left or said; why it could not land, as
            words.
        """
        parts, part = self._parts, self._deciding.part
        assert part is not None, "a part is what lands"
        for content in part.contents.values():
            parts.journal.put(content)
        taken, of = counted(proposal)
        parts.emit(ev.Decided(proposal.number, "accept", decision.by, decision.reason, taken, of), durable=True)
        await self._assessor.stop()
        refused = await self._landings.land(proposal, part.patch)
        if refused:
            return refused
        decided = self._proposals.newest
        self._answering.tell(decided, part_landed(decided, parts.journal.get, parts.tool_tokens // 2))
        silent = not decision.reason and not says_anything(proposal) and not self._unheard
        if silent and not leaves_anything(proposal, parts.journal.get):
            return End("landed", "")
        self._proposals.begin(await parts.look())
        return None

    @property
    def _unheard(self) -> bool:
        """Whether the human has said something that the partner has not been told; comments become a task of theirs."""
        return any(not how.markers for how in self._parts.state().pointed)

    def _where_it_stands(self, proposal: ProposalState) -> End:
        """How a task ends in which nothing more comes and nothing was landed."""
        verdict, collisions = proposal.verdict, self._proposals.collisions
        if collisions and (verdict is None or verdict.green or not verdict.complete):
            # Not for what the checks say, of which nothing counts: the human has written at the same places.
            text = f"Proposal {proposal.number} could not land. It collides with your own edits."
            self._parts.emit(ev.LandingConflicted(proposal.number, 0, text, collisions))
            return End("conflict", text)
        summary = verdict.summary if verdict else "it was not checked"
        if verdict is not None and verdict.green and not verdict.unable and not wanted(self._parts.state(), proposal):
            text = (
                f"Nothing was landed, as you did not want what proposal {proposal.number} does. Ask for it to get it."
            )
            return End("not_green", text)
        if verdict is not None and verdict.green:
            return End("not_green", f"Nothing was landed, as not every check could judge: {summary}.")
        tries = "1 attempt" if proposal.attempt == 1 else f"{proposal.attempt} attempts"
        return End("not_green", f"Not green after {tries}: {summary}. Nothing was landed.")
