"""Events of what is remembered: the session's memory, what replaces the oldest of the conversation, lessons."""

from __future__ import annotations

from typing import Literal

import msgspec

from agent_core.conversation import Item, Usage
from agent_core.events.base import Event

LessonBy = Literal["human", "landing"]
"""Who confirmed a lesson: the human, or a green landing that bore it out."""


class MemoryKept(Event, frozen=True):
    """The human wrote, rewrote or took out an entry of the session's memory.

    Attributes:
        id: The entry; ``note:N`` for one of their own.
        text: What it says now; empty where it is to be forgotten.
        back: What they had written of it last was taken back, and what it said before that counts again.
    """

    id: str
    text: str
    back: bool = False


class Compacted(Event, frozen=True):
    """The oldest exchanges of the conversation were replaced, as the context was filling up.

    Attributes:
        items: What stands in their place: a summary, and the session's memory word for word.
        kept: Index of the first item that stays as it was; what is before it is replaced.
        before: Tokens of the conversation before, as far as they are known.
        after: Tokens after it, estimated.
        why: The window was filling up, the partner refused the request as too long, or the human asked for it.
        summed: How many items a summary stands for now; 0 where texts that were too long were only cut.
        cut: How many texts that were too long for the context lost their middle.
        by: Who wrote the summary: the partner, or pairloop from what happened.
        usage: Tokens of the request that it was written in, in journals that have no `AsideFinished`.
    """

    items: tuple[Item, ...]
    kept: int
    before: int
    after: int
    why: Literal["full", "refused", "asked"]
    summed: int = 0
    cut: int = 0
    by: Literal["partner", "pairloop"] = "pairloop"
    usage: Usage = Usage()


class CompactionUndone(Event, frozen=True):
    """The last compaction was taken back: the conversation is whole again, with what was said since."""


class Lesson(msgspec.Struct, frozen=True):
    """Something worth knowing in later sessions of this project.

    Attributes:
        id: Its name, the same in every session.
        text: What is to be known, in a sentence or two.
        source: Where it came from, for a human, such as ``session 20260301-1042, landing 3``.
        paths: Files it is about.
        fingerprints: Failures it is about; see `agent_core.checks.model.Finding`.
    """

    id: str
    text: str
    source: str
    paths: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()


class LessonProposed(Event, frozen=True):
    """The loop, or the human, thinks that something is worth knowing later."""

    lesson: Lesson


class LessonSettled(Event, frozen=True):
    """A lesson was agreed to, or dropped.

    Attributes:
        id: The lesson.
        kept: Whether it is kept.
        by: Who said so.
        text: What it says, where the human put it in other words; empty where it is as proposed.
    """

    id: str
    kept: bool
    by: LessonBy
    text: str = ""


class LessonsRecalled(Event, frozen=True):
    """Lessons of earlier sessions were found to fit, and the partner is told of them.

    Attributes:
        lessons: The lessons.
        why: What they fit, for a human, such as ``the failure of tests/test_a.py::test_b``.
    """

    lessons: tuple[Lesson, ...]
    why: str
