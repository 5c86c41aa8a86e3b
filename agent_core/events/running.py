"""Events of what the partner calls, and of what the human runs."""

from __future__ import annotations

from agent_core.events.base import Event


class ShellStarted(Event, frozen=True):
    """A command of the human's own runs in the sandbox."""

    id: str
    line: str


class ShellFinished(Event, frozen=True):
    """A command of the human's own ended.

    Attributes:
        id: As in `ShellStarted`.
        code: Its exit status.
        output: What it printed, head and tail; control characters are in it as they came.
        seconds: How long it ran.
        killed: Why it was ended; empty when it ended by itself.
    """

    id: str
    code: int
    output: str
    seconds: float
    killed: str = ""


class ToolStarted(Event, frozen=True):
    """A tool call is carried out.

    Attributes:
        title: For a human, such as ``read shop/pricing.py:1-80``.
    """

    call_id: str
    name: str
    title: str


class ToolFinished(Event, frozen=True):
    """A tool call ended.

    Attributes:
        summary: One line for a human.
    """

    call_id: str
    ok: bool
    summary: str


class ApprovalAsked(Event, frozen=True):
    """The partner wants to run a command; the human has to allow it."""

    call_id: str
    command: str


class ApprovalGiven(Event, frozen=True):
    """The human answered."""

    call_id: str
    allowed: bool


class PatchRejected(Event, frozen=True):
    """A patch was not taken: it did not parse or apply, or there was nothing to do. The partner has been told why.

    Attributes:
        call_id: The tool call that carried it.
        message: The reason, as told.
        already: Everything that it asks for is there already.
    """

    call_id: str
    message: str
    already: bool = False
