"""Commands written into a prompt, such as ``/undo 3``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import uuid4

import msgspec
from acp.schema import AvailableCommand, AvailableCommandInput, AvailableCommandsUpdate, UnstructuredCommandInput

from agent_core import commands
from agent_core.acp.words import title
from agent_core.custom_commands import CustomCommand
from agent_core.errors import PairloopError
from agent_core.state import State


class _Slash(msgspec.Struct, frozen=True):
    """A command: what it does, what may follow it, and how it is made."""

    help: str
    make: Callable[[State, str], commands.AnyCommand]
    takes: str = ""


class SlashError(PairloopError):
    """A command cannot be carried out now."""


def _waiting(state: State) -> int:
    if not state.waiting:
        raise SlashError("No proposal waits for a decision.")
    return state.waiting


def _number(text: str, of: str = "a landing") -> int:
    if text and not text.removeprefix("#").isdecimal():
        raise SlashError(f"{text!r} is not the number of {of}.")
    return int(text.removeprefix("#")) if text else 0


def _on(text: str) -> bool:
    if text not in {"on", "off"}:
        raise SlashError("Write on or off behind the command.")
    return text == "on"


def _words(text: str) -> str:
    if not text:
        raise SlashError("Write what it is behind the command.")
    return text


_COMMANDS: dict[str, _Slash] = {
    "accept": _Slash("Accept the proposal that waits", lambda now, _: commands.Accept(_waiting(now))),
    "reject": _Slash(
        "Reject the proposal that waits, and say why",
        lambda now, text: commands.Reject(_waiting(now), text),
        "why not",
    ),
    "mend": _Slash("Have the tools mend what they safely can in it", lambda now, _: commands.Fix(_waiting(now))),
    "undo": _Slash("Take a landing back", lambda _, text: commands.Undo(_number(text)), "number of a landing"),
    "redo": _Slash("Land again what was undone", lambda _, text: commands.Redo(_number(text)), "number of a landing"),
    "run": _Slash(
        "Run a command in the sandbox; nothing it writes stays",
        lambda _, text: commands.Shell(uuid4().hex[:8], _words(text)),
        "command line",
    ),
    "stop": _Slash("End the task; nothing of it lands", lambda _now, _text: commands.Interrupt()),
    "retry": _Slash("Send the request that failed again now", lambda _now, _text: commands.RetryNow()),
    "repair": _Slash(
        "Have the repair proposed that was found without the model",
        lambda _, text: commands.TakeRepair(_number(text, "a repair")),
        "number of a repair",
    ),
    "repairs": _Slash(
        "Have repairs looked for beside the model, or no more",
        lambda _, text: commands.SwitchRepairs(_on(text)),
        "on or off",
    ),
    "compact": _Slash("Sum up the oldest of the conversation now", lambda _now, _text: commands.Compact()),
    "model": _Slash(
        "Have another partner propose: its name, and a model of it",
        lambda _, text: commands.UsePartner(*_words(text).split(None, 1)),
        "name of a partner, and a model",
    ),
    "mcp": _Slash("Say how the MCP servers stand", lambda _now, _text: commands.Tell("mcp")),
    "skills": _Slash("Say which skills there are", lambda _now, _text: commands.Tell("skills")),
    "remember": _Slash("Note something down for the partner", lambda _, text: commands.Memorize(_words(text)), "words"),
    "teach": _Slash(
        "Keep a lesson for later sessions of this project", lambda _, text: commands.Teach(_words(text)), "words"
    ),
}


def available(custom: Iterable[CustomCommand]) -> AvailableCommandsUpdate:
    """What can be written after a slash.

    Args:
        custom: Commands of the human's or the project's own.
    """
    listed = [_listed(name, one.help, one.takes) for name, one in _COMMANDS.items()]
    listed += [_listed(one.name, one.description, one.hint) for one in custom if one.name not in _COMMANDS]
    return AvailableCommandsUpdate(session_update="available_commands_update", available_commands=listed)


def _listed(name: str, words: str, takes: str) -> AvailableCommand:
    hint = AvailableCommandInput(root=UnstructuredCommandInput(hint=title(takes))) if takes else None
    return AvailableCommand(name=name, description=title(words), input=hint)


def read(text: str, state: State) -> commands.AnyCommand | None:
    """The command that a prompt is; None where it is words for the partner.

    Raises:
        SlashError: It is one that cannot be carried out; says why.
    """
    if not text.startswith("/"):
        return None
    name, _, rest = text[1:].partition(" ")
    slash = _COMMANDS.get(name.strip())
    return None if slash is None else slash.make(state, rest.strip())
