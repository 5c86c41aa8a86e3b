"""Events of a proposal and what the checks say of it."""

from __future__ import annotations

from typing import Literal

from agent_core.checks.model import Blame, CheckResult, Verdict, Where
from agent_core.events.base import Event
from agent_core.patch.model import Patch


class ProposalMade(Event, frozen=True):
    """The partner proposed a patch and it has been built in a candidate.

    Attributes:
        number: Number of the proposal in the session, from 1. The same number again: the proposal was
            carried over to a working tree that changed meanwhile, and is checked anew.
        attempt: Which attempt at the task this is, from 1.
        call_id: The tool call to be answered with the verdict and the decision.
        patch: All changes against the base (not only those of the last tool call).
        base_tree: Hash of the working tree it was made against.
        tree: Hash of the candidate.
        diff: The patch as unified diff, for humans and scripts.
        note: What the human should know of how it was read, such as that it replaces the last one.
        by: Whose it is: the partner's, or a repair found without a model, which the human had proposed.
    """

    number: int
    attempt: int
    call_id: str
    patch: Patch
    base_tree: str
    tree: str
    diff: str
    note: str = ""
    by: Literal["partner", "repair"] = "partner"


class CheckStarted(Event, frozen=True):
    """A check began."""

    check: str
    where: Where
    tree: str


class CheckProgressed(Event, frozen=True):
    """A check got on. Not more often than a few times a second.

    Attributes:
        done: Things looked at so far.
        total: Out of how many; 0 when not known.
    """

    check: str
    where: Where
    done: int
    total: int


class CheckFinished(Event, frozen=True):
    """A check ended."""

    where: Where
    result: CheckResult


class CheckStaged(Event, frozen=True):
    """A check that goes on has got through a stage, or has an early answer; `CheckFinished` follows."""

    where: Where
    result: CheckResult


class VerdictReached(Event, frozen=True):
    """The checks of a proposal compared with the baseline, as far as they got.

    A proposal may have several, each of a later stage; the last one is complete.
    """

    proposal: int
    verdict: Verdict


class Blamed(Event, frozen=True):
    """Which blocks of a proposal its failures come from, found by leaving blocks out.

    Attributes:
        proposal: The proposal.
        tree: Hash of the candidate it is about.
        blames: Failures with the blocks they come from.
        unneeded: Ids of blocks that no check needs: without them the verdict is as good.
    """

    proposal: int
    tree: str
    blames: tuple[Blame, ...]
    unneeded: tuple[str, ...] = ()


class Diagnosed(Event, frozen=True):
    """Why a proposal failed, as far as the evidence goes.

    Attributes:
        summary: One or two lines for a human.
        evidence: What goes to the partner.
    """

    proposal: int
    summary: str
    evidence: str
