"""What the human writes into the session's memory: taken in, and told to the partner at its next step."""

from __future__ import annotations

from agent_core import events as ev
from agent_core.commands import Memorize
from agent_core.memory.model import MemoryEntry
from agent_core.memory.recollection import memory_of, new_note_id
from agent_core.parts import Parts
from agent_core.state import State
from agent_core.text import cap_text

MOST_CHARACTERS = 4_000
"""Longest entry of the human's own: it goes into every summary, word for word."""
_TOLD_TOKENS = 1_500
_ENTRY_TOKENS = 400


class Notes:
    """Takes in what the human writes.

    Args:
        parts: The session's parts.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def obey(self, command: Memorize) -> None:
        """Write an entry, or say why that cannot be."""
        trouble = self._written(command)
        if trouble:
            self._parts.emit(ev.Noted("info", trouble))

    def _written(self, command: Memorize) -> str:
        state, text = self._parts.state(), command.text.strip()
        if len(text) > MOST_CHARACTERS:
            return f"An entry of the memory has at most {MOST_CHARACTERS:,} characters; this one has {len(text):,}."
        if not command.id:
            if not text:
                return "There is nothing to remember in that."
            self._parts.emit(ev.MemoryKept(new_note_id(state), text), durable=True)
            return ""
        entry = next((one for one in memory_of(state).entries if one.id == command.id), None)
        if entry is None:
            return f"The memory of this session has no entry {command.id}."
        if command.back:
            if not entry.back:
                return f"Nothing was written of {command.id} that could be taken back."
            self._parts.emit(ev.MemoryKept(command.id, "", back=True), durable=True)
        elif text != (entry.text if not entry.forgotten else ""):
            self._parts.emit(ev.MemoryKept(command.id, text), durable=True)
        return ""


def notes_item(state: State) -> str:
    """What the partner is told of what the human wrote into the memory since it was last told; empty for nothing."""
    if not state.unheard:
        return ""
    entries = {one.id: one for one in memory_of(state).entries}
    lines = [_told(entries[name]) for name in state.unheard if name in entries]
    if not lines:
        return ""
    return cap_text(
        "\n".join(("[The human wrote into the memory of this session; it counts from now on:]", *lines)), _TOLD_TOKENS
    )


def _told(entry: MemoryEntry) -> str:
    text = cap_text(entry.text, _ENTRY_TOKENS)
    if entry.forgotten:
        return f"- Forget this, it does not count any more: {text}"
    if entry.kind == "note":
        return f"- Remember: {text}"
    if entry.rewritten:
        return f"- Remember this: {text}\n  instead of: {cap_text(entry.was, _ENTRY_TOKENS // 2)}"
    return f"- This counts again as it was: {text}"
