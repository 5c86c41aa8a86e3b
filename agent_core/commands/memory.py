"""What is wanted of the memory, and of the conversation as the partner gets it."""

from __future__ import annotations

from agent_core.commands.base import Command


class Memorize(Command, frozen=True):
    """Write an entry of the session's memory.

    Attributes:
        text: What it is to say; empty to have it forgotten.
        id: The entry; empty for a new one of the human's own.
        back: Take back what was written of it last; the text counts for nothing.
    """

    text: str
    id: str = ""
    back: bool = False


class Compact(Command, frozen=True):
    """Replace the oldest of the conversation by a summary now."""


class Uncompact(Command, frozen=True):
    """Take the last compaction back."""


class Teach(Command, frozen=True):
    """Keep a lesson in the human's own words for later sessions of this project."""

    text: str


class KeepLesson(Command, frozen=True):
    """Agree to a lesson.

    Attributes:
        id: The lesson.
        text: It in other words; empty for as it is.
    """

    id: str
    text: str = ""


class DropLesson(Command, frozen=True):
    """Do not keep a lesson, or forget one that was kept."""

    id: str
