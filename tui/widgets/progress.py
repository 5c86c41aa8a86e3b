"""How far work has got: a thin bar of text, and one number for all checks together."""

from __future__ import annotations

from collections.abc import Sequence

from agent_core.state import CheckState
from tui.widgets.lines import Piece

_ALMOST = 0.99


def bar(share: float, width: int) -> list[Piece]:
    """A bar; what is done can be told from what is not without colours too.

    Args:
        share: What is done, from 0 to 1; what is beyond is cut.
        width: Its cells.
    """
    halves = round(2 * width * min(max(share, 0.0), 1.0))
    done = "━" * (halves // 2) + "╸" * (halves % 2)
    return [(done, "accent"), ("─" * (width - len(done)), "faint")]


def share_of(done: int, total: int) -> float | None:
    """How much of something is done, None where that is not known."""
    return done / total if total > 0 else None


def overall(checks: Sequence[CheckState]) -> float | None:
    """How much of the checks of the newest candidate is done, None where none of them runs.

    Every check counts the same: how long each will take is not known. While one runs it is never all: a check that
    has looked at everything still has to end.
    """
    current = [check for check in checks if check.where == "candidate"]
    if all(check.outcome is not None for check in current):
        return None
    done = (1.0 if one.outcome is not None else min(share_of(one.done, one.total) or 0.0, 1.0) for one in current)
    return min(sum(done) / len(current), _ALMOST)
