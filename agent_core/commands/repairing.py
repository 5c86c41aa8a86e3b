"""What is wanted of repairs that are found without a model."""

from __future__ import annotations

from agent_core.commands.base import Command


class TakeRepair(Command, frozen=True):
    """Have a repair proposed that was found beside the model; its answer under way is ended.

    Attributes:
        number: The find's; 0 for the newest.
    """

    number: int = 0


class EndSearch(Command, frozen=True):
    """Have the built-in partner's search end now, with what it has found so far."""


class SwitchRepairs(Command, frozen=True):
    """Have repairs looked for beside the model from now on, or no more.

    Attributes:
        on: Which of both; None for the other than now.
    """

    on: bool | None = None
