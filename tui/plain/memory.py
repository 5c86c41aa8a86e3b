"""The memory of the session as sentences, and what a typed line writes into it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent_core.commands import Memorize
from agent_core.state import State
from agent_core.text import counted

_ENTRY = re.compile(r"([a-z]+:\d+)\s+(.+)", re.DOTALL)
NAME = re.compile(r"[a-z]+:\d+")
"""What the names of entries look like."""


def memory_lines(state: State) -> Iterator[str]:
    """All that is remembered, a line each, with the names by which it can be rewritten and forgotten."""
    from agent_core.memory.recollection import memory_of  # noqa: PLC0415 - not needed to begin

    memory = memory_of(state)
    size, sent = counted(len(state.items), "item"), counted(state.steps, "request")
    yield f"The partner has been told {size} so far, in {sent}; about {state.size.tokens:,} tokens."
    for number, one in enumerate(state.compactions, 1):
        yield f"Summary {number} stands for {counted(len(one.items), 'item')} of it."
    for entry in memory.entries:
        marks = [
            "forgotten" if entry.forgotten else "",
            "in your words" if entry.rewritten else "",
            "not told to the partner yet" if entry.id in state.unheard else "",
        ]
        said = ", ".join(mark for mark in marks if mark)
        yield f"{entry.id}, {entry.source}{f', {said}' if said else ''}: {entry.text}"
        if entry.rewritten:
            yield f"It was: {entry.was}"
        yield from entry.detail
    yield from (f"Checks, {line}" for line in memory.checks)
    yield from memory.left_out
    if not memory.entries:
        yield "Nothing else is remembered yet."
    yield "Type /remember and words to add a note, /remember, a name and words to rewrite, forget and a name to forget."


def remembered(text: str, state: State) -> Memorize | None:
    """What a line behind ``/remember`` wants: a new note, or an entry in other words; None where it says nothing.

    Args:
        text: What was typed behind it.
        state: What is true now.
    """
    from agent_core.memory.recollection import memory_of  # noqa: PLC0415 - not needed to begin

    found = _ENTRY.fullmatch(text)
    # A note may begin with what only looks like a name.
    if found is not None and any(one.id == found[1] for one in memory_of(state).entries):
        return Memorize(found[2].strip(), found[1])
    return Memorize(text) if text else None
