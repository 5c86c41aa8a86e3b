"""Who decides on a proposal: the human, or the mode they chose."""

from __future__ import annotations

import asyncio
from typing import Literal, TypeVar

import msgspec

from agent_core import commands
from agent_core.events import ApprovalAsked, DecisionKind, Mode, QuestionAsked
from agent_core.parts import Emit
from agent_core.state import State

Told = TypeVar("Told")


class Decision(msgspec.Struct, frozen=True):
    """What is to become of a proposal.

    Attributes:
        proposal: Its number; a decision on another than the waiting one is void.
        kind: Accept, reject, or go on from it; have what can be mended safely mended first; or land what was taken.
        reason: Words for the partner; may be empty.
        by: Who decided.
    """

    proposal: int
    kind: DecisionKind | Literal["fix", "land"]
    reason: str = ""
    by: Literal["human", "mode"] = "human"


class Word(msgspec.Struct, frozen=True):
    """The human's word on what the partner wants to do.

    Attributes:
        allowed: Whether it may.
        always: Rules to keep from now on, a line each; empty for this once.
        reason: Why not, or what to do instead.
    """

    allowed: bool
    always: str = ""
    reason: str = ""


Mark = commands.Take | commands.Comment | commands.Unmark | commands.Rewrite | commands.Settle
"""What a human says of parts of a proposal before they decide."""


def by_mode(mode: Mode, proposal: int, *, green: bool, final: bool) -> Decision | None:
    """What a mode decides by itself; None when the human has to be asked.

    Args:
        mode: The mode.
        proposal: Number of the proposal.
        green: Its verdict is green.
        final: Nothing more will come by itself: the attempts are used up, or the partner has no more to say.
    """
    if mode == "auto" and green:
        return Decision(proposal, "accept", by="mode")
    if mode in {"auto", "until-green"} and not green and not final:
        return Decision(proposal, "steer", by="mode")
    return None


def decides_now(mode: Mode, state: State) -> bool:
    """Whether a mode, chosen now, would decide on the proposal that waits for the human; see `by_mode`."""
    proposal = state.proposal
    green = proposal is not None and proposal.green
    return bool(state.waiting) and by_mode(mode, state.waiting, green=green, final=False) is not None


class Inbox:
    """Where the human's answers reach the loop.

    Args:
        emit: Adds an event to the session.
    """

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._decisions: asyncio.Queue[Decision | Mark] = asyncio.Queue()
        self._approvals: asyncio.Queue[tuple[str, Word]] = asyncio.Queue()
        self._answers: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._woken = asyncio.Event()
        self._edits = False

    def decide(self, decision: Decision | Mark) -> None:
        """Hand in a decision, or a mark; they are worked on in the order in which they come."""
        self._decisions.put_nowait(decision)

    def approve(self, call_id: str, word: Word) -> None:
        """Hand in the answer to what waits to be allowed."""
        self._approvals.put_nowait((call_id, word))

    def reply(self, call_id: str, text: str) -> None:
        """Hand in the answer to a question of the partner's."""
        self._answers.put_nowait((call_id, text))

    def edited(self) -> None:
        """Say that the working tree changed, or what else may change what is to be decided."""
        self._edits = True
        self._woken.set()

    def news(self) -> None:
        """Say that more is known of the proposal."""
        self._woken.set()

    def take_edits(self) -> bool:
        """Whether `edited` was called since this was last asked."""
        edits, self._edits = self._edits, False
        return edits

    async def woken(self) -> None:
        """Wait until the working tree changes or there is news."""
        await self._woken.wait()
        self._woken.clear()

    def late(self) -> tuple[Decision, ...]:
        """Take away decisions that nobody waits for: they are about a proposal as it was before it changed.

        Marks stay: they name what they are about.
        """
        found, marks = [], []
        while not self._decisions.empty():
            entry = self._decisions.get_nowait()
            if isinstance(entry, Decision):
                found.append(entry)
            else:
                marks.append(entry)
        for mark in marks:
            self._decisions.put_nowait(mark)
        return tuple(found)

    async def decision(self, proposal: int) -> Decision | Mark | None:
        """Wait for a decision on a proposal, or a mark in it.

        Args:
            proposal: Its number; what is about another one is dropped.

        Returns:
            The decision or the mark; None when the working tree changes, or there is news, first.
        """
        while True:
            decided = asyncio.ensure_future(self._decisions.get())
            woken = asyncio.ensure_future(self._woken.wait())
            try:
                await asyncio.wait({decided, woken}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                decided.cancel()
                woken.cancel()
            if not decided.done() or decided.cancelled():
                self._woken.clear()
                return None
            if decided.result().proposal == proposal:
                return decided.result()

    async def approval(self, asked: ApprovalAsked) -> Word:
        """Ask the human whether something may be done, and wait for the answer."""
        return await self._told(asked, self._approvals)

    async def answer(self, asked: QuestionAsked) -> str:
        """Ask the human a question of the partner's, and wait for the answer."""
        return await self._told(asked, self._answers)

    async def _told(self, asked: ApprovalAsked | QuestionAsked, answers: asyncio.Queue[tuple[str, Told]]) -> Told:
        """Ask, and wait; an answer from before the question, or to another one, is void."""
        while not answers.empty():
            answers.get_nowait()
        self._emit(asked)
        while True:
            answered, word = await answers.get()
            if answered == asked.call_id:
                return word
