"""What a typed line wants: a choice by its number, a command by its name, or words for the partner. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import get_args

import msgspec

from agent_core.events import Mode
from agent_core.review import leaves_any, parts_taken
from agent_core.state import State
from agent_core.text import counted
from tui.plain.memory import NAME


class Order(msgspec.Struct, frozen=True):
    """What a line wants.

    Attributes:
        name: ``choice``, ``shell``, ``unknown``, or a name of `NAMES`.
        number: The number that was typed, 0 where none was.
        text: What else was typed.
    """

    name: str
    number: int = 0
    text: str = ""


CHOICES = {
    1: "accept",
    2: "reject",
    3: "go on",
    4: "blocks",
    5: "diff",
    6: "findings",
    7: "undo",
    8: "fix",
    9: "land",
    10: "unmark",
    11: "redo",
}
"""The numbers of a waiting proposal's choices; each keeps its number whatever else there is to choose."""

NAMES = {
    "accept": "land the proposal that waits; where you left blocks of it, the rest",
    "reject": "drop the proposal that waits; you are asked for the reason",
    "go on": "let the partner go on from the verdict",
    "blocks": "choose block by block what lands",
    "diff": "show the diff of the newest proposal; diff and a number shows that block",
    "findings": "list what the checks found; findings and a number tells all of one",
    "fix": "have the tools mend what they safely can in the proposal",
    "land": "land the blocks that are taken, and send the rest back with what you said of it",
    "unmark": "take back what you last said of a block",
    "undo": "take back the last landing; undo and a number takes back that landing",
    "redo": "land again what was taken back last; redo and a number lands that one",
    "allow": "let the partner do what it asks for, this once",
    "deny": "do not let it; any other words do the same, and tell it what to do instead",
    "end it": "end the command that the partner runs, and not the task",
    "permissions": "list the rules on what the partner may do without asking",
    "spend more": "where a budget is used up: allow as much again",
    "spend no more": "where a budget is used up: end the task",
    "no limit": "where a budget is used up: go on without one",
    "usage": "tell what was spent: tokens and cost of the last step, the task, the session, by model",
    "mode": f"choose when you are asked: mode and one of {', '.join(get_args(Mode))}",
    "model": "list who can propose, and their models; model and a number, or /model and a name, takes one",
    "status": "tell what is going on, and what waits to be told to the partner",
    "withdraw": "withdraw and a number takes back words that the partner has not heard yet",
    "memory": "list what is remembered of this session, with the names of the entries",
    "remember": "with a slash before it and words behind it: note them down for the partner; a name first rewrites",
    "forget": "forget and the name of an entry, such as said:2, has it forgotten",
    "restore": "restore and the name of an entry takes back what you last wrote of it",
    "compact": "sum up the oldest of the conversation, so that the partner has room again",
    "uncompact": "take the last summary back",
    "lessons": "list what this session proposes to remember for later ones",
    "keep": "keep and a number agrees to a lesson",
    "drop": "drop and a number has a lesson not kept, nor proposed again",
    "share": "give the output of your last command to the partner, with your next words",
    "mcp": "tell how the MCP servers stand",
    "skills": "list the skills that the partner can read",
    "commands": "list the commands of your own and of the project, which begin with a slash",
    "write": "write a longer text in your editor",
    "retry": "send a request that failed again now, instead of waiting",
    "repair": "have the repair proposed that was found without the model, with its number or the newest",
    "repairs on": "have repairs looked for beside the model while tests fail",
    "repairs off": "have none looked for any more",
    "stop": "stop what is running, as ctrl+c does",
    "quit": "leave, as ctrl+d does; the session is kept",
    "help": "tell this",
}
_SPENDING = ("spend more", "spend no more", "no limit")
DECIDING = frozenset({"choice", "accept", "reject", "go on", "fix", "land", "allow", "deny", *_SPENDING})
"""What answers a question, and so must not have been typed before it was asked."""
_WITH_NUMBER = frozenset({"undo", "redo", "findings", "withdraw", "diff", "keep", "drop", "model", "repair"})
_MOST_DIGITS = 6


def read(line: str) -> Order | None:
    """What a line wants.

    Only a line that is a command to the letter is one, so that a sentence that begins with the same word is not.

    Args:
        line: The line, without blanks around it.

    Returns:
        None for words to the partner.
    """
    if line.startswith("//"):
        return None
    if line.startswith("!"):
        return Order("shell", text=line[1:].strip())
    # What else begins with a slash is a path.
    if (order := _worded(line)) is not None:
        return order
    slashed = line.startswith("/") and " " not in line and "/" not in line[1:]
    words = " ".join(line.removeprefix("/").lower().split())
    name, _, argument = words.partition(" ")
    found = Order("unknown", text=line) if slashed else None
    if _is_number(words):
        found = Order("choice", int(words))
    elif words in NAMES:
        found = Order(words)
    elif name in _WITH_NUMBER and _is_number(argument):
        found = Order(name, int(argument))
    elif name == "mode" and argument in get_args(Mode):
        found = Order(name, text=argument)
    return found


def _worded(line: str) -> Order | None:
    """What a line wants that is followed by words: of the memory, or of who proposes."""
    name, _, rest = line.partition(" ")
    rest = rest.strip()
    if name in {"/remember", "/model"} and rest and not _is_number(rest):
        return Order(name[1:], text=rest)
    name = name.removeprefix("/").lower()
    return Order(name, text=rest) if name in {"forget", "restore"} and NAME.fullmatch(rest) else None


def words_of(line: str) -> str:
    """The words for the partner: two slashes stand for one, which would begin a command."""
    return line[1:] if line.startswith("//") else line


def meant(line: str) -> str:
    """The command that a single word looks like, mistyped; empty when it looks like none."""
    if " " in line or len(line) < 4:
        return ""
    return next(iter(difflib.get_close_matches(line.lower(), NAMES, 1, 0.7)), "")


def choices(state: State) -> Iterator[str]:
    """What can be done about the waiting proposal, a numbered line each."""
    proposal = next(one for one in state.proposals if one.number == state.waiting)
    taken, total = parts_taken(proposal.patch, proposal.review)
    left = leaves_any(proposal.patch, proposal.review)
    yield f"1 accept {'the rest' if left else 'all of it'}, which lands it"
    yield "2 reject it"
    yield "3 go on: let the partner try again"
    yield f"4 choose block by block, of {total:,}" if total > 1 else "4 choose by line, comment or edit"
    yield "5 show the diff"
    yield "6 show the findings"
    if state.undoable is not None:
        yield f"7 undo landing {state.undoable.number}"
    if proposal.fixable:
        yield f"8 have the tools mend {counted(len(proposal.fixable), 'finding')}"
    if proposal.review:
        yield f"9 land what is taken, {taken} of {counted(total, 'block')}, and send the rest back"
    if proposal.reviews:
        yield "10 take back what you last said of a block"
    if state.redoable is not None:
        yield f"11 land landing {state.redoable.number} again"
    yield "Type a number, or words to the partner."


def helped() -> Iterator[str]:
    """All that can be typed, a line each."""
    yield "Whatever you type is said to the partner, at any time, unless the whole line is one of these."
    for name, words in NAMES.items():
        yield f"{name}: {words}."
    yield "A number answers the question that was asked last, if it was there when you typed."
    yield "An exclamation mark and a command line runs that in the sandbox, such as: !git status"
    yield "A backslash at the end of a line says that the next line belongs to it."
    yield "Ctrl+C stops what is running; twice it leaves. Ctrl+D leaves."


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
