"""What the screen needs of the engine. `agent_core.session` and `agent_core.build` satisfy it structurally.

The screen names no class of the engine that would cost time to import before the first paint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from agent_core.commands import AnyCommand, UsePartner
from agent_core.events import Entry
from agent_core.state import State

if TYPE_CHECKING:
    from agent_core.custom_commands import CustomCommand
    from agent_core.forking import Step
    from agent_core.memory.lessons import KnownLesson
    from agent_core.partners.listing import Offer
    from agent_core.permission_book import KnownRule
    from agent_core.shelf import Said, SessionCard
    from agent_core.workspace.git import GitStatus

Listener = Callable[[Entry, State], None]


class SessionSummary(Protocol):
    """An earlier session, as far as the question whether to resume it needs."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def last(self) -> float:
        """When its last event happened, seconds since the epoch."""

    @property
    def title(self) -> str:
        """What it was about, for a human."""

    @property
    def finished(self) -> bool:
        """Nothing in it is pending."""


class Surroundings(Protocol):
    """What a session stands in."""

    @property
    def git(self) -> GitStatus | None:
        """Where the repository stands, as far as that is known; None where there is none."""

    @property
    def heard(self) -> Literal["", "watched", "polled", "lost"]:
        """How the human's saves are heard: not (yet), at once, by a look now and then, or only before each step."""

    def follow(self, told: Callable[[], None]) -> Callable[[], None]:
        """Have somebody told of every change, on the event loop; gives what ends it."""

    def look(self) -> None:
        """Have a look soon."""


class Lessons(Protocol):
    """What is to be known in later sessions of the project."""

    async def known(self) -> Sequence[KnownLesson]:
        """All of them: those that wait for a word first, then the newest.

        Raises:
            PairloopError: They cannot be read.
        """


class Custom(Protocol):
    """Commands of the human's or the project's own. Both methods read files."""

    def all(self) -> Mapping[str, CustomCommand]:
        """All of them, by name."""

    def task(self, text: str) -> str:
        """What a line that calls one asks for; the line itself where it calls none."""


class Partners(Protocol):
    """Who can propose."""

    @property
    def names(self) -> Sequence[str]:
        """The names by which a partner can be chosen."""

    def meant(self, words: str) -> UsePartner:
        """The command that some words stand for: a partner's name, one and a model, or a model."""

    async def offers(self) -> Sequence[Offer]:
        """All of them with their models; asks servers, which takes a moment.

        Raises:
            PairloopError: They cannot be listed.
        """


class Session(Protocol):
    """A session that is open: commands in, events out."""

    @property
    def state(self) -> State:
        """What is true now."""

    @property
    def paths(self) -> Sequence[str]:
        """The project's files as they were last seen, without those that are ignored."""

    @property
    def surroundings(self) -> Surroundings:
        """What it stands in."""

    @property
    def partners(self) -> Partners:
        """Who can propose."""

    @property
    def lessons(self) -> Lessons:
        """The project's lessons."""

    @property
    def custom(self) -> Custom:
        """Commands of the human's or the project's own."""

    def rules(self) -> Sequence[KnownRule]:
        """The rules on what the partner may do; reads a file.

        Raises:
            PermissionsError: They cannot be read.
        """

    def submit(self, command: AnyCommand) -> None:
        """Hand in a command; never blocks. To be called on the event loop."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have every event told, on the event loop; gives what ends it."""

    def content(self, digest: str) -> bytes:
        """Content of a file by hash.

        Raises:
            JournalError: There is none of that name.
        """

    async def run(self) -> None:
        """Carry out commands until `Quit` has been carried out."""


class Shelf(Protocol):
    """The sessions of one project. Every method raises JournalError where that cannot be read or written."""

    async def cards(self, *, hidden: bool = False) -> Sequence[SessionCard]:
        """The sessions in which something was asked, the one used last first; also hidden ones, if wanted."""

    async def said(self) -> Mapping[str, Sequence[Said]]:
        """All that was said, by session."""

    async def steps(self, session: str) -> Sequence[Step]:
        """The places at which a session can be forked, oldest first; the last one is its end."""

    async def fork(self, session: str, step: int = 0) -> str:
        """Begin a session as a copy of another one up to a step (0: all of it); gives its id."""

    async def fork_at(self, session: str, proposal: int) -> str:
        """Begin a session as a copy of another one up to where a proposal waited; gives its id."""

    async def export(self, session: str, form: Literal["md", "json"]) -> Path:
        """Write a session to a file; gives where it is."""

    async def hide(self, session: str, *, hidden: bool) -> None:
        """Put a session out of sight, or back; nothing of it is lost."""


class Engine(Protocol):
    """Opens sessions of one project."""

    def shelf(self) -> Shelf:
        """The sessions of the project.

        Raises:
            PairloopError: They cannot be looked at; says why.
        """

    async def previous(self) -> SessionSummary | None:
        """A session to offer for resuming, None when there is none."""

    async def open(self, resume: str | None) -> Session:
        """Open a session.

        Args:
            resume: Id of the session to go on with, None for a new one.

        Raises:
            PairloopError: It cannot be opened; says why and what to do.
        """
