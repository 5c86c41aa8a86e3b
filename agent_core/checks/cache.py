"""Judgements kept on disk: what a check said about a tree, until something it depends on is another.

Found again, a judgement opens a session with a baseline at once. It never decides alone: see `agent_core.judge`.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from agent_core.checks.model import CheckResult
from agent_core.checks.mypy import MypyCheck
from agent_core.checks.pytest import PytestCheck
from agent_core.checks.ruff import RuffCheck
from agent_core.checks.syntax import SyntaxCheck
from agent_core.protocols import Check

_T = TypeVar("_T")

_FORMAT = 1
_OLDEST_SECONDS = 14 * 24 * 3600
_MOST_BYTES = 64_000_000
_MOST_OF_ONE = 8_000_000
_MOST_UNPACKED = 200_000_000
# What commands of the project's own use lies anywhere: nothing tells when they would say something else.
_KNOWN = (SyntaxCheck, RuffCheck, MypyCheck, PytestCheck)


class Cache:
    """The judgements of one project.

    Several processes may use it at once. One that is damaged is begun anew; one that cannot be written keeps nothing.

    Args:
        store: The SQLite file.
        most: Bytes beyond which what was not used for the longest time goes.
    """

    def __init__(self, store: Path, *, most: int = _MOST_BYTES) -> None:
        self._store = store
        self._most = most

    def find(self, check: Check, tree: str, stamp: str) -> CheckResult | None:
        """What a check said about a tree, marked as `CheckResult.cached`; None when that is not known.

        Args:
            check: The check, bound to the paths it looks at.
            tree: Hash of the tree.
            stamp: See `agent_core.checks.stamp`.
        """
        key = _key(check, tree, stamp)
        if not key:
            return None

        def look(database: sqlite3.Connection) -> bytes | None:
            oldest = time.time() - _OLDEST_SECONDS
            row = database.execute("SELECT body FROM said WHERE key = ? AND made > ?", (key, oldest)).fetchone()
            if row is None:
                return None
            database.execute("UPDATE said SET used = ? WHERE key = ?", (time.time(), key))
            return row[0] if isinstance(row[0], bytes) else None

        body = self._do(look)
        said = _unpacked(body) if body is not None else None
        if said is None or (said.check, said.tree) != (check.name, tree) or not _worth(said):
            return None
        return msgspec.structs.replace(said, cached=True)

    def keep(self, check: Check, said: CheckResult, stamp: str) -> None:
        """Keep a judgement; what is no last word, or no judgement, is not kept."""
        key = _key(check, said.tree, stamp)
        if not key or said.check != check.name or said.cached or not _worth(said):
            return
        body = zlib.compress(msgspec.msgpack.encode(said), 1)
        if len(body) > _MOST_OF_ONE:
            return
        now = time.time()

        def write(database: sqlite3.Connection) -> None:
            database.execute("INSERT OR REPLACE INTO said VALUES (?, ?, ?, ?, ?)", (key, now, now, len(body), body))
            database.execute("DELETE FROM said WHERE made < ?", (now - _OLDEST_SECONDS,))
            total = database.execute("SELECT total(size) FROM said").fetchone()[0]
            for old, size in database.execute("SELECT key, size FROM said ORDER BY used, key").fetchall():
                if total <= self._most:
                    break
                database.execute("DELETE FROM said WHERE key = ?", (old,))
                total -= size

        self._do(write)

    def forget(self, check: Check, tree: str, stamp: str) -> None:
        """Drop a judgement that turned out to depend on luck."""
        if key := _key(check, tree, stamp):
            self._do(lambda database: database.execute("DELETE FROM said WHERE key = ?", (key,)))

    def _do(self, work: Callable[[sqlite3.Connection], _T]) -> _T | None:
        """Do something in a transaction.

        A file that is damaged, or of another format, is begun anew; None where it cannot be used. What it holds can be
        found out again.
        """
        for _ in range(2):
            try:
                return self._once(work)
            except sqlite3.OperationalError:
                # Busy, full, read-only: for now it is of no use.
                return None
            except sqlite3.DatabaseError:
                with contextlib.suppress(OSError):
                    self._store.unlink(missing_ok=True)
            except OSError:
                return None
        return None

    def _once(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        self._store.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(self._store, timeout=5, isolation_level=None)) as database:
            # Losing it in a power cut is harmless.
            database.execute("PRAGMA synchronous=OFF")
            database.execute("BEGIN IMMEDIATE")
            if database.execute("PRAGMA user_version").fetchone()[0] != _FORMAT:
                database.execute("DROP TABLE IF EXISTS said")
                database.execute(f"PRAGMA user_version={_FORMAT}")
            database.execute(
                "CREATE TABLE IF NOT EXISTS said"
                " (key TEXT PRIMARY KEY, made REAL, used REAL, size INTEGER, body BLOB) WITHOUT ROWID"
            )
            done = work(database)
            database.execute("COMMIT")
            return done


def _key(check: Check, tree: str, stamp: str) -> str:
    """The name of a judgement; empty for one that is not kept."""
    if not stamp or not tree or not isinstance(check, _KNOWN):
        return ""
    # The checks are frozen dataclasses: what they are set to stands in their repr.
    return hashlib.sha256(f"{check!r}\0{tree}\0{stamp}".encode("utf-8", "surrogateescape")).hexdigest()


def _worth(said: CheckResult) -> bool:
    return said.judged and said.stage == "all" and not said.early


def _unpacked(body: bytes) -> CheckResult | None:
    """A judgement as it was kept; None for what is none."""
    try:
        unpacking = zlib.decompressobj()
        data = unpacking.decompress(body, _MOST_UNPACKED)
        return msgspec.msgpack.decode(data, type=CheckResult) if unpacking.eof else None
    except (zlib.error, msgspec.MsgspecError, ValueError, RecursionError):
        return None
