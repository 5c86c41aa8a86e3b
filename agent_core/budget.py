"""What may be spent: before each request it is seen whether a budget is used up; then the human is asked.

A budget is kept by what is known: dollars where the partner's price is, tokens in any case.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import get_args

from agent_core import events as ev
from agent_core.config_tables import BudgetConfig
from agent_core.errors import BudgetError
from agent_core.parts import Emit
from agent_core.spent import session_spent, used_words
from agent_core.state import State

_EPSILON = 1e-9
"""Dollars below which a difference comes from adding fractions."""


class Budget:
    """Watches what a session and its tasks cost.

    Args:
        config: What may be spent.
        emit: Adds an event.
        state: Gives the state after the last event.
    """

    def __init__(self, config: BudgetConfig, emit: Emit, state: Callable[[], State]) -> None:
        self._config = config
        self._emit = emit
        self._state = state
        self._answers: asyncio.Queue[float] = asyncio.Queue()
        self._told_unknown = False

    async def gate(self) -> None:
        """Let a request pass, or wait until the human allows more.

        Raises:
            BudgetError: They do not want to spend more.
        """
        self._tell_unknown()
        while (over := self.reached()) is not None:
            while not self._answers.empty():
                self._answers.get_nowait()
            self._emit(over, durable=True)
            times = await self._answers.get()
            raised = self._raised(over, times)
            self._emit(raised, durable=True)
            if raised.stopped:
                used = used_words(over.spent, over.limit, over.tokens, over.token_limit)
                raise BudgetError(f"Stopped: the budget of this {over.scope} is used up, {used}.")

    def answer(self, times: float) -> None:
        """Take the human's answer; see `agent_core.commands.RaiseBudget`. Void where nothing was asked."""
        if self._state().budget is not None:
            self._answers.put_nowait(times)

    def reached(self) -> ev.BudgetReached | None:
        """The budget that is used up; None while none is."""
        state = self._state()
        for scope in get_args(ev.BudgetScope):
            used = state.spending.task if scope == "task" else session_spent(state)
            dollars, most = self._limits(scope)
            spent, tokens = used.cost or 0.0, used.input + used.output
            if dollars and spent >= dollars - _EPSILON:
                return ev.BudgetReached(scope, spent, dollars, tokens, 0)
            if most and tokens >= most:
                return ev.BudgetReached(scope, spent, 0.0, tokens, most)
        return None

    def _limits(self, scope: ev.BudgetScope) -> tuple[float, int]:
        """Dollars and tokens that may be spent; 0 for any number."""
        for whose, dollars, tokens in self._state().spending.raised:
            if whose == scope:
                return dollars, tokens
        return self._configured(scope)

    def _configured(self, scope: ev.BudgetScope) -> tuple[float, int]:
        config = self._config
        return (config.task, config.task_tokens) if scope == "task" else (config.session, config.session_tokens)

    def _raised(self, over: ev.BudgetReached, times: float) -> ev.BudgetRaised:
        """What an answer makes of the budget that is used up."""
        dollars, tokens = self._limits(over.scope)
        if times < 0:
            return ev.BudgetRaised(over.scope, dollars, tokens, stopped=True)
        if times == 0:
            return ev.BudgetRaised(over.scope, 0.0, 0)
        # One request may have gone far beyond the limit: it is raised from what was spent, or it would be asked again
        # at once.
        more_dollars, more_tokens = self._configured(over.scope)
        if over.limit:
            dollars = over.spent + times * (more_dollars or over.limit)
        else:
            tokens = over.tokens + int(times * (more_tokens or over.token_limit))
        return ev.BudgetRaised(over.scope, dollars, tokens)

    def _tell_unknown(self) -> None:
        """Say once that a budget in dollars is not kept where nobody knows what the partner costs."""
        last, config = self._state().last_usage, self._config
        if self._told_unknown or not (config.task or config.session) or not last.input or last.cost is not None:
            return
        self._told_unknown = True
        text = "What this partner costs is not known, so the budget in dollars is not kept for it."
        hint = "Set [partner] price, a price in prices.toml, or a budget in tokens: task_tokens, session_tokens."
        self._emit(ev.Noted("warning", text, hint))
