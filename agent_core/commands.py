"""What somebody wants: typed, clicked, or caused by a saved file. Frozen; carried out by the session."""

from __future__ import annotations

import msgspec

from agent_core.events import Mode


class Command(msgspec.Struct, frozen=True):
    """Base of all commands."""


class Ask(Command, frozen=True):
    """Give the partner a task."""

    text: str


class Steer(Command, frozen=True):
    """Say something to the partner about the running task.

    On a waiting proposal it is the decision to go on from there with these words (empty words: just
    go on with the verdict). While the partner works it is told at the next step.
    """

    text: str = ""


class Accept(Command, frozen=True):
    """Land the waiting proposal."""

    proposal: int


class Reject(Command, frozen=True):
    """Drop the waiting proposal; the partner tries again from the working tree.

    Attributes:
        reason: Told to the partner; may be empty.
    """

    proposal: int
    reason: str = ""


class Fix(Command, frozen=True):
    """Have the checks' tools mend what they safely can in the waiting proposal; it is checked again.

    Attributes:
        proposal: Its number.
    """

    proposal: int


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


class Approve(Command, frozen=True):
    """Answer the partner's wish to run a command."""

    call_id: str
    allowed: bool


class Interrupt(Command, frozen=True):
    """Stop what is running and hand the prompt back."""


class SetMode(Command, frozen=True):
    """Choose when to be asked."""

    mode: Mode


class Quit(Command, frozen=True):
    """End the session in an orderly way."""


AnyCommand = Ask | Steer | Accept | Reject | Fix | Undo | Redo | Approve | Interrupt | SetMode | Quit
