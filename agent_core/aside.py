"""Asking the partner something beside the conversation: a summary, the message of a commit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import msgspec

from agent_core.conversation import (
    AssistantItem,
    Completed,
    PartnerInfo,
    Request,
    Retrying,
    TextDelta,
    Usage,
    UserItem,
)
from agent_core.errors import PairloopError, PartnerError
from agent_core.events import AnyEvent, AsideFinished, Noted
from agent_core.events.partner import SideRequest
from agent_core.partners.closing import closing
from agent_core.protocols import Model

_MOST_AWAY = 5.0
"""Seconds that it is tried to reach a server that is not there."""
log = logging.getLogger(__name__)


async def nobody() -> Model | None:
    """Nobody else is asked."""
    return None


class Aside(msgspec.Struct, frozen=True):
    """What the partner said aside.

    Attributes:
        text: Its words; may be empty.
        usage: Tokens used.
    """

    text: str
    usage: Usage


class Asker:
    """Asks whoever is meant for it beside the conversation, and the partner itself where that one fails.

    Args:
        model: The partner.
        other: Gives who is asked in its place; None for itself. Raises `PairloopError` where that one cannot be used.
        emit: Adds an event; None where nothing is told.
    """

    def __init__(
        self,
        model: Model,
        other: Callable[[], Awaitable[Model | None]] = nobody,
        emit: Callable[[AnyEvent], None] | None = None,
    ) -> None:
        self._model = model
        self._other = other
        self._emit = emit
        self._warned = ""

    @property
    def info(self) -> PartnerInfo:
        """Who the partner is."""
        return self._model.info

    async def ask(
        self,
        about: SideRequest,
        instructions: str,
        text: str,
        *,
        cache_key: str,
        most: int = 20_000,
        seconds: float = 120.0,
    ) -> Aside:
        """Ask for words; what they took is told as `AsideFinished`.

        Args:
            about: What for.
            instructions: See `ask_aside`, as of the others.
            text: What with.
            cache_key: Not the conversation's own.
            most: Most characters of the answer.
            seconds: How long each of them may take.

        Raises:
            PartnerError: Neither could be reached, or said something that can be used.
        """
        try:
            other = await self._other()
            if other is not None:
                said = await ask_aside(other, instructions, text, cache_key=cache_key, most=most, seconds=seconds)
                self._tell(about, other, said)
                if said.text:
                    return said
        except PairloopError as error:
            self._warn(error)
        said = await ask_aside(self._model, instructions, text, cache_key=cache_key, most=most, seconds=seconds)
        self._tell(about, self._model, said)
        return said

    def _tell(self, about: SideRequest, model: Model, said: Aside) -> None:
        if self._emit is not None:
            self._emit(AsideFinished(about, said.usage, model.info.model, model.info.entry))

    def _warn(self, error: PairloopError) -> None:
        """Say once why the partner is asked itself."""
        log.warning("the partner for side requests failed: %s", error)
        if self._emit is not None and error.message != self._warned:
            self._warned = error.message
            text = f"{error.message} For summaries and messages of commits {self.info.name} is asked itself."
            self._emit(Noted("warning", text, error.hint))


async def ask_aside(
    model: Model, instructions: str, text: str, *, cache_key: str, most: int = 20_000, seconds: float = 120.0
) -> Aside:
    """Ask for words; no tools, no part of the conversation.

    Args:
        model: The partner.
        instructions: What it is to do.
        text: What with.
        cache_key: As in `agent_core.conversation.Request`; not the conversation's own, whose cache stays as it is.
        most: Most characters of the answer: of a longer one no more is read.
        seconds: How long it may take.

    Raises:
        PartnerError: It could not be reached, refused, broke off, took too long or said too much.
    """
    request = Request(instructions, (UserItem(text),), (), cache_key)
    try:
        async with asyncio.timeout(seconds), aclosing(closing(model.stream(request))) as chunks:
            length = 0
            async for chunk in chunks:
                match chunk:
                    case TextDelta(more):
                        length += len(more)
                        if length > most:
                            raise PartnerError("stream", f"The partner's answer is longer than {most:,} characters.")
                    case Retrying() as again:
                        length = 0
                        if again.seconds > seconds or (again.offline or 0.0) > _MOST_AWAY:
                            # Nobody sees that it is waited here, and there is another way to go on.
                            raise PartnerError("unreachable", again.reason)
                    case Completed(items, usage):
                        words = "\n\n".join(item.text for item in items if isinstance(item, AssistantItem))
                        return Aside(words.strip(), usage)
                    case _:
                        pass
    except TimeoutError as error:
        raise PartnerError("stream", f"The partner did not answer within {seconds:.0f} seconds.") from error
    raise PartnerError("stream", "The partner's answer ended before it was complete.")
