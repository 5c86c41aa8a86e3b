"""A line of the check log: what it shows, what it is about, where it leads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from agent_core.checks.model import Finding
from tui.widgets.lines import Line


class Opened(Protocol):
    """Says what is unfolded."""

    def __call__(self, key: str, *, default: bool = False) -> bool:
        """Whether something is, by its key, and how it is as long as nobody says otherwise."""


class Row(NamedTuple):
    """A line of the check log, and what it is about.

    Attributes:
        line: What is drawn.
        key: What it belongs to, the same from one drawing to the next; empty for what cannot be pointed at.
        folds: It heads something that folds.
        parent: Key of what it is in.
        finding: The finding it is of.
        path: The file it leads to; empty for none.
        at: 1-based line there, 0 for none.
        alike: All findings of a cause, where it heads one.
    """

    line: Line
    key: str = ""
    folds: bool = False
    parent: str = ""
    finding: Finding | None = None
    path: str = ""
    at: int = 0
    alike: Sequence[Finding] = ()
