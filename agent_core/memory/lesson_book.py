"""All that a project's lessons are kept in, as one: the database that is searched, and the file that humans write in.

The file says what is kept: words changed in it are changed, a bullet that is gone is forgotten, one that was added is
kept. It is read whenever the book is opened. A file that is missing altogether says nothing: it comes with the next
lesson, and all that are kept are in it again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from agent_core.errors import LessonError
from agent_core.events import Lesson, LessonBy, LessonProposed, LessonSettled
from agent_core.journal import SqliteJournal
from agent_core.memory.lesson_file import LessonFile, bullet, lessons_of, with_lessons, without_lesson
from agent_core.memory.lesson_store import DamagedError, LessonStore, Want
from agent_core.memory.lessons import (
    KnownLesson,
    Stands,
    kind_of,
    make_lesson,
    names_a_file,
    one_line,
    scores_well,
    words_of,
)

_Result = TypeVar("_Result")
MOST_RECALLED = 3
_MOST_RULES = 5
_KEPT: tuple[Stands, ...] = ("kept",)
_LISTED: tuple[Stands, ...] = ("proposed", "kept")
_UNKNOWN_HINT = "`pairloop memory list --all` shows them all."


class LessonBook:
    """The lessons of one project. Its methods read and write files: call them in threads.

    Args:
        root: The project's folder.
        state: Its state folder, where the database and the journal are.
        file: The file of lessons, relative to the project.
        mask: Takes secrets out of what is kept.
    """

    def __init__(self, root: Path, state: Path, file: str, mask: Callable[[str], str]) -> None:
        self._state = state
        self._mask = mask
        self.file = LessonFile(root, file)

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever remembered here: there is neither database nor file."""
        return not self._path.exists() and self.file.read() is None

    def listing(self, *, dropped: bool = False) -> tuple[KnownLesson, ...]:
        """All lessons: those that wait for a word first, then the newest.

        Args:
            dropped: Also those that are not wanted.

        Raises:
            LessonError: They cannot be read. So with all methods.
        """
        if self.is_new:
            return ()
        return self._with(lambda store: store.all((*_LISTED, "dropped") if dropped else _LISTED))

    def search(self, text: str, most: int = 50) -> tuple[KnownLesson, ...]:
        """Lessons in which all words of a text occur, the best first."""
        if self.is_new:
            return ()
        return self._with(lambda store: store.search(text, every=True, most=most, stands=_LISTED))

    def get(self, name: str) -> KnownLesson:
        """A lesson by its id, or the beginning of it.

        Raises:
            LessonError: There is none, or there are several.
        """
        known = self.listing(dropped=True)
        found = [one for one in known if one.lesson.id == name] or [
            one for one in known if name and one.lesson.id.startswith(name)
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise LessonError(f"{len(found)} lessons begin with {name}.", "Give more of the id.")
        raise LessonError(f"There is no lesson {name}.", _UNKNOWN_HINT)

    def propose(self, lesson: Lesson) -> Lesson | None:
        """Keep in mind that somebody may want to remember something.

        Returns:
            The lesson as it is kept, without secrets; None where it was proposed before, in whatever session, and so
            also where it was dropped.
        """
        lesson = self._masked(lesson)

        def do(store: LessonStore) -> Lesson | None:
            if store.get(lesson.id) is not None or _same_fix(store, lesson) is not None:
                return None
            store.put(lesson, "proposed")
            return lesson

        return self._with(do)

    def borne_out(self, lesson: Lesson) -> KnownLesson | None:
        """A lesson that was proposed earlier, and that says of the same failure and the same files what this one says.

        Returns:
            The earlier one while nobody has settled it; None otherwise.
        """

        def do(store: LessonStore) -> KnownLesson | None:
            found = store.get(lesson.id) or _same_fix(store, lesson)
            return found if found is not None and found.stands == "proposed" else None

        return self._with(do)

    def keep(self, name: str, text: str, by: LessonBy) -> KnownLesson:
        """Keep a lesson, and put it into the file.

        Args:
            name: Its id.
            text: It in other words; empty for as it is.
            by: Who says so.

        Raises:
            LessonError: There is none of that id, or the file cannot be written.
        """
        known = self.get(name)
        words = one_line(self._mask(text)) or known.lesson.text
        lesson = msgspec.structs.replace(known.lesson, text=words)
        self._with(lambda store: store.put(lesson, "kept", by=by))
        self._write()
        return self.get(lesson.id)

    def teach(self, text: str, source: str) -> KnownLesson:
        """Keep a lesson in the human's own words.

        Raises:
            LessonError: The text says nothing, or the file cannot be written.
        """
        words = one_line(self._mask(text))
        if not words:
            raise LessonError("A lesson has to say something.")
        lesson = make_lesson("own", [words], words, source)
        self._with(lambda store: store.put(lesson, "kept", by="human"))
        self._write()
        return self.get(lesson.id)

    def drop(self, name: str) -> KnownLesson:
        """Have a lesson neither kept nor proposed again, and take it out of the file.

        Raises:
            LessonError: There is none of that id, or the file cannot be written.
        """
        known = self.get(name)
        self._with(lambda store: store.put(known.lesson, "dropped", by="human"))
        self._take_out(known.lesson.id)
        return msgspec.structs.replace(known, stands="dropped", by="human", found=False)

    def forget(self, name: str) -> None:
        """Have a lesson that turned out wrong as if it had never been: it may be proposed again."""
        self._with(lambda store: store.forget(name))
        self._take_out(name)

    def fitting(
        self,
        *,
        text: str = "",
        paths: Collection[str] = (),
        fingerprints: Collection[str] = (),
        rules: bool = False,
        without: Collection[str] = (),
    ) -> tuple[KnownLesson, ...]:
        """The lessons kept that fit: the failures first, then the files, then the words.

        Args:
            text: What was asked for.
            paths: Files in question.
            fingerprints: Failures in question.
            rules: Also what the human taught that is about no failure and no file, and so holds always.
            without: Ids of lessons that are known already.
        """
        if self.is_new:
            return ()

        def do(store: LessonStore) -> tuple[KnownLesson, ...]:
            kept = [one for one in store.all(_KEPT) if one.lesson.id not in without]
            failed, files, words = set(fingerprints), set(paths), words_of(text)
            ranked = [one for one in kept if failed.intersection(one.lesson.fingerprints)]
            ranked += [one for one in kept if files.intersection(one.lesson.paths) or names_a_file(one.lesson, text)]
            allowed = {one.lesson.id: one for one in kept}
            hits = store.search(text, every=False, most=4 * MOST_RECALLED, stands=_KEPT)
            ranked += [one for one in hits if one.lesson.id in allowed and scores_well(one.lesson, words)]
            best = list({one.lesson.id: one for one in ranked}.values())[:MOST_RECALLED]
            general = [one for one in kept if _is_rule(one) and one not in best] if rules else []
            return tuple(self._shown(one) for one in (*best, *general[:_MOST_RULES]))

        return self._with(do)

    def said_before(self, session: str) -> list[str]:
        """What the human said to the partner in other sessions than this one, oldest first."""
        decoder = msgspec.json.Decoder(_Words)
        rows = (row for row in self._told_in_sessions("Steered", "Decided") if row[0] != session)
        words = (decoder.decode(body) for _, _, _, _, body in rows)
        return [text for one in words if (text := one.text or (one.reason if one.by == "human" else ""))]

    # -- what failures were for want of

    def wants(self) -> tuple[Want, ...]:
        """What failures were for want of, that have not been seen to pass since."""
        return self._with(LessonStore.wants)

    def keep_wants(self, wants: Sequence[Want], over: Collection[str]) -> None:
        """Keep some in mind, and let others go.

        Args:
            wants: What failures are for want of.
            over: Fingerprints of failures that are over.
        """

        def do(store: LessonStore) -> None:
            store.unwant(over)
            for want in wants:
                store.want(want)

        self._with(do)

    # -- file and database

    def _write(self) -> None:
        """Put into the file what is kept and not there, and take out what is dropped."""
        known = self._with(lambda store: store.all(("kept", "dropped")))
        kept = [one.lesson for one in reversed(known) if one.stands == "kept"]
        dropped = [one.lesson.id for one in known if one.stands == "dropped"]

        def changed(text: str) -> str:
            has = {one.id: bullet(one) for one in lessons_of(text)}
            for name in has.keys() & dropped:
                text = without_lesson(text, name)
            return with_lessons(text, (one for one in kept if has.get(one.id) != bullet(one)))

        self.file.change(changed)
        self._with(lambda _: None)

    def _take_out(self, name: str) -> None:
        if self.file.read() is not None:
            self.file.change(lambda text: without_lesson(text, name))
            self._with(lambda _: None)

    def _heed_file(self, store: LessonStore) -> None:
        """Have the database say what the file says, where that is another than when it was last read."""
        text = self.file.read()
        if text is None:
            return
        before, there = store.filed(), {one.id: one for one in lessons_of(text)}
        for lesson in there.values():
            known = store.get(lesson.id)
            if before.get(lesson.id) == bullet(lesson):
                # Nobody has touched it; what was said of it elsewhere comes into the file by `_write`.
                continue
            same = known is not None and bullet(known.lesson) == bullet(lesson) and known.stands != "proposed"
            found = known.found if same and known is not None else True
            store.put(lesson, "kept", by=known.by if same and known is not None else None, found=found)
        for name in before.keys() - there.keys():
            gone = store.get(name)
            if gone is not None and gone.stands == "kept":
                store.put(gone.lesson, "dropped", by=gone.by, found=gone.found)
        store.set_filed({name: bullet(lesson) for name, lesson in there.items()})

    def _shown(self, known: KnownLesson) -> KnownLesson:
        # A human may write into the file what is not to leave this machine.
        return msgspec.structs.replace(known, lesson=self._masked(known.lesson))

    def _masked(self, lesson: Lesson) -> Lesson:
        text, source = one_line(self._mask(lesson.text)), one_line(self._mask(lesson.source))
        return msgspec.structs.replace(lesson, text=text, source=source)

    @property
    def _path(self) -> Path:
        return self._state / "lessons.db"

    def _with(self, do: Callable[[LessonStore], _Result]) -> _Result:
        """Do something with the database, which says what the file says by then; a damaged one is made again."""
        try:
            with LessonStore(self._path) as store:
                self._heed_file(store)
                return do(store)
        except DamagedError:
            self._make_again()
            with LessonStore(self._path) as store:
                return do(store)

    def _make_again(self) -> None:
        """Make the database again from what the sessions of the project say, and from the file."""
        for end in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + end).unlink(missing_ok=True)
        told = self._told_in_sessions("LessonProposed", "LessonSettled")
        with LessonStore(self._path) as store:
            for _, _, at, _, body in told:
                try:
                    event = msgspec.json.decode(body, type=LessonProposed | LessonSettled)
                except msgspec.DecodeError:
                    continue
                if isinstance(event, LessonProposed):
                    if store.get(event.lesson.id) is None:
                        store.put(event.lesson, "proposed", at=at)
                elif (known := store.get(event.id)) is not None:
                    lesson = msgspec.structs.replace(known.lesson, text=event.text or known.lesson.text)
                    store.put(lesson, "kept" if event.kept else "dropped", by=event.by)
            self._heed_file(store)
            if self.file.read() is not None:
                # What the human took out of the file meanwhile is not to come back.
                for one in store.all(_KEPT):
                    if one.lesson.id not in store.filed():
                        store.put(one.lesson, "dropped", by=one.by)

    def _told_in_sessions(self, *kinds: str) -> list[tuple[str, int, float, str, bytes]]:
        """Events of all sessions, oldest first; on a connection of its own, as this is called in threads."""
        path = self._state / "journal.db"
        if not path.exists():
            return []
        journal = SqliteJournal(path)
        try:
            return sorted(journal.bodies(*kinds), key=lambda row: (row[2], row[0], row[1]))
        finally:
            journal.close()


class _Words(msgspec.Struct):
    """The words in an event; the rest of it is skipped."""

    text: str = ""
    reason: str = ""
    by: str = ""


def _same_fix(store: LessonStore, lesson: Lesson) -> KnownLesson | None:
    """A lesson on what fixed one of the same failures, in one of the same files."""
    if kind_of(lesson.id) != "fix":
        return None
    failures, paths = set(lesson.fingerprints), set(lesson.paths)
    for one in store.all(("proposed", "kept", "dropped")):
        there = one.lesson
        if kind_of(there.id) == "fix" and failures & set(there.fingerprints) and paths & set(there.paths):
            return one
    return None


def _is_rule(known: KnownLesson) -> bool:
    """Whether a lesson is the human's, and holds always."""
    lesson = known.lesson
    return known.by == "human" and not known.found and not lesson.paths and not lesson.fingerprints
