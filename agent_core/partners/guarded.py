"""A partner whose words hold none of the keys that are known: a server may echo what it was sent, a model what it read.

What is whole is cleaned where it is stored; here is seen to it that no key comes through in pieces, one after another.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import msgspec

from agent_core.conversation import (
    Chunk,
    Completed,
    Item,
    PartnerInfo,
    ReasoningDelta,
    Request,
    Retrying,
    TextDelta,
    ToolCallDelta,
)
from agent_core.keys.known import KNOWN, KnownKeys
from agent_core.partners.closing import closing
from agent_core.protocols import Model

Delta = TextDelta | ReasoningDelta | ToolCallDelta


class GuardedModel:
    """A partner that says no key.

    Args:
        inner: The partner.
        keys: The keys that are known.
    """

    def __init__(self, inner: Model, keys: KnownKeys = KNOWN) -> None:
        self._inner = inner
        self._keys = keys

    @property
    def info(self) -> PartnerInfo:
        """Who this is."""
        return self._inner.info

    async def stream(self, request: Request) -> AsyncIterator[Chunk]:
        """Answer one request; see `agent_core.protocols.Model.stream`."""
        held: Delta | None = None
        async with aclosing(closing(self._inner.stream(request))) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, TextDelta | ReasoningDelta | ToolCallDelta):
                    if held is not None and not _goes_on(held, chunk):
                        yield held
                        held = None
                    ready, held = self._parted(held, chunk)
                    if ready is not None:
                        yield ready
                    continue
                # What is sent again is void as far as it was streamed.
                if held is not None and not isinstance(chunk, Retrying):
                    yield held
                held = None
                yield self._whole(chunk) if isinstance(chunk, Completed) else chunk

    async def close(self) -> None:
        """Give back connections."""
        await self._inner.close()

    def _parted(self, held: Delta | None, new: Delta) -> tuple[Delta | None, Delta | None]:
        """What can be said of a piece and what was held back before it, and what is held back now."""
        text = self._keys.redact((held.text if held is not None else "") + new.text)
        count = self._keys.begun(text)
        ready, rest = text[: len(text) - count], text[len(text) - count :]
        # A piece may be empty and yet tell something: that a call has begun.
        said = msgspec.structs.replace(new, text=ready) if ready or not rest else None
        return said, msgspec.structs.replace(new, text=rest) if rest else None

    def _whole(self, done: Completed) -> Completed:
        body = msgspec.json.encode(done.items)
        clean = self._keys.redact_json(body)
        if clean is body:
            return done
        return msgspec.structs.replace(done, items=msgspec.json.decode(clean, type=tuple[Item, ...]))


def _goes_on(held: Delta, new: Delta) -> bool:
    """Whether a piece goes on where another one stopped."""
    if isinstance(held, ToolCallDelta) and isinstance(new, ToolCallDelta):
        return held.call_id == new.call_id
    return type(held) is type(new)
