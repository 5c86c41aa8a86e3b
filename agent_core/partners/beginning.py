"""Who proposes when a session begins: whom the configuration names, what listens here, or the built-in partner."""

from __future__ import annotations

import asyncio

import msgspec

from agent_core.errors import ConfigError
from agent_core.partners.build import NoPartnerError
from agent_core.partners.discovery import Found, discover
from agent_core.partners.presets import BUILTIN
from agent_core.partners.several import Chosen, Partners
from agent_core.partners.switching import SwitchingModel

_BUILT_IN = "No key is set{}, so the built-in partner proposes: repairs of tests, types and lint, without a model."
_ADD = (
    "To add a model: pairloop key set (or export OPENAI_API_KEY=sk-...), or start a local server such as Ollama; "
    "/model chooses."
)
_STILL = "No key is set: the built-in partner still proposes; /model chooses."


class Beginning(msgspec.Struct, frozen=True):
    """Who proposes at first.

    Attributes:
        model: The partner, which can be changed.
        found: What to say of a server that was found on this machine, and of others; empty where none was looked for.
        hint: How to keep to it, or choose another.
        given: The human has just said who it is to be, so what they chose in an earlier run does not count.
        again: The same in short, for a session in which it was said already; empty where it is `found` that is said.
    """

    model: SwitchingModel
    found: str = ""
    hint: str = ""
    given: bool = False
    again: str = ""


async def begin(partners: Partners, *, given: bool = False) -> Beginning:
    """Open the partner that the configuration names, or find one; where it names none the built-in one is left.

    Args:
        partners: The partners there are.
        given: See `Beginning`.

    Raises:
        ConfigError: The one that is named cannot be used; says what to do.
        PartnerError: Its script cannot be used.
    """
    config = partners.config.partner
    try:
        first = await asyncio.to_thread(partners.open, config.use)
    except NoPartnerError as error:
        if config.use or config.preset or config.base_url.strip():
            raise
        return await _found(partners, error, given=given)
    return Beginning(SwitchingModel(partners, first), given=given)


async def _found(partners: Partners, error: NoPartnerError, *, given: bool) -> Beginning:
    found = await discover() if partners.config.partner.discover else ()
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
    there = _offered(found, wanted) if found else ""
    if wanted:
        # Somebody who names a model is not to get anything else.
        raise NoPartnerError(error.message, f"{there} {error.hint}".strip())
    looked = " and no local server was found" if partners.config.partner.discover and not found else ""
    built_in = await asyncio.to_thread(partners.open, BUILTIN)
    return Beginning(
        SwitchingModel(partners, built_in), f"{_BUILT_IN.format(looked)}{there and f' {there}'}", _ADD, given, _STILL
    )


def _offered(found: tuple[Found, ...], wanted: str) -> str:
    """What was found and is not used, and why."""
    listed = "; ".join(one.told for one in found)
    if wanted and any(not one.closed for one in found):
        return f"There is {listed}, but no {wanted}: pairloop --partner {found[0].preset.name} takes what it has."
    return f"There is {listed}."
