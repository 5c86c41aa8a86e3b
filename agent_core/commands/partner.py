"""What the partner is answered where it waits, who it is, and what it may spend."""

from __future__ import annotations

from agent_core.commands.base import Command


class Approve(Command, frozen=True):
    """Answer the partner's wish to do something that needs the human's word.

    Attributes:
        call_id: The tool call.
        allowed: Whether it may.
        always: A rule to keep from now on for this project, as in ``[permissions]``, or several, a line each; empty for
            this once.
        reason: Why not, or what to do instead; the partner is told.
    """

    call_id: str
    allowed: bool
    always: str = ""
    reason: str = ""


class ForgetRule(Command, frozen=True):
    """Ask again before what a rule allows that was kept for this project.

    Attributes:
        rule: The rule, as it was kept.
    """

    rule: str


class EndTool(Command, frozen=True):
    """End what a tool call runs; the task goes on with what it has printed.

    Attributes:
        call_id: The tool call; empty for whatever runs.
    """

    call_id: str = ""


class Answer(Command, frozen=True):
    """Answer the partner's question.

    Attributes:
        call_id: The tool call.
        text: One of the options, or other words; empty to give no answer.
    """

    call_id: str
    text: str


class UsePartner(Command, frozen=True):
    """Have another partner propose from its next request on; the conversation goes on.

    Attributes:
        name: As in the configuration: ``[partners.NAME]``, a preset, or empty for ``[partner]``.
        model: The model's id there; empty for what is configured, or the server's first.
    """

    name: str
    model: str = ""


class RetryNow(Command, frozen=True):
    """Send the request that failed again now, without waiting."""


class RaiseBudget(Command, frozen=True):
    """Answer that a budget is used up.

    Attributes:
        times: By how much of what it was it is raised: 1 allows as much again. 0: for no limit from now on.
            Negative: spend no more, end the task.
    """

    times: float = 1.0
