"""The lessons of a project in SQLite, to be searched; it can be made again from the file and the journals."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import msgspec

from agent_core.errors import LessonError
from agent_core.events import Lesson, LessonBy
from agent_core.memory.lessons import KnownLesson, Stands, words_of
from agent_core.places import make_private

_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS lessons (
    id TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    source TEXT NOT NULL,
    paths TEXT NOT NULL,
    fingerprints TEXT NOT NULL,
    stands TEXT NOT NULL,
    confirmed TEXT,
    at REAL NOT NULL,
    found INTEGER NOT NULL,
    filed TEXT
);
CREATE TABLE IF NOT EXISTS wants (
    want TEXT NOT NULL, finding TEXT NOT NULL, of TEXT NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (want, finding)
);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(id UNINDEXED, text, paths, tokenize = 'porter unicode61');
"""
_COLUMNS = "id, text, source, paths, fingerprints, stands, confirmed, at, found"
_RUBBLE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_QUERY = re.compile(r"[^\W_]+")
_MOST_TERMS = 40
_MOST_WANTS = 200


class DamagedError(LessonError):
    """The file is no database any more; it can be made again."""


class Want(msgspec.Struct, frozen=True):
    """What a failure was for want of.

    Attributes:
        want: In words, such as ``the environment variable DATABASE_URL``.
        finding: Fingerprint of the failure.
        check: Of which check.
        name: The test, or what else failed.
        path: Its file; may be empty.
    """

    want: str
    finding: str
    check: str
    name: str
    path: str


class LessonStore:
    """The database; a context manager.

    Args:
        path: The file; made when missing.

    Raises:
        DamagedError: It is none any more.
        LessonError: It cannot be opened, or was written by a newer pairloop.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._understood():
            try:
                make_private(path.parent)
            except OSError as error:
                raise LessonError(f"{path.parent}: cannot be made: {error.strerror or error}.") from error
            self._db = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
        try:
            with self._understood():
                self._prepare()
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        """Begin a transaction: what is done in it is done together, and no other process comes between."""
        with self._understood():
            self._db.execute("BEGIN IMMEDIATE")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End it, and close the file."""
        try:
            with self._understood():
                self._db.execute("COMMIT" if kind is None else "ROLLBACK")
        finally:
            self._db.close()

    def _prepare(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise LessonError(f"{self._path}: written by a newer pairloop.", "Update pairloop, or remove that file.")
        if version < _VERSION:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.executescript(_SCHEMA)
            self._db.execute(f"PRAGMA user_version={_VERSION}")

    # -- lessons

    def get(self, name: str) -> KnownLesson | None:
        """A lesson by its id."""
        return next(self._read("WHERE id = ?", (name,)), None)

    def all(self, stands: Collection[Stands]) -> tuple[KnownLesson, ...]:
        """The lessons that stand so, those that wait first, then the newest."""
        marks = ", ".join("?" * len(stands))
        return tuple(self._read(f"WHERE stands IN ({marks}) ORDER BY stands != 'proposed', at DESC, id", tuple(stands)))

    def put(
        self, lesson: Lesson, stands: Stands, *, by: LessonBy | None = None, found: bool = False, at: float = 0.0
    ) -> None:
        """Have a lesson stand so, in the place of the one of its id; when it was first seen stays."""
        old = self.get(lesson.id)
        row = (
            lesson.id,
            lesson.text,
            lesson.source,
            msgspec.json.encode(lesson.paths).decode(),
            msgspec.json.encode(lesson.fingerprints).decode(),
            stands,
            by,
            old.at if old is not None else at or time.time(),
            found,
        )
        self._do(
            f"INSERT INTO lessons ({_COLUMNS}, filed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL) "  # noqa: S608 - names of columns
            "ON CONFLICT (id) DO UPDATE SET text = excluded.text, source = excluded.source, paths = excluded.paths, "
            "fingerprints = excluded.fingerprints, stands = excluded.stands, confirmed = excluded.confirmed, "
            "found = excluded.found",
            row,
        )
        self._do("DELETE FROM words WHERE id = ?", (lesson.id,))
        self._do(
            "INSERT INTO words (id, text, paths) VALUES (?, ?, ?)", (lesson.id, lesson.text, " ".join(lesson.paths))
        )

    def forget(self, name: str) -> None:
        """Remove a lesson as if it had never been."""
        self._do("DELETE FROM lessons WHERE id = ?", (name,))
        self._do("DELETE FROM words WHERE id = ?", (name,))

    def search(self, text: str, *, every: bool, most: int, stands: Collection[Stands]) -> tuple[KnownLesson, ...]:
        """Lessons in which words of a text occur, the best first.

        Args:
            text: Any text: what the index takes for signs of its own is left out of it.
            every: All its words must occur, the last of each may go on; else any of those that say something.
            most: How many lessons at most.
            stands: How they stand.
        """
        terms = _QUERY.findall(text.lower()) if every else sorted(words_of(text))
        if not terms:
            return ()
        quoted = [f'"{term}"*' for term in terms[:_MOST_TERMS]]
        query = (" AND " if every else " OR ").join(quoted)
        names = [row[0] for row in self._do("SELECT id FROM words WHERE words MATCH ? ORDER BY rank", (query,))]
        found = (one for name in names if (one := self.get(name)) is not None and one.stands in stands)
        return tuple(one for _, one in zip(range(most), found, strict=False))

    # -- the file

    def filed(self) -> dict[str, str]:
        """What the file had of each lesson when it was last read, by id."""
        return dict(self._do("SELECT id, filed FROM lessons WHERE filed IS NOT NULL"))

    def set_filed(self, there: Mapping[str, str]) -> None:
        """Say what the file has of each lesson."""
        self._do("UPDATE lessons SET filed = NULL WHERE filed IS NOT NULL")
        for name, text in there.items():
            self._do("UPDATE lessons SET filed = ? WHERE id = ?", (text, name))

    # -- what failures were for want of

    def want(self, want: Want) -> None:
        """Keep in mind what a failure was for want of; of very many, the newest."""
        self._do(
            "INSERT OR REPLACE INTO wants VALUES (?, ?, ?, ?, ?, ?)",
            (want.want, want.finding, want.check, want.name, want.path, time.time()),
        )
        self._do(
            "DELETE FROM wants WHERE rowid NOT IN (SELECT rowid FROM wants ORDER BY at DESC LIMIT ?)", (_MOST_WANTS,)
        )

    def wants(self) -> tuple[Want, ...]:
        """All that are kept in mind."""
        return tuple(Want(*row) for row in self._do("SELECT want, finding, of, name, path FROM wants ORDER BY at"))

    def unwant(self, findings: Iterable[str]) -> None:
        """These failures are over."""
        for finding in findings:
            self._do("DELETE FROM wants WHERE finding = ?", (finding,))

    # -- the database

    def _read(self, where: str, values: tuple[Any, ...]) -> Iterator[KnownLesson]:
        for row in self._do(f"SELECT {_COLUMNS} FROM lessons {where}", values):  # noqa: S608 - names of columns
            name, text, source, paths, fingerprints, stands, by, at, found = row
            lesson = Lesson(name, text, source, _tuple(paths), _tuple(fingerprints))
            yield KnownLesson(lesson, stands, by, at, bool(found))

    def _do(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with self._understood():
            return self._db.execute(sql, values).fetchall()

    @contextlib.contextmanager
    def _understood(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _RUBBLE or "no such table" in str(error):
                raise DamagedError(f"{self._path}: is damaged: {error}.") from error
            hint = "Lessons are not remembered as long as that is so; `[memory] lessons = false` switches them off."
            raise LessonError(f"{self._path}: cannot be used: {error}.", hint) from error


def _tuple(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])
