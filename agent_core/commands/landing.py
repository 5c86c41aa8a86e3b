"""What is wanted of landings: taken back, landed again, committed."""

from __future__ import annotations

from agent_core.commands.base import Command


class Undo(Command, frozen=True):
    """Take back a landing.

    Attributes:
        landing: Its number; 0 for the last one that stands.
    """

    landing: int = 0


class Redo(Command, frozen=True):
    """Land again what an undo took back.

    Attributes:
        landing: Number of the landing that was taken back; 0 for the one taken back last.
    """

    landing: int = 0


class DraftCommit(Command, frozen=True):
    """Have a message made for the commit of a landing; nothing is committed before `Commit`.

    Attributes:
        landing: Its number; 0 for the last one of this session that stands and is not committed.
    """

    landing: int = 0


class Commit(Command, frozen=True):
    """Commit exactly what a landing wrote; the human's other changes, staged or not, stay as they are.

    Attributes:
        landing: Its number.
        message: What the commit says; empty takes the draft back, and commits nothing.
    """

    landing: int
    message: str
