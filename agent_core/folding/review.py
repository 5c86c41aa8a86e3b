"""The part of the fold that is about what a human marks in a proposal, and about what they run and take back."""

from __future__ import annotations

from typing import Any

import msgspec

from agent_core import events as ev
from agent_core.chat_entries import Ran, Said
from agent_core.checks.model import Verdict
from agent_core.folding.parts import checks_stopped
from agent_core.patch.model import Patch
from agent_core.review import Mark, carried, remarked, unsettled
from agent_core.state import CheckState, ProposalState, State

_MOST_KEPT = 200


def _on(state: State, number: int, **changes: Any) -> State:
    proposals = tuple(
        msgspec.structs.replace(one, **changes) if one.number == number else one for one in state.proposals
    )
    return msgspec.structs.replace(state, proposals=proposals)


def reviewed(state: State, event: ev.Reviewed) -> State:
    """Something was marked, a mark was taken back, or what the same marks come to is known or another now."""
    old = next((one for one in state.proposals if one.number == event.proposal), None)
    if old is None:
        return state
    before, review = old.reviews, remarked(old.review, event.changes)
    if event.back:
        before = before[:-1]
    elif event.changes:
        before = (*before, old.review)[-_MOST_KEPT:]
    part = old.part if event.part_tree == old.part_tree else None
    if event.part_tree != old.part_tree and old.number == state.waiting:
        state = _looking_at(state, event.part_tree or old.tree, None if event.part_tree else old.verdict)
    return _on(
        state,
        event.proposal,
        review=review,
        reviews=before,
        part_tree=event.part_tree,
        part=part,
        part_trouble=event.trouble,
    )


def _looking_at(state: State, tree: str, verdict: Verdict | None) -> State:
    """What is shown of the checks is about the tree that counts now, and where it was judged already about that."""
    kept = tuple(one for one in state.checks if one.where == "baseline" or one.tree == tree)
    there = {one.check for one in kept if one.where == "candidate"}
    again = tuple(
        CheckState(one.check, "candidate", one.tree, one.outcome, one.total, one.total, one)
        for one in (verdict.results if verdict is not None and verdict.complete else ())
        if one.check not in there
    )
    return msgspec.structs.replace(state, checks=(*kept, *again))


def overlapped(state: State, event: ev.Overlapped) -> State:
    """The human's own edits meet the proposal, or do not any more.

    What was taken of a block before the human wrote at its place is not meant to go over what they wrote: that has to
    be said again, and again when they write there anew. So is what was to stand in the place of both, once they do not
    meet any more.
    """
    old = next((one for one in state.proposals if one.number == event.proposal), None)
    if old is None:
        return state
    known = {(one.block, one.theirs) for one in old.overlaps}
    fresh = {one.block for one in event.overlaps if (one.block, one.theirs) not in known}
    if event.overlaps:
        # It is not judged over a tree that it does not go over.
        state = checks_stopped(state, {event.proposal})
    apart = {one.block for one in old.overlaps} - {one.block for one in event.overlaps}
    fresh |= {name for name in apart if old.review.blocks.get(name, Mark()).side != "partner"}
    return _on(
        state,
        event.proposal,
        overlaps=event.overlaps,
        review=unsettled(old.review, fresh),
        reviews=tuple(unsettled(one, fresh) for one in old.reviews),
    )


def said_again(new: ProposalState, old: ProposalState) -> ProposalState:
    """A proposal that takes the place of one of the same number keeps what was marked in it.

    What is taken makes another tree now; what it comes to is said by the next `Reviewed`. What was marked before that
    is kept as it was: taken back, a rewriting brings back the blocks that it was about. Where the human's edits meet it
    is told by `Overlapped` alone.
    """
    return msgspec.structs.replace(
        new,
        review=carried(old.review, new.patch),
        reviews=old.reviews,
        overlaps=old.overlaps,
        stale=bool(old.overlaps),
        carried=old.carried or is_over_others(new.patch, old.patch),
    )


def is_over_others(new: Patch, old: Patch) -> bool:
    """Whether a patch starts from other texts of the same files than the one whose place it takes."""
    before = {file.old_path: (file.before, file.before_mode) for file in old.files}
    return any(
        (file.before, file.before_mode) != before.get(file.old_path, (file.before, file.before_mode))
        for file in new.files
    )


def withdrawn(state: State, event: ev.Withdrawn) -> State:
    """Words were taken back before the partner heard them."""
    queued = tuple(text for at, text in enumerate(state.queued) if at != event.index)
    pointed = tuple(how for at, how in enumerate(state.pointed) if at != event.index)
    taken = state.pointed[event.index].markers if event.index < len(state.pointed) else ()
    tasks = state.tasks
    if taken and tasks:
        left = tuple(marker for marker in tasks[-1].markers if marker not in taken)
        tasks = (*tasks[:-1], msgspec.structs.replace(tasks[-1], markers=left))
    chat = list(state.chat)
    for at in range(len(chat) - 1, -1, -1):
        entry = chat[at]
        if isinstance(entry, Said) and entry.who == "human" and entry.text == event.text:
            del chat[at]
            break
    return msgspec.structs.replace(state, queued=queued, pointed=pointed, tasks=tasks, chat=tuple(chat))


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
