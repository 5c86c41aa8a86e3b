"""``pairloop permissions``: the rules on what the partner may do without asking, listed and forgotten.

``--json`` prints one `agent_core.permission_book.KnownRule` a line; its field names are stable.
"""

from __future__ import annotations

import asyncio
import sys

from agent_core.build import Engine
from agent_core.errors import PermissionsError
from agent_core.output import JsonWriter, complain, write_out
from agent_core.text import printable

DONE, NOTHING = 0, 1


async def list_rules(engine: Engine, *, json: bool) -> int:
    """List the rules: those that are kept for the project first.

    Args:
        engine: Of the project.
        json: As JSON lines.

    Returns:
        The exit code: 0 told, 1 the kept ones cannot be read.

    Raises:
        ConfigError: The configuration cannot be used.
    """
    try:
        rules = await asyncio.to_thread(engine.permissions().known, engine.config().permissions)
    except PermissionsError as error:
        complain(error.message, error.hint)
        return NOTHING
    if json:
        return DONE if write_out(map(JsonWriter(sys.stdout).line, rules)) else NOTHING
    lines = [f"{one.answer:<5}  {one.rule}{'  (kept)' if one.kept else ''}" for one in rules]
    text = "\n".join(map(printable, lines)) or "There are no rules: you are asked before the partner runs anything."
    return DONE if write_out([f"{text}\n"]) else NOTHING


async def forget(engine: Engine, rule: str) -> int:
    """Forget a rule that is kept for the project.

    Args:
        engine: Of the project.
        rule: The rule, as it is listed.

    Returns:
        The exit code: 0 forgotten, 1 there is no such rule, or the file cannot be written.
    """
    try:
        known = await asyncio.to_thread(engine.permissions().forget, rule)
    except PermissionsError as error:
        complain(error.message, error.hint)
        return NOTHING
    if not known:
        complain(f"no rule “{rule}” is kept for this project.", "`pairloop permissions` lists those that are.")
        return NOTHING
    return DONE if write_out([f"You are asked again from now on: {printable(rule)}\n"]) else NOTHING
