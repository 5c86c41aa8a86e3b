"""The journal: SQLite in WAL mode, one file a project. Append, replay, list; contents of files by hash.

What is appended survives the death of the process at once (WAL, synchronous=NORMAL); what is appended as
durable survives a power cut too (synchronous=FULL for that commit). Several processes may have it open.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec

from agent_core.errors import JournalError
from agent_core.events import AnyEvent, Asked, Committed, Entry, LandingStarted, SessionStarted
from agent_core.keys.known import KNOWN, KnownKeys
from agent_core.landing_log import LandingRecord, landing_records
from agent_core.text import without_surrogates
from agent_core.workspace.tree import content_hash

_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, started REAL NOT NULL);
CREATE TABLE IF NOT EXISTS events (
    session TEXT NOT NULL REFERENCES sessions(id),
    seq INTEGER NOT NULL,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (session, seq)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS events_by_kind ON events(kind);
CREATE TABLE IF NOT EXISTS blobs (hash TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hidden (session TEXT PRIMARY KEY) WITHOUT ROWID;
"""
# A landing that a fork has in its copy was made once, in the session it was copied from.
_LANDINGS = """
SELECT session, at, body FROM events AS e WHERE kind = 'LandingStarted' AND seq >
    coalesce((SELECT max(seq) FROM events AS f WHERE f.kind = 'Forked' AND f.session = e.session), 0)
"""
_SESSIONS = """
SELECT s.id, s.started, max(e.at), count(e.seq), sum(e.kind = 'Asked'), sum(e.kind = 'TaskFinished'),
    max(CASE WHEN e.kind = 'DecisionAwaited' THEN e.seq ELSE 0 END)
        > max(CASE WHEN e.kind IN ('Decided', 'TaskFinished') THEN e.seq ELSE 0 END),
    EXISTS (SELECT 1 FROM hidden AS h WHERE h.session = s.id)
FROM sessions AS s JOIN events AS e ON e.session = s.id
GROUP BY s.id ORDER BY max(e.at) DESC, s.id DESC
"""


class SessionSummary(msgspec.Struct, frozen=True):
    """One session of a project, for a picker.

    Attributes:
        id: Its id.
        started: When it began, in seconds since the epoch.
        last: When its last event happened.
        title: The first task's first line; empty when nothing was asked.
        events: How many events it has.
        finished: Nothing is left open: every task given has ended.
        tasks: How many tasks were given.
        waiting: A proposal waits for the human.
        hidden: The human does not want to see it listed.
    """

    id: str
    started: float
    last: float
    title: str
    events: int
    finished: bool
    tasks: int = 0
    waiting: bool = False
    hidden: bool = False


class _Numbered(msgspec.Struct):
    """As much of an event about a landing as it takes to count; the rest is skipped, which is many times faster."""

    landing: int


def new_session() -> str:
    """An id for a session that sorts by time and is never given twice."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"


class SqliteJournal:
    """The journal of one project.

    Keys that are known are in no event of it: they are taken out before anybody gets to see one. Contents are kept as
    they are, as taking back a landing has to give the human every byte.

    Args:
        path: The database file; made with its folders when missing.
        keys: The keys that are known.

    Raises:
        JournalError: The file cannot be opened, is damaged, or was written by a newer pairloop.
    """

    def __init__(self, path: Path, keys: KnownKeys = KNOWN) -> None:
        self._path = path
        self._keys = keys
        self._next: dict[str, int] = {}
        self._is_together = False
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(AnyEvent)
        self._counter = msgspec.json.Decoder(_Numbered)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._db = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
        except (sqlite3.Error, OSError) as error:
            raise self._unusable("opened", error) from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._db.close()
            raise self._unusable("opened", error) from error
        except JournalError:
            self._db.close()
            raise

    def _prepare(self) -> None:
        """Make the tables, unless they are there in a format that is not ours."""
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise JournalError(
                f"{self._path}: written by a newer pairloop (format {version}, this one knows {_VERSION}).",
                "Update pairloop, or set PAIRLOOP_STATE_DIR to another folder.",
            )
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        if version < _VERSION:
            self._db.execute(f"PRAGMA user_version={_VERSION}")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def create(self, session: str) -> None:
        """Begin a session."""
        self._write("INSERT INTO sessions (id, started) VALUES (?, ?)", (session, time.time()))

    def append(self, session: str, event: AnyEvent, *, durable: bool = False) -> Entry:
        """Add an event; see `agent_core.protocols.Journal`."""
        try:
            body = self._encoder.encode(event)
        except UnicodeEncodeError:
            event = _storable(event)
            body = self._encoder.encode(event)
        if (clean := self._keys.redact_json(body)) is not body:
            event, body = self._decode(clean, f"session {session}"), clean
        kind = type(event).__name__
        seq = self._next.get(session) or self._count(session) + 1
        while True:
            at = time.time()
            try:
                self._insert((session, seq, at, kind, body), durable=durable)
            except sqlite3.IntegrityError as error:
                # Another process has appended to this session, such as the outcome of a landing it brought to an end.
                taken, seq = seq, self._count(session) + 1
                if seq <= taken:
                    raise self._unusable("written", error) from error
            except sqlite3.Error as error:
                raise self._unusable("written", error) from error
            else:
                self._next[session] = seq + 1
                return Entry(seq, at, event)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keep what is appended and put meanwhile all or not at all, durably; nothing may be awaited in between."""
        self._write("PRAGMA synchronous=FULL", ())
        try:
            self._write("BEGIN IMMEDIATE", ())
            self._is_together = True
            try:
                yield
                self._write("COMMIT", ())
            except BaseException:
                self._next.clear()
                if self._db.in_transaction:
                    self._write("ROLLBACK", ())
                raise
        finally:
            self._is_together = False
            self._write("PRAGMA synchronous=NORMAL", ())

    def entries(self, session: str) -> Iterator[Entry]:
        """All events of a session, oldest first."""
        rows = self._rows("SELECT seq, at, body FROM events WHERE session = ? ORDER BY seq", (session,))
        for seq, at, body in rows:
            yield Entry(seq, at, self._decode(body, f"session {session}, event {seq}"))

    def sessions(self, *, hidden: bool = False) -> tuple[SessionSummary, ...]:
        """All sessions that have a task, the one used last first.

        Args:
            hidden: Also those that were hidden.
        """
        return tuple(
            SessionSummary(
                name, started, last, self._title(name), events, ended >= asked, asked, bool(waits), bool(unseen)
            )
            for name, started, last, events, asked, ended, waits, unseen in list(self._rows(_SESSIONS))
            if asked and (hidden or not unseen)
        )

    def hide(self, session: str, *, hidden: bool) -> None:
        """List a session no more, or again; nothing of it is lost."""
        sql = "INSERT OR IGNORE INTO hidden VALUES (?)" if hidden else "DELETE FROM hidden WHERE session = ?"
        self._write(sql, (session,))

    def bodies(self, *kinds: str) -> Iterator[tuple[str, int, float, str, bytes]]:
        """Events of some kinds as they are kept: session, number, time, kind, and JSON that nobody has read yet."""
        marks = ", ".join("?" * len(kinds))
        sql = f"SELECT session, seq, at, kind, body FROM events WHERE kind IN ({marks}) ORDER BY session, seq"  # noqa: S608 - marks
        yield from self._rows(sql, kinds)

    def copy(self, session: str, new: str, upto: int) -> None:
        """Begin a session with a copy of another one's events, their numbers and times the same; see `together`.

        Args:
            session: The one that is copied.
            new: Id of the new one, which its first event says from now on.
            upto: The last event that is copied.
        """
        self.create(new)
        self._write(
            "INSERT INTO events SELECT ?, seq, at, kind, body FROM events WHERE session = ? AND seq <= ?",
            (new, session, upto),
        )
        for seq, body in list(self._rows("SELECT seq, body FROM events WHERE session = ? LIMIT 1", (new,))):
            first = self._decode(body, f"session {session}, event {seq}")
            if isinstance(first, SessionStarted):
                renamed = self._encoder.encode(msgspec.structs.replace(first, session=new))
                self._write("UPDATE events SET body = ? WHERE session = ? AND seq = ?", (renamed, new, seq))

    def next_landing(self) -> int:
        """The number for the next landing in this project, from 1."""
        return max((number for number, _ in self._numbers("LandingStarted")), default=0) + 1

    def landings(self) -> tuple[LandingRecord, ...]:
        """Every landing, undo and redo of the project, oldest first, with what stands of them."""
        rows = self._rows(_LANDINGS)
        decoded = ((session, at, self._decode(body, f"session {session}")) for session, at, body in rows)
        started = [(session, at, event) for session, at, event in decoded if isinstance(event, LandingStarted)]
        ended: dict[int, Literal["landed", "abandoned"]] = {}
        for number, kind in self._numbers("Landed", "LandingAbandoned"):
            ended[number] = "landed" if kind == "Landed" else "abandoned"
        return landing_records(started, ended, self._commits())

    def unfinished_landings(self) -> tuple[tuple[str, LandingStarted], ...]:
        """Landings that were begun and neither completed nor abandoned, each with its session, oldest first."""
        ended = {number for number, _ in self._numbers("Landed", "LandingAbandoned")}
        if all(number in ended for number, _ in self._numbers("LandingStarted")):
            return ()
        decoded = [(session, self._decode(body, f"session {session}")) for session, _, body in self._rows(_LANDINGS)]
        found = [(session, event) for session, event in decoded if isinstance(event, LandingStarted)]
        return tuple(sorted((one for one in found if one[1].landing not in ended), key=lambda one: one[1].landing))

    def changes(self) -> int:
        """A number that is another one after another process has written to the journal."""
        return int(next(self._rows("PRAGMA data_version"))[0])

    def put(self, data: bytes) -> str:
        """Keep some content; gives its hash."""
        digest = content_hash(data)
        self._write("INSERT OR IGNORE INTO blobs (hash, data) VALUES (?, ?)", (digest, zlib.compress(data, 1)))
        return digest

    def get(self, digest: str) -> bytes:
        """Content by hash.

        Raises:
            JournalError: There is none of that name.
        """
        row = next(self._rows("SELECT data FROM blobs WHERE hash = ?", (digest,)), None)
        if row is None:
            raise JournalError(f"{self._path}: no content with hash {digest[:12]}.")
        try:
            return zlib.decompress(row[0])
        except zlib.error as error:
            raise self._unusable("read", error) from error

    def _numbers(self, *kinds: str) -> Iterator[tuple[int, str]]:
        """The numbers in events about landings, each with the event's kind."""
        marks = ", ".join("?" * len(kinds))
        for kind, body in self._rows(f"SELECT kind, body FROM events WHERE kind IN ({marks})", kinds):  # noqa: S608 - marks
            try:
                yield self._counter.decode(body).landing, kind
            except msgspec.DecodeError as error:
                raise JournalError(f"{self._path}: a landing cannot be read: {error}.") from error

    def _commits(self) -> dict[int, str]:
        """The commits of those landings that were committed, the newest of each."""
        rows = sorted(self.bodies(Committed.__name__), key=lambda row: row[2])
        events = [self._decode(body, f"session {session}") for session, _, _, _, body in rows]
        return {event.landing: event.commit for event in events if isinstance(event, Committed)}

    def _title(self, session: str) -> str:
        sql = "SELECT body FROM events WHERE session = ? AND kind = ? ORDER BY seq LIMIT 1"
        row = next(self._rows(sql, (session, Asked.__name__)), None)
        event = self._decode(row[0], f"session {session}") if row else None
        return event.text.strip().split("\n")[0].strip() if isinstance(event, Asked) else ""

    def _count(self, session: str) -> int:
        row = next(self._rows("SELECT max(seq) FROM events WHERE session = ?", (session,)))
        return int(row[0] or 0)

    def _decode(self, body: bytes, where: str) -> AnyEvent:
        try:
            event: AnyEvent = self._decoder.decode(body)
        except msgspec.DecodeError as error:
            raise JournalError(f"{self._path}: {where} cannot be read: {error}.") from error
        return event

    def _insert(self, row: tuple[object, ...], *, durable: bool) -> None:
        alone = durable and not self._is_together
        if alone:
            self._db.execute("PRAGMA synchronous=FULL")
        try:
            self._db.execute("INSERT INTO events (session, seq, at, kind, body) VALUES (?, ?, ?, ?, ?)", row)
        finally:
            if alone:
                self._db.execute("PRAGMA synchronous=NORMAL")

    def _write(self, sql: str, row: tuple[object, ...]) -> None:
        try:
            self._db.execute(sql, row)
        except sqlite3.Error as error:
            raise self._unusable("written", error) from error

    def _rows(self, sql: str, row: tuple[object, ...] = ()) -> Iterator[tuple[Any, ...]]:
        """What a query gives; a damaged file is found out only while it is read."""
        try:
            for found in self._db.execute(sql, row):  # noqa: UP028 - delegating would close the cursor with it
                yield found
        except sqlite3.Error as error:
            raise self._unusable("read", error) from error

    def _unusable(self, verb: str, error: Exception) -> JournalError:
        code = getattr(error, "sqlite_errorcode", 0)
        if code == sqlite3.SQLITE_FULL:
            hint = "Make room on the disk that holds it; what was written before is kept."
        elif code & 0xFF == sqlite3.SQLITE_IOERR:
            # A full disk is said so too, when it is the index beside the file that finds no room.
            hint = "Look whether the disk that holds it is full or failing; what was written before is kept."
        else:
            hint = "Move the file away to start a new one, or set PAIRLOOP_STATE_DIR to a folder you can write to."
        return JournalError(f"{self._path}: the journal cannot be {verb}: {str(error).rstrip('.')}.", hint)


def _storable(event: AnyEvent) -> AnyEvent:
    """An event without lone surrogates, which JSON cannot hold: names and arguments that are no UTF-8 bring them in."""
    plain: AnyEvent = msgspec.convert(without_surrogates(msgspec.to_builtins(event)), type(event))
    return plain
