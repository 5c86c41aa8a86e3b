"""A session in memory: folds the events it is given, records the commands it gets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from agent_core.commands import AnyCommand, Quit, UsePartner
from agent_core.custom_commands import CustomCommand
from agent_core.errors import JournalError, PairloopError
from agent_core.events import AnyEvent, Entry
from agent_core.fold import fold
from agent_core.forking import Step
from agent_core.memory.lessons import KnownLesson
from agent_core.partners.listing import Offer
from agent_core.permission_book import KnownRule
from agent_core.shelf import Said, SessionCard
from agent_core.state import State
from agent_core.workspace.git import GitStatus
from agent_core.workspace.tree import content_hash
from tui.engine import Listener


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


class FakeSurroundings:
    """What a session in memory stands in."""

    def __init__(self) -> None:
        self.git: GitStatus | None = None
        self.heard: Literal["", "watched", "polled", "lost"] = ""
        self.looks = 0
        self._told: list[Callable[[], None]] = []

    def follow(self, told: Callable[[], None]) -> Callable[[], None]:
        self._told.append(told)
        return lambda: self._told.remove(told)

    def look(self) -> None:
        self.looks += 1

    def change(self, git: GitStatus | None, heard: Literal["", "watched", "polled", "lost"] = "watched") -> None:
        """Something is another way now."""
        self.git, self.heard = git, heard
        for told in self._told:
            told()


class FakePartners:
    """Who can propose, in memory; asked for them, it waits for `ready`."""

    def __init__(self) -> None:
        self.listed: tuple[Offer, ...] = ()
        self.error: PairloopError | None = None
        self.ready = asyncio.Event()
        self.ready.set()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(offer.name for offer in self.listed)

    def meant(self, words: str) -> UsePartner:
        name, _, model = words.partition(" ")
        return UsePartner(name, model) if name in self.names else UsePartner("", words)

    async def offers(self) -> tuple[Offer, ...]:
        await self.ready.wait()
        if self.error is not None:
            raise self.error
        return self.listed


class FakeLessons:
    """The lessons of a project in memory."""

    def __init__(self) -> None:
        self.listed: tuple[KnownLesson, ...] = ()
        self.error: PairloopError | None = None

    async def known(self) -> tuple[KnownLesson, ...]:
        if self.error is not None:
            raise self.error
        return self.listed


class FakeCustom:
    """Commands of one's own in memory."""

    def __init__(self) -> None:
        self.known: dict[str, CustomCommand] = {}

    def all(self) -> dict[str, CustomCommand]:
        return self.known

    def task(self, text: str) -> str:
        name, _, words = text.removeprefix("/").partition(" ")
        return self.known[name].task(words) if name in self.known else text


class FakeSession:
    """A session whose events come from the test."""

    def __init__(self, events: Iterable[AnyEvent] = ()) -> None:
        self.commands: list[AnyCommand] = []
        self.contents: dict[str, bytes] = {}
        self.paths: tuple[str, ...] = ()
        self.error: Exception | None = None
        self.stubborn = False
        self.surroundings = FakeSurroundings()
        self.lessons = FakeLessons()
        self.known_rules: tuple[KnownRule, ...] = ()
        self.partners = FakePartners()
        self.custom = FakeCustom()
        self._state = State()
        self._listeners: list[Listener] = []
        self._quit = asyncio.Event()
        self._seq = 0
        self.events: list[AnyEvent] = []
        """All that has been told."""
        for event in events:
            self.emit(event)

    @property
    def state(self) -> State:
        return self._state

    def emit(self, *events: AnyEvent) -> None:
        for event in events:
            self._seq += 1
            self.events.append(event)
            self._state = fold(self._state, event)
            for listener in tuple(self._listeners):
                listener(Entry(self._seq, 0.0, event), self._state)

    def reset(self) -> None:
        """Begin anew, for the next scene."""
        self._state = State()
        self.commands.clear()

    def put(self, text: str | bytes) -> str:
        data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        digest = content_hash(data)
        self.contents[digest] = data
        return digest

    def rules(self) -> tuple[KnownRule, ...]:
        return self.known_rules

    def submit(self, command: AnyCommand) -> None:
        self.commands.append(command)
        if isinstance(command, Quit) and not self.stubborn:
            self._quit.set()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def content(self, digest: str) -> bytes:
        try:
            return self.contents[digest]
        except KeyError:
            raise JournalError(f"There is no content {digest}.") from None

    async def run(self) -> None:
        await self._quit.wait()
        if self.error is not None:
            raise self.error

    def break_(self, error: Exception) -> None:
        """Have `run` raise."""
        self.error = error
        self._quit.set()


class Summary(msgspec.Struct, frozen=True):
    """An earlier session."""

    id: str = "old"
    last: float = 0.0
    title: str = "make the discount right"
    finished: bool = False


class FakeShelf:
    """Sessions in memory; records what is wanted of them."""

    def __init__(self, cards: Sequence[SessionCard] = (), said: Mapping[str, Sequence[Said]] | None = None) -> None:
        self.listed = list(cards)
        self.words = said or {}
        self.stops: Sequence[Step] = ()
        self.wanted: list[tuple[object, ...]] = []
        self.error: PairloopError | None = None

    async def cards(self, *, hidden: bool = False) -> Sequence[SessionCard]:
        if self.error is not None:
            raise self.error
        return [card for card in self.listed if hidden or not card.hidden]

    async def said(self) -> Mapping[str, Sequence[Said]]:
        return self.words

    async def steps(self, session: str) -> Sequence[Step]:
        self.wanted.append(("steps", session))
        return self.stops

    async def fork(self, session: str, step: int = 0) -> str:
        self.wanted.append(("fork", session, step))
        if self.error is not None:
            raise self.error
        return f"fork of {session}"

    async def fork_at(self, session: str, proposal: int) -> str:
        self.wanted.append(("fork_at", session, proposal))
        if self.error is not None:
            raise self.error
        return f"fork of {session}"

    async def export(self, session: str, form: Literal["md", "json"]) -> Path:
        self.wanted.append(("export", session, form))
        return Path(f"/tmp/{session}.{form}")

    async def hide(self, session: str, *, hidden: bool) -> None:
        self.wanted.append(("hide", session, hidden))
        self.listed = [
            msgspec.structs.replace(card, hidden=hidden) if card.id == session else card for card in self.listed
        ]


class FakeEngine:
    """Gives one session; can be held back, and can fail."""

    def __init__(
        self, session: FakeSession, previous: Summary | None = None, error: PairloopError | None = None
    ) -> None:
        self.session = session
        self.later: list[FakeSession] = []
        """The sessions opened after the first one, in turn."""
        self.opened: list[str | None] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self._previous = previous
        self.error = error
        self.sessions = FakeShelf()

    def shelf(self) -> FakeShelf:
        return self.sessions

    async def previous(self) -> Summary | None:
        return self._previous

    async def open(self, resume: str | None) -> FakeSession:
        await self.gate.wait()
        if self.error is not None:
            error = self.error
            if self.opened:
                self.error = None  # only the next one, not the way back
            raise error
        self.opened.append(resume)
        if len(self.opened) > 1 and self.later:
            return self.later.pop(0)
        return self.session
