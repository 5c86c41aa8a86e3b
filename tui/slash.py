"""Commands written into the prompt, such as ``/undo 3``: made from the registry, so what has a key has a name."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Callable, Mapping
from typing import Protocol, get_args

import msgspec

from agent_core.commands import (
    AnyCommand,
    Compact,
    Memorize,
    Redo,
    SwitchRepairs,
    TakeRepair,
    Teach,
    Tell,
    TellOf,
    Uncompact,
    Undo,
)
from agent_core.custom_commands import CustomCommand
from agent_core.events import Mode
from agent_core.state import State
from tui.actions import ACTIONS, in_force
from tui.actions.keys import key_name
from tui.engine import Custom
from tui.prompt.offers import Choice

_NAMES = {"interrupt": "stop", "fix": "mend", "start_anew": "new", "take_repair": "repair"}
# What only moves about in what is shown, or is about the text being written, is nobody's command.
_NO_COMMANDS = frozenset(
    {"send", "newline", "prompt", "scroll_up", "scroll_down", "next_pane", "previous_pane", "leave_reason"}
)
# What a pane does is about what its cursor is on; this is not.
_ALSO = frozenset({"land"})


class Doer(Protocol):
    """What a command needs of the app."""

    @property
    def state(self) -> State:
        """What is true now."""

    def submit(self, command: AnyCommand) -> None:
        """Hand a command to the session."""

    def set_mode(self, mode: Mode) -> None:
        """Choose a mode."""

    def use_partner(self, words: str) -> str:
        """Have another partner propose; gives why it cannot be."""

    def say(self, text: str) -> None:
        """Say something to the human, for a moment."""

    @property
    def custom(self) -> Custom | None:
        """Commands of the human's or the project's own; None where there is no session."""

    def ask(self, text: str) -> bool:
        """Give a task; gives whether anybody will hear it."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether an action can be done now."""

    async def action_do(self, name: str) -> None:
        """Do an action of the registry."""


class Slash(msgspec.Struct, frozen=True):
    """A command.

    Attributes:
        name: What is written after the slash.
        help: What it does, in a sentence.
        action: Id of the action it is; empty for one that has no key.
        takes: What may follow it; empty for nothing.
        key: The key that does the same, as people write it.
    """

    name: str
    help: str
    action: str = ""
    takes: str = ""
    key: str = ""


def _turn(app: Doer, argument: str, make: Callable[[int], AnyCommand]) -> str:
    number = argument.removeprefix("#")
    if not number.isdecimal():
        return f"“{argument}” is not the number of a landing."
    if not any(one.number == int(number) and not one.undoes for one in app.state.landings):
        return f"There is no landing {number} in this session."
    app.submit(make(int(number)))
    return ""


def _undo(app: Doer, argument: str) -> str:
    return _turn(app, argument, Undo)


def _redo(app: Doer, argument: str) -> str:
    return _turn(app, argument, Redo)


def _mode(app: Doer, argument: str) -> str:
    for mode in get_args(Mode):
        if mode == argument:
            app.set_mode(mode)
            return ""
    return f"There is no mode “{argument}”: it is one of {', '.join(get_args(Mode))}."


def _model(app: Doer, argument: str) -> str:
    return app.use_partner(argument)


def _remember(app: Doer, argument: str) -> str:
    if not argument:
        return "What is to be remembered? Write it behind /remember; /memory shows what is."
    if not app.state.session:
        return "There is no session yet that could remember it."
    app.submit(Memorize(argument))
    return ""


def _compact(app: Doer, _argument: str) -> str:
    if not app.state.items:
        return "There is no conversation yet that could be summed up."
    app.submit(Compact())
    return ""


def _uncompact(app: Doer, _argument: str) -> str:
    if not app.state.compactions:
        return "There is no summary in the conversation that could be taken back."
    app.submit(Uncompact())
    return ""


def _teach(app: Doer, argument: str) -> str:
    if not argument:
        return "What is to be known in later sessions? Write it behind /teach; /memory shows what is."
    if not app.state.session:
        return "There is no session yet that could keep it."
    app.submit(Teach(argument))
    return ""


def _repair(app: Doer, argument: str) -> str:
    number = argument.removeprefix("#")
    if not number.isdecimal() or not any(one.number == int(number) for one in app.state.repairs.finds):
        return f"There is no repair “{argument}” that was found in this session."
    app.submit(TakeRepair(int(number)))
    return ""


def _repairs(app: Doer, argument: str) -> str:
    if argument not in {"on", "off"}:
        return f"Repairs beside the model are looked for or not: on or off, not “{argument}”."
    app.submit(SwitchRepairs(argument == "on"))
    return ""


def _tell(of: TellOf) -> Callable[[Doer, str], str]:
    def tell(app: Doer, _argument: str) -> str:
        if app.custom is None:
            return "There is no session yet that could tell."
        app.submit(Tell(of))
        return ""

    return tell


_ARGUMENTS: Mapping[str, tuple[str, Callable[[Doer, str], str]]] = {
    "undo": ("number of a landing", _undo),
    "redo": ("number of a landing", _redo),
    "mode": (", ".join(get_args(Mode)), _mode),
    "model": ("partner, or model", _model),
    "repair": ("number of a repair", _repair),
    "repairs": ("on, off", _repairs),
    "remember": ("words", _remember),
    "teach": ("words", _teach),
}
_OTHERS: Mapping[str, tuple[str, Callable[[Doer, str], str]]] = {
    "remember": ("Note something down for the partner; it is told at its next step, and never summed up.", _remember),
    "teach": ("Keep a lesson for all later sessions of this project; /memory shows them.", _teach),
    "compact": ("Sum up the oldest of the conversation now; what was decided and tried stays word for word.", _compact),
    "mcp": ("Tell how the MCP servers stand, and how many tools they offer.", _tell("mcp")),
    "skills": ("List the skills that the partner can read: yours, and the project's.", _tell("skills")),
    "commands": ("List the commands of your own and of the project.", _tell("commands")),
    "uncompact": ("Take the last summary back: the partner has the whole conversation again.", _uncompact),
}


def commands() -> dict[str, Slash]:
    """All commands by name, in the order of the registry."""
    found: dict[str, Slash] = {}
    for action in ACTIONS:
        if (
            (action.target not in {"app", "main"} and action.id not in _ALSO)
            or action.id in _NO_COMMANDS
            or action.keys.keys() <= {"search", "popup"}
        ):
            continue
        name = _NAMES.get(action.id, action.id.replace("_", "-"))
        keys = in_force(action).keys_in("prompt")
        takes = _ARGUMENTS[name][0] if name in _ARGUMENTS else ""
        found[name] = Slash(name, action.help, action.id, takes, key_name(keys[0]) if keys else "")
    for name, (words, _) in _OTHERS.items():
        found.setdefault(name, Slash(name, words, takes=_ARGUMENTS[name][0] if name in _ARGUMENTS else ""))
    return found


def choices(needle: str, applies: Callable[[str], bool]) -> list[Choice]:
    """Commands whose name begins with some letters, then those that have them in it.

    Args:
        needle: The letters.
        applies: Whether an action can be done now; others are not offered.
    """
    wanted = needle.lower()
    ranked = sorted(
        (
            slash
            for slash in commands().values()
            if wanted in slash.name and (not slash.action or applies(slash.action))
        ),
        key=lambda slash: (not slash.name.startswith(wanted), 0 if wanted else 1),
    )
    return [
        Choice(
            f"/{slash.name}",
            f"{slash.help}  ({slash.key})" if slash.key else slash.help,
            f"/{slash.name}",
            sends=True,
        )
        for slash in ranked
    ]


def custom_choices(known: Mapping[str, CustomCommand], needle: str) -> list[Choice]:
    """Commands of the human's or the project's own whose name has some letters in it.

    Args:
        known: All of them.
        needle: The letters.
    """
    builtin, wanted = commands(), needle.lower()
    found = [one for name, one in known.items() if wanted in name.lower() and name not in builtin]
    return [
        Choice(
            one.usage,
            f"{one.description}  ({'yours' if one.own else 'of this project'})",
            f"/{one.name}",
            sends=not one.hint,
        )
        for one in sorted(found, key=lambda one: not one.name.lower().startswith(wanted))
    ]


async def _other(app: Doer, name: str, text: str, known: Mapping[str, Slash]) -> str:
    """Give the task of a command of one's own; gives why not."""
    own: Mapping[str, CustomCommand] = {}
    if (custom := app.custom) is not None:
        task = await asyncio.to_thread(custom.task, text)
        if task != text:
            return "" if app.ask(task) else "Not sent: look at what has just come, and send it again."
        own = await asyncio.to_thread(custom.all)
    near = difflib.get_close_matches(name, [*known, *own], 1, 0.5)
    better = f" Did you mean /{near[0]}?" if near else ""
    return f"There is no command /{name}.{better} With // it is sent as text."


def argument_choices(name: str, needle: str, state: State) -> list[Choice]:
    """What may follow a command."""
    found: list[Choice] = []
    if name == "mode":
        found = [Choice(mode, "in force" if mode == state.mode else "", mode, sends=True) for mode in get_args(Mode)]
    elif name == "repairs":
        found = [Choice(word, "", word, sends=True) for word in ("on", "off")]
    elif name in {"undo", "redo"}:
        stands = "landed" if name == "undo" else "undone"
        found = [
            Choice(str(one.number), ", ".join(file.path for file in one.files), str(one.number), sends=True)
            for one in reversed(state.landings)
            if one.stands == stands and not one.undoes
        ]
    return [choice for choice in found if choice.label.startswith(needle)]


async def carry_out(app: Doer, text: str) -> str:
    """Do what a command line says.

    Args:
        app: Who does it.
        text: The line, with its slash.

    Returns:
        Why it was not done, for the human; empty when it was.
    """
    name, _, argument = text.removeprefix("/").strip().partition(" ")
    argument = argument.strip()
    known = commands()
    slash = known.get(name)
    if slash is None:
        return await _other(app, name, text, known)
    if argument:
        if name not in _ARGUMENTS:
            return f"/{name} takes nothing after it."
        return _ARGUMENTS[name][1](app, argument)
    if not slash.action:
        return _OTHERS[name][1](app, "")
    if not app.check_action("do", (slash.action,)):
        return f"/{name} cannot be done now."
    await app.action_do(slash.action)
    return ""
