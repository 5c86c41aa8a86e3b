"""``pairloop sessions`` and ``pairloop export``: the sessions of a project, listed and written out.

``pairloop sessions --json`` prints one `agent_core.shelf.SessionCard` a line; its field names are stable, as are those
of `agent_core.story.Story`, which ``pairloop export --format json`` writes.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from agent_core.build import Engine
from agent_core.errors import JournalError
from agent_core.export import Format
from agent_core.output import JsonWriter, complain, write_out
from agent_core.shelf import SessionCard, named
from agent_core.text import counted, printable

DONE, NOTHING = 0, 1
_PENDING = {"": "", "proposal": "a proposal waits", "task": "cut short"}


def _told(card: SessionCard) -> Iterator[str]:
    """A session as a human reads it."""
    at = time.strftime("%Y-%m-%d %H:%M", time.localtime(card.last))
    yield printable(f"{card.id}  {at}  {card.title or '(no title)'}\n").replace("\t", " ")
    counts = [counted(card.tasks, "task"), f"{card.attempts} proposed"]
    counts += [f"{card.landings} landed"] if card.landings else []
    counts += [_PENDING[card.pending]] if card.pending else []
    counts += ["open now"] if card.in_use else []
    counts += [f"forked from {card.forked_from}"] if card.forked_from else []
    counts += ["hidden"] if card.hidden else []
    yield f"    {', '.join(counts)}\n"


async def list_sessions(engine: Engine, *, hidden: bool, json: bool) -> int:
    """List the sessions of a project, the one used last first.

    Args:
        engine: Of the project.
        hidden: Also those that were hidden.
        json: As JSON lines.

    Returns:
        The exit code: 0 told.

    Raises:
        PairloopError: The configuration or the journal cannot be used.
    """
    cards = await engine.shelf().cards(hidden=hidden)
    if json:
        writer = JsonWriter(sys.stdout)
        return DONE if write_out(map(writer.line, cards)) else NOTHING
    texts = [text for card in cards for text in _told(card)] or ["There are no sessions in this project yet.\n"]
    return DONE if write_out(texts) else NOTHING


async def export(engine: Engine, name: str, form: Format, out: Path | None) -> int:
    """Write out a session.

    Args:
        engine: Of the project.
        name: The session's id or the beginning of it; empty for the one used last.
        form: Markdown or JSON.
        out: The file to write; None for standard output.

    Returns:
        The exit code: 0 written, 1 there is no such session or it could not be written.

    Raises:
        PairloopError: The configuration or the journal cannot be used.
    """
    shelf = engine.shelf()
    cards = await shelf.cards(hidden=True)
    try:
        card = named(cards, name)
    except JournalError as error:
        complain(error.message, error.hint)
        return NOTHING
    text = await shelf.exported(card.id, form)
    if out is None:
        return DONE if write_out([text]) else NOTHING
    try:
        await asyncio.to_thread(out.write_text, text, encoding="utf-8", newline="\n")
    except OSError as error:
        complain(f"{out}: cannot be written: {error.strerror or error}.")
        return NOTHING
    return DONE
