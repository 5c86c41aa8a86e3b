"""What the built-in partner does next: it searches, asks, proposes, or says what is so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence

import msgspec

from agent_core.checks.model import CheckResult
from agent_core.conversation import Item, ToolCallItem
from agent_core.errors import PairloopError
from agent_core.partners.offline import talk
from agent_core.partners.offline.heard import Heard, heard, stops, wish_in
from agent_core.partners.offline.offered import (
    ASK,
    KEY,
    Offered,
    chosen,
    hashes,
    overwritten,
    read_offers,
    touched,
    wants_other,
    written,
)
from agent_core.partners.offline.patches import UnwritableError, arguments
from agent_core.partners.offline.wishes import Wish, agrees, wish_of
from agent_core.repair.desk import Service
from agent_core.repair.model import Difference, Found, Kind, Wanted
from agent_core.tools.asking import MOST_OPTIONS
from agent_core.tools.toolbox import APPLY_PATCH

_MOST_KEPT = 6
_MOST_REFUSED = 2
_MEND_SECONDS = 20.0
_STANDING_SECONDS = 30.0
_KINDS: dict[str, Kind] = {"mypy": "types", "ruff": "lint", "syntax": "syntax"}


class Called(msgspec.Struct, frozen=True):
    """A tool that is called.

    Attributes:
        tool: Its name.
        arguments: Its arguments, as JSON.
    """

    tool: str
    arguments: str


Said = AsyncGenerator[str | Called, None]
"""Words, a sentence or more at a time, and at the end perhaps a call."""


class NextStep:
    """Answers one request.

    Args:
        service: Finds repairs, and has the project.
        items: The conversation.
        tools: Names of the tools on offer.
        seconds: How long a search may take.
    """

    def __init__(self, service: Service, items: Sequence[Item], tools: frozenset[str], seconds: float) -> None:
        self._service = service
        self._items = items
        self._tools = tools
        self._seconds = seconds

    async def said(self) -> Said:
        """The answer."""
        now = heard(self._items)
        match now.what:
            case "wish":
                step = self._wished(now.said, now.earlier)
            case "answered":
                step = self._answered(now)
            case "rejected":
                step = self._rejected(now)
            case "stays":
                step = self._going_on(now)
            case "landed":
                step = self._landed(now)
            case "refused" if now.refused <= _MOST_REFUSED and now.wish:
                step = self._wished(now.wish)
            case "stopped" if now.wish:
                step = self._wished(now.wish)
            case other:
                step = _words({"refused": talk.REFUSED, "again": talk.STANDS}.get(other, talk.ADD))
        async for piece in step:
            yield piece

    # -- what was wanted

    async def _wished(self, text: str, earlier: Sequence[str] = ()) -> Said:
        """Do what some words ask for.

        Args:
            text: The words.
            earlier: What was said just before, newest first, for where they ask for nothing by themselves.
        """
        if stops(text):
            yield talk.STOPPED
            return
        wish = await self._wish(text)
        for other in () if wish.plain else earlier:
            if (before := await self._wish(other)).plain:
                wish = before
                break
        if not (wish.plain or agrees(text)):
            yield f"{talk.CANNOT} {talk.HOW}"
            if red := talk.red_now(await self._standing()):
                yield f"\n\n{red}"
            return
        if wish.missing and not (wish.wanted.tests or wish.wanted.paths):
            # Nothing else is mended in the place of what was named.
            yield talk.not_there(wish.missing)
            if red := talk.red_now(await self._standing()):
                yield f" {red}"
            return
        yield talk.looking(wish.wanted, wish.missing)
        async for piece in self._search(wish.wanted):
            yield piece

    async def _search(self, wanted: Wanted, *, otherwise: str = "") -> Said:
        """Search, and propose what was found or ask which of it.

        Args:
            wanted: What is to be repaired.
            otherwise: What to say where nothing is found, in place of what the search says.
        """
        found = await self._service.find(wanted, lambda _: None, asyncio.Event())
        offers, difference = await asyncio.to_thread(self._offers, found)
        words = talk.outcome(found, len(offers))
        if not offers:
            yield f"\n\n{otherwise or words}"
            return
        if words:
            yield f"\n\n{words}"
        if difference is not None and ASK in self._tools:
            yield self._question(offers, difference)
            return
        async for piece in self._propose(offers, told=offers[0].edits == found.repairs[0].variant.edits):
            yield piece

    def _offers(self, found: Found) -> tuple[tuple[Offered, ...], Difference | None]:
        """What of that was found can be offered, the first that is to be, and what tells the first of them apart."""
        tried = [(one.edits, one.before) for one in self._proposed()]
        kept: list[tuple[int, Offered]] = []
        for index, repair in enumerate(found.repairs):
            try:
                before, drafted = hashes(repair.variant.edits, found.texts, self._service)
                if (repair.variant.edits, before) in tried:
                    continue
                says, note = talk.repair_words(repair, talk.left_by(found, repair))
                rest = talk.rest_words(found, repair)
                one = Offered(0, says, repair.variant.edits, before, note, repair.kind, rest=rest, drafted=drafted)
                written(one, self._service, ())
            except UnwritableError:
                continue
            kept.append((index, one))
            if len(kept) == _MOST_KEPT:
                break
        difference = next((one for one in found.differences if _tells_apart(one, [index for index, _ in kept])), None)
        if difference is None:
            return tuple(msgspec.structs.replace(one, number=at) for at, (_, one) in enumerate(kept, 1)), None
        given = [msgspec.structs.replace(one, gives=difference.results[index]) for index, one in kept]
        first: dict[str, Offered] = {}
        for one in given:
            first.setdefault(one.gives, one)
        leading = list(first.values())[:MOST_OPTIONS]
        ordered = (*leading, *(one for one in given if one not in leading))
        return tuple(msgspec.structs.replace(one, number=at) for at, one in enumerate(ordered, 1)), difference

    def _question(self, offers: tuple[Offered, ...], difference: Difference) -> Called:
        """Ask which of the repairs is meant: by what they give for an input on which they differ."""
        apart = len({one.gives for one in offers})
        options = [talk.option(one) for one in offers[: min(apart, MOST_OPTIONS)]]
        about = {"question": talk.question(difference, offers), "options": options, "call": difference.call}
        return Called(ASK, json.dumps(about | {KEY: msgspec.to_builtins(offers)}, ensure_ascii=False))

    # -- what became of it

    async def _answered(self, now: Heard) -> Said:
        offers = now.offers.repairs
        if not offers:
            yield talk.ADD
            return
        index = chosen(now.said, now.offers) if now.said else 0
        if now.wish and overwritten(offers[index or 0], self._service):
            yield f"{talk.CHANGED} "
            async for piece in self._wished(now.wish):
                yield piece
            return
        if not now.said:
            yield talk.assumed(offers[0], now.offers.call)
        elif index is None:
            yield talk.UNCLEAR
        async for piece in self._propose(_with_first(offers, index or 0), otherwise=f"\n\n{talk.REFUSED}"):
            yield piece

    async def _rejected(self, now: Heard) -> Said:
        index = chosen(now.said, now.offers) if now.said else None
        open_ = _with_first(now.offers.repairs, index)[0 if index else 1 :]
        async for piece in self._propose(open_, otherwise=talk.NONE_LEFT):
            yield piece

    async def _going_on(self, now: Heard) -> Said:
        """The proposal neither landed nor went: it is not green, or something else is wanted."""
        index = chosen(now.said, now.offers) if now.said else None
        if now.said and agrees(now.said):
            # It waits as it did before: who only says so has not accepted it.
            yield talk.ACCEPT
            return
        if now.said and index is None and not wants_other(now.said):
            async for piece in self._wished(now.said):
                yield piece
            return
        if not now.said:
            if now.wish and any(overwritten(one, self._service) for one in now.offers.repairs[:1]):
                async for piece in self._wished(now.wish):
                    yield piece
                return
            paths = tuple(sorted(touched(self._items)))
            kinds = await self._broken(paths)
            if kinds and now.offers.repairs and not now.offers.repairs[0].drafted:
                yield talk.mending(kinds)
                wanted = Wanted(kinds=kinds, paths=paths, seconds=min(self._seconds, _MEND_SECONDS))
                found = await self._service.find(wanted, lambda _: None, asyncio.Event())
                offers, _ = await asyncio.to_thread(self._offers, found)
                if offers:
                    async for piece in self._propose(offers):
                        yield piece
                    return
        open_ = _with_first(now.offers.repairs, index)[0 if index else 1 :]
        async for piece in self._propose(open_, otherwise=talk.NONE_LEFT):
            yield piece

    async def _landed(self, now: Heard) -> Said:
        if now.said and (await self._wish(now.said)).plain:
            async for piece in self._wished(now.said):
                yield piece
            return
        yield "It is in your files."
        if red := talk.red_now(await self._standing()):
            yield f" {red}"

    # -- helpers

    async def _wish(self, text: str) -> Wish:
        return await asyncio.to_thread(wish_of, text, self._service.files, self._seconds)

    async def _propose(self, offers: Sequence[Offered], *, otherwise: str = talk.REFUSED, told: bool = False) -> Said:
        """Propose the first of some repairs whose files are still as they were.

        Args:
            offers: The repairs.
            otherwise: What to say where there is none.
            told: What the first of them does has been said just now.
        """
        others = touched(self._items)
        for at, one in enumerate(offers):
            try:
                patch = await asyncio.to_thread(written, one, self._service, others)
            except UnwritableError:
                continue
            rest = offers[at + 1 :]
            if words := talk.proposing(one, len(rest), told=told and not at):
                yield f"\n\n{words}"
            yield Called(APPLY_PATCH, arguments(patch, **{KEY: msgspec.to_builtins((one, *rest))}))
            return
        yield otherwise

    def _proposed(self) -> list[Offered]:
        """The repairs that were proposed since the human's last wish."""
        proposed: list[Offered] = []
        for item in reversed(self._items):
            if wish_in(item):
                break
            if isinstance(item, ToolCallItem) and item.name == APPLY_PATCH:
                proposed += read_offers(item).repairs[:1]
        return proposed

    async def _broken(self, paths: Sequence[str]) -> tuple[Kind, ...]:
        """The kinds of findings that the checks other than tests have in some files, with the draft."""
        results = await self._standing()
        if any(one.check == "pytest" and one.outcome == "failed" for one in results):
            return ()
        found = {one.check for one in results for finding in one.findings if finding.path in paths}
        return tuple(kind for check, kind in _KINDS.items() if check in found)

    async def _standing(self) -> tuple[CheckResult, ...]:
        try:
            async with asyncio.timeout(_STANDING_SECONDS):
                return await self._service.standing()
        except (TimeoutError, PairloopError):
            return ()


def _with_first(offers: Sequence[Offered], index: int | None) -> tuple[Offered, ...]:
    """Some repairs with one of them first."""
    if not index:
        return tuple(offers)
    return (offers[index], *offers[:index], *offers[index + 1 :])


def _tells_apart(difference: Difference, kept: Sequence[int]) -> bool:
    results = {difference.results[index] for index in kept if index < len(difference.results)}
    return len(results) > 1 and all(index < len(difference.results) for index in kept)


async def _words(text: str) -> Said:
    yield text
