"""What was spent, in words and as a table: of a session by step, task and model, or of whatever else is counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from agent_core.conversation import Usage
from agent_core.state import State
from agent_core.text import printable


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
    """What was spent, where that is known: ``$0.042``, ``$1.27``."""
    if usage.cost is None:
        return ""
    return f"${usage.cost:,.2f}" if usage.cost >= 1 or not usage.cost else f"${usage.cost:.3f}"


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


def session_words(state: State, limits: Sequence[str] = ()) -> Iterator[str]:
    """What was spent in a session, as lines of text.

    Args:
        state: The session's state.
        limits: What is to be said of budgets.
    """
    if not session_spent(state).input and not session_spent(state).output:
        yield "Nothing was spent yet."
        yield from limits
        return
    yield from table(session_rows(state))
    if session_spent(state).cost is None:
        yield "What this costs is not known: [partner] price, or prices.toml, says it."
    aside = state.spending.aside
    if aside.input or aside.output:
        yield f"Of it for summaries and messages of commits: {in_and_out(aside)}."
    yield from limits


def in_and_out(usage: Usage) -> str:
    """Tokens and cost in a few words."""
    cost = cost_text(usage)
    return f"{usage.input:,} tokens in, {usage.output:,} out{f', {cost}' if cost else ''}"


def model_name(model: str, partner: str = "") -> str:
    """How a model is called in a table: with the name of its partner where it has one."""
    named = model or "model not known"
    return f"{named} ({partner})" if partner and partner != model else named


_HEAD = ("requests", "input", "cached", "output", "reasoning", "cost")


def table(rows: Sequence[Row], first: str = "") -> list[str]:
    """Rows as aligned text, the heads of the columns first.

    Args:
        rows: The rows.
        first: Head of the first column.
    """
    cells = [(first, *_HEAD), *((printable(row.label).replace("\n", " "), *_figures(row)) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = []
    for line in cells:
        figures = "  ".join(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
        lines.append(f"{line[0].ljust(widths[0])}  {figures}".rstrip())
    return lines


def _figures(row: Row) -> tuple[str, ...]:
    usage = row.usage
    share = f"{usage.cached:,} ({100 * usage.cached // usage.input}%)" if usage.cached and usage.input else "0"
    cost = cost_text(usage) or "not known"
    if usage.cost is not None and row.unpriced:
        # What is known is the least that it can have been.
        cost = f"{cost}+"
    requests = f"{row.requests:,}" if row.requests else ""
    return requests, f"{usage.input:,}", share, f"{usage.output:,}", f"{usage.reasoning:,}", cost
