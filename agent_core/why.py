"""What there is to decide on a proposal, in one line."""

from __future__ import annotations

import msgspec

from agent_core.checks.model import Verdict
from agent_core.decisions import Decision
from agent_core.part_taken import Part
from agent_core.review import ANYWAY, LANDS
from agent_core.state import ProposalState

UNDER_WAY = "it is checked"
"""How the line begins while the checks are at work."""
_COLLIDES = "it collides with your own edits"
_NAMED = 3


class Standing(msgspec.Struct, frozen=True):
    """Where a decision stands.

    Attributes:
        proposal: The proposal.
        part: What is taken of it; None where that is nothing or all.
        collides: The human's own edits meet it.
        busy: The checks are at work.
        refused: Why it has just not landed; empty when that was not tried.
        wanted: What is wanted and waits for its verdict.
        warned: Hash of the tree of which the human has been told that it breaks something.
    """

    proposal: ProposalState
    part: Part | None
    collides: bool
    busy: bool
    refused: str
    wanted: Decision | None
    warned: str


def why(now: Standing) -> str:
    """What there is to decide, in one line."""
    proposal, part = now.proposal, now.part
    if proposal.waits:
        return proposal.waits
    accepted = now.wanted is not None and now.wanted.kind == "accept"
    # The partner's side taken in the place of the human's edits can come to the same tree as all of it.
    if part is None or accepted or now.warned == proposal.tree != part.tree:
        return _of_all(now)
    if part.trouble:
        return part.trouble
    if now.warned == part.tree:
        return f"{_what_it_breaks('What you took', proposal.part)} by itself; Land {ANYWAY}"
    if now.wanted is not None:
        return f"what you took is checked, and {LANDS}"
    said = proposal.part.summary if proposal.part is not None else ""
    return now.refused or (f"what you took: {said}" if said else "what you took is checked")


def _of_all(now: Standing) -> str:
    verdict = now.proposal.verdict
    if now.collides:
        return f"nothing landed: {_COLLIDES}" if now.refused else _COLLIDES
    if now.refused:
        return now.refused
    if now.warned == now.proposal.tree:
        return f"{_what_it_breaks('All of it', verdict)}; Accept {ANYWAY}"
    if now.busy and now.wanted is not None:
        return f"{UNDER_WAY}, and {LANDS}"
    if verdict is None:
        return UNDER_WAY if now.busy else "not checked"
    return verdict.summary


def _what_it_breaks(subject: str, verdict: Verdict | None) -> str:
    if verdict is None:
        return f"{subject} could not be checked"
    found = verdict.broken or verdict.silenced
    names = ", ".join(one.code or one.message for one in found[:_NAMED])
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return f"{subject} {'breaks' if verdict.broken else 'silences'} {names}{more}"
