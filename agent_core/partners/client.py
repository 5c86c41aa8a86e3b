"""The connection to a server: its client, made late and off the screen's thread, and the model used there."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from agent_core.conversation import PartnerInfo
from agent_core.errors import PartnerError
from agent_core.partners.abilities import Abilities, AbilityBook
from agent_core.partners.endpoint import Endpoint
from agent_core.partners.windows import (
    LOCAL_OWNERS,
    asked_tools,
    asked_window,
    known_window,
    listed_window,
    said_window,
)

if TYPE_CHECKING:
    from agent_core.partners.wire import Api, Wire

_DRAIN_SECONDS = 0.25
log = logging.getLogger(__name__)
NO_CHAT = ("embed", "rerank", "whisper", "tts")
"""Parts of the names of models that do not converse; servers list them among the others."""


def _wire_class() -> type[Wire]:
    chosen: type[Wire] = importlib.import_module("agent_core.partners.wire").Wire
    return chosen


async def warm() -> None:
    """Import the client library ahead of the first request: it costs a second, so never on the screen's thread."""
    await asyncio.to_thread(_wire_class)


async def drain(events: AsyncGenerator[Any, None]) -> None:
    """Read an answer that is complete to its end, so that its connection can be used again; not for long."""
    with contextlib.suppress(TimeoutError, PartnerError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for _ in events:
                pass


class Connection:
    """A server, its client, and the model that is used there.

    Args:
        endpoint: Where it is.
        book: Where it is kept what was found of its models; None to keep nothing.
    """

    def __init__(self, endpoint: Endpoint, book: AbilityBook | None = None) -> None:
        self.endpoint = endpoint
        self._book = book
        self._able: Abilities | None = None
        self._noted = asyncio.Lock()
        self._wire: Wire | None = None
        self._making = asyncio.Lock()
        self._model = endpoint.model
        self._asked = 0
        self._said = 0
        self._requests = 0
        self._unsure = False

    @property
    def window(self) -> int:
        """How many tokens a request may have, as far as it is known: what the server refused with counts most."""
        return (
            self._said
            or self.endpoint.window
            or self._asked
            or (self._able.window if self._able is not None else 0)
            or known_window(self._model)
        )

    async def abilities(self) -> Abilities:
        """What the model was found able to do.

        Raises:
            PartnerError: No model is configured, and the server cannot be asked for one.
        """
        if self._able is None:
            model = await self.resolve_model()
            kept = await asyncio.to_thread(self._book.get, self.endpoint.base_url, model) if self._book else Abilities()
            # Meanwhile something may have been found.
            self._able = self._able_now() or kept
        return self._able

    def _able_now(self) -> Abilities | None:
        return self._able

    async def note(self, **found: object) -> None:
        """Keep something that was found of the model; see `agent_core.partners.abilities.Abilities`."""
        async with self._noted:
            before = await self.abilities()
            after = msgspec.structs.replace(before, **found)
            if after == before:
                return
            self._able = after
            if self._book is not None:
                await asyncio.to_thread(self._book.note, self.endpoint.base_url, self._model, **found)

    async def learn(self) -> None:
        """Ask the server which model it has and how much that can read, where that is not known; it may not tell."""
        try:
            model = await self.resolve_model()
            if self.endpoint.official or (self.endpoint.window and not self.endpoint.loopback):
                return
            await self.abilities()
            wire = await self._open()
            listed = await wire.models()
        except PartnerError as error:
            # The first request meets the same, and tells it.
            log.info("what the server has could not be asked: %s", error)
            return
        entry = next((one for one in listed if one["id"] == model), listed[0] if len(listed) == 1 else {})
        self._asked = listed_window(entry)
        if not self._asked and (self.endpoint.loopback or entry.get("owned_by") in LOCAL_OWNERS):
            self._asked = await asked_window(entry, model, wire.beside)
            # Some load a model when it is first asked, and only then know with how much.
            self._unsure = not self._asked
        if self._asked:
            await self.note(window=self._asked)
        if self.endpoint.loopback and (tools := await asked_tools(entry, model, wire.beside)) is not None:
            await self.note(tools=tools)

    def info(self, kind: str) -> PartnerInfo:
        """Who is reached here, for a human; the model is empty until the server has been asked for it."""
        name = f"{self._model or 'its model'} via {self.endpoint.host}"
        form = self._able.form if self._able is not None else ""
        return PartnerInfo(kind, name, self._model, self.window, form=form)

    async def _open(self) -> Wire:
        async with self._making:
            if self._wire is None:
                # Making a client reads certificates and takes a tenth of a second, on top of the import.
                self._wire = await asyncio.to_thread(lambda: _wire_class()(self.endpoint))
        return self._wire

    async def models(self) -> list[str]:
        """Ids of the models the server lists.

        Raises:
            PartnerError: The server cannot be reached, or refuses.
        """
        return [entry["id"] for entry in await self.listed()]

    async def listed(self) -> list[dict[str, Any]]:
        """The models the server lists, each with its ``id`` and what else it tells of it.

        Raises:
            PartnerError: The server cannot be reached, or refuses.
        """
        return await (await self._open()).models()

    async def resolve_model(self) -> str:
        """The model's id; where none was configured, the first one the server lists.

        Raises:
            PartnerError: The server cannot be reached, or names no model.
        """
        if not self._model:
            names = await self.models()
            chosen = [name for name in names if not any(word in name.lower() for word in NO_CHAT)] or names
            if not chosen:
                raise PartnerError(
                    "unknown_model",
                    f"{self.endpoint.host} does not say which models it has.",
                    "Choose one with --model or [partner] model.",
                )
            self._model = chosen[0]
        return self._model

    async def events(
        self, api: Api, body: Mapping[str, Any], optional: tuple[str, ...]
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Send a request and give the events of its answer; see `agent_core.partners.wire.Wire.events`."""
        wire = await self._open()
        self._requests += 1
        if self._unsure and self._requests > 1:
            await self.learn()
            self._unsure = False
        able = await self.abilities()
        wire.refused |= set(able.refused)
        try:
            async with contextlib.aclosing(wire.events(api, body, optional)) as events:
                async for event in events:
                    yield event
        except PartnerError as error:
            if error.kind == "context_too_long":
                self._said = said_window(error.message) or self._said
                if self._said:
                    await self.note(window=self._said)
            raise
        finally:
            # Also where the answer was left before its end: what was refused was refused before it began.
            refused = wire.refused - set(self.endpoint.without)
            if refused - set(able.refused):
                await self.note(refused=tuple(sorted(refused)))

    async def close(self) -> None:
        """Close the connections; the next request makes new ones."""
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()
