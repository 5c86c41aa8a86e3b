"""What a session's memory consists of."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["task", "said", "decision", "attempt", "refused", "landing", "edit", "note"]
Outcome = Literal["landed", "undone", "rejected", "failed", "open", "left"]
"""What became of an attempt; ``left``: it was neither decided on nor seen to fail."""


class MemoryEntry(msgspec.Struct, frozen=True):
    """One thing that is remembered.

    Attributes:
        id: Its name, which stays: ``task:1``, ``said:2``, ``decision:3``, ``attempt:3``, ``refused:1``, ``landing:4``,
            ``edit:7``, ``note:1``; an attempt is numbered as its proposal, a landing as in the project.
        kind: What it is.
        text: What it says; where the human chose other words, those.
        source: Where it came from, for a human.
        detail: More, a line each; empty where the human chose other words.
        was: What it said by itself, where the human chose other words or had it forgotten; else empty.
        forgotten: The human does not want it remembered.
        rewritten: It is in the human's words.
        back: There is a way back from what they wrote.
        task: The task it belongs to; 0 for none.
    """

    id: str
    kind: Kind
    text: str
    source: str
    detail: tuple[str, ...] = ()
    was: str = ""
    forgotten: bool = False
    rewritten: bool = False
    back: bool = False
    task: int = 0


class Attempt(msgspec.Struct, frozen=True):
    """What was tried, and what came of it.

    Attributes:
        proposal: Number of the proposal.
        task: Its task.
        attempt: Which attempt at the task.
        changes: Names of what it changes; see `agent_core.memory.fingerprint`.
        fingerprint: One name for all of that.
        paths: The files.
        outcome: What came of it.
        summary: The verdict, in one line; empty when it was not checked.
        failures: What stood against it, the first few.
        diagnosis: Why it failed, as far as that is known.
        blame: The places its failures come from.
        reason: What the human last said to it.
    """

    proposal: int
    task: int
    attempt: int
    changes: frozenset[str]
    fingerprint: str
    paths: tuple[str, ...]
    outcome: Outcome
    summary: str
    failures: tuple[str, ...]
    diagnosis: str
    blame: tuple[str, ...]
    reason: str


class Memory(msgspec.Struct, frozen=True):
    """All that is remembered of a session.

    Attributes:
        entries: Grouped by kind, oldest first in each; what is forgotten is among them.
        attempts: What was tried, as data.
        checks: The state of the checks, a line each.
        left_out: Edits and refused patches that are older than what is kept, a line each.
    """

    entries: tuple[MemoryEntry, ...]
    attempts: tuple[Attempt, ...]
    checks: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    @property
    def counting(self) -> tuple[MemoryEntry, ...]:
        """The entries without those that are forgotten."""
        return tuple(one for one in self.entries if not one.forgotten)
