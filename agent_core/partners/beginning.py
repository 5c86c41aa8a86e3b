"""Who proposes when a session begins: whom the configuration names, else what listens on this machine."""

from __future__ import annotations

import asyncio

import msgspec

from agent_core.errors import ConfigError
from agent_core.partners.build import NoPartnerError
from agent_core.partners.discovery import Found, discover
from agent_core.partners.several import Chosen, Partners
from agent_core.partners.switching import SwitchingModel


class Beginning(msgspec.Struct, frozen=True):
    """Who proposes at first.

    Attributes:
        model: The partner, which can be changed.
        found: What to say of a server that was found on this machine, and of others; empty where none was looked for.
        hint: How to keep to it, or choose another.
        given: The human has just said who it is to be, so what they chose in an earlier run does not count.
    """

    model: SwitchingModel
    found: str = ""
    hint: str = ""
    given: bool = False


async def begin(partners: Partners, *, given: bool = False) -> Beginning:
    """Open the partner that the configuration names, or find one.

    Args:
        partners: The partners there are.
        given: See `Beginning`.

    Raises:
        ConfigError: There is none, or it cannot be used; says what to do.
        PartnerError: Its script cannot be used.
    """
    config = partners.config.partner
    try:
        first = await asyncio.to_thread(partners.open, config.use)
    except NoPartnerError as error:
        if not config.discover or config.use or config.preset or config.base_url.strip():
            raise
        return await _found(partners, error, given=given)
    return Beginning(SwitchingModel(partners, first), given=given)


async def _found(partners: Partners, error: NoPartnerError, *, given: bool) -> Beginning:
    found = await discover()
    wanted = partners.config.partner.model
    first: Chosen | None = None
    for one in found:
        if one.closed or (wanted and wanted not in one.models):
            continue
        try:
            first = await asyncio.to_thread(partners.open, one.preset.name, wanted)
        except ConfigError:
            continue
        others = [other.told for other in found if other is not one]
        also = f" Also there: {'; '.join(others)}." if others else ""
        return Beginning(
            SwitchingModel(partners, first),
            f"Found {one.told}: it proposes.{also}",
            f'/model chooses another; [partner] preset = "{one.preset.name}" keeps to it.',
            given,
        )
    if found:
        raise NoPartnerError(error.message, f"{_offered(found, wanted)} {error.hint}")
    raise error


def _offered(found: tuple[Found, ...], wanted: str) -> str:
    """What was found and is not used, and why."""
    listed = "; ".join(one.told for one in found)
    if wanted and any(not one.closed for one in found):
        return f"There is {listed}, but no {wanted}: pairloop --partner {found[0].preset.name} takes what it has."
    return f"There is {listed}."
