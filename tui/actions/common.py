"""Actions that are not one pane's own."""

from __future__ import annotations

from agent_core.review import all_but_left, leaves_any, takes_any
from tui.actions.model import Action, Situation


def _deciding(situation: Situation) -> bool:
    return situation.deciding


def _rest(situation: Situation) -> str:
    proposal = situation.state.proposal
    if proposal is None or not proposal.review.decides or not leaves_any(proposal.patch, proposal.review):
        return ""
    # Where everything is taken or left, there are no others.
    spoken = all_but_left(proposal.patch, proposal.review) == proposal.review
    return "land taken" if spoken and takes_any(proposal.patch, proposal.review) else "accept the others"


def _fixable(situation: Situation) -> bool:
    proposal = situation.state.proposal
    return situation.deciding and proposal is not None and bool(proposal.fixable)


def _offered(situation: Situation) -> bool:
    return situation.offered


def _undoable(situation: Situation) -> bool:
    if situation.focus == "diff" and "diff.marks" in situation.facts:
        return False  # there it takes back what was marked last
    return situation.open and situation.state.undoable is not None and situation.state.phase != "landing"


def _redoable(situation: Situation) -> bool:
    if situation.state.approval is not None:
        return False  # its key allows more than this once
    if situation.state.repairs.find is not None and situation.in_prompt:
        return False  # its key has the repair proposed
    return situation.open and situation.state.redoable is not None and situation.state.phase != "landing"


def _committable(situation: Situation) -> bool:
    if situation.focus == "diff" and situation.deciding:
        return False  # there it says something about a block
    return situation.open and situation.state.committable is not None and not situation.writing


def _running(situation: Situation) -> bool:
    return situation.open and situation.state.task is not None and not situation.reason and not _momentary(situation)


def _retrying(situation: Situation) -> bool:
    return situation.open and situation.state.retry is not None and not _momentary(situation)


def _reason(situation: Situation) -> bool:
    return situation.reason and not _momentary(situation)


def _momentary(situation: Situation) -> bool:
    """Whether something is open for a moment that has the first word on some keys."""
    return situation.focus in {"search", "popup"} or situation.writing


def _not_choosing(situation: Situation) -> bool:
    return situation.focus not in {"popup", "editor"}


def _has_partner(situation: Situation) -> bool:
    return situation.open and situation.state.partner is not None


def _in_a_pane(situation: Situation) -> bool:
    return not situation.in_prompt and not situation.writing


def _has_attempts(situation: Situation) -> bool:
    return situation.open and bool(situation.state.proposals)


def _open(situation: Situation) -> bool:
    return situation.open


DECISIONS: tuple[Action, ...] = (
    Action(
        "accept",
        "accept all",
        "Land the waiting proposal in your files, all but what you have left out of it.",
        "Decide",
        {"everywhere": ("f2",)},
        when=_deciding,
        words=_rest,
    ),
    Action(
        "reject",
        "reject all",
        "Drop the waiting proposal; the prompt asks why, which you need not say.",
        "Decide",
        {"everywhere": ("f3",)},
        when=_deciding,
    ),
    Action(
        "go_on",
        "go on",
        "Send the verdict back and let the partner revise.",
        "Decide",
        {"panes": ("g",), "everywhere": ("f4",)},
        when=_deciding,
    ),
    Action(
        "fix",
        "mend",
        "Mend in the waiting proposal whatever ruff and its like safely can.",
        "Decide",
        {"panes": ("x",)},
        when=_fixable,
    ),
)
"""What is decided on a proposal that waits."""

COMMON: tuple[Action, ...] = (
    Action(
        "resume",
        "resume",
        "Go on with the session that is offered.",
        "Decide",
        {"panes": ("y",), "everywhere": ("f2",)},
        when=_offered,
    ),
    Action(
        "start_anew",
        "new session",
        "Begin a new session instead.",
        "Decide",
        {"panes": ("n",), "everywhere": ("f3",)},
        when=_offered,
    ),
    Action(
        "undo",
        "undo",
        "Take the last landing back; what you changed since stays.",
        "Decide",
        {"panes": ("u",), "everywhere": ("f8",)},
        when=_undoable,
    ),
    Action(
        "redo",
        "redo",
        "Land again what was taken back last.",
        "Decide",
        {"panes": ("U",), "everywhere": ("f12",)},
        when=_redoable,
    ),
    Action(
        "commit",
        "commit",
        "Commit the last landing, its lines and nothing else; you see the message first. In the diff it is c, too.",
        "Decide",
        {"diff": ("c",), "panes": ("K",)},
        when=_committable,
    ),
    Action(
        "interrupt",
        "stop",
        "Stop what is running and hand the prompt back.",
        "Talk",
        {"everywhere": ("escape",)},
        when=_running,
    ),
    Action(
        "retry_now",
        "ask now",
        "Send a request that failed again now, instead of waiting.",
        "Talk",
        {"panes": ("g",), "everywhere": ("f4",)},
        when=_retrying,
    ),
    Action(
        "leave_reason",
        "back",
        "Leave the reason unsaid and the proposal waiting.",
        "Talk",
        {"everywhere": ("escape",)},
        when=_reason,
    ),
    Action(
        "mode",
        "mode",
        "Choose when you are asked: step, until-green, auto.",
        "Talk",
        {"panes": ("M",), "everywhere": ("f9",)},
        when=_has_partner,
    ),
    Action(
        "next_pane",
        "panes",
        "To the next pane, and round to the prompt.",
        "Look",
        {"everywhere": ("tab",)},
        when=_not_choosing,
    ),
    Action("previous_pane", "back", "To the pane before.", "Look", {"everywhere": ("shift+tab",)}, footer=False),
    Action("chat", "chat", "Show the chat.", "Look", {"panes": ("1",), "everywhere": ("f5",)}, footer=False),
    Action("diff", "diff", "Show the diff.", "Look", {"panes": ("2",), "everywhere": ("f6",)}, footer=False),
    Action("checks", "checks", "Show the checks.", "Look", {"panes": ("3",), "everywhere": ("f7",)}, footer=False),
    Action("prompt", "prompt", "Back to the prompt.", "Look", {"panes": ("i",)}, when=_in_a_pane),
    Action(
        "timeline",
        "timeline",
        "Look at every attempt of this session: its diff, its checks, what you decided; fork there.",
        "Sessions",
        {"panes": ("H",)},
        when=_has_attempts,
        footer=False,
    ),
    Action(
        "memory",
        "memory",
        "Look at what is remembered of this session, rewrite it, add to it; what the partner was told; lessons.",
        "Sessions",
        {"panes": ("m",)},
        when=_open,
        footer=False,
    ),
    Action(
        "sessions",
        "sessions",
        "Look through the sessions of this project: search, open, fork, export, begin a new one.",
        "Sessions",
        {"panes": ("S",)},
        when=_open,
        footer=False,
    ),
    Action(
        "help",
        "help",
        "Show all keys and what the signs mean.",
        "pairloop",
        {"panes": ("question_mark",), "everywhere": ("f1",)},
    ),
    Action("quit", "quit", "Leave. The session is kept and can be resumed.", "pairloop", {"everywhere": ("ctrl+q",)}),
)
"""In the order in which help and the line of keys show them."""
