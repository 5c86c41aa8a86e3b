"""What the parts of the fold have in common."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from agent_core.chat_entries import ChatEntry, Notice, Said, ToolUse
from agent_core.checks.verdict_words import stopped
from agent_core.state import CheckState, ProposalState, State


def say(state: State, entry: ChatEntry, **changes: Any) -> State:
    """Let the chat grow by an entry, and change what else there is to change."""
    return msgspec.structs.replace(state, chat=(*state.chat, entry), **changes)


def tell(state: State, notice: Notice, **changes: Any) -> State:
    """Say what there is to say of a proposal in the place of what was said of it before."""
    for index in range(len(state.chat) - 1, -1, -1):
        old = state.chat[index]
        if isinstance(old, Notice) and (old.about, old.proposal) == (notice.about, notice.proposal):
            chat = (*state.chat[:index], notice, *state.chat[index + 1 :])
            return msgspec.structs.replace(state, chat=chat, **changes)
    return say(state, notice, **changes)


def doubted(state: State, proposals: Collection[int]) -> State:
    """What the chat says of the checks of some proposals is not about what is there, and nobody goes on with it."""
    chat = tuple(
        msgspec.structs.replace(entry, text=stopped(entry.text), doubt="stale")
        if isinstance(entry, Notice) and entry.about in {"verdict", "diagnosis"} and entry.proposal in proposals
        else entry
        for entry in state.chat
    )
    return msgspec.structs.replace(state, chat=chat)


def replace_proposal(state: State, number: int, **changes: Any) -> tuple[ProposalState, ...]:
    """The proposals, with one of them changed."""
    return tuple(
        msgspec.structs.replace(proposal, **changes) if proposal.number == number else proposal
        for proposal in state.proposals
    )


def close_answer(state: State, *, partial: bool) -> State:
    """Move the live answer into the transcript."""
    said = state.live if state.live.strip() else ""
    thought = state.live_reasoning.strip()
    chat = (*state.chat, Said("partner", said, partial and bool(said), thought)) if said or thought else state.chat
    return msgspec.structs.replace(state, chat=chat, live="", live_reasoning="", live_patch="", retry=None)


def stop_tools(state: State) -> State:
    """Whoever ran a tool is gone, so it will not end any more."""
    chat = tuple(
        msgspec.structs.replace(entry, ok=False, summary="interrupted", printed="")
        if isinstance(entry, ToolUse) and entry.ok is None
        else entry
        for entry in state.chat
    )
    return msgspec.structs.replace(state, chat=chat)


def without_running(checks: Sequence[CheckState]) -> tuple[CheckState, ...]:
    """Checks without those of a candidate that have not ended, as nobody goes on with them."""
    return tuple(check for check in checks if check.outcome is not None or check.where == "baseline")


def checks_stopped(state: State, proposals: Collection[int]) -> State:
    """Nobody checks some proposals any more: what had not spoken is not on its way."""
    if state.proposal is not None and state.proposal.number in proposals:
        state = msgspec.structs.replace(state, checks=without_running(state.checks))
    cut = {
        one.number: stopped(one.verdict.summary)
        for one in state.proposals
        if one.number in proposals and one.verdict is not None and not one.verdict.complete
    }
    if not cut:
        return state
    chat = tuple(
        msgspec.structs.replace(entry, text=cut[entry.proposal])
        if isinstance(entry, Notice) and entry.about == "verdict" and entry.proposal in cut
        else entry
        for entry in state.chat
    )
    told = tuple(
        msgspec.structs.replace(one, verdict=msgspec.structs.replace(one.verdict, summary=cut[one.number]))
        if one.verdict is not None and one.number in cut
        else one
        for one in state.proposals
    )
    return msgspec.structs.replace(state, chat=chat, proposals=told)
