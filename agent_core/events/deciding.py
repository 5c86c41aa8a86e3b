"""Events of what the human makes of a proposal."""

from __future__ import annotations

from typing import Literal

from agent_core.events.base import DecisionKind, Event
from agent_core.review import Overlap, Remarked


class Reviewed(Event, frozen=True):
    """The human marked something in the waiting proposal, or what the same marks come to is known or another now.

    Attributes:
        proposal: The proposal.
        changes: What is marked otherwise than before.
        part_tree: Hash of the tree that what is taken makes: verdicts of that tree are about exactly the part. Empty
            where nothing is taken, or all of it.
        trouble: Why what is taken cannot land by itself; empty when it can.
        back: The last mark was taken back.
    """

    proposal: int
    changes: Remarked = Remarked()
    part_tree: str = ""
    trouble: str = ""
    back: bool = False


class Overlapped(Event, frozen=True):
    """The human's own edits meet a proposal at some places, which are stale now.

    Attributes:
        proposal: The proposal.
        overlaps: The places; empty when there are none any more.
    """

    proposal: int
    overlaps: tuple[Overlap, ...]


class DecisionAwaited(Event, frozen=True):
    """The loop waits for the human.

    Attributes:
        why: What there is to decide, in one line.
    """

    proposal: int
    why: str


class Decided(Event, frozen=True):
    """A proposal was decided on.

    Attributes:
        by: ``human``, or ``mode`` when until-green or auto decided.
        reason: The human's words; may be empty.
        taken: Of how many blocks (and files without any) something lands, where it is not the whole.
        of: How many there are; 0 where the whole was decided on.
    """

    proposal: int
    decision: DecisionKind
    by: Literal["human", "mode"]
    reason: str = ""
    taken: int = 0
    of: int = 0


class LandingWaits(Event, frozen=True):
    """What was accepted waits before it lands, as git is in the midst of something (a rebase, a merge, a bisect).

    Attributes:
        proposal: The proposal.
        reason: What it waits for, as a sentence; empty when it waits no more.
    """

    proposal: int
    reason: str
