"""What was spent, in words and as a table: of a session by step, task and model, or of whatever else is counted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import msgspec

from agent_core.conversation import Usage
from agent_core.events import BudgetRaised, BudgetReached
from agent_core.spending import BudgetState
from agent_core.state import State
from agent_core.text import printable

_DUST = 1e-9
"""Dollars that are nothing."""


class Row(msgspec.Struct, frozen=True):
    """Requests that are counted together.

    Attributes:
        label: What they have in common.
        requests: How many there were; 0 where that is not counted.
        usage: Tokens and cost of them.
        unpriced: How many of them have a cost that is not known.
    """

    label: str
    requests: int
    usage: Usage
    unpriced: int = 0


def session_spent(state: State) -> Usage:
    """All that was spent in a session, side requests included."""
    return state.usage + state.spending.aside


def cost_text(usage: Usage) -> str:
    """What was spent, where that is known: ``$0.042``, ``$1.27``; two digits of what is less than a cent."""
    if usage.cost is None:
        return ""
    places = 2 if usage.cost >= 1 else 3
    if _DUST < usage.cost < 0.01:
        places = max(places, 1 - math.floor(math.log10(usage.cost)))
    return f"${usage.cost:,.{places}f}"


def session_rows(state: State) -> list[Row]:
    """What was spent in a session: the last step, the task, all; then by model where there were several."""
    rows = [Row("last step", 0, state.last_usage)]
    if state.tasks:
        number, over = state.tasks[-1].number, state.task is None
        rows.append(Row(f"task {number}{', the last' if over else ''}", 0, state.spending.task))
    models = state.spending.models
    rows.append(Row("session", sum(one.requests for one in models), session_spent(state)))
    if len(models) > 1 or any(one.model for one in models):
        rows += [Row(f"  {model_name(one.model, one.partner)}", one.requests, one.usage) for one in models]
    return rows


def session_words(state: State, width: int = 0) -> Iterator[str]:
    """What was spent in a session, as lines of text: a table, and sentences.

    Args:
        state: The session's state.
        width: Most characters of a row of the table; 0 for any number.
    """
    if not session_spent(state).input and not session_spent(state).output:
        yield "Nothing was spent yet."
        return
    yield from table(session_rows(state), width=width)
    for scope, dollars, tokens in state.spending.raised:
        most = cost_text(Usage(cost=dollars)) if dollars else f"{tokens:,} tokens" if tokens else ""
        yield (
            f"The budget of this {scope} is {most} by now, as you wished."
            if most
            else (f"This {scope} has no limit by now, as you wished.")
        )
    if session_spent(state).cost is None:
        yield "What this costs is not known: [partner] price, or prices.toml, says it."
    aside = state.spending.aside
    if aside.input or aside.output:
        yield f"Of it for summaries and messages of commits: {in_and_out(aside)}."


def in_and_out(usage: Usage) -> str:
    """Tokens and cost in a few words."""
    cost = cost_text(usage)
    return f"{usage.input:,} tokens in, {usage.output:,} out{f', {cost}' if cost else ''}"


def model_name(model: str, partner: str = "") -> str:
    """How a model is called in a table: with the name of its partner where it has one."""
    named = model or "model not known"
    return f"{named} ({partner})" if partner and partner != model else named


_LEAST = ("reasoning", "requests", "cached")
"""Columns that are left out first."""
_LABEL = 24
"""Characters of a label that are worth more than a column."""
_HEAD = ("requests", "input", "cached", "output", "reasoning", "cost")


def table(rows: Sequence[Row], first: str = "", width: int = 0) -> list[str]:
    """Rows as aligned text, the heads of the columns first.

    Args:
        rows: The rows.
        first: Head of the first column.
        width: Most characters of a row: where they are too many, columns are left out and labels cut; 0 for any number.
    """
    cells = [(first, *_HEAD), *((printable(row.label).replace("\n", " "), *_figures(row)) for row in rows)]
    widths: list[int] = []
    room = 0
    for head in ("", *_LEAST):
        left = cells[0].index(head, 1) if head else 0
        cells = [(*line[:left], *line[left + 1 :]) for line in cells] if head else cells
        widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
        room = width - sum(widths[1:]) - 2 * (len(widths) - 1) if width else widths[0]
        if room >= min(widths[0], _LABEL):
            break
    widths[0] = min(widths[0], max(room, 1))
    cells = [(shortened_to(line[0], widths[0]), *line[1:]) for line in cells]
    lines = []
    for line in cells:
        figures = "  ".join(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
        lines.append(f"{line[0].ljust(widths[0])}  {figures}".rstrip())
    return lines


def shortened_to(text: str, most: int) -> str:
    """A text, its end cut off where it is too long for a number of characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _figures(row: Row) -> tuple[str, ...]:
    usage = row.usage
    share = f"{usage.cached:,} ({100 * usage.cached // usage.input}%)" if usage.cached and usage.input else "0"
    cost = cost_text(usage) or "not known"
    if usage.cost is not None and row.unpriced:
        # What is known is the least that it can have been.
        cost = f"{cost}+"
    requests = f"{row.requests:,}" if row.requests else ""
    return requests, f"{usage.input:,}", share, f"{usage.output:,}", f"{usage.reasoning:,}", cost


def used_words(spent: float, limit: float, tokens: int, token_limit: int) -> str:
    """How much of a budget was spent: ``$1.04 of $1.00``, ``120,000 of 100,000 tokens``."""
    if limit:
        return f"{cost_text(Usage(cost=spent))} of {cost_text(Usage(cost=limit))}"
    return f"{tokens:,} of {token_limit:,} tokens"


def budget_words(budget: BudgetState | BudgetReached) -> str:
    """That a budget is used up, as a sentence."""
    used = used_words(budget.spent, budget.limit, budget.tokens, budget.token_limit)
    return f"The budget of this {budget.scope} is used up: {used}."


def raised_words(raised: BudgetRaised) -> str:
    """What the human answered to that, as a sentence."""
    if raised.stopped:
        return "Nothing more was to be spent."
    if not raised.limit and not raised.token_limit:
        return f"The limit of this {raised.scope} was lifted."
    most = cost_text(Usage(cost=raised.limit)) if raised.limit else f"{raised.token_limit:,} tokens"
    return f"The budget of this {raised.scope} was raised to {most}."
