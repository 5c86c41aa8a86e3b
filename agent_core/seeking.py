"""The partner asked until it has proposed something, and once more where it sends nothing that is of use."""

from __future__ import annotations

import msgspec

from agent_core import events as ev
from agent_core.answering import Answering
from agent_core.calls import Calls
from agent_core.comments.words import asks_only
from agent_core.compacting import Compactor
from agent_core.conversation import UserItem
from agent_core.forms import Forms
from agent_core.introducing import Introducing
from agent_core.judging import Judging
from agent_core.parts import Parts
from agent_core.prompt import replies
from agent_core.proposals import Proposals
from agent_core.state import ProposalState, State
from agent_core.turn import BrokenRequests, take_turn

_MOST_REPAIRS = 3
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


class Proposed(msgspec.Struct, frozen=True):
    """A proposal to be decided on.

    Attributes:
        proposal: The proposal, judged.
        said_all: The partner has no more to say about it.
        asks: Nothing takes its place: who can be asked about it is, in a mode that would not.
    """

    proposal: ProposalState
    said_all: bool = False
    asks: bool = False


class Seeking:
    """Asks the partner.

    Args:
        parts: The session's parts.
        proposals: The proposals.
        judging: Has the newest one judged.
        calls: What its answers call.
        forms: In which form it writes patches.
        compactor: Keeps the conversation within its context.
        answering: Tells it what became of its proposals.
        introducing: Tells it of the task.
    """

    def __init__(
        self,
        parts: Parts,
        proposals: Proposals,
        judging: Judging,
        *,
        calls: Calls,
        forms: Forms,
        compactor: Compactor,
        answering: Answering,
        introducing: Introducing,
    ) -> None:
        self._parts = parts
        self._proposals = proposals
        self._judging = judging
        self._calls = calls
        self._forms = forms
        self._compactor = compactor
        self._answering = answering
        self._introducing = introducing
        self._broken = BrokenRequests(0)
        self._nudged = 0
        self._steps = 0
        self._repairs = 0

    async def begin(self) -> None:
        """A task begins, or is taken up."""
        self._steps = self._repairs = 0
        self._broken = BrokenRequests(self._parts.config.loop.max_broken_requests)
        await self._calls.begin()

    async def introduce(self) -> None:
        """Tell it its task, over a fresh draft."""
        parts = self._parts
        base = await parts.look()
        self._proposals.begin(base)
        text = await self._introducing.task(self._proposals.view, base)
        if form := self._forms.opening():
            text = f"{text}\n\n{form}"
        parts.append(*replies.cut_short(parts.state().items), UserItem(text))

    async def next(self, task: int) -> Proposed | End:
        """Ask the partner until it has proposed something.

        Returns:
            The proposal; or how the task ended without one.
        """
        refusals, most = 0, self._parts.config.loop.max_refusals
        while refusals < most and not self._calls.repeated and self._steps < self._parts.config.loop.max_steps:
            self._steps += 1
            self._answering.tell_blame()
            self._parts.append(*self._introducing.rules(self._proposals.view))
            calls = await take_turn(self._parts, self._calls.specs, self._broken, self._compactor)
            if not calls:
                proposal = self._proposals.undecided(task)
                if await self._goes_on(proposal):
                    continue
                return await self._done_talking(task, proposal)
            refused, proposed = await self._calls.carry_out(calls, task)
            if proposed:
                return Proposed(await self._judging.judged())
            refusals += refused
            if await self._forms.switch(self._proposals.view):
                self._calls.forgive()
        if self._calls.propose_held(task):
            return Proposed(await self._judging.judged(), said_all=True)
        if again := self._calls.repeated:
            return End(
                "not_green", f"Stopped: the partner sends the same patch again and again, which is refused: {again}"
            )
        if refusals >= most:
            return End("not_green", f"Stopped: {refusals} patches in a row could not be applied.")
        return End("not_green", f"Stopped after {self._steps} requests without a result. Ask again to go on.")

    async def _done_talking(self, task: int, proposal: ProposalState | None) -> Proposed | End:
        """What it comes to when the partner has called nothing and is not asked again."""
        if self._calls.propose_held(task):
            return Proposed(await self._judging.judged(), said_all=True)
        if proposal is not None:
            return Proposed(await self._judging.once_more(), said_all=True)
        if self._proposals.has_landed(task):
            return End("landed", "")
        return End("answered", "") if replies.last_words(self._parts.state().items) else End("not_green", _NO_WORDS)

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
