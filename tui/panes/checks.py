"""The checks pane: what judges the newest proposal, how far they are, what they said."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from agent_core.state import State
from tui.actions import bindings
from tui.panes.checks_lines import checks_lines
from tui.panes.pane import Pane


class ChecksPane(Pane):
    """The check log.

    Args:
        clock: Gives seconds; monotonic.
    """

    BINDINGS: ClassVar = bindings("checks")
    TITLE = "checks"
    follow = False
    EMPTY = ("Syntax, ruff, mypy and pytest judge", "every proposal here, before you are asked.")

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(id="checks")
        self._clock = clock
        self._began: dict[tuple[str, str], tuple[str, float]] = {}  # running checks: the tree, and since when
        self._shown: tuple[object, ...] = ()
        self._state = State()
        self._number = 0

    def show(self, state: State) -> None:
        """Draw what is true now."""
        now = (state.checks, state.proposals, state.waiting, state.tasks)
        if all(old is new for old, new in zip(self._shown, now, strict=False)) and self._shown:
            return
        self._shown, self._state = now, state
        running = {(check.check, check.where): check.tree for check in state.checks if check.outcome is None}
        clock = self._clock()
        self._began = {
            key: self._began[key] if key in self._began and self._began[key][0] == tree else (tree, clock)
            for key, tree in running.items()
        }
        self._draw()
        number = state.proposal.number if state.proposal else 0
        if number != self._number:
            self._number = number
            self.scroll_to(y=0, animate=False, force=True)

    def tick(self) -> None:
        """A second has passed: running checks show their time."""
        if self._began:
            self._draw()

    def _draw(self) -> None:
        clock = self._clock()
        elapsed = {key: clock - since for key, (_, since) in self._began.items()}
        lines = checks_lines(self._state, elapsed)
        self.set_lines(lines)
        self.mark_empty(empty=not lines)
        current = [check for check in self._state.checks if check.where == "candidate"]
        done = sum(check.outcome is not None for check in current)
        self.entitle(f"{self.TITLE} · {done}/{len(current)}" if done < len(current) else self.TITLE)
