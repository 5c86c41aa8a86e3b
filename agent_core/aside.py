"""Asking the partner something beside the conversation: a summary, the message of a commit."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import msgspec

from agent_core.conversation import AssistantItem, Completed, Request, Retrying, TextDelta, Usage, UserItem
from agent_core.errors import PartnerError
from agent_core.partners.closing import closing
from agent_core.protocols import Model


class Aside(msgspec.Struct, frozen=True):
    """What the partner said aside.

    Attributes:
        text: Its words; may be empty.
        usage: Tokens used.
    """

    text: str
    usage: Usage


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
                    case Retrying():
                        length = 0
                    case Completed(items, usage):
                        words = "\n\n".join(item.text for item in items if isinstance(item, AssistantItem))
                        return Aside(words.strip(), usage)
                    case _:
                        pass
    except TimeoutError as error:
        raise PartnerError("stream", f"The partner did not answer within {seconds:.0f} seconds.") from error
    raise PartnerError("stream", "The partner's answer ended before it was complete.")
