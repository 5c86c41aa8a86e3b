"""Events of who proposes, of what that costs, and of a line that is bad."""

from __future__ import annotations

from typing import Literal

from agent_core.conversation import Usage
from agent_core.events.base import Event

BudgetScope = Literal["task", "session"]
SideRequest = Literal["summary", "commit"]


class PartnerChosen(Event, frozen=True):
    """The human chose who proposes from now on; `SettingsTold` tells who that is.

    Attributes:
        name: As in the configuration: ``[partners.NAME]``, a preset, or empty for ``[partner]``.
        model: The model's id there; empty for what is configured, or the server's first.
    """

    name: str
    model: str = ""


class RetryHurried(Event, frozen=True):
    """The human did not want to wait: the request that failed is sent again now."""


class AsideFinished(Event, frozen=True):
    """The partner was asked something beside the conversation, and answered.

    Attributes:
        about: What for.
        usage: Tokens of it.
        model: The model's id, which may be another than the conversation's.
        partner: Name of its entry in the configuration, as in `PartnerChosen`.
    """

    about: SideRequest
    usage: Usage
    model: str = ""
    partner: str = ""


class BudgetReached(Event, frozen=True):
    """What a task or the session may cost is used up: nothing is sent until the human allows more.

    Attributes:
        scope: Whose budget.
        spent: US dollars so far, as far as they are known.
        limit: US dollars allowed; 0 where the tokens are what is used up.
        tokens: Tokens so far.
        token_limit: Tokens allowed; 0 where the dollars are what is used up.
    """

    scope: BudgetScope
    spent: float
    limit: float
    tokens: int = 0
    token_limit: int = 0


class BudgetRaised(Event, frozen=True):
    """The human answered `BudgetReached`.

    Attributes:
        scope: Whose budget.
        limit: US dollars allowed now; 0 for no limit.
        token_limit: Tokens allowed now; 0 for no limit.
        stopped: They did not want to spend more: the task ends.
    """

    scope: BudgetScope
    limit: float = 0.0
    token_limit: int = 0
    stopped: bool = False
