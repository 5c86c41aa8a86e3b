"""The part of the fold that is about what a human marks in a proposal, and about what they run and take back."""

from __future__ import annotations

from typing import Any

import msgspec

from agent_core import events as ev
from agent_core.review import carried
from agent_core.state import ProposalState, Ran, Said, State

_MOST_KEPT = 200


def _on(state: State, number: int, **changes: Any) -> State:
    proposals = tuple(
        msgspec.structs.replace(one, **changes) if one.number == number else one for one in state.proposals
    )
    return msgspec.structs.replace(state, proposals=proposals)


def reviewed(state: State, event: ev.Reviewed) -> State:
    """Something was marked, or a mark was taken back."""
    old = next((one for one in state.proposals if one.number == event.proposal), None)
    if old is None:
        return state
    before = old.reviews[:-1] if event.back else (*old.reviews, old.review)[-_MOST_KEPT:]
    part = old.part if event.part_tree == old.part_tree else None
    return _on(
        state,
        event.proposal,
        review=event.review,
        reviews=before,
        part_tree=event.part_tree,
        part=part,
        part_trouble=event.trouble,
    )


def overlapped(state: State, event: ev.Overlapped) -> State:
    """The human's own edits meet the proposal, or do not any more."""
    return _on(state, event.proposal, overlaps=event.overlaps)


def said_again(new: ProposalState, old: ProposalState) -> ProposalState:
    """A proposal that takes the place of one of the same number keeps what was marked in it.

    What is taken makes another tree now; what it comes to is said by the next `Reviewed`.
    """
    review = carried(old.review, new.patch)
    reviews = tuple(carried(one, new.patch) for one in old.reviews)
    return msgspec.structs.replace(new, review=review, reviews=reviews)


def withdrawn(state: State, event: ev.Withdrawn) -> State:
    """Words were taken back before the partner heard them."""
    queued = tuple(text for at, text in enumerate(state.queued) if at != event.index)
    chat = list(state.chat)
    for at in range(len(chat) - 1, -1, -1):
        entry = chat[at]
        if isinstance(entry, Said) and entry.who == "human" and entry.text == event.text:
            del chat[at]
            break
    return msgspec.structs.replace(state, queued=queued, chat=tuple(chat))


def shell_started(state: State, event: ev.ShellStarted) -> State:
    """A command of the human's own runs."""
    return msgspec.structs.replace(state, chat=(*state.chat, Ran(event.id, event.line)))


def shell_finished(state: State, event: ev.ShellFinished) -> State:
    """It has ended."""
    chat = tuple(
        Ran(entry.id, entry.line, event.code, event.output, event.seconds, event.killed)
        if isinstance(entry, Ran) and entry.id == event.id and entry.code is None
        else entry
        for entry in state.chat
    )
    return msgspec.structs.replace(state, chat=chat)


def shells_stopped(state: State) -> State:
    """Whoever ran the human's commands is gone, so they will not end any more."""
    chat = tuple(
        msgspec.structs.replace(entry, code=-1, killed="interrupted")
        if isinstance(entry, Ran) and entry.code is None
        else entry
        for entry in state.chat
    )
    return msgspec.structs.replace(state, chat=chat)
