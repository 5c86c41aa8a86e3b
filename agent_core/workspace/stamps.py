"""Modification times for the files of candidates, so that no cache takes one content for another.

Python's .pyc files and mypy's cache trust a source file's modification time in whole seconds and its size. Two
candidates made within one second, with files of the same size, would be taken for each other. So the rule is: at
one path, one second belongs to one content, for ever.

Make, cargo and their like compare a source's time with that of what was built of it, exactly. What lies about built in
the human's tree, or in a cache, may be of this very second; so within its second a file that a candidate writes is as
new as can be. Only one whose second is taken already is given the beginning of the next free one, which is to come.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from agent_core.workspace.tree import FileState

_KEEP_SECONDS = 180 * 24 * 3600
_SECOND = 10**9


class Stamps:
    """Hands out modification times, unique for a path over all processes that work on a project.

    Args:
        store: The SQLite file they are remembered in; one that is damaged is begun anew.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        store.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._prepare()
        except sqlite3.DatabaseError:
            store.unlink(missing_ok=True)
            self._prepare()

    def _prepare(self) -> None:
        with self._transaction() as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS stamps"
                " (path BLOB, second INTEGER, hash TEXT, PRIMARY KEY (path, second)) WITHOUT ROWID"
            )
            database.execute("DELETE FROM stamps WHERE second < ?", (int(time.time()) - _KEEP_SECONDS,))

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(sqlite3.connect(self._store, timeout=30, isolation_level=None)) as database:
            # Losing it in a power cut is harmless: the seconds it knew of are past.
            database.execute("PRAGMA synchronous=OFF")
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")

    def assign(
        self,
        written: Mapping[str, str],
        base: Mapping[str, FileState],
        recent: Iterable[str],
        modified_at: Callable[[str, str], int | None],
    ) -> dict[str, int]:
        """Choose modification times for a candidate.

        Args:
            written: Path to content hash of the files the candidate writes.
            base: The files of the working tree; those neither written nor gone are taken as they are.
            recent: Paths of `base` touched so lately that they may change again within the same second.
            modified_at: Modification time in seconds of a path with a hash in the working tree, if known.

        Returns:
            Path to nanoseconds since the epoch: a time for every written file, never before now; and one for each file
            of `base` whose own time has already stood for another content, which must be given this time instead.
        """
        chosen: dict[str, int] = {}
        with self._transaction() as database:
            # Not before it is our turn to write: what has been built meanwhile is older than this.
            now = time.time_ns()
            known = [_text(bytes(row[0])) for row in database.execute("SELECT DISTINCT path FROM stamps")]
            for path in sorted(base.keys() & {*known, *recent, *written}):
                digest = base[path].hash
                second = modified_at(path, digest)
                if second is not None and not _claim(database, _bytes(path), second, digest) and path not in written:
                    chosen[path] = _fresh(database, _bytes(path), digest, now)
            for path, digest in written.items():
                chosen[path] = _fresh(database, _bytes(path), digest, now)
        return chosen


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


def _claim(database: sqlite3.Connection, name: bytes, second: int, digest: str) -> bool:
    """Take a second for a content; False when it belongs to another."""
    database.execute("INSERT OR IGNORE INTO stamps VALUES (?, ?, ?)", (name, second, digest))
    owner = database.execute("SELECT hash FROM stamps WHERE path = ? AND second = ?", (name, second)).fetchone()
    return bool(owner[0] == digest)


def _fresh(database: sqlite3.Connection, name: bytes, digest: str, now: int) -> int:
    """A time not before now, in a second that belongs to this content at this path and comes after those of others."""
    second = _second(database, name, digest, now // _SECOND)
    return max(now, second * _SECOND)


def _second(database: sqlite3.Connection, name: bytes, digest: str, now: int) -> int:
    own, last = database.execute(
        "SELECT max(CASE WHEN hash = ? THEN second END), max(second) FROM stamps WHERE path = ?", (digest, name)
    ).fetchone()
    if own is not None and own >= now:
        return int(own)
    second = now if last is None else max(now, int(last) + 1)
    database.execute("INSERT INTO stamps VALUES (?, ?, ?)", (name, second, digest))
    return second
