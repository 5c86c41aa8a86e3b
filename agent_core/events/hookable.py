"""Which events hooks can run on."""

from __future__ import annotations

from typing import get_args

from agent_core.events import AnyEvent

_PIECES = frozenset(
    {"TextStreamed", "ReasoningStreamed", "PatchStreamed", "ToolPrinted", "CheckProgressed", "RepairProgressed"}
)
"""They come many times a second, and say nothing that the event at their end does not."""

HOOKABLE = frozenset(kind.__name__ for kind in get_args(AnyEvent)) - _PIECES - {"HookFinished"}


def trouble(name: str) -> str:
    """Why there can be no hook on an event of some name; empty where there can."""
    if name in HOOKABLE:
        return ""
    if name == "HookFinished":
        return "hooks do not run on what hooks do"
    if name in _PIECES:
        return f"{name} comes in pieces; take the event at its end"
    import difflib  # noqa: PLC0415 - not needed to paint

    near = difflib.get_close_matches(name, sorted(HOOKABLE), 1, 0.5)
    return f"there is no event {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
