"""The status line: what goes on, who proposes, how full the context is, and what the session stands in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from agent_core.conversation import Usage
from agent_core.repairs_state import SearchState
from agent_core.spent import cost_text, session_spent
from agent_core.state import RetryState, State
from tui.panes.checks_lines import seconds_text
from tui.widgets.lines import Line, Piece, Rows, clean
from tui.widgets.progress import bar, overall

if TYPE_CHECKING:
    from agent_core.workspace.git import GitStatus
    from tui.engine import Surroundings

_MODES = {"step": "dim", "until-green": "accent", "auto": "warn"}
_HEARD: dict[str, Piece] = {
    "watched": ("saves heard", "faint"),
    "polled": ("saves looked for now and then", "warn"),
    "lost": ("! saves heard only before each step", "warn"),
}
_LONGEST_BRANCH = 32
_LONG = 100
_FULL = 80
"""From so many percent on the context is as good as full."""


def retry_words(retry: RetryState, waited: float) -> str:
    """How long it is until a request is sent again, and which time that will be.

    Args:
        retry: The wait.
        waited: Seconds of it that are over.
    """
    left = max(round(retry.seconds - waited), 0)
    time = f"{left} s" if left < _LONG else seconds_text(float(left))
    count = f" ({retry.attempt} of {retry.most})" if retry.most else ""
    if not left:
        return f"asking again{count}"
    return f"{'offline, ' if retry.offline else ''}waiting {time} to ask again{count}"


def phase_words(state: State, waited: float = 0.0) -> str:
    """What the session is doing, in words.

    Args:
        state: The session's state.
        waited: Seconds that are over of the wait before a request is sent again, while there is one.
    """
    if state.phase == "thinking":
        if state.retry is not None:
            return retry_words(state.retry, waited)
        if state.live_patch:
            return "writing a patch"
        if (search := state.repairs.search) is not None and not search.beside:
            return search.doing
        return "answering" if state.live else "thinking"
    return {
        "idle": "ready",
        "tools": "using a tool",
        "checking": "checking",
        "deciding": "waits for you",
        "approving": "asks you",
        "landing": "landing",
    }[state.phase]


def short_count(count: int) -> str:
    """A number of tokens, as short as it may be: ``840``, ``8.4k``, ``128k``."""
    return str(count) if count < 1000 else (f"{count / 1000:.1f}k" if count < 100_000 else f"{count // 1000}k")


def tokens_text(usage: Usage) -> str:
    """Tokens in and out, with the share that came from the provider's cache."""
    if not usage.input and not usage.output:
        return ""
    cached = f" ({100 * usage.cached // usage.input}% cached)" if usage.cached and usage.input else ""
    return f"{short_count(usage.input)} in{cached} {short_count(usage.output)} out"


def context_piece(state: State) -> Piece:
    """How large the conversation is by now; in percent too where it is known how much the partner can read."""
    used = state.size.tokens if state.size.counted else state.last_usage.input
    window = state.partner.window if state.partner is not None else 0
    if not used:
        return "", ""
    if not window:
        return f"context {short_count(used)}", "dim"
    percent = 100 * used // window
    full = percent >= _FULL
    return f"{'! ' if full else ''}context {short_count(used)} ({percent}%)", "warn" if full else "dim"


def git_text(git: GitStatus | None) -> str:
    """The branch, what git is in the midst of, how many paths differ from the last commit: ``git main|REBASE ±3``.

    In a worktree beside the checkout it is ``worktree topic``.
    """
    if git is None:
        return ""
    branch = clean(git.branch)
    if len(branch) > _LONGEST_BRANCH:
        branch = f"{branch[: _LONGEST_BRANCH - 1]}…"
    where = f"at {branch}" if git.detached else branch
    if git.operation is not None:
        where = f"{where}|{git.operation.upper()}"
    kind = "worktree" if git.linked else "git"
    return f"{kind} {where}{' without a commit' if git.empty else ''}{f' ±{git.dirty}' if git.dirty else ''}"


def _fitting(text: str, room: int) -> str:
    """As much of a list with commas as there is room for, the first of it first; nothing where not even that fits."""
    while cell_len(text) > max(room, 0):
        text = text.rpartition(", ")[0]
    return text


class StatusBar(Rows):
    """One line: the phase, the partner, mode, context, branch, tokens, isolation; the rear ones go first."""

    def __init__(self) -> None:
        super().__init__(id="status")
        self.surroundings: Surroundings | None = None
        """What the session stands in; None while there is none."""

    def show(
        self, state: State, elapsed: float, flash: str, *, width: int, session: str = "", waited: float = 0.0
    ) -> None:
        """Draw it, if it is another one.

        Args:
            state: The session's state.
            elapsed: Seconds in this phase.
            flash: A word to the human that takes the place of the phase for a while.
            width: Cells there are.
            session: What takes the place of the phase because there is no session.
            waited: Seconds of the wait before a request is sent again, while there is one.
        """
        left = _phase(state, elapsed, flash, session or phase_words(state, waited), width, over=bool(session))
        pieces = list(left)
        used = sum(cell_len(text) for text, _ in left)
        for whole, style in self._parts(state):
            text = _fitting(whole, width - used - 3)
            if not text:
                continue
            pieces += [(" · ", "faint"), (text, style)]
            used += cell_len(text) + 3
        line = Line(pieces, lead=((" ", ""),))
        if not self.lines:
            self.set_lines([line])
        elif (line.text, line.spans) != (self.lines[0].text, self.lines[0].spans):
            self.replace_line(0, line)

    def _parts(self, state: State) -> list[Piece]:
        """All that follows the phase, the most important first."""
        search = state.repairs.search
        # While all that happens is a search, it is what is looked at.
        parts = _tried(search) if search is not None and not search.beside else list[Piece]()
        if state.partner is not None:
            parts += [(clean(state.partner.name), "text"), (state.mode, _MODES[state.mode])]
        proposal = state.proposal
        if (
            state.task is not None
            and proposal is not None
            and proposal.task == state.task.number
            and proposal.by == "partner"
        ):
            parts.append((f"attempt {proposal.attempt}", "dim"))
        if state.repairs.find is not None:
            parts.append(("◆ a repair found", "accent"))
        if search is not None and search.beside:
            parts.append((f"repairs beside: {search.so_far or search.doing}", "dim"))
        if state.queued:
            parts.append((f"{len(state.queued)} waiting to be told", "accent"))
        parts.append(context_piece(state))
        around, spent = self.surroundings, session_spent(state)
        heard = _HEARD.get(around.heard, ("", "")) if around is not None else ("", "")
        if heard[1] == "warn":
            parts.append(heard)
        if around is not None:
            parts.append((git_text(around.git), "warn" if around.git and around.git.operation else "dim"))
        parts += [
            # Who has no model spends nothing: nothing is to be told of that.
            (cost_text(spent) if spent.cost or spent.input else "", "dim"),
            (tokens_text(spent), "dim"),
            (clean(state.candidate), "faint"),
        ]
        if heard[1] != "warn":
            parts.append(heard)
        return [part for part in parts if part[0]]


def _tried(search: SearchState) -> list[Piece]:
    """How far the built-in partner's search has come, what ends it now that something is found, what is being tried."""
    ends = f"esc offers {'it' if search.found == 1 else 'the best'} now" if search.found and not search.hurried else ""
    return [(search.so_far, "text"), (ends, "accent"), (clean(search.trying), "dim")]


def _phase(state: State, elapsed: float, flash: str, words: str, width: int, *, over: bool) -> list[Piece]:
    """What goes on, for how long, and how far it is."""
    busy = state.phase not in {"idle", "deciding", "approving"}
    sign, style = ("●", "accent") if busy else (("?", "warn") if state.phase != "idle" else ("●", "good"))
    if over:
        sign, style = "○", "faint"
    elif state.retry is not None:
        sign, style = "!", "warn"
    pieces: list[Piece] = [(f"{sign} ", style), (clean(flash), "warn-bold") if flash else (words, "strong")]
    if flash:
        return pieces
    # Next to how long it will wait, how long it has worked would be a riddle.
    if busy and elapsed >= 1 and state.retry_in is None:
        pieces.append((f" {seconds_text(float(int(elapsed)) if elapsed < 10 else elapsed)}", "dim"))
    share = _share(state)
    if share is not None and not over:
        cells = 12 if width >= 96 else 6
        pieces += [(" ", ""), *bar(share, cells), (f" {100 * share:.0f}%", "dim")]
    return pieces


def _share(state: State) -> float | None:
    """How far what goes on has come, from 0 to 1: a search by its time, checks by what they have looked at."""
    search = state.repairs.search
    if search is not None and not search.beside and search.limit and state.phase == "thinking":
        return search.share
    return overall(state.checks) if state.phase in {"checking", "deciding"} else None
