"""Ending a task from outside the loop, by an interrupt or after a crash, so that the conversation stays whole."""

from __future__ import annotations

from collections.abc import Callable

from agent_core import events as ev
from agent_core.conversation import Item, ToolResultItem, UserItem
from agent_core.parts import Parts
from agent_core.prompt import replies, review_words
from agent_core.state import ProposalState, State


class Ending:
    """Ends tasks of one session.

    Args:
        parts: The session's parts.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @property
    def _state(self) -> State:
        return self._parts.state()

    def left(self, task: int, start: Callable[[int], None]) -> None:
        """Go on with the task that a resumed session was left with where that waits for the human, else end it.

        Args:
            task: Its number.
            start: Goes on with a task.
        """
        proposal = self._state.proposal
        mine = proposal if proposal is not None and proposal.task == task else None
        if mine is not None and self._has_landed(mine):
            self._landed(task, mine)
            return
        is_open = mine is not None and mine.call_id in replies.unanswered(self._state.items)
        if mine is not None and mine.decision == "reject" and is_open:
            text = f"You had rejected proposal {mine.number} when pairloop ended. Say how to go on."
            self.close(task, "interrupted", text)
        elif mine is not None and (self._state.waiting or is_open):
            start(task)
        else:
            text = "The partner was at work when pairloop ended. Say how to go on, or ask for something else."
            self.close(task, "interrupted", text)

    def interrupted(self, task: int) -> None:
        """End a task that the human stopped."""
        proposal = self._state.proposal
        if proposal is not None and proposal.task == task and self._has_landed(proposal):
            self._landed(task, proposal)
        else:
            before = "" if self._landed_before(task) else " Nothing of it was landed."
            self.close(task, "interrupted", f"Interrupted.{before}")

    def close(self, task: int, outcome: ev.TaskOutcome, text: str) -> None:
        """End a task; no call is left unanswered, and the partner is told what it has not heard yet."""
        results: tuple[ToolResultItem, ...] = replies.cut_short(self._state.items)
        proposal = self._state.proposal
        said = self._verbatim(proposal, outcome) if proposal is not None else ""
        if proposal is not None and said:
            results = tuple(
                ToolResultItem(result.call_id, said) if result.call_id == proposal.call_id else result
                for result in results
            )
        items: list[Item] = list(results)
        if proposal is not None and said and proposal.of and not self._was_told(proposal, items):
            items.append(UserItem(said))
        if not items and outcome == "interrupted" and self._state.items:
            items.append(UserItem(replies.INTERRUPTED))
        self._parts.append(*items)
        self._parts.emit(ev.TaskFinished(task, outcome, text), durable=True)

    def _landed(self, task: int, proposal: ProposalState) -> None:
        """End a task whose last proposal has landed: all of it, or a part, so that the partner was to go on."""
        if not proposal.of:
            self.close(task, "landed", "")
            return
        text = (
            f"What you took of proposal {proposal.number} has landed ({proposal.taken} of {proposal.of} parts). The "
            "partner has not gone on with the rest: say how to go on."
        )
        self.close(task, "interrupted", text)

    def _verbatim(self, proposal: ProposalState, outcome: ev.TaskOutcome) -> str:
        """What the human decided on a proposal whose partner has not heard it yet; empty when it is still open."""
        content = self._parts.journal.get
        if proposal.of and self._has_landed(proposal):
            return review_words.part_landed(proposal, content, self._parts.tool_tokens // 2)
        if outcome == "landed":
            return review_words.with_said(replies.landed_part(proposal.number, proposal.reason), proposal, content)
        if proposal.decision != "reject":
            return ""
        return review_words.with_marks(replies.rejected_part(proposal.number, proposal.reason), proposal, content)

    def _was_told(self, proposal: ProposalState, about_to: list[Item]) -> bool:
        """Whether the partner knows, or is about to, that a part of a proposal has landed."""
        head = review_words.head(proposal.number)
        every = (*self._state.items, *about_to)
        texts = [one.text for one in every if isinstance(one, UserItem)]
        texts += [one.output for one in every if isinstance(one, ToolResultItem)]
        return any(head in text for text in texts)

    def _has_landed(self, proposal: ProposalState) -> bool:
        return any(one.proposal == proposal.number and one.stands == "landed" for one in self._state.landings)

    def _landed_before(self, task: int) -> bool:
        return any(self._has_landed(one) for one in self._state.proposals if one.task == task)
