"""Noticing that what the partner proposes was rejected, or failed, before in the session. Pure.

Within a task, patches that fail again and again are the business of `agent_core.diagnosis.stall`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from agent_core.memory.fingerprint import changes
from agent_core.memory.records import Choice
from agent_core.patch.model import Patch
from agent_core.state import ProposalState, State

_REASON = 300


class Repeat(msgspec.Struct, frozen=True):
    """What was tried before and is proposed again.

    Attributes:
        proposal: The proposal that did the same.
        how: It was rejected; a part of it was left that is proposed again; or it failed, in another task.
        reason: The human's words, or what failed; may be empty.
        unheard: Nothing has been said by the human since that might have changed their mind.
        anew: It was decided on in another task: the human has asked anew since.
    """

    proposal: int
    how: Literal["rejected", "left", "failed"]
    reason: str = ""
    unheard: bool = False
    anew: bool = False

    @property
    def refusable(self) -> bool:
        """Whether it is worth sending back before anybody looks at it.

        Who drops something without a word, and asks again, may want just that: then it is only said to be a repeat.
        """
        return self.unheard and not (self.anew and not self.reason)

    @property
    def fact(self) -> str:
        """It in one sentence, for either reader."""
        what = {
            "rejected": f"Proposed before as proposal {self.proposal}, which was rejected",
            "left": f"Part of it was proposed before as a part of proposal {self.proposal} that was not taken",
            "failed": f"Proposed before as proposal {self.proposal}, which failed",
        }[self.how]
        if self.reason:
            end = "" if self.reason.endswith((".", "!", "?", "…")) else "."
            return f"{what}: {self.reason}{end}"
        return f"{what}." if self.how == "failed" else f"{what}; no reason was given."


def repeated(state: State, patch: Patch, *, number: int = 0) -> Repeat | None:
    """Whether a patch does again what was rejected, or failed, in the session.

    What was rejected may be a part of the patch; what failed has to be the whole of it, as a partner goes on from what
    failed. Decisions and attempts that the human had forgotten count for nothing.

    Args:
        state: The session's state.
        patch: The patch.
        number: Its own number where it is a proposal already; 0 where it is none.
    """
    forgotten = {note.id for note in state.notes if not note.text}
    return _dropped(state, patch, number, forgotten) or _failed(state, patch, number, forgotten)


def wanted(state: State, proposal: ProposalState) -> bool:
    """Whether a mode may land a proposal by itself: the human has rejected nothing of it before, or spoken since."""
    again = repeated(state, proposal.patch, number=proposal.number)
    return again is None or again.how == "failed" or not again.unheard


def _dropped(state: State, patch: Patch, number: int, forgotten: set[str]) -> Repeat | None:
    wanted_since: set[str] = set()
    names: frozenset[str] | None = None
    by_number = {one.number: one for one in state.proposals}
    for choice in reversed(state.records.choices):
        before = by_number.get(choice.proposal)
        if choice.decision == "accept" and before is not None:
            wanted_since |= changes(before.patch) - set(choice.dropped)
        if not choice.dropped or choice.proposal == number:
            continue
        if {f"decision:{choice.number}", f"attempt:{choice.proposal}"} & forgotten:
            continue
        names = changes(patch) if names is None else names
        dropped = set(choice.dropped) - wanted_since
        if choice.decision == "reject" and dropped and set(choice.dropped) <= names:
            return _of_choice(state, choice, "rejected")
        if choice.decision == "accept" and dropped & names:
            return _of_choice(state, choice, "left")
    return None


def _of_choice(state: State, choice: Choice, how: Literal["rejected", "left"]) -> Repeat:
    anew = state.task is not None and state.task.number != choice.task
    return Repeat(choice.proposal, how, _reason(choice), _unheard(state, choice), anew)


def _reason(choice: Choice) -> str:
    said = [choice.reason, *(f"on {place}: {words}" for place, words in choice.comments)]
    text = "; ".join(" ".join(one.split()) for one in said if one.strip())
    return text if len(text) <= _REASON else f"{text[: _REASON - 1]}…"


def _unheard(state: State, choice: Choice) -> bool:
    """Whether the human has said nothing since a decision."""
    records = state.records
    steered = any(one.step >= choice.step and one.task == choice.task for one in records.words)
    again = any(one.number > choice.number and one.task == choice.task and one.reason for one in records.choices)
    return not steered and not again


def _failed(state: State, patch: Patch, number: int, forgotten: set[str]) -> Repeat | None:
    task = state.task.number if state.task is not None else 0
    red = [one for one in state.proposals if one.task != task and one.number != number and _is_red(one)]
    names = changes(patch) if red else frozenset()
    for one in reversed(red):
        if f"attempt:{one.number}" not in forgotten and changes(one.patch) == names:
            return Repeat(one.number, "failed", one.verdict.summary if one.verdict is not None else "")
    return None


def _is_red(proposal: ProposalState) -> bool:
    verdict = proposal.verdict
    return verdict is not None and verdict.complete and not verdict.green
