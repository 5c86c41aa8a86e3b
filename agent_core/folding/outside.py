"""The part of the fold that is about what others do to the project."""

from __future__ import annotations

import msgspec

from agent_core import events as ev
from agent_core.chat_entries import Edit, Edits, GitMove
from agent_core.folding.parts import doubted, say
from agent_core.folding.repairing import finds_gone
from agent_core.state import State


def human_edited(state: State, event: ev.HumanEdited) -> State:
    """A file changed, and not by us."""
    edit = Edit(event.path, event.kind, event.diff, event.by)
    return say(_moved(state), edit, untold=(*state.untold, edit))


def files_edited(state: State, event: ev.FilesEdited) -> State:
    """Many files changed at once, and not by us."""
    edits = Edits(event.paths, event.added, event.changed, event.deleted, event.by)
    return say(_moved(state), edits, untold=(*state.untold, edits))


def branch_changed(state: State, event: ev.BranchChanged) -> State:
    """Git changed the working tree."""
    move = GitMove(event.what, event.was, event.branch, event.paths, event.count)
    return say(_moved(state) if event.count else state, move, untold=(*state.untold, move))


def _moved(state: State) -> State:
    """The working tree is another: what the checks said of open proposals is about one that is no more."""
    proposals = tuple(
        msgspec.structs.replace(proposal, stale=True)
        # What the partner goes on from is asked about again when it has nothing to add.
        if proposal.decision is None or (proposal.decision == "steer" and proposal is state.proposal)
        else proposal
        for proposal in state.proposals
    )
    # What has been decided on is history.
    state = doubted(state, {one.number for one in proposals if one.stale and one.decision is None})
    return finds_gone(msgspec.structs.replace(state, proposals=proposals))
