"""Events of a search for repairs, without a model: the built-in partner's, or one beside a model."""

from __future__ import annotations

from typing import Literal

from agent_core.events.base import Event
from agent_core.patch.model import Patch
from agent_core.repair.model import Stage


class RepairSought(Event, frozen=True):
    """A search for repairs began.

    Attributes:
        beside: It goes on in the background while a model is at work; else the built-in partner waits for it.
        what: What is to be repaired, in words: ``2 failing tests``.
    """

    beside: bool
    what: str


class RepairProgressed(Event, frozen=True):
    """A search got on. Not more often than a few times a second; see `agent_core.repair.model.Progress`."""

    beside: bool
    stage: Stage
    tried: int = 0
    total: int = 0
    found: int = 0
    trying: str = ""
    seconds: float = 0.0
    limit: float = 0.0


class RepairHurried(Event, frozen=True):
    """The human has enough: the built-in partner's search ends soon, with what it has found so far."""


class RepairEnded(Event, frozen=True):
    """A search ended.

    Attributes:
        found: How many different repairs there are.
        word: Why there is none, or what is to be known beside them; may be empty.
        tried: How many changes were tried.
        ended: See `agent_core.repair.model.Found`.
        evidence: What it learnt, for a model; empty where that is nothing, or there is no model.
    """

    beside: bool
    found: int = 0
    word: str = ""
    tried: int = 0
    seconds: float = 0.0
    ended: Literal["finished", "out of time", "stopped"] = "finished"
    evidence: str = ""


class RepairFound(Event, frozen=True):
    """A search beside a model found a repair with which all checks are green.

    Attributes:
        number: Number of the find in the session, from 1.
        says: What it does, and what passes with it, in a sentence.
        patch: The repair, against the working tree.
        diff: The patch as unified diff.
        tests: How many tests pass with it.
        base_tree: Hash of the working tree it was found in.
        tree: Hash of the tree that it makes, which all checks judged.
        whole: All tests of the project passed.
        mends: Ids of the tests that failed before and pass with it.
    """

    number: int
    says: str
    patch: Patch
    diff: str
    tests: int
    base_tree: str
    tree: str
    whole: bool = False
    mends: tuple[str, ...] = ()


class RepairsSwitched(Event, frozen=True):
    """The human has repairs looked for beside the model from now on, or no more."""

    on: bool
