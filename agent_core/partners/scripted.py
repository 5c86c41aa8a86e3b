"""A partner that plays a file of turns: for tests, screenshots, and a first look without a model.

The file is JSON::

    {
      "name": "what the script shows",
      "piece_ms": 15,
      "turns": [
        {
          "expect": "text that the partner must have been told since its last turn",
          "delay_ms": 300,
          "error": {"kind": "rate_limit", "message": "slow down", "retry_after": 0.2, "times": 1},
          "reasoning": "a summary of what it thinks",
          "text": "what it says",
          "calls": [{"name": "apply_patch", "arguments": {"patch": "*** Begin Patch ..."}}]
        }
      ],
      "asides": [{"expect": "Sum up", "text": "what it says to a request that is no part of the conversation"}]
    }

Everything but ``turns`` may be left out. ``arguments`` may be a string, to be passed on as it is; in a patch a list
of lines stands for the text. Which turn comes next is read off the request, so a resumed session goes on rightly.
A request without tools is asked aside (a summary, the message of a commit): it gets the first of ``asides`` whose
``expect`` it holds.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from agent_core.conversation import (
    AssistantItem,
    Chunk,
    Completed,
    Item,
    PartnerInfo,
    ReasoningDelta,
    Request,
    TextDelta,
    ToolCallDelta,
    ToolCallItem,
    Usage,
    turns_so_far,
)
from agent_core.errors import PartnerError
from agent_core.item_text import item_text
from agent_core.partners.call_ids import make_call_id
from agent_core.text import estimate_tokens

_PIECE = 12
_KINDS = (
    "auth",
    "unknown_model",
    "rate_limit",
    "server",
    "unreachable",
    "stream",
    "context_too_long",
    "refused",
    "bad_request",
    "script",
)


class ScriptCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool call of a turn."""

    name: str
    arguments: dict[str, Any] | str = {}

    @property
    def json(self) -> str:
        """The arguments as the model would write them."""
        if isinstance(self.arguments, str):
            return self.arguments
        joined = {
            key: "\n".join(value) + "\n" if key == "patch" and isinstance(value, list) else value
            for key, value in self.arguments.items()
        }
        return json.dumps(joined, ensure_ascii=False)


class ScriptError(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A failure that a turn begins with.

    Attributes:
        kind: As in `agent_core.errors.PartnerError`.
        message: What the human is told.
        retry_after: Seconds the server would ask to wait.
        times: How often it fails before the turn goes on.
    """

    kind: str
    message: str = "The script says so."
    retry_after: float | None = None
    times: int = 1


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One answer of the script."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[ScriptCall, ...] = ()
    delay_ms: float = 0.0
    error: ScriptError | None = None
    expect: str = ""


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole script.

    Attributes:
        turns: The answers in order.
        name: What it shows; the file's name when empty.
        piece_ms: Milliseconds between two pieces of streamed text.
        asides: What is said to requests that are no part of the conversation; nothing to one that none fits.
    """

    turns: tuple[Turn, ...]
    name: str = ""
    piece_ms: float = 0.0
    asides: tuple[Turn, ...] = ()


def read_script(path: Path) -> Script:
    """Read a script.

    Raises:
        PartnerError: It cannot be read; names the file and what is wrong in it.
    """
    try:
        script = msgspec.json.decode(path.read_bytes(), type=Script)
    except OSError as error:
        raise PartnerError("script", f"The script {path} cannot be read: {error.strerror or error}.") from error
    except msgspec.DecodeError as error:
        raise PartnerError(
            "script", f"The script {path} cannot be used: {error}.", "agent_core/partners/scripted.py shows the format."
        ) from error
    for number, turn in enumerate((*script.turns, *script.asides), 1):
        if turn.error is not None and turn.error.kind not in _KINDS:
            known = ", ".join(_KINDS)
            raise PartnerError(
                "script",
                f'The script {path} cannot be used: turn {number} has an error of kind "{turn.error.kind}".',
                f"There are: {known}.",
            )
    return script


def _pieces(text: str) -> list[str]:
    return [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]


class ScriptedModel:
    """Plays a script.

    Args:
        path: The script's file.
        window: How many tokens fit into its context, as settings say; it has none of its own.

    Raises:
        PartnerError: The file cannot be used.
    """

    def __init__(self, path: Path, window: int = 0) -> None:
        self._path = path
        self._window = window
        self._script = read_script(path)
        self._failed: dict[int, int] = {}

    @property
    def info(self) -> PartnerInfo:
        """Who this is: says that it is a script."""
        return PartnerInfo("scripted", f"script {self._script.name or self._path.name} (not a model)", "", self._window)

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Play the turn that the request is at; see `agent_core.protocols.Model`."""
        if request.tools:
            number, told_from = turns_so_far(request.items)
            number += request.replaced.answers
            turn = self._turn(number)
            self._check(turn, number, request.items[told_from:])
        else:
            number, turn = self._aside(request)
        await asyncio.sleep(turn.delay_ms / 1000)
        self._fail(turn, number)
        for piece in _pieces(turn.reasoning):
            yield ReasoningDelta(piece)
            await self._pause()
        for piece in _pieces(turn.text):
            yield TextDelta(piece)
            await self._pause()
        items: list[Item] = [AssistantItem(turn.text)] if turn.text or not turn.calls else []
        for position, call in enumerate(turn.calls):
            call_id = make_call_id(request.turn, position, call.name, call.json)
            for piece in _pieces(call.json):
                yield ToolCallDelta(call_id, call.name, piece)
                await self._pause()
            items.append(ToolCallItem(call_id, call.name, call.json))
        said = turn.reasoning + turn.text + "".join(call.json for call in turn.calls)
        told = "".join(item_text(item) for item in request.items)
        usage = Usage(input=estimate_tokens(request.instructions + told), output=estimate_tokens(said))
        yield Completed(tuple(items), usage)

    def _turn(self, number: int) -> Turn:
        turns = self._script.turns
        if number < len(turns):
            return turns[number]
        return Turn(text=f"The script {self._path.name} is over: all of its {len(turns)} turns have been played.")

    def _aside(self, request: Request) -> tuple[int, Turn]:
        """The answer to a request that is asked aside, and a number that no other turn has."""
        words = "\n".join((request.instructions, *map(item_text, request.items)))
        for at, turn in enumerate(self._script.asides, 1):
            if turn.expect in words:
                return -at, turn
        return 0, Turn()

    def _check(self, turn: Turn, number: int, told: Sequence[Item]) -> None:
        if not turn.expect:
            return
        words = "\n".join(item_text(item) for item in told)
        if turn.expect not in words:
            shown = words if len(words) <= 500 else f"{words[:250]} ... {words[-250:]}"
            raise PartnerError(
                "script",
                f'Turn {number + 1} of the script {self._path.name} expects to be told "{turn.expect}".',
                f'It was told: "{shown}"',
            )

    def _fail(self, turn: Turn, number: int) -> None:
        if turn.error is not None and self._failed.get(number, 0) < turn.error.times:
            self._failed[number] = self._failed.get(number, 0) + 1
            raise PartnerError(turn.error.kind, turn.error.message, retry_after=turn.error.retry_after)

    async def _pause(self) -> None:
        await asyncio.sleep(self._script.piece_ms / 1000)

    async def close(self) -> None:
        """Nothing to give back."""
