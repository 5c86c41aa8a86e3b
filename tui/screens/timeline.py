"""The attempts of a session, one after the other: what was proposed, what the checks said, what was decided and why."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

import msgspec
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen

from agent_core.events import DECIDED
from agent_core.state import CheckState, LandingState, ProposalState, State
from tui.panes.checks import ChecksPane
from tui.panes.checks_lines import attempt_cell
from tui.panes.diff import DiffPane
from tui.screens.grace import CUTS_OFF
from tui.settings import Settings
from tui.widgets.lines import Line, Piece, Rows, clean

_KEYS = (
    ("← →", "attempt"),
    ("↑ ↓", "scroll"),
    ("tab", "diff or checks"),
    ("f", "fork here"),
    ("esc", "back"),
)
_STANDS = {
    "landed": ("it stands in your files", "good"),
    "undone": ("taken back since", "warn"),
    "abandoned": ("nothing of it was written", "warn"),
    "started": ("under way", "accent"),
}


def as_it_was(state: State, proposal: ProposalState) -> State:
    """A session's state as its panes draw it to show an earlier proposal.

    Args:
        state: The session's state.
        proposal: One of its proposals.
    """
    upto = tuple(one for one in state.proposals if one.number <= proposal.number)
    task = tuple(one for one in state.tasks if one.number <= proposal.task)
    results = proposal.verdict.results if proposal.verdict is not None else ()
    checks = tuple(
        CheckState(one.check, "candidate", one.tree, one.outcome, one.total, one.total, one) for one in results
    )
    if proposal is state.proposal:
        checks = state.checks
    return msgspec.structs.replace(
        state, proposals=upto, tasks=task, checks=checks, waiting=0, live_patch="", chat=(), items=()
    )


def landing_of(state: State, proposal: ProposalState) -> LandingState | None:
    """The landing of a proposal, the last one if there were several."""
    found = [one for one in state.landings if one.proposal == proposal.number and not one.undoes]
    return found[-1] if found else None


def attempts_strip(state: State, at: int, width: int) -> Line:
    """All attempts in a row, by task, the one that is looked at marked; those near it where not all have room."""
    cells: list[list[Piece]] = []
    task = 0
    for index, proposal in enumerate(state.proposals):
        sign, style = attempt_cell(proposal)
        cell: list[Piece] = []
        if proposal.task != task:
            task = proposal.task
            cell.append((f"task {task} ", "dim"))
        left, right = ("[", "]") if index == at else (" ", " ")
        cell += [(left, "strong"), (f"{sign}{proposal.attempt}", style), (f"{right} ", "strong")]
        cells.append(cell)
    first, last = _window([sum(len(text) for text, _ in cell) for cell in cells], at, width - 4)
    pieces: list[Piece] = [("… ", "faint")] if first else []
    for cell in cells[first:last]:
        pieces += cell
    return Line([*pieces, *([("…", "faint")] if last < len(cells) else [])])


def _window(widths: Sequence[int], at: int, room: int) -> tuple[int, int]:
    """Which cells around one fit into some room."""
    first, last = at, at + 1
    used = widths[at]
    while True:
        if last < len(widths) and used + widths[last] <= room:
            used += widths[last]
            last += 1
        elif first and used + widths[first - 1] <= room:
            first -= 1
            used += widths[first]
        else:
            return first, last


def story_lines(state: State, proposal: ProposalState) -> list[Line]:
    """What was asked, what became of a proposal, and why."""
    task = next((one.text for one in state.tasks if one.number == proposal.task), "")
    lines = [Line(((clean(task.strip().split("\n")[0]), "strong"),), lead=((f"task {proposal.task}  ", "dim"),))]
    pieces: list[Piece] = [(f"proposal {proposal.number}, attempt {proposal.attempt}: ", "text")]
    if proposal.decision is None:
        waits = state.waiting == proposal.number
        pieces.append(("waits for you" if waits else "not decided on", "accent" if waits else "dim"))
    else:
        share = f", {proposal.taken} of {proposal.of} parts" if proposal.of else ""
        style = {"accept": "good", "reject": "bad", "steer": "warn"}[proposal.decision]
        sign = {"accept": "✓ ", "reject": "✗ ", "steer": "↻ "}[proposal.decision]
        pieces.append((f"{sign}{DECIDED[proposal.decision]}{share}", style))
        if proposal.reason:
            pieces.append((f": {clean(proposal.reason)}", "text"))
    if (landing := landing_of(state, proposal)) is not None:
        words, style = _STANDS[landing.stands]
        pieces += [(f"  ⤓ landing {landing.number}, ", "dim"), (words, style)]
    lines.append(Line(pieces))
    if proposal.diagnosis:
        lines.append(Line(((clean(proposal.diagnosis), "dim"),)))
    return lines


class TimelineScreen(ModalScreen[int | None]):
    """Lies over the panes; gives the proposal to fork at, None for none.

    Args:
        state: The session's state; it stays the one that was when the screen was opened.
        content: Gives the contents of files by hash.
        settings: How diffs are laid out.
        busy: Whether the partner is at work in the session, which a fork would cut off.
    """

    DEFAULT_CSS = """
    TimelineScreen { align: center middle; }
    TimelineScreen > Vertical { width: 98%; height: 96%; border: round $primary; padding: 0 1;
        background: $background; }
    TimelineScreen Horizontal { height: 1fr; }
    TimelineScreen Rows { margin: 0 0 1 0; }
    TimelineScreen #keys-below { margin: 0; }
    TimelineScreen DiffPane { width: 3fr; display: block; }
    TimelineScreen ChecksPane { width: 2fr; display: block; }
    TimelineScreen.-narrow Rows { margin: 0; }
    TimelineScreen.-narrow DiffPane, TimelineScreen.-narrow ChecksPane { width: 1fr; }
    TimelineScreen.-narrow DiffPane, TimelineScreen.-narrow.-checks ChecksPane { display: block; }
    TimelineScreen.-narrow ChecksPane, TimelineScreen.-narrow.-checks DiffPane { display: none; }
    """
    BINDINGS: ClassVar = [
        Binding("escape,q", "dismiss(None)", show=False, priority=True),
        Binding("left,h", "step(-1)", show=False, priority=True),
        Binding("right,l", "step(1)", show=False, priority=True),
        Binding("home", "step(-100000)", show=False, priority=True),
        Binding("end", "step(100000)", show=False, priority=True),
        Binding("up,k", "scroll(-1)", show=False, priority=True),
        Binding("down,j", "scroll(1)", show=False, priority=True),
        Binding("f", "fork", show=False, priority=True),
        Binding("tab,shift+tab", "other", show=False, priority=True),
    ]

    def __init__(
        self,
        state: State,
        content: Callable[[str], bytes],
        settings: Settings | None = None,
        busy: Callable[[], bool] = bool,
    ) -> None:
        super().__init__()
        self._state = state
        self._busy = busy
        self._warned = False  # that it would cut the partner off
        self._at = len(state.proposals) - 1
        self._strip = Rows()
        self._story = Rows()
        self._keys = Rows(id="keys-below")
        self.diff = DiffPane(settings)
        self.diff.attach(content)
        self.checks = ChecksPane(time.monotonic)

    @property
    def proposal(self) -> ProposalState:
        """The one that is looked at."""
        return self._state.proposals[self._at]

    def compose(self) -> ComposeResult:
        """The attempts, what became of one, and its diff beside its checks."""
        with Vertical() as frame:
            frame.border_title = "timeline"
            yield self._strip
            yield self._story
            with Horizontal():
                yield self.diff
                yield self.checks
            yield self._keys

    def on_mount(self) -> None:
        """Show the newest."""
        self._tell_keys()
        self.diff.focus()
        self._show()

    def _tell_keys(self) -> None:
        self._warned = False
        pieces: list[Piece] = []
        for key, word in _KEYS:
            pieces += [(key, "key"), (f" {word}   ", "dim")]
        self._keys.set_lines([Line(pieces)])

    def on_resize(self, event: events.Resize) -> None:
        """There is room for more or fewer attempts."""
        del event
        self._draw_strip()

    def _draw_strip(self) -> None:
        self._strip.set_lines([attempts_strip(self._state, self._at, max(self.size.width - 6, 20))])

    def _show(self) -> None:
        self._draw_strip()
        self._story.set_lines(story_lines(self._state, self.proposal))
        then = as_it_was(self._state, self.proposal)
        self.diff.show(then)
        self.checks.show(then)

    def action_step(self, by: int) -> None:
        """To another attempt."""
        at = min(max(self._at + by, 0), len(self._state.proposals) - 1)
        if at != self._at:
            self._at = at
            self._tell_keys()
            self._show()
            self.diff.scroll_home(animate=False)
            self.checks.scroll_home(animate=False)

    def action_scroll(self, by: int) -> None:
        """Scroll what has the focus."""
        pane = self.checks if self.has_class("-checks") else self.diff
        pane.scroll_relative(y=by, animate=False)

    def action_other(self) -> None:
        """To the checks, or back to the diff."""
        self.toggle_class("-checks")
        # One that was hidden can take the focus only when its new style has been applied.
        self.call_after_refresh((self.checks if self.has_class("-checks") else self.diff).focus)

    def action_fork(self) -> None:
        """Fork where this one waited; where that cuts the partner off, when it is asked for twice."""
        if self._busy() and not self._warned:
            self._warned = True
            self._keys.set_lines([Line(((CUTS_OFF.format("f"), "warn"),))])
            return
        self.dismiss(self.proposal.number)
