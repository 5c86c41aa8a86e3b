"""What is known of files by their content, kept on disk: a file that has not changed is never read again."""

from __future__ import annotations

import contextlib
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from agent_core.symbols.tags import Tags

_VERSION = 2
"""Of what is kept; another one begins anew."""
_ASKED = 400
_MOST = 60_000
_BUSY_SECONDS = 2.0

Key = tuple[str, str]
"""A content's hash, and the language it is read in."""


class Store:
    """Keeps tags in an SQLite file. One that is damaged, or cannot be written, is no more than slow.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._prepare()
        except sqlite3.DatabaseError:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            with self._forgiving():
                self._prepare()

    def get(self, keys: Iterable[Key]) -> dict[Key, Tags]:
        """What is known of some contents."""
        wanted = list(dict.fromkeys(keys))
        found: dict[Key, Tags] = {}
        decode = msgspec.msgpack.Decoder(Tags).decode
        with self._forgiving(), self._opened() as database:
            for at in range(0, len(wanted), _ASKED):
                part = wanted[at : at + _ASKED]
                marks = ",".join("?" * len(part))
                hashes = [key[0] for key in part]
                rows = database.execute(f"SELECT hash, language, tags FROM tags WHERE hash IN ({marks})", hashes)  # noqa: S608 - marks only
                asked = set(part)
                for digest, language, data in rows:
                    if (digest, language) in asked:
                        found[digest, language] = decode(zlib.decompress(data))
        return found

    def put(self, tags: Mapping[Key, Tags]) -> None:
        """Keep what was found."""
        encode = msgspec.msgpack.Encoder().encode
        rows = [(*key, zlib.compress(encode(one), 1)) for key, one in tags.items()]
        with self._forgiving(), self._opened() as database:
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT OR REPLACE INTO tags (hash, language, tags) VALUES (?, ?, ?)", rows)
            # The oldest go: files change, and nobody says when a content is wanted no more.
            database.execute("DELETE FROM tags WHERE id <= (SELECT max(id) FROM tags) - ?", (_MOST,))
            database.execute("COMMIT")

    def _prepare(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._opened() as database:
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if version != _VERSION:
                database.execute("DROP TABLE IF EXISTS tags")
                database.execute(f"PRAGMA user_version={_VERSION}")
            database.execute(
                "CREATE TABLE IF NOT EXISTS tags (id INTEGER PRIMARY KEY, hash TEXT, language TEXT, tags BLOB,"
                " UNIQUE (hash, language))"
            )

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
        with contextlib.closing(connection) as database:
            # Losing it in a power cut costs reading the files again. WAL: one may read while another writes.
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=OFF")
            yield database

    @contextlib.contextmanager
    def _forgiving(self) -> Iterator[None]:
        with contextlib.suppress(sqlite3.Error, OSError, zlib.error, msgspec.MsgspecError):
            yield
