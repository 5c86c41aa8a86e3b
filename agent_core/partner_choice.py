"""Another partner for a session that goes on: chosen by the human, and taken again when the session is resumed."""

from __future__ import annotations

import asyncio
import difflib
import logging

from agent_core import commands
from agent_core import events as ev
from agent_core.chat_entries import Notice
from agent_core.errors import LOGGED, ConfigError, JournalError, PairloopError
from agent_core.partners.beginning import Beginning
from agent_core.partners.listing import Offer, offer_of, offers
from agent_core.parts import Parts

_LATER = "{} proposes from the next request on."
_STILL = " The answer under way is still the other's."
_NOW = "{} is asked now, instead of waiting."
log = logging.getLogger(__name__)


class PartnerChoice:
    """Changes the partner of one session; what comes of it is in its events.

    Args:
        parts: The session's parts.
        beginning: Who proposes at first, and whom else there is; None where nobody else can be chosen.
    """

    def __init__(self, parts: Parts, beginning: Beginning | None) -> None:
        self._parts = parts
        self._beginning = beginning
        self._group: asyncio.TaskGroup | None = None
        self._choosing: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Take whom the human chose when the session was last open, as far as that is still possible."""
        beginning, chosen = self._beginning, self._parts.state().chosen
        if beginning is None:
            return
        model = beginning.model
        if beginning.given:
            # The next run is to take this one again.
            if chosen not in {None, (model.now.name, model.now.model)}:
                self._parts.emit(ev.PartnerChosen(model.now.name, model.now.model))
        elif chosen is not None and chosen != (model.now.name, model.now.model):
            try:
                model.take(await model.open(*chosen))
            except PairloopError as error:
                text = f"{_called(*chosen)}, which you had chosen, cannot be had: {error.message}"
                self._parts.emit(ev.Noted("warning", f"{text} {model.info.name} proposes instead.", error.hint))

    def tell_found(self) -> None:
        """Say which server was found, if none was configured and nobody was chosen; short where it was said before."""
        beginning, state = self._beginning, self._parts.state()
        if beginning is None or not beginning.found or state.chosen is not None:
            return
        if any(isinstance(one, Notice) and one.text == beginning.found for one in state.chat):
            self._parts.emit(ev.Noted("info", beginning.again or beginning.found))
        else:
            self._parts.emit(ev.Noted("info", beginning.found, beginning.hint))

    def work_in(self, group: asyncio.TaskGroup) -> None:
        """Work within a group of tasks from now on."""
        self._group = group

    def obey(self, command: commands.UsePartner) -> None:
        """Have another partner propose, in the background: a keyring may have to be unlocked first."""
        assert self._group is not None, "work_in was called"
        if self._choosing is not None:
            self._choosing.cancel()
        self._choosing = self._group.create_task(self._guarded(command))

    async def stop(self) -> None:
        """End what is under way."""
        if self._choosing is not None and not self._choosing.done():
            self._choosing.cancel()
            await asyncio.wait([self._choosing])

    @property
    def names(self) -> tuple[str, ...]:
        """The names by which a partner can be chosen."""
        return tuple(filter(None, self._beginning.model.partners.names)) if self._beginning is not None else ()

    def meant(self, words: str) -> commands.UsePartner:
        """The command that some words of the human stand for.

        Args:
            words: A partner's name, one and a model's id behind it, or the id of another model of whoever proposes;
                where that is the built-in one, which has none, of ``[partner]``.
        """
        name, _, model = words.strip().partition(" ")
        if name in self.names:
            return commands.UsePartner(name, model.strip())
        if self._beginning is None:
            return commands.UsePartner("", words.strip())
        several = self._beginning.model
        now = several.now.name
        return commands.UsePartner("" if several.partners.is_built_in(now) else now, words.strip())

    async def offers(self) -> tuple[Offer, ...]:
        """The partners there are, and the models they have; asks servers, which takes a moment."""
        if self._beginning is None:
            return ()
        model = self._beginning.model
        return await offers(model.partners, model.now.name, model.info.model)

    async def _guarded(self, command: commands.UsePartner) -> None:
        try:
            await self._use(command)
        except JournalError:
            raise
        except PairloopError as error:
            goes_on = f"{self._parts.model.info.name} goes on proposing."
            self._parts.emit(ev.Noted("error", f"{error.message} {goes_on}", error.hint))
        except Exception as error:
            log.exception("another partner could not be taken")
            self._parts.emit(ev.Noted("error", f"That partner cannot be used: {type(error).__name__}.", LOGGED))

    async def _use(self, command: commands.UsePartner) -> None:
        if self._beginning is None:
            self._parts.emit(ev.Noted("warning", "The partner of this session cannot be changed."))
            return
        model = self._beginning.model
        chosen = await model.open(command.name, command.model)
        if chosen is model.now or (command.name == model.now.name and command.model == model.info.model != ""):
            self._parts.emit(ev.Noted("info", f"{model.info.name} is who proposes already."))
            return
        await self._look_at(command)
        state = self._parts.state()
        told = _LATER + (_STILL if state.phase == "thinking" else "")
        model.take(chosen)
        self._parts.emit(ev.PartnerChosen(command.name, command.model), durable=True)
        self._parts.tell_partner()
        if state.retry is not None:
            told = _NOW
            self._parts.emit(ev.RetryHurried())
        if not model.info.model:
            # Where no model was named, the server says which one it has.
            await model.prepare()
            self._parts.tell_partner()
        self._parts.emit(ev.Noted("info", told.format(model.info.name)))
        await model.prepare()
        self._parts.tell_partner()

    async def _look_at(self, command: commands.UsePartner) -> None:
        """See whether its server answers, and has the model, before the other one goes.

        Raises:
            ConfigError: It does not, or has not; says what it has.
        """
        assert self._beginning is not None
        offer = await offer_of(self._beginning.model.partners, command.name)
        if offer.missing:
            raise ConfigError(offer.missing)
        listed = [one.id for one in offer.models]
        # One alone may be the configured one, of a server that lists nothing.
        if command.model and len(listed) > 1 and command.model not in listed:
            near = difflib.get_close_matches(command.model, listed, 3, 0.3) or listed[:3]
            called = command.name if command.name in self.names else ""
            hint = "" if called else "Nor is there a partner of that name. "
            raise ConfigError(
                f'{offer.place or offer.title} lists no model "{command.model}".',
                f"{hint}It has {', '.join(near)}{' and others' if len(listed) > len(near) else ''}.",
            )


def _called(name: str, model: str) -> str:
    """A partner that was chosen, for a human."""
    return f"{model} of {name}" if name and model else name or model or "the partner of [partner]"
