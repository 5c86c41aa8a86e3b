"""A desktop notification when something waits for the human and the terminal does not have the focus.

Which sequence a terminal knows is told by its environment: OSC 9 (iTerm2, kitty, WezTerm, ghostty, Warp), OSC 777
(foot, rxvt-unicode, contour, and VTE where the distribution has patched it, which is why its bell rings too), and for
all others the bell, which most of them make a mark on their window or tab.
tmux hands a sequence on where it is wrapped and ``allow-passthrough`` is set, and rings its own bell otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agent_core.events import TaskOutcome
from agent_core.spent import budget_words
from agent_core.state import State
from agent_core.text import printable

MOST = 160
"""Most characters of a notification."""

_OSC9 = frozenset({"iterm.app", "iterm2", "wezterm", "ghostty", "kitty", "warpterminal"})
_OSC9_TRACES = ("KITTY_WINDOW_ID", "WEZTERM_PANE", "GHOSTTY_RESOURCES_DIR", "ITERM_SESSION_ID")
_OSC777_TERMS = ("foot", "rxvt-unicode", "contour")
_VTE_IGNORES = 4600
"""From that version on VTE does not print a sequence that it does not know."""
_BELL = "\x07"


def _way(environ: Mapping[str, str]) -> str:
    """``9``, ``777``, or empty for the bell."""
    term = environ.get("TERM", "")
    names = {environ.get(name, "").lower() for name in ("TERM_PROGRAM", "LC_TERMINAL")}
    if names & _OSC9 or term in {"xterm-kitty", "xterm-ghostty"}:
        return "9"
    # A multiplexer says its own name; what it was started in has left its traces.
    if any(environ.get(name) for name in _OSC9_TRACES):
        return "9"
    return "777" if term.startswith(_OSC777_TERMS) or _is_vte(environ) else ""


def _is_vte(environ: Mapping[str, str]) -> bool:
    version = environ.get("VTE_VERSION", "")
    return version.isdecimal() and int(version[:9]) >= _VTE_IGNORES


def sequence(text: str, environ: Mapping[str, str]) -> str:
    """What makes a terminal notify its human.

    Args:
        text: What is to be said; nothing in it is obeyed.
        environ: The environment, which tells the terminal.
    """
    words = " ".join(printable(text).split())
    if len(words) > MOST:
        words = f"{words[: MOST - 1]}…"
    way = _way(environ)
    if environ.get("STY") or not way:  # GNU screen hands nothing on
        return _BELL
    # Some terminals take what begins with a number for another request; and a semicolon parts title and text.
    said = f"]9;pairloop: {words}" if way == "9" else f"]777;notify;pairloop;{words.replace(';', ',')}"
    escape = f"\x1b{said}\x1b\\"
    if environ.get("TMUX"):
        return f"\x1bPtmux;{escape.replace(chr(27), chr(27) * 2)}\x1b\\{_BELL}"
    return escape + (_BELL if way == "777" and _is_vte(environ) else "")


class Notifier:
    """Hears every state that is drawn, and tells the human of what they would otherwise not see: each thing once.

    Args:
        wanted: Whether notifications are wanted, and would be missed: the terminal does not have the focus.
        write: Writes to the terminal.
        environ: The environment.
    """

    def __init__(self, wanted: Callable[[], bool], write: Callable[[str], None], environ: Mapping[str, str]) -> None:
        self._wanted = wanted
        self._write = write
        self._environ = environ
        self._state: State | None = None
        self._told: set[tuple[object, ...]] = set()

    def hear(self, state: State) -> None:
        """Take what is true now."""
        old, self._state = self._state, state
        if old is None or old.session != state.session:
            # What an earlier session has left was there before anybody looked.
            return
        news = _news(old, state)
        if news is None:
            return
        key, text = news
        if key not in self._told:
            # Who sees it need not be told of it later, when they have gone.
            self._told.add(key)
            if self._wanted():
                self._write(sequence(text, self._environ))


def _news(old: State, new: State) -> tuple[tuple[object, ...], str] | None:
    """What has come up between two states that the human should know: what it is, and in words."""
    if new.approval is not None and new.approval is not old.approval:
        return (new.session, "command", new.steps, new.approval.call_id), f"May this run? {new.approval.command}"
    if new.budget is not None and new.budget is not old.budget:
        return (new.session, "budget", new.steps, new.budget.scope), budget_words(new.budget)
    if new.waiting and new.waiting != old.waiting:
        words = new.why or f"Proposal {new.waiting} waits for you."
        return (new.session, "proposal", new.waiting), words
    task = new.tasks[-1] if new.tasks else None
    if task is not None and task.outcome is not None and old.task is not None:
        if task.outcome == "interrupted":  # by the human, who knows
            return None
        said = task.result.strip().split("\n")[0]
        return (new.session, "task", task.number), f"{_ENDS[task.outcome]}{said and ': '}{said}"
    return None


_ENDS: Mapping[TaskOutcome, str] = {
    "answered": "Answered",
    "landed": "Landed",
    "green": "Green, and not landed",
    "not_green": "It did not get green",
    "failed": "The task has failed",
    "conflict": "It collides with your own edits",
}
