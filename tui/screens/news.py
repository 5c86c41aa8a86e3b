"""What there is in panes that are not in front: a sign beside their names."""

from __future__ import annotations

from agent_core.state import State
from tui.panes.checks_rows import is_stale
from tui.screens.asking import landing_mood

PANES = ("chat", "diff", "checks")
"""In the order in which they are gone through."""


class News:
    """Keeps in mind how much of each pane has been in front."""

    def __init__(self) -> None:
        self._seen = {"chat": 0, "diff": 0}

    def forget(self) -> None:
        """Another session will be shown."""
        self._seen = {"chat": 0, "diff": 0}

    def signs(self, state: State, front: str) -> list[tuple[str, str]]:
        """Each pane and its sign, which is empty where there is nothing to tell.

        Args:
            state: What is true now.
            front: The pane in front, of which all counts as seen from now on.
        """
        amount = {"chat": len(state.chat) + bool(state.live), "diff": len(state.proposals) + bool(state.live_patch)}
        news = dict.fromkeys(PANES, "")
        for name, count in amount.items():
            if name == front:
                self._seen[name] = count
            elif count > self._seen[name]:
                news[name] = "•"
        if any(check.outcome is None for check in state.checks):
            news["checks"] = "◌"
        elif (proposal := state.proposal) is not None and proposal.verdict is not None and state.checks:
            news["checks"] = "!" if is_stale(proposal) else {"good": "✓", "bad": "✗", "": "◌"}[landing_mood(proposal)]
        return list(news.items())
