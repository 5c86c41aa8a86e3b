"""What the human asks to see: a diff, findings, the state, help. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from agent_core.spent import session_words
from agent_core.state import State
from tui.plain import findings
from tui.plain.diff import Content, diff_of, part_of, parts_of
from tui.plain.memory import memory_lines
from tui.plain.orders import Order, helped
from tui.plain.status import status_of

SHOWN = frozenset({"diff", "findings", "status", "usage", "memory", "help"})
"""The orders that only show something."""


def answer_to(order: Order, state: State, content: Content) -> Iterator[str]:
    """What such an order shows, a line each.

    Args:
        order: One of `SHOWN`.
        state: What is true now.
        content: Gives content by hash.
    """
    proposal = state.proposal
    if order.name == "help":
        yield from helped()
    elif order.name == "status":
        yield from status_of(state)
    elif order.name == "usage":
        yield from session_words(state)
    elif order.name == "memory":
        yield from memory_lines(state)
    elif proposal is None:
        yield "There is no proposal yet."
    elif order.name == "findings":
        yield from findings.detailed(proposal, order.number) if order.number else findings.listed(proposal)
    elif not order.number:
        yield from diff_of(proposal, content)
    else:
        parts = parts_of(proposal.patch)
        if order.number <= len(parts):
            yield from part_of(proposal, parts[order.number - 1], len(parts), content)
        else:
            yield f"There is no block {order.number}: proposal {proposal.number} has {len(parts)}."
