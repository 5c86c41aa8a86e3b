"""The partner of a session, which can be another one from the next request on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

import msgspec

from agent_core.config_tables import PartnerConfig
from agent_core.conversation import Chunk, PartnerInfo, Request, Retrying
from agent_core.partners.closing import closing
from agent_core.partners.several import Chosen, Partners
from agent_core.protocols import Model


class NamedModel:
    """A partner that says under which name it was chosen.

    Args:
        inner: The partner.
        entry: The name.
    """

    def __init__(self, inner: Model, entry: str) -> None:
        self._inner = inner
        self._entry = entry

    @property
    def info(self) -> PartnerInfo:
        """Who this is."""
        info = self._inner.info
        return msgspec.structs.replace(info, entry=self._entry) if self._entry else info

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Answer one request; see `agent_core.protocols.Model`."""
        async with contextlib.aclosing(closing(self._inner.stream(request))) as chunks:
            async for chunk in chunks:
                yield chunk

    async def close(self) -> None:
        """Give back connections."""
        await self._inner.close()


class SwitchingModel:
    """Whoever proposes now.

    What is asked goes to the end with the one it was begun with; the next request goes to whoever was taken meanwhile.
    Only where it waits to be asked again, the one that was taken is asked instead, at once.

    Args:
        partners: The partners there are.
        first: The one to begin with.
    """

    def __init__(self, partners: Partners, first: Chosen) -> None:
        self.partners = partners
        self._opened = {(first.name, first.model): first}
        self._now = first
        self._taken = asyncio.Event()

    @property
    def now(self) -> Chosen:
        """The one that the next request goes to."""
        return self._now

    @property
    def settings(self) -> PartnerConfig:
        """Its settings."""
        return self._now.settings

    @property
    def info(self) -> PartnerInfo:
        """Who proposes now."""
        return NamedModel(self._now.partner.model, self._now.name).info

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Answer one request; see `agent_core.protocols.Model`."""
        answered = False
        while not answered:
            taken = self._taken
            now = NamedModel(self._now.partner.model, self._now.name)
            async with contextlib.aclosing(now.stream(request)) as chunks:
                waits = False
                while (chunk := await _next(chunks, taken if waits else None)) is not None:
                    yield chunk
                    waits = isinstance(chunk, Retrying)
            answered = not (waits and taken.is_set())

    async def open(self, name: str, model: str = "") -> Chosen:
        """Open a partner, or find it open; the session stays with whom it has.

        Args:
            name: See `agent_core.partners.several.Chosen`.
            model: Likewise.

        Raises:
            PairloopError: It cannot be used; says why, and what to do.
        """
        known = self._opened.get((name, model))
        if known is None:
            # A keyring may take its time, and ask for its password.
            known = await asyncio.to_thread(self.partners.open, name, model)
            known = self._opened.setdefault((name, model), known)
        return known

    def take(self, chosen: Chosen) -> None:
        """Have somebody propose from the next request on.

        Args:
            chosen: As `open` gave it.
        """
        self._now = chosen
        before, self._taken = self._taken, asyncio.Event()
        before.set()

    async def prepare(self) -> None:
        """Get ready whoever proposes now: import what the first request needs, ask the server what it has."""
        if self._now.partner.prepare is not None:
            await self._now.partner.prepare()

    async def aside(self) -> Model | None:
        """Who is asked for summaries and messages of commits in its place; None where it is asked itself.

        Raises:
            PairloopError: The one that is configured for it cannot be used.
        """
        name = self.settings.aside
        if not name or name == self._now.name:
            return None
        return NamedModel((await self.open(name)).partner.model, name)

    async def close(self) -> None:
        """Give back all connections."""
        async with contextlib.AsyncExitStack() as stack:
            for chosen in self._opened.values():
                stack.push_async_callback(chosen.partner.model.close)


async def _next(chunks: AsyncIterator[Chunk], unless: asyncio.Event | None) -> Chunk | None:
    """The next piece of an answer; None at its end, or as soon as something else happens.

    Args:
        chunks: The answer.
        unless: What else may happen.
    """
    if unless is None:
        return await anext(chunks, None)
    piece = asyncio.ensure_future(_anext(chunks))
    other = asyncio.ensure_future(unless.wait())
    try:
        await asyncio.wait((piece, other), return_when=asyncio.FIRST_COMPLETED)
        return piece.result() if piece.done() and not unless.is_set() else None
    finally:
        for task in (piece, other):
            task.cancel()
        # The answer cannot be closed as long as somebody reads it.
        await asyncio.gather(piece, other, return_exceptions=True)


async def _anext(chunks: AsyncIterator[Chunk]) -> Chunk | None:
    return await anext(chunks, None)
