"""What the state keeps for the memory of a session, where nothing else in it does; bounded, however long it goes on."""

from __future__ import annotations

from typing import Literal

import msgspec

from agent_core.events.base import DecisionKind

MadeBy = Literal["human", "formatter", "pairloop", "unknown", "git"]


class Words(msgspec.Struct, frozen=True):
    """What the human said while a task was worked on.

    Attributes:
        number: From 1, in the session.
        task: The task.
        text: The words.
        place: Where they stand in the code, as ``path:line``, if they were said in a comment; else empty.
        step: How many requests had been sent.
    """

    number: int
    task: int
    text: str
    place: str = ""
    step: int = 0


class Choice(msgspec.Struct, frozen=True):
    """A decision on a proposal, with everything that was said for it.

    Attributes:
        number: From 1, in the session; a proposal may be decided on more than once.
        proposal: The proposal.
        task: Its task.
        decision: What was decided.
        by: ``human`` or ``mode``.
        reason: The human's words; may be empty.
        comments: What they said of single blocks: the place, and the words.
        taken: Of how many parts something landed, where it is not the whole.
        of: How many parts there are; 0 where the whole was decided on.
        dropped: Names of the changes that they did not want; see `agent_core.memory.fingerprint`.
        step: How many requests had been sent.
    """

    number: int
    proposal: int
    task: int
    decision: DecisionKind
    by: Literal["human", "mode"]
    reason: str = ""
    comments: tuple[tuple[str, str], ...] = ()
    taken: int = 0
    of: int = 0
    dropped: tuple[str, ...] = ()
    step: int = 0


class Refusal(msgspec.Struct, frozen=True):
    """A patch that could not be taken.

    Attributes:
        number: From 1, in the session.
        task: The task.
        reason: Why, in short.
        count: How often it was refused for that in a row.
    """

    number: int
    task: int
    reason: str
    count: int = 1


class EditMade(msgspec.Struct, frozen=True):
    """An edit of the working tree that was not ours.

    Saves of the same file by the same hand, with no request to the partner between them, are one.

    Attributes:
        number: From 1, in the session.
        task: The task that was worked on; 0 when there was none.
        step: How many requests had been sent.
        path: The file; empty where there were many.
        kind: ``added``, ``changed``, ``deleted``, or what git did; of many files, how many there were.
        by: Whose it was.
        line: The first line of what changed, in short.
        count: How many saves.
    """

    number: int
    task: int
    step: int
    path: str
    kind: str
    by: MadeBy
    line: str = ""
    count: int = 1


class Records(msgspec.Struct, frozen=True):
    """All of them, oldest first.

    Attributes:
        edits_before: How many edits there were before those that are still kept.
        refusals_before: Likewise for refused patches.
    """

    words: tuple[Words, ...] = ()
    choices: tuple[Choice, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    edits: tuple[EditMade, ...] = ()
    edits_before: int = 0
    refusals_before: int = 0
