"""Events of what the partner calls, and of what the human runs."""

from __future__ import annotations

from typing import Literal

import msgspec

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
        looks: It only looks, which is over at once.
    """

    call_id: str
    name: str
    title: str
    looks: bool = False


class ToolPrinted(Event, frozen=True):
    """What a command of the partner's printed since this was last said, while it runs; of much only the last lines.

    Attributes:
        call_id: The tool call.
        text: Whole lines; control characters are in it as they came.
    """

    call_id: str
    text: str


class ToolFinished(Event, frozen=True):
    """A tool call ended.

    Attributes:
        summary: One line for a human.
    """

    call_id: str
    ok: bool
    summary: str


Action = Literal["run", "fetch", "mcp"]
"""What needs the human's word: a command, an address fetched, a tool of an MCP server."""


class ApprovalAsked(Event, frozen=True):
    """The partner wants to do something that the human has to allow.

    Attributes:
        call_id: The tool call.
        command: What exactly: the command line, the address, the tool and its arguments.
        action: What kind of thing it is.
        rule: The narrowest rule that would allow this for good, as in ``[permissions]``; for a line of several commands
            one for each, a line each. Empty where there is none.
        wider: One that would allow more of the kind; empty where there is none.
    """

    call_id: str
    command: str
    action: Action = "run"
    rule: str = ""
    wider: str = ""


class ApprovalGiven(Event, frozen=True):
    """The human answered, or a rule did.

    Attributes:
        call_id: The tool call.
        allowed: Whether it may be done.
        rule: By the human: what is kept from now on for this project, empty for this once. By a rule: which one.
        by: Who said so.
        reason: Why not, or what to do instead, in the human's words; the partner is told.
        command: What it was about, where it was not asked.
    """

    call_id: str
    allowed: bool
    rule: str = ""
    by: Literal["human", "rule"] = "human"
    reason: str = ""
    command: str = ""


class QuestionAsked(Event, frozen=True):
    """The partner asks the human something, and waits.

    Attributes:
        call_id: The tool call.
        text: The question.
        options: Answers to choose from; others can be written. May be empty.
    """

    call_id: str
    text: str
    options: tuple[str, ...] = ()


class QuestionAnswered(Event, frozen=True):
    """The human answered the partner's question; empty when they did not want to."""

    call_id: str
    answer: str


class PlanStep(msgspec.Struct, frozen=True):
    """One step of the partner's plan."""

    text: str
    stands: Literal["open", "doing", "done"] = "open"


class PlanUpdated(Event, frozen=True):
    """The partner said what it is going to do, or how far it is."""

    steps: tuple[PlanStep, ...]


class HookFinished(Event, frozen=True):
    """A command that the human has set to run on an event has run.

    Attributes:
        name: Its name, as in ``[hooks.NAME]``.
        on: Which event it ran on.
        code: Its exit status.
        output: What it printed, head and tail; control characters are in it as they came.
        seconds: How long it ran.
        killed: Why it was ended; empty when it ended by itself.
    """

    name: str
    on: str
    code: int
    output: str = ""
    seconds: float = 0.0
    killed: str = ""

    @property
    def trouble(self) -> str:
        """What went wrong, in a sentence; empty when nothing did."""
        how = self.killed or (f"exit status {self.code}" if self.code else "")
        return f"Hook {self.name} failed on {self.on}: {how}." if how else ""


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
