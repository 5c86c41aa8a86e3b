"""Choosing who proposes: the partners there are and their models, those that can be used first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from textual.widgets import Input

from agent_core.commands import UsePartner
from agent_core.errors import PairloopError
from agent_core.partners.listing import Offer
from agent_core.partners.offer_words import model_figures, offer_words
from tui.screens.choose import Chooser, Entry

_ASKING = Entry("…", "the servers are asked for their models; esc leaves")


def entries_of(offers: Sequence[Offer], use: Callable[[UsePartner], None], say: Callable[[str], None]) -> list[Entry]:
    """What can be chosen, a line each.

    Args:
        offers: The partners there are.
        use: Takes one.
        say: Tells what is missing to take one.
    """
    found: list[Entry] = []
    for offer in offers:
        where = offer_words(offer)
        if offer.missing:
            found.append(Entry(f"✗ {offer.name or offer.title}", offer.missing, do=partial(say, offer.missing)))
        elif not offer.models:
            choose = partial(use, UsePartner(offer.name))
            found.append(Entry(offer.name or offer.title, where, current=offer.current, do=choose))
        for model in offer.models if not offer.missing else ():
            choose = partial(use, UsePartner(offer.name, model.id))
            found.append(Entry(model.id, where, model_figures(model), current=model.current, do=choose))
    return found


class PartnerList(Chooser):
    """Who there is to propose; filled once the servers have answered.

    Args:
        offers: Gives the partners there are; asks servers.
        use: Takes one.
        say: Tells what is missing to take one.
    """

    def __init__(
        self,
        offers: Callable[[], Awaitable[Sequence[Offer]]],
        use: Callable[[UsePartner], None],
        say: Callable[[str], None],
    ) -> None:
        super().__init__([_ASKING], "who is to propose? window, dollars per million tokens sent / answered")
        self._offers = offers
        self._use = use
        self._tell = say

    def on_mount(self) -> None:
        """Show that the servers are asked, and ask them."""
        super().on_mount()
        self.run_worker(self._fill(), exit_on_error=False)

    async def _fill(self) -> None:
        try:
            entries = entries_of(await self._offers(), self._use, self._tell)
        except asyncio.CancelledError:
            raise
        except PairloopError as error:
            entries = [Entry("✗", error.message)]
        self.list.entries = entries or [Entry("✗", "the partner of this session cannot be changed")]
        wanted = self.query_one(Input).value
        self.list.show(wanted)
        # Enter alone changes nothing.
        current = next((at for at, entry in enumerate(self.list.entries) if entry.current), 0)
        if current and not wanted:
            self.list.go_to(current)
