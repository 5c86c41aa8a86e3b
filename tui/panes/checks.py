"""The checks pane: what judges the newest proposal, how far it is and what it said; or what it said of earlier ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent_core.state import ProposalState, State
from tui.panes.checks_doing import Pointing
from tui.panes.checks_line import Row
from tui.panes.checks_rows import attempts_of, head_rows, is_stale, tail_rows


class ChecksPane(Pointing):
    """The check log.

    Args:
        clock: Gives seconds; monotonic.
    """

    TITLE = "checks"
    follow = False
    EMPTY = ("Syntax, ruff, mypy and pytest judge", "every proposal here, before you are asked.")

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(id="checks")
        self._clock = clock
        self._began: dict[tuple[str, str], tuple[str, float]] = {}  # running checks: the tree, and since when
        self._shown: tuple[object, ...] = ()
        self._number = 0
        self._looked_at = 0  # number of the earlier attempt that is shown, 0 for the newest
        self._tail: tuple[tuple[object, ...], list[Row]] = ((), [])

    # -- What it shows

    def show(self, state: State) -> None:
        """Draw what is true now."""
        self.state = state
        now = (state.checks, state.proposals, state.waiting, state.tasks)
        if all(old is new for old, new in zip(self._shown, now, strict=False)) and self._shown:
            return
        self._shown = now
        running = {(check.check, check.where): check.tree for check in state.checks if check.outcome is None}
        clock = self._clock()
        self._began = {
            key: self._began[key] if key in self._began and self._began[key][0] == tree else (tree, clock)
            for key, tree in running.items()
        }
        number = state.proposal.number if state.proposal else 0
        anew = number != self._number
        if anew:
            self._number = number
            # Who reads here goes on reading what they look at.
            if not (self.read and self._earlier() is not None):
                self._looked_at = 0
            self.forget_folds()
        self._draw()
        if anew and not self.read:
            self.begin_anew()
            self.scroll_to(y=0, animate=False, force=True)

    def tick(self) -> None:
        """A second has passed: running checks show their time."""
        if self._began:
            self._draw()

    @property
    def runs(self) -> bool:
        """Whether a check runs, so that its time has to be shown."""
        return bool(self._began)

    def draw_again(self) -> None:
        """Something was folded or unfolded."""
        self._draw()

    def _earlier(self) -> ProposalState | None:
        """The earlier attempt that is looked at."""
        found = [one for one in attempts_of(self.state)[:-1] if one.number == self._looked_at]
        return found[0] if found else None

    def _draw(self) -> None:
        clock, state = self._clock(), self.state
        elapsed = {key: clock - since for key, (_, since) in self._began.items()}
        earlier = self._earlier()
        attempts = attempts_of(state)
        head = head_rows(state, elapsed, self.opened, earlier)
        self.set_rows([*head, *self._tail_of(earlier or (attempts[-1] if attempts else None))])
        self.mark_empty(empty=not self.rows)
        current = [check for check in state.checks if check.where == "candidate"]
        done = sum(check.outcome is not None for check in current)
        if earlier is not None:
            self.entitle(f"{self.TITLE} · attempt {earlier.attempt} of {len(attempts)}")
        else:
            self.entitle(f"{self.TITLE} · {done}/{len(current)}" if done < len(current) else self.TITLE)

    def _tail_of(self, proposal: ProposalState | None) -> list[Row]:
        """The verdict's rows; the same ones as long as it is the same."""
        if proposal is None:
            return []
        # What has been decided on and gone on from is history, and was about the tree as it was.
        stale = is_stale(proposal) and proposal is self.state.proposal
        about = (proposal.verdict_now, stale, self.folds)
        old, rows = self._tail
        if len(old) != len(about) or old[0] is not about[0] or old[1:] != about[1:]:
            rows = tail_rows(proposal, self.opened, stale=stale)
            self._tail = (about, rows)
        return rows

    # -- Attempts

    @property
    def facts(self) -> frozenset[str]:
        """What it says of itself for `tui.actions.model.Situation`."""
        more = {"checks.attempts"} if len(attempts_of(self.state)) > 1 else set()
        return super().facts | more

    def action_look_at(self, number: int) -> None:
        """Show what was said of an attempt."""
        attempts = attempts_of(self.state)
        newest = attempts[-1].number if attempts else 0
        self._looked_at = number if number != newest else 0
        self._draw()
        self.scroll_to(y=0, animate=False, force=True)
        self.point_at(0)

    def _step(self, by: int) -> None:
        attempts: Sequence[ProposalState] = attempts_of(self.state)
        if not attempts:
            return
        shown = self._earlier() or attempts[-1]
        at = next(at for at, one in enumerate(attempts) if one.number == shown.number) + by
        if 0 <= at < len(attempts):
            self.action_look_at(attempts[at].number)
        else:
            self.desk.say("That was the first attempt." if by < 0 else "This is the newest attempt.")

    def action_attempt_before(self) -> None:
        """To the attempt before."""
        self._step(-1)

    def action_attempt_after(self) -> None:
        """To the attempt after."""
        self._step(1)
