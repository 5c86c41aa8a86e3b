"""The part of the fold that is about who proposes, and what that costs."""

from __future__ import annotations

import msgspec

from agent_core import events as ev
from agent_core.chat_entries import Notice
from agent_core.conversation import Usage
from agent_core.folding.parts import say
from agent_core.spending import BudgetState, ModelSpending, Spending
from agent_core.spent import raised_words
from agent_core.state import State


def partner_chosen(state: State, event: ev.PartnerChosen) -> State:
    """Somebody else proposes from now on."""
    return msgspec.structs.replace(state, chosen=(event.name, event.model))


def retry_hurried(state: State, event: ev.RetryHurried) -> State:  # noqa: ARG001 - as every part of the fold
    """The wait before a request is sent again is over."""
    return msgspec.structs.replace(state, retry=None)


def spent(state: State, usage: Usage, model: str = "", partner: str = "") -> Spending:
    """What was spent with one more request: in the task, and by model.

    Args:
        state: Before it.
        usage: Of the request; without tokens it was none.
        model: Id of the model that answered; empty for that of the conversation.
        partner: Name of its entry in the configuration.
    """
    before = state.spending
    if not usage.input and not usage.output:
        return before
    model = model or (state.partner.model if state.partner is not None else "")
    models = list(before.models)
    at = next((at for at, one in enumerate(models) if (one.partner, one.model) == (partner, model)), len(models))
    one = models[at] if at < len(models) else ModelSpending(partner, model)
    models[at : at + 1] = [msgspec.structs.replace(one, requests=one.requests + 1, usage=one.usage + usage)]
    return msgspec.structs.replace(before, task=before.task + usage, models=tuple(models))


def aside_finished(state: State, event: ev.AsideFinished) -> State:
    """A side request was answered."""
    spending = spent(state, event.usage, event.model, event.partner)
    spending = msgspec.structs.replace(spending, aside=spending.aside + event.usage)
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
    words = Notice("info", raised_words(event), about="decision")
    return say(state, words, budget=None, spending=spending, phase="thinking")
