"""Choosing who proposes in plain mode: partners and models as numbered lines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

from agent_core.commands import AnyCommand, UsePartner
from agent_core.errors import PairloopError
from agent_core.partners.listing import Offer
from agent_core.partners.offer_words import model_words, offer_words
from tui.engine import Session
from tui.plain.words import sentence

_MOST = 40
"""Lines for one partner; who has more is to be asked for by name."""


class Partners:
    """Tells who there is, and takes one by its number or name.

    Args:
        session: Whose partner it is.
        say: Writes lines.
        submit: Hands in a command.
    """

    def __init__(self, session: Session, say: Callable[..., None], submit: Callable[[AnyCommand], None]) -> None:
        self._session = session
        self._say = say
        self._submit = submit
        self._numbered: list[UsePartner] = []
        self._asking: asyncio.Task[None] | None = None

    def obey(self, number: int, words: str) -> None:
        """List them, or take one.

        Args:
            number: As it was told; 0 where none was typed.
            words: A partner's name, one and a model, or a model; empty for none.
        """
        if number:
            if number <= len(self._numbered):
                self._submit(self._numbered[number - 1])
            else:
                self._say(f"There is no model {number}. Type model to see those there are, and their numbers.")
        elif words:
            self._submit(self._session.partners.meant(words))
        elif self._asking is None or self._asking.done():
            self._say("The servers are asked for their models ...")
            self._asking = asyncio.create_task(self._list())

    async def _list(self) -> None:
        try:
            offers = await self._session.partners.offers()
        except PairloopError as error:
            self._say(sentence(error.message), error.hint)
            return
        self._numbered, lines = numbered(offers)
        self._say(*lines)


def numbered(offers: Sequence[Offer]) -> tuple[list[UsePartner], list[str]]:
    """The partners there are, as commands that take one, and as the lines that tell of them."""
    commands: list[UsePartner] = []
    lines: list[str] = []
    for offer in offers:
        if offer.missing:
            continue
        lines.append(f"{offer_words(offer)}{', which proposes now' if offer.current else ''}:")
        for model in offer.models[:_MOST] or (None,):
            commands.append(UsePartner(offer.name, model.id if model is not None else ""))
            about = model_words(model) if model is not None else ""
            name = model.id if model is not None else "as it is configured"
            now = ", in force" if model is not None and model.current else ""
            lines.append(f"{len(commands)} {name}{now}{f', {about}' if about else ''}")
        if len(offer.models) > _MOST:
            lines.append(f"and {len(offer.models) - _MOST:,} more: /model {offer.name} and the model's name takes one")
    lines += _missing(offers)
    lines.append("Type model and a number, or /model and a name." if commands else "None can be used yet.")
    return commands, lines


def _missing(offers: Sequence[Offer]) -> Iterator[str]:
    if missing := [offer.name or offer.title for offer in offers if offer.missing]:
        yield f"Not to be used yet: {', '.join(missing)}. /model and one of these names says what is missing."
