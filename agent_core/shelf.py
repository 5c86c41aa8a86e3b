"""The sessions of a project, for whoever looks for one: listed, searched, forked, exported, put out of sight."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from agent_core import events as ev
from agent_core import forking
from agent_core.errors import JournalError
from agent_core.export import Format, exported
from agent_core.forking import Step
from agent_core.journal import SqliteJournal
from agent_core.masking import Masker
from agent_core.places import make_private
from agent_core.session_lock import in_use
from agent_core.story import fit_to_show
from agent_core.telling import story_of

_Result = TypeVar("_Result")
Who = Literal["you", "partner", "decision", "shell"]


class SessionCard(msgspec.Struct, frozen=True):
    """A session as a list shows it; the JSON object of ``pairloop sessions --json``.

    Attributes:
        id: Its id.
        title: The first task's first line.
        started: When it began, in seconds since the epoch.
        last: When its last event happened.
        tasks: How many tasks were given.
        attempts: How many proposals were made.
        landings: How many landings made in it stand.
        events: How many events it has.
        pending: What is left open: a ``proposal`` waits, or a ``task`` was cut short; empty for nothing.
        in_use: It is open, in this process or in another.
        hidden: It is not listed.
        forked_from: Id of the session that it is a copy of; empty when it is none.
    """

    id: str
    title: str
    started: float
    last: float
    tasks: int
    attempts: int
    landings: int
    events: int
    pending: Literal["", "proposal", "task"]
    in_use: bool
    hidden: bool
    forked_from: str


class Said(msgspec.Struct, frozen=True):
    """Something that was said in a session.

    Attributes:
        step: Number of the event.
        at: When.
        who: Of whom it is: the human, the partner, a decision with its reason, a command of the human's own.
        text: The words.
    """

    step: int
    at: float
    who: Who
    text: str


class _Words(msgspec.Struct):
    """The words in an event; the rest of it is skipped, which is many times faster."""

    text: str = ""
    line: str = ""
    reason: str = ""
    decision: str = ""
    proposal: int = 0


class _Number(msgspec.Struct):
    number: int


class _Origin(msgspec.Struct):
    session: str


_WHO: Mapping[str, Who] = {
    "Asked": "you",
    "Steered": "you",
    "AnswerFinished": "partner",
    "Decided": "decision",
    "ShellStarted": "shell",
}


class Shelf:
    """The sessions of one project. Its methods work in threads, on a connection of their own.

    Args:
        state: Where the project's journal lives.
        mask: Takes secrets out of what is exported.
    """

    def __init__(self, state: Path, mask: Masker) -> None:
        self._state = state
        self.mask = mask

    async def cards(self, *, hidden: bool = False) -> tuple[SessionCard, ...]:
        """The sessions in which something was asked, the one used last first.

        Args:
            hidden: Also those that were put out of sight.
        """
        return await self._with(lambda journal: tuple(self._cards(journal, hidden=hidden)), nothing=())

    async def said(self) -> dict[str, tuple[Said, ...]]:
        """All that was said, by session."""
        return await self._with(_all_said, nothing={})

    async def steps(self, session: str) -> tuple[Step, ...]:
        """The places at which a session can be forked, oldest first; the last one is its end."""
        return await self._with(lambda journal: forking.steps(journal.entries(session)), nothing=())

    async def fork(self, session: str, step: int = 0) -> str:
        """Begin a session as a copy of another one; see `agent_core.forking.fork`."""
        return await self._with(lambda journal: forking.fork(journal, session, step))

    async def fork_at(self, session: str, proposal: int) -> str:
        """Begin a session as a copy of another one up to where a proposal waited, or to its end if it still does.

        Raises:
            JournalError: There is no such session, or the journal cannot be used.
        """
        at = [step.seq for step in await self.steps(session) if (step.kind, step.number) == ("proposal", proposal)]
        return await self.fork(session, at[-1] if at else 0)

    async def hide(self, session: str, *, hidden: bool) -> None:
        """Put a session out of sight, or back. Nothing of it is lost: what it landed can still be undone."""
        await self._with(lambda journal: journal.hide(session, hidden=hidden))

    async def exported(self, session: str, form: Format) -> str:
        """A session as a document, without secrets.

        Raises:
            JournalError: There is no such session, or the journal cannot be used.
        """

        def tell(journal: SqliteJournal) -> str:
            entries = tuple(journal.entries(session))
            if not entries:
                raise _unknown(session)
            return exported(fit_to_show(story_of(session, entries), self.mask), form)

        return await self._with(tell)

    async def entries(self, session: str) -> tuple[ev.Entry, ...]:
        """The events of a session, oldest first."""
        return await self._with(lambda journal: tuple(journal.entries(session)), nothing=())

    async def export(self, session: str, form: Format) -> Path:
        """Write a session to a file of its own among pairloop's, not the project's; gives where it is.

        Raises:
            JournalError: There is no such session, or the file cannot be written.
        """
        text = await self.exported(session, form)

        def write() -> Path:
            path = self._state / "exports" / f"{session}.{form}"
            try:
                make_private(path.parent)
                path.write_text(text, encoding="utf-8", newline="\n")
            except OSError as error:
                raise JournalError(f"{path}: cannot be written: {error.strerror or error}.") from error
            return path

        return await asyncio.to_thread(write)

    def _cards(self, journal: SqliteJournal, *, hidden: bool) -> Iterator[SessionCard]:
        attempts: dict[str, int] = {}
        for session, _, _, _, body in journal.bodies("ProposalMade"):
            attempts[session] = msgspec.json.decode(body, type=_Number).number
        origins = {
            session: msgspec.json.decode(body, type=_Origin).session
            for session, _, _, _, body in journal.bodies("Forked")
        }
        landings: dict[str, int] = {}
        for record in journal.landings():
            if record.stands == "landed" and not record.undoes:
                landings[record.session] = landings.get(record.session, 0) + 1
        for one in journal.sessions(hidden=hidden):
            yield SessionCard(
                id=one.id,
                title=one.title,
                started=one.started,
                last=one.last,
                tasks=one.tasks,
                attempts=attempts.get(one.id, 0),
                landings=landings.get(one.id, 0),
                events=one.events,
                pending="" if one.finished else "proposal" if one.waiting else "task",
                in_use=in_use(self._state, one.id),
                hidden=one.hidden,
                forked_from=origins.get(one.id, ""),
            )

    async def _with(self, work: Callable[[SqliteJournal], _Result], *, nothing: _Result | None = None) -> _Result:
        """Do something with the journal; `nothing` is what it gives where there is none yet."""

        def do() -> _Result:
            if nothing is not None and not self._file.exists():
                return nothing
            with self._open() as journal:
                return work(journal)

        return await asyncio.to_thread(do)

    @property
    def _file(self) -> Path:
        return self._state / "journal.db"

    @contextmanager
    def _open(self) -> Iterator[SqliteJournal]:
        journal = SqliteJournal(self._file)
        try:
            yield journal
        finally:
            journal.close()


def _unknown(session: str) -> JournalError:
    return JournalError(f"There is no session {session} in this project.", "`pairloop sessions` lists them.")


def named(cards: Iterable[SessionCard], name: str) -> SessionCard:
    """The session that is meant by its id or the beginning of it; by nothing, the one used last.

    Raises:
        JournalError: There is none, or there are several.
    """
    cards = tuple(cards)
    found = [card for card in cards if card.id == name] or [card for card in cards if card.id.startswith(name)]
    if not found:
        raise _unknown(name) if name else JournalError("There are no sessions in this project yet.")
    if name and len(found) > 1:
        raise JournalError(f"{len(found)} sessions begin with {name}.", "Give more of the id: `pairloop sessions`.")
    return found[0]


def _all_said(journal: SqliteJournal) -> dict[str, tuple[Said, ...]]:
    decoder = msgspec.json.Decoder(_Words)
    found: dict[str, list[Said]] = {}
    for session, seq, at, kind, body in journal.bodies(*_WHO):
        words = decoder.decode(body)
        if kind == "Decided":
            verb = ev.DECIDED.get(words.decision, words.decision)
            text = f"{verb} proposal {words.proposal}" + (f": {words.reason}" if words.reason else "")
        else:
            text = f"!{words.line}" if kind == "ShellStarted" else words.text
        if text.strip():
            found.setdefault(session, []).append(Said(seq, at, _WHO[kind], text))
    return {session: tuple(said) for session, said in found.items()}
