"""What there is to choose from: partners, what is missing to use them, and their models with windows and prices."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import msgspec

from agent_core.config_tables import PartnerConfig
from agent_core.conversation import Usage
from agent_core.errors import PairloopError
from agent_core.partners.build import NoPartnerError, endpoint_of
from agent_core.partners.client import NO_CHAT, Connection
from agent_core.partners.discovery import discover
from agent_core.partners.endpoint import OPENAI_URL, Endpoint, is_openai
from agent_core.partners.offline.partner import TITLE
from agent_core.partners.presets import preset_of, presets
from agent_core.partners.pricing import listed_cost
from agent_core.partners.several import Partners
from agent_core.partners.windows import known_window, listed_window

_SECONDS = 8.0
_LOOK = 3.0
"""Seconds for the servers of this machine to answer, where somebody waits for the list."""
_SAMPLE = 1000
log = logging.getLogger(__name__)


class OfferedModel(msgspec.Struct, frozen=True):
    """A model that can be chosen.

    Attributes:
        id: Its id.
        window: How many tokens it can read; 0 where that is not known.
        input: US dollars for a million tokens sent; None where that is not known.
        output: Likewise for those answered.
        current: It is in force.
    """

    id: str
    window: int = 0
    input: float | None = None
    output: float | None = None
    current: bool = False


class Offer(msgspec.Struct, frozen=True):
    """A partner that can be chosen.

    Attributes:
        name: ``[partners.NAME]``, a preset, ``builtin``, or empty for ``[partner]``.
        title: What a human reads.
        place: Host and port; empty where that is not known.
        models: Those it has; empty where it does not tell.
        missing: What is missing to use it; empty where it can be used.
        current: It is in force.
        alone: It has no models to choose from: it is the built-in partner, or plays a script.
    """

    name: str
    title: str
    place: str = ""
    models: tuple[OfferedModel, ...] = ()
    missing: str = ""
    current: bool = False
    alone: bool = False


async def offers(partners: Partners, name: str = "", model: str = "") -> tuple[Offer, ...]:
    """All partners: that in force first, then those that can be used, then the others.

    Servers are asked for their models all at once, those of this machine that are only known as presets only where they
    listen; where they are not to be looked for they are left out.

    Args:
        partners: The partners there are.
        name: The one in force.
        model: Its model's id.
    """
    names = [one for one in partners.names if one == name or one != _twin(partners)]
    if partners.config.partner.discover:
        found = {one.preset.name for one in await discover(seconds=_LOOK)}
    else:
        # On a machine with others on it they may be theirs: nobody is to take one by mistake.
        own, found = {name, *partners.config.partners}, set()
        names = [one for one in names if one in own or one not in presets() or not presets()[one].local]
    listed = await asyncio.gather(*(_offer(partners, one, found) for one in names))
    marked = [_marked(offer, model) if offer.name == name else offer for offer in listed]
    return tuple(sorted(marked, key=lambda offer: (not offer.current, bool(offer.missing))))


async def offer_of(partners: Partners, name: str) -> Offer:
    """One partner.

    Raises:
        ConfigError: There is none of that name.
    """
    partners.settings(name)
    return await _offer(partners, name, set(presets()))


def _twin(partners: Partners) -> str | None:
    """The preset that ``[partner]`` is already, so that it is not listed twice."""
    config = partners.config.partner
    if config.preset and config.preset not in partners.config.partners:
        return config.preset
    if not config.base_url.strip() and not config.script and "openai" not in partners.config.partners:
        return "openai"
    return None


def _marked(offer: Offer, model: str) -> Offer:
    models = tuple(msgspec.structs.replace(one, current=one.id == model) for one in offer.models)
    if model and not any(one.current for one in models):
        models = (OfferedModel(model, known_window(model), current=True), *models)
    return msgspec.structs.replace(offer, current=True, models=models)


async def _offer(partners: Partners, name: str, found: set[str]) -> Offer:
    return Offer(name, TITLE, alone=True) if partners.is_built_in(name) else await _served(partners, name, found)


async def _served(partners: Partners, name: str, found: set[str]) -> Offer:
    """A partner behind a server, or a script."""
    title, place, variable = _title(name, None), "", ""
    preset = presets().get(name)
    try:
        settings = partners.settings(name)
        title, variable = _title(name, settings), settings.key_env
        if settings.script:
            return Offer(name, title, alone=True)
        endpoint = await asyncio.to_thread(endpoint_of, settings, partners.environ, partners.keys, name)
        place = endpoint.host
        if preset is not None and preset.local and name not in (*partners.config.partners, *found):
            return Offer(name, title, place, missing=f"nothing listens at {place}")
        return Offer(name, title, place, await _models(partners, settings, endpoint))
    except NoPartnerError:
        return Offer(name, title, place, missing=f"{title} wants a key, and {variable} is not set.")
    except PairloopError as error:
        return Offer(name, title, place, missing=error.message)
    except TimeoutError:
        return Offer(name, title, place, missing=f"{place} does not answer")


def _title(name: str, settings: PartnerConfig | None) -> str:
    preset = presets().get(name) or (preset_of(settings) if settings is not None else None)
    if name in presets() or (not name and preset is not None):
        return preset.title if preset is not None else name
    if not name and settings is not None and is_openai(settings.base_url or OPENAI_URL):
        return "OpenAI"
    return name or "[partner]"


async def _models(partners: Partners, settings: PartnerConfig, endpoint: Endpoint) -> tuple[OfferedModel, ...]:
    """The models of a server."""
    preset = preset_of(settings)
    entries: list[dict[str, Any]] = []
    if preset is None or preset.lists:
        connection = Connection(endpoint)
        try:
            async with asyncio.timeout(_SECONDS):
                entries = await connection.listed()
        finally:
            await connection.close()
    entries = [one for one in entries if not any(word in one["id"].lower() for word in NO_CHAT)]
    if settings.model and not any(one["id"] == settings.model for one in entries):
        entries.insert(0, {"id": settings.model})
    return await asyncio.to_thread(lambda: tuple(_model(partners, settings, endpoint, one) for one in entries))


def _model(partners: Partners, settings: PartnerConfig, endpoint: Endpoint, entry: Mapping[str, Any]) -> OfferedModel:
    name = str(entry["id"])
    window = listed_window(entry)
    if not window and partners.book is not None:
        window = partners.book.get(endpoint.base_url, name).window
    if not window and not endpoint.loopback:
        # A server on this machine may have loaded it with less than it can.
        window = known_window(name)
    if settings.model == name and settings.context_window:
        window = settings.context_window
    if settings.price is not None and name == settings.model:
        return OfferedModel(name, window, settings.price.input, settings.price.output)
    if endpoint.loopback:
        return OfferedModel(name, window)
    return OfferedModel(
        name,
        window,
        _million(Usage(input=_SAMPLE), name, endpoint),
        _million(Usage(output=_SAMPLE), name, endpoint),
    )


def _million(usage: Usage, model: str, endpoint: Endpoint) -> float | None:
    """What a million tokens cost, by the public price lists."""
    try:
        cost = listed_cost(usage, model, endpoint.base_url)
    except Exception:
        # A figure in a list: what keeps it from being known must not cost the list.
        log.exception("what %s costs could not be worked out", model)
        return None
    return cost * (1_000_000 / _SAMPLE) if cost is not None else None
