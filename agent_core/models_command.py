"""``pairloop models``: the partners there are, what is missing to use them, and the models they have.

``--json`` prints one `agent_core.partners.listing.Offer` a line; its field names are stable.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence

from agent_core.build import Engine
from agent_core.output import JsonWriter, write_out
from agent_core.partners.listing import Offer, offer_of, offers
from agent_core.partners.offer_words import model_words, offer_words
from agent_core.text import printable

DONE, NOTHING = 0, 1


async def list_models(engine: Engine, name: str, *, json: bool) -> int:
    """List models.

    Args:
        engine: Of the project.
        name: Only those of that partner; empty for all.
        json: As JSON lines.

    Returns:
        The exit code: 0 told, 1 no partner can be used.

    Raises:
        PairloopError: The configuration cannot be used, or there is no partner of that name.
    """
    partners = await asyncio.to_thread(engine.partners)
    use = partners.config.partner.use
    listed = (await offer_of(partners, name),) if name else await offers(partners, use, _model_of(engine, use))
    if json:
        writer = JsonWriter(sys.stdout)
        for offer in listed:
            writer.write(offer)
    elif not write_out(list(_lines(listed, alone=bool(name)))):
        return NOTHING
    return DONE if any(not offer.missing for offer in listed) else NOTHING


def _model_of(engine: Engine, use: str) -> str:
    config = engine.config()
    return config.partners[use].model if use in config.partners else "" if use else config.partner.model


def _lines(listed: Sequence[Offer], *, alone: bool) -> Iterator[str]:
    """What can be used with its models, then the rest in a line each."""
    for offer in listed:
        if offer.missing:
            continue
        yield f"{'●' if offer.current else '○'} {printable(offer_words(offer))}\n"
        if not offer.models and not offer.alone:
            yield "    does not list its models: name one with --model\n"
        for model in offer.models:
            about = model_words(model)
            yield f"  {'●' if model.current else ' '} {printable(model.id)}{f'  {about}' if about else ''}\n"
    missing = [offer for offer in listed if offer.missing]
    if missing and not alone:
        blank = "\n" if len(missing) < len(listed) else ""
        yield f"{blank}Known, but not to be used yet:\n"
    for offer in missing:
        yield f"  {printable(offer.name or offer.title)}: {printable(offer.missing)}\n"
