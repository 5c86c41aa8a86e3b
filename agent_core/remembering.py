"""Lessons over sessions: what was found is proposed, what the human says of it is done, what fits is recalled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import msgspec

from agent_core import commands
from agent_core import events as ev
from agent_core.checks.model import Finding
from agent_core.conversation import UserItem
from agent_core.errors import JournalError, LessonError
from agent_core.memory.lesson_book import LessonBook
from agent_core.memory.lesson_finding import HEARD, Finder, Found, Suggestion
from agent_core.memory.lessons import KnownLesson, kind_of, told
from agent_core.parts import Parts
from agent_core.state import State

_MOST_PROPOSED = 12
_MOST_NAMED = 2
_UNCONFIRMED = "the project's memory file; not confirmed here"
_OFF = "Lessons are switched off."
_OFF_HINT = "`lessons = true` in the table [memory] of the configuration switches them on."
log = logging.getLogger(__name__)


class Remembering:
    """Takes care of lessons in one session.

    Args:
        parts: The session's parts.
        book: Where the project's lessons are kept; None where none are wanted.
    """

    def __init__(self, parts: Parts, book: LessonBook | None) -> None:
        self._parts = parts
        self._book = book
        self._heard: asyncio.Queue[tuple[ev.AnyEvent, State]] = asyncio.Queue()
        self._finder: Finder | None = None
        self._asked: set[tuple[str, int, str]] = set()
        self._troubles: set[str] = set()

    async def known(self) -> tuple[KnownLesson, ...]:
        """All lessons of the project: those that wait for the human's word first, then the newest.

        Raises:
            LessonError: They cannot be read.
        """
        return () if self._book is None else await asyncio.to_thread(self._book.listing)

    async def search(self, text: str) -> tuple[KnownLesson, ...]:
        """Lessons in which all words of a text occur, the best first.

        Raises:
            LessonError: They cannot be read.
        """
        return () if self._book is None else await asyncio.to_thread(self._book.search, text)

    # -- what happens

    def listen(self, entry: ev.Entry, state: State) -> None:
        """Take an event; what there is to learn from it is found out later."""
        if self._book is not None and isinstance(entry.event, HEARD):
            self._heard.put_nowait((entry.event, state))

    async def run(self) -> None:
        """Look at what happens, until cancelled."""
        while True:
            event, state = await self._heard.get()
            try:
                await self._learn(event, state)
            except JournalError:
                raise
            except LessonError as error:
                self._complain(error)
            except Exception:
                log.exception("nothing could be learned from %s", type(event).__name__)
            finally:
                self._heard.task_done()

    async def settled(self) -> None:
        """Wait until all that has happened has been looked at, while `run` is under way."""
        await self._heard.join()

    async def _learn(self, event: ev.AnyEvent, state: State) -> None:
        found = (await self._eyes()).look(event, state)
        book = self._book
        if book is None:
            return
        if found.wants or found.over:
            await self._keep_in_mind(book, found)
        for suggestion in found.suggestions:
            await self._suggest(book, suggestion)
        if found.undone:
            await self._unlearn(book, found.undone)

    async def _eyes(self) -> Finder:
        if self._finder is None:
            # What is said in this session the finder hears itself.
            assert self._book is not None
            said = await asyncio.to_thread(self._book.said_before, self._parts.session)
            wants = () if await asyncio.to_thread(self._is_new) else await asyncio.to_thread(self._book.wants)
            self._finder = Finder(self._parts.session, said, wants)
        return self._finder

    def _is_new(self) -> bool:
        return self._book is None or self._book.is_new

    async def _keep_in_mind(self, book: LessonBook, found: Found) -> None:
        if found.wants or not await asyncio.to_thread(self._is_new):
            await asyncio.to_thread(book.keep_wants, found.wants, found.over)

    async def _suggest(self, book: LessonBook, suggestion: Suggestion) -> None:
        """Propose a lesson; what a green landing bears out is kept."""
        waiting = sum(one.stands == "proposed" for one in self._parts.state().lessons)
        lesson = None
        if suggestion.confirmed or waiting < _MOST_PROPOSED:
            lesson = await asyncio.to_thread(book.propose, suggestion.lesson)
        if lesson is not None:
            self._parts.emit(ev.LessonProposed(lesson))
        confirmed = lesson.id if lesson is not None and suggestion.confirmed else ""
        if lesson is None and suggestion.green:
            earlier = await asyncio.to_thread(book.borne_out, suggestion.lesson)
            # One landing says it once, however often it is looked at.
            if earlier is not None and earlier.lesson.source != suggestion.lesson.source:
                confirmed = earlier.lesson.id
                self._parts.emit(ev.LessonProposed(earlier.lesson))
        if confirmed:
            await asyncio.to_thread(book.keep, confirmed, "", "landing")
            self._parts.emit(ev.LessonSettled(confirmed, kept=True, by="landing"), durable=True)

    async def _unlearn(self, book: LessonBook, landing: int) -> None:
        """What a landing taught that was taken back is void, unless the human has said that they want it kept."""
        if await asyncio.to_thread(self._is_new):
            return
        for one in await asyncio.to_thread(book.listing):
            mine = kind_of(one.lesson.id) == "fix" and one.lesson.source.endswith(f", landing {landing}")
            if mine and one.by != "human" and not one.found:
                await asyncio.to_thread(book.forget, one.lesson.id)
                self._parts.emit(ev.LessonSettled(one.lesson.id, kept=False, by="landing"), durable=True)

    # -- what the human wants

    async def obey(self, command: commands.Teach | commands.KeepLesson | commands.DropLesson) -> None:
        """Do what the human says of lessons.

        Raises:
            LessonError: It cannot be done.
        """
        book, emit = self._book, self._parts.emit
        if book is None:
            raise LessonError(_OFF, _OFF_HINT)
        match command:
            case commands.Teach(text):
                known = await asyncio.to_thread(book.teach, text, f"you, session {self._parts.session}")
                emit(ev.LessonProposed(known.lesson))
                emit(ev.LessonSettled(known.lesson.id, kept=True, by="human"), durable=True)
            case commands.KeepLesson(name, text):
                known = await asyncio.to_thread(book.keep, name, text, "human")
                words = known.lesson.text if text else ""
                emit(ev.LessonSettled(known.lesson.id, kept=True, by="human", text=words), durable=True)
            case commands.DropLesson(name):
                known = await asyncio.to_thread(book.drop, name)
                emit(ev.LessonSettled(known.lesson.id, kept=False, by="human"), durable=True)

    # -- what is recalled

    async def recall(self) -> tuple[UserItem, ...]:
        """What the partner is to be told before the next request: the lessons that fit what is new, each once.

        They are looked for at the beginning of a task, and when a verdict has something against a proposal.
        """
        if self._book is None:
            return ()
        try:
            return tuple(
                [UserItem(text) for wish in self._wishes() if (text := await self._recalled(self._book, wish))]
            )
        except LessonError as error:
            self._complain(error)
            return ()

    def _wishes(self) -> list[_Wish]:
        """What lessons are to be looked for, that have not been looked for yet."""
        state = self._parts.state()
        wishes: list[_Wish] = []
        task = state.task
        if task is None:
            return []
        if self._is_first("task", task.number):
            wishes.append(_Wish("the task", text=task.text, rules=task.number == 1))
            results = [check.result for check in state.checks if check.where == "baseline" and check.result is not None]
            if red := [finding for result in results for finding in result.findings]:
                wishes.append(_about(red))
        proposal = state.proposal
        verdict = proposal.verdict if proposal is not None and proposal.task == task.number else None
        against = () if verdict is None else (*verdict.broken, *verdict.targets_left)
        if proposal is not None and against and self._is_first("verdict", proposal.number, proposal.tree):
            wishes.append(_about(against, proposal.patch.paths))
        return wishes

    def _is_first(self, what: str, number: int, tree: str = "") -> bool:
        key = (what, number, tree)
        if key in self._asked:
            return False
        self._asked.add(key)
        return True

    async def _recalled(self, book: LessonBook, wish: _Wish) -> str:
        await self._catch_up(book)
        found = await asyncio.to_thread(
            book.fitting,
            text=wish.text,
            paths=wish.paths,
            fingerprints=wish.fingerprints,
            rules=wish.rules,
            without=self._parts.state().recalled,
        )
        if not found:
            return ""
        lessons = [
            msgspec.structs.replace(one.lesson, source=_UNCONFIRMED) if one.found else one.lesson for one in found
        ]
        self._parts.emit(ev.LessonsRecalled(tuple(lessons), wish.why))
        return told(found, wish.why)

    async def _catch_up(self, book: LessonBook) -> None:
        """Tell what was said of this session's lessons in another session, on the command line, in the file."""
        waiting = [one.lesson.id for one in self._parts.state().lessons if one.stands == "proposed"]
        if not waiting:
            return
        for one in await asyncio.to_thread(book.listing, dropped=True):
            if one.lesson.id in waiting and one.stands != "proposed":
                kept = one.stands == "kept"
                self._parts.emit(
                    ev.LessonSettled(one.lesson.id, kept=kept, by=one.by or "human", text=one.lesson.text), durable=True
                )

    def _complain(self, error: LessonError) -> None:
        """Tell the human, once, of what keeps lessons from being remembered."""
        if error.message not in self._troubles:
            self._troubles.add(error.message)
            self._parts.emit(ev.Noted("warning", error.message, error.hint))


class _Wish(msgspec.Struct, frozen=True):
    """What lessons are looked for; see `LessonBook.fitting`."""

    why: str
    text: str = ""
    paths: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    rules: bool = False


def _about(failures: Sequence[Finding], paths: Sequence[str] = ()) -> _Wish:
    """The wish for what is known of failures, and of files."""
    names = [one.code or one.place or one.check for one in failures]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return _Wish(
        f"the failure of {', '.join(names[:_MOST_NAMED])}{more}",
        paths=(*(one.path for one in failures if one.path), *paths),
        fingerprints=tuple(one.fingerprint for one in failures),
    )
