"""What is wanted of the session, and said to the partner."""

from __future__ import annotations

from typing import Literal

from agent_core.commands.base import Command
from agent_core.events import Mode

TellOf = Literal["mcp", "skills", "commands"]
"""What the human can have told: MCP servers, skills, commands of their own."""


class Ask(Command, frozen=True):
    """Give the partner a task."""

    text: str


class Steer(Command, frozen=True):
    """Say something to the partner about the running task.

    On a waiting proposal it is the decision to go on from there with these words (empty words: just
    go on with the verdict). While the partner works it is told at the next step.
    """

    text: str = ""


class Withdraw(Command, frozen=True):
    """Take back words that the partner has not been told yet.

    Attributes:
        index: Which of `State.queued`.
        text: The words; where they are another's by now, as the partner was told some meanwhile, those are meant that
            are these. Empty for whatever is there.
    """

    index: int
    text: str = ""


class Shell(Command, frozen=True):
    """Run a command of the human's own in the sandbox, on the working tree as it is; nothing of it stays.

    Attributes:
        id: Names the run in the events.
        line: The command line.
    """

    id: str
    line: str


class Interrupt(Command, frozen=True):
    """Stop what is running and hand the prompt back."""


class SetMode(Command, frozen=True):
    """Choose when to be asked."""

    mode: Mode


class Tell(Command, frozen=True):
    """Tell the human what there is of something, and how it stands."""

    of: TellOf


class Quit(Command, frozen=True):
    """End the session in an orderly way."""
