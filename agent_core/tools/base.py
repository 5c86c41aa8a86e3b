"""What every tool shares: how its arguments are read, what it gives back, what it may look at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar

import msgspec

from agent_core.conversation import ToolSpec
from agent_core.errors import PairloopError
from agent_core.events.running import Action
from agent_core.process import Completed
from agent_core.protocols import Candidate
from agent_core.text import cap_text, estimate_tokens
from agent_core.workspace.interpreter import Interpreter
from agent_core.workspace.tree import FileState

Arguments = TypeVar("Arguments", bound=msgspec.Struct)


class ToolError(PairloopError):
    """A tool call cannot be carried out; the message goes to the partner."""


class ToolOutput(msgspec.Struct, frozen=True):
    """What a tool gives back.

    Attributes:
        text: For the partner.
        summary: One line for the human.
        ok: Whether it did what was asked.
        rest: How to see what is left out where the text is too long and its middle has to be.
    """

    text: str
    summary: str
    ok: bool = True
    rest: str = ""

    def within(self, tokens: int) -> str:
        """The text for the partner, its middle left out where it is longer than a budget, and how to see that."""
        if estimate_tokens(self.text) <= tokens:
            return self.text
        hint = f"\n[{self.rest}]" if self.rest else ""
        return cap_text(self.text, tokens - estimate_tokens(hint)) + hint


class View(Protocol):
    """The tree as the partner sees it: the working tree with its own draft over it."""

    def paths(self) -> tuple[str, ...]:
        """All files that are not ignored, sorted."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a file, None when it is not there."""

    def states(self) -> Mapping[str, FileState]:
        """All files that are not ignored, by their contents."""

    def drafted(self) -> Mapping[str, bytes]:
        """The contents of the files that are not what they are in the working tree."""

    async def run(
        self, argv: tuple[str, ...], *, timeout: float, on_line: Callable[[str], None] | None = None
    ) -> Completed:
        """Run a command in an isolated copy of this tree; what it writes is thrown away.

        Args:
            argv: The command.
            timeout: Seconds it may take.
            on_line: Called with each line of its standard output as it comes.
        """

    @property
    def interpreter(self) -> Interpreter:
        """The project's Python."""

    async def candidate(self) -> Candidate:
        """An isolated copy of this tree, to be closed after use."""


class Tool(Protocol):
    """Something the partner may do that changes nothing."""

    @property
    def spec(self) -> ToolSpec:
        """The tool as the partner sees it."""

    @property
    def looks(self) -> bool:
        """Whether it only looks, at once and at no cost: several such calls may be carried out at the same time."""

    def title(self, arguments: str) -> str:
        """What a call does, in a few words for the human. Never raises."""

    async def run(self, arguments: str, view: View) -> ToolOutput:
        """Carry out a call.

        Raises:
            ToolError: The arguments do not fit or the thing asked for is not there.
        """


class Permission(msgspec.Struct, frozen=True):
    """What a tool wants to do that the human has a say in.

    Attributes:
        action: What kind of thing it is.
        subject: What exactly, as rules match it: the command line, the address, ``server/tool``.
        shown: What the human reads, where that is more than the subject, such as a tool's arguments.
        again: It goes on from what was allowed before in the same call, as where an address leads on within its server:
            the human who allowed that themselves is not asked once more, unless a rule wants it.
    """

    action: Action
    subject: str
    shown: str = ""
    again: bool = False


Approver = Callable[[Permission], Awaitable[bool]]
"""Says whether something may be done: a rule does, or the human is asked."""


News = Callable[[str], None]
"""Told what the human should know of a source of tools, such as a server that has died."""


class ToolSource(Protocol):
    """Where tools come from beside the built-in ones, such as MCP servers."""

    async def begin(self, told: News) -> None:
        """Start what has to be started; called once, in the background, when a session opens. Never raises."""

    async def tools(self, approve: Approver, printed: Callable[[str], None]) -> tuple[Tool, ...]:
        """All its tools, in an order that stays the same. The first call waits for what has to be started.

        Args:
            approve: Asked before a tool is carried out.
            printed: Told, from within a call, a line on how far it is.
        """

    async def close(self) -> None:
        """End what was started."""


def make_spec(
    name: str, description: str, properties: dict[str, dict[str, Any]], required: tuple[str, ...]
) -> ToolSpec:
    """A tool's spec, its parameters as a JSON schema of an object."""
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }
    return ToolSpec(name, description, msgspec.json.encode(schema, order="sorted").decode())


def read_arguments(kind: type[Arguments], arguments: str) -> Arguments:
    """Decode a call's arguments, leniently: numbers given as text are taken, null is the same as nothing.

    Raises:
        ToolError: They are not JSON or do not fit; says what would.
    """
    try:
        given = msgspec.json.decode(arguments.strip() or "{}")
        if isinstance(given, dict):
            given = {name: value for name, value in given.items() if value is not None}
        return msgspec.convert(given, kind, strict=False)
    except msgspec.DecodeError as error:
        raise ToolError(f"The arguments do not fit: {error}.", f"Expected: {_shape(kind)}.") from error


def _shape(kind: type[msgspec.Struct]) -> str:
    fields = msgspec.structs.fields(kind)
    return "{" + ", ".join(f'"{field.name}"' + ("" if field.required else " (optional)") for field in fields) + "}"
