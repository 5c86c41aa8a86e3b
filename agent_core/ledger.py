"""What was spent over all projects, read from their journals: tokens and cost by day, model, project or session.

The journals are only read, by SQL over the JSON they keep, as decoding every event of years would take long.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import msgspec

from agent_core.conversation import Usage
from agent_core.spent import Row, model_name

By = Literal["day", "model", "project", "session"]

# What `agent_core.journal` calls the version it writes.
_VERSION = 1
# What a fork has copied was spent once, in the session that it was copied from. Where no model stands with an answer,
# it is the one that was told last before it.
_SQL = """
WITH forks AS (SELECT session, max(seq) AS upto FROM events WHERE kind = 'Forked' GROUP BY session),
spent AS (
    SELECT e.session, e.seq, e.at, e.kind, json_extract(CAST(e.body AS TEXT), '$.usage') AS usage,
        json_extract(CAST(e.body AS TEXT), '$.model') AS model,
        json_extract(CAST(e.body AS TEXT), '$.partner') AS partner
    FROM events AS e INDEXED BY events_by_kind
    WHERE e.kind IN ('AnswerFinished', 'AsideFinished', 'Compacted', 'CommitDrafted') AND e.at >= :since
)
SELECT s.session, s.at, coalesce(nullif(s.model, ''), (
        SELECT json_extract(CAST(t.body AS TEXT), '$.partner.model') FROM events AS t INDEXED BY events_by_kind
        WHERE t.session = s.session AND t.kind = 'SettingsTold' AND t.seq < s.seq ORDER BY t.seq DESC LIMIT 1
    ), ''), coalesce(s.partner, ''),
    coalesce(json_extract(s.usage, '$.input'), 0), coalesce(json_extract(s.usage, '$.cached'), 0),
    coalesce(json_extract(s.usage, '$.output'), 0), coalesce(json_extract(s.usage, '$.reasoning'), 0),
    json_extract(s.usage, '$.cost')
FROM spent AS s LEFT JOIN forks AS f ON f.session = s.session
WHERE s.usage IS NOT NULL AND s.seq > coalesce(f.upto, 0)
"""
_ROOT = "SELECT json_extract(CAST(body AS TEXT), '$.project') FROM events WHERE kind = 'SessionStarted' LIMIT 1"


class Spent(msgspec.Struct, frozen=True):
    """One request that was paid for.

    Attributes:
        project: The project's folder.
        session: Id of the session.
        at: When it was answered, in seconds since the epoch.
        model: The model's id; empty where that is not known.
        partner: Name of its entry in the configuration.
        usage: Tokens and cost.
    """

    project: str
    session: str
    at: float
    model: str
    partner: str
    usage: Usage


class Ledger(msgspec.Struct, frozen=True):
    """What was spent, and which journals could not be read.

    Attributes:
        spent: One entry a request, in no order.
        notes: Sentences on what could not be read.
    """

    spent: tuple[Spent, ...]
    notes: tuple[str, ...] = ()


def read_ledger(projects: Path, since: float = 0.0) -> Ledger:
    """Read what was spent.

    Args:
        projects: The folder of all projects' states.
        since: Leave out what is older, in seconds since the epoch.
    """
    spent: list[Spent] = []
    notes: list[str] = []
    for journal in sorted(projects.glob("*/journal.db")):
        try:
            spent += _read(journal, since)
        except (sqlite3.Error, _NewerError, TypeError, ValueError) as error:
            notes.append(f"{journal} is left out: {error}.")
    return Ledger(tuple(spent), tuple(notes))


class _NewerError(Exception):
    """A journal is in a format that is not known."""


def _read(journal: Path, since: float) -> list[Spent]:
    # Only read: no table is made, and no other pairloop is kept waiting.
    with closing(sqlite3.connect(f"file:{quote(str(journal))}?mode=ro", uri=True, timeout=2.0)) as database:
        version = int(database.execute("PRAGMA user_version").fetchone()[0])
        if version > _VERSION:
            raise _NewerError(f"it was written by a newer pairloop (format {version})")
        root = database.execute(_ROOT).fetchone()
        project = str(root[0]) if root and root[0] else journal.parent.name
        return [
            Spent(project, session, at, model, partner, Usage(given, cached, said, thought, cost))
            for session, at, model, partner, given, cached, said, thought, cost in database.execute(
                _SQL, {"since": since}
            )
            if given or said
        ]


def days_ago(days: int, now: dt.datetime | None = None) -> float:
    """When the first of the last so many days began here, today being one of them; in seconds since the epoch."""
    today = (now or dt.datetime.now().astimezone()).replace(hour=0, minute=0, second=0, microsecond=0)
    first = today.replace(tzinfo=None) - dt.timedelta(days=days - 1)
    return first.timestamp()


class Entry(msgspec.Struct, frozen=True):
    """What was spent on requests that have something in common; what ``pairloop usage --json`` prints.

    Attributes:
        day: ``2026-11-22``, in local time; empty where days are not told apart, as with the others.
        model: The model's id.
        partner: Name of its entry in the configuration; empty for ``[partner]``.
        project: The project's folder.
        session: Id of the session.
        requests: How many there were.
        usage: Tokens and cost; the cost is the sum of what is known.
        unpriced: How many requests have a cost that is not known.
    """

    day: str
    model: str
    partner: str
    project: str
    session: str
    requests: int
    usage: Usage
    unpriced: int


_Key = tuple[str, str, str, str, str]
_KEYS: dict[By, Callable[[Spent], _Key]] = {
    "day": lambda one: (_day(one.at), one.model, one.partner, "", ""),
    "model": lambda one: ("", one.model, one.partner, "", ""),
    "project": lambda one: ("", "", "", one.project, ""),
    "session": lambda one: ("", "", "", one.project, one.session),
}


def entries(spent: Sequence[Spent], by: By) -> list[Entry]:
    """What was spent, by what requests have in common: days and sessions the newest first, others by what they cost.

    Args:
        spent: The requests.
        by: Days, and models in them; models; projects; or sessions.
    """
    found: dict[_Key, list[Spent]] = {}
    key = _KEYS[by]
    for one in spent:
        found.setdefault(key(one), []).append(one)
    made = [
        Entry(*key, len(some), _sum(one.usage for one in some), sum(one.usage.cost is None for one in some))
        for key, some in found.items()
    ]
    made.sort(key=lambda one: (-(one.usage.cost or 0.0), -one.usage.input, one.model, one.project))
    if by == "day":
        made.sort(key=lambda one: one.day, reverse=True)
    elif by == "session":
        made.sort(key=lambda one: one.session, reverse=True)
    return made


def rows(made: Sequence[Entry]) -> Iterator[Row]:
    """Entries as rows of a table, the sum of all at the end where there are several."""
    for one in made:
        parts = (
            one.day,
            model_name(one.model, one.partner) if one.model or not one.project else "",
            Path(one.project).name,
            one.session,
        )
        yield Row("  ".join(part for part in parts if part), one.requests, one.usage, one.unpriced)
    if len(made) > 1:
        whole = _sum(one.usage for one in made)
        yield Row("all", sum(one.requests for one in made), whole, sum(one.unpriced for one in made))


def _sum(usages: Iterable[Usage]) -> Usage:
    return sum(usages, Usage())


def _day(at: float) -> str:
    return dt.datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d")
