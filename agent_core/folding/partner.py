"""The part of the fold that is about who proposes, and what that costs."""

from __future__ import annotations

import msgspec

from agent_core import events as ev
from agent_core.state import BudgetState, State


def partner_chosen(state: State, event: ev.PartnerChosen) -> State:
    """Somebody else proposes from now on."""
    return msgspec.structs.replace(state, chosen=(event.name, event.model))


def retry_hurried(state: State, event: ev.RetryHurried) -> State:  # noqa: ARG001 - as every part of the fold
    """The wait before a request is sent again is over."""
    return msgspec.structs.replace(state, retry=None)


def aside_finished(state: State, event: ev.AsideFinished) -> State:
    """A side request was answered."""
    spending = state.spending
    spending = msgspec.structs.replace(spending, task=spending.task + event.usage, aside=spending.aside + event.usage)
    return msgspec.structs.replace(state, spending=spending)


def budget_reached(state: State, event: ev.BudgetReached) -> State:
    """Nothing more is sent until the human allows it."""
    waits = BudgetState(event.scope, event.spent, event.limit, event.tokens, event.token_limit)
    return msgspec.structs.replace(state, budget=waits, phase="approving")


def budget_raised(state: State, event: ev.BudgetRaised) -> State:
    """The human answered."""
    others = tuple(one for one in state.spending.raised if one[0] != event.scope)
    mine = () if event.stopped else ((event.scope, event.limit, event.token_limit),)
    spending = msgspec.structs.replace(state.spending, raised=(*others, *mine))
    return msgspec.structs.replace(state, budget=None, spending=spending, phase="thinking")
