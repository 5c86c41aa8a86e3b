"""What a session has spent, and a budget that is used up, as the state holds them."""

from __future__ import annotations

import msgspec

from agent_core import events as ev
from agent_core.conversation import Usage


class BudgetState(msgspec.Struct, frozen=True):
    """A budget that is used up, and waits for the human's word; see `agent_core.events.BudgetReached`."""

    scope: ev.BudgetScope
    spent: float
    limit: float
    tokens: int = 0
    token_limit: int = 0


class ModelSpending(msgspec.Struct, frozen=True):
    """What was spent on one model in a session.

    Attributes:
        partner: Name of its entry in the configuration; empty for ``[partner]``.
        model: Its id; empty where that is not known.
        requests: How many requests it answered.
        usage: Tokens and cost of them.
    """

    partner: str
    model: str
    requests: int = 0
    usage: Usage = Usage()


class Spending(msgspec.Struct, frozen=True):
    """What was spent, and what the human has allowed beyond the configured budgets.

    Attributes:
        task: Tokens and cost of the current (or else the last) task, side requests included.
        aside: Of all side requests of the session, which `State.usage` leaves out.
        models: Of the session by model, side requests included, in the order in which they came.
        raised: The limits that they set in the place of the configured ones, by whose budget it is: dollars, tokens.
    """

    task: Usage = Usage()
    aside: Usage = Usage()
    models: tuple[ModelSpending, ...] = ()
    raised: tuple[tuple[ev.BudgetScope, float, int], ...] = ()
