"""Every action of the screen, once: bindings, the line of keys, the help and README's table all come from here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec
from textual.binding import Binding

from agent_core.state import State

Bindings = list[Binding | tuple[str, str] | tuple[str, str, str]]
Group = Literal["Decide", "Talk", "Look", "pairloop"]


class Action(msgspec.Struct, frozen=True):
    """Something the human can do.

    Attributes:
        id: Name of the app's method, without ``action_``.
        label: A word or two for the line of keys.
        help: What it does, in a sentence.
        group: Where help lists it.
        pane_keys: Keys that act while a pane has the focus; letters, so that typing never decides.
        keys: Keys that act everywhere, the prompt included. Only such as terminals really send.
        prompt_keys: Keys that act while the prompt has the focus.
        footer: Whether the line of keys shows it.
    """

    id: str
    label: str
    help: str
    group: Group
    pane_keys: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    prompt_keys: tuple[str, ...] = ()
    footer: bool = True


ACTIONS: tuple[Action, ...] = (
    Action("accept", "accept", "Land the waiting proposal in your files.", "Decide", ("a",), ("f2",)),
    Action(
        "reject",
        "reject",
        "Drop the waiting proposal; the prompt asks why, which you need not say.",
        "Decide",
        ("r",),
        ("f3",),
    ),
    Action("go_on", "go on", "Send the verdict back and let the partner revise.", "Decide", ("g",), ("f4",)),
    Action("fix", "mend", "Mend in the waiting proposal whatever ruff and its like safely can.", "Decide", ("x",)),
    Action("allow", "allow", "Let the command that is asked for run.", "Decide", ("y",), ("f2",)),
    Action("deny", "deny", "Do not let the command run.", "Decide", ("n",), ("f3",)),
    Action("resume", "resume", "Go on with the session that is offered.", "Decide", ("y",), ("f2",)),
    Action("start_anew", "new session", "Begin a new session instead.", "Decide", ("n",), ("f3",)),
    Action("undo", "undo", "Take the last landing back; what you changed since stays.", "Decide", ("u",), ("f8",)),
    Action("redo", "redo", "Land again what was taken back last.", "Decide", ("U",), ("f12",)),
    Action(
        "send",
        "send",
        "Give a task; while one runs or a proposal waits: say what should be different.",
        "Talk",
        prompt_keys=("enter",),
    ),
    Action("newline", "newline", "Begin a new line.", "Talk", prompt_keys=("shift+enter", "ctrl+j"), footer=False),
    Action("interrupt", "stop", "Stop what is running and hand the prompt back.", "Talk", keys=("escape",)),
    Action("leave_reason", "back", "Leave the reason unsaid and the proposal waiting.", "Talk", keys=("escape",)),
    Action("mode", "mode", "Choose when you are asked: step, until-green, auto.", "Talk", ("m",), ("f9",)),
    Action("next_pane", "panes", "To the next pane, and round to the prompt.", "Look", keys=("tab",)),
    Action("previous_pane", "back", "To the pane before.", "Look", keys=("shift+tab",), footer=False),
    Action("chat", "chat", "Show the chat.", "Look", ("1",), ("f5",), footer=False),
    Action("diff", "diff", "Show the diff.", "Look", ("2",), ("f6",), footer=False),
    Action("checks", "checks", "Show the checks.", "Look", ("3",), ("f7",), footer=False),
    Action(
        "scroll_up",
        "up",
        "Scroll the pane in front from within the prompt.",
        "Look",
        prompt_keys=("pageup",),
        footer=False,
    ),
    Action(
        "scroll_down",
        "down",
        "Scroll the pane in front from within the prompt.",
        "Look",
        prompt_keys=("pagedown",),
        footer=False,
    ),
    Action("prompt", "prompt", "Back to the prompt.", "Look", ("i", "slash")),
    Action("help", "help", "Show all keys and what the signs mean.", "pairloop", ("question_mark",), ("f1",)),
    Action("quit", "quit", "Leave. The session is kept and can be resumed.", "pairloop", keys=("ctrl+q",)),
)
"""In the order in which help and the line of keys show them."""

_NAMES = {"question_mark": "?", "slash": "/", "escape": "esc", "pageup": "page up", "pagedown": "page down"}


def key_name(key: str) -> str:
    """A key as people write it."""
    name = _NAMES.get(key, key)
    return name.upper() if name[0] == "f" and name[1:].isdigit() else name.replace("ctrl+", "^")


def _bindings(pairs: Iterable[tuple[Action, tuple[str, ...]]], *, priority: bool) -> Bindings:
    return [
        Binding(key, f"app.{action.id}", action.label, show=False, priority=priority)
        for action, keys in pairs
        for key in keys
    ]


def pane_bindings() -> Bindings:
    """Bindings that act while a pane has the focus."""
    return _bindings(((action, action.pane_keys) for action in ACTIONS), priority=False)


def app_bindings() -> Bindings:
    """Bindings that act everywhere. Before the prompt's own, which would take some of them for editing."""
    return _bindings(((action, action.keys) for action in ACTIONS), priority=True)


def prompt_bindings() -> Bindings:
    """Bindings that act while the prompt has the focus."""
    return _bindings(((action, action.prompt_keys) for action in ACTIONS), priority=False)


class Situation(msgspec.Struct, frozen=True):
    """What decides which actions apply.

    Attributes:
        state: The session's state.
        offered: An earlier session is offered for resuming.
        reason: The prompt asks why a proposal is rejected.
        in_prompt: The prompt has the focus.
        open: There is a session.
    """

    state: State
    offered: bool = False
    reason: bool = False
    in_prompt: bool = True
    open: bool = True


_ALWAYS = frozenset({"next_pane", "previous_pane", "chat", "diff", "checks", "help", "quit"})
_PROMPT = frozenset({"send", "newline", "scroll_up", "scroll_down"})


def applies(action: str, situation: Situation) -> bool:
    """Whether an action can be done now."""
    if action in _ALWAYS:
        return True
    if action in _PROMPT:
        return situation.in_prompt
    state = situation.state
    deciding = bool(state.waiting) and not state.approval and not situation.reason
    return {
        "accept": deciding,
        "reject": deciding,
        "go_on": deciding,
        "fix": deciding and state.proposal is not None and bool(state.proposal.fixable),
        "allow": state.approval is not None,
        "deny": state.approval is not None,
        "resume": situation.offered,
        "start_anew": situation.offered,
        "undo": situation.open and state.undoable is not None and state.phase != "landing",
        "redo": situation.open and state.redoable is not None and state.phase != "landing",
        "interrupt": situation.open and state.task is not None and not situation.reason,
        "leave_reason": situation.reason,
        "mode": situation.open and state.partner is not None,
        "prompt": not situation.in_prompt,
    }[action]


def key_for(action: Action, *, in_prompt: bool) -> str:
    """The key to show for an action; empty when the focus has none for it."""
    keys = (*action.prompt_keys, *action.keys) if in_prompt else (*action.pane_keys, *action.keys)
    return key_name(keys[0]) if keys else ""


def markdown_table() -> str:
    """README's table of keys."""
    rows = ["| In a pane | Everywhere | What it does |", "|---|---|---|"]
    for action in ACTIONS:
        pane = ", ".join(f"`{key_name(key)}`" for key in action.pane_keys)
        everywhere = ", ".join(f"`{key_name(key)}`" for key in action.keys)
        if action.prompt_keys:
            everywhere = ", ".join(f"`{key_name(key)}`" for key in action.prompt_keys) + " (prompt)"
        rows.append(f"| {pane} | {everywhere} | {action.help} |")
    return "\n".join(rows) + "\n"
