"""The loop: propose -> check -> diagnose -> decide -> land, until green or out of attempts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec

from agent_core import events as ev
from agent_core.assessor import Assessor
from agent_core.calls import Calls
from agent_core.comments.words import asks_only
from agent_core.compacting import Compactor
from agent_core.conversation import ToolResultItem, UserItem
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
from agent_core.prompt.named_files import named_files
from agent_core.prompt.review_words import (
    leaves_anything,
    part_landed,
    rest_kept,
    says_anything,
    with_marks,
    with_said,
)
from agent_core.proposals import Proposals
from agent_core.reviewing import counted
from agent_core.state import ProposalState, State
from agent_core.taking import Taking
from agent_core.turn import BrokenRequests, take_turn
from agent_core.view import shown

_MOST_REPAIRS = 3
_BASELINE_WAIT = 5.0
_NO_WORDS = "The partner's answer was empty, and it sent no patch that could be taken. Ask again, in other words."


class End(msgspec.Struct, frozen=True):
    """How a task ended.

    Attributes:
        outcome: See `agent_core.events.TaskFinished`.
        text: Where it stands, for the human.
        kind: The kind of the partner's error, if that is what ended it.
    """

    outcome: ev.TaskOutcome
    text: str
    kind: str = ""

    @property
    def empty(self) -> bool:
        """Whether the partner came to nothing, or to words alone."""
        return self.outcome in {"answered", "not_green"} and not self.kind


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
        self._judge = judge
        self._landings = landings
        self._introducing = Introducing(parts)
        self._proposals = Proposals(parts)
        self._assessor = Assessor(parts, judge, Blamer(parts.workspace, judge.checks), inbox.news)
        self._judging = Judging(parts, self._proposals, self._assessor, judge.checks, inbox)
        self._deciding = Deciding(parts, self._proposals, self._assessor, self._judging, inbox)
        self._forms = Forms(parts)
        self.calls = self._calls = Calls(parts, judge, self._proposals, inbox, self._assessor.quiet, forms=self._forms)
        self.compactor = Compactor(parts, lambda: self._calls.specs)
        self.taking = Taking(parts, self._proposals, self._assessor, beside)
        self._broken = BrokenRequests(0)
        self._blamed = 0
        self._nudged = 0
        self._steps = 0
        self._repairs = 0

    async def run(self, task: int) -> None:
        """Work on a task to its end; the last event is `TaskFinished`.

        A proposal that waits from before, in a resumed session, is taken up where it stood.
        """
        try:
            end = await self._work(task)
        except BudgetError as error:
            before = "" if self._has_landed(task) else " Nothing of it was landed."
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
        limit, self._steps, self._repairs, self._blamed = tries, 0, 0, 0
        self._broken = BrokenRequests(self._parts.config.loop.max_broken_requests)
        await self._calls.begin()
        await self._assessor.quiet()
        resumed = await self._judging.resumed(task)
        if resumed is None:
            await self._begin()
        given, asks = (resumed, False) if resumed is not None else None, False
        while True:
            found = given or await self._next(task)
            given, end = None, found if isinstance(found, End) else None
            if not isinstance(found, End):
                proposal, said_all = found
                # What is found without the partner is no attempt of its own.
                limit += proposal.by == "repair" and not asks
                end = await self._concluded(proposal, final=said_all or proposal.attempt >= limit, asks=asks)
                if proposal.attempt >= limit:
                    # Where it goes on although the attempts are used up the human wants it to.
                    limit = proposal.attempt + tries
            going, asked, asks = await self._at_last(end, task), asks, False
            if end is not None and going == "nothing":
                if isinstance(found, End) or asked or not end.empty:
                    return end
                # Nothing takes the proposal's place: who can be asked about it is.
                given, asks = (self._proposals.newest, True), True
            elif going == "proposed":
                given = await self._judging.judged(), True
            elif going == "said" and not isinstance(found, End):
                proposal = self._proposals.newest
                self._parts.emit(ev.Decided(proposal.number, "steer", "mode"), durable=True)
                self._send_back(proposal, self._going_on(""))

    async def _at_last(self, end: End | None, task: int) -> Literal["proposed", "said", "nothing"]:
        """What takes the place of an end at which the partner has come to nothing; see `Taking.at_last`."""
        return await self.taking.at_last(task) if end is not None and end.empty else "nothing"

    async def _next(self, task: int) -> tuple[ProposalState, bool] | End:
        """The partner's next proposal, or a repair found without it that the human wants first; see `_sought`."""
        while True:
            found = await self.taking.unless(self._sought(task))
            if self.taking.wanted is None:
                assert found is not None, "it was not ended"
                return found
            if await self.taking.propose(task):
                return await self._judging.judged(), False

    async def _sought(self, task: int) -> tuple[ProposalState, bool] | End:
        """Ask the partner until it has proposed something.

        Returns:
            The proposal, judged, and whether the partner has no more to say about it; or how the task ended.
        """
        refusals, most = 0, self._parts.config.loop.max_refusals
        while refusals < most and not self._calls.repeated and self._steps < self._parts.config.loop.max_steps:
            self._steps += 1
            self._tell_blame()
            self._parts.append(*self._introducing.rules(self._proposals.view))
            calls = await take_turn(self._parts, self._calls.specs, self._broken, self.compactor)
            if not calls:
                proposal = self._proposals.undecided(task)
                if await self._goes_on(proposal):
                    continue
                return await self._done_talking(task, proposal)
            refused, proposed = await self._calls.carry_out(calls, task)
            if proposed:
                return await self._judging.judged(), False
            refusals += refused
            if await self._forms.switch(self._proposals.view):
                self._calls.forgive()
        if self._calls.propose_held(task):
            return await self._judging.judged(), True
        if again := self._calls.repeated:
            return End(
                "not_green", f"Stopped: the partner sends the same patch again and again, which is refused: {again}"
            )
        if refusals >= most:
            return End("not_green", f"Stopped: {refusals} patches in a row could not be applied.")
        return End("not_green", f"Stopped after {self._steps} requests without a result. Ask again to go on.")

    async def _done_talking(self, task: int, proposal: ProposalState | None) -> tuple[ProposalState, bool] | End:
        """What it comes to when the partner has called nothing and is not asked again; see `_sought`."""
        if self._calls.propose_held(task):
            return await self._judging.judged(), True
        if proposal is not None:
            return await self._judging.once_more(), True
        if self._has_landed(task):
            return End("landed", "")
        return End("answered", "") if replies.last_words(self._parts.state().items) else End("not_green", _NO_WORDS)

    @property
    def _unheard(self) -> bool:
        """Whether the human has said something that the partner has not been told; comments become a task of theirs."""
        return any(not how.markers for how in self._parts.state().pointed)

    def _has_landed(self, task: int) -> bool:
        """Whether anything of what was proposed in a task stands in the working tree."""
        state = self._parts.state()
        mine = {one.number for one in state.proposals if one.task == task}
        return any(one.proposal in mine and one.stands == "landed" for one in state.landings)

    async def _begin(self) -> None:
        """Start a task: a fresh draft, and the first words."""
        parts = self._parts
        base = await parts.look()
        self._proposals.begin(base)
        state = parts.state()
        text, view = state.tasks[-1].text, self._proposals.view
        named: tuple[str, ...] = ()
        if told := state.tasks[-1].told:
            text = told
        else:
            named = await asyncio.to_thread(named_files, text, view.paths(), view.read)
            text = replies.task_part(text, await shown(view, named, parts.tool_tokens))
        if not state.items:
            about = await self._introducing.documents(view)
            known = await self._judge.known(base, wait=0.0 if parts.model.info.looks_itself else _BASELINE_WAIT)
            drawn = await self._introducing.map(view, f"{state.tasks[-1].text}\n{known}", named)
            text = replies.first_item("\n\n".join(filter(None, (about, drawn))), known, text)
        if form := self._forms.opening():
            text = f"{text}\n\n{form}"
        parts.append(*replies.cut_short(state.items), UserItem(text))

    async def _goes_on(self, proposal: ProposalState | None) -> bool:
        """Whether to ask the partner again although it called no tool."""
        state = self._parts.state()
        if state.queued:
            return True
        if self._repairs < _MOST_REPAIRS and (repair := self._repair(state, proposal)):
            self._repairs += 1
            self._forms.failed(meant=replies.looks_like_patch(replies.last_words(state.items)))
            if await self._forms.switch(self._proposals.view):
                self._calls.forgive()
            else:
                self._parts.append(UserItem(repair))
            return True
        if proposal is None or state.mode == "step" or (proposal.verdict and proposal.verdict.green):
            return False
        if self._nudged == proposal.number:
            return False
        # Weak models announce what they will do and stop: told once per proposal that words are not enough.
        self._nudged = proposal.number
        self._parts.append(UserItem(replies.NUDGE))
        return True

    def _repair(self, state: State, proposal: ProposalState | None) -> str:
        """What to tell a partner that said nothing, or seems to have meant a patch and sent none; else empty."""
        words = replies.last_words(state.items)
        if not words:
            # Beside a proposal that is not green there is something to be said on that.
            return replies.EMPTY if proposal is None else ""
        newest = next((item.text for item in reversed(state.items) if isinstance(item, UserItem)), "")
        if (state.task is not None and state.task.answers) or asks_only(newest):
            return ""
        form = self._forms.form
        if replies.looks_like_patch(words):
            return replies.not_a_call(form)
        if self._forms.failing and not self._proposals.draft.changes:
            return replies.not_sent(form)
        # Models behind compatible servers are often weak: they write the code down instead of calling a tool. Asked
        # once a task, as it may be meant as an answer.
        weak = self._parts.model.info.kind == "chat"
        return replies.code_in_words(form) if weak and not self._repairs and replies.holds_code(words) else ""

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
                    self._tell(proposal, with_said(words, proposal, parts.journal.get))
                    if not decision.reason and not says_anything(proposal) and not self._unheard:
                        return End("landed", "")
                    self._proposals.begin(await parts.look())
                    return None
                if decision.by == "mode":
                    return End("conflict", f"Proposal {proposal.number} could not land. {refused}")
                continue
            if decision.kind == "reject":
                await self._assessor.stop()
                self._send_back(proposal, replies.rejected_part(proposal.number, decision.reason))
                self._proposals.begin(await parts.look())
            else:
                if self._assessor.busy:
                    await self._assessor.stop()
                self._send_back(proposal, self._going_on(decision.reason))
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
        self._tell(decided, part_landed(decided, parts.journal.get, parts.tool_tokens // 2))
        silent = not decision.reason and not says_anything(proposal) and not self._unheard
        if silent and not leaves_anything(proposal, parts.journal.get):
            return End("landed", "")
        self._proposals.begin(await parts.look())
        return None

    def _going_on(self, reason: str) -> str:
        """Have the draft stay for the partner to go on from; gives what it is told of that."""
        if not self._proposals.collides:
            return replies.go_on_part(reason)
        # Over the old text it would collide with every patch the partner sends for the new one.
        return rest_kept(reason, anything=self._proposals.keep_rest())

    def _tell_blame(self) -> None:
        """Tell the partner which blocks are to blame, if that was found out after it was told the verdict."""
        proposal = self._parts.state().proposal
        if proposal is None or not proposal.blames or self._blamed == proposal.number:
            return
        self._blamed = proposal.number
        if proposal.decision == "steer" and not self._proposals.is_open(proposal):
            self._parts.append(UserItem(replies.blame_part(proposal)))

    def _send_back(self, proposal: ProposalState, words: str) -> None:
        """Tell a decision by which nothing of a proposal landed, with what the human said of parts of it."""
        self._tell(proposal, with_marks(words, proposal, self._parts.journal.get))

    def _tell(self, proposal: ProposalState, words: str) -> None:
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
