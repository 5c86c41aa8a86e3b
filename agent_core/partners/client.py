"""The connection to a server: its client, made late and off the screen's thread, and the model used there."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any

from agent_core.conversation import PartnerInfo
from agent_core.errors import PartnerError
from agent_core.partners.endpoint import Endpoint

if TYPE_CHECKING:
    from agent_core.partners.wire import Api, Wire

_DRAIN_SECONDS = 0.25
# Parts of the names of models that do not converse; servers list them among the others.
_NO_CHAT = ("embed", "rerank", "whisper", "tts")


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
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._wire: Wire | None = None
        self._making = asyncio.Lock()
        self._model = endpoint.model

    def info(self, kind: str) -> PartnerInfo:
        """Who is reached here, for a human; the model is empty until the server has been asked for it."""
        name = f"{self._model or 'its model'} via {self.endpoint.host}"
        return PartnerInfo(kind, name, self._model, self.endpoint.window)

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
        return await (await self._open()).model_names()

    async def resolve_model(self) -> str:
        """The model's id; where none was configured, the first one the server lists.

        Raises:
            PartnerError: The server cannot be reached, or names no model.
        """
        if not self._model:
            names = await self.models()
            chosen = [name for name in names if not any(word in name.lower() for word in _NO_CHAT)] or names
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
        async with contextlib.aclosing(wire.events(api, body, optional)) as events:
            async for event in events:
                yield event

    async def close(self) -> None:
        """Close the connections; the next request makes new ones."""
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()
