"""The memory of a session as text: for what takes the place of a conversation that was too long."""

from __future__ import annotations

from agent_core.memory.model import Kind, Memory, MemoryEntry
from agent_core.text import cap_text, estimate_tokens

TITLES: dict[Kind, str] = {
    "task": "What the human asked for",
    "note": "What the human wants remembered",
    "said": "What the human said",
    "decision": "Decisions, with the human's reasons",
    "attempt": "What was tried, and what came of it",
    "refused": "Patches that could not be taken",
    "landing": "What was landed and taken back",
    "edit": "Edits that were not yours",
}
_DETAILED: frozenset[Kind] = frozenset({"attempt"})
# What goes first where there is no room for all of it; what the human wants and what they rejected goes last.
_GIVEN_UP: tuple[Kind, ...] = ("refused", "edit", "landing", "attempt", "said", "decision", "task", "note")
_SHORT_TOKENS = 60


def memory_text(memory: Memory, budget: int) -> str:
    """The memory for the partner, word for word as far as there is room.

    Args:
        memory: The memory; what is forgotten is left out.
        budget: Most tokens, by `agent_core.text.estimate_tokens`. Where it is too little, details go first, then
            long entries are shortened, then the oldest of what matters least go; what went is counted.
    """
    kept = {kind: [one for one in memory.counting if one.kind == kind] for kind in TITLES}
    whole = _written(memory, kept, detailed=True)
    if estimate_tokens(whole) <= budget:
        return whole
    plain = _written(memory, kept, detailed=False)
    if estimate_tokens(plain) <= budget:
        return plain
    return _fitted(memory, kept, budget)


def _fitted(memory: Memory, kept: dict[Kind, list[MemoryEntry]], budget: int) -> str:
    lines = {kind: [_line(one, short=True) for one in entries] for kind, entries in kept.items()}
    gone: dict[Kind, int] = dict.fromkeys(TITLES, 0)
    frame = estimate_tokens(_assembled({}, {}, (*memory.checks, *memory.left_out)))
    room = budget - frame - sum(estimate_tokens(title) + 12 for title in TITLES.values())
    used = sum(estimate_tokens(line) + 1 for kind in lines for line in lines[kind])
    for kind in _GIVEN_UP:
        while used > room and lines[kind]:
            used -= estimate_tokens(lines[kind].pop(0)) + 1
            gone[kind] += 1
    return cap_text(_assembled(lines, gone, (*memory.checks, *memory.left_out)), budget)


def _written(memory: Memory, kept: dict[Kind, list[MemoryEntry]], *, detailed: bool) -> str:
    lines = {
        kind: [
            line
            for one in entries
            for line in (_line(one), *(f"  {more}" for more in one.detail if detailed and kind in _DETAILED))
        ]
        for kind, entries in kept.items()
    }
    return _assembled(lines, {}, (*memory.checks, *memory.left_out))


def _line(entry: MemoryEntry, *, short: bool = False) -> str:
    text = cap_text(entry.text, _SHORT_TOKENS) if short else entry.text
    said = f" (the human put it so; it was: {entry.was})" if entry.rewritten and not short else ""
    head, *rest = text.strip().split("\n")
    return "\n".join((f"- [{entry.id}] {head}", *(f"  {line}" for line in rest))) + said


def _assembled(lines: dict[Kind, list[str]], gone: dict[Kind, int], checks: tuple[str, ...]) -> str:
    parts = []
    for kind, title in TITLES.items():
        own, less = lines.get(kind, []), gone.get(kind, 0)
        if own or less:
            left = [f"- ({less} older left out for want of room)"] if less else []
            parts.append("\n".join((f"## {title}", *left, *own)))
    if checks:
        parts.append("\n".join(("## The checks now", *(f"- {line}" for line in checks))))
    return "\n\n".join(parts)
