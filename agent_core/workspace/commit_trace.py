"""How a commit went: what its hooks printed, and which of them refused."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent_core.process import Completed

_SHOWN = 2000


def refusing_hook(trace: Path) -> str:
    """The hook that refused a commit, by what git wrote down of what it ran (its trace2 events); empty for none.

    One that did not end is the one meant, too.
    """
    running: dict[int, str] = {}
    for event in _events(trace):
        number = int(event.get("child_id", -1))
        if event.get("event") == "child_start" and event.get("child_class") == "hook":
            running[number] = str(event.get("hook_name") or "")
        elif event.get("event") == "child_exit" and number in running:
            name = running.pop(number)
            if event.get("code"):
                return name
    return next(iter(running.values()), "")


def _events(trace: Path) -> Iterator[dict[str, Any]]:
    if not trace.exists():
        return
    own = ""
    for line in trace.read_text("utf-8", "replace").splitlines():
        with contextlib.suppress(ValueError):
            event = json.loads(line)
            own = own or event.get("sid", "")
            # What hooks run of git writes into it too.
            if event.get("sid") == own:
                yield event


def shown(done: Completed) -> str:
    """The end of what a commit printed, hooks included."""
    text = done.text.strip()
    return text if len(text) <= _SHOWN else f"[...] {text[-_SHOWN:]}"
