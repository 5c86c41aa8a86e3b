"""``pairloop usage``: what was spent over all projects.

``--json`` prints one `agent_core.ledger.Entry` a line; its field names are stable.
"""

from __future__ import annotations

import asyncio
import sys

from agent_core.ledger import By, days_ago, entries, read_ledger, rows
from agent_core.output import JsonWriter, complain, write_out
from agent_core.places import state_dir
from agent_core.spent import table

TOLD, NOTHING = 0, 1


async def usage(*, days: int, by: By, json: bool) -> int:
    """Tell what was spent.

    Args:
        days: Of how many days, today being one of them; 0 for all.
        by: What requests are counted by.
        json: As JSON lines.

    Returns:
        The exit code: 0 told, 1 there is nothing to tell.
    """
    since = days_ago(days) if days else 0.0
    ledger = await asyncio.to_thread(read_ledger, state_dir() / "projects", since)
    for note in ledger.notes:
        complain(note)
    made = entries(ledger.spent, by)
    if json:
        told = write_out(map(JsonWriter(sys.stdout).line, made))
    elif made:
        first = {"day": "day", "model": "model", "project": "project", "session": "session"}[by]
        lines = table(list(rows(made)), first)
        if any(one.unpriced for one in made):
            lines.append("A cost is not known where no price is; [partner] price and prices.toml say prices.")
        told = write_out([f"{line}\n" for line in lines])
    else:
        when = "" if not days else " today" if days == 1 else f" in the last {days} days"
        told = write_out([f"Nothing was spent{when}.\n"])
    return TOLD if told and made else NOTHING
